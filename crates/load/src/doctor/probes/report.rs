//! Results of probes, their comparison with the documented ones, and the findings about them.

use serde::Serialize;

use super::file::{Form, Probe};
use super::{Actual, Finding, Status};
use sparkify_warehouse::{ResultType, RowSink, Value, WarehouseError};

/// Result as text, in the format of the probe file.
#[derive(Default)]
pub(super) struct TextRows {
    pub types: String,
    pub rows: Vec<String>,
}

impl RowSink for TextRows {
    fn types(&mut self, types: &[ResultType]) -> Result<(), WarehouseError> {
        self.types = types.iter().map(|kind| type_name(*kind)).collect::<Vec<_>>().join(" ");
        Ok(())
    }

    fn start(&mut self, _columns: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        let cells = row.iter().map(|value| match value {
            Value::Null => "∅".into(),
            value => value.to_string(),
        });
        self.rows.push(cells.collect::<Vec<String>>().join("|"));
        Ok(())
    }
}

fn type_name(kind: ResultType) -> &'static str {
    match kind {
        ResultType::Boolean => "boolean",
        ResultType::Integer => "integer",
        ResultType::BigInt => "bigint",
        ResultType::Decimal(..) => "decimal",
        ResultType::Double => "double",
        ResultType::Date => "date",
        ResultType::Timestamp => "timestamp",
        ResultType::Bytes => "bytes",
        ResultType::Text => "text",
    }
}

/// Kind of node that computes a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Node {
    /// The leader node, which runs statements without a table.
    Leader,
    /// The compute nodes, which scan tables. Loads run there.
    Compute,
}

impl Node {
    fn place(self) -> &'static str {
        match self {
            Self::Leader => "the leader node",
            Self::Compute => "compute nodes",
        }
    }
}

/// Result of a probe on one kind of node.
#[derive(Debug)]
pub(super) struct NodeResult {
    pub node: Node,
    pub actual: Actual,
}

/// Result of a probe.
#[derive(Debug)]
pub struct ProbeResult {
    /// Name of the probe.
    pub name: String,
    /// True if each result is as documented, and they do not differ.
    pub is_as_documented: bool,
    /// Result as text, for each kind of node.
    pub results: Vec<(Node, String)>,
    /// The documented result as text.
    pub expected: String,
    status: Status,
    notes: String,
}

impl ProbeResult {
    pub(super) fn new(
        probe: &Probe,
        forms: &[Form],
        actual: &[NodeResult],
        parameters: &[Value],
    ) -> Self {
        let is_wrong = |result: &NodeResult| !is_as_documented(probe, &result.actual);
        let differ = nodes_differ(actual);
        let is_as_documented = !differ && !actual.iter().any(is_wrong);
        // Loads run on compute nodes; a deviation of the leader node alone does not break them.
        let is_relied = probe.dependents.is_some()
            && actual.iter().any(|result| {
                is_wrong(result) && (result.node == Node::Compute || actual.len() == 1)
            });
        Self {
            name: probe.name.clone(),
            is_as_documented,
            results: actual
                .iter()
                .map(|result| (result.node, describe_actual(probe, &result.actual, differ)))
                .collect(),
            expected: describe_expected(probe),
            status: if is_relied { Status::Failed } else { Status::Hint },
            notes: notes(probe, forms, parameters),
        }
    }

    /// Returns true if the probe ran on leader and compute nodes.
    pub(super) fn has_both_nodes(&self) -> bool {
        self.results.len() > 1
    }

    /// Returns a finding if a result differs from the documented one, or the nodes differ.
    pub(super) fn difference(&self) -> Option<Finding> {
        if self.is_as_documented {
            return None;
        }
        let got = match &self.results[..] {
            [(_, leader), (_, compute)] if leader == compute => {
                format!("{leader} on leader and compute nodes")
            }
            [(_, only)] => only.clone(),
            several => {
                let parts: Vec<String> = several
                    .iter()
                    .map(|(node, got)| format!("{got} on {}", node.place()))
                    .collect();
                format!("{}: they differ", parts.join(", "))
            }
        };
        let message = format!("{}: expected {}, got {got}", self.name, self.expected);
        let hint = Some(self.notes.clone());
        Some(Finding { check: "probe".into(), status: self.status, message, hint })
    }
}

/// Returns true if the kinds of nodes return other rows or types. Error messages differ always.
fn nodes_differ(results: &[NodeResult]) -> bool {
    let same = |one: &Actual, other: &Actual| match (one, other) {
        (Actual::Error(_, after), Actual::Error(_, other)) => after == other,
        (one, other) => one == other,
    };
    results.windows(2).any(|pair| !same(&pair[0].actual, &pair[1].actual))
}

fn is_as_documented(probe: &Probe, actual: &Actual) -> bool {
    match (actual, &probe.error) {
        (Actual::Rows(types, rows), None) => {
            *rows == probe.rows && probe.types.as_ref().is_none_or(|expected| expected == types)
        }
        (Actual::Error(message, after), Some(part)) => {
            message.to_lowercase().contains(&part.to_lowercase())
                && after.as_ref().is_none_or(|rows| *rows == probe.rows)
        }
        _ => false,
    }
}

fn describe_expected(probe: &Probe) -> String {
    let Some(message) = &probe.error else {
        return describe_rows(&probe.rows, probe.types.as_deref());
    };
    let message = if message.is_empty() { String::new() } else { format!(" with “{message}”") };
    let after = probe.after_error.as_ref().map(|_| probe.rows.as_slice());
    format!("an error{message}{}", describe_after(after))
}

fn describe_actual(probe: &Probe, actual: &Actual, with_types: bool) -> String {
    match actual {
        // Types are shown only if they are compared.
        Actual::Rows(types, rows) => {
            let are_compared = with_types || probe.types.is_some();
            describe_rows(rows, are_compared.then_some(types.as_str()))
        }
        Actual::Error(message, after) => {
            format!("the error “{}”{}", one_line(message), describe_after(after.as_deref()))
        }
        Actual::SetupError(message) => format!("the error “{}”", one_line(message)),
    }
}

fn describe_rows(rows: &[String], types: Option<&str>) -> String {
    let rows = if rows.is_empty() { "no rows".into() } else { format!("`{}`", rows.join("`, `")) };
    match types {
        Some(types) => format!("{rows} ({types})"),
        None => rows,
    }
}

fn describe_after(rows: Option<&[String]>) -> String {
    rows.map_or(String::new(), |rows| format!(", then {}", describe_rows(rows, None)))
}

/// Returns the statements that were sent, the dependent features and the page of the documentation.
fn notes(probe: &Probe, forms: &[Form], parameters: &[Value]) -> String {
    let of_forms = forms.iter().flat_map(|form| form.table.iter().chain([&form.statement]));
    let all = probe.setup.iter().chain(of_forms).chain(&probe.after_error);
    let mut sent = all.map(String::as_str).collect::<Vec<_>>().join("; ");
    for (index, value) in (1..).zip(parameters) {
        sent = sent.replace(&format!("${index}"), &format!("'{value}'"));
    }
    let mut notes = vec![format!("sent: {sent}")];
    notes.extend(probe.dependents.iter().map(|features| format!("affects: {features}")));
    notes.extend(probe.assumed.iter().map(|assumed| format!("assumed: {assumed}")));
    notes.push(probe.page.clone());
    notes.join("; ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
