//! Numbers: digits and ranges of integers, decimals and floats.
//!
//! DG/r_Numeric_types201.html has the ranges, DG/r_Load_Error_Reference.html the codes. COPY cuts decimals to their scale and does not round, unless ROUNDEC says so
//! (DG/copy-parameters-data-conversion.html). A decimal is cut here from its digits; Redshift may lose some on the way, as
//! DG/copy-usage_notes-copy-from-json.html warns, and no page says which.

use super::convert::{Bad, bad};

/// An integer within its range.
pub(super) fn integer(text: &str, smallest: i64, largest: i64, name: &str) -> Result<String, Bad> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = text.len() - digits.len();
    let wrong = digits.char_indices().find(|(_, digit)| !digit.is_ascii_digit());
    if let Some((at, wrong)) = wrong {
        let position = sign + at;
        let message = format!("Invalid digit, Value '{wrong}', Pos {position}, Type: {name}");
        return Err(Bad { position, ..bad(1207, message) });
    }
    if digits.is_empty() {
        return Err(bad(1207, format!("Invalid digit, Value '{text}', Pos 0, Type: {name}")));
    }
    match text.parse::<i64>() {
        Ok(number) if (smallest..=largest).contains(&number) => Ok(number.to_string()),
        _ => Err(bad(1222, format!("Overflow, Value '{text}', Type: {name}"))),
    }
}

/// The parts of a number: is it negative, its digits before and behind the point, its exponent.
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

/// A float, as it is written.
pub(super) fn float(text: &str, is_single: bool) -> Result<String, Bad> {
    if parts(text).is_none() {
        return Err(bad(1208, format!("Invalid float value '{text}'")));
    }
    let is_infinite = if is_single {
        text.parse().is_ok_and(f32::is_infinite)
    } else {
        text.parse().is_ok_and(f64::is_infinite)
    };
    if is_infinite {
        return Err(bad(1204, format!("Float value '{text}' is out of range")));
    }
    Ok(text.to_owned())
}

/// A decimal with so many digits in all, so many of them behind the point.
pub(super) fn decimal(text: &str, precision: u8, scale: u8, rounds: bool) -> Result<String, Bad> {
    let wrong = || bad(1209, format!("Invalid numeric value '{text}'"));
    let overflow = || bad(1204, format!("Numeric data overflow, Value '{text}'"));
    let (negative, whole, fraction, exponent) = parts(text).ok_or_else(wrong)?;
    if exponent.unsigned_abs() > 400 {
        return Err(overflow());
    }
    // All digits in one row, and where the point stands in it.
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

/// A digit of the row, with zeros on both sides.
fn digit(digits: &str, at: i32) -> char {
    let found = usize::try_from(at).ok().and_then(|at| digits.as_bytes().get(at));
    found.map_or('0', |byte| char::from(*byte))
}

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
