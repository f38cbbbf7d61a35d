//! Rows into a few files of about the same size, compressed while they grow and sent up in parts: as many as there are slices, or a multiple.
//!
//! A cluster reads one such file with one slice, so files in number and size decide how much of it works. Few rows make few files: the next one begins
//! when all before it hold what is worth a file. Then each piece goes to the shortest; when all are long enough, they end and others begin.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;

use sparkify_aws::{AwsError, Landing, Upload};

/// A file is worth this many bytes, compressed.
const LEAST: u64 = 1 << 20;
/// Files end at about this size, compressed: long enough to read in one go, short enough to send again.
const MOST: u64 = 256 << 20;
/// Where there are more slices than files that grow at a time, files end earlier, but not below this.
const LEAST_OF_MANY: u64 = 16 << 20;
/// So many files grow at a time at most, since each holds a part in memory.
const AT_ONCE: usize = 16;

/// Files of one load into one table.
pub(super) struct Lanes {
    place: Landing,
    /// `staging_events-` …
    stem: String,
    /// At what size a file ends.
    most: u64,
    state: Mutex<State>,
    /// Told when a lane is free again.
    freed: Condvar,
    files: Vec<Mutex<Option<Lane>>>,
}

struct State {
    /// Of each lane the size so far; none while somebody writes to it.
    sizes: Vec<Option<u64>>,
    begun: usize,
    done: Vec<Done>,
}

impl State {
    /// The first free file that is not worth one yet, else the shortest free one.
    fn shortest(&self) -> Option<usize> {
        let young = |size: &Option<u64>| size.is_some_and(|size| size < LEAST);
        let free = || self.sizes.iter().enumerate().filter_map(|(at, size)| Some(((*size)?, at)));
        self.sizes.iter().position(young).or_else(|| free().min().map(|(_, at)| at))
    }
}

struct Lane {
    name: String,
    file: GzEncoder<Sending>,
}

/// A finished file.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub url: String,
    pub size: u64,
}

/// An upload as what compresses writes to it. The failure is kept: what passes through is only its text.
struct Sending {
    upload: Upload,
    failure: Option<AwsError>,
}

impl std::io::Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.upload.write(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.failure = Some(error);
                Err(std::io::Error::other("the upload failed"))
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// How many files grow at a time: all slices' worth, or a part of it that divides it.
fn at_once(slices: usize) -> usize {
    (1..=AT_ONCE).rev().find(|lanes| slices.is_multiple_of(*lanes)).unwrap_or(1)
}

impl Lanes {
    pub(super) fn new(place: Landing, table: &str, slices: usize) -> Self {
        let slices = slices.max(1);
        let lanes = at_once(slices);
        let most = (MOST / (slices / lanes) as u64).max(LEAST_OF_MANY);
        let state = State { sizes: vec![Some(0); lanes], begun: 0, done: Vec::new() };
        let files = (0..lanes).map(|_| Mutex::new(None)).collect();
        let (state, freed) = (Mutex::new(state), Condvar::new());
        Self { place, stem: format!("{table}-"), most, state, freed, files }
    }

    /// Appends whole lines to one of the files; callers on other threads write to others.
    pub(super) fn write(&self, lines: &[u8]) -> Result<(), AwsError> {
        let (index, name) = self.claim();
        let mut lane = self.files[index].lock().unwrap_or_else(PoisonError::into_inner);
        let open = lane.get_or_insert_with(|| {
            let sending = Sending { upload: self.place.begin(&name), failure: None };
            Lane { name, file: GzEncoder::new(sending, Compression::fast()) }
        });
        let written = std::io::Write::write_all(&mut open.file, lines);
        let size = open.file.get_ref().upload.size();
        if written.is_err() {
            let failure = lane.take().and_then(|mut lane| lane.file.get_mut().failure.take());
            self.release(index, 0);
            return Err(failure.unwrap_or_else(|| vague(&self.place)));
        }
        let full = if size >= self.most { lane.take() } else { None };
        let ended = full.map(|full| self.end(full));
        self.release(index, if ended.is_some() { 0 } else { size });
        ended.unwrap_or(Ok(()))
    }

    /// Ends every file, and says which there are.
    pub(super) fn finish(self) -> Result<Vec<Done>, AwsError> {
        for lane in &self.files {
            if let Some(open) = lane.lock().unwrap_or_else(PoisonError::into_inner).take() {
                self.end(open)?;
            }
        }
        let mut done = std::mem::take(&mut self.state().done);
        done.sort_by(|one, other| one.url.cmp(&other.url));
        Ok(done)
    }

    /// Has the store forget what was begun.
    pub(super) fn give_up(self) {
        for lane in &self.files {
            let Some(open) = lane.lock().unwrap_or_else(PoisonError::into_inner).take() else {
                continue;
            };
            // What is still in the encoder goes with it.
            let Ok(sending) = open.file.finish() else { continue };
            if let Err(error) = sending.upload.give_up() {
                tracing::debug!("{error}");
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file to write to, and the name that it has if it is a new one.
    fn claim(&self) -> (usize, String) {
        let mut state = self.state();
        let index = loop {
            if let Some(index) = state.shortest() {
                break index;
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        state.sizes[index] = None;
        state.begun += 1;
        // A name is used when the lane has no file; a gap in the numbers is none in the manifest.
        (index, format!("{}{:06}.json.gz", self.stem, state.begun))
    }

    fn release(&self, index: usize, size: u64) {
        self.state().sizes[index] = Some(size);
        self.freed.notify_one();
    }

    fn end(&self, lane: Lane) -> Result<(), AwsError> {
        let url = self.place.url_of(&lane.name);
        let mut file = lane.file;
        if file.try_finish().is_err() {
            return Err(file.get_mut().failure.take().unwrap_or_else(|| vague(&self.place)));
        }
        let sending = file.finish().map_err(|_| vague(&self.place))?;
        let size = sending.upload.finish()?;
        self.state().done.push(Done { url, size });
        Ok(())
    }
}

fn vague(place: &Landing) -> AwsError {
    AwsError {
        doing: "write to",
        location: place.location(),
        reason: "the rows cannot be compressed".into(),
        hint: "try again; nothing of this load was published".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_files_grow_as_divide_the_slices() {
        for (slices, lanes) in
            [(1, 1), (2, 2), (7, 7), (16, 16), (17, 1), (32, 16), (36, 12), (160, 16)]
        {
            assert_eq!(at_once(slices), lanes, "{slices}");
        }
    }
}
