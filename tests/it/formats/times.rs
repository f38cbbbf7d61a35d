//! Forms of times, as milliseconds since 1970 UTC.

use super::fields::{Rejected, whole_of};
use super::json::Json;

/// From the year 1 to the year 9999.
const FIRST: i64 = -62_135_596_800_000;
const LAST: i64 = 253_402_300_799_999;
pub(super) const DAY: i64 = 86_400_000;

/// Returns the time if it is within the years 1 to 9999.
pub(super) fn in_years(ms: i64) -> Result<i64, Rejected> {
    if (FIRST..=LAST).contains(&ms) { Ok(ms) } else { Err(Rejected) }
}

/// Whole seconds, as a number or text.
pub(super) fn epoch_seconds(value: &Json) -> Result<i64, Rejected> {
    whole_of(value)?.checked_mul(1_000).ok_or(Rejected)
}

/// RFC 3339, or `YYYY-MM-DD HH:MM` in UTC.
pub(super) fn stamp(value: &Json, with_minutes: bool) -> Result<i64, Rejected> {
    let Json::Text(text) = value else { return Err(Rejected) };
    let minutes = if with_minutes { minutes(text) } else { None };
    minutes.or_else(|| rfc3339(text)).ok_or(Rejected)
}

fn minutes(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once(' ')?;
    let (hour, minute) = clock.split_once(':')?;
    Some(day(date)? * DAY + (two(hour, 24)? * 60 + two(minute, 60)?) * 60_000)
}

fn rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once('T')?;
    let clock = rest.get(..8)?;
    let (mut ms, mut rest) = (day(date)? * DAY, &rest[8..]);
    let mut parts = clock.split(':');
    for (limit, unit) in [(24, 3_600_000), (60, 60_000), (60, 1_000)] {
        ms += two(parts.next()?, limit)? * unit;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let padded = format!("{}00", &fraction[..digits]);
        ms += if digits > 0 { padded[..3].parse::<i64>().ok()? } else { return None };
        rest = &fraction[digits..];
    }
    if rest == "Z" {
        return Some(ms);
    }
    let sign = match rest.get(..1)? {
        "+" => -1,
        "-" => 1,
        _ => return None,
    };
    let (hours, minutes) = rest[1..].split_once(':')?;
    Some(ms + sign * (two(hours, 24)? * 60 + two(minutes, 60)?) * 60_000)
}

/// Returns a number of two digits below a limit.
fn two(digits: &str, limit: i64) -> Option<i64> {
    let valid = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|&number| valid && number < limit)
}

/// Returns the days from 1970 to `YYYY-MM-DD`.
fn day(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let is_year = year.len() == 4 && year.bytes().all(|digit| digit.is_ascii_digit());
    if !is_year || parts.next().is_some() {
        return None;
    }
    let (year, month, day) = (year.parse::<i64>().ok()?, two(month, 13)?, two(day, 32)?);
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = lengths.get(..usize::try_from(month).ok()?.checked_sub(1)?)?;
    if day < 1 || day > lengths[before.len()] {
        return None;
    }
    let past = year - 1; // full years before this one, from the year 1
    let days = past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    Some(days + before.iter().sum::<i64>() + day - 1 - 719_162)
}

#[cfg(test)]
mod tests {
    use super::stamp;
    use crate::formats::json::text;

    #[test]
    fn times_are_read_by_their_forms() {
        for (written, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2024-03-01T09:12:09.12Z", 1_709_284_329_120),
            ("2024-03-01T11:12:09+02:00", 1_709_284_329_000),
            ("2024-03-01T03:42:09.999999-05:30", 1_709_284_329_999),
            ("2024-03-01 09:12", 1_709_284_320_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("0001-01-01T00:00:00Z", super::FIRST),
            ("9999-12-31T23:59:59.999Z", super::LAST),
        ] {
            assert_eq!(stamp(&text(written), true).expect(written), ms, "{written}");
        }
        for written in [
            "2023-02-29T00:00:00Z",
            "2024-03-01T24:00:00Z",
            "2024-03-01T09:12:09",
            "10000-01-01T00:00:00Z",
        ] {
            assert!(stamp(&text(written), true).is_err(), "{written}");
        }
    }
}
