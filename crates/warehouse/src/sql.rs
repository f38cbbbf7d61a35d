//! From a file under `sql/` to the statements that an engine gets.
//!
//! The files are plain SQL. Three things happen to them here and nowhere else: conditional comments are opened (`sql/README.md`), the
//! text is cut into statements at each `;` that ends a line, and `:table` becomes a table's name. Nothing else is ever pasted into SQL.

/// For whom, and for what, a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The engine's name, as it stands in the comments.
    pub engine: &'static str,
    /// True if the load rebuilds only the touched part of the model.
    pub incremental: bool,
}

impl Opening {
    /// Opens files for a full rebuild, and those that know no incremental form.
    pub const fn full(engine: &'static str) -> Self {
        Self { engine, incremental: false }
    }

    /// Opens files for `engine`, restricted to the touched keys if `incremental`.
    pub const fn new(engine: &'static str, incremental: bool) -> Self {
        Self { engine, incremental }
    }
}

/// A file under `sql/` with the name that people use for it.
#[derive(Debug, Clone, Copy)]
pub struct SqlFile {
    /// The file's stem: a table, a check, a step.
    pub name: &'static str,
    /// The file's text.
    pub text: &'static str,
}

/// Declares files of one folder under `sql/` as constants of one module, with `ALL` as their list.
///
/// ```ignore
/// sql_files! {
///     /// Steps of a load.
///     pub mod load in "load" { BEGIN = "begin", COMMIT = "commit" }
/// }
/// warehouse.run(&load::BEGIN)?;
/// ```
#[macro_export]
macro_rules! sql_files {
    ($($(#[$about:meta])* $vis:vis mod $module:ident in $folder:literal { $($constant:ident = $file:literal),+ $(,)? })+) => {$(
        $(#[$about])*
        $vis mod $module {
            use $crate::SqlFile;
            $(
                #[doc = concat!("`sql/", $folder, "/", $file, ".sql`")]
                pub const $constant: SqlFile = SqlFile {
                    name: $file,
                    text: include_str!(concat!(
                        env!("CARGO_MANIFEST_DIR"), "/../../sql/", $folder, "/", $file, ".sql"
                    )),
                };
            )+
            /// Every file of this module, in this order.
            pub const ALL: &[SqlFile] = &[$($constant),+];
        }
    )+};
}

/// A column as its table's file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredColumn {
    /// Its name.
    pub name: String,
    /// Its type as the file writes it, for example `double precision`.
    pub declared_type: String,
    /// Whether it is never null.
    pub required: bool,
    /// What stands behind `--`.
    pub description: String,
}

impl SqlFile {
    /// The text with the comments of `opening` opened.
    pub fn opened(&self, opening: Opening) -> String {
        open_comments(self.text, opening)
    }

    /// The statements of the opened file, without comment lines before or behind them.
    pub fn statements(&self, opening: Opening) -> Vec<String> {
        split(&self.opened(opening))
    }

    /// The statement of a file that is one.
    pub fn statement(&self, opening: Opening) -> String {
        self.statements(opening).concat()
    }

    /// The statements that create tables: what a table's file says before it says how the table is filled.
    pub fn definitions(&self, opening: Opening) -> Vec<String> {
        self.statements(opening).into_iter().filter(|sql| is_definition(sql)).collect()
    }

    /// The statements that fill the table.
    pub fn transformation(&self, opening: Opening) -> Vec<String> {
        self.statements(opening).into_iter().filter(|sql| !is_definition(sql)).collect()
    }

    /// The one statement of a file that is about any table, opened for `table`.
    pub fn statement_on(&self, table: &str, opening: Opening) -> String {
        with_table(&self.statement(opening), table)
    }

    /// The first line of the header: what the file is about.
    pub fn headline(&self) -> &'static str {
        let line = self.text.lines().next().unwrap_or_default().trim_start_matches("--").trim();
        line.strip_prefix("claims: ").or_else(|| line.strip_prefix("question: ")).unwrap_or(line)
    }

    /// The columns that tell a table's rows apart: the header's `-- key:` line.
    pub fn key(&self) -> Vec<&'static str> {
        let line = self.text.lines().find_map(|line| line.strip_prefix("-- key: "));
        line.map(|names| names.split(", ").collect()).unwrap_or_default()
    }

    /// What a table's header says beyond its first line, label and words, in order: `grain`, `source`, `rule`, `key` ….
    pub fn notes(&self) -> Vec<(&'static str, &'static str)> {
        let lines = self.header().skip(1).filter(|line| !line.starts_with("--   "));
        let labelled = lines.filter_map(|line| line[2..].trim().split_once(": "));
        labelled.flat_map(|(label, words)| grain_and_source(label, words)).collect()
    }

    /// The lines below `-- label:` in the header, name and words: the columns of an answer, the sources of a table's columns.
    pub fn listed(&self, label: &str) -> Vec<(&'static str, &'static str)> {
        let heads = |line: &str| {
            line.strip_prefix("-- ").and_then(|it| it.strip_suffix(':')) == Some(label)
        };
        let below = self.header().skip_while(|line| !heads(line)).skip(1);
        let below = below.map_while(|line| line.strip_prefix("--   "));
        below.filter_map(|line| line.trim().split_once(": ")).collect()
    }

    fn header(&self) -> impl Iterator<Item = &'static str> {
        self.text.lines().take_while(|line| line.starts_with("--"))
    }

    /// The columns of the file's `create table`, one a line.
    pub fn columns(&self, opening: Opening) -> Vec<DeclaredColumn> {
        let text = self.opened(opening);
        let body = text.split_once("create table").map_or("", |(_, rest)| rest);
        body.lines()
            .skip(1)
            .take_while(|line| !line.starts_with(')'))
            .filter(|line| !line.trim_start().starts_with("--"))
            .map(declared)
            .collect()
    }
}

