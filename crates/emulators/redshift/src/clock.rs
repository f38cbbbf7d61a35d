//! Timestamps in the formats of the Data API, in UTC.

use std::time::{Duration, SystemTime};

/// Returns year, month, day, hour, minute and second.
fn parts(time: SystemTime) -> [u64; 6] {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, rest) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    [year, month, day, rest / 3600, rest / 60 % 60, rest % 60]
}

/// Formats a time as in `X-Amz-Date`: `20181101T210146Z`.
pub(crate) fn amz_date(time: SystemTime) -> String {
    let [year, month, day, hour, minute, second] = parts(time);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Returns the seconds since 1970, rounded to milliseconds.
pub(crate) fn epoch_seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since.as_secs_f64() * 1000.0).round() / 1000.0
}

/// Returns year, month and day of the date `days` days after 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let months = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in months {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_formats_of_the_data_api() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_541_106_106_796);
        assert_eq!(amz_date(time), "20181101T210146Z");
        assert_eq!(epoch_seconds(time).to_string(), "1541106106.796");
        let leap = SystemTime::UNIX_EPOCH + Duration::from_secs(951_782_401);
        assert_eq!(amz_date(leap), "20000229T000001Z");
    }
}
