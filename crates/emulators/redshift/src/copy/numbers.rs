//! Conversion to integers, decimals and floating point numbers.
//!
//! Ranges: DG/r_Numeric_types201.html. Error codes: DG/r_Load_Error_Reference.html. COPY truncates
//! decimals to their scale, or rounds with ROUNDEC (DG/copy-parameters-data-conversion.html). Here
//! all digits of the source count. Redshift may lose precision, as
//! DG/copy-usage_notes-copy-from-json.html warns without details.

use super::convert::{ValueError, value_error};

/// Returns an integer that is written with a fraction of zeros (`5.0`), which COPY accepts from a
/// JSON number, without it. `cuts` also removes other fractions.
///
/// Projects with real clusters load `1540919166796.0` into BIGINT; no page documents `2.5`.
pub(super) fn without_fraction(text: &str, cuts: bool) -> &str {
    match text.split_once('.') {
        Some((whole, fraction))
            if !fraction.is_empty()
                && fraction
                    .bytes()
                    .all(|digit| digit == b'0' || cuts && digit.is_ascii_digit()) =>
        {
            whole
        }
        _ => text,
    }
}

/// Converts a text to an integer between `min` and `max`.
pub(super) fn integer(text: &str, min: i64, max: i64, name: &str) -> Result<String, ValueError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = text.len() - digits.len();
    let invalid = digits.char_indices().find(|(_, digit)| !digit.is_ascii_digit());
    if let Some((at, invalid)) = invalid {
        let position = sign + at;
        let message = format!("Invalid digit, Value '{invalid}', Pos {position}, Type: {name}");
        return Err(ValueError { position, ..value_error(1207, message) });
    }
    if digits.is_empty() {
        return Err(value_error(
            1207,
            format!("Invalid digit, Value '{text}', Pos 0, Type: {name}"),
        ));
    }
    match text.parse::<i64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number.to_string()),
        _ => Err(value_error(1222, format!("Overflow, Value '{text}', Type: {name}"))),
    }
}

/// Splits a number into sign (true if negative), digits before and after the point, and exponent.
fn parts(text: &str) -> Option<(bool, &str, &str, i32)> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            (mantissa, is_number.then(|| exponent.parse().unwrap_or(i32::MAX))?)
        }
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_number || whole.len() + fraction.len() == 0 {
        return None;
    }
    Some((text.starts_with('-'), whole, fraction, exponent))
}

/// Checks a floating point number and returns it unchanged.
pub(super) fn float(text: &str, is_single: bool) -> Result<String, ValueError> {
    if parts(text).is_none() {
        return Err(value_error(1208, format!("Invalid float value '{text}'")));
    }
    let is_infinite = if is_single {
        text.parse().is_ok_and(f32::is_infinite)
    } else {
        text.parse().is_ok_and(f64::is_infinite)
    };
    if is_infinite {
        return Err(value_error(1204, format!("Float value '{text}' is out of range")));
    }
    Ok(text.to_owned())
}

/// Converts a text to a decimal, truncated or rounded to `scale`.
pub(super) fn decimal(
    text: &str,
    precision: u8,
    scale: u8,
    rounds: bool,
) -> Result<String, ValueError> {
    let invalid = || value_error(1209, format!("Invalid numeric value '{text}'"));
    let overflow = || value_error(1204, format!("Numeric data overflow, Value '{text}'"));
    let (negative, whole, fraction, exponent) = parts(text).ok_or_else(invalid)?;
    if exponent.unsigned_abs() > 400 {
        return Err(overflow());
    }
    // All digits without the point, the position of the point in them, and the number of digits to
    // keep. Positions outside `digits` are zeros.
    let digits = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).map_err(|_| overflow())? + exponent;
    let cut = point + i32::from(scale);
    let kept: String = (0..cut.max(0)).map(|at| digit(&digits, at)).collect();
    let next = digit(&digits, cut);
    let kept = if rounds && next >= '5' { incremented(&kept) } else { kept };
    let kept = kept.trim_start_matches('0');
    let kept = format!("{kept:0>width$}", width = usize::from(scale) + 1);
    let (whole, fraction) = kept.split_at(kept.len() - usize::from(scale));
    if whole.trim_start_matches('0').len() > usize::from(precision - scale.min(precision)) {
        return Err(overflow());
    }
    let is_zero = kept.bytes().all(|byte| byte == b'0');
    let sign = if negative && !is_zero { "-" } else { "" };
    let dot = if scale == 0 { "" } else { "." };
    Ok(format!("{sign}{whole}{dot}{fraction}"))
}

/// Returns the digit at a position, or zero outside the digits.
fn digit(digits: &str, at: i32) -> char {
    let found = usize::try_from(at).ok().and_then(|at| digits.as_bytes().get(at));
    found.map_or('0', |byte| char::from(*byte))
}

/// Adds one to the last digit, with carry.
fn incremented(digits: &str) -> String {
    let nines = digits.len() - digits.trim_end_matches('9').len();
    let (head, _) = digits.split_at(digits.len() - nines);
    let zeros = "0".repeat(nines);
    match head.char_indices().next_back() {
        None => format!("1{zeros}"),
        Some((at, last)) => {
            let last = char::from_digit(last.to_digit(10).unwrap_or(0) + 1, 10).unwrap_or('0');
            format!("{}{last}{zeros}", &head[..at])
        }
    }
}
