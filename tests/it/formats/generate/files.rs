//! Files of an export: layouts, containers, compression and damage.

use std::path::Path;

use super::values::disturb;
use super::{put, record, repeated};
use crate::formats::json::{Json, Members, Style, number, text};
use crate::formats::random::Random;
use crate::formats::source::Source;
use crate::support::{gzip, put as put_file};

/// Export of one account.
pub(in crate::formats) struct Export {
    pub(in crate::formats) source: Source,
    pub(in crate::formats) files: Vec<File>,
}

/// File of an export.
pub(in crate::formats) struct File {
    /// Path below the folder of logs.
    pub(in crate::formats) path: String,
    /// Bytes as stored.
    stored: Vec<u8>,
    /// Records that are complete.
    pub(in crate::formats) records: Vec<Json>,
    /// Number of rejects that are no records.
    pub(in crate::formats) damage: u64,
}

/// Writes the files of exports below a folder.
pub(in crate::formats) fn write_exports<'a>(
    files: impl IntoIterator<Item = &'a File>,
    folder: &Path,
) {
    std::fs::create_dir_all(folder).expect("a folder");
    for file in files {
        put_file(folder, &file.path, &file.stored);
    }
}

impl Export {
    /// Generates an export of a few files. `folder` is the folder of its files.
    pub(in crate::formats) fn new(source: Source, folder: &str, random: &mut Random) -> Self {
        let mut earlier: Vec<Json> = Vec::new();
        let files = (0..=random.below(3)).map(|number| {
            let records: Vec<Json> = (0..random.below(14))
                .map(|_| {
                    let record = match earlier.as_slice() {
                        [] => record(source, random),
                        earlier if random.one_in(8) => random.pick(earlier),
                        earlier if random.one_in(8) => {
                            repeated(source, &random.pick(earlier), random)
                        }
                        _ => record(source, random),
                    };
                    earlier.push(record.clone());
                    record
                })
                .collect();
            File::new(source, &format!("{folder}/part {number}"), records, true, random)
        });
        Self { source, files: files.collect() }
    }

    /// Generates an export of one file that is read in slices. In some of them nested objects begin
    /// lines, as records do.
    pub(in crate::formats) fn large(source: Source, random: &mut Random) -> Self {
        const BYTES: usize = 9 << 20;
        let style = random.pick(&[Style::flat, Style::compact]);
        let (mut records, mut bytes) = (Vec::new(), 0);
        while bytes < BYTES {
            let record = record(source, random);
            bytes += Style::PLAIN.write(&record).len();
            records.push(record);
        }
        let stored = if source.container().is_some() {
            let list = Json::List(records.clone());
            joined(&[container(source, list, random)], style, random)
        } else {
            joined(&records, style, random)
        };
        let path = "export/large.json".to_owned();
        Self { source, files: vec![File { path, stored, records, damage: 0 }] }
    }

    /// Generates a later export, which repeats all records of an earlier one in other files, and
    /// has new ones.
    pub(in crate::formats) fn later(&self, folder: &str, random: &mut Random) -> Self {
        let earlier = self.files.iter().flat_map(|file| &file.records);
        let mut records: Vec<Json> =
            earlier.map(|record| repeated(self.source, record, random)).collect();
        for _ in 0..random.below(4) {
            records.push(record(self.source, random));
        }
        random.shuffle(&mut records);
        let size = 1 + random.below(8);
        let files = records.chunks(size).enumerate().map(|(number, records)| {
            let path = format!("{folder}/part {number}");
            File::new(self.source, &path, records.to_vec(), false, random)
        });
        Self { source: self.source, files: files.collect() }
    }
}

impl File {
    /// Writes records as a file, which may be damaged.
    fn new(
        source: Source,
        path: &str,
        records: Vec<Json>,
        damaged: bool,
        random: &mut Random,
    ) -> Self {
        let (mut plain, records, damage) = if damaged && random.one_in(4) && !records.is_empty() {
            with_damage(source, records, random)
        } else if source.container().is_some() {
            in_containers(source, records, damaged, random)
        } else {
            (joined(&records, Style::any, random), records, 0)
        };
        if random.one_in(8) {
            plain.splice(..0, *b"\xef\xbb\xbf");
        }
        let (ending, stored) = match random.below(8) {
            0 => (".json.gz", gzip(&plain)),
            1 => (".json.zst", zstd::stream::encode_all(&*plain, 1).expect("memory")),
            2 => (".jsonl", plain),
            _ => (".json", plain),
        };
        Self { path: format!("{path}{ending}"), stored, records, damage }
    }
}

/// Bytes before, between and after the records of a file.
const LAYOUTS: [[&str; 3]; 9] = [
    ["", "\n", "\n"],
    ["", "\r\n", ""],
    ["", "", ""],
    ["\n \n", " \t", "\n\n"],
    ["[", ",", "]"],
    ["[", ",", "]"],
    ["[\n", ",\n", "\n]\n"],
    [" [ ", "\r\n, ", " ] "],
    ["[\r\n", "\r\n,\r\n", "\r\n]\r\n"],
];

