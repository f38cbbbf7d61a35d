//! Property tests: any input ends with rows and errors, and every valid record becomes a row
//! regardless of white space.

use std::collections::BTreeMap;

use proptest::prelude::*;
use redshift_emulator::copy::{self, ObjectError, ObjectReader};

use crate::columns;

/// Objects in memory, without S3 requests.
struct Memory(BTreeMap<String, Vec<u8>>);

impl ObjectReader for Memory {
    fn get(&self, url: &str) -> Result<Vec<u8>, ObjectError> {
        self.0.get(url).cloned().ok_or_else(|| ObjectError::NotFound(url.to_owned()))
    }

    fn list(&self, url_prefix: &str) -> Result<Vec<(String, u64)>, ObjectError> {
        let listed = self.0.iter().filter(|(url, _)| url.starts_with(url_prefix));
        Ok(listed.map(|(url, bytes)| (url.clone(), bytes.len() as u64)).collect())
    }
}

const DECLARED: [&str; 9] = [
    "a integer",
    "b varchar(6)",
    "c double precision",
    "d numeric(6,2)",
    "e timestamp",
    "f date",
    "g boolean",
    "h super",
    "i char(3)",
];

fn statement(options: &str) -> String {
    format!("copy t from 's3://b/d' iam_role 'arn' json {options}")
}

fn execute(statement: &str, files: &[(&str, &[u8])]) -> Result<copy::Loaded, copy::LoadFailure> {
    let copy = copy::parse(statement).expect("invalid statement");
    let files = files.iter().map(|(url, bytes)| ((*url).to_owned(), bytes.to_vec()));
    copy::execute(&copy, &columns(&DECLARED), &Memory(files.collect()))
}

/// Generates text of JSON fragments, which is rarely valid JSON.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        Just("{".as_bytes().to_vec()),
        Just(b"}".to_vec()),
        Just(b"[".to_vec()),
        Just(b"]".to_vec()),
        Just(b",".to_vec()),
        Just(b":".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\n{".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\u".to_vec()),
        Just(b"\\ud83c\\u".to_vec()),
        Just(b"1e99".to_vec()),
        Just(b"-0.5".to_vec()),
        Just(b"null".to_vec()),
        "\"[a-i]\":".prop_map(String::into_bytes),
        "\"[0-9TZ:. +/-]{0,24}\"".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(fragment, 0..60).prop_map(|fragments| fragments.concat())
}

const OPTIONS: [&str; 6] = [
    "'auto' maxerror 100000",
    "'auto ignorecase' ignoreallerrors timeformat 'auto' dateformat 'auto'",
    "'auto' ignoreallerrors timeformat 'epochmillisecs' acceptinvchars truncatecolumns",
    "'auto' ignoreallerrors timeformat 'MON DD YY HH12:MI AM' dateformat 'DD.MM.YYYY' roundec",
    "'s3://b/paths' ignoreallerrors blanksasnull emptyasnull trimblanks",
    "'auto' ignoreallerrors ignoreheader 2 acceptanydate",
];
const PATHS: &[u8] =
    br#"{"jsonpaths": ["$.a", "$.b", "$.c", "$.d", "$.e", "$.f[0]", "$.g", "$.h", "$.i.a"]}"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_input_ends_with_rows_and_errors(bytes in fragments(), option in 0..OPTIONS.len()) {
        let files = [("s3://b/d", &bytes[..]), ("s3://b/paths", PATHS)];
        match execute(&statement(OPTIONS[option]), &files) {
            Ok(loaded) => {
                let lines = bytes.split(|byte| *byte == b'\n').count();
                let mut last = 1;
                for error in &loaded.errors {
                    prop_assert!(error.line_number >= last, "{error:?}");
                    last = error.line_number;
                }
                prop_assert!(usize::try_from(last).unwrap() <= lines);
                prop_assert!(loaded.rows.iter().all(|row| row.len() == DECLARED.len()));
            }
            Err(failure) => {
                prop_assert!(failure.message.contains("not supported by the emulator"), "{failure}");
            }
        }
    }

    #[test]
    fn valid_records_are_rows_regardless_of_white_space(
        records in prop::collection::vec((any::<i32>(), "[a-zé{}\\[\\]]{0,3}", "[ \n\t\r]{0,3}", "[ \n\t\r]{0,3}"), 1..20),
    ) {
        let mut file = String::new();
        let mut lines = Vec::new();
        for (number, text, inside, between) in &records {
            file = format!("{file}{{{inside}\"b\"{inside}:\"{text}\",\"a\":{inside}{number}{inside}}}");
            lines.push(i64::try_from(file.matches('\n').count() + 1).unwrap());
            file += between;
        }
        let loaded = execute(&statement("'auto'"), &[("s3://b/d", file.as_bytes())]).unwrap();
        let expected: Vec<_> = records.iter().map(|(number, text, ..)| (number.to_string(), text.clone())).collect();
        let value = |row: &[Option<String>], at: usize| row[at].clone().unwrap();
        let got: Vec<_> = loaded.rows.iter().map(|row| (value(row, 0), value(row, 1))).collect();
        prop_assert_eq!(expected, got);

        // Make the records invalid: the line of an error is the last line of its record.
        let invalid = file.replace("\"a\":", "\"g\":").replace("\"b\"", "\"c\"");
        let loaded = execute(&statement("'auto' ignoreallerrors"), &[("s3://b/d", invalid.as_bytes())]).unwrap();
        for error in &loaded.errors {
            prop_assert!(lines.contains(&error.line_number), "{:?}", error);
        }
        prop_assert_eq!(loaded.errors.len() + loaded.rows.len(), records.len());
    }

    #[test]
    fn malformed_statements_do_not_panic(cut in 0usize..200, put in "[ -~é\n]{0,6}", at in 0usize..200) {
        let whole = "copy s.\"T\" (a, b) from 's3://b/d' credentials as 'aws_iam_role=arn' format as json 'auto' \
                     acceptinvchars as '^' maxerror as 5 timeformat 'auto' region as 'x' /* y */ gzip;";
        let (at, cut) = (at.min(whole.len()), cut.min(whole.len()));
        let malformed = format!("{}{put}{}", &whole[..at], &whole[cut..]);
        if let Err(error) = copy::parse(&malformed) {
            prop_assert!(!error.message.is_empty());
        }
        prop_assert!(copy::parse(whole).is_ok());
    }
}
