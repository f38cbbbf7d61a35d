//! The file of probes, and the forms in which a probe is sent.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Node;
use crate::doctor::evidence::EvidenceTemplates;

/// Probes of one engine. The header of the file describes the keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProbeFile {
    pub forms: FormTemplates,
    pub evidence: EvidenceTemplates,
    #[serde(rename = "probe")]
    pub probes: Vec<Probe>,
}

/// Statements of a probe with arguments.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormTemplates {
    constant: String,
    table: String,
    rows: String,
    scan: String,
}

/// One probe.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Probe {
    pub name: String,
    pub page: String,
    #[serde(rename = "rests")]
    pub dependents: Option<String>,
    pub assumed: Option<String>,
    #[serde(default, rename = "ours")]
    pub needs_install: bool,
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    #[serde(default, rename = "first")]
    pub setup: Vec<String>,
    /// Type and literal of each argument.
    #[serde(default, rename = "over")]
    arguments: BTreeMap<String, (String, String)>,
    /// Reason why the statement runs on the leader node only.
    #[serde(rename = "leader")]
    leader_only: Option<String>,
    #[serde(rename = "ask")]
    statement: String,
    pub types: Option<String>,
    #[serde(default, rename = "answer")]
    pub rows: Vec<String>,
    #[serde(rename = "fails")]
    pub error: Option<String>,
    #[serde(rename = "then")]
    pub after_error: Option<String>,
}

/// A probe as it is sent to one kind of node.
#[derive(Debug)]
pub(super) struct Form {
    pub node: Node,
    /// Statements that create and fill the table of the arguments.
    pub table: Vec<String>,
    pub statement: String,
}

impl Probe {
    /// Returns the forms of the probe with this number: with arguments, one over constants and one
    /// over the columns of a table.
    pub(super) fn forms(&self, number: usize, templates: &FormTemplates) -> Vec<Form> {
        let form = |node, table, statement| Form { node, table, statement };
        if self.arguments.is_empty() {
            let node = if self.leader_only.is_some() { Node::Leader } else { Node::Compute };
            return vec![form(node, Vec::new(), self.statement.clone())];
        }
        let constant = |name: &str| {
            let (kind, value) = self.arguments.get(name)?;
            Some(templates.constant.replace(":type", kind).replace(":value", value))
        };
        let column = |name: &str| self.arguments.contains_key(name).then(|| name.to_owned());
        let name = format!("probe_x{number}");
        let joined = |parts: Vec<String>| parts.join(", ");
        let columns = self.arguments.iter().map(|(name, (kind, _))| format!("{name} {kind}"));
        let values = self.arguments.values().map(|(_, value)| value.clone());
        let table = templates.table.replace(":columns", &joined(columns.collect()));
        let rows = templates.rows.replace(":values", &joined(values.collect()));
        let scan = templates.scan.replace(":ask", &with_marks(&self.statement, column));
        let [table, rows, scan] = [table, rows, scan].map(|text| text.replace(":table", &name));
        vec![
            form(Node::Leader, Vec::new(), with_marks(&self.statement, constant)),
            form(Node::Compute, vec![table, rows], scan),
        ]
    }
}

/// Replaces each `:NAME` for which `text_of` returns a text.
fn with_marks(statement: &str, text_of: impl Fn(&str) -> Option<String>) -> String {
    let mut parts = statement.split(':');
    let mut done = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        match text_of(name) {
            Some(text) => done.push_str(&text),
            None => done.extend([":", name]),
        }
        done.push_str(rest);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
[forms]
constant = "cast(:value as :type)"
table = "create temp table :table (:columns)"
rows = "insert into :table values (:values)"
scan = ":ask from :table"

[evidence]
setting = "show :name"
settings = ["datestyle"]

[evidence.copy]
values = []
types = []
table = ""
copy = ""
result = ""
errors = ""
last = ""
entry = ""

[[probe]]
name = "a"
page = "p"
over = { s = ["varchar(9)", "'a:n'"], n = ["bigint", "null"] }
ask = "select :s || ':t 00:00' as a, :n + :n as b"

[[probe]]
name = "b"
page = "p"
leader = "the catalog is there"
ask = "select 1"

[[probe]]
name = "c"
page = "p"
first = ["create temp table probe_t (n integer)"]
ask = "select n from probe_t"
"#;

    #[test]
    fn a_probe_with_arguments_has_two_forms() {
        let file: ProbeFile = toml::from_str(FILE).unwrap();
        let forms = file.probes[0].forms(7, &file.forms);
        assert_eq!(
            forms.iter().map(|form| form.node).collect::<Vec<_>>(),
            [Node::Leader, Node::Compute]
        );
        assert_eq!(
            forms[0].statement,
            "select cast('a:n' as varchar(9)) || ':t 00:00' as a, \
             cast(null as bigint) + cast(null as bigint) as b"
        );
        assert_eq!(forms[0].table, Vec::<String>::new());
        assert_eq!(
            forms[1].table,
            [
                "create temp table probe_x7 (n bigint, s varchar(9))",
                "insert into probe_x7 values (null, 'a:n')"
            ]
        );
        assert_eq!(forms[1].statement, "select s || ':t 00:00' as a, n + n as b from probe_x7");
    }

    #[test]
    fn other_probes_have_one_form() {
        let file: ProbeFile = toml::from_str(FILE).unwrap();
        let nodes = |probe: usize| {
            let forms = file.probes[probe].forms(0, &file.forms);
            forms.into_iter().map(|form| (form.node, form.statement)).collect::<Vec<_>>()
        };
        assert_eq!(nodes(1), [(Node::Leader, "select 1".to_owned())]);
        assert_eq!(nodes(2), [(Node::Compute, "select n from probe_t".to_owned())]);
    }
}
