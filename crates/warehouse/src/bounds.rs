//! Literal bounds of the statements of an incremental load.
//!
//! A join with the affected keys does not tell an engine which blocks, row groups or pages hold them;
//! a range of literals on the column by which a table is sorted does. A file names a range where it
//! is needed, and [`Bounds::fill`] writes it.

use std::collections::BTreeMap;

use crate::Value;

/// Number of ranges above which the closest ones are merged.
const MAX_RANGES: usize = 16;

const DAY_MS: i64 = 86_400_000;

/// First and last moment of the years 1 to 9999, outside of which no event is accepted.
const ALL_MS: (i64, i64) = (-62_135_596_800_000, 253_402_300_799_999);

/// Set of whole numbers: disjoint ranges in ascending order, with their last values included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges(Option<Vec<(i64, i64)>>);

impl Ranges {
    /// Every number.
    pub const fn all() -> Self {
        Self(None)
    }

    /// No number.
    pub const fn none() -> Self {
        Self(Some(Vec::new()))
    }

    /// This number and every larger one.
    pub fn from(first: i64) -> Self {
        Self(Some(vec![(first, i64::MAX)]))
    }

    /// At least these numbers. If they form more than 16 ranges, the smallest gaps are filled, so
    /// that one distant number does not add those between.
    pub fn covering(numbers: impl IntoIterator<Item = i64>) -> Self {
        let mut numbers: Vec<i64> = numbers.into_iter().collect();
        numbers.sort_unstable();
        let mut gaps: Vec<(i64, usize)> = (1..numbers.len())
            .map(|at| (numbers[at].saturating_sub(numbers[at - 1]), at))
            .filter(|(gap, _)| *gap > 1)
            .collect();
        gaps.sort_unstable_by(|one, other| other.cmp(one));
        gaps.truncate(MAX_RANGES - 1);
        let mut starts: Vec<usize> = gaps.into_iter().map(|(_, at)| at).collect();
        starts.push(0);
        starts.sort_unstable();
        let ends = starts.iter().skip(1).copied().chain([numbers.len()]);
        let ranges = starts.iter().zip(ends).filter(|(start, end)| *start < end);
        Self(Some(ranges.map(|(start, end)| (numbers[*start], numbers[end - 1])).collect()))
    }

    /// The milliseconds of at least these days since 1970.
    pub fn covering_days(days: impl IntoIterator<Item = i64>) -> Self {
        let Self(Some(days)) = Self::covering(days) else { return Self::all() };
        let begin = |day: i64| day.saturating_mul(DAY_MS);
        Self(Some(days.iter().map(|(first, last)| (begin(*first), begin(last + 1) - 1)).collect()))
    }

    /// Returns the condition that holds for a column in these ranges: between the first and the last
    /// value, and in none of the gaps. An engine checks each of these comparisons against the
    /// smallest and largest value of a block; it does not look into a range inside an `or`.
    fn condition(&self, column: &str, literal: &dyn Fn(i64) -> String) -> String {
        let Some(ranges) = &self.0 else { return "1 = 1".into() };
        let (Some((first, _)), Some((_, last))) = (ranges.first(), ranges.last()) else {
            return "1 = 0".into();
        };
        let lower = format!("{column} >= {}", literal(*first));
        let upper = (*last < i64::MAX).then(|| format!("{column} <= {}", literal(*last)));
        let gaps = ranges.windows(2).map(|pair| {
            let (end, start) = (literal(pair[0].1), literal(pair[1].0));
            format!("({column} <= {end} or {column} >= {start})")
        });
        let parts: Vec<String> = [lower].into_iter().chain(upper).chain(gaps).collect();
        parts.join(" and ")
    }
}

/// Named ranges of one load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds(BTreeMap<&'static str, Ranges>);

impl Bounds {
    /// Ranges that stand in for those of a load where a file is only shown or checked: 1 November
    /// 2018, and load 2.
    pub fn example() -> Self {
        let day = Ranges::covering_days([17_836]);
        let names = ["touched_plays", "since_touched", "latest_events"];
        let days = names.map(|name| (name, day.clone()));
        Self(days.into_iter().chain([("touched_loads", Ranges::covering([2]))]).collect())
    }

    /// Sets a range.
    pub fn set(&mut self, name: &'static str, ranges: Ranges) {
        self.0.insert(name, ranges);
    }

