//! Decoder of result values, from the binary or the text format of the protocol to [`Value`]s.

use std::error::Error;
use std::fmt::Write as _;

use time::macros::{date, format_description};
use time::{Date, Duration, PrimitiveDateTime};
use tokio_postgres::Column;
use tokio_postgres::types::{FromSql, Type};

use sparkify_warehouse::{ResultType, Value};

/// Microseconds between 1970, the epoch of [`Value::Timestamp`], and 2000, the epoch of PostgreSQL.
pub(super) const EPOCH: i64 = 946_684_800_000_000;
const FIRST_DAY: Date = date!(2000 - 01 - 01);

/// Returns true if [`Decoded`] supports the binary format of this type.
pub(super) fn has_binary_decoder(kind: &Type) -> bool {
    matches!(
        *kind,
        Type::BOOL
            | Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::OID
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::NUMERIC
            | Type::TEXT
            | Type::VARCHAR
            | Type::BPCHAR
            | Type::NAME
            | Type::UNKNOWN
            | Type::UUID
            | Type::DATE
            | Type::TIMESTAMP
            | Type::BYTEA
            | Type::VOID
    )
}

/// Returns the type of the decoded values of a column.
pub(super) fn result_type(column: &Column) -> ResultType {
    match *column.type_() {
        Type::BOOL => ResultType::Boolean,
        Type::INT2 | Type::INT4 => ResultType::Integer,
        Type::INT8 | Type::OID => ResultType::BigInt,
        Type::FLOAT4 | Type::FLOAT8 => ResultType::Double,
        Type::NUMERIC => decimal(column.type_modifier()).unwrap_or(ResultType::Text),
        Type::DATE => ResultType::Date,
        Type::TIMESTAMP => ResultType::Timestamp,
        Type::BYTEA => ResultType::Bytes,
        _ => ResultType::Text,
    }
}

/// Decodes the type modifier of a `numeric(18, 2)`. Returns none for a `numeric` without precision,
/// or with more digits than [`ResultType::Decimal`] supports on every engine.
fn decimal(modifier: i32) -> Option<ResultType> {
    let modifier = modifier.checked_sub(4).filter(|modifier| *modifier >= 0)?;
    let precision = u8::try_from(modifier >> 16).ok().filter(|precision| *precision <= 38)?;
    Some(ResultType::Decimal(precision, i8::try_from(modifier & 0x7ff).ok()?))
}

/// Decoded value of any type.
pub(super) struct Decoded(pub Value);

impl<'a> FromSql<'a> for Decoded {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        from_binary(kind, raw)
            .map(Self)
            .ok_or_else(|| format!("invalid binary value of type `{kind}`").into())
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn from_binary(kind: &Type, raw: &[u8]) -> Option<Value> {
    macro_rules! number {
        ($type:ty) => {
            <$type>::from_be_bytes(raw.try_into().ok()?)
        };
    }
    Some(match *kind {
        Type::BOOL => Value::Bool(raw != [0]),
        Type::INT2 => Value::Int(number!(i16).into()),
        Type::INT4 => Value::Int(number!(i32).into()),
        Type::INT8 => Value::Int(number!(i64).into()),
        Type::OID => Value::Int(number!(u32).into()),
        Type::FLOAT4 => Value::Double(number!(f32).into()),
        Type::FLOAT8 => Value::Double(number!(f64)),
        Type::NUMERIC => integer_or_text(numeric(raw)?),
        Type::UUID => Value::Text(uuid::Uuid::from_slice(raw).ok()?.hyphenated().to_string()),
        Type::DATE => Value::Text(date_text(number!(i32))),
        Type::TIMESTAMP => timestamp(number!(i64)),
        Type::BYTEA => Value::Bytes(raw.to_vec()),
        _ => Value::Text(std::str::from_utf8(raw).ok()?.to_owned()),
    })
}

/// Decodes a value in text format, as the settings of `session.sql` define it.
pub(super) fn from_text(kind: &Type, text: &str) -> Value {
    let typed = match *kind {
        Type::BOOL => Some(Value::Bool(text == "t")),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => text.parse().ok().map(Value::Int),
        Type::FLOAT4 | Type::FLOAT8 => text.parse().ok().map(Value::Double),
        Type::NUMERIC => Some(integer_or_text(text.to_owned())),
        Type::TIMESTAMP => parse_timestamp(text),
        Type::BYTEA => parse_hexadecimal(text),
        _ => None,
    };
    typed.unwrap_or_else(|| Value::Text(text.to_owned()))
}

fn integer_or_text(number: String) -> Value {
    if number.contains('.') {
        return Value::Text(number);
    }
    number.parse().map_or(Value::Text(number), Value::Int)
}

/// Formats days since 2000 as a date, or as `infinity` or `-infinity`.
fn date_text(days: i32) -> String {
    match days {
        i32::MAX => return "infinity".into(),
        i32::MIN => return "-infinity".into(),
        _ => {}
    }
    match FIRST_DAY.checked_add(Duration::days(days.into())) {
        Some(day) => {
            let (year, month, day) = day.to_calendar_date();
            format!("{year:04}-{:02}-{day:02}", u8::from(month))
        }
        None => format!("2000-01-01 + {days} days"),
    }
}

fn timestamp(micros: i64) -> Value {
    match micros {
        i64::MAX => Value::Text("infinity".into()),
        i64::MIN => Value::Text("-infinity".into()),
        _ => Value::Timestamp(micros.saturating_add(EPOCH)),
    }
}

/// Parses `2018-11-01 21:01:46.796`.
fn parse_timestamp(text: &str) -> Option<Value> {
    let format = format_description!(
        "[year]-[month]-[day] [hour]:[minute]:[second][optional [.[subsecond]]]"
    );
    let moment = PrimitiveDateTime::parse(text, format).ok()?.assume_utc();
    i64::try_from(moment.unix_timestamp_nanos() / 1000).ok().map(Value::Timestamp)
}

/// Parses `\x00ff`.
fn parse_hexadecimal(text: &str) -> Option<Value> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(pair).collect::<Option<Vec<u8>>>().map(Value::Bytes)
}

