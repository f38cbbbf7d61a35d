//! Event files: one per day, sorted by time.

use std::path::{Path, PathBuf};

use super::awkward::{EventQuirks, Layout};
use super::calendar::{Calendar, MINUTE_MS, MINUTES};
use super::output::{Progress, Target, make_folder};
use super::render::{Renderer, is_play};
use super::rng::Rng;
use super::sessions::{Event, SessionPool};
use super::tracks::TrackPool;
use super::{GenerateError, Request};

const CALENDAR_STREAM: u64 = 6;

/// Writer of the event files; one file is open at a time.
struct Log<'p, 'f> {
    root: PathBuf,
    renderer: Renderer,
    quirks: Option<EventQuirks>,
    progress: &'p mut Progress<'f>,
    buffer: Vec<u8>,
    /// Buffer for one event that quirks may modify.
    line: Vec<u8>,
    today: Option<Target>,
    form: Layout,
}

/// Writes the events below `root`; `first` is the first day, in days since 1970-01-01.
pub(super) fn write_all(
    root: &Path,
    first: u64,
    request: &Request,
    tracks: &TrackPool,
    progress: &mut Progress,
) -> Result<(), GenerateError> {
    make_folder(root)?;
    let mut rng = Rng::new(request.seed, CALENDAR_STREAM);
    let calendar = Calendar::new(first, request.days, request.events, &mut rng);
    let mut pool = SessionPool::new(request, tracks, calendar.start_of(0));
    let mut log = Log {
        root: root.to_owned(),
        renderer: Renderer::new(request.seed),
        quirks: request.awkward.then(|| EventQuirks::new(request.events)),
        progress,
        buffer: Vec::with_capacity(1 << 20),
        line: Vec::new(),
        today: None,
        form: Layout::Lines,
    };
    for day in 0..request.days {
        let start = calendar.start_of(day);
        for minute in 0..MINUTES {
            let from = start + minute * MINUTE_MS;
            pool.admit(from, calendar.by(day, minute), calendar.by_end_of(day));
            while let Some(event) = pool.next(from + MINUTE_MS) {
                log.write(&calendar, day, &event)?;
            }
        }
        log.close()?;
    }
    match &log.quirks {
        Some(quirks) => quirks.write_late(&log.root, log.progress),
        None => Ok(()),
    }
}

impl Log<'_, '_> {
    fn write(&mut self, calendar: &Calendar, day: u32, event: &Event) -> Result<(), GenerateError> {
        if self.today.is_none() {
            self.open(calendar, day)?;
        }
        let done = &mut self.progress.done;
        if let Some(quirks) = &mut self.quirks {
            self.line.clear();
            self.renderer.render(event, &mut self.line);
            quirks.write(&self.line, event, &mut self.form, &mut self.buffer, done);
        } else {
            self.renderer.render(event, &mut self.buffer);
            self.buffer.push(b'\n');
        }
        done.events += 1;
        done.plays += u64::from(is_play(event));
        match &mut self.today {
            Some(target) => target.drain_if_full(&mut self.buffer, self.progress),
            None => Ok(()),
        }
    }

    /// Opens the file of a day; called at its first event.
    fn open(&mut self, calendar: &Calendar, day: u32) -> Result<(), GenerateError> {
        let date = calendar.date(day);
        let folder = self.root.join(format!("{:04}/{:02}", date.year, date.month));
        make_folder(&folder)?;
        self.form = if self.quirks.is_some() { Layout::of_day(day) } else { Layout::Lines };
        let compression = self.form.compression();
        let (year, month, day) = (date.year, date.month, date.day);
        let name = format!("{year:04}-{month:02}-{day:02}-events.json{}", compression.suffix());
        self.today = Some(Target::create(folder.join(name), compression)?);
        self.form.begin(&mut self.buffer, &mut self.progress.done);
        self.progress.done.log_objects += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), GenerateError> {
        let Some(target) = self.today.take() else { return Ok(()) };
        self.form.end(&mut self.buffer);
        target.close(&mut self.buffer, self.progress)
    }
}
