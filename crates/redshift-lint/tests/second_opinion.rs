//! What the gate accepts, somebody else's grammar of Redshift reads too: sqlfluff, in a pinned version.
//!
//! It is run by `scripts/sqlfluff.sh`, which fetches it and fails where it cannot. The forms that it lacks are named in `statements/`, and must fail, so that the names stay true.

mod corpus;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use corpus::Expected;

/// A folder of this test's own, removed when the test ends.
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

/// The names of the files that sqlfluff cannot read, and whether the script says so by its exit code.
fn unread(folder: &Folder) -> (BTreeSet<String>, bool) {
    let script = corpus::root().join("../../scripts/sqlfluff.sh");
    let output = Command::new(script).arg(&folder.0).output().unwrap();
    let (told, said) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
    println!("{}", said.trim());
    (told.lines().map(Into::into).collect(), output.status.success())
}

#[test]
fn sqlfluff_reads_what_the_gate_accepts() {
    let folder = Folder::new("accepted");
    let accepted: Vec<_> = corpus::cases()
        .into_iter()
        .filter(|case| matches!(case.expected, Expected::Accepts(_)))
        .collect();
    let mut excepted = BTreeSet::new();
    for (place, case) in accepted.iter().enumerate() {
        let name = format!("{}-{place:03}.sql", case.file);
        std::fs::write(folder.0.join(&name), format!("{}\n", case.statement)).unwrap();
        if case.unlike_sqlfluff {
            excepted.insert(name);
        }
    }
    assert!(
        accepted.len() > 200 && excepted.len() < 20,
        "{} of {}",
        excepted.len(),
        accepted.len()
    );
    let (unread, _) = unread(&folder);
    for name in unread.symmetric_difference(&excepted) {
        let statement = std::fs::read_to_string(folder.0.join(name)).unwrap();
        let wrong =
            if excepted.contains(name) { "is read, and is said not to be" } else { "is not read" };
        println!("{name} {wrong}: {statement}");
    }
    assert_eq!(unread, excepted);
}

#[test]
fn the_second_opinion_is_able_to_say_no() {
    let folder = Folder::new("refused");
    let statements = [
        ("conflict.sql", "insert into t (a) values (1) on conflict (a) do nothing"),
        ("good.sql", "select 1"),
        ("option.sql", "copy t from 's3://b/k' iam_role default frobnicate 12"),
    ];
    for (name, statement) in statements {
        std::fs::write(folder.0.join(name), statement).unwrap();
    }
    let (unread, fine) = unread(&folder);
    assert_eq!(unread, ["conflict.sql", "option.sql"].map(String::from).into());
    assert!(!fine);
}