/// Writes values as a file in any layout.
fn joined(values: &[Json], style: fn(&mut Random) -> Style, random: &mut Random) -> Vec<u8> {
    let [before, between, after] = random.pick(&LAYOUTS);
    let same = style(random);
    let mixed = random.one_in(3);
    let written: Vec<String> =
        values.iter().map(|value| if mixed { style(random) } else { same }.write(value)).collect();
    format!("{before}{}{after}", written.join(between)).into_bytes()
}

/// Text between records that is no JSON structure.
const JUNK: [&[u8]; 6] = [
    b"$ cat export.json | head\n",
    b"<html>\n",
    b"null\n",
    b"42 \"text\"\r\n",
    b"\xff\xfe\n",
    b"rm -rf a/b && ",
];

/// Writes one record a line, with one defect.
fn with_damage(
    source: Source,
    mut records: Vec<Json>,
    random: &mut Random,
) -> (Vec<u8>, Vec<Json>, u64) {
    let mut written: Vec<Vec<u8>> =
        records.iter().map(|record| Style::compact(random).write(record).into_bytes()).collect();
    let in_array = source.container().is_some() || random.one_in(2);
    let opening = source.container().map_or("[\n".to_owned(), |key| format!("{{\"{key}\":[\n"));
    let closing = if source.container().is_some() { "\n]}\n" } else { "\n]\n" };
    let (before, between, mut after) =
        if in_array { (&*opening, ",\n", closing) } else { ("", "\n", "\n") };
    let place = random.below(written.len());
    let is_last = place + 1 == written.len();
    let damage = match random.below(3) {
        0 if !in_array || place > 0 => {
            // Bytes between records are one reject, up to the next brace.
            written[place].splice(..0, random.pick(&JUNK).iter().copied());
            1
        }
        1 => {
            // A record that breaks off is one reject, up to the next line that begins with a brace.
            // After the last one, this includes the end of the array.
            let length = 1 + random.below(written[place].len() - 1);
            written[place].truncate(length);
            records.remove(place);
            if in_array && is_last { 2 } else { 1 }
        }
        _ => {
            // A truncated file: its array is not closed.
            after = "";
            u64::from(in_array)
        }
    };
    let bytes = [before.as_bytes(), &written.join(between.as_bytes()), after.as_bytes()].concat();
    (bytes, records, damage)
}

/// Writes records in the arrays of a few objects.
fn in_containers(
    source: Source,
    mut records: Vec<Json>,
    damaged: bool,
    random: &mut Random,
) -> (Vec<u8>, Vec<Json>, u64) {
    let mut containers = Vec::new();
    let mut rest = records.as_slice();
    while !rest.is_empty() || containers.is_empty() || random.one_in(6) {
        let (here, after) = rest.split_at(random.below(rest.len() + 1));
        rest = after;
        let list = match here {
            [only] if random.one_in(3) => only.clone(),
            here => Json::List(here.to_vec()),
        };
        containers.push(container(source, list, random));
    }
    let mut damage = 0;
    if damaged && random.one_in(10) {
        let other = random.pick(&[
            Json::Object(Members::new()),
            Json::Object(vec![("exported_at".to_owned(), text("]}"))]),
            Json::Object(vec![("a".to_owned(), Json::List(vec![Json::Object(Members::new())]))]),
        ]);
        containers.insert(random.below(containers.len() + 1), other);
        damage = 1;
    }
    if records.is_empty() && random.one_in(4) {
        return (Vec::new(), std::mem::take(&mut records), 0);
    }
    (joined(&containers, Style::any, random), records, damage)
}

fn container(source: Source, list: Json, random: &mut Random) -> Json {
    let mut members = Members::new();
    match source {
        Source::LastFm => {
            let attributes = vec![("page".to_owned(), text("1")), ("user".to_owned(), text("}"))];
            put(&mut members, "@attr", Json::Object(attributes));
        }
        Source::Maloja => {
            let export = vec![("export_time".to_owned(), number(1_709_290_000))];
            put(&mut members, "maloja", Json::Object(export));
        }
        _ => {
            put(&mut members, "version", text("1"));
            put(&mut members, "exported_at", text("2024-03-02T00:00:00Z"));
            put(&mut members, "user", text("invented"));
        }
    }
    disturb(random, &mut members);
    let place = random.below(members.len() + 1);
    let key = source.container().expect("a container");
    members.insert(place, (key.to_owned(), list));
    if source == Source::LastFm && random.one_in(2) {
        let mut outer = Members::new();
        disturb(random, &mut outer);
        put(&mut outer, "recenttracks", Json::Object(members));
        return Json::Object(outer);
    }
    Json::Object(members)
}
