//! Compilation of a format's file to a mapping. It fails with the reason, before anything is read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::file::{self, Anchor, Column, FormatFile, Paths, Unit, UnitPath};
use super::mapping::{Mapping, Place, Source, TimeSource, takes_unit};
use super::path::{Notation, Path, PathTree, Step};
use super::rule::{Condition, Outcome, Rule};
use super::time::TimeForm;
use crate::schema::{Field, Kind, RecordKind, RecordShape};

/// Columns with sources of their own.
const PAGE: &str = "page";
const SESSION: &str = "session_id";
const ITEM: &str = "item_in_session";

/// State of a compilation.
struct Compiler {
    tree: PathTree,
    time: Option<TimeSource>,
    /// True if `[primary]` is a step of paths: formats have it, `JSONPaths` files do not.
    has_primary: bool,
}

impl Compiler {
    fn slot(&mut self, path: &str) -> Result<usize, String> {
        let (path, _) = Path::parse(path)?;
        if !self.has_primary && path.steps.contains(&Step::Primary) {
            return Err(format!("`{path}` is not a supported path: COPY knows no `[primary]`"));
        }
        self.tree.add(path)
    }

    fn places(&mut self, Paths(paths): &Paths) -> Result<Vec<Place>, String> {
        let place =
            |UnitPath { path, unit }: &UnitPath| Ok(Place { slot: self.slot(path)?, unit: *unit });
        paths.iter().map(place).collect()
    }

    fn slots(&mut self, Paths(paths): &Paths) -> Result<Vec<usize>, String> {
        paths.iter().map(|path| self.slot(&path.path)).collect()
    }

    fn conditions(&mut self, conditions: &[file::Condition]) -> Result<Vec<Condition>, String> {
        let compile = |condition| Condition::compile(condition, &mut |paths| self.slots(paths));
        conditions.iter().map(compile).collect()
    }

    fn rule(&mut self, rule: &file::Rule) -> Result<Rule, String> {
        let outcome = match (&rule.page, &rule.leave_out) {
            (Some(page), None) => Outcome::Page(page.clone()),
            (None, Some(name)) => Outcome::LeaveOut(name.clone()),
            _ => return Err("a rule has either `page` or `leave_out`".into()),
        };
        if rule.when.is_empty() {
            return Err("a rule without conditions applies to every record".into());
        }
        Ok(Rule { outcome, conditions: self.conditions(&rule.when)? })
    }

    fn source(&mut self, name: &str, column: &Column, field: &Field) -> Result<Source, String> {
        let places = self.places(&column.path)?;
        let has_unit = places.iter().any(|place| place.unit != Unit::S);
        if has_unit && !takes_unit(field) {
            return Err("only a duration has a unit".into());
        }
        if !column.forms.is_empty() || column.anchor == Anchor::End || !column.end_when.is_empty() {
            return self.time(places, column, field);
        }
        if let Some(join) = &column.join {
            if field.kind != Kind::Text || name == PAGE {
                return Err("only text is joined".into());
            }
            let slots = places.iter().map(|place| place.slot).collect();
            return Ok(Source::Joined { slots, separator: join.clone(), sorted: column.sort });
        }
        match (&column.value, places.is_empty()) {
            (Some(_), false) => Err("it has both a path and a constant".into()),
            (Some(value), true) => constant(value, field),
            (None, true) => Err("it has neither a path nor a constant".into()),
            (None, false) if name == PAGE => Ok(Source::Page(places)),
            (None, false) if field.kind == Kind::EpochMillis => self.time(
                places,
                &Column { forms: vec![TimeForm::EpochMs], ..Column::default() },
                field,
            ),
            (None, false) => Ok(Source::Value { places, zero_is_null: column.zero_is_null }),
        }
    }

    fn time(
        &mut self,
        places: Vec<Place>,
        column: &Column,
        field: &Field,
    ) -> Result<Source, String> {
        if field.kind != Kind::EpochMillis {
            return Err("only `ts` is a time".into());
        }
        if places.is_empty() || column.forms.is_empty() {
            return Err("a time has a path and `forms`".into());
        }
        let duration = self.places(&column.duration)?;
        let ends = column.anchor == Anchor::End || !column.end_when.is_empty();
        if ends == duration.is_empty() {
            return Err("the time of an end needs a `duration`, and only that".into());
        }
        let (forms, anchor) = (column.forms.clone(), column.anchor);
        let end_when = self.conditions(&column.end_when)?;
        self.time = Some(TimeSource { places, forms, anchor, end_when, duration });
        Ok(Source::Time)
    }
}

