//! Mapping of a record to the columns of `staging_events`.

use std::borrow::Cow;
use std::time::Duration;

use md5::{Digest, Md5};

use super::file::{Anchor, Unit};
use super::path::PathTree;
use super::rule::{Condition, Outcome, Rule};
use super::time::TimeForm;
use super::{MILLISECONDS_OF_DAY, NOT_A_PLAY, PLAY};
use crate::json::{Found, Raw, scan_array, scan_object};
use crate::schema::{Field, Kind, RecordKind, RecordShape, Typed, in_range, is_unusual, typed};
use crate::{number, text};

/// Separators of the parts of an identity, and of the elements of a list in one.
const PART: u8 = 0x1f;
const ELEMENT: u8 = 0x1e;

/// Source of the values of a column.
#[derive(Debug)]
pub(super) enum Source {
    Absent,
    Text(String),
    Int(i64),
    Double(f64),
    /// The first value among these, converted as the column wants it.
    Value {
        places: Vec<Place>,
        zero_is_null: bool,
    },
    /// All values, and the elements of lists.
    Joined {
        slots: Vec<usize>,
        separator: String,
        sorted: bool,
    },
    /// Start of the play.
    Time,
    /// Name that a rule gives, else the value at these places, else that of a play.
    Page(Vec<Place>),
    /// UTC day of the time, as a number of days since 1970.
    Day,
    /// First 31 bits of the md5 of the identity.
    Item,
}

/// Slot of a path, and the unit of the number there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub slot: usize,
    pub unit: Unit,
}

/// Time of a play.
#[derive(Debug)]
pub(super) struct TimeSource {
    pub places: Vec<Place>,
    pub forms: Vec<TimeForm>,
    pub anchor: Anchor,
    pub end_when: Vec<Condition>,
    pub duration: Vec<Place>,
}

/// Compiled format.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(super) tree: PathTree,
    pub(super) shape: RecordShape,
    /// One source for each field, in their order.
    pub(super) sources: Vec<Source>,
    pub(super) time: TimeSource,
    /// Index of the field of the time.
    pub(super) time_field: usize,
    pub(super) rules: Vec<Rule>,
    /// Parts of the identity, each with alternatives.
    pub(super) identity: Vec<Vec<usize>>,
    pub(super) empty_is_null: bool,
    pub(super) repair_text: bool,
    /// Keys whose values are masked in rejects.
    pub(super) private: Vec<String>,
}

/// Values of one record.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub window: &'a [u8],
    pub found: &'a [Found],
    pub empty_is_null: bool,
}

impl<'a> Values<'a> {
    /// Returns the value of the first of these slots that has one.
    pub(super) fn first(self, slots: impl IntoIterator<Item = usize>) -> Option<(usize, Found)> {
        slots.into_iter().map(|slot| (slot, self.found[slot])).find(|(_, found)| match found.raw {
            Raw::Missing | Raw::Null => false,
            Raw::Text { start, end, .. } => start < end || !self.empty_is_null,
            _ => true,
        })
    }

    /// Returns a value as text: decoded, or as written. None for lists and objects.
    pub(super) fn text(self, found: Found) -> Option<Cow<'a, [u8]>> {
        match found.raw {
            Raw::Text { start, end, plain: true } | Raw::Number { start, end } => {
                Some(Cow::Borrowed(&self.window[start..end]))
            }
            Raw::Text { start, end, .. } => {
                let mut decoded = Vec::new();
                text::unescape(&self.window[start..end], &mut decoded).ok()?;
                Some(Cow::Owned(decoded))
            }
            Raw::Other(name @ ("true" | "false")) => Some(Cow::Borrowed(name.as_bytes())),
            _ => None,
        }
    }

    /// Returns a value as text, or the non-empty texts of a list; fails with what is neither.
    fn texts(self, found: Found) -> Result<Vec<Cow<'a, [u8]>>, &'static str> {
        let as_text = |found: Found| match found.raw {
            Raw::Other(what) => Err(what),
            _ => self.text(found).ok_or("text that no warehouse can hold"),
        };
        if found.raw != Raw::Other("an array") {
            return Ok(vec![as_text(found)?]);
        }
        let (mut texts, mut wrong) = (Vec::new(), None);
        let _ = scan_array(self.window, found.start, &mut |element| match as_text(element) {
            _ if element.raw == Raw::Null => {}
            Ok(text) => texts.extend(Some(text).filter(|text| !text.is_empty())),
            Err(what) => wrong = Some(what),
        });
        wrong.map_or(Ok(texts), Err)
    }
}

