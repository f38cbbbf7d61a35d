//! The small pools that values come from, as raw JSON.

use proptest::prelude::*;
use proptest::sample::select;

use super::{Kind, Members};

/// A value as raw JSON; none leaves the key out.
type Raw = Option<String>;

/// What makes two records the same thing: a play, and a song or its artist.
pub(super) fn identity(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Event => &["sessionId", "itemInSession", "ts", "userId", "page"],
        Kind::Song => &["song_id", "artist_id"],
    }
}

/// The members of one acceptable record, in the usual order or any other.
pub(super) fn members(kind: Kind) -> BoxedStrategy<Members> {
    let fields = match kind {
        Kind::Event => event_fields(),
        Kind::Song => song_fields(),
    };
    let members = fields.prop_map(|fields| {
        let there = fields.into_iter().filter_map(|(key, raw)| Some((key, raw?)));
        there.map(|(key, raw)| (key.to_owned(), raw)).collect::<Members>()
    });
    let members = members.boxed();
    prop_oneof![2 => members.clone(), 1 => members.prop_shuffle()].boxed()
}

/// A key that no table knows.
pub(super) fn extra() -> impl Strategy<Value = (String, String)> {
    let extras = [
        ("tag", r#""\ud83d""#),
        ("nested", "{\"a\":[1,{\"ts\":5}],\n\"b\":{}}"),
        ("Artist", "112"),
        ("ärger", "null"),
        ("", "true"),
        ("user_id", "[[],[0.0e-0]]"),
    ];
    select(extras.map(|(key, raw)| (key.to_owned(), raw.to_owned())).to_vec())
}

type Fields = Vec<BoxedStrategy<(&'static str, Raw)>>;

fn event_fields() -> Fields {
    let ts = prop_oneof![
        4 => select(&TIMES[..3]),
        4 => select(&TIMES[..8]),
        1 => select(&TIMES[..]),
    ];
    vec![
        field("artist", optional(name(&ARTISTS))),
        field("auth", optional(text(&["Logged In", "Logged Out"], false))),
        field("firstName", optional(text(&["Walter", "Kaylee", "Zoë"], true))),
        field("gender", optional(text(&["M", "F"], false))),
        field("itemInSession", whole(&[0, 1, 2, 2_147_483_647])),
        field("lastName", optional(text(&["Frye", "Summers", ""], false))),
        field("length", optional(number(&LENGTHS))),
        field("level", optional(text(&["free", "paid"], false))),
        field("location", optional(text(&CITIES, true))),
        field("method", optional(text(&["GET", "PUT"], false))),
        field("page", text(&["NextSong", "NextSong", "NextSong", "Home", "nextsong"], false)),
        field("registration", optional(number(&["1540919166796.0", "0", "-1e3"]))),
        field("sessionId", whole(&[38, 139, 9_223_372_036_854_775_807, -1])),
        field("song", optional(name(&TITLES))),
        field("status", optional(whole(&[200, 307, 404]))),
        field("ts", ts.prop_flat_map(written_whole)),
        field("userAgent", optional(text(&AGENTS, false))),
        field("userId", user_id()),
    ]
}

fn song_fields() -> Fields {
    vec![
        field("num_songs", optional(whole(&[1, 2]))),
        field("artist_id", text(&["AR1", "AR2", "ARÄ"], false)),
        field("artist_latitude", optional(number(&DEGREES))),
        field("artist_longitude", optional(number(&DEGREES))),
        field("artist_location", optional(text(&LOCATIONS, true))),
        field("artist_name", name(&ARTISTS)),
        field("song_id", text(&["SO1", "SO2", "SO3", "SO\u{1f3b5}", "SO\u{ffee}"], false)),
        field("title", name(&TITLES)),
        field("duration", number(&LENGTHS)),
        field("year", optional(whole(&[0, 0, 1999, 2004, -5]))),
    ]
}

/// So few that a play meets the catalogue often.
const TITLES: [&str; 8] = [
    "Undo",
    "Sehr \"kosmisch\"",
    "112",
    "You’re The One \u{1f3b5}",
    "back\\slash\\n",
    "tab\tline\nend\u{1}",
    "Café Ã \u{e9}", // looks encoded twice and is not
    "",
];

/// Five letters in five and in six characters, and others.
const ARTISTS: [&str; 7] = ["Björk", "Bjork", "Bjo\u{308}rk", "AC/DC", "112", "日本", "Ö"];

/// Near each other: within 0.001 s, within 0.002 s, and the same in two spellings.
const LENGTHS: [&str; 8] =
    ["200", "200.0", "200.0005", "200.001", "200.002", "199.999", "199.9985", "2.1e2"];

/// Few, equal often, some at the rims of ISO weeks and years.
const TIMES: [i64; 12] = [
    // A Thursday, and one millisecond later.
    1_541_105_830_796,
    1_541_105_830_797,
    // A Monday of week 1 of the year after, its last millisecond, and the Tuesday.
    1_546_214_400_000,
    1_546_300_799_999,
    1_546_300_800_000,
    // A Sunday of week 53 of the year before, its last millisecond, and the Monday.
    1_451_779_200_000,
    1_451_865_599_999,
    1_451_865_600_000,
    // 1970 and before, a leap day.
    0,
    -1,
    -86_400_001,
    951_782_400_000,
];

const AGENTS: [&str; 4] = [r#""Mozilla/5.0" (X11; Linux)"#, "Opera/9", "", "a\tb\n\\"];

/// Where listeners are.
const CITIES: [&str; 4] = ["Linköping, SE", "San Francisco, CA", "", "\u{1f3b5} city"];

/// Where artists are.
const LOCATIONS: [&str; 5] = ["", "California - LA", "Malmö", "", "27"];

const DEGREES: [&str; 6] = ["0", "35.14968", "-90.04892", "1e2", "0.0", "34.05"];

fn field(
    key: &'static str,
    value: impl Strategy<Value = Raw> + 'static,
) -> BoxedStrategy<(&'static str, Raw)> {
    value.prop_map(move |raw| (key, raw)).boxed()
}

/// The value, or null, or no such key.
fn optional(value: BoxedStrategy<Raw>) -> BoxedStrategy<Raw> {
    prop_oneof![
        8 => value,
        1 => Just(Some("null".to_owned())),
        1 => Just(None),
    ]
    .boxed()
}

/// A whole number in one of its spellings, also as a string.
fn whole(pool: &'static [i64]) -> BoxedStrategy<Raw> {
    // The first ones often, the far ones rarely.
    let often = pool[..pool.len().min(2)].to_vec();
    prop_oneof![3 => select(often), 1 => select(pool)].prop_flat_map(written_whole).boxed()
}

fn written_whole(value: i64) -> BoxedStrategy<Raw> {
    let forms = move |text: String| {
        let fraction = format!("{text}.0");
        let exponent = format!("{text}e0");
        // A zero may not stand in front of others.
        let shifted = if value == 0 { "0E-2".to_owned() } else { format!("{text}00E-2") };
        let scaled = format!("{text}.000e+00");
        prop_oneof![
            6 => Just(text),
            1 => select(vec![fraction, exponent, shifted, scaled]),
        ]
    };
    (forms(value.to_string()), proptest::bool::weighted(0.1))
        .prop_map(|(written, quoted)| Some(if quoted { quote(&written) } else { written }))
        .boxed()
}

/// A number as written, also as a string.
fn number(pool: &'static [&'static str]) -> BoxedStrategy<Raw> {
    number_of(pool.iter().map(|&written| written.to_owned()).collect())
}

fn number_of(pool: Vec<String>) -> BoxedStrategy<Raw> {
    (select(pool), proptest::bool::weighted(0.1))
        .prop_map(|(written, quoted)| Some(if quoted { quote(&written) } else { written }))
        .boxed()
}

/// Few users, many guests.
fn user_id() -> BoxedStrategy<Raw> {
    let users = ["\"15\"", "\"15\"", "\"49\"", "8", "15", "\"8.0\"", "49.0", "\"1.5e1\"", "-3"];
    let guests = ["\"\"", "null"];
    prop_oneof![
        6 => select(users.map(|id| Some(id.to_owned())).to_vec()),
        2 => select(guests.map(|id| Some(id.to_owned())).to_vec()),
        1 => Just(None),
    ]
    .boxed()
}

/// One of the names, the first one often.
fn name(pool: &'static [&'static str]) -> BoxedStrategy<Raw> {
    prop_oneof![1 => text(&pool[..1], true), 1 => text(pool, true)].boxed()
}

/// A text in one of its spellings; `mangled` ones may be encoded twice, up to five times.
fn text(pool: &'static [&'static str], mangled: bool) -> BoxedStrategy<Raw> {
    let times = if mangled {
        prop_oneof![8 => Just(0), 3 => 1..=3_usize, 1 => 4..=5_usize].boxed()
    } else {
        Just(0).boxed()
    };
    (select(pool), times, select(SPELLINGS.to_vec()), proptest::bool::weighted(0.1))
        .prop_map(|(text, times, spelling, bare)| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if bare && digits {
                return Some(format!("{text}{}", ["", ".0", "e0"][times % 3]));
            }
            let mut text = text.to_owned();
            for _ in 0..times {
                text = text.bytes().map(char::from).collect();
            }
            Some(spell(&text, spelling))
        })
        .boxed()
}