/// Returns the constant of a column, if the column can hold it.
fn constant(value: &toml::Value, field: &Field) -> Result<Source, String> {
    match (value, field.kind) {
        (toml::Value::String(text), Kind::Text) if !text.contains('\0') => {
            Ok(Source::Text(text.clone()))
        }
        (toml::Value::Integer(value), Kind::BigInt | Kind::UserId) => Ok(Source::Int(*value)),
        (toml::Value::Integer(value), Kind::Integer) if i32::try_from(*value).is_ok() => {
            Ok(Source::Int(*value))
        }
        (toml::Value::Float(value), Kind::Double) if value.is_finite() => {
            Ok(Source::Double(*value))
        }
        _ => Err(format!("a constant of the type {} does not fit", value.type_str())),
    }
}

/// Compiles the file of a format.
pub(super) fn compile(file: &FormatFile) -> Result<Mapping, String> {
    let kind = RecordKind::Events;
    let (names, fields) = (kind.column_names(), kind.fields());
    if let Some(unknown) = file.columns.keys().find(|name| !names.contains(name)) {
        return Err(format!(
            "`staging_events` has no column `{unknown}`; it has {}",
            names.join(", ")
        ));
    }
    let mut compiler = Compiler { tree: PathTree::default(), time: None, has_primary: true };
    let rules: Result<Vec<Rule>, String> =
        file.rules.iter().map(|rule| compiler.rule(rule)).collect();
    let rules = rules.map_err(|reason| format!("rules: {reason}"))?;
    let identity: Result<Vec<_>, String> =
        file.identity.iter().map(|paths| compiler.slots(paths)).collect();
    let identity = identity.map_err(|reason| format!("identity: {reason}"))?;
    let mut sources = Vec::new();
    for (name, field) in names.iter().zip(fields) {
        let column = file.columns.get(name).map(|entry| &entry.0);
        let derived = [SESSION, ITEM].contains(&name.as_str()) && !identity.is_empty();
        let source = match column {
            Some(_) if derived => Err("`identity` fills it already".to_owned()),
            Some(column) => compiler.source(name, column, field),
            None if derived => Ok(if name == SESSION { Source::Day } else { Source::Item }),
            None if name == PAGE => Ok(Source::Page(Vec::new())),
            None if field.needed => Err("a required column that nothing fills".to_owned()),
            None => Ok(Source::Absent),
        };
        sources.push(source.map_err(|reason| format!("column `{name}`: {reason}"))?);
    }
    let containers = containers(&file.records).map_err(|reason| format!("records: {reason}"))?;
    let mut mapping = finish(compiler.tree, sources, compiler.time, containers)?;
    (mapping.rules, mapping.identity) = (rules, identity);
    mapping.private.clone_from(&file.private);
    (mapping.empty_is_null, mapping.repair_text) = (file.empty_is_null, file.repair_text);
    Ok(mapping)
}

/// Returns a mapping without rules, of records in these containers.
fn finish(
    mut tree: PathTree,
    sources: Vec<Source>,
    time: Option<TimeSource>,
    containers: &'static [&'static [&'static str]],
) -> Result<Mapping, String> {
    let time_field = sources.iter().position(|source| matches!(source, Source::Time));
    let (Some(time), Some(time_field)) = (time, time_field) else {
        return Err("column `ts`: it is no time".into());
    };
    let keys = time.places.iter().filter_map(|place| tree.root_key(place.slot));
    let any = keys.fold(0, |mask, key| mask | 1 << key);
    let mut all = 0;
    for (source, field) in sources.iter().zip(RecordKind::Events.fields()) {
        if let Source::Value { places, .. } = source
            && let [place] = places[..]
            && field.needed
        {
            all |= tree.root_key(place.slot).map_or(0, |key| 1 << key);
        }
    }
    let keys = std::mem::take(&mut tree.root.keys);
    tree.root.keys.clone_from(&keys);
    Ok(Mapping {
        shape: RecordShape { keys: keys.leak(), all, any, containers },
        tree,
        sources,
        time,
        time_field,
        rules: Vec::new(),
        identity: Vec::new(),
        empty_is_null: false,
        repair_text: true,
        private: Vec::new(),
    })
}

/// Compiles the paths to the records: keys, then `[*]`.
fn containers(records: &[String]) -> Result<&'static [&'static [&'static str]], String> {
    let mut containers: Vec<&'static [&'static str]> = Vec::new();
    for written in records {
        let wrong = || format!("`{written}` is not a path of keys that ends in `[*]`");
        let path = written.strip_suffix("[*]").ok_or_else(wrong)?;
        let (path, _) = Path::parse(path).map_err(|_| wrong())?;
        let mut keys: Vec<&'static str> = Vec::new();
        for step in path.steps {
            let Step::Key(key) = step else { return Err(wrong()) };
            keys.push(key.leak());
        }
        containers.push(keys.leak());
    }
    Ok(containers.leak())
}

