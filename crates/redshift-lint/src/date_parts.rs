//! Date parts and interval literals.

use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser};
use crate::rules;

/// Date parts with their synonyms, from `r_Dateparts_for_datetime_functions`.
const DATE_PARTS: &[&[&str]] = &[
    &["millennium", "millennia", "mil", "mils"],
    &["century", "centuries", "c", "cent", "cents"],
    &["decade", "decades", "dec", "decs"],
    &["epoch"],
    &["year", "years", "y", "yr", "yrs"],
    &["quarter", "quarters", "qtr", "qtrs"],
    &["month", "months", "mon", "mons"],
    &["week", "weeks", "w"],
    &["dayofweek", "dow", "dw", "weekday"],
    &["dayofyear", "doy", "dy", "yearday"],
    &["day", "days", "d"],
    &["hour", "hours", "h", "hr", "hrs"],
    &["minute", "minutes", "m", "min", "mins"],
    &["second", "seconds", "s", "sec", "secs"],
    &[
        "millisecond",
        "milliseconds",
        "ms",
        "msec",
        "msecs",
        "msecond",
        "mseconds",
        "millisec",
        "millisecs",
        "millisecon",
    ],
    &[
        "microsecond",
        "microseconds",
        "microsec",
        "microsecs",
        "microsecond",
        "usecond",
        "useconds",
        "us",
        "usec",
        "usecs",
    ],
    &["timezone"],
    &["timezone_hour"],
    &["timezone_minute"],
];

/// Range of [`DATE_PARTS`] with the units of `date_trunc`; `r_DATE_TRUNC` refers to the same table.
const UNITS: std::ops::Range<usize> = 0..16;

/// Returns the full name of a date part: `year` for `yrs`. Only documented names are known.
pub fn date_part(name: &str) -> Option<&'static str> {
    let is_name = |names: &&&[&str]| names.iter().any(|it| name.eq_ignore_ascii_case(it));
    DATE_PARTS.iter().find(is_name).map(|names| names[0])
}

fn is_part(word: &str) -> bool {
    DATE_PARTS.iter().flat_map(|names| names.iter()).any(|name| word.eq_ignore_ascii_case(name))
}

/// Returns true for units, which have a length, unlike `epoch` or `dayofweek`.
fn is_unit(word: &str) -> bool {
    let not_units =
        ["epoch", "dayofweek", "dow", "dw", "weekday", "dayofyear", "doy", "dy", "yearday"];
    DATE_PARTS[UNITS]
        .iter()
        .flat_map(|names| names.iter())
        .any(|name| word.eq_ignore_ascii_case(name))
        && !not_units.iter().any(|name| word.eq_ignore_ascii_case(name))
}

impl Parser<'_> {
    /// Parses the first argument of `extract` and `date_part`: a word or a string.
    pub(crate) fn date_part(&mut self) -> Parsed {
        self.part(is_part)
    }

    /// Parses the first argument of DATEADD and DATEDIFF: a unit as a word or a string.
    pub(crate) fn date_unit(&mut self) -> Parsed {
        self.part(is_unit)
    }

    fn part(&mut self, is_known: fn(&str) -> bool) -> Parsed {
        let token = self.peek();
        let word = match token.kind {
            TokenKind::StringLiteral => token.text.trim_matches('\''),
            TokenKind::Word => token.text,
            _ => return self.unexpected("a date part"),
        };
        if !is_known(word) {
            return self
                .violation(&rules::DATE_PART, format!("unknown date part {}", token.describe()));
        }
        self.advance();
        Ok(())
    }

    /// Parses the first argument of `date_trunc`: a unit as a string literal.
    pub(crate) fn date_trunc_unit(&mut self) -> Parsed {
        let token = self.peek();
        if token.kind == TokenKind::StringLiteral && !is_unit(token.text.trim_matches('\'')) {
            return self.violation(&rules::DATE_PART, format!("unknown unit {}", token.describe()));
        }
        if token.kind != TokenKind::StringLiteral {
            return self.violation(&rules::DATE_PART, "the unit is not a string literal");
        }
        self.advance();
        Ok(())
    }

    /// Parses `interval '3 days, 2 hours'` or `interval '3' day`.
    pub(crate) fn interval(&mut self) -> Parsed {
        self.expect("interval")?;
        let token = self.peek();
        let quantity = self.string_literal("the interval's string")?;
        if self.peek().kind == TokenKind::Word && is_unit(self.peek().text) {
            self.advance();
            if quantity.trim().parse::<f64>().is_ok() {
                return Ok(());
            }
        } else if is_interval(&quantity) {
            return Ok(());
        }
        Err(crate::Violation::new(
            &rules::INTERVAL,
            token.at,
            format!("invalid interval {}", token.describe()),
        ))
    }
}

/// Splits `1w, 2 days` into quantities and units; a blank between both is optional.
fn quantities_and_units(text: &str) -> Vec<&str> {
    let is_number = |c: char| c.is_ascii_digit() || "+-.".contains(c);
    let mut words = Vec::new();
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        let unit = word.find(|c| !is_number(c)).filter(|at| *at > 0).unwrap_or(word.len());
        let (quantity, unit) = word.split_at(unit);
        words.push(quantity);
        words.extend(Some(unit).filter(|unit| !unit.is_empty()));
    }
    words
}

fn is_interval(text: &str) -> bool {
    let words = quantities_and_units(text);
    let pairs = words.chunks(2).all(|pair| match pair {
        [quantity, unit] => quantity.parse::<f64>().is_ok() && is_unit(unit),
        _ => false,
    });
    // A quantity without a unit is in seconds.
    let seconds = words.len() == 1 && words[0].parse::<f64>().is_ok();
    !words.is_empty() && (pairs || seconds)
}
