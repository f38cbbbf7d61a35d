//! Text as it was meant: escapes resolved, and what had been encoded twice set right.

/// How often a text is read as Latin-1 and encoded again at most: the contract's three.
const MAX_REPAIRS: usize = 3;

/// Appends to `text` what a string's bytes (valid JSON, between the quotes) stand for; or says why no warehouse can hold it.
pub(super) fn unescape(written: &[u8], text: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut rest = written;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..at]);
        let (letter, behind) = (rest.get(at + 1).copied().unwrap_or(b'\\'), at + 2);
        rest = rest.get(behind..).unwrap_or_default();
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

/// The character behind `\u`, and how many bytes of `rest` say it.
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

/// The text with its second encoding undone, if it had one: while its Latin-1 bytes are valid UTF-8 and say something else, at most three times.
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

fn decode_again(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let first = bytes.iter().position(|byte| !byte.is_ascii())?;
    // Latin-1 bytes that are UTF-8 begin with one of C2 to F4 and go on with one of 80 to BF: most text is told apart by that.
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
    fn bjork_is_bjork_however_often_he_was_encoded() {
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

    /// The rule without the shortcut: all characters up to U+00FF, and their Latin-1 bytes UTF-8 that says something else.
    fn decode_slowly(text: &str) -> Option<String> {
        let latin1: Option<Vec<u8>> =
            text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        String::from_utf8(latin1?).ok().filter(|decoded| decoded != text)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn what_was_encoded_twice_is_told_at_a_glance(text in "[a\u{80}-\u{ff}\u{3b1}]{0,6}", more in "\\PC{0,4}") {
            for text in [&text, &more] {
                prop_assert_eq!(decode_again(text), decode_slowly(text));
                let twice: String = text.bytes().map(char::from).collect();
                prop_assert_eq!(decode_again(&twice), decode_slowly(&twice));
            }
        }
    }
}