/// `-- grain: …; source: …` is two notes on one line.
fn grain_and_source(
    label: &'static str,
    words: &'static str,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let (first, source) = match words.split_once("; source: ") {
        Some((grain, source)) => (grain, Some(("source", source))),
        None => (words, None),
    };
    [(label, first)].into_iter().chain(source)
}

fn declared(line: &str) -> DeclaredColumn {
    let (code, description) = line.split_once("--").unwrap_or((line, ""));
    let code = code.trim().trim_end_matches(',').trim();
    let (code, required) = match code.strip_suffix("not null") {
        Some(code) => (code.trim_end(), true),
        None => (code, false),
    };
    let (name, declared_type) = code.split_once(' ').unwrap_or((code, ""));
    // How text is ordered is no part of what it is.
    let declared_type = declared_type.split(" collate ").next().unwrap_or_default();
    // Nor is how it lies on disk.
    let declared_type = declared_type.split(" encode ").next().unwrap_or_default();
    let declared_type = declared_type.strip_prefix("encode ").map_or(declared_type, |_| "");
    DeclaredColumn {
        // A word that some engine reserves stands in quotes.
        name: name.trim_matches('"').into(),
        declared_type: declared_type.trim().into(),
        required,
        description: description.trim().into(),
    }
}

fn is_definition(sql: &str) -> bool {
    sql.starts_with("create table if not exists")
}

/// Puts a table's name, quoted, where a file says `":table"`.
pub fn with_table(sql: &str, table: &str) -> String {
    sql.replace("\":table\"", &format!("\"{}\"", table.replace('"', "\"\"")))
}

/// The whole statements of a text, each without the `;` that ends it.
pub fn split(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut current = String::new();
    for line in text.lines() {
        if current.is_empty() && (line.trim().is_empty() || line.starts_with("--")) {
            continue;
        }
        let ended = line.trim_end().strip_suffix(';');
        current.push_str(ended.unwrap_or(line).trim_end());
        if ended.is_some() {
            let statement = std::mem::take(&mut current);
            // Of a statement that only one engine gets, the others get nothing.
            if !statement.is_empty() {
                statements.push(statement);
            }
        } else {
            current.push('\n');
        }
    }
    let rest = current.trim_end();
    if !rest.is_empty() {
        statements.push(rest.to_owned());
    }
    statements
}

