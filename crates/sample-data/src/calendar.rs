//! Dates, and the distribution of events over days, weekdays and hours.
//!
//! The calendar returns the cumulative number of events due at the end of each minute. For the last
//! minute this is the requested total, so the total is exact.

use super::rng::Rng;

/// Milliseconds in a day.
pub(super) const DAY_MS: u64 = 86_400_000;
pub(super) const MINUTE_MS: u64 = 60_000;
pub(super) const MINUTES: u64 = 1440;

/// Weights from Sunday to Saturday.
const WEEKDAYS: [u64; 7] = [40, 90, 95, 120, 85, 100, 55];
/// Weights per hour, UTC.
const HOURS: [u64; 24] =
    [6, 6, 5, 4, 5, 6, 7, 7, 8, 10, 12, 13, 12, 14, 16, 19, 20, 19, 18, 14, 13, 11, 8, 7];

/// Calendar date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i32,
    pub(super) month: u32,
    pub(super) day: u32,
}

impl Date {
    /// Returns the days since 1970-01-01; `None` for an earlier or invalid date.
    pub(super) fn since_epoch(self) -> Option<u64> {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let month = i64::from(self.month);
        let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5;
        let of_era = (year.rem_euclid(400)) * 365 + year.rem_euclid(400) / 4
            - year.rem_euclid(400) / 100
            + of_year
            + i64::from(self.day)
            - 1;
        let days = u64::try_from(year.div_euclid(400) * 146_097 + of_era - 719_468).ok()?;
        (Self::at(days) == self).then_some(days)
    }

    /// Returns the date `days` days after 1970-01-01.
    pub(super) fn at(days: u64) -> Self {
        let shifted = days + 719_468;
        let of_era = shifted % 146_097;
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = shifted / 146_097 * 400 + year_of_era + u64::from(month <= 2);
        Self {
            year: i32::try_from(year).unwrap_or(i32::MAX),
            month: u32::try_from(month).unwrap_or(0),
            day: u32::try_from(of_year - (153 * shifted_month + 2) / 5 + 1).unwrap_or(0),
        }
    }
}

/// Cumulative number of events over time.
pub(super) struct Calendar {
    /// Days since 1970-01-01 of the first day.
    first: u64,
    events: u64,
    /// Events due before each day, and at the end of the last.
    before: Vec<u64>,
}

impl Calendar {
    pub(super) fn new(first: u64, days: u32, events: u64, rng: &mut Rng) -> Self {
        let mut weights = vec![0u64];
        let mut total = 0;
        for day in first..first + u64::from(days) {
            let weekday = usize::try_from((day + 4) % 7).unwrap_or(0);
            total += WEEKDAYS[weekday] * rng.between(85, 115);
            weights.push(total);
        }
        let before = weights.iter().map(|&w| share(events, w, total)).collect();
        Self { first, events, before }
    }

    /// Returns the start of day number `day` in milliseconds since 1970-01-01.
    pub(super) fn start_of(&self, day: u32) -> u64 {
        (self.first + u64::from(day)) * DAY_MS
    }

    pub(super) fn date(&self, day: u32) -> Date {
        Date::at(self.first + u64::from(day))
    }

    /// Returns the events due at the end of day number `day`.
    pub(super) fn by_end_of(&self, day: u32) -> u64 {
        self.before.get(day as usize + 1).copied().unwrap_or(self.events)
    }

    /// Returns the events due at the end of minute `minute` of day number `day`.
    pub(super) fn by(&self, day: u32, minute: u64) -> u64 {
        let before = self.before.get(day as usize).copied().unwrap_or(self.events);
        let hour = usize::try_from((minute / 60) % 24).unwrap_or(0);
        let passed = HOURS[..hour].iter().sum::<u64>() * 60 + HOURS[hour] * (minute % 60 + 1);
        let whole = HOURS.iter().sum::<u64>() * 60;
        before + share(self.by_end_of(day) - before, passed, whole)
    }
}

fn share(of: u64, part: u64, whole: u64) -> u64 {
    let exact = u128::from(of) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(exact).unwrap_or(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_round_trip() {
        let date = Date { year: 2018, month: 11, day: 1 };
        assert_eq!(date.since_epoch(), Some(17_836));
        for days in (0..80_000).step_by(7) {
            assert_eq!(Date::at(days).since_epoch(), Some(days));
        }
        assert_eq!(Date { year: 2018, month: 2, day: 29 }.since_epoch(), None);
        assert_eq!(Date { year: 1969, month: 12, day: 31 }.since_epoch(), None);
        assert_eq!(Date { year: 2018, month: 13, day: 1 }.since_epoch(), None);
    }

    #[test]
    fn the_last_minute_has_all_events() {
        let calendar = Calendar::new(17_836, 5, 1234, &mut Rng::new(3, 3));
        assert_eq!(calendar.by(4, MINUTES - 1), 1234);
        assert_eq!(calendar.by(2, MINUTES - 1), calendar.by_end_of(2));
        assert!((0..MINUTES).all(|m| calendar.by(1, m) <= calendar.by_end_of(1)));
    }
}
