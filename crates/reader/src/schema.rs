//! Schema of the records: the JSON keys, the columns that they fill, and the values that a column
//! accepts.
//!
//! It is parsed from the files of the staging tables (`sql/stage`), which are its only source.

use std::sync::LazyLock;

use super::format::{Mapped, Mapping, RowParts};
use super::json::{Found, Raw};
use super::number::{self, Misfit};
use super::{stage, text};
use sparkify_warehouse::{Batch, ColumnType, DeclaredColumn, JsonKey, SqlFile, is_text};

/// Values that a column accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    BigInt,
    Double,
    Text,
    /// Milliseconds since 1970, within the years 1 to 9999.
    EpochMillis,
    /// A bigint, or `""` when logged out.
    UserId,
}

impl Kind {
    fn column(self) -> ColumnType {
        match self {
            Self::Integer => ColumnType::Integer,
            Self::BigInt | Self::EpochMillis | Self::UserId => ColumnType::BigInt,
            Self::Double => ColumnType::Double,
            Self::Text => ColumnType::Text,
        }
    }
}

/// One key of a record; fields have the order of the table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub key: &'static str,
    pub kind: Kind,
    pub needed: bool,
}

/// Kind of the records in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// Events of the activity log.
    Events,
    /// Song records of the catalogue.
    Songs,
}

/// Where the records of a stream are, and by which keys one is recognized.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordShape {
    /// Keys of a record that are read, at most 64.
    pub keys: &'static [&'static str],
    /// Masks of the keys that a record must have: all of these, and any of those (if there are any).
    pub all: u64,
    pub any: u64,
    /// Keys that lead to the arrays of records; none if the records are the objects of the stream,
    /// or of its array.
    pub containers: &'static [&'static [&'static str]],
}

impl RecordShape {
    /// Returns true if an object with these keys may be a record.
    pub(super) fn is_complete(self, found: u64) -> bool {
        found & self.all == self.all && (self.any == 0 || found & self.any != 0)
    }
}

/// Fields of one staging table and their keys, parsed once.
struct Schema {
    fields: &'static [Field],
    keys: &'static [&'static str],
}

static EVENTS: LazyLock<Schema> = LazyLock::new(|| Schema::of(&stage::STAGING_EVENTS));
static SONGS: LazyLock<Schema> = LazyLock::new(|| Schema::of(&stage::STAGING_SONGS));

impl Schema {
    /// Parses the column lines of `file`. The result is leaked: the reader's inner loops use plain
    /// slices.
    fn of(file: &SqlFile) -> Self {
        let fields: Vec<Field> = file.json_columns().into_iter().filter_map(field).collect();
        let keys: Vec<&'static str> = fields.iter().map(|field| field.key).collect();
        Self { fields: fields.leak(), keys: keys.leak() }
    }
}

/// Returns the field of a column, or `None` for a type or format that the reader does not know; a
/// test finds such columns.
fn field((column, json): (DeclaredColumn, JsonKey)) -> Option<Field> {
    let kind = match (column.declared_type.as_str(), json.format.as_deref()) {
        ("integer", None) => Kind::Integer,
        ("bigint", None) => Kind::BigInt,
        ("bigint", Some("epoch_ms")) => Kind::EpochMillis,
        ("bigint", Some("user_id")) => Kind::UserId,
        ("double precision", None) => Kind::Double,
        (text, None) if is_text(text) => Kind::Text,
        _ => return None,
    };
    Some(Field { key: json.key.leak(), kind, needed: json.required })
}

