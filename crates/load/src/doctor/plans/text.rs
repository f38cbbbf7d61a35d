//! Query plans as text, in the format that the guide documents (DG/c-the-query-plan.html) and that
//! its ancestor PostgreSQL still prints: one operator per line with its cost, its details below,
//! operators that it reads indented.

/// Estimated number of rows from which a table is large: a scan, a copy to every node or a nested
/// loop of it costs more than the rest of a small load.
pub(super) const LARGE_ROWS: u64 = 100_000;

/// One operator of a plan.
#[derive(Debug, PartialEq, Eq)]
struct Operator {
    /// Column where its name begins.
    indent: usize,
    /// Name without the prefix of distributed operators, for example `Hash Join DS_DIST_NONE`.
    name: String,
    /// Estimated number of rows that it returns.
    rows: u64,
    /// Lines below it, such as `Filter: (page = 'NextSong')`.
    details: Vec<String>,
}

impl Operator {
    /// Parses a line such as `->  XN Seq Scan on event  (cost=0.00..87.98 rows=8798 width=17)`.
    fn parse(line: &str) -> Option<Self> {
        let (head, cost) = line.split_once("(cost=")?;
        let name = head.trim_start().trim_start_matches("->").trim_start();
        let indent = head.len() - name.len();
        let rows = cost.split("rows=").nth(1)?.split(' ').next()?.parse().ok()?;
        let name = name.trim_end();
        let name = name.strip_prefix(DISTRIBUTED).unwrap_or(name).to_owned();
        Some(Self { indent, name, rows, details: Vec::new() })
    }

    /// Returns the table of a sequential scan, without its schema.
    fn scanned(&self) -> Option<&str> {
        let (_, table) = self.name.split_once("Seq Scan on ")?;
        let table = table.split(' ').next().unwrap_or(table);
        Some(table.rsplit('.').next().unwrap_or(table).trim_matches('"'))
    }

    fn has_filter_on(&self, column: &str) -> bool {
        let mut filters = self.details.iter().filter(|detail| detail.contains("Filter:"));
        filters.any(|filter| words(filter).any(|word| word == column))
    }

    fn is_index_lookup(&self) -> bool {
        self.name.starts_with("Index") || self.name.starts_with("Memoize")
    }
}

/// Prefix of operators that run on compute nodes.
const DISTRIBUTED: &str = "XN ";

/// A plan.
#[derive(Debug, Default)]
pub(super) struct Plan {
    operators: Vec<Operator>,
    /// Warnings of the server, without their dashes.
    warnings: Vec<String>,
    is_distributed: bool,
}

/// A table whose sequential scans are reported if it is large, and the column by which it is
/// sorted, if any.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScannedTable {
    pub name: &'static str,
    pub sort_key: Option<&'static str>,
}

impl Plan {
    pub(super) fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut plan = Self::default();
        for line in lines.into_iter().flat_map(str::lines) {
            let trimmed = line.trim();
            if let Some(operator) = Operator::parse(line) {
                let name = trimmed.trim_start_matches("->").trim_start();
                plan.is_distributed |= name.starts_with(DISTRIBUTED);
                plan.operators.push(operator);
            } else if trimmed.starts_with("-----") {
                plan.warnings.push(trimmed.trim_matches(['-', ' ']).to_owned());
            } else if let Some(last) = plan.operators.last_mut() {
                last.details.push(trimmed.to_owned());
            }
        }
        plan
    }

    /// Returns what makes the plan expensive, each kind of finding once.
    pub(super) fn findings(&self, tables: &[ScannedTable]) -> Vec<String> {
        let mut findings: Vec<String> = Vec::new();
        for (index, operator) in self.operators.iter().enumerate() {
            findings.extend(self.nested_loop(index));
            findings.extend(self.redistribution(index));
            findings.extend(unselective_scan(operator, tables));
        }
        findings.extend(self.warnings.iter().filter_map(|warning| finding_of_warning(warning)));
        if findings.iter().any(|finding| finding.starts_with("nested loop of ")) {
            findings.retain(|finding| finding != NESTED_LOOP);
        }
        let mut unique = Vec::new();
        findings.retain(|finding| {
            let is_new = !unique.contains(finding);
            unique.push(finding.clone());
            is_new
        });
        findings
    }

    /// Returns the operators that this one reads: outer first, inner last.
    fn inputs(&self, index: usize) -> Vec<usize> {
        let indent = self.operators[index].indent;
        let below = (index + 1..self.operators.len())
            .take_while(|below| self.operators[*below].indent > indent);
        let below: Vec<usize> = below.collect();
        let nearest = below.iter().map(|at| self.operators[*at].indent).min();
        below.into_iter().filter(|at| Some(self.operators[*at].indent) == nearest).collect()
    }

    fn nested_loop(&self, index: usize) -> Option<String> {
        let operator = &self.operators[index];
        if !operator.name.contains("Nested Loop") {
            return None;
        }
        let inputs = self.inputs(index);
        let (Some(outer), Some(inner)) = (inputs.first(), inputs.last()) else {
            return Some(NESTED_LOOP.into());
        };
        let (outer, inner) = (&self.operators[*outer], &self.operators[*inner]);
        // A server with indexes uses nested loops for few rows, or to look rows up.
        let is_small = outer.rows.saturating_mul(inner.rows) < LARGE_ROWS;
        if !self.is_distributed && (inner.is_index_lookup() || is_small) {
            return None;
        }
        Some(format!(
            "nested loop of {} and {} rows: review the join condition",
            outer.rows, inner.rows
        ))
    }

    fn redistribution(&self, index: usize) -> Option<String> {
        let operator = &self.operators[index];
        let has = |attribute: &str| operator.name.split(' ').any(|word| word == attribute);
        let inputs = self.inputs(index);
        let rows =
            |input: Option<&usize>| input.map_or(operator.rows, |at| self.operators[*at].rows);
        let (outer, inner) = (rows(inputs.first()), rows(inputs.last()));
        if has("DS_DIST_BOTH") {
            let message = "DS_DIST_BOTH redistributes both tables of a join";
            return Some(format!("{message} ({outer} and {inner} rows)"));
        }
        if has("DS_DIST_ALL_INNER") {
            return Some(format!("DS_DIST_ALL_INNER moves {inner} rows to one slice"));
        }
        let is_broadcast = has("DS_BCAST_INNER") && inner >= LARGE_ROWS;
        is_broadcast.then(|| format!("DS_BCAST_INNER copies {inner} rows to every node"))
    }
}

