//! Dates and times, by the forms that the statement names.
//!
//! DG/r_DATEFORMAT_and_TIMEFORMAT_strings.html has the parts of a form, DG/copy-parameters-data-conversion.html the defaults and the words for epochs,
//! DG/automatic-recognition.html what `auto` knows. Of its list, Julian days, years before Christ, months by name and zones by name are not played: they are
//! errors here. A TIMESTAMP with a zone behind it keeps its digits, as in PostgreSQL; no page says so.

use super::convert::{Bad, bad};

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

/// A moment as it is written.
#[derive(Debug, Clone, Default)]
struct Moment {
    year: i64,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    micros: u32,
    /// Minutes from UTC.
    offset: Option<i32>,
}

/// Days since 1970-01-01, in the calendar that has always been.
#[allow(clippy::many_single_char_names)]
fn civil(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let small = |number: i64| u32::try_from(number).unwrap_or(0);
    (year + era * 400 + i64::from(month <= 2), small(month), small(day))
}

/// Seconds since 1970 as `(year, month, day, hour, minute, second)`, in UTC.
pub(super) fn calendar(seconds: i64) -> (i64, u32, u32, u32, u32, u32) {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let of_day = u32::try_from(seconds.rem_euclid(86_400)).unwrap_or(0);
    (year, month, day, of_day / 3600, of_day / 60 % 60, of_day % 60)
}

