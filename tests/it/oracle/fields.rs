//! Members of a record as typed values (rules, section Values).

use std::collections::BTreeMap;

use super::json::{Members, Value, is_number};

/// Value that rejects its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rejected;

/// Members of one record, and the number of repaired texts among those read.
pub(super) struct Fields {
    values: BTreeMap<String, Value>,
    pub(super) repairs: usize,
}

impl Fields {
    /// "The last value of a repeated key counts."
    pub(super) fn new(members: Members) -> Self {
        Self { values: members.into_iter().collect(), repairs: 0 }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// "Text fields take a string, or a number (its digits as written)."
    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, Rejected> {
        let text = match self.values.get(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Text(text) | Value::Number(text)) => text.clone(),
            // "These reject the record: true, false, an object or an array in a known field; text
            // with `\u0000` or an unpaired surrogate."
            Some(Value::Other | Value::Unholdable) => return Err(Rejected),
        };
        let repaired = repaired(&text);
        self.repairs += usize::from(repaired != text);
        Ok(Some(repaired))
    }

    /// "Number fields take a number, or a string that holds exactly one JSON number."
    fn number(&self, key: &str) -> Result<Option<&str>, Rejected> {
        match self.values.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(digits)) => Ok(Some(digits)),
            Some(Value::Text(text)) if is_number(text) => Ok(Some(text)),
            Some(Value::Text(_) | Value::Other | Value::Unholdable) => Err(Rejected),
        }
    }

    /// "Integer fields take any whole number in range": for an integer column.
    pub(super) fn integer(&self, key: &str) -> Result<Option<i32>, Rejected> {
        let Some(whole) = self.bigint(key)? else { return Ok(None) };
        i32::try_from(whole).map(Some).map_err(|_| Rejected)
    }

    /// The same for a bigint column.
    pub(super) fn bigint(&self, key: &str) -> Result<Option<i64>, Rejected> {
        self.number(key)?.map(|digits| whole_number(digits).ok_or(Rejected)).transpose()
    }

    /// "Double fields take any finite number."
    pub(super) fn double(&self, key: &str) -> Result<Option<f64>, Rejected> {
        let Some(digits) = self.number(key)? else { return Ok(None) };
        let double: f64 = digits.parse().expect("Rust parses any JSON number");
        if double.is_finite() { Ok(Some(double)) } else { Err(Rejected) }
    }

    /// "`userId` is an integer, as a number or string; `""`, null and missing mean logged out."
    pub(super) fn user_id(&self, key: &str) -> Result<Option<i64>, Rejected> {
        match self.values.get(key) {
            Some(Value::Text(text)) if text.is_empty() => Ok(None),
            _ => self.bigint(key),
        }
    }
}

/// "A required field that is missing or null" rejects the record.
pub(super) fn required<T>(value: Option<T>) -> Result<T, Rejected> {
    value.ok_or(Rejected)
}

/// Returns the value of a JSON number that is whole and fits 64 bits: `5`, `5.0`, `5e0`, `50e-1`.
pub(crate) fn whole_number(written: &str) -> Option<i64> {
    let (negative, unsigned) = match written.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, written),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // The value is `digits` times ten to the power of `exponent - after.len()`.
    let all_digits = format!("{before}{after}");
    let digits = all_digits.trim_start_matches('0').trim_end_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let zeros_cut = all_digits.len() - all_digits.trim_end_matches('0').len();
    // No file has enough digits to compensate for an exponent beyond 64 bits.
    let power = i128::from(exponent.parse::<i64>().ok()?) - after.len() as i128 + zeros_cut as i128;
    if power < 0 || power + digits.len() as i128 > 19 {
        return None; // not whole, or beyond the 19 digits of a bigint
    }
    let scale = 10_i128.pow(u32::try_from(power).expect("at most 19"));
    let magnitude = digits.parse::<i128>().expect("at most 19 digits") * scale;
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// "While all characters are at most U+00FF, at least one is above U+007F, and their Latin-1 bytes
/// are valid UTF-8, those bytes become the text", at most three times.
pub(crate) fn repaired(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..3 {
        let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
        let Some(bytes) = latin1.filter(|bytes| !bytes.is_ascii()) else { break };
        let Ok(decoded) = String::from_utf8(bytes) else { break };
        text = decoded;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{repaired, whole_number};

    #[test]
    fn whole_numbers_are_distinguished_from_fractions() {
        for (written, value) in [
            ("0", 0),
            ("-0", 0),
            ("-0.000e7", 0),
            ("5.0", 5),
            ("5e0", 5),
            ("50e-1", 5),
            ("0.5E+1", 5),
            ("1541105830796.0", 1_541_105_830_796),
            ("1.541105830796e12", 1_541_105_830_796),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("0e99999999999999999999", 0),
        ] {
            assert_eq!(whole_number(written), Some(value), "{written}");
        }
        for written in ["1.5", "5e-1", "9223372036854775808", "1e19", "1e99999999999999999999"] {
            assert_eq!(whole_number(written), None, "{written}");
        }
    }

    #[test]
    fn text_is_repaired_at_most_three_times() {
        let mut text = "Björk".to_owned();
        for encoded in 0..5 {
            assert_eq!(repaired(&text) == "Björk", encoded <= 3, "encoded {encoded} times");
            text = text.bytes().map(char::from).collect();
        }
        assert_eq!(repaired("Café"), "Café");
        assert_eq!(repaired("plain"), "plain");
    }
}
