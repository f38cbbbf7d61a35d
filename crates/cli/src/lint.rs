//! `sparkify sql --check` and `--rules`: checks SQL against the allow-list of documented Redshift
//! SQL.
//!
//! The linter is the crate `redshift-lint`; it needs no server. This module reads scripts, passes
//! their statements to the linter and prints the violations.

use std::io::Read;
use std::path::Path;

use redshift_lint::{Rule, RuleKind, Session, Violation, fill_parameters, rules, split};
use serde::Serialize;

use super::failure::{DATA, Failure};
use super::printer::Printer;
use super::query::unreadable;
use super::terminal;
use sparkify_warehouse::{Bounds, Opening, SqlFile};

/// The engine whose statements are checked.
const ENGINE: &str = "redshift";

/// Checks a script of the user: a file, or standard input for `-`.
pub(super) fn check_script(path: &str, printer: &Printer) -> Result<(), Failure> {
    let text = if path == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|error| {
            Failure::new(
                format!("cannot read SQL from standard input: {error}"),
                "send text in UTF-8",
            )
        })?;
        text
    } else {
        std::fs::read_to_string(path).map_err(|error| unreadable(Path::new(path), &error))?
    };
    let mut findings = Findings::default();
    findings.check(path, &text);
    findings.report(printer)
}

/// Checks sparkify's own files as Redshift gets them, for a full and for an incremental load.
pub(super) fn check_files(files: &[&SqlFile], printer: &Printer) -> Result<(), Failure> {
    let mut findings = Findings::default();
    let bounds = Bounds::example();
    for file in files {
        let [full, incremental] = [false, true]
            .map(|incremental| bounds.fill(&file.opened(Opening { engine: ENGINE, incremental })));
        findings.check_filled(file.name, &full);
        if incremental != full {
            findings.check_filled(&format!("{} (incremental)", file.name), &incremental);
        }
    }
    findings.report(printer)
}

/// Lists every rule and every entry of the allow-list.
pub(super) fn list_rules(printer: &Printer) -> Result<(), Failure> {
    let listed: Vec<Listed> = rules().map(Listed::from).collect();
    printer.result(&listed, || {
        let rows: Vec<Vec<String>> = listed.iter().map(Listed::row).collect();
        terminal::table(&["kind", "name", "description", "page"], &rows, &[])
    })
}

/// A statement that violates a rule.
#[derive(Serialize)]
struct Finding {
    script: String,
    line: usize,
    rule: &'static str,
    message: String,
    hint: String,
    page: &'static str,
}

#[derive(Default)]
struct Findings {
    statements: usize,
    refused: Vec<Finding>,
}

impl Findings {
    /// Checks a text with `$1`, `$2` … replaced by null and by numbers. Some clauses accept only
    /// numbers, so one of the two suffices.
    fn check_filled(&mut self, script: &str, text: &str) {
        let checked = ["null", "1"].map(|value| {
            let mut findings = Self::default();
            match fill_parameters(text, value) {
                Ok(filled) => findings.check(script, &filled),
                Err(violation) => findings.add(script, text, 0, violation),
            }
            findings
        });
        let [nulls, numbers] = checked;
        let findings = if numbers.refused.is_empty() { numbers } else { nulls };
        self.statements += findings.statements;
        self.refused.extend(findings.refused);
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
                // The statement is a slice of `text`: the difference of the addresses is its
                // offset.
                let start = statement.as_ptr().addr() - text.as_ptr().addr();
                self.add(script, text, start, violation);
            }
        }
    }

    fn add(&mut self, script: &str, text: &str, start: usize, violation: Violation) {
        let Violation { rule, message, page, offset, hint } = violation;
        let before = &text.as_bytes()[..(start + offset).min(text.len())];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        self.refused.push(Finding { script: script.into(), line, rule, message, hint, page });
    }

    fn report(self, printer: &Printer) -> Result<(), Failure> {
        printer.result(&self.refused, || self.refused.iter().map(Finding::text).collect())?;
        let (count, all) = (self.refused.len(), self.statements.max(self.refused.len()));
        if all == 0 {
            return Err(Failure::new(
                "no statement to check",
                "end each statement of the script with `;`",
            ));
        }
        if count == 0 {
            printer.note(&format!("statements checked: {all}, violations: none"));
            return Ok(());
        }
        printer.error(&format!("statements checked: {all}, violations: {count}"));
        Err(Failure::reported(DATA))
    }
}

impl Finding {
    fn text(&self) -> String {
        let Self { script, line, rule, message, hint, page } = self;
        format!("{script}:{line}: {rule}: {message}; hint: {hint}; {page}\n")
    }
}

/// A rule or allow-list entry as it is printed.
#[derive(Serialize)]
struct Listed {
    #[serde(rename = "does")]
    kind: &'static str,
    name: &'static str,
    #[serde(rename = "says")]
    description: &'static str,
    hint: &'static str,
    page: &'static str,
}

impl From<Rule> for Listed {
    fn from(rule: Rule) -> Self {
        let kind = match rule.kind {
            RuleKind::Restriction => "refuses",
            RuleKind::Statement => "statement",
            RuleKind::Type => "type",
            RuleKind::Function => "function",
            RuleKind::CopyOption => "copy option",
            RuleKind::UnloadOption => "unload option",
            RuleKind::Setting => "setting",
            _ => "other",
        };
        Self { kind, name: rule.id, description: rule.summary, hint: rule.hint, page: rule.page }
    }
}

impl Listed {
    fn row(&self) -> Vec<String> {
        [self.kind, self.name, self.description, self.page].map(Into::into).into()
    }
}
