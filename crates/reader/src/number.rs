//! Exact conversion of JSON numbers: a whole number never passes through a double.

use super::json::number_end;

/// Why a number does not fit its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// Not a JSON number.
    NotANumber,
    /// A fraction, in a column of whole numbers.
    NotWhole,
    /// Out of the range of the column's type.
    OutOfRange,
}

fn is_number(text: &[u8]) -> bool {
    number_end(text) == Ok(text.len())
}

/// Parses a JSON number as a whole number: `5`, `5.0` and `50e-1` are equal.
pub(super) fn whole(text: &[u8]) -> Result<i64, Misfit> {
    if let Some(value) = short(text) {
        return Ok(value);
    }
    if !is_number(text) {
        return Err(Misfit::NotANumber);
    }
    let (negative, unsigned) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let split = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = unsigned.split_at(split.unwrap_or(unsigned.len()));
    let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
    let digits: Vec<u8> = mantissa.iter().copied().filter(u8::is_ascii_digit).collect();
    // Index of the decimal point among the digits, after the exponent has moved it.
    let place = i64::try_from(point).unwrap_or(i64::MAX).saturating_add(exponent_of(exponent));
    scaled(&digits, place, negative)
}

/// Returns true for at most `digits` digits without a leading zero, with an optional sign and an
/// optional fraction of zeros: the whole numbers that SQL recognizes in text.
pub(super) fn is_plain(text: &[u8], digits: usize) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let point = unsigned.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = unsigned.split_at(point.unwrap_or(unsigned.len()));
    let is_zeros = fraction.is_empty()
        || fraction.len() > 1 && fraction[1..].iter().all(|digit| *digit == b'0');
    let has_leading_zero = whole.len() > 1 && whole[0] == b'0';
    is_zeros
        && !has_leading_zero
        && (1..=digits).contains(&whole.len())
        && whole.iter().all(u8::is_ascii_digit)
}

/// Parses the common case: an optional sign and at most 18 digits, without a leading zero.
fn short(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some(if negative { -value } else { value })
}

/// Parses the exponent after `e`. It saturates, since any longer exponent is out of range as well.
fn exponent_of(written: &[u8]) -> i64 {
    let digits = written.get(1..).unwrap_or_default();
    let negative = digits.first() == Some(&b'-');
    let size = digits
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .fold(0_i64, |size, digit| size.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if negative { -size } else { size }
}

/// Returns the number whose decimal point is at index `place` of `digits`.
fn scaled(digits: &[u8], place: i64, negative: bool) -> Result<i64, Misfit> {
    let Some(first) = digits.iter().position(|digit| *digit != b'0') else { return Ok(0) };
    let last = digits.iter().rposition(|digit| *digit != b'0').unwrap_or(first);
    let position = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
    if position(last) >= place {
        return Err(Misfit::NotWhole);
    }
    if place - position(first) > 19 {
        return Err(Misfit::OutOfRange);
    }
    let mut value = 0_i128;
    for index in position(first)..place {
        let digit = usize::try_from(index).ok().and_then(|index| digits.get(index));
        value = value * 10 + digit.map_or(0, |digit| i128::from(digit - b'0'));
    }
    i64::try_from(if negative { -value } else { value }).map_err(|_| Misfit::OutOfRange)
}

/// Parses a JSON number as a double. A negative zero becomes zero.
pub(super) fn double(text: &[u8]) -> Result<f64, Misfit> {
    if !is_number(text) {
        return Err(Misfit::NotANumber);
    }
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    let value = parsed.ok_or(Misfit::NotANumber)?;
    // `-0.0 + 0.0` is `0.0`; any other value is unchanged.
    if value.is_finite() { Ok(value + 0.0) } else { Err(Misfit::OutOfRange) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_exact_in_every_notation() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("-0.0", 0),
            ("0e999999999999999999999", 0),
            ("5.0", 5),
            ("50e-1", 5),
            ("1.5410E12", 1_541_000_000_000),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("9223372036854775807.000", i64::MAX),
            ("0.00012e5", 12),
        ] {
            assert_eq!(whole(text.as_bytes()), Ok(value), "{text}");
        }
        for (text, misfit) in [
            ("1.5", Misfit::NotWhole),
            ("1e-1", Misfit::NotWhole),
            ("1e-99999999999999999999", Misfit::NotWhole),
            ("9223372036854775808", Misfit::OutOfRange),
            ("1e400", Misfit::OutOfRange),
            ("1e99999999999999999999", Misfit::OutOfRange),
            ("01", Misfit::NotANumber),
            ("", Misfit::NotANumber),
            ("-", Misfit::NotANumber),
            ("+1", Misfit::NotANumber),
            (" 1", Misfit::NotANumber),
            ("1x", Misfit::NotANumber),
            ("NaN", Misfit::NotANumber),
        ] {
            assert_eq!(whole(text.as_bytes()), Err(misfit), "{text}");
        }
    }

    #[test]
    fn doubles_are_finite() {
        assert_eq!(double(b"246.30812"), Ok(246.30812));
        assert!(double(b"-0.0").unwrap().is_sign_positive());
        assert_eq!(double(b"1e999"), Err(Misfit::OutOfRange));
        assert_eq!(double(b"inf"), Err(Misfit::NotANumber));
    }
}
