//! `sparkify trace`: prints the lineage of a play.

use super::args;
use super::failure::Failure;
use super::printer::Printer;
use super::source_bytes::format_bytes;
use super::terminal;
use sparkify_analytics::report::shown;
use sparkify_config::Settings;
use sparkify_load::trace::{self, Fields, ObjectState, Origin, Role, Trace, TraceTarget};
use sparkify_reader::visible;
use sparkify_source::Sources;

pub(super) fn run(
    args: &args::Trace,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let play = requested_play(args)?;
    let mut warehouse = super::open_loaded(settings, printer)?;
    let traces = trace::trace(warehouse.as_mut(), &Sources::new(&settings.s3), &play)?;
    if traces.is_empty() {
        return Err(unknown(&play));
    }
    printer.result(&traces, || traces.iter().map(text).collect::<Vec<_>>().join("\n"))
}

fn requested_play(args: &args::Trace) -> Result<TraceTarget, Failure> {
    if let (Some(session), Some(item)) = (args.session, args.item) {
        return Ok(TraceTarget::Position { session, item });
    }
    let written = args.songplay_id.as_deref().unwrap_or_default();
    written.parse().map(TraceTarget::Play).map_err(|_| {
        Failure::new(
            format!("invalid songplay ID `{}`", visible(written.as_bytes())),
            "give a UUID from `songplays.songplay_id`, or use `--session N --item N`",
        )
    })
}

fn unknown(play: &TraceTarget) -> Failure {
    match play {
        TraceTarget::Play(id) => Failure::new(
            format!("no play has the ID `{id}`"),
            "run `sparkify query \"select songplay_id from songplays limit 5\"` to list IDs, or use `--session N --item N`",
        ),
        TraceTarget::Position { session, item } => Failure::new(
            format!("session {session} has no play at item {item}"),
            format!(
                "run `sparkify query \"select item_in_session from songplays where session_id = {session}\"` to list its plays"
            ),
        ),
    }
}

fn text(trace: &Trace) -> String {
    let mut text = columns("play", &trace.play);
    if trace.events.is_empty() {
        text.push_str("\nno staged event has this play; run `sparkify check`\n");
    }
    if trace.catalogue.is_empty() {
        text.push_str("\nno catalogue record has this title and artist\n");
    }
    for origin in trace.events.iter().chain(&trace.catalogue) {
        text.push('\n');
        text.push_str(&origin_text(origin));
    }
    text
}

fn origin_text(origin: &Origin) -> String {
    let title = match origin.role {
        Role::Made => "source event of the play",
        Role::Duplicate => "duplicate of the source event",
        Role::Matched => "matched catalogue record",
        Role::SameSong => "other catalogue record of the same song",
    };
    let Origin { load_id, loaded_at, position, .. } = origin;
    let object = visible(origin.object.as_bytes());
    let found = match &origin.state {
        ObjectState::AsLoaded(raw) => format_bytes(raw, position.unwrap_or_default()),
        ObjectState::InGroup { objects: 1 } => {
            staged("was copied by the warehouse, which reports no byte position", origin)
        }
        ObjectState::InGroup { objects } => staged(
            &format!(
                "was copied by the warehouse together with {} others; the record may be in any of them",
                objects - 1
            ),
            origin,
        ),
        ObjectState::Changed => staged("has changed since it was loaded", origin),
        ObjectState::Missing => staged("no longer exists", origin),
        ObjectState::Unreadable { reason } => {
            staged(&format!("cannot be read ({})", visible(reason.as_bytes())), origin)
        }
    };
    let at = position.map_or(String::new(), |position| format!(" at byte {position}"));
    format!("{title}\nload {load_id} ({loaded_at}), {object}{at}\n{found}")
}

fn staged(state: &str, origin: &Origin) -> String {
    format!("the object {state}; the staged row is\n{}", columns("column", &origin.staged))
}

fn columns(title: &str, fields: &Fields) -> String {
    let line = |(name, value): &(String, _)| vec![name.clone(), shown(value)];
    let lines: Vec<Vec<String>> = fields.0.iter().map(line).collect();
    terminal::table(&[title, "value"], &lines, &[])
}
