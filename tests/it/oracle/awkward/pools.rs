//! Small pools of values, as raw JSON.

use proptest::prelude::*;
use proptest::sample::select;

use super::{Kind, Members};

/// Value as raw JSON, or none for a missing key.
type Raw = Option<String>;

/// Members that identify a play, or a song and its artist.
pub(super) fn identity(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Event => &["sessionId", "itemInSession", "ts", "userId", "page"],
        Kind::Song => &["song_id", "artist_id"],
    }
}

/// Generates the members of a valid record, in the usual order or another.
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

/// Generates an unknown key.
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

/// Few, so that plays often match the catalogue.
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

/// The same name in composed and decomposed form, and others.
const ARTISTS: [&str; 7] = ["Björk", "Bjork", "Bjo\u{308}rk", "AC/DC", "112", "日本", "Ö"];

/// Close to each other: within 0.001 s, within 0.002 s, and equal in two spellings.
const LENGTHS: [&str; 8] =
    ["200", "200.0", "200.0005", "200.001", "200.002", "199.999", "199.9985", "2.1e2"];

/// Few, often equal, some at the limits of ISO weeks and years.
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

/// Locations of listeners.
const CITIES: [&str; 4] = ["Linköping, SE", "San Francisco, CA", "", "\u{1f3b5} city"];

/// Locations of artists.
const LOCATIONS: [&str; 5] = ["", "California - LA", "Malmö", "", "27"];

const DEGREES: [&str; 6] = ["0", "35.14968", "-90.04892", "1e2", "0.0", "34.05"];

fn field(
    key: &'static str,
    value: impl Strategy<Value = Raw> + 'static,
) -> BoxedStrategy<(&'static str, Raw)> {
    value.prop_map(move |raw| (key, raw)).boxed()
}

/// Generates the value, null, or no key.
fn optional(value: BoxedStrategy<Raw>) -> BoxedStrategy<Raw> {
    prop_oneof![
        8 => value,
        1 => Just(Some("null".to_owned())),
        1 => Just(None),
    ]
    .boxed()
}

/// Generates a whole number in one of its spellings, also as a string.
fn whole(pool: &'static [i64]) -> BoxedStrategy<Raw> {
    // The first two are frequent.
    let often = pool[..pool.len().min(2)].to_vec();
    prop_oneof![3 => select(often), 1 => select(pool)].prop_flat_map(written_whole).boxed()
}

fn written_whole(value: i64) -> BoxedStrategy<Raw> {
    let spellings = move |text: String| {
        let fraction = format!("{text}.0");
        let exponent = format!("{text}e0");
        // Leading zeros are invalid.
        let shifted = if value == 0 { "0E-2".to_owned() } else { format!("{text}00E-2") };
        let scaled = format!("{text}.000e+00");
        prop_oneof![
            6 => Just(text),
            1 => select(vec![fraction, exponent, shifted, scaled]),
        ]
    };
    (spellings(value.to_string()), proptest::bool::weighted(0.1))
        .prop_map(|(written, quoted)| Some(if quoted { quote(&written) } else { written }))
        .boxed()
}

/// Generates a number as written, also as a string.
fn number(pool: &'static [&'static str]) -> BoxedStrategy<Raw> {
    number_of(pool.iter().map(|&written| written.to_owned()).collect())
}

fn number_of(pool: Vec<String>) -> BoxedStrategy<Raw> {
    (select(pool), proptest::bool::weighted(0.1))
        .prop_map(|(written, quoted)| Some(if quoted { quote(&written) } else { written }))
        .boxed()
}

/// Generates few users and many guests.
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

/// Generates one of the names, mostly the first.
fn name(pool: &'static [&'static str]) -> BoxedStrategy<Raw> {
    prop_oneof![1 => text(&pool[..1], true), 1 => text(pool, true)].boxed()
}

/// Generates a text in one of its spellings. `mangled` texts may be double-encoded, up to five
/// times.
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

/// Spelling of the characters of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// Unescaped where JSON allows it.
    Plain,
    /// Non-ASCII as `\u` and `/` as `\/`, as in the logs of the course.
    Ascii,
    /// All as `\u`, with upper-case digits.
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

/// Appends the character as `\u`, twice for a surrogate pair.
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
