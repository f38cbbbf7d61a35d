//! Could a load work? Everything that it needs is tried before it runs: the source is listed and read, the way to the warehouse walked, a table made and taken
//! back, the engine asked what its documentation says that it answers ([`probes`]), the disk measured. Nothing that is there changes.
//!
//! This room does not know which engine it speaks to, and looks at no data. What only AWS can tell is asked by `cluster`; `cli` puts both into one list.

pub mod probes;

use std::path::Path;

use serde::Serialize;

use crate::sql::doctor as sql;
use sparkify_config::Settings;
use sparkify_source::{Content, Listing, SourceError, Sources};
use sparkify_warehouse::{Access, ConnectionStep, Connector, Rows, Warehouse, WarehouseError};

/// Less room than this is too little for any load.
const LEAST_ROOM: u64 = 256 << 20;

/// How a thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It works.
    Ok,
    /// It does not.
    Failed,
    /// It works, or could not be looked at, and there is something to know.
    Hint,
    /// It was not looked at, since something before it failed.
    #[serde(rename = "not tried")]
    NotTried,
}

/// One line.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// What was looked at.
    pub what: String,
    /// How it was found.
    pub state: State,
    /// What was found.
    pub said: String,
    /// What to do or to know.
    pub hint: Option<String>,
}

impl Line {
    /// It works.
    pub fn ok(what: &str, said: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Ok, said: said.into(), hint: None }
    }

    /// It does not.
    pub fn failed(what: &str, said: impl Into<String>, hint: Option<String>) -> Self {
        Self { what: what.into(), state: State::Failed, said: said.into(), hint }
    }

    /// There is something to know.
    pub fn hint(what: &str, said: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Hint, said: said.into(), hint: Some(hint.into()) }
    }

    /// What was before it failed.
    fn not_tried(what: &str) -> Self {
        let said = "something before it failed".into();
        Self { what: what.into(), state: State::NotTried, said, hint: None }
    }
}

/// Tries everything that needs no AWS but its store; the engine's own answers where `with_probes` says so.
pub fn examine(settings: &Settings, connector: &dyn Connector, with_probes: bool) -> Vec<Line> {
    let sources = Sources::new(&settings.s3);
    let mut lines = Vec::new();
    let mut bytes = 0;
    for (what, place) in [("song data", &settings.song_data), ("log data", &settings.log_data)] {
        let Some(place) = place else {
            lines.push(Line::hint(
                what,
                "nobody said where it lies",
                format!("name it with `--{}`, or in [S3] of dwh.cfg", what.replace(' ', "-")),
            ));
            continue;
        };
        match readable(&sources, place) {
            Ok((listing, read)) => {
                bytes += listing.bytes();
                let objects = listing.objects.len();
                let said = format!("{objects} objects at `{place}`, {read}");
                lines.push(Line::ok(what, said));
            }
            Err(error) => lines.push(Line::failed(what, error.to_string(), Some(error.hint()))),
        }
    }
    warehouse_lines(settings, connector, with_probes, &mut lines);
    lines.extend(room(settings, bytes));
    lines
}

/// Lists a place and reads the first object that has anything in it.
fn readable(sources: &Sources, place: &str) -> Result<(Listing, String), SourceError> {
    let listing = sources.list(place)?;
    let Some(first) = listing.objects.iter().find(|object| object.size > 0) else {
        return Ok((listing, "none of them with anything in it".into()));
    };
    let mut content = Content::open(first)?;
    let mut buffer = vec![0; 1 << 12];
    let read = content.read(&mut buffer)?;
    let name = first.key.rsplit('/').next().unwrap_or(&first.key);
    let said = format!("{read} bytes read of `{name}`");
    Ok((listing, said))
}

fn warehouse_lines(
    settings: &Settings,
    connector: &dyn Connector,
    with_probes: bool,
    lines: &mut Vec<Line>,
) {
    let name = settings.warehouse.to_string();
    if let Some(file) = settings.warehouse.file()
        && !file.exists()
    {
        return lines.push(new_file(&name, &file));
    }
    if settings.warehouse.is_file() && settings.warehouse.file().is_none() {
        let said = format!("`{name}` lies in a folder that is not there");
        return lines.push(Line::failed("warehouse", said, Some("make the folder first".into())));
    }
    let way = connector.try_steps();
    let is_open = way.iter().all(|step| matches!(step.outcome, Some(Ok(_))));
    lines.extend(way.into_iter().map(step));
    if !is_open {
        return lines.extend(["warehouse", "rights"].map(Line::not_tried));
    }
    let mut warehouse = match connector.open(Access::Write) {
        Ok(warehouse) => warehouse,
        Err(error) => return lines.push(refused("warehouse", &error)),
    };
    let version = warehouse.query_file(&sql::VERSION, &[], 1).map(|rows| first_cell(&rows));
    match version {
        Ok(version) => lines.push(Line::ok("warehouse", format!("`{name}` is {version}"))),
        Err(error) => return lines.push(refused("warehouse", &error)),
    }
    if let Err(error) = probe(warehouse.as_mut()) {
        return lines.push(refused("rights", &error));
    }
    lines.push(Line::ok("rights", "tables can be made, filled and dropped"));
    if with_probes {
        lines.extend(probes::lines(warehouse.as_mut()));
    }
}

fn step(ConnectionStep { name: what, outcome }: ConnectionStep) -> Line {
    match outcome {
        Some(Ok(said)) => Line::ok(what, said),
        Some(Err(error)) => refused(what, &error),
        None => Line::not_tried(what),
    }
}

fn first_cell(rows: &Rows) -> String {
    let cell = rows.rows.first().and_then(|row| row.first());
    cell.map(ToString::to_string).unwrap_or_default()
}

fn refused(what: &str, error: &WarehouseError) -> Line {
    Line::failed(what, error.to_string(), error.hint())
}

/// A table made, filled and dropped in a transaction that is taken back.
fn probe(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    warehouse.run(&sql::PROBE_BEGIN)?;
    let tried = warehouse.run(&sql::PROBE);
    let back = warehouse.run(&sql::PROBE_UNDO);
    tried.and(back)
}

/// The file is made by the first load, if its folder lets it.
fn new_file(name: &str, file: &Path) -> Line {
    let folder = file.parent().unwrap_or(Path::new("."));
    match tempfile::tempfile_in(folder) {
        Ok(_) => {
            Line::ok("warehouse", format!("`{name}` is not there yet; the first load makes it"))
        }
        Err(error) => Line::failed(
            "warehouse",
            format!("no file can be made in `{}`: {error}", folder.display()),
            Some("check who may write there, or name another with `--warehouse`".into()),
        ),
    }
}

/// The room where a warehouse that is a file lies and spills.
fn room(settings: &Settings, source: u64) -> Option<Line> {
    let what = "disk space";
    let file = settings.warehouse.file()?;
    let folder = file.parent()?;
    let found = match rustix::fs::statvfs(folder) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => return Some(Line::hint(what, "could not be measured", error.to_string())),
    };
    let said = format!("{} MB free in `{}`", found / 1_000_000, folder.display());
    let hint = "free some, or name a warehouse elsewhere with `--warehouse`";
    Some(if found < LEAST_ROOM {
        Line::failed(what, said, Some(hint.into()))
    } else if found < source.saturating_mul(2) {
        Line::hint(what, said, format!("the source has {} MB: {hint}", source / 1_000_000))
    } else {
        Line::ok(what, said)
    })
}
