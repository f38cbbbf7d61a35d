//! Dates in the keys of objects, by which a backfill selects them.

use time::{Date, Month};

use super::Selection;

impl Selection {
    /// Returns true if `key` has a date within the dates of the selection. The key of a month is
    /// within them if one of its days is.
    pub(super) fn includes(&self, key: &str) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        days_in(key).is_some_and(|(first, last)| {
            self.since.is_none_or(|since| since <= last)
                && self.until.is_none_or(|until| first <= until)
        })
    }
}

/// Returns the first and the last day of a key's date.
///
/// The file name decides (`2018-11-05-events.json`), then Hive partitions (`dt=2018-11-05`,
/// `day=20181105`, `year=2018/month=11/day=5`, `year=2018/month=11`), then folders (`2018/11/05`).
/// Of several folders with a date, the last counts.
pub(super) fn days_in(key: &str) -> Option<(Date, Date)> {
    let (folders, name) = key.rsplit_once('/').unwrap_or(("", key));
    let one_day = |date| (date, date);
    let in_name = name.as_bytes().windows(10).find_map(|part| parse_date(part, b'-'));
    let in_folders = || key.as_bytes().windows(10).find_map(|part| parse_date(part, b'/'));
    in_name
        .map(one_day)
        .or_else(|| days_of_partitions(folders))
        .or_else(|| in_folders().map(one_day))
}

/// Returns the days of Hive partitions, `NAME=VALUE/NAME=VALUE`.
fn days_of_partitions(folders: &str) -> Option<(Date, Date)> {
    let partitions = || folders.rsplit('/').filter_map(|folder| folder.split_once('='));
    let whole = partitions().find_map(|(_, value)| day(value).or_else(|| compact_day(value)));
    if let Some(date) = whole {
        return Some((date, date));
    }
    let number = |names: &[&str]| {
        let named = |(name, _): &(&str, &str)| names.iter().any(|it| name.eq_ignore_ascii_case(it));
        partitions().find(named)?.1.parse::<u16>().ok()
    };
    let year = i32::from(number(&["year", "yyyy", "y"])?);
    let month = Month::try_from(u8::try_from(number(&["month", "mm", "m"])?).ok()?).ok()?;
    if let Some(day) = number(&["day", "dd", "d"]) {
        let date = Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()?;
        return Some((date, date));
    }
    let last = Date::from_calendar_date(year, month, month.length(year)).ok()?;
    Some((last.replace_day(1).ok()?, last))
}

/// Parses a date of the form `20181105`.
fn compact_day(written: &str) -> Option<Date> {
    let dashed = |text: &str| format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]);
    let digits = written.len() == 8 && written.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| day(&dashed(written))).flatten()
}

fn parse_date(part: &[u8], separator: u8) -> Option<Date> {
    if part.get(4) != Some(&separator) || part.get(7) != Some(&separator) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = part.get(range).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        std::str::from_utf8(digits).ok()?.parse::<u16>().ok()
    };
    let month = time::Month::try_from(u8::try_from(number(5..7)?).ok()?).ok()?;
    Date::from_calendar_date(number(0..4)?.into(), month, u8::try_from(number(8..10)?).ok()?).ok()
}

/// Parses a date of the form `2018-11-05`.
pub fn day(written: &str) -> Option<Date> {
    (written.len() == 10).then(|| parse_date(written.as_bytes(), b'-')).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(key: &str) -> Option<String> {
        days_in(key).map(|(first, last)| {
            if first == last { first.to_string() } else { format!("{first} to {last}") }
        })
    }

    #[test]
    fn file_names_partitions_and_folders_have_dates() {
        for (key, expected) in [
            ("log_data/2018/11/2018-11-05-events.json", "2018-11-05"),
            ("logs/dt=2018-11-05/part-0.json", "2018-11-05"),
            ("logs/event_date=20181105/part-0.json", "2018-11-05"),
            ("logs/year=2018/month=11/day=5/0.json.gz", "2018-11-05"),
            ("logs/Year=2018/Month=11/Day=05/hour=07/0.json", "2018-11-05"),
            ("logs/year=2018/month=02/0.json", "2018-02-01 to 2018-02-28"),
            ("logs/year=2018/month=12/0.json", "2018-12-01 to 2018-12-31"),
            ("logs/2018/11/05/0.json", "2018-11-05"),
            // The file name decides, and of several partitions the last.
            ("dt=2018-01-01/2018-11-05.json", "2018-11-05"),
            ("dt=2018-01-01/dt=2018-11-05/0.json", "2018-11-05"),
        ] {
            assert_eq!(days(key).as_deref(), Some(expected), "{key}");
        }
        for key in [
            "logs/events.json",
            "logs/year=2018/0.json",
            "logs/year=2018/month=13/0.json",
            "logs/year=2018/month=02/day=30/0.json",
            "logs/dt=2018-02-30/0.json",
            "logs/dt=é018-1105/0.json",
            "year=2018/month=11=x/0.json",
            "/2017-01-01/events.json",
            "/d/2018-13-05-events.json",
            "0.json",
        ] {
            assert_eq!(days(key), None, "{key}");
        }
    }

    #[test]
    fn a_month_is_selected_by_each_of_its_days() {
        let november = "logs/year=2018/month=11/0.json";
        let since = |date| Selection { since: day(date), ..Selection::default() };
        let until = |date| Selection { until: day(date), ..Selection::default() };
        assert!(since("2018-11-30").includes(november));
        assert!(!since("2018-12-01").includes(november));
        assert!(until("2018-11-01").includes(november));
        assert!(!until("2018-10-31").includes(november));
    }
}