impl RecordKind {
    /// Returns the name of the staging table.
    pub fn table(self) -> &'static str {
        self.ddl().name
    }

    /// Returns its name in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Songs => "songs",
        }
    }

    fn schema(self) -> &'static Schema {
        match self {
            Self::Events => &EVENTS,
            Self::Songs => &SONGS,
        }
    }

    /// Returns the file of the staging table, which is the schema of its records.
    pub fn ddl(self) -> &'static SqlFile {
        match self {
            Self::Events => &stage::STAGING_EVENTS,
            Self::Songs => &stage::STAGING_SONGS,
        }
    }

    /// Returns the keys of text values, in the order of their columns.
    pub fn text_keys(self) -> impl Iterator<Item = &'static str> {
        self.fields().iter().filter(|field| field.kind == Kind::Text).map(|field| field.key)
    }

    pub(super) fn fields(self) -> &'static [Field] {
        self.schema().fields
    }

    /// Returns the keys of a record, in the order of the columns that they fill.
    pub fn keys(self) -> &'static [&'static str] {
        self.schema().keys
    }

    /// Returns the names of the columns that keys fill, in their order.
    pub fn column_names(self) -> Vec<String> {
        let columns = self.ddl().json_columns().into_iter();
        columns.map(|(column, _)| column.name).collect()
    }

    /// Returns the shape of records in the format of the program itself.
    pub(super) fn shape(self) -> RecordShape {
        let all = self.needed().fold(0, |mask, slot| mask | 1 << slot);
        RecordShape { keys: self.keys(), all, any: 0, containers: &[] }
    }

    /// Returns the column indexes of the required keys.
    pub fn needed(self) -> impl Iterator<Item = usize> {
        self.fields().iter().enumerate().filter_map(|(place, field)| field.needed.then_some(place))
    }

    /// Returns the column types of the staging table: the record's, then lineage.
    pub fn columns(self) -> Vec<ColumnType> {
        let own = self.fields().iter().map(|field| field.kind.column());
        own.chain([ColumnType::BigInt; 3]).collect()
    }
}

/// Typed value of a record. Text is a range of the window, or of the row's scratch buffer if it was
/// decoded.
#[derive(Debug, Clone, Copy)]
pub(super) enum Typed {
    Null,
    Int(i64),
    Double(f64),
    Window(usize, usize),
    Scratch(usize, usize),
}

impl Typed {
    /// Returns the value, or null if it is the number 0.
    pub(super) fn without_zero(self) -> Self {
        match self {
            Self::Int(0) | Self::Double(0.0) => Self::Null,
            other => other,
        }
    }
}

/// Slow path: converts scanned records of one kind. Reused for the next row to save allocations.
pub(super) struct RowBuilder {
    fields: &'static [Field],
    row: Vec<Typed>,
    scratch: Vec<u8>,
    /// Values of a record in another format, by path.
    found: Vec<Found>,
    /// True if records with numbers that only this crate reads are rejected.
    plain_numbers: bool,
}

impl RowBuilder {
    pub(super) fn new(kind: RecordKind) -> Self {
        let fields = kind.fields();
        Self {
            fields,
            row: Vec::new(),
            scratch: Vec::new(),
            found: Vec::new(),
            plain_numbers: false,
        }
    }

    /// Rejects records with numbers that only this crate reads, such as `2e2`.
    pub(super) fn require_plain_numbers(&mut self) {
        self.plain_numbers = true;
    }

    /// Appends the record whose values are in `slots` to `batch`. Returns one bit for each repaired
    /// field, or the reason why the record is rejected, and then `batch` is unchanged.
    pub(super) fn append(
        &mut self,
        window: &[u8],
        slots: &[Raw],
        lineage: [i64; 3],
        batch: &mut Batch,
    ) -> Result<u32, String> {
        self.row.clear();
        self.scratch.clear();
        let mut repairs = 0;
        for (index, raw) in slots.iter().enumerate() {
            let (field, mut repaired) = (&self.fields[index], false);
            if self.plain_numbers && is_unusual(field.kind, *raw, window) {
                return Err(format!("{} is not a plain number", field.key));
            }
            let typed = typed(field, *raw, window, &mut self.scratch, &mut repaired, true)
                .map_err(|misfit| format!("{} {misfit}", field.key))?;
            self.row.push(typed);
            repairs |= u32::from(repaired) << index;
        }
        self.write(window, lineage, batch);
        Ok(repairs)
    }

    /// Appends the record at `start`, which is in another format, to `batch`; as
    /// [`Self::append`].
    pub(super) fn append_mapped(
        &mut self,
        mapping: &'static Mapping,
        window: &[u8],
        start: usize,
        lineage: [i64; 3],
        batch: &mut Batch,
    ) -> Result<Mapped, String> {
        self.row.clear();
        self.scratch.clear();
        let parts = &mut RowParts {
            fields: self.fields,
            row: &mut self.row,
            scratch: &mut self.scratch,
            plain_numbers: self.plain_numbers,
        };
        let mapped = mapping.convert(window, start, &mut self.found, parts)?;
        self.write(window, lineage, batch);
        Ok(mapped)
    }

