//! Comparison with an independent grammar of Redshift SQL: sqlfluff, in a pinned version.
//!
//! sqlfluff must parse every statement that the linter accepts. `scripts/sqlfluff.sh` installs and
//! runs it, and fails if it cannot. Valid statements that sqlfluff does not parse are marked in
//! `statements/`, and must fail, so that the marks stay correct.

mod corpus;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use corpus::Expected;

/// Temporary folder, removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("redshift-lint-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Returns the files that sqlfluff cannot parse, and true if the script exits with success.
fn unparsed(folder: &Folder) -> (BTreeSet<String>, bool) {
    let script = corpus::root().join("../../scripts/sqlfluff.sh");
    let output = Command::new(script).arg(&folder.0).output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(matches!(output.status.code(), Some(0 | 1)), "{stderr}");
    println!("{}", stderr.trim());
    (stdout.lines().map(Into::into).collect(), output.status.success())
}

#[test]
fn sqlfluff_parses_every_valid_statement() {
    let folder = Folder::new("valid");
    let valid: Vec<_> = corpus::cases()
        .into_iter()
        .filter(|case| matches!(case.expected, Expected::Valid(_)))
        .collect();
    let mut marked = BTreeSet::new();
    for (number, case) in valid.iter().enumerate() {
        let name = format!("{}-{number:03}.sql", case.file);
        std::fs::write(folder.0.join(&name), format!("{}\n", case.statement)).unwrap();
        if case.unlike_sqlfluff {
            marked.insert(name);
        }
    }
    assert!(valid.len() > 200 && marked.len() < 30, "{} of {}", marked.len(), valid.len());
    let (unparsed, _) = unparsed(&folder);
    for name in unparsed.symmetric_difference(&marked) {
        let statement = std::fs::read_to_string(folder.0.join(name)).unwrap();
        let difference = if marked.contains(name) {
            "is marked, but sqlfluff parses it"
        } else {
            "is not marked, but sqlfluff does not parse it"
        };
        println!("{name} {difference}: {statement}");
    }
    assert_eq!(unparsed, marked);
}

#[test]
fn sqlfluff_reports_invalid_statements() {
    let folder = Folder::new("invalid");
    let statements = [
        ("conflict.sql", "insert into t (a) values (1) on conflict (a) do nothing"),
        ("good.sql", "select 1"),
        ("option.sql", "copy t from 's3://b/k' iam_role default frobnicate 12"),
    ];
    for (name, statement) in statements {
        std::fs::write(folder.0.join(name), statement).unwrap();
    }
    let (unparsed, success) = unparsed(&folder);
    assert_eq!(unparsed, ["conflict.sql", "option.sql"].map(String::from).into());
    assert!(!success);
}
