//! `sparkify sql --check` and `--rules`: whether Amazon Redshift documents what it would be sent, asked of nobody.
//!
//! The gate itself is a crate of its own; here a script is found, its statements are handed over one after the other, and the answer is told.

use std::io::Read;
use std::path::Path;

use redshift_lint::{Rule, RuleKind, Session, Violation, fill_parameters, rules, split};
use serde::Serialize;

use super::failure::{DATA, Failure};
use super::printer::Printer;
use super::query::unreadable;
use crate::report::plain_table;
use crate::warehouse::{Opening, SqlFile};

/// The engine whose statements are checked.
const ENGINE: &str = "redshift";

/// Checks a script of somebody's: a file, or standard input for `-`.
pub(super) fn check_script(path: &str, printer: &Printer) -> Result<(), Failure> {
    let text = if path == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|error| {
            Failure::new(format!("cannot read SQL from standard input: {error}"), "send text")
        })?;
        text
    } else {
        std::fs::read_to_string(path).map_err(|error| unreadable(Path::new(path), &error))?
    };
    let mut found = Found::default();
    found.check(path, &text);
    found.tell(printer)
}

/// Checks our own files as that engine would get them, for a full and for an incremental load. Bound values are null, or numbers where only these may stand.
pub(super) fn check_files(files: &[&SqlFile], printer: &Printer) -> Result<(), Failure> {
    let mut found = Found::default();
    for file in files {
        let [full, incremental] =
            [false, true].map(|incremental| file.opened(Opening { engine: ENGINE, incremental }));
        found.check_filled(file.name, &full);
        if incremental != full {
            found.check_filled(&format!("{} (incremental)", file.name), &incremental);
        }
    }
    found.tell(printer)
}

/// Lists every rule and every entry of the lists.
pub(super) fn list_rules(printer: &Printer) -> Result<(), Failure> {
    let listed: Vec<Listed> = rules().map(Listed::from).collect();
    printer.answer(&listed, || {
        let rows: Vec<Vec<String>> = listed.iter().map(Listed::row).collect();
        plain_table(&["does", "name", "says", "page"], &rows, &[])
    })
}

/// A statement that is refused.
#[derive(Serialize)]
struct Refused {
    script: String,
    line: usize,
    rule: &'static str,
    message: String,
    hint: String,
    page: &'static str,
}

#[derive(Default)]
struct Found {
    statements: usize,
    refused: Vec<Refused>,
}

impl Found {
    fn check_filled(&mut self, script: &str, text: &str) {
        let checked = ["null", "1"].map(|value| {
            let mut found = Self::default();
            match fill_parameters(text, value) {
                Ok(filled) => found.check(script, &filled),
                Err(violation) => found.add(script, text, 0, violation),
            }
            found
        });
        let [nulls, numbers] = checked;
        let found = if numbers.refused.is_empty() { numbers } else { nulls };
        self.statements += found.statements;
        self.refused.extend(found.refused);
    }

    fn check(&mut self, script: &str, text: &str) {
        let statements = match split(text) {
            Ok(statements) => statements,
            Err(violation) => return self.add(script, text, 0, violation),
        };
        let mut session = Session::rejecting_implicit_commits();
        for statement in statements {
            self.statements += 1;
            if let Err(violation) = session.check(statement) {
                // A statement is a part of the text, so this is where it begins.
                let start = statement.as_ptr().addr() - text.as_ptr().addr();
                self.add(script, text, start, violation);
            }
        }
    }

    fn add(&mut self, script: &str, text: &str, start: usize, violation: Violation) {
        let Violation { rule, message, page, offset, hint } = violation;
        let before = &text.as_bytes()[..(start + offset).min(text.len())];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        self.refused.push(Refused { script: script.into(), line, rule, message, hint, page });
    }

    fn tell(self, printer: &Printer) -> Result<(), Failure> {
        printer.answer(&self.refused, || self.refused.iter().map(Refused::text).collect())?;
        let (count, all) = (self.refused.len(), self.statements.max(self.refused.len()));
        if all == 0 {
            return Err(Failure::new("there is no statement to check", "end each one with `;`"));
        }
        if count == 0 {
            printer.note(&format!("statements checked: {all}, refused: none"));
            return Ok(());
        }
        printer.error(&format!("statements checked: {all}, refused: {count}"));
        Err(Failure::told(DATA))
    }
}

impl Refused {
    fn text(&self) -> String {
        let Self { script, line, rule, message, hint, page } = self;
        format!("{script}:{line}: {rule}: {message}; hint: {hint}; {page}\n")
    }
}

/// A rule for people and programs.
#[derive(Serialize)]
struct Listed {
    does: &'static str,
    name: &'static str,
    says: &'static str,
    hint: &'static str,
    page: &'static str,
}

impl From<Rule> for Listed {
    fn from(rule: Rule) -> Self {
        let does = match rule.kind {
            RuleKind::Restriction => "refuses",
            RuleKind::Statement => "statement",
            RuleKind::Type => "type",
            RuleKind::Function => "function",
            RuleKind::CopyOption => "copy option",
            RuleKind::UnloadOption => "unload option",
            RuleKind::Setting => "setting",
            _ => "other",
        };
        Self { does, name: rule.id, says: rule.summary, hint: rule.hint, page: rule.page }
    }
}

impl Listed {
    fn row(&self) -> Vec<String> {
        [self.does, self.name, self.says, self.page].map(Into::into).into()
    }
}
