//! Decoding of JSON strings: escapes, and repair of double-encoded text.

/// Most repairs of one text: sources encode a text up to three times too often.
const MAX_REPAIRS: usize = 3;

/// Appends the decoded form of a valid JSON string, given without its quotes, to `text`. Fails if a
/// warehouse cannot hold the text.
pub(super) fn unescape(written: &[u8], text: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut rest = written;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..at]);
        let (letter, after) = (rest.get(at + 1).copied().unwrap_or(b'\\'), at + 2);
        rest = rest.get(after..).unwrap_or_default();
        match letter {
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'u' => {
                let (character, used) = unicode(rest)?;
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[used..];
            }
            other => text.push(other),
        }
    }
    text.extend_from_slice(rest);
    Ok(())
}

/// Decodes the escape whose `\u` precedes `rest`; returns the character and the number of bytes
/// read from `rest`. A surrogate pair is two escapes.
pub(super) fn unicode(rest: &[u8]) -> Result<(char, usize), &'static str> {
    const HALF: &str = "holds half a surrogate pair";
    let unit = |digits: Option<&[u8]>| {
        digits?.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
    };
    let first = unit(rest.get(..4)).ok_or(HALF)?;
    if first == 0 {
        return Err("holds the character U+0000");
    }
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 4));
    }
    let second = (first < 0xdc00 && rest.get(4..6) == Some(br"\u")).then(|| unit(rest.get(6..10)));
    match second.flatten() {
        Some(second) if (0xdc00..0xe000).contains(&second) => {
            let joined = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            char::from_u32(joined).map(|character| (character, 10)).ok_or(HALF)
        }
        _ => Err(HALF),
    }
}

/// Repairs double-encoded text; returns none if there is nothing to repair.
///
/// UTF-8 that was read as Latin-1 and encoded again is decoded, at most three times, while its
/// characters as Latin-1 bytes are valid UTF-8 and differ from the text.
pub fn repair(text: &str) -> Option<String> {
    let mut repaired = decode_again(text)?;
    for _ in 1..MAX_REPAIRS {
        match decode_again(&repaired) {
            Some(again) => repaired = again,
            None => break,
        }
    }
    Some(repaired)
}

/// Undoes one encoding.
fn decode_again(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let first = bytes.iter().position(|byte| !byte.is_ascii())?;
    // Latin-1 bytes that are UTF-8 begin with C2 to F4, followed by 80 to BF. Encoded again, the
    // first is C3 82 to C3 B4, and the second begins with C2. This check excludes most text
    // cheaply.
    if !matches!(bytes[first..], [0xc3, 0x82..=0xb4, 0xc2, ..]) {
        return None;
    }
    let latin1: Option<Vec<u8>> =
        text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect();
    String::from_utf8(latin1?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_resolved() {
        let unescape = |written: &[u8]| {
            let mut text = Vec::new();
            unescape(written, &mut text).map(|()| String::from_utf8(text).unwrap())
        };
        let text = unescape(br#"a\"\\\/\b\f\n\r\t\u00e9\ud83c\udfb5"#).unwrap();
        assert_eq!(text, "a\"\\/\u{8}\u{c}\n\r\té🎵");
        assert!(unescape(br"\ud800x").is_err());
        assert!(unescape(br"\ud800\u0041").is_err());
        assert!(unescape(br"\udc00").is_err());
        assert!(unescape(br"\u0000").is_err());
    }

    #[test]
    fn text_encoded_up_to_three_times_too_often_is_repaired() {
        let mut twice = "Björk".to_owned();
        assert_eq!(repair(&twice), None);
        for _ in 0..3 {
            twice = twice.bytes().map(char::from).collect();
            assert_eq!(repair(&twice).as_deref(), Some("Björk"));
        }
        let four: String = twice.bytes().map(char::from).collect();
        assert_eq!(repair(&four).as_deref(), Some("BjÃ¶rk"));
        assert_eq!(repair("日本"), None);
        assert_eq!(repair("plain"), None);
    }

    /// The rule without the shortcut: all characters are at most U+00FF, and their Latin-1 bytes
    /// are UTF-8 of another text.
    fn decode_slowly(text: &str) -> Option<String> {
        let latin1: Option<Vec<u8>> =
            text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        String::from_utf8(latin1?).ok().filter(|decoded| decoded != text)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn the_shortcut_finds_the_same_double_encoded_text(text in "[a\u{80}-\u{ff}\u{3b1}]{0,6}", more in "\\PC{0,4}") {
            for text in [&text, &more] {
                prop_assert_eq!(decode_again(text), decode_slowly(text));
                let twice: String = text.bytes().map(char::from).collect();
                prop_assert_eq!(decode_again(&twice), decode_slowly(&twice));
            }
        }
    }
}
