//! Pools of values, and disturbances of records.

use time::OffsetDateTime;
use time::macros::format_description;

use crate::formats::json::{Json, Members, number, object, text};
use crate::formats::random::Random;

/// Few, so that names often collide. Two look encoded twice.
pub(super) const TITLES: [&str; 10] = [
    "Paper Boats",
    "Paper Boats",
    "M\u{e4}ander",
    "Say \"hi\" {x} [y], z",
    "back\\slash\\n",
    "tab\tline\nend\u{1}",
    "\u{1f3b5} one",
    "112",
    "Bj\u{c3}\u{b6}rk",
    "null",
];

pub(super) const ARTISTS: [&str; 8] = [
    "Nora Vale",
    "Nora Vale",
    "\u{d3}laf Brandt",
    "\u{c3}\u{93}laf Brandt",
    "AC/DC",
    "112",
    "\u{65e5}\u{672c}, \u{1f3b5}",
    "Vale feat. \"Brandt\"",
];

pub(super) const CLIENTS: [&str; 4] =
    ["Invented/1.0", "\"Invented\" (X11; {])", "web%20player", "7"];

/// Few, often equal: seconds since 1970.
const SECONDS: [i64; 8] = [
    // The same second, the next, and two sides of midnight.
    1_709_284_329,
    1_709_284_329,
    1_709_284_330,
    1_709_251_199,
    1_709_251_200,
    // A leap day, and before 1970.
    951_782_400,
    1,
    -86_401,
];

/// Limits of the years 1 to 9999, and times beyond, such as milliseconds for seconds.
const LIMITS: [i64; 6] = [
    -62_135_596_800,
    -62_135_596_801,
    253_402_300_799,
    253_402_300_800,
    1_709_284_329_000,
    i64::MAX,
];

/// Returns a second; rarely an extreme one.
pub(super) fn second(random: &mut Random) -> i64 {
    if random.one_in(40) { random.pick(&LIMITS) } else { random.pick(&SECONDS) }
}

/// Returns one of the texts; digits are also written as a number.
pub(super) fn name(random: &mut Random, pool: &[&str]) -> Json {
    if random.one_in(80) {
        return wrong(random);
    }
    let name = random.pick(pool);
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && random.one_in(2) {
        return number(format!("{name}{}", random.pick(&["", ".0", "e0", ".50"])));
    }
    text(name)
}

/// Returns the value, null, empty text, or none for a missing key.
pub(super) fn optional(random: &mut Random, value: Json) -> Option<Json> {
    match random.below(12) {
        0 => Some(Json::Null),
        1 => Some(text("")),
        2 => None,
        _ => Some(value),
    }
}