    /// Appends the row to `batch`.
    fn write(&self, window: &[u8], lineage: [i64; 3], batch: &mut Batch) {
        let (own, behind) = batch.columns.split_at_mut(self.row.len());
        for (typed, column) in self.row.iter().zip(own) {
            match *typed {
                Typed::Null => column.push_null(),
                Typed::Int(value) => column.push_int(value),
                Typed::Double(value) => column.push_double(value),
                Typed::Window(start, end) => column.push_bytes(&window[start..end]),
                Typed::Scratch(start, end) => column.push_bytes(&self.scratch[start..end]),
            }
        }
        for (value, column) in lineage.into_iter().zip(behind) {
            column.push_int(value);
        }
    }
}

/// Converts a value as `field` wants it, and repairs double-encoded text if `repairs` is true; fails
/// with the reason.
pub(super) fn typed(
    field: &Field,
    raw: Raw,
    window: &[u8],
    scratch: &mut Vec<u8>,
    repaired: &mut bool,
    repairs: bool,
) -> Result<Typed, String> {
    let (start, end, plain) = match raw {
        Raw::Missing if field.needed => return Err("is missing".into()),
        Raw::Null if field.needed => return Err("is null".into()),
        Raw::Missing | Raw::Null => return Ok(Typed::Null),
        Raw::Other(what) => return Err(format!("is {what}")),
        Raw::Text { start, end, plain } => (start, end, plain),
        Raw::Number { start, end } => {
            return match field.kind {
                Kind::Text => Ok(Typed::Window(start, end)),
                _ => numeric(field.kind, &window[start..end]),
            };
        }
    };
    if plain && field.kind == Kind::Text {
        return Ok(Typed::Window(start, end));
    }
    let written = &window[start..end];
    if field.kind == Kind::Text {
        return textual(written, scratch, repaired, repairs);
    }
    if field.kind == Kind::UserId && written.is_empty() {
        return Ok(Typed::Null);
    }
    if plain {
        return numeric(field.kind, written);
    }
    let mut digits = Vec::new();
    text::unescape(written, &mut digits)?;
    numeric(field.kind, &digits)
}

/// Decodes text with escapes or non-ASCII characters into the scratch buffer, and repairs it.
fn textual(
    written: &[u8],
    scratch: &mut Vec<u8>,
    repaired: &mut bool,
    repairs: bool,
) -> Result<Typed, String> {
    let from = scratch.len();
    text::unescape(written, scratch)?;
    let meant = &scratch[from..];
    if repairs && !meant.is_ascii() {
        let meant = std::str::from_utf8(meant).map_err(|_| "is not UTF-8")?;
        if let Some(repaired_text) = text::repair(meant) {
            *repaired = true;
            scratch.truncate(from);
            scratch.extend_from_slice(repaired_text.as_bytes());
        }
    }
    Ok(Typed::Scratch(from, scratch.len()))
}

/// 0001-01-01 and the last millisecond of 9999-12-31, in milliseconds since 1970 UTC.
const FIRST_MS: i64 = -62_135_596_800_000;
const LAST_MS: i64 = 253_402_300_799_999;

/// Returns true for a whole number that is written in a form that only this crate reads.
pub(super) fn is_unusual(kind: Kind, raw: Raw, window: &[u8]) -> bool {
    let digits = match kind {
        Kind::Integer => 9,
        Kind::BigInt | Kind::EpochMillis | Kind::UserId => 18,
        Kind::Double | Kind::Text => return false,
    };
    let (Raw::Number { start, end } | Raw::Text { start, end, .. }) = raw else { return false };
    let written = &window[start..end];
    let is_blank = kind == Kind::UserId && written.is_empty();
    !is_blank && !number::is_plain(written, digits)
}