/// Row in the making.
pub(crate) struct RowParts<'a> {
    pub fields: &'static [Field],
    pub row: &'a mut Vec<Typed>,
    pub scratch: &'a mut Vec<u8>,
    /// True if records with numbers that only this crate reads are rejected.
    pub plain_numbers: bool,
}

/// Metadata of a converted row.
pub(crate) struct Mapped {
    /// One bit for each repaired field.
    pub repairs: u32,
    /// Page that a rule gives, if the record is no play.
    pub page: Option<&'static str>,
}

impl Mapping {
    /// Returns the shape of the records.
    pub(crate) fn shape(&self) -> RecordShape {
        self.shape
    }

    /// Finds the values of the valid record at `start`, and converts them to a row; fails with the
    /// reason why the record is rejected.
    pub(crate) fn convert(
        &'static self,
        window: &[u8],
        start: usize,
        found: &mut Vec<Found>,
        parts: &mut RowParts<'_>,
    ) -> Result<Mapped, String> {
        self.tree.evaluate(window, start, found);
        let values = Values { window, found, empty_is_null: self.empty_is_null };
        let applied = self.rules.iter().find(|rule| rule.applies(values));
        if let Some(Outcome::LeaveOut(name)) = applied.map(|rule| &rule.outcome) {
            return Err(format!("{NOT_A_PLAY}{name}"));
        }
        let page = applied.and_then(|rule| match &rule.outcome {
            Outcome::Page(name) => Some(name.as_str()),
            Outcome::LeaveOut(_) => None,
        });
        let time_field = &parts.fields[self.time_field];
        self.check_number(values, &self.time.places, time_field, parts.plain_numbers)?;
        let time = self.start(values, time_field)?;
        let mut repairs = 0;
        for (index, (source, field)) in self.sources.iter().zip(parts.fields).enumerate() {
            let (mut repaired, scratch) = (false, &mut *parts.scratch);
            let typed = match source {
                Source::Absent => Typed::Null,
                Source::Text(text) => append(scratch, text.as_bytes()),
                Source::Int(value) => Typed::Int(*value),
                Source::Double(value) => Typed::Double(*value),
                Source::Value { places, zero_is_null } => {
                    self.check_number(values, places, field, parts.plain_numbers)?;
                    let typed = self.value(values, places, field, scratch, &mut repaired)?;
                    if *zero_is_null { typed.without_zero() } else { typed }
                }
                Source::Joined { slots, separator, sorted } => {
                    let texts = self.joined_texts(values, slots, *sorted, &mut repaired)?;
                    if texts.is_empty() {
                        Typed::Null
                    } else {
                        append(scratch, &texts.join(separator.as_bytes()))
                    }
                }
                Source::Time => Typed::Int(time),
                Source::Page(places) => match page {
                    Some(name) => append(scratch, name.as_bytes()),
                    None if places.is_empty() => append(scratch, PLAY.as_bytes()),
                    None => self.value(values, places, field, scratch, &mut repaired)?,
                },
                Source::Day => Typed::Int(time.div_euclid(MILLISECONDS_OF_DAY)),
                Source::Item => Typed::Int(self.item(values)?),
            };
            parts.row.push(typed);
            repairs |= u32::from(repaired) << index;
        }
        Ok(Mapped { repairs, page: page.filter(|page| *page != PLAY) })
    }

