//! Warehouse that explains the statements of a load. Only statements on temporary tables run.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::StatementPlan;
use super::text::{Plan, ScannedTable};
use crate::{model, sql};
use sparkify_warehouse::{
    FoundColumn, Opening, RowSink, RowSource, SqlFile, Statistics, Value, Warehouse, WarehouseError,
};

/// Effect of a statement, by which it runs or not.
#[derive(Debug, PartialEq, Eq)]
enum Effect<'a> {
    /// Creates a temporary table, from a query if `from_query`.
    Creates { table: &'a str, from_query: bool },
    /// Writes rows of a table.
    Writes(&'a str),
    /// Drops a table.
    Drops(&'a str),
    /// Reads.
    Reads,
    /// Something else, such as a lock.
    Other,
}

impl<'a> Effect<'a> {
    fn of(statement: &'a str) -> Self {
        let words: Vec<&str> = statement.split_whitespace().take(4).collect();
        match words[..] {
            ["create", "temp", "table", name] => Self::Creates {
                table: table_name(name),
                from_query: statement
                    .split(|letter: char| letter.is_whitespace() || letter == '(')
                    .any(|word| word == "select"),
            },
            ["insert", "into", name, ..] | ["delete", "from", name, ..] => {
                Self::Writes(table_name(name))
            }
            ["update", name, ..] => Self::Writes(table_name(name)),
            ["drop", "table", name, ..] => Self::Drops(table_name(name)),
            ["select" | "with", ..] => Self::Reads,
            _ => Self::Other,
        }
    }
}

fn table_name(word: &str) -> &str {
    word.split(['(', ';']).next().unwrap_or(word).trim_matches('"')
}

/// Delegates to a warehouse as the module describes, and collects plans.
pub(super) struct Explainer<'a> {
    inner: &'a mut dyn Warehouse,
    template: String,
    tables: Vec<ScannedTable>,
    /// Statements of the files, with the names of these.
    names: Vec<(String, String)>,
    temporary: BTreeSet<String>,
    pub plans: Vec<StatementPlan>,
}

impl<'a> Explainer<'a> {
    /// Returns none if plans of this engine are not analyzed.
    pub(super) fn new(inner: &'a mut dyn Warehouse) -> Option<Self> {
        let opening = Opening::full(inner.engine());
        let template = sql::explain::EXPLAIN.statement(opening);
        let large = [
            sql::model::SONGPLAYS,
            sparkify_reader::stage::STAGING_EVENTS,
            sparkify_reader::stage::STAGING_SONGS,
        ];
        let tables = large.iter().map(|file| scanned_table(file, opening)).collect();
        let is_analyzed = !template.is_empty();
        let names = names(inner.engine());
        is_analyzed.then_some(Self {
            inner,
            template,
            tables,
            names,
            temporary: BTreeSet::new(),
            plans: Vec::new(),
        })
    }

    fn explain(&mut self, statement: &str, parameters: &[Value]) -> Result<(), WarehouseError> {
        let mut lines = Lines::default();
        let explain = self.template.replace(":statement", statement);
        self.inner.query_each(&explain, parameters, &mut lines)?;
        let plan = lines.lines;
        let findings = Plan::parse(plan.iter().map(String::as_str)).findings(&self.tables);
        let known = self.names.iter().find(|(template, _)| is_filled(template, statement));
        let first_line = || statement.lines().next().unwrap_or_default().to_owned();
        let step = known.map_or_else(first_line, |(_, name)| name.clone());
        self.plans.push(StatementPlan { step, statement: statement.into(), findings, plan });
        Ok(())
    }

    /// Returns true if all tables after `from` and `join` are temporary, or load metadata, which a
    /// load reads first.
    fn runs_query(&self, statement: &str) -> bool {
        let runs = |table: &str| {
            self.temporary.contains(table) || sql::ledger::ALL.iter().any(|file| file.name == table)
        };
        let words: Vec<&str> = statement.split_whitespace().collect();
        let mut read = words.windows(2).filter(|pair| matches!(pair[0], "from" | "join"));
        read.all(|pair| runs(table_name(pair[1])))
    }
}

impl Warehouse for Explainer<'_> {
    fn engine(&self) -> &'static str {
        self.inner.engine()
    }

    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        match Effect::of(statement) {
            Effect::Creates { table, from_query } => {
                if from_query {
                    self.explain(statement, &[])?;
                }
                self.temporary.insert(table.to_owned());
                self.inner.execute(statement)
            }
            Effect::Writes(table) => {
                let runs = self.temporary.contains(table);
                self.explain(statement, &[])?;
                if runs { self.inner.execute(statement) } else { Ok(0) }
            }
            Effect::Drops(table) if self.temporary.remove(table) => self.inner.execute(statement),
            Effect::Reads => self.explain(statement, &[]).map(|()| 0),
            Effect::Drops(_) | Effect::Other => Ok(0),
        }
    }

    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        rows: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        self.explain(statement, parameters)?;
        if self.runs_query(statement) {
            return self.inner.query_each(statement, parameters, rows);
        }
        rows.start(Vec::new())
    }

    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError> {
        if self.temporary.contains(table) { self.inner.load(table, source) } else { Ok(0) }
    }

    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError> {
        self.inner.found_columns()
    }

    fn statistics(&mut self) -> Option<&mut dyn Statistics> {
        self.inner.statistics()
    }
}

