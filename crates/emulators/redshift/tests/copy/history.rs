//! Rows of the load views, and the session's last COPY.

use redshift_emulator::copy::history::{LastCopy, LoadLog, LoadRun};
use redshift_emulator::copy::{self, LoadFailure, Loaded};
use s3_emulator::Server;

use crate::{columns, store};

/// Loads one valid and two invalid records from two files with these options.
fn loaded(options: &str) -> (copy::CopyStatement, Result<Loaded, LoadFailure>) {
    let server = Server::start();
    server.put("in/a", "{\"a\": 1}\n{\"a\": \"x\"}\n");
    server.put("in/b", "{\"a\": \"y\"}");
    let statement = format!(
        "copy public.t from 's3://bucket/in/' iam_role 'arn:aws:iam::000000000000:role/reader' json 'auto' {options}"
    );
    let copy = copy::parse(&statement).unwrap();
    let objects = store(&server).open(&copy).unwrap();
    let outcome = copy::execute(&copy, &columns(&["a integer"]), &objects);
    (copy, outcome)
}

fn run() -> LoadRun {
    let database_name = "dev".to_owned();
    LoadRun {
        stl_query: 0,
        query_id: 7,
        database_name,
        start_time: 1_000_000,
        end_time: 1_500_000,
        ..LoadRun::default()
    }
}

#[test]
fn a_completed_load_counts_rows_files_and_errors() {
    let (copy, outcome) = loaded("maxerror 5");
    let mut history = LoadLog::default();
    history.add(&run(), &copy, outcome.as_ref());
    let row = &history.loads[0];
    assert_eq!((row.status, row.table_name.as_str(), row.file_format), ("completed", "t", "json"));
    assert_eq!(row.data_source, "s3://bucket/in/");
    assert_eq!((row.loaded_rows, row.loaded_bytes, row.error_count), (1, 1, 2));
    assert_eq!((row.source_file_count, row.file_count_scanned), (2, 2));
    assert_eq!((row.source_file_bytes, row.duration, row.copy_job_id), (30, 500_000, 0));
    let notices = outcome.unwrap().notices;
    assert_eq!(notices[0], "Load into table 't' completed, 1 record(s) loaded successfully.");
    assert!(notices[1].contains("2 record(s) could not be loaded"), "{notices:?}");
}

#[test]
fn error_values_are_padded_to_their_char_columns() {
    let (copy, outcome) = loaded("maxerror 5");
    let mut history = LoadLog::default();
    history.add(&run(), &copy, outcome.as_ref());
    let error = &history.errors[0];
    let widths = [
        (&error.database_name, 64, "dev"),
        (&error.file_name, 256, "s3://bucket/in/a"),
        (&error.column_name, 127, "a"),
        (&error.column_type, 10, "int4"),
        (&error.column_length, 10, "0"),
        (&error.error_message, 512, "Invalid digit, Value 'x', Pos 0, Type: Integer"),
    ];
    for (value, width, trimmed) in widths {
        assert_eq!((value.len(), value.trim_end()), (width, trimmed));
    }
    assert_eq!(
        (error.line_number, error.error_code, error.position, error.query_id),
        (2, 1207, 0, 7)
    );
    assert_eq!(history.errors.len(), 2);
}

#[test]
fn a_failed_load_is_aborted_and_one_that_never_began_has_no_row() {
    let (copy, outcome) = loaded("");
    let mut history = LoadLog::default();
    history.add(&run(), &copy, outcome.as_ref());
    let row = &history.loads[0];
    assert_eq!((row.status, row.loaded_rows, row.error_count), ("aborted", 0, 1));
    assert_eq!(history.errors.len(), 1);

    let mut last = LastCopy::default();
    assert_eq!((last.id, last.count), (-1, 0));
    let (_, completed) = loaded("maxerror 5");
    last.update(5, completed.as_ref());
    assert_eq!((last.id, last.count), (5, 1));
    last.update(6, outcome.as_ref());
    assert_eq!((last.id, last.count), (6, 0));

    let not_started = LoadFailure { started: false, ..outcome.unwrap_err() };
    history.add(&run(), &copy, Err(&not_started));
    last.update(8, Err(&not_started));
    assert_eq!((history.loads.len(), last.id), (1, 6));
}