/// Compiles a `JSONPaths` file: its i-th path fills the i-th column of `staging_events`.
pub(super) fn of_json_paths(text: &[u8]) -> Result<Mapping, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let file: serde_json::Value =
        serde_json::from_slice(text).map_err(|error| format!("invalid JSON ({error})"))?;
    let paths = file.get("jsonpaths").and_then(serde_json::Value::as_array);
    let paths = paths.ok_or("it has no list `jsonpaths`")?;
    let (kind, names) = (RecordKind::Events, RecordKind::Events.column_names());
    if paths.len() != names.len() {
        return Err(format!(
            "it has {} paths for the {} columns of `staging_events`; the i-th path fills the i-th column: {}",
            paths.len(),
            names.len(),
            names.join(", ")
        ));
    }
    let mut compiler = Compiler { tree: PathTree::default(), time: None, has_primary: false };
    let (mut sources, mut known) = (Vec::new(), None);
    for ((path, name), field) in paths.iter().zip(&names).zip(kind.fields()) {
        let path = path.as_str().ok_or("a path is not a string")?;
        let (parsed, notation) = Path::parse(path)?;
        let is_other =
            known.is_some_and(|known| notation.is_some_and(|notation| notation != known));
        if is_other || notation == Some(Notation::Mixed) {
            return Err(format!(
                "`{path}` is in another notation than the keys before it: COPY accepts dots or brackets, not both"
            ));
        }
        known = notation.or(known);
        if let [Step::Key(key)] = &parsed.steps[..]
            && key != field.key
            && kind.keys().contains(&key.as_str())
        {
            return Err(format!(
                "`{path}` would fill the column `{name}`: the i-th path fills the i-th column, in the order {}",
                names.join(", ")
            ));
        }
        let column = Column {
            path: Paths(vec![UnitPath { path: path.to_owned(), unit: Unit::S }]),
            ..Column::default()
        };
        let source = compiler.source(name, &column, field);
        sources.push(source.map_err(|reason| format!("column `{name}`: {reason}"))?);
    }
    finish(compiler.tree, sources, compiler.time, &[])
}

/// Returns the slot of a column that is one value as it is in the record.
fn plain(mapping: &Mapping, source: &Source) -> Option<usize> {
    let time = &mapping.time;
    let places = match source {
        Source::Value { places, zero_is_null: false } | Source::Page(places) => places,
        Source::Time if time.forms == [TimeForm::EpochMs] && time.duration.is_empty() => {
            &time.places
        }
        _ => return None,
    };
    match places[..] {
        [Place { slot, unit: Unit::S }] => Some(slot),
        _ => None,
    }
}

/// Returns true if each column is one value of the record, as it is.
fn is_plain(mapping: &Mapping) -> bool {
    mapping.rules.is_empty()
        && mapping.identity.is_empty()
        && mapping.private.is_empty()
        && mapping.shape.containers.is_empty()
        && mapping.repair_text
        && !mapping.empty_is_null
        && mapping.sources.iter().all(|source| plain(mapping, source).is_some())
}

/// Returns true if the mapping is that of the program's own format.
pub(super) fn is_native(mapping: &Mapping) -> bool {
    let keys = RecordKind::Events.keys().iter();
    is_plain(mapping)
        && mapping.sources.iter().zip(keys).all(|(source, key)| {
            plain(mapping, source)
                .is_some_and(|slot| *mapping.tree.steps(slot) == [Step::Key((*key).into())])
        })
}

/// Returns the `JSONPaths` file of a mapping that COPY can express.
pub(super) fn json_paths(mapping: &Mapping) -> Option<String> {
    if !is_plain(mapping) {
        return None;
    }
    let mut paths = Vec::new();
    for source in &mapping.sources {
        let mut text = "$".to_owned();
        for step in mapping.tree.steps(plain(mapping, source)?) {
            match step {
                Step::Key(key) if key.contains(['\'', '\\']) => return None,
                Step::Key(key) => {
                    let _ = write!(text, "['{key}']");
                }
                Step::Index(index) => {
                    let _ = write!(text, "[{index}]");
                }
                Step::Primary => return None,
            }
        }
        paths.push(text);
    }
    serde_json::to_string_pretty(&BTreeMap::from([("jsonpaths", paths)])).ok()
}
