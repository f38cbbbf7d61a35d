//! Conversion to DATE, TIMESTAMP and TIMESTAMPTZ with DATEFORMAT and TIMEFORMAT.
//!
//! Format strings: DG/r_DATEFORMAT_and_TIMEFORMAT_strings.html. Defaults and epoch keywords:
//! DG/copy-parameters-data-conversion.html. Formats that `auto` recognizes:
//! DG/automatic-recognition.html; of these, Julian days, years BC, month names and time zone names
//! are not supported and are errors. A TIMESTAMP ignores a time zone in the value, as in
//! PostgreSQL; no page documents it.

use super::convert::{ValueError, value_error};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Parsed date and time.
#[derive(Debug, Clone, Default)]
struct Timestamp {
    year: i64,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    micros: u32,
    /// Offset from UTC in minutes.
    offset: Option<i32>,
}

/// Converts days since 1970-01-01 to year, month and day of the proleptic Gregorian calendar.
///
/// Algorithm `civil_from_days` by Howard Hinnant: years begin on March 1, so that the leap day is
/// the last day, and 400 years (146,097 days) form an era.
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    // Days since 0000-03-01.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    // Month counted from March.
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let small = |number: i64| u32::try_from(number).unwrap_or(0);
    (year + era * 400 + i64::from(month <= 2), small(month), small(day))
}

/// Converts seconds since 1970 to year, month, day, hour, minute and second in UTC.
pub(super) fn calendar(seconds: i64) -> (i64, u32, u32, u32, u32, u32) {
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let second = u32::try_from(seconds.rem_euclid(86_400)).unwrap_or(0);
    (year, month, day, second / 3600, second / 60 % 60, second % 60)
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Timestamp {
    fn is_valid(&self) -> bool {
        (1..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
    }

    fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    fn timestamp(&self) -> String {
        let fraction = format!(".{:06}", self.micros);
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        format!("{} {:02}:{:02}:{:02}{fraction}", self.date(), self.hour, self.minute, self.second)
    }

    fn with_zone(&self) -> String {
        let offset = self.offset.unwrap_or(0);
        let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs());
        format!("{}{sign}{:02}:{:02}", self.timestamp(), minutes / 60, minutes % 60)
    }
}

/// Converts a text to DATE.
pub(super) fn date(text: &str, format: Option<&str>) -> Result<String, ValueError> {
    let parsed = match format {
        Some("auto") => parse_auto(text),
        format => parse_format(text, format.unwrap_or("YYYY-MM-DD")),
    };
    parsed.map(|parsed| parsed.date()).ok_or_else(|| {
        let format = format.unwrap_or("YYYY-MM-DD");
        value_error(1205, format!("Invalid Date Format - Value '{text}', Format: {format}"))
    })
}

/// Converts a text to TIMESTAMP, or to TIMESTAMPTZ if `zoned`.
pub(super) fn timestamp(
    text: &str,
    format: Option<&str>,
    zoned: bool,
) -> Result<String, ValueError> {
    let parsed = match format {
        Some("auto") => parse_auto(text),
        Some("epochsecs") => parse_epoch(text, 1),
        Some("epochmillisecs") => parse_epoch(text, 1000),
        Some(format) => parse_format(text, format),
        None if zoned => parse_zoned(text),
        None => parse_format(text, "YYYY-MM-DD HH:MI:SS"),
    };
    let format = format.unwrap_or("YYYY-MM-DD HH24:MI:SS");
    let parsed = parsed.ok_or_else(|| {
        value_error(1206, format!("Invalid timestamp format or value [{format}], Value '{text}'"))
    })?;
    Ok(if zoned { parsed.with_zone() } else { parsed.timestamp() })
}

/// Parses an epoch of `per_second` units per second.
fn parse_epoch(text: &str, per_second: i64) -> Option<Timestamp> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    let (year, month, day, hour, minute, second) = calendar(number.div_euclid(per_second));
    let micros = number.rem_euclid(per_second) * (1_000_000 / per_second);
    let micros = u32::try_from(micros).ok()?;
    let parsed = Timestamp { year, month, day, hour, minute, second, micros, offset: None };
    parsed.is_valid().then_some(parsed)
}

/// Cursor over the rest of a text.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    /// Reads an integer of `min` to `max` digits.
    fn number(&mut self, min: usize, max: usize) -> Option<u32> {
        let length = self.0.bytes().take(max).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        digits.parse().ok().filter(|_| length >= min)
    }

    fn skip(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// Reads an optional fraction of a second as microseconds; ignores further digits.
    fn fraction(&mut self) -> Option<u32> {
        if self.skip(".").is_none() {
            return Some(0);
        }
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        let micros = format!("{digits:0<6}");
        micros.get(..6)?.parse().ok().filter(|_| length > 0)
    }

    /// Reads `Z`, or a sign with hours and optional minutes, as an offset in minutes.
    fn offset(&mut self) -> Option<i32> {
        if self.skip("Z").is_some() {
            return Some(0);
        }
        let sign = match self.0.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        self.0 = &self.0[1..];
        let hours = self.number(1, 2)?;
        self.skip(":");
        let minutes = if self.0.is_empty() { 0 } else { self.number(2, 2)? };
        let minutes = hours * 60 + minutes;
        i32::try_from(minutes)
            .ok()
            .filter(|minutes| *minutes < 16 * 60)
            .map(|minutes| sign * minutes)
    }

    fn month_by_name(&mut self) -> Option<u32> {
        let length = self.0.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, rest) = self.0.split_at(length);
        self.0 = rest;
        let name = name.to_lowercase();
        let at = MONTHS
            .iter()
            .position(|month| *month == name || (name.len() == 3 && month.starts_with(&name)));
        at.and_then(|at| u32::try_from(at + 1).ok())
    }
}