    /// Replaces `:within(NAME, COLUMN)` by a condition on a column of whole numbers, and
    /// `:within_times(NAME, COLUMN)` by one on a column of timestamps, for ranges of milliseconds.
    /// The mark of a range that is not set remains, so that the engine refuses the statement.
    pub fn fill(&self, statement: &str) -> String {
        let mut filled = String::with_capacity(statement.len());
        let mut rest = statement;
        while let Some((before, call_on)) = rest.split_once(":within") {
            filled.push_str(before);
            let (is_times, call) = match call_on.strip_prefix("_times") {
                Some(call) => (true, call),
                None => (false, call_on),
            };
            let call = call.strip_prefix('(').and_then(|call| call.split_once(')'));
            let condition = call.and_then(|(arguments, after)| {
                let (name, column) = arguments.split_once(", ")?;
                let ranges = self.0.get(name)?;
                let literal: &dyn Fn(i64) -> String =
                    if is_times { &timestamp } else { &|number| number.to_string() };
                Some((ranges.condition(column, literal), after))
            });
            let Some((condition, after)) = condition else {
                filled.push_str(":within");
                rest = call_on;
                continue;
            };
            filled.push_str(&condition);
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// Fills statements, as [`Bounds::fill`] does.
    pub fn fill_all(&self, statements: &[String]) -> Vec<String> {
        statements.iter().map(|statement| self.fill(statement)).collect()
    }
}

fn timestamp(ms: i64) -> String {
    let ms = ms.clamp(ALL_MS.0, ALL_MS.1);
    format!("timestamp '{}'", Value::Timestamp(ms * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(numbers: &[i64]) -> Vec<(i64, i64)> {
        Ranges::covering(numbers.iter().copied()).0.unwrap()
    }

    #[test]
    fn neighbours_are_one_range_and_a_distant_number_is_another() {
        assert_eq!(ranges(&[]), []);
        assert_eq!(ranges(&[7]), [(7, 7)]);
        assert_eq!(ranges(&[3, 1, 2, 2, -9000]), [(-9000, -9000), (1, 3)]);
    }

    #[test]
    fn the_smallest_gaps_are_filled_first() {
        let numbers: Vec<i64> = (0..40).map(|number| number * 10).chain([99_999]).collect();
        let merged = ranges(&numbers);
        assert_eq!(merged.len(), MAX_RANGES);
        assert_eq!(merged.last(), Some(&(99_999, 99_999)));
        for number in numbers {
            assert!(merged.iter().any(|(first, last)| (first..=last).contains(&&number)));
        }
    }

    #[test]
    fn a_condition_excludes_gaps_and_nothing_else() {
        let mut bounds = Bounds::default();
        bounds.set("days", Ranges::covering_days([0, 1, 3]));
        bounds.set("none", Ranges::none());
        bounds.set("all", Ranges::all());
        bounds.set("later", Ranges::from(-5));
        let filled = |text: &str| bounds.fill(text);
        assert_eq!(
            filled("a and :within(days, t.ts) or b"),
            "a and t.ts >= 0 and t.ts <= 345599999 and (t.ts <= 172799999 or t.ts >= 259200000) or b"
        );
        assert_eq!(
            filled(":within_times(days, x)"),
            "x >= timestamp '1970-01-01 00:00:00.000' and x <= timestamp '1970-01-04 23:59:59.999' \
             and (x <= timestamp '1970-01-02 23:59:59.999' or x >= timestamp '1970-01-04 00:00:00.000')"
        );
        assert_eq!(filled(":within(none, x) :within(all, x)"), "1 = 0 1 = 1");
        assert_eq!(filled(":within(later, x)"), "x >= -5");
        assert_eq!(filled(":within(unknown, x), :within"), ":within(unknown, x), :within");
    }

    #[test]
    fn the_days_of_all_accepted_years_have_literals() {
        let mut bounds = Bounds::default();
        let day = |ms: i64| ms.div_euclid(DAY_MS);
        bounds.set("days", Ranges::covering_days([day(ALL_MS.0), day(ALL_MS.1)]));
        let filled = bounds.fill(":within_times(days, x)");
        assert!(filled.starts_with("x >= timestamp '0001-01-01 00:00:00.000'"), "{filled}");
        assert!(filled.contains("x <= timestamp '9999-12-31 23:59:59.999'"), "{filled}");
    }
}
