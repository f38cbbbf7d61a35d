//! Forms in which logs write times. All are UTC unless they carry an offset.

use serde::Deserialize;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::number;

/// Form of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TimeForm {
    /// Milliseconds since 1970.
    EpochMs,
    /// Seconds since 1970; whole, but may be written `1709284329.000000`.
    EpochS,
    /// Seconds, or milliseconds if the number is above 10¹¹.
    Epoch,
    /// `2024-03-01T09:15:30Z`, with an optional fraction and any offset.
    Rfc3339,
    /// `2024-03-01 09:15`
    Minutes,
    /// `01 Mar 2024, 09:15`, also without the comma.
    DayMonthYear,
}

impl TimeForm {
    pub(super) const ALL: [(Self, &'static str); 6] = [
        (Self::EpochMs, "epoch_ms"),
        (Self::EpochS, "epoch_s"),
        (Self::Epoch, "epoch"),
        (Self::Rfc3339, "rfc3339"),
        (Self::Minutes, "minutes"),
        (Self::DayMonthYear, "day_month_year"),
    ];

    /// Returns the name in a format's file.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(form, _)| *form == self).map_or("", |(_, name)| name)
    }

    /// Parses a time; returns milliseconds since 1970.
    pub(super) fn parse(self, written: &str) -> Option<i64> {
        const MINUTES: &[BorrowedFormatItem<'_>] =
            format_description!("[year]-[month]-[day] [hour]:[minute]");
        const NAMED_MONTH: &[BorrowedFormatItem<'_>] = format_description!(
            "[day padding:none] [month repr:short] [year] [hour padding:none]:[minute]"
        );
        let whole = || number::whole(written.as_bytes()).ok();
        let utc = |written: &str, form| {
            let time = PrimitiveDateTime::parse(written, form).ok()?;
            milliseconds(time.assume_utc())
        };
        match self {
            Self::EpochMs => whole(),
            Self::EpochS => whole()?.checked_mul(1000),
            Self::Epoch => match whole()? {
                ms if ms.unsigned_abs() > 100_000_000_000 => Some(ms),
                seconds => Some(seconds * 1000),
            },
            Self::Rfc3339 => milliseconds(OffsetDateTime::parse(written, &Rfc3339).ok()?),
            Self::Minutes => utc(written, MINUTES),
            Self::DayMonthYear => utc(&written.replacen(',', "", 1), NAMED_MONTH),
        }
    }
}

/// Returns the whole milliseconds since 1970, rounded down.
fn milliseconds(time: OffsetDateTime) -> Option<i64> {
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_parsed() {
        let at = 1_709_284_500_000;
        for (form, written, expected) in [
            (TimeForm::EpochMs, "1709284500000", Some(at)),
            (TimeForm::EpochS, "1709284500.000000", Some(at)),
            (TimeForm::EpochS, "1709284500.5", None),
            (TimeForm::EpochS, "9223372036854775807", None),
            (TimeForm::Epoch, "1709284500", Some(at)),
            (TimeForm::Epoch, "1709284500000", Some(at)),
            (TimeForm::Rfc3339, "2024-03-01T09:15:00Z", Some(at)),
            (TimeForm::Rfc3339, "2024-03-01T10:15:00.0007+01:00", Some(at)),
            (TimeForm::Rfc3339, "1969-12-31T23:59:59.9999Z", Some(-1)),
            (TimeForm::Rfc3339, "2024-03-01", None),
            (TimeForm::Rfc3339, "2024-02-30T09:15:00Z", None),
            (TimeForm::Minutes, "2024-03-01 09:15", Some(at)),
            (TimeForm::Minutes, "2024-03-01 9:15", None),
            (TimeForm::DayMonthYear, "01 Mar 2024, 09:15", Some(at)),
            (TimeForm::DayMonthYear, "1 Mar 2024 9:15", Some(at)),
            (TimeForm::DayMonthYear, "01 Foo 2024, 09:15", None),
        ] {
            assert_eq!(form.parse(written), expected, "{written}");
        }
    }

    #[test]
    fn forms_have_their_names() {
        #[derive(Deserialize)]
        struct Named {
            form: TimeForm,
        }
        for (form, name) in TimeForm::ALL {
            let named: Named = toml::from_str(&format!("form = \"{name}\"")).unwrap();
            assert_eq!((named.form, form.name()), (form, name));
        }
    }
}