fn numeric(kind: Kind, written: &[u8]) -> Result<Typed, String> {
    if kind == Kind::Double {
        return number::double(written).map(Typed::Double).map_err(|misfit| say(misfit).to_owned());
    }
    let value = number::whole(written).map_err(|misfit| match (kind, misfit) {
        (Kind::UserId, Misfit::NotANumber) => "is not a whole number",
        _ => say(misfit),
    })?;
    if in_range(kind, value) { Ok(Typed::Int(value)) } else { Err(say(Misfit::OutOfRange).into()) }
}

/// Returns true if a column of this kind can hold the whole number.
pub(super) fn in_range(kind: Kind, value: i64) -> bool {
    match kind {
        Kind::Integer => i32::try_from(value).is_ok(),
        Kind::EpochMillis => (FIRST_MS..=LAST_MS).contains(&value),
        _ => true,
    }
}

fn say(misfit: Misfit) -> &'static str {
    match misfit {
        Misfit::NotANumber => "is not a number",
        Misfit::NotWhole => "is not a whole number",
        Misfit::OutOfRange => "is out of range",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparkify_warehouse::Opening;

    const fn field(key: &'static str, kind: Kind) -> Field {
        Field { key, kind, needed: false }
    }

    const fn needed(key: &'static str, kind: Kind) -> Field {
        Field { key, kind, needed: true }
    }

    const EVENT: &[Field] = &[
        field("artist", Kind::Text),
        field("auth", Kind::Text),
        field("firstName", Kind::Text),
        field("gender", Kind::Text),
        needed("itemInSession", Kind::Integer),
        field("lastName", Kind::Text),
        field("length", Kind::Double),
        field("level", Kind::Text),
        field("location", Kind::Text),
        field("method", Kind::Text),
        needed("page", Kind::Text),
        field("registration", Kind::Double),
        needed("sessionId", Kind::BigInt),
        field("song", Kind::Text),
        field("status", Kind::Integer),
        needed("ts", Kind::EpochMillis),
        field("userAgent", Kind::Text),
        field("userId", Kind::UserId),
    ];

    const SONG: &[Field] = &[
        field("num_songs", Kind::Integer),
        needed("artist_id", Kind::Text),
        field("artist_latitude", Kind::Double),
        field("artist_longitude", Kind::Double),
        field("artist_location", Kind::Text),
        needed("artist_name", Kind::Text),
        needed("song_id", Kind::Text),
        needed("title", Kind::Text),
        needed("duration", Kind::Double),
        field("year", Kind::Integer),
    ];

    #[test]
    fn the_staging_files_declare_these_fields() {
        for (kind, fields) in [(RecordKind::Events, EVENT), (RecordKind::Songs, SONG)] {
            assert_eq!(kind.fields(), fields);
            let columns = kind.ddl().columns(Opening { engine: "", incremental: false });
            let (of_json, lineage) = columns.split_at(fields.len());
            assert!(
                of_json.iter().all(|column| column.json.is_some()),
                "keys fill the first columns"
            );
            let lineage: Vec<&str> = lineage.iter().map(|column| column.name.as_str()).collect();
            assert_eq!(lineage, ["load_id", "object_id", "byte_offset"]);
            // One bit per field notes the repairs of a row.
            assert!(fields.len() <= 32);
        }
    }

    /// The reader's fields and the table on each engine follow from one line in the staging table's
    /// file.
    #[test]
    fn a_key_is_added_in_one_line() {
        let line =
            "    user_mood label, -- $.userMood required: as chosen by the user\n    song text,";
        let text = stage::STAGING_EVENTS.text.replacen("    song text,", line, 1).leak();
        let file: &'static SqlFile = Box::leak(Box::new(SqlFile { text, ..stage::STAGING_EVENTS }));
        let schema = Schema::of(file);
        assert_eq!(schema.fields[13], needed("userMood", Kind::Text));
        assert_eq!((schema.fields.len(), schema.keys.len()), (19, 19));
        for (engine, declared) in [
            ("duckdb", "user_mood varchar, --"),
            ("postgres", "user_mood varchar collate \"C\", --"),
            ("redshift", "user_mood varchar encode bytedict, --"),
        ] {
            assert!(
                file.definitions(Opening::full(engine)).concat().contains(declared),
                "{engine}"
            );
        }
    }
}