/// Parses a text with a format such as `DD.MM.YYYY HH12:MI AM`.
fn parse_format(text: &str, format: &str) -> Option<Timestamp> {
    let (mut text, mut format) = (Cursor(text.trim()), Cursor(format));
    let mut parsed = Timestamp { month: 1, day: 1, ..Timestamp::default() };
    let mut meridiem = None;
    while let Some(next) = format.0.chars().next() {
        if format.skip("YYYY").is_some() {
            parsed.year = i64::from(text.number(4, 4)?);
        } else if format.skip("YY").is_some() {
            let year = i64::from(text.number(2, 2)?);
            parsed.year = if year < 70 { 2000 + year } else { 1900 + year };
        } else if format.skip("MONTH").is_some() || format.skip("MON").is_some() {
            parsed.month = text.month_by_name()?;
        } else if format.skip("MM").is_some() {
            parsed.month = text.number(1, 2)?;
        } else if format.skip("MI").is_some() {
            parsed.minute = text.number(1, 2)?;
        } else if format.skip("DD").is_some() {
            parsed.day = text.number(1, 2)?;
        } else if format.skip("HH24").is_some()
            || format.skip("HH12").is_some()
            || format.skip("HH").is_some()
        {
            parsed.hour = text.number(1, 2)?;
        } else if format.skip("SS").is_some() {
            parsed.second = text.number(1, 2)?;
            parsed.micros = text.fraction()?;
        } else if format.skip("AM").is_some() || format.skip("PM").is_some() {
            meridiem = Some(text.0.get(..2)?.to_lowercase());
            text.0 = &text.0[2..];
        } else {
            // A separator must match the text.
            format.0 = &format.0[next.len_utf8()..];
            text.skip(next.encode_utf8(&mut [0; 4]))?;
        }
    }
    match meridiem.as_deref() {
        Some("am" | "pm") if !(1..=12).contains(&parsed.hour) => return None,
        Some("am") => parsed.hour %= 12,
        Some("pm") => parsed.hour = parsed.hour % 12 + 12,
        Some(_) => return None,
        None => {}
    }
    (text.0.is_empty() && parsed.is_valid()).then_some(parsed)
}

/// Parses the default format of TIMESTAMPTZ, `YYYY-MM-DD HH:MI:SSOF`.
fn parse_zoned(text: &str) -> Option<Timestamp> {
    let (head, tail) = text.split_at_checked(19)?;
    let mut parsed = parse_format(head, "YYYY-MM-DD HH:MI:SS")?;
    let mut rest = Cursor(tail);
    parsed.micros = rest.fraction()?;
    parsed.offset = if rest.0.is_empty() { None } else { Some(rest.offset()?) };
    rest.0.is_empty().then_some(parsed)
}

/// Parses the supported formats of `auto`.
fn parse_auto(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let mut formats =
        ["YYYY-MM-DD", "MM/DD/YYYY"].iter().filter(|format| format.len() == day.len());
    let mut parsed =
        formats.find_map(|format| parse_format(day, format)).or_else(|| parse_compact(day))?;
    if let Some(time) = time {
        let is_compact = time.len() == 6 && time.bytes().all(|byte| byte.is_ascii_digit());
        let mut rest = Cursor(time);
        parsed.hour = rest.number(2, 2)?;
        if !is_compact {
            rest.skip(":")?;
        }
        parsed.minute = rest.number(2, 2)?;
        if is_compact || rest.skip(":").is_some() {
            parsed.second = rest.number(2, 2)?;
            parsed.micros = rest.fraction()?;
        }
        rest.skip(" ");
        parsed.offset = if rest.0.is_empty() { None } else { Some(rest.offset()?) };
        rest.0.is_empty().then_some(())?;
    }
    parsed.is_valid().then_some(parsed)
}

/// Parses `19960108`, `960108` and `1996.008` (year and day of the year).
fn parse_compact(day: &str) -> Option<Timestamp> {
    if let Some((year, day_of_year)) = day.split_once('.') {
        let (year, day_of_year): (i64, u32) = (year.parse().ok()?, day_of_year.parse().ok()?);
        let mut left = day_of_year.checked_sub(1)?;
        for month in 1..=12 {
            if left < days_in_month(year, month) {
                let parsed = Timestamp { year, month, day: left + 1, ..Timestamp::default() };
                return (day.len() == 8 && parsed.is_valid()).then_some(parsed);
            }
            left -= days_in_month(year, month);
        }
        return None;
    }
    match day.len() {
        8 => parse_format(day, "YYYYMMDD"),
        6 => parse_format(day, "YYMMDD"),
        _ => None,
    }
}