const NESTED_LOOP: &str = "nested loop: review the join condition";

/// Returns a finding about a sequential scan of a large table that no filter on its sort key
/// restricts.
fn unselective_scan(operator: &Operator, tables: &[ScannedTable]) -> Option<String> {
    let scanned = operator.scanned()?;
    let table = tables.iter().find(|table| table.name == scanned)?;
    if operator.rows < LARGE_ROWS || table.sort_key.is_some_and(|key| operator.has_filter_on(key)) {
        return None;
    }
    let rows = operator.rows;
    Some(match table.sort_key {
        Some(key) => {
            format!("sequential scan of `{scanned}` ({rows} rows) without a filter on `{key}`")
        }
        None => format!("sequential scan of `{scanned}` ({rows} rows)"),
    })
}

fn finding_of_warning(warning: &str) -> Option<String> {
    if warning.contains("Nested Loop Join") {
        return Some(NESTED_LOOP.into());
    }
    let (_, tables) = warning.split_once("missing statistics")?;
    let tables = tables.trim_start_matches([':', ' ']);
    Some(format!("tables without statistics: {tables}"))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: [ScannedTable; 2] = [
        ScannedTable { name: "songplays", sort_key: Some("start_time") },
        ScannedTable { name: "staging_events", sort_key: None },
    ];

    fn findings(plan: &str) -> Vec<String> {
        Plan::parse([plan]).findings(&TABLES)
    }

    /// Joins of the page "Query plan" with other tables and numbers.
    #[test]
    fn collocated_joins_have_no_finding() {
        let plan = r#"
XN Hash Join DS_BCAST_INNER  (cost=109.98..3871130276.17 rows=172456 width=132)
  Hash Cond: ("outer".eventid = "inner".eventid)
  ->  XN Merge Join DS_DIST_NONE  (cost=0.00..6285.93 rows=172456 width=97)
        Merge Cond: ("outer".listid = "inner".listid)
        ->  XN Seq Scan on listing  (cost=0.00..1924.97 rows=192497 width=44)
        ->  XN Seq Scan on sales  (cost=0.00..1724.56 rows=172456 width=53)
  ->  XN Hash  (cost=87.98..87.98 rows=8798 width=35)
        ->  XN Seq Scan on event  (cost=0.00..87.98 rows=8798 width=35)
"#;
        assert_eq!(findings(plan), Vec::<String>::new());
    }

    #[test]
    fn a_large_broadcast_is_a_finding() {
        let plan = r#"
 XN Hash Join DS_BCAST_INNER  (cost=0.14..6600286.07 rows=8798 width=84)
   Hash Cond: ("outer".catid = "inner".catid)
   ->  XN Seq Scan on event  (cost=0.00..87.98 rows=8798 width=35)
   ->  XN Hash  (cost=0.11..0.11 rows=100000 width=49)
         ->  XN Seq Scan on category  (cost=0.00..0.11 rows=2000000 width=49)
"#;
        assert_eq!(findings(plan), ["DS_BCAST_INNER copies 100000 rows to every node"]);
        assert_eq!(findings(&plan.replace("rows=100000", "rows=99999")), Vec::<String>::new());
        let other = plan.replace("DS_BCAST_INNER", "DS_DIST_ALL_NONE");
        assert_eq!(findings(&other), Vec::<String>::new());
        let other = plan.replace("DS_BCAST_INNER", "DS_DIST_ALL_INNER");
        assert_eq!(findings(&other), ["DS_DIST_ALL_INNER moves 100000 rows to one slice"]);
    }

    #[test]
    fn a_redistribution_of_both_tables_is_a_finding() {
        let plan = r#"
XN HashAggregate  (cost=15.00..15.00 rows=1 width=8)
  ->  XN Hash Join DS_DIST_BOTH  (cost=2.52..58653620.93 rows=8712 width=43)
        Outer Dist Key: a.venueid
        Inner Dist Key: b.venueid
        Hash Cond: ("outer".venueid = "inner".venueid)
        ->  XN Subquery Scan volt_dt_0  (cost=0.00..87.98 rows=70 width=23)
              ->  XN Seq Scan on event  (cost=0.00..87.98 rows=8798 width=23)
        ->  XN Hash  (cost=2.02..2.02 rows=202 width=22)
              ->  XN Seq Scan on venue  (cost=0.00..2.02 rows=202 width=22)
"#;
        assert_eq!(
            findings(plan),
            ["DS_DIST_BOTH redistributes both tables of a join (70 and 202 rows)"]
        );
    }

    /// A page prints plans without indentation.
    #[test]
    fn a_plan_without_indentation_is_parsed() {
        let plan = r#"
XN Hash Join DS_BCAST_INNER  (cost=2.52..58653620.93 rows=871200 width=43)
Hash Cond: ("outer".venueid = "inner".venueid)
->  XN Seq Scan on event  (cost=0.00..87.98 rows=8798 width=23)
->  XN Hash  (cost=2.02..2.02 rows=202 width=22)
->  XN Seq Scan on venue  (cost=0.00..2.02 rows=202 width=22)
"#;
        assert_eq!(findings(plan), Vec::<String>::new());
    }

    #[test]
    fn a_nested_loop_is_a_finding_once() {
        let plan = r#"
XN Nested Loop DS_BCAST_INNER  (cost=0.00..7.00 rows=90 width=4)
  Join Filter: ("outer".a < "inner".a)
  ->  XN Seq Scan on users  (cost=0.00..0.09 rows=9 width=4)
  ->  XN Materialize  (cost=0.00..0.12 rows=10 width=4)
        ->  XN Seq Scan on songs  (cost=0.00..0.12 rows=10 width=4)
 ----- Nested Loop Join in the query plan - review the join predicates to avoid Cartesian products -----
"#;
        let expected = ["nested loop of 9 and 10 rows: review the join condition"];
        assert_eq!(findings(plan), expected);
        // The leader node and other servers join a few rows like this.
        assert_eq!(findings(&plan.replace("XN ", "")), [NESTED_LOOP]);
        let (few, _) = plan.split_once(" -----").unwrap();
        assert_eq!(findings(&few.replace("XN ", "")), Vec::<String>::new());
        let many = few.replace("XN ", "").replace("rows=9 ", "rows=10000 ");
        let expected = ["nested loop of 10000 and 10 rows: review the join condition"];
        assert_eq!(findings(&many), expected);
        let lookup = many.replace("Materialize ", "Index Scan using a on b ");
        assert_eq!(findings(&lookup), Vec::<String>::new());
    }

    #[test]
    fn tables_without_statistics_are_a_finding() {
        let plan = "
XN Seq Scan on users  (cost=0.00..0.09 rows=9 width=4)
 ----- Tables missing statistics: users, scope_users -----
 ----- Update statistics by running the ANALYZE command on these tables -----
";
        assert_eq!(findings(plan), ["tables without statistics: users, scope_users"]);
    }

    #[test]
    fn a_scan_without_a_filter_on_the_sort_key_is_a_finding() {
        let plan = r"
XN Seq Scan on songplays  (cost=0.00..0.09 rows=200000 width=4)
  Filter: ((restart_time IS NULL) AND (user_id = 1))
";
        let expected =
            ["sequential scan of `songplays` (200000 rows) without a filter on `start_time`"];
        assert_eq!(findings(plan), expected);
        let sorted = plan.replace("restart_time IS NULL", "start_time >= '2018-11-01'::timestamp");
        assert_eq!(findings(&sorted), Vec::<String>::new());
        assert_eq!(findings(&plan.replace("=200000", "=2000")), Vec::<String>::new());
        let other = plan.replace("songplays", r#"public."staging_events" e"#);
        assert_eq!(findings(&other), ["sequential scan of `staging_events` (200000 rows)"]);
        assert_eq!(findings(&plan.replace("songplays", "users")), Vec::<String>::new());
    }

    #[test]
    fn text_that_is_no_plan_has_no_finding() {
        for text in ["", "no plan", "(cost=", "->", "x (cost=1..2 rows=many width=1)", "-----"] {
            assert_eq!(findings(text), Vec::<String>::new(), "{text}");
        }
    }
}