fn days_of(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Moment {
    fn is_valid(&self) -> bool {
        (1..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_of(self.year, self.month)).contains(&self.day)
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

/// A DATE.
pub(super) fn date(text: &str, form: Option<&str>) -> Result<String, Bad> {
    let found = match form {
        Some("auto") => automatic(text),
        form => by_form(text, form.unwrap_or("YYYY-MM-DD")),
    };
    found.map(|moment| moment.date()).ok_or_else(|| {
        let shown = form.unwrap_or("YYYY-MM-DD");
        bad(1205, format!("Invalid Date Format - Value '{text}', Format: {shown}"))
    })
}

/// A TIMESTAMP, or one with its zone.
pub(super) fn timestamp(text: &str, form: Option<&str>, zoned: bool) -> Result<String, Bad> {
    let found = match form {
        Some("auto") => automatic(text),
        Some("epochsecs") => epoch(text, 1),
        Some("epochmillisecs") => epoch(text, 1000),
        Some(form) => by_form(text, form),
        None if zoned => zoned_by_default(text),
        None => by_form(text, "YYYY-MM-DD HH:MI:SS"),
    };
    let shown = form.unwrap_or("YYYY-MM-DD HH24:MI:SS");
    let found = found.ok_or_else(|| {
        bad(1206, format!("Invalid timestamp format or value [{shown}], Value '{text}'"))
    })?;
    Ok(if zoned { found.with_zone() } else { found.timestamp() })
}

fn epoch(text: &str, per_second: i64) -> Option<Moment> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    let (year, month, day, hour, minute, second) = calendar(number.div_euclid(per_second));
    let micros = number.rem_euclid(per_second) * (1_000_000 / per_second);
    let micros = u32::try_from(micros).ok()?;
    let moment = Moment { year, month, day, hour, minute, second, micros, offset: None };
    moment.is_valid().then_some(moment)
}

/// A text that is read from its start.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let length = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        digits.parse().ok().filter(|_| length >= least)
    }

    fn skip(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    fn fraction(&mut self) -> Option<u32> {
        if self.skip(".").is_none() {
            return Some(0);
        }
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        let six = format!("{digits:0<6}");
        six.get(..6)?.parse().ok().filter(|_| length > 0)
    }

    /// `Z`, or hours and perhaps minutes with a sign.
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

/// By a form of parts and separators: `DD.MM.YYYY HH12:MI AM`.
fn by_form(text: &str, form: &str) -> Option<Moment> {
    let (mut text, mut form) = (Reader(text.trim()), Reader(form));
    let mut moment = Moment { month: 1, day: 1, ..Moment::default() };
    let mut afternoon = None;
    while let Some(next) = form.0.chars().next() {
        if form.skip("YYYY").is_some() {
            moment.year = i64::from(text.number(4, 4)?);
        } else if form.skip("YY").is_some() {
            let year = i64::from(text.number(2, 2)?);
            moment.year = if year < 70 { 2000 + year } else { 1900 + year };
        } else if form.skip("MONTH").is_some() || form.skip("MON").is_some() {
            moment.month = text.month_by_name()?;
        } else if form.skip("MM").is_some() {
            moment.month = text.number(1, 2)?;
        } else if form.skip("MI").is_some() {
            moment.minute = text.number(1, 2)?;
        } else if form.skip("DD").is_some() {
            moment.day = text.number(1, 2)?;
        } else if form.skip("HH24").is_some()
            || form.skip("HH12").is_some()
            || form.skip("HH").is_some()
        {
            moment.hour = text.number(1, 2)?;
        } else if form.skip("SS").is_some() {
            moment.second = text.number(1, 2)?;
            moment.micros = text.fraction()?;
        } else if form.skip("AM").is_some() || form.skip("PM").is_some() {
            afternoon = Some(text.0.get(..2)?.to_lowercase());
            text.0 = &text.0[2..];
        } else {
            form.0 = &form.0[next.len_utf8()..];
            text.skip(next.encode_utf8(&mut [0; 4]))?;
        }
    }
    match afternoon.as_deref() {
        Some("am" | "pm") if !(1..=12).contains(&moment.hour) => return None,
        Some("am") => moment.hour %= 12,
        Some("pm") => moment.hour = moment.hour % 12 + 12,
        Some(_) => return None,
        None => {}
    }
    (text.0.is_empty() && moment.is_valid()).then_some(moment)
}

/// `YYYY-MM-DD HH:MI:SSOF`
fn zoned_by_default(text: &str) -> Option<Moment> {
    let (head, tail) = text.split_at_checked(19)?;
    let mut moment = by_form(head, "YYYY-MM-DD HH:MI:SS")?;
    let mut rest = Reader(tail);
    moment.micros = rest.fraction()?;
    moment.offset = if rest.0.is_empty() { None } else { Some(rest.offset()?) };
    rest.0.is_empty().then_some(moment)
}

/// What `auto` knows, of what is played here.
fn automatic(text: &str) -> Option<Moment> {
    let text = text.trim();
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let mut forms = ["YYYY-MM-DD", "MM/DD/YYYY"].iter().filter(|form| form.len() == day.len());
    let mut moment = forms.find_map(|form| by_form(day, form)).or_else(|| compact(day))?;
    if let Some(time) = time {
        let is_compact = time.len() == 6 && time.bytes().all(|byte| byte.is_ascii_digit());
        let mut rest = Reader(time);
        moment.hour = rest.number(2, 2)?;
        if !is_compact {
            rest.skip(":")?;
        }
        moment.minute = rest.number(2, 2)?;
        if is_compact || rest.skip(":").is_some() {
            moment.second = rest.number(2, 2)?;
            moment.micros = rest.fraction()?;
        }
        rest.skip(" ");
        moment.offset = if rest.0.is_empty() { None } else { Some(rest.offset()?) };
        rest.0.is_empty().then_some(())?;
    }
    moment.is_valid().then_some(moment)
}

/// `19960108`, `960108` and `1996.008`.
fn compact(day: &str) -> Option<Moment> {
    if let Some((year, of_year)) = day.split_once('.') {
        let (year, of_year): (i64, u32) = (year.parse().ok()?, of_year.parse().ok()?);
        let mut left = of_year.checked_sub(1)?;
        for month in 1..=12 {
            if left < days_of(year, month) {
                let moment = Moment { year, month, day: left + 1, ..Moment::default() };
                return (day.len() == 8 && moment.is_valid()).then_some(moment);
            }
            left -= days_of(year, month);
        }
        return None;
    }
    match day.len() {
        8 => by_form(day, "YYYYMMDD"),
        6 => by_form(day, "YYMMDD"),
        _ => None,
    }
}