/// Formats the binary form of a decimal number: a header of four 16-bit words (number of groups,
/// weight of the first group, sign, scale), then groups of four decimal digits. Group `place`
/// counts in units of 10000 to the power of `place`; groups of zeros at either end are omitted.
fn numeric(raw: &[u8]) -> Option<String> {
    let word = |at: usize| {
        let bytes = raw.get(2 * at..2 * at + 2)?;
        Some(u16::from_be_bytes(bytes.try_into().ok()?))
    };
    let (groups, weight) = (word(0)?, word(1)?.cast_signed());
    let (sign, scale) = (word(2)?, usize::from(word(3)?));
    let sign = match sign {
        0x0000 => "",
        0x4000 => "-",
        0xC000 => return Some("NaN".into()),
        0xD000 => return Some("Infinity".into()),
        _ => return Some("-Infinity".into()),
    };
    let group = |place: i32| {
        let at = usize::try_from(i32::from(weight) - place).ok();
        at.filter(|at| *at < usize::from(groups)).map_or(Some(0), |at| word(4 + at))
    };
    let mut text = String::from(sign);
    let mut whole = String::new();
    for place in (0..=i32::from(weight).max(0)).rev() {
        let _ = write!(whole, "{:04}", group(place)?);
    }
    let digits = whole.trim_start_matches('0');
    text.push_str(if digits.is_empty() { "0" } else { digits });
    if scale > 0 {
        let mut fraction = String::new();
        for place in 1..=i32::try_from(scale.div_ceil(4)).ok()? {
            let _ = write!(fraction, "{:04}", group(-place)?);
        }
        fraction.truncate(scale);
        text.push('.');
        text.push_str(&fraction);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u16]) -> String {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        numeric(&bytes).unwrap()
    }

    #[test]
    fn decimal_numbers_keep_every_digit() {
        assert_eq!(words(&[0, 0, 0, 0]), "0");
        assert_eq!(words(&[0, 0, 0, 2]), "0.00");
        assert_eq!(words(&[2, 1, 0x4000, 0, 1, 2345]), "-12345");
        assert_eq!(words(&[1, 1, 0, 0, 12]), "120000");
        assert_eq!(words(&[3, 0, 0, 5, 7, 500, 1200]), "7.05001");
        assert_eq!(words(&[1, 0xFFFF, 0, 4, 5]), "0.0005");
        assert_eq!(words(&[1, 0xFFFE, 0, 8, 5]), "0.00000005");
        assert_eq!(words(&[0, 0, 0xC000, 0]), "NaN");
    }

    #[test]
    fn text_and_binary_format_decode_to_the_same_value() {
        let moment = Value::Timestamp(1_541_106_106_796_000);
        assert_eq!(from_text(&Type::TIMESTAMP, "2018-11-01 21:01:46.796"), moment);
        assert_eq!(
            from_binary(&Type::TIMESTAMP, &594_421_306_796_000_i64.to_be_bytes()),
            Some(moment)
        );
        assert_eq!(from_text(&Type::BYTEA, "\\x00ff"), Value::Bytes(vec![0, 255]));
        assert_eq!(from_text(&Type::NUMERIC, "12"), Value::Int(12));
        assert_eq!(from_text(&Type::JSON, "{}"), Value::Text("{}".into()));
        assert_eq!(date_text(-1), "1999-12-31");
        assert_eq!(date_text(-730_119), "0001-01-01");
    }
}