    /// Converts the first value among `places`.
    fn value(
        &self,
        values: Values<'_>,
        places: &[Place],
        field: &Field,
        scratch: &mut Vec<u8>,
        repaired: &mut bool,
    ) -> Result<Typed, String> {
        let first = values.first(places.iter().map(|place| place.slot));
        let Some((slot, found)) = first else {
            return if field.needed { Err(self.missing(places)) } else { Ok(Typed::Null) };
        };
        let reject = |misfit| format!("{} {misfit}", self.tree.text(slot));
        let typed = typed(field, found.raw, values.window, scratch, repaired, self.repair_text)
            .map_err(reject)?;
        let unit = places.iter().find(|place| place.slot == slot).map(|place| place.unit);
        Ok(match (typed, unit) {
            (Typed::Double(value), Some(Unit::Ms)) => Typed::Double(value / 1000.0),
            (typed, _) => typed,
        })
    }

    /// Rejects a number that only this crate reads, if `required` is true.
    fn check_number(
        &self,
        values: Values<'_>,
        places: &[Place],
        field: &Field,
        required: bool,
    ) -> Result<(), String> {
        match values.first(places.iter().map(|place| place.slot)) {
            Some((slot, found)) if required && is_unusual(field.kind, found.raw, values.window) => {
                Err(format!("{} is not a plain number", self.tree.text(slot)))
            }
            _ => Ok(()),
        }
    }

    fn missing(&self, places: &[Place]) -> String {
        let paths: Vec<&str> = places.iter().map(|place| self.tree.text(place.slot)).collect();
        format!("{} is missing", paths.join(" or "))
    }

    /// Returns the start of the play, in milliseconds since 1970.
    fn start(&self, values: Values<'_>, field: &Field) -> Result<i64, String> {
        let source = &self.time;
        let first = values.first(source.places.iter().map(|place| place.slot));
        let (slot, found) = first.ok_or_else(|| self.missing(&source.places))?;
        let written = values.text(found);
        let written = written.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let stored = written.and_then(|text| source.forms.iter().find_map(|form| form.parse(text)));
        let path = self.tree.text(slot);
        let stored = stored.ok_or_else(|| {
            let forms: Vec<&str> = source.forms.iter().map(|form| form.name()).collect();
            format!("{path} is not a time in the form {}", forms.join(" or "))
        })?;
        let is_end = source.anchor == Anchor::End
            || !source.end_when.is_empty()
                && source.end_when.iter().all(|condition| condition.holds(values));
        let start = if is_end { self.before(values, stored)? } else { Some(stored) };
        start
            .filter(|start| in_range(field.kind, *start))
            .ok_or_else(|| format!("{path} is out of range"))
    }

    /// Subtracts the duration from the end of a play; none if the result is out of range.
    fn before(&self, values: Values<'_>, end: i64) -> Result<Option<i64>, String> {
        let places = &self.time.duration;
        let Some((slot, found)) = values.first(places.iter().map(|place| place.slot)) else {
            return Ok(Some(end));
        };
        let unit = places.iter().find(|place| place.slot == slot).map(|place| place.unit);
        let written = values.text(found).unwrap_or_default();
        let seconds = number::double(&written).ok();
        let seconds =
            seconds.map(|value| if unit == Some(Unit::Ms) { value / 1000.0 } else { value });
        let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let duration =
            duration.ok_or_else(|| format!("{} is not a duration", self.tree.text(slot)))?;
        let milliseconds = duration.saturating_add(Duration::from_micros(500)).as_millis();
        Ok(i64::try_from(milliseconds).ok().and_then(|milliseconds| end.checked_sub(milliseconds)))
    }

