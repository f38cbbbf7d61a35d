//! `sparkify trace`: a play, and the bytes that it came from.

use super::args;
use super::failure::Failure;
use super::printer::Printer;
use super::raw::shown_raw;
use sparkify_analytics::report::{plain_table, shown};
use sparkify_config::Settings;
use sparkify_load::trace::{self, Fields, ObjectState, Origin, Role, Trace, TraceTarget};
use sparkify_reader::visible;
use sparkify_source::Sources;

pub(super) fn run(
    args: &args::Trace,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let asked = asked(args)?;
    let mut warehouse = super::open_loaded(settings)?;
    let traces = trace::trace(warehouse.as_mut(), &Sources::new(&settings.s3), &asked)?;
    if traces.is_empty() {
        return Err(unknown(&asked));
    }
    printer.answer(&traces, || traces.iter().map(text).collect::<Vec<_>>().join("\n"))
}

fn asked(args: &args::Trace) -> Result<TraceTarget, Failure> {
    if let (Some(session), Some(item)) = (args.session, args.item) {
        return Ok(TraceTarget::Position { session, item });
    }
    let written = args.songplay_id.as_deref().unwrap_or_default();
    written.parse().map(TraceTarget::Play).map_err(|_| {
        Failure::new(
            format!("`{}` is no songplay id", visible(written.as_bytes())),
            "it is a UUID of 32 hexadecimal digits, as songplays.songplay_id has it; `--session N --item N` finds a play too",
        )
    })
}

fn unknown(asked: &TraceTarget) -> Failure {
    match asked {
        TraceTarget::Play(id) => Failure::new(
            format!("there is no play `{id}`"),
            "`sparkify query \"select songplay_id from songplays limit 5\"` names some; `--session N --item N` finds a play too",
        ),
        TraceTarget::Position { session, item } => Failure::new(
            format!("there is no play at place {item} of session {session}"),
            format!(
                "`sparkify query \"select item_in_session from songplays where session_id = {session}\"` names the places of its plays"
            ),
        ),
    }
}

fn text(trace: &Trace) -> String {
    let mut text = columns("the play", &trace.play);
    if trace.events.is_empty() {
        text.push_str("\nno staged event leads to it: `sparkify check` tells more\n");
    }
    if trace.catalogue.is_empty() {
        text.push_str("\nno record of the catalogue has its title and artist\n");
    }
    for origin in trace.events.iter().chain(&trace.catalogue) {
        text.push('\n');
        text.push_str(&origin_text(origin));
    }
    text
}

fn origin_text(origin: &Origin) -> String {
    let what = match origin.role {
        Role::Made => "event that the play was made from",
        Role::Duplicate => "event, a duplicate",
        Role::Matched => "record of the catalogue that the play was matched to",
        Role::SameSong => "record of the catalogue, the same song once more",
    };
    let Origin { load_id, loaded_at, position, .. } = origin;
    let object = visible(origin.object.as_bytes());
    let found = match &origin.state {
        ObjectState::AsLoaded(raw) => shown_raw(raw, position.unwrap_or_default()),
        ObjectState::InGroup { objects: 1 } => {
            staged("was fetched by the warehouse, which tells no position", origin)
        }
        ObjectState::InGroup { objects } => staged(
            &format!(
                "was fetched by the warehouse with {} others, and it may be one of those",
                objects - 1
            ),
            origin,
        ),
        ObjectState::Changed => staged("has changed since it was loaded", origin),
        ObjectState::Missing => staged("is gone", origin),
        ObjectState::Unreadable { reason } => {
            staged(&format!("cannot be read ({})", visible(reason.as_bytes())), origin)
        }
    };
    let place = position.map_or(String::new(), |position| format!(" at byte {position}"));
    format!("{what}\nload {load_id} ({loaded_at}), {object}{place}\n{found}")
}

fn staged(state: &str, origin: &Origin) -> String {
    format!(
        "the object {state}; this is what was staged of it\n{}",
        columns("column", &origin.staged)
    )
}

fn columns(title: &str, fields: &Fields) -> String {
    let line = |(name, value): &(String, _)| vec![name.clone(), shown(value)];
    let lines: Vec<Vec<String>> = fields.0.iter().map(line).collect();
    plain_table(&[title, "value"], &lines, &[])
}