/// Returns a value that no text column takes.
pub(super) fn wrong(random: &mut Random) -> Json {
    random.pick(&[
        Json::Bool(true),
        Json::Bool(false),
        object([("a", text("b"))]),
        Json::Object(Vec::new()),
        Json::Unholdable(r#""a\u0000b""#),
        Json::Unholdable(r#""\ud83d""#),
        Json::Unholdable(r#""half \udfb5x""#),
        Json::Unholdable(r#""\uDFB5\uD83C""#),
    ])
}

/// Returns a value of a joined column. `rules` has empty, wrong and repaired values.
pub(super) fn joined(random: &mut Random, pool: &[&str]) -> Option<Json> {
    match random.below(12) {
        0 => Some(Json::Null),
        1 => None,
        3 => Some(number("12.0")),
        _ => Some(text(random.pick(pool))),
    }
}

/// Returns one of the numbers as a number or as text; rarely a wrong value, null or none.
pub(super) fn figure(random: &mut Random, pool: &[&str]) -> Option<Json> {
    // The first half is frequent.
    let frequent = if random.one_in(4) { pool } else { &pool[..pool.len() / 2] };
    let written = random.pick(frequent);
    Some(match random.below(60) {
        0 => number("1e400"),
        1 => text(random.pick(&["long", " 1", "0x10", "1,5", "NaN", ""])),
        2 => wrong(random),
        3..=5 => Json::Null,
        6..=8 => return None,
        9..=17 => text(written),
        _ => number(written),
    })
}

/// Returns a whole number in one of its spellings, as a number or as text; rarely a wrong value.
pub(super) fn whole(random: &mut Random, value: i64) -> Json {
    let written = match random.below(12) {
        0 => format!("{value}.0"),
        1 => format!("{value}.000000"),
        2 => format!("{value}e0"),
        _ => value.to_string(),
    };
    match random.below(60) {
        0 => number(format!("{value}.5")),
        1 => text(random.pick(&["soon", " 1", "", "1 2", "015"])),
        2 => wrong(random),
        3 => Json::Null,
        4..=12 => text(&written),
        _ => number(written),
    }
}

/// Durations in milliseconds: short and long ones, zero, negative, many hours, before the year 1.
pub(super) const MILLISECONDS: [&str; 16] = [
    "201000",
    "201000",
    "201000.0",
    "2.01e5",
    "190275.46",
    "30000",
    "29999",
    "4120",
    "0",
    "29999.9",
    "-5000",
    "-0.25",
    "360000000",
    "1e12",
    "63000000000000000",
    "1e300",
];

/// The same in seconds.
pub(super) const LENGTHS: [&str; 11] =
    ["201", "201.0", "190.27546", "190.2754", "0", "0.0", "-3", "2e2", "0.001", "1e9", "1e300"];

/// Returns this second as RFC 3339 writes it, in one of its forms; rarely not a time.
pub(super) fn rfc3339(random: &mut Random, second: i64) -> Json {
    if random.one_in(30) {
        return random.pick(&[
            text("2024-02-30T00:00:00Z"),
            text("2023-02-29T10:00:00Z"),
            text("2024-03-01T24:00:00Z"),
            text("2024-03-01T09:15:30"),
            text("2024-03-01"),
            text("0000-12-31T23:59:59Z"),
            text("0001-01-01T00:00:00+01:00"),
            text("9999-12-31T23:59:59-01:00"),
            text("10000-01-01T00:00:00Z"),
            text(" 2024-03-01T09:15:30Z"),
            text("2024-03-01T09:15:30.Z"),
            text("1709284329"),
            number(1_709_284_329),
            Json::Null,
            Json::Bool(true),
            text(""),
        ]);
    }
    let (offset, shift) = random.pick(&[
        ("Z", 0),
        ("Z", 0),
        ("Z", 0),
        (".120Z", 0),
        (".5Z", 0),
        (".000Z", 0),
        (".123999999Z", 0),
        ("+00:00", 0),
        ("+02:00", 7_200),
        (".25-05:30", -19_800),
    ]);
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    written(second, shift, form)
        .map_or_else(|| text("soon"), |time| text(&format!("{time}{offset}")))
}

/// Returns this second as `YYYY-MM-DD HH:MM`; rarely not a time.
pub(super) fn minutes(random: &mut Random, second: i64) -> Json {
    if random.one_in(30) {
        return random.pick(&[
            text("2024-02-30 00:00"),
            text("2024-03-01 24:00"),
            text("2024-03-01 9:15"),
            text("2024-03-01 09:15:61"),
            text("24-03-01 09:15"),
            text("0000-12-31 23:59"),
            text("2024-13-01 09:15"),
            number(1_709_284_329),
            Json::Null,
        ]);
    }
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]");
    written(second, 0, form).map_or_else(|| text("soon"), |time| text(&time))
}

/// Formats a second with a shift; none beyond the years 1 to 9999.
fn written(
    second: i64,
    shift: i64,
    form: &[time::format_description::BorrowedFormatItem<'_>],
) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(second.checked_add(shift)?).ok()?;
    (1..=9999).contains(&time.year()).then(|| time.format(form).expect("a valid form"))
}

/// Values of unknown keys: nested, with the brackets and keys of records. None has all required keys,
/// as such an object would end the reject of a record that breaks off.
fn unknown(random: &mut Random) -> Json {
    random.pick(&[
        Json::Null,
        Json::Unholdable(r#""\ud83d""#),
        Json::Unholdable(r#""\u0000""#),
        text("]}{[\"\\"),
        text("\",\"ts\":\""),
        number("-0.0e-0"),
        number("123456789012345678901234567890"),
        Json::List(vec![Json::List(Vec::new()), Json::List(vec![object([("page", number(5))])])]),
        object([("track", Json::List(vec![object([("name", text("inner"))])]))]),
        object([("listens", Json::List(vec![Json::Object(Vec::new())])), ("b", text("}"))]),
        object([("", Json::Bool(false)), ("\"", text("{"))]),
    ])
}

const UNKNOWN: [&str; 8] = ["x", "Artist", "\u{e4}rger", "", "a\"b", "$.ts", "{", "image_url"];

/// Adds unknown keys, and shuffles and repeats keys, here and in nested objects.
pub(super) fn disturb(random: &mut Random, members: &mut Members) {
    for (_, value) in members.iter_mut() {
        disturb_nested(random, value);
    }
    for _ in 0..random.pick(&[0, 0, 0, 1, 2]) {
        members.push((random.pick(&UNKNOWN).to_owned(), unknown(random)));
    }
    if random.one_in(2) {
        random.shuffle(members);
    }
    if random.one_in(12) && !members.is_empty() {
        // The last value of a repeated key counts, so that one in front has no effect.
        let index = random.below(members.len());
        let (before, key) = (random.below(index + 1), members[index].0.clone());
        let value = if random.one_in(2) { unknown(random) } else { text("earlier") };
        members.insert(before, (key, value));
    }
}

fn disturb_nested(random: &mut Random, value: &mut Json) {
    match value {
        Json::Object(members) => disturb(random, members),
        Json::List(items) => items.iter_mut().for_each(|item| disturb_nested(random, item)),
        _ => {}
    }
}