    /// Returns the values of all slots, and the elements of lists; repaired as single texts are.
    fn joined_texts<'a>(
        &self,
        values: Values<'a>,
        slots: &[usize],
        sorted: bool,
        repaired: &mut bool,
    ) -> Result<Vec<Cow<'a, [u8]>>, String> {
        let mut joined = Vec::new();
        for (slot, found) in slots.iter().filter_map(|slot| values.first([*slot])) {
            for text in self.texts(values, slot, found)?.into_iter().filter(|text| !text.is_empty())
            {
                let meant = std::str::from_utf8(&text).ok().filter(|_| self.repair_text);
                match meant.and_then(text::repair) {
                    Some(meant) => {
                        *repaired = true;
                        joined.push(Cow::Owned(meant.into_bytes()));
                    }
                    None => joined.push(text),
                }
            }
        }
        if sorted {
            joined.sort_unstable();
        }
        Ok(joined)
    }

    fn texts<'a>(
        &self,
        values: Values<'a>,
        slot: usize,
        found: Found,
    ) -> Result<Vec<Cow<'a, [u8]>>, String> {
        values.texts(found).map_err(|what| format!("{} is {what}", self.tree.text(slot)))
    }

    /// Returns the first 31 bits of the md5 of the identity. It depends only on the record, so the
    /// order of loads does not matter.
    fn item(&self, values: Values<'_>) -> Result<i64, String> {
        let mut hash = Md5::new();
        for slots in &self.identity {
            if let Some((slot, found)) = values.first(slots.iter().copied()) {
                let mut texts = self.texts(values, slot, found)?;
                texts.sort_unstable();
                for text in texts {
                    // Exports differ in how they write a whole number.
                    let whole = matches!(found.raw, Raw::Number { .. })
                        .then(|| number::whole(&text).ok())
                        .flatten();
                    match whole {
                        Some(whole) => hash.update(whole.to_string()),
                        None => hash.update(&text),
                    }
                    hash.update([ELEMENT]);
                }
            }
            hash.update([PART]);
        }
        let digest: [u8; 16] = hash.finalize().into();
        let [a, b, c, d, ..] = digest;
        Ok(i64::from(u32::from_be_bytes([a, b, c, d]) >> 1))
    }

    /// Returns the user of all records, if it is a constant.
    pub(crate) fn constant_user(&self) -> Option<i64> {
        let mut pairs = self.sources.iter().zip(RecordKind::Events.fields());
        pairs.find_map(|(source, field)| match source {
            Source::Int(user) if field.kind == Kind::UserId => Some(*user),
            _ => None,
        })
    }

    /// Masks private values in the bytes of a reject; their length stays. Members before any damage
    /// are found as in a record, others by their key as it is usually written.
    pub(crate) fn mask(&self, raw: &mut [u8]) {
        let mut values = Vec::new();
        if raw.starts_with(b"{") {
            let _ = scan_object(raw, 0, &[], &mut |member| {
                if self.private.iter().any(|key| key.as_bytes() == &*member.name) {
                    values.push(member.start);
                }
            });
        }
        for key in &self.private {
            let quoted = format!("\"{key}\"");
            values.extend(memchr::memmem::find_iter(raw, &quoted).map(|at| at + quoted.len()));
        }
        for at in values {
            mask_value(&mut raw[at..]);
        }
    }
}

/// Masks the value at the start of `raw`, before which there may be a colon; it may be damaged.
fn mask_value(raw: &mut [u8]) {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for byte in raw {
        match *byte {
            b'"' if !escaped => quoted = !quoted,
            _ if quoted => {
                escaped = *byte == b'\\' && !escaped;
                *byte = b'x';
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' | b',' if depth == 0 => return,
            b']' | b'}' => depth -= 1,
            b',' | b':' => {}
            other if other.is_ascii_whitespace() => {}
            _ => *byte = b'x',
        }
    }
}

fn append(scratch: &mut Vec<u8>, text: &[u8]) -> Typed {
    let from = scratch.len();
    scratch.extend_from_slice(text);
    Typed::Scratch(from, scratch.len())
}

/// Returns true if a field of this kind takes a duration in seconds.
pub(super) fn takes_unit(field: &Field) -> bool {
    field.kind == Kind::Double && field.key == "length"
}
