//! Formatting of numbers and text into a byte buffer, without `format!`.
//!
//! Decimals are integers in hundred-thousandths, so no float is formatted. Text is escaped to
//! ASCII, as in the real files.

/// Hundred-thousandths in one.
pub(super) const UNIT: u64 = 100_000;

pub(super) fn push_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = digit(number % 10);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes `hundred_thousandths` as a decimal without trailing zeros: `440.2673`, `12.0`.
pub(super) fn push_decimal(out: &mut Vec<u8>, hundred_thousandths: u64) {
    push_number(out, hundred_thousandths / UNIT);
    let mut fraction = hundred_thousandths % UNIT;
    let mut digits = [b'0'; 5];
    for place in digits.iter_mut().rev() {
        *place = digit(fraction % 10);
        fraction /= 10;
    }
    let length = digits.iter().rposition(|&d| d != b'0').map_or(1, |last| last + 1);
    out.push(b'.');
    out.extend_from_slice(&digits[..length]);
}

fn digit(value: u64) -> u8 {
    b"0123456789"[usize::try_from(value % 10).unwrap_or(0)]
}

/// Writes `text` as a JSON string, in ASCII, with `/` escaped too.
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '/' => out.extend_from_slice(b"\\/"),
            ' '..='~' => out.extend(u8::try_from(c)),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|&unit| push_escape(out, unit)),
        }
    }
    out.push(b'"');
}

fn push_escape(out: &mut Vec<u8>, unit: u16) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        out.push(b"0123456789abcdef"[usize::from((unit >> shift) & 15)]);
    }
}

/// Double-encodes `text`: reads its UTF-8 bytes as Latin-1.
pub(super) fn double_encode(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn numbers_and_decimals() {
        assert_eq!(written(|o| push_number(o, 0)), "0");
        assert_eq!(written(|o| push_number(o, 1_541_106_106_796)), "1541106106796");
        assert_eq!(written(|o| push_decimal(o, 44_026_730)), "440.2673");
        assert_eq!(written(|o| push_decimal(o, 1_200_000)), "12.0");
        assert_eq!(written(|o| push_decimal(o, 7)), "0.00007");
    }

    #[test]
    fn text_is_escaped_to_ascii() {
        assert_eq!(written(|o| push_text(o, "a/\"é\"")), r#""a\/\"\u00e9\"""#);
    }

    #[test]
    fn double_encoded_text_matches_the_course_data() {
        let broken = double_encode(&double_encode("Bjö"));
        let expected = r#""Bj\u00c3\u0083\u00c2\u00b6""#;
        assert_eq!(written(|o| push_text(o, &broken)), expected);
    }
}
