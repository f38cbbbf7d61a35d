//! Writer of compressed files for COPY: a multiple of the number of slices, of about the same size.
//!
//! One slice reads one gzip file, so the number and the sizes of the files decide the parallelism
//! of COPY. Few rows make few files: a file is started only if all others have the minimum size.
//! After that, each chunk goes to the smallest free file. A file that reaches the maximum size is
//! finished, and the next chunk starts another. Files are compressed and uploaded in parts while
//! they grow.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;

use sparkify_aws::{AwsError, Landing, Upload};

/// Minimum compressed size of a file before another one is started.
const MIN_FILE_BYTES: u64 = 1 << 20;
/// Maximum compressed size of a file: large enough for sequential reads, small enough to retry.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// Lower bound of the maximum size. It is reduced if there are more slices than open files, so that
/// every slice gets a file.
const MIN_MAX_FILE_BYTES: u64 = 16 << 20;
/// Maximum number of open files; each buffers one upload part in memory.
const MAX_OPEN_FILES: usize = 16;

/// Writer of the files of one load into one table. Threads write concurrently.
pub(super) struct PartWriter {
    place: Landing,
    /// Start of each file name, such as `staging_events-`.
    stem: String,
    /// Compressed size at which a file is finished.
    max_bytes: u64,
    state: Mutex<State>,
    /// Notified when a file is released.
    freed: Condvar,
    files: Vec<Mutex<Option<Part>>>,
}

struct State {
    /// Compressed size of each open file so far; none while a thread writes to it.
    sizes: Vec<Option<u64>>,
    /// Number of the last file name.
    last_number: usize,
    finished: Vec<StagedFile>,
}

impl State {
    /// Returns the index of the first free file below the minimum size, else of the smallest free
    /// one.
    fn next_free(&self) -> Option<usize> {
        let is_small = |size: &Option<u64>| size.is_some_and(|size| size < MIN_FILE_BYTES);
        let free = || self.sizes.iter().enumerate().filter_map(|(at, size)| Some(((*size)?, at)));
        self.sizes.iter().position(is_small).or_else(|| free().min().map(|(_, at)| at))
    }
}

/// An open file.
struct Part {
    name: String,
    encoder: GzEncoder<UploadWriter>,
}

/// A finished file.
#[derive(Debug, Clone)]
pub(super) struct StagedFile {
    pub url: String,
    pub size: u64,
}

/// Adapter from `Write` to an upload. It keeps the upload's error, because `io::Error` would reduce
/// it to a text without a hint.
struct UploadWriter {
    upload: Upload,
    failure: Option<AwsError>,
}

impl std::io::Write for UploadWriter {
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

/// Returns the number of open files: the largest divisor of `slices` up to the maximum, so that the
/// number of files becomes a multiple of the slices.
fn open_files(slices: usize) -> usize {
    (1..=MAX_OPEN_FILES).rev().find(|files| slices.is_multiple_of(*files)).unwrap_or(1)
}

impl PartWriter {
    pub(super) fn new(place: Landing, table: &str, slices: usize) -> Self {
        let slices = slices.max(1);
        let open = open_files(slices);
        let max_bytes = (MAX_FILE_BYTES / (slices / open) as u64).max(MIN_MAX_FILE_BYTES);
        let state = State { sizes: vec![Some(0); open], last_number: 0, finished: Vec::new() };
        let files = (0..open).map(|_| Mutex::new(None)).collect();
        let (state, freed) = (Mutex::new(state), Condvar::new());
        Self { place, stem: format!("{table}-"), max_bytes, state, freed, files }
    }

    /// Appends complete lines to one of the files. Concurrent callers write to different files.
    pub(super) fn write(&self, lines: &[u8]) -> Result<(), AwsError> {
        let (index, name) = self.acquire();
        let mut slot = self.files[index].lock().unwrap_or_else(PoisonError::into_inner);
        let open = slot.get_or_insert_with(|| {
            let upload = UploadWriter { upload: self.place.begin(&name), failure: None };
            Part { name, encoder: GzEncoder::new(upload, Compression::fast()) }
        });
        let written = std::io::Write::write_all(&mut open.encoder, lines);
        let size = open.encoder.get_ref().upload.size();
        if written.is_err() {
            let failure = slot.take().and_then(|mut part| part.encoder.get_mut().failure.take());
            self.release(index, 0);
            return Err(failure.unwrap_or_else(|| compression_failed(&self.place)));
        }
        let full = if size >= self.max_bytes { slot.take() } else { None };
        let finished = full.map(|full| self.finish_part(full));
        self.release(index, if finished.is_some() { 0 } else { size });
        finished.unwrap_or(Ok(()))
    }

    /// Finishes all open files and returns every file of the load.
    pub(super) fn finish(self) -> Result<Vec<StagedFile>, AwsError> {
        for slot in &self.files {
            if let Some(open) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() {
                self.finish_part(open)?;
            }
        }
        let mut files = std::mem::take(&mut self.state().finished);
        files.sort_by(|one, other| one.url.cmp(&other.url));
        Ok(files)
    }

    /// Aborts the uploads of all open files.
    pub(super) fn abort(self) {
        for slot in &self.files {
            let Some(open) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() else {
                continue;
            };
            // The encoder returns the upload only by finishing.
            let Ok(upload) = open.encoder.finish() else { continue };
            if let Err(error) = upload.upload.give_up() {
                tracing::debug!("{error}");
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a free file and marks it as in use. Returns its index, and its name if it is new.
    fn acquire(&self) -> (usize, String) {
        let mut state = self.state();
        let index = loop {
            if let Some(index) = state.next_free() {
                break index;
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        state.sizes[index] = None;
        state.last_number += 1;
        // An open file ignores the name, which leaves gaps in the numbers. The manifest lists the
        // names that exist.
        (index, format!("{}{:06}.json.gz", self.stem, state.last_number))
    }

    fn release(&self, index: usize, size: u64) {
        self.state().sizes[index] = Some(size);
        self.freed.notify_one();
    }

    fn finish_part(&self, part: Part) -> Result<(), AwsError> {
        let url = self.place.url_of(&part.name);
        let mut encoder = part.encoder;
        // `try_finish` keeps the writer, and thereby its error.
        if encoder.try_finish().is_err() {
            let failure = encoder.get_mut().failure.take();
            return Err(failure.unwrap_or_else(|| compression_failed(&self.place)));
        }
        let upload = encoder.finish().map_err(|_| compression_failed(&self.place))?;
        let size = upload.upload.finish()?;
        self.state().finished.push(StagedFile { url, size });
        Ok(())
    }
}

fn compression_failed(place: &Landing) -> AwsError {
    AwsError {
        doing: "write to",
        location: place.location(),
        reason: "the rows cannot be compressed".into(),
        hint: "run the load again; nothing of this load was published".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_open_files_divides_the_slices() {
        for (slices, files) in
            [(1, 1), (2, 2), (7, 7), (16, 16), (17, 1), (32, 16), (36, 12), (160, 16)]
        {
            assert_eq!(open_files(slices), files, "{slices}");
        }
    }
}