/// First column of a result as lines.
#[derive(Default)]
struct Lines {
    lines: Vec<String>,
}

impl RowSink for Lines {
    fn start(&mut self, _columns: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        self.lines.extend(row.first().map(ToString::to_string));
        Ok(())
    }
}

/// Returns the statements of the files of a load, each with the name of its file.
fn names(engine: &'static str) -> Vec<(String, String)> {
    let files = [
        sql::ledger::ALL,
        sql::erase::ALL,
        sql::load::ALL,
        model::TABLES,
        sql::quality::ALL,
        sql::counts::ALL,
    ];
    let mut names = Vec::new();
    for file in files.into_iter().flatten() {
        for incremental in [true, false] {
            for statement in file.statements(Opening::new(engine, incremental)) {
                names.push((statement, format!("{}/{}", file.folder, file.name)));
            }
        }
    }
    names
}

/// Returns true if `statement` is `template` with its bounds filled.
fn is_filled(template: &str, statement: &str) -> bool {
    let mut parts = template.split(":within");
    let Some(mut rest) = parts.next().and_then(|first| statement.strip_prefix(first)) else {
        return false;
    };
    let mut is_last_bound = false;
    for part in parts {
        // The mark ends with its arguments.
        let Some((_, text)) = part.split_once(')') else { return false };
        is_last_bound = text.is_empty();
        let Some((_, after)) = rest.split_once(text) else { return false };
        rest = if is_last_bound { "" } else { after };
    }
    rest.is_empty() || is_last_bound
}

fn scanned_table(file: &SqlFile, opening: Opening) -> ScannedTable {
    // The sort key is text of the file where the engine has one.
    let has_key = file.opened(opening).contains(SORT_KEY);
    let key = file.text.split_once(SORT_KEY).and_then(|(_, rest)| rest.split([')', ',']).next());
    ScannedTable { name: file.name, sort_key: key.filter(|_| has_key) }
}

/// Declaration of a sort key in the file of a table.
const SORT_KEY: &str = "sortkey(";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effect_of_a_statement_decides_whether_it_runs() {
        for (statement, effect) in [
            (
                "create temp table a (\n    b bigint\n)",
                Effect::Creates { table: "a", from_query: false },
            ),
            ("create temp table a(b bigint)", Effect::Creates { table: "a", from_query: false }),
            ("create temp table a as\nselect 1", Effect::Creates { table: "a", from_query: true }),
            (
                "create temp table a distkey(b) as\nwith c as (select 1)",
                Effect::Creates { table: "a", from_query: true },
            ),
            ("create table a (b bigint)", Effect::Other),
            ("insert into \"a\" values (1)", Effect::Writes("a")),
            ("delete from a", Effect::Writes("a")),
            ("update a set b = 1", Effect::Writes("a")),
            ("drop table a", Effect::Drops("a")),
            ("with a as (select 1) select * from a", Effect::Reads),
            ("select 1", Effect::Reads),
            ("lock table a", Effect::Other),
            ("", Effect::Other),
        ] {
            assert_eq!(Effect::of(statement), effect, "{statement}");
        }
    }

    #[test]
    fn a_statement_with_bounds_is_recognized() {
        let template = "select a from t where :within(days, t.a) and :within_times(days, b) or c";
        assert!(is_filled(template, "select a from t where t.a >= 1 and t.a <= 2 and b >= 3 or c"));
        assert!(!is_filled(template, "select a from t where t.a >= 1 or d"));
        assert!(!is_filled(template, "select b from t"));
        assert!(is_filled("delete from t where :within(days, a)", "delete from t where a >= 1"));
        assert!(is_filled("select 1", "select 1"));
        assert!(!is_filled("select 1", "select 12"));
    }

    #[test]
    fn the_sort_key_is_that_of_the_engine() {
        let table = |engine| scanned_table(&sql::model::SONGPLAYS, Opening::full(engine));
        assert_eq!(table("redshift").sort_key, Some("start_time"));
        assert_eq!(table("postgres").sort_key, None);
    }
}