fn open_comments(text: &str, opening: Opening) -> String {
    let mut opened = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment_on)) = rest.split_once("/*") {
        let Some((body, after)) = comment_on.split_once("*/") else { break };
        let (label, content) = body.split_once(' ').unwrap_or((body, ""));
        let content = content.trim();
        opened.push_str(before);
        rest = after;
        if label == opening.engine || (label == "incremental" && opening.incremental) {
            opened.push_str(content);
        } else if label.strip_suffix('=') == Some(opening.engine) {
            let kept = opened.trim_end().rfind(char::is_whitespace).map_or(0, |at| at + 1);
            opened.truncate(kept);
            opened.push_str(content);
        } else {
            drop_blank(&mut opened, after);
        }
    }
    opened.push_str(rest);
    opened
}

/// A comment that stays closed leaves nothing: neither a line of its own nor a blank before `,`, `;` or `)`.
fn drop_blank(opened: &mut String, after: &str) {
    if after.starts_with(['\n', ' ', ',', ';', ')']) || after.is_empty() {
        opened.truncate(opened.trim_end_matches(' ').len());
    }
    if after.starts_with('\n') && opened.ends_with('\n') {
        opened.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUCKDB: Opening = Opening { engine: "duckdb", incremental: false };

    #[test]
    fn comments_open_for_their_engine_alone() {
        let text = "a varchar /*redshift (9) */,\nb uuid /*redshift= char(36) *//*postgres= text */ not null\n";
        let redshift = Opening { engine: "redshift", incremental: false };
        assert_eq!(open_comments(text, DUCKDB), "a varchar,\nb uuid not null\n");
        assert_eq!(open_comments(text, redshift), "a varchar (9),\nb char(36) not null\n");
    }

    #[test]
    fn an_incremental_line_stands_or_vanishes() {
        let text = "from t\n/*incremental join s using (k) */\nwhere x";
        assert_eq!(open_comments(text, DUCKDB), "from t\nwhere x");
        let incremental = Opening { incremental: true, ..DUCKDB };
        assert_eq!(open_comments(text, incremental), "from t\njoin s using (k)\nwhere x");
    }

    #[test]
    fn statements_end_where_a_line_ends_with_a_semicolon() {
        let statements =
            split("-- head\n\ncreate x (\n  a int -- b; c\n);\n\nselect ';';\nselect 2");
        assert_eq!(statements, ["create x (\n  a int -- b; c\n)", "select ';'", "select 2"]);
    }

    #[test]
    fn a_table_declares_its_columns() {
        let file = SqlFile {
            name: "t",
            text: "-- T.\ncreate table if not exists t (\n    a double precision not null, -- one, two\n    b uuid /*redshift= char(36) */, -- key\n    c varchar /*postgres collate \"C\" */ /*redshift (9) */ not null -- text\n);\n",
        };
        let columns = file.columns(DUCKDB);
        assert_eq!(columns[0].declared_type, "double precision");
        assert_eq!(columns[0].description, "one, two");
        assert_eq!((columns[0].required, columns[1].required), (true, false));
        assert_eq!((columns[1].name.as_str(), columns[1].declared_type.as_str()), ("b", "uuid"));
        assert_eq!(file.headline(), "T.");
        let of = |engine| Opening { engine, incremental: false };
        assert_eq!(columns[2].declared_type, "varchar");
        assert_eq!(file.columns(of("postgres"))[2], columns[2]);
        assert_eq!(file.columns(of("redshift"))[2].declared_type, "varchar (9)");
        assert!(file.statement(of("postgres")).contains("c varchar collate \"C\" not null"));
    }

    #[test]
    fn a_header_has_notes_and_lists() {
        let text = "-- T.\n-- grain: one a; source: b; c\n-- rule: d: e\n-- from:\n--   a: b.a, 0 as null\n-- key: a\nselect 1 -- rule: no\n";
        let file = SqlFile { name: "t", text };
        let notes = [("grain", "one a"), ("source", "b; c"), ("rule", "d: e"), ("key", "a")];
        assert_eq!(file.notes(), notes);
        assert_eq!(file.listed("from"), [("a", "b.a, 0 as null")]);
        assert!(file.listed("columns").is_empty());
    }

    #[test]
    fn the_name_of_a_table_is_quoted() {
        let file = SqlFile { name: "f", text: "-- F.\nselect a from \":table\";\n" };
        assert_eq!(file.statement_on("my \"t\"", DUCKDB), "select a from \"my \"\"t\"\"\"");
    }
}