/// How the characters of a string are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// As they are, wherever JSON lets them.
    Plain,
    /// Beyond ASCII as `\u`, `/` as `\/`: what the course's logs do.
    Ascii,
    /// All of them as `\u`, hexadecimal digits in upper case.
    Escaped,
}

const SPELLINGS: [Spelling; 4] =
    [Spelling::Plain, Spelling::Plain, Spelling::Ascii, Spelling::Escaped];

fn spell(text: &str, spelling: Spelling) -> String {
    let mut raw = String::from("\"");
    for character in text.chars() {
        match (character, spelling) {
            (_, Spelling::Escaped) => escape(&mut raw, character, true),
            ('"', _) => raw.push_str("\\\""),
            ('\\', _) => raw.push_str("\\\\"),
            ('\n', _) => raw.push_str("\\n"),
            ('\t', _) => raw.push_str("\\t"),
            ('\0'..='\x1f', _) => escape(&mut raw, character, false),
            ('/', Spelling::Ascii) => raw.push_str("\\/"),
            (_, Spelling::Ascii) if !character.is_ascii() => escape(&mut raw, character, false),
            _ => raw.push(character),
        }
    }
    raw.push('"');
    raw
}

/// The character as `\u`, twice where it takes a surrogate pair.
fn escape(raw: &mut String, character: char, upper: bool) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        let digits = if upper { format!("{unit:04X}") } else { format!("{unit:04x}") };
        raw.push_str("\\u");
        raw.push_str(&digits);
    }
}

fn quote(text: &str) -> String {
    format!("\"{text}\"")
}
