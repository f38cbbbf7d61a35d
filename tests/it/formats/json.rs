//! JSON values as written, with spelled numbers, repeated keys and unpaired surrogates, which
//! `serde_json` does not hold.

use std::fmt::Write as _;

use super::random::Random;

/// JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// Number, as written.
    Number(String),
    Text(String),
    /// String with `\u0000` or an unpaired surrogate, as written with its quotes.
    Unholdable(&'static str),
    List(Vec<Json>),
    /// Members in order, with repeated keys.
    Object(Members),
}

pub(super) type Members = Vec<(String, Json)>;

/// Returns an object of these members.
pub(super) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.map(|(key, value)| (key.to_owned(), value)).into())
}

pub(super) fn text(value: &str) -> Json {
    Json::Text(value.to_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "numbers and short texts")]
pub(super) fn number(written: impl ToString) -> Json {
    Json::Number(written.to_string())
}

impl Json {
    /// Returns the last value of a key; none of another type than an object.
    pub(super) fn member(&self, key: &str) -> Option<&Json> {
        let Json::Object(members) = self else { return None };
        members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Replaces all values of a key by one.
    pub(super) fn set(&mut self, key: &str, value: Json) {
        let Json::Object(members) = self else { return };
        members.retain(|(name, _)| name != key);
        members.push((key.to_owned(), value));
    }
}

/// Layout of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    spaces: Spaces,
    escapes: Escapes,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Spaces {
    Compact,
    Spaced,
    /// Indented lines with this end.
    Pretty(&'static str),
    /// Lines without indentation: nested objects begin lines, as records do.
    Flat,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Escapes {
    /// Only where JSON needs them.
    Few,
    /// Non-ASCII as `\u`, and `/` as `\/`.
    Ascii,
    /// All characters as `\u`, with upper-case digits.
    All,
}

impl Style {
    pub(super) const PLAIN: Self = Self { spaces: Spaces::Compact, escapes: Escapes::Few };

    /// Layout without white space.
    pub(super) fn compact(random: &mut Random) -> Self {
        let escapes =
            random.pick(&[Escapes::Few, Escapes::Few, Escapes::Few, Escapes::Ascii, Escapes::All]);
        Self { spaces: Spaces::Compact, escapes }
    }

    /// Layout in which nested objects begin lines.
    pub(super) fn flat(random: &mut Random) -> Self {
        Self { spaces: Spaces::Flat, ..Self::compact(random) }
    }

    pub(super) fn any(random: &mut Random) -> Self {
        let spaces = match random.below(6) {
            0 | 1 => Spaces::Compact,
            2 => Spaces::Spaced,
            3 => Spaces::Flat,
            _ => Spaces::Pretty(random.pick(&["\n", "\r\n"])),
        };
        Self { spaces, ..Self::compact(random) }
    }

    pub(super) fn write(self, value: &Json) -> String {
        let mut written = String::new();
        self.append(value, 0, &mut written);
        written
    }

    fn append(self, value: &Json, depth: usize, out: &mut String) {
        match value {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Number(written) => out.push_str(written),
            Json::Text(text) => self.string(text, out),
            Json::Unholdable(written) => out.push_str(written),
            Json::List(items) => self.items('[', ']', items, depth, out, Self::append),
            Json::Object(members) => {
                let member = |style: Self, (key, value): &(String, Json), depth, out: &mut _| {
                    style.string(key, out);
                    out.push_str(match style.spaces {
                        Spaces::Compact => ":",
                        Spaces::Flat => ":\n",
                        _ => " : ",
                    });
                    style.append(value, depth, out);
                };
                self.items('{', '}', members, depth, out, member);
            }
        }
    }

    fn items<T>(
        self,
        open: char,
        close: char,
        items: &[T],
        depth: usize,
        out: &mut String,
        append: impl Fn(Self, &T, usize, &mut String),
    ) {
        out.push(open);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            self.gap(depth + 1, out);
            append(self, item, depth + 1, out);
        }
        if !items.is_empty() {
            self.gap(depth, out);
        }
        out.push(close);
    }

    fn gap(self, depth: usize, out: &mut String) {
        match self.spaces {
            Spaces::Compact => {}
            Spaces::Spaced => out.push_str(" \t"),
            Spaces::Flat => out.push('\n'),
            Spaces::Pretty(end) => {
                out.push_str(end);
                out.push_str(&"  ".repeat(depth));
            }
        }
    }

    fn string(self, text: &str, out: &mut String) {
        out.push('"');
        for character in text.chars() {
            let escaped = match self.escapes {
                Escapes::Few => character < ' ',
                Escapes::Ascii => character < ' ' || !character.is_ascii(),
                Escapes::All => true,
            };
            match character {
                _ if escaped => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        let _ = if self.escapes == Escapes::All {
                            write!(out, "\\u{unit:04X}")
                        } else {
                            write!(out, "\\u{unit:04x}")
                        };
                    }
                }
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '/' if self.escapes == Escapes::Ascii => out.push_str("\\/"),
                _ => out.push(character),
            }
        }
        out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, Style};
    use crate::formats::generate::record;
    use crate::formats::random::Random;
    use crate::formats::source::SOURCES;

    /// Returns the value as `serde_json` holds it; none if it holds it in no way.
    fn as_serde(value: &Json) -> Option<serde_json::Value> {
        Some(match value {
            Json::Null => serde_json::Value::Null,
            Json::Bool(value) => (*value).into(),
            Json::Number(written) => serde_json::from_str(written).ok()?,
            Json::Text(text) => text.as_str().into(),
            Json::Unholdable(written) => serde_json::from_str(written).ok()?,
            Json::List(items) => items.iter().map(as_serde).collect::<Option<Vec<_>>>()?.into(),
            Json::Object(members) => {
                let members =
                    members.iter().map(|(key, value)| Some((key.clone(), as_serde(value)?)));
                serde_json::Value::Object(members.collect::<Option<_>>()?)
            }
        })
    }

    #[test]
    fn written_values_are_what_serde_json_reads() {
        let mut compared = 0;
        for seed in 0..2_000 {
            let mut random = Random::new(seed);
            let value = record(random.pick(&SOURCES), &mut random);
            let Some(expected) = as_serde(&value) else { continue };
            let written = Style::any(&mut random).write(&value);
            let read: serde_json::Value = serde_json::from_str(&written).expect(&written);
            assert_eq!(read, expected, "{written}");
            compared += 1;
        }
        assert!(compared > 1_000, "{compared}");
    }
}
