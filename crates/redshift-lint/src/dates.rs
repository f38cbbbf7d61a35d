//! Parts of dates and intervals: words and strings that Redshift reads in its own way.

use crate::lexer::Kind;
use crate::parser::{Parsed, Parser};
use crate::rules;

/// Every name of a part of a date, by the part; read from `r_Dateparts_for_datetime_functions`.
const PARTS: &[&[&str]] = &[
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

/// What `date_trunc` takes; read from `r_DATE_TRUNC`, which sends to the same table.
const UNITS: std::ops::Range<usize> = 0..16;

fn is_part(word: &str) -> bool {
    PARTS.iter().flat_map(|names| names.iter()).any(|name| word.eq_ignore_ascii_case(name))
}

fn is_unit(word: &str) -> bool {
    let not_units =
        ["epoch", "dayofweek", "dow", "dw", "weekday", "dayofyear", "doy", "dy", "yearday"];
    PARTS[UNITS].iter().flat_map(|names| names.iter()).any(|name| word.eq_ignore_ascii_case(name))
        && !not_units.iter().any(|name| word.eq_ignore_ascii_case(name))
}

impl Parser<'_> {
    /// The first argument of `extract` and `date_part`: a word or a string.
    pub(crate) fn date_part(&mut self) -> Parsed {
        self.part(is_part)
    }

    /// The first argument of DATEADD and DATEDIFF, which take spans of time only.
    pub(crate) fn date_span(&mut self) -> Parsed {
        self.part(is_unit)
    }

    fn part(&mut self, is_known: fn(&str) -> bool) -> Parsed {
        let token = self.peek();
        let word = match token.kind {
            Kind::Text => token.text.trim_matches('\''),
            Kind::Word => token.text,
            _ => return self.unexpected("a part of a date"),
        };
        if !is_known(word) {
            return self
                .refuse(&rules::DATE_PART, format!("{} is no part of a date", token.shown()));
        }
        self.take();
        Ok(())
    }

    /// The first argument of `date_trunc`: a string.
    pub(crate) fn date_unit(&mut self) -> Parsed {
        let token = self.peek();
        if token.kind == Kind::Text && !is_unit(token.text.trim_matches('\'')) {
            return self.refuse(&rules::DATE_PART, format!("{} is no unit of time", token.shown()));
        }
        if token.kind != Kind::Text {
            return self.refuse(&rules::DATE_PART, "the unit is no literal");
        }
        self.take();
        Ok(())
    }

    /// `interval '3 days, 2 hours'`, or `interval '3' day`.
    pub(crate) fn interval(&mut self) -> Parsed {
        self.expect("interval")?;
        let token = self.peek();
        let quantity = self.text("the interval's string")?;
        if self.peek().kind == Kind::Word && is_unit(self.peek().text) {
            self.take();
            if quantity.trim().parse::<f64>().is_ok() {
                return Ok(());
            }
        } else if is_interval(&quantity) {
            return Ok(());
        }
        Err(crate::Refusal::new(
            &rules::INTERVAL,
            token.at,
            format!("{} is no interval", token.shown()),
        ))
    }
}

fn is_interval(text: &str) -> bool {
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let pairs = words.chunks(2).all(|pair| match pair {
        [quantity, unit] => quantity.parse::<f64>().is_ok() && is_unit(unit),
        _ => false,
    });
    // A quantity alone is seconds.
    let seconds = words.len() == 1 && words[0].parse::<f64>().is_ok();
    !words.is_empty() && (pairs || seconds)
}
