//! Reads the files under `sql/` and turns each into the statements that one engine gets.
//!
//! A file is SQL with a few documented marks (`sql/README.md`). They are expanded here and nowhere
//! else, in this order: `/*each … */` repeats a part for every column that a JSON key fills,
//! `/*include … */` inserts a fragment, conditional comments are opened or dropped, and logical
//! column types become the engine's types. The text is then cut into statements at each `;` that
//! ends a line, and `":table"` becomes a table's name. Nothing else is ever pasted into SQL.

use crate::dialect;

/// Engine and scope for which a file is expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Engine name, as the conditional comments spell it.
    pub engine: &'static str,
    /// True if the load updates only the keys that it affects.
    pub incremental: bool,
}

impl Opening {
    /// Expands files for a full rebuild, and those that have no incremental form.
    pub const fn full(engine: &'static str) -> Self {
        Self { engine, incremental: false }
    }

    /// Expands files for `engine`, restricted to the affected keys if `incremental`.
    pub const fn new(engine: &'static str, incremental: bool) -> Self {
        Self { engine, incremental }
    }
}

/// No engine: conditional comments are dropped and column types stay logical.
const NEUTRAL: Opening = Opening { engine: "", incremental: false };

/// File under `sql/`, embedded at compile time.
#[derive(Debug, Clone, Copy)]
pub struct SqlFile {
    /// Folder below `sql/`.
    pub folder: &'static str,
    /// File name without `.sql`: a table, a data test, a saved query, a step.
    pub name: &'static str,
    /// Unexpanded text.
    pub text: &'static str,
    /// Staging table whose columns `/*each … */` repeats, in a file that is a template.
    pub staging: Option<&'static SqlFile>,
}

/// Declares files of one folder under `sql/` as constants of one module, with `ALL` as their list.
///
/// `"name" of TABLE` is a template over the columns of a staging table.
///
/// ```text
/// sql_files! {
///     /// Steps of a load.
///     pub mod load in "load" { BEGIN = "begin", COMMIT = "commit" }
/// }
/// warehouse.run(&load::BEGIN)?;
/// ```
#[macro_export]
macro_rules! sql_files {
    ($($(#[$about:meta])* $vis:vis mod $module:ident in $folder:literal {
        $($constant:ident = $file:literal $(of $staging:path)?),+ $(,)?
    })+) => {$(
        $(#[$about])*
        $vis mod $module {
            use $crate::SqlFile;
            $(
                #[doc = concat!("`sql/", $folder, "/", $file, ".sql`")]
                pub const $constant: SqlFile = SqlFile {
                    folder: $folder,
                    name: $file,
                    text: include_str!(concat!(
                        env!("CARGO_MANIFEST_DIR"), "/../../sql/", $folder, "/", $file, ".sql"
                    )),
                    staging: $crate::sql_files!(@staging $($staging)?),
                };
            )+
            /// Every file of this module, in this order.
            pub const ALL: &[SqlFile] = &[$($constant),+];
        }
    )+};
    (@staging) => { None };
    (@staging $staging:path) => { Some(&$staging) };
}

sql_files! {
    /// Texts that several files include.
    pub mod fragment in "fragment" {
        AT_LEVEL = "at_level",
        AT_LEVEL_CODE = "at_level_code",
        LEVEL_CODE = "level_code",
        IN_DAYS = "in_days",
        FIRST_DAY_OF_PERIOD = "first_day_of_period",
        HOURS_OF_DAY = "hours_of_day",
        LISTENED = "listened",
        PLAY_HOURS = "play_hours",
        SESSION_DAYS = "session_days",
        SESSION_INTERVALS = "session_intervals",
        LISTENER_INTERVALS = "listener_intervals",
        FIRST_IN_PERIOD = "first_in_period",
        CHANGED_LEVELS = "changed_levels",
        SESSION_TOTALS = "session_totals",
        USER_TOTALS = "user_totals",
        LOGGED_SONGS = "logged_songs",
        NUMBERED_SONGS = "numbered_songs",
        SONG_TOTALS = "song_totals",
        ARTIST_TOTALS = "artist_totals",
        NUMBERED_LOCATIONS = "numbered_locations",
        NUMBERED_AGENTS = "numbered_agents",
        USER_PLACES = "user_places",
        REJECT_FILTER = "reject_filter",
        REJECT_ROWS = "reject_rows",
        AS_SONGPLAY_ID = "as_songplay_id",
        LINEAGE_COLUMNS = "lineage_columns",
        LINEAGE_JOINS = "lineage_joins",
    }
}

/// Column as its table's file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredColumn {
    /// Column name without quotes.
    pub name: String,
    /// Type of the engine, or the logical type where no engine is given, for example
    /// `double precision`.
    pub declared_type: String,
    /// True if it is declared `not null`.
    pub required: bool,
    /// Text after `--`, without the JSON key.
    pub description: String,
    /// JSON key that fills the column; none for lineage and for tables that are not read from JSON.
    pub json: Option<JsonKey>,
}

/// JSON key of a column: `$.KEY [required] [FORMAT]: ` at the start of its comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonKey {
    /// Key in the JSON object, case-sensitive.
    pub key: String,
    /// True if a record without it is rejected.
    pub required: bool,
    /// Values that are more than their column type says, for example `epoch_ms`.
    pub format: Option<String>,
}

impl SqlFile {
    /// Returns the text expanded for `opening`.
    pub fn opened(&self, opening: Opening) -> String {
        self.expanded(opening, &|_| false)
    }

    /// Expands the file; `is_shared` decides which shared tables replace their fragments.
    fn expanded(&self, opening: Opening, is_shared: &dyn Fn(&str) -> bool) -> String {
        let text = match self.staging {
            Some(table) => repeat_columns(self.text, table),
            None => self.text.to_owned(),
        };
        let text = open_comments(&include_fragments(&text, is_shared), opening);
        dialect::translate(text, self.folder, opening.engine)
    }

    /// Returns the statements of the expanded file, without comment lines before or after them.
    pub fn statements(&self, opening: Opening) -> Vec<String> {
        split(&self.opened(opening))
    }

    /// Returns the statement of a file that holds one.
    pub fn statement(&self, opening: Opening) -> String {
        self.statements(opening).concat()
    }

    /// Returns the statement of a file that holds one, with each fragment that has a `-- shared:`
    /// line read from the temporary table of that name. The parameters that remain are numbered
    /// from 1; their numbers in the file are returned too.
    pub fn statement_from_shared_tables(&self, opening: Opening) -> (String, Vec<usize>) {
        // The file that creates a shared table needs its fragment, and reads the others.
        let is_shared = |table: &str| !self.text.contains(&format!("create temp table {table} "));
        renumbered(&split(&self.expanded(opening, &is_shared)).concat())
    }

    /// Returns the statements that create the file's table and its index.
    pub fn definitions(&self, opening: Opening) -> Vec<String> {
        self.statements(opening).into_iter().filter(|sql| is_definition(sql)).collect()
    }

    /// Returns the statements that fill the file's table.
    pub fn transformation(&self, opening: Opening) -> Vec<String> {
        self.statements(opening).into_iter().filter(|sql| !is_definition(sql)).collect()
    }

    /// Returns the statement of a file that works on any table, for `table`.
    pub fn statement_on(&self, table: &str, opening: Opening) -> String {
        with_table(&self.statement(opening), table)
    }

    /// Returns the first line of the header without its label: what the file is about.
    pub fn headline(&self) -> &'static str {
        let line = self.text.lines().next().unwrap_or_default().trim_start_matches("--").trim();
        line.strip_prefix("test: ").or_else(|| line.strip_prefix("query: ")).unwrap_or(line)
    }

    /// Returns the key columns of a table: the header's `-- key:` line.
    pub fn key(&self) -> Vec<&'static str> {
        let line = self.header_line("key");
        line.map(|names| names.split(", ").collect()).unwrap_or_default()
    }

    /// Returns the words after `-- label: ` in the header.
    pub fn header_line(&self, label: &str) -> Option<&'static str> {
        self.header()
            .find_map(|line| line.strip_prefix("-- ")?.strip_prefix(label)?.strip_prefix(": "))
    }

    /// Returns the labelled lines of a table's header after the first, as label and words: `grain`,
    /// `source`, `rule`, `key` ….
    pub fn notes(&self) -> Vec<(&'static str, &'static str)> {
        let lines = self.header().skip(1).filter(|line| !line.starts_with("--   "));
        let labelled = lines.filter_map(|line| line[2..].trim().split_once(": "));
        labelled.flat_map(|(label, words)| grain_and_source(label, words)).collect()
    }

    /// Returns the lines below `-- label:` in the header, as name and words: result columns, or the
    /// sources of a table's columns.
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

    /// Returns the columns of the file's `create table`, one per line.
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

    /// Returns the columns that JSON keys fill, in table order, with their logical types.
    pub fn json_columns(&self) -> Vec<(DeclaredColumn, JsonKey)> {
        let columns = self.columns(NEUTRAL).into_iter();
        columns.filter_map(|column| column.json.clone().map(|json| (column, json))).collect()
    }

    /// Returns this template for the columns of one staging table.
    #[must_use]
    pub fn of(self, staging: &'static SqlFile) -> Self {
        Self { staging: Some(staging), ..self }
    }
}

/// Splits `-- grain: …; source: …`, which is two notes on one line.
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
    let (code, comment) = line.split_once("--").unwrap_or((line, ""));
    let code = code.trim().trim_end_matches(',').trim();
    let (code, required) = match code.strip_suffix("not null") {
        Some(code) => (code.trim_end(), true),
        None => (code, false),
    };
    let (name, declared_type) = code.split_once(' ').unwrap_or((code, ""));
    // Collation and compression are not part of the type.
    let declared_type = declared_type.split(" collate ").next().unwrap_or_default();
    let declared_type = declared_type.split(" encode ").next().unwrap_or_default();
    let (json, description) = match json_key(comment.trim()) {
        Some((json, description)) => (Some(json), description),
        None => (None, comment.trim()),
    };
    DeclaredColumn {
        // A name that some engine reserves is quoted in the file.
        name: name.trim_matches('"').into(),
        declared_type: declared_type.trim().into(),
        required,
        description: description.into(),
        json,
    }
}

/// Splits `$.KEY [required] [FORMAT]: description`.
fn json_key(comment: &str) -> Option<(JsonKey, &str)> {
    let (head, description) = comment.strip_prefix("$.")?.split_once(": ")?;
    let (key, mut words) = head.split_once(' ').unwrap_or((head, ""));
    let required = words == "required" || words.starts_with("required ");
    if required {
        words = words["required".len()..].trim();
    }
    let format = (!words.is_empty()).then(|| words.to_owned());
    Some((JsonKey { key: key.into(), required, format }, description))
}

fn is_definition(sql: &str) -> bool {
    ["create table if not exists", "create index if not exists"]
        .iter()
        .any(|it| sql.starts_with(it))
}

/// Replaces `":table"` by a table's quoted name.
pub fn with_table(sql: &str, table: &str) -> String {
    sql.replace("\":table\"", &format!("\"{}\"", table.replace('"', "\"\"")))
}

/// Cuts a text into its statements, each without the `;` that ends it.
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
            // A statement for one engine only is empty on the others.
            let statement = statement.trim_end();
            if !statement.is_empty() {
                statements.push(statement.to_owned());
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

/// Repeats what is between `/*each SELECTION column*/` and `/*end*/` for each selected column of a
/// staging table, and replaces `:kind`.
fn repeat_columns(text: &str, table: &SqlFile) -> String {
    let mut repeated = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some((before, mark_on)) = rest.split_once("/*each ") {
        let Some((mark, body_on)) = mark_on.split_once("*/") else { break };
        let Some((body, after)) = body_on.split_once("/*end*/") else { break };
        let (selection, separator) = mark.split_once(" separated by ").unwrap_or((mark, ""));
        repeated.push_str(before);
        let copies = copies(body.trim(), selection, table);
        let between = match separator {
            "," | ";" => format!("{separator}\n{}", indentation(&repeated)),
            "" => format!("\n{}", indentation(&repeated)),
            word if body.trim().contains('\n') => format!("\n{word}\n"),
            word => format!("\n{}{word} ", indentation(&repeated)),
        };
        repeated.push_str(&copies.join(&between));
        if copies.is_empty() {
            repeated.truncate(repeated.trim_end().len());
        }
        rest = after;
    }
    repeated.push_str(rest);
    repeated.replace(":kind", table.name.trim_start_matches("staging_"))
}

/// Returns one copy of `body` for each selected column.
fn copies(body: &str, selection: &str, table: &SqlFile) -> Vec<String> {
    let columns = table.json_columns().into_iter().filter(|(column, json)| match selection {
        "column" => true,
        "required column" => json.required,
        "text column" => is_text(&column.declared_type),
        "whole column" => {
            is_whole(&column.declared_type) && json.format.as_deref() != Some(USER_ID)
        }
        "other column" => !is_whole(&column.declared_type),
        other => other.strip_suffix(" column") == json.format.as_deref(),
    });
    let copy = |(place, (column, json)): (usize, (DeclaredColumn, JsonKey))| {
        // A landing column has the key's name in lower case, so that COPY finds it whatever the
        // case of the key.
        body.replace(":column", &column.name)
            .replace(":key", &json.key.to_lowercase())
            .replace(":type", &column.declared_type)
            .replace(":digits", digits_after_the_first(&column.declared_type))
            .replace(":place", &place.to_string())
    };
    columns.enumerate().map(copy).collect()
}

/// Format of a user's ID, for which empty text is null.
const USER_ID: &str = "user_id";

/// True for a type of whole numbers.
fn is_whole(logical_type: &str) -> bool {
    ["integer", "bigint"].contains(&logical_type)
}

/// Returns the number of further digits with which every number fits the type.
fn digits_after_the_first(logical_type: &str) -> &'static str {
    if logical_type == "integer" { "8" } else { "17" }
}

/// True for a logical type that holds text.
pub fn is_text(logical_type: &str) -> bool {
    ["label", "code", "short_text", "text", "long_text"].contains(&logical_type)
}

/// Replaces `/*include NAME(ARGUMENT, …) */` by the fragment's text with its arguments filled in.
/// Fragments may include others. A fragment whose `-- shared:` table exists becomes a query of it.
fn include_fragments(text: &str, is_shared: &dyn Fn(&str) -> bool) -> String {
    let mut included = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, call_on)) = rest.split_once("/*include ") {
        let Some((call, after)) = call_on.split_once("*/") else { break };
        let call = call.trim();
        let (name, given) =
            call.strip_suffix(')').and_then(|call| call.split_once('(')).unwrap_or((call, ""));
        included.push_str(before);
        // A test finds each include that names no fragment.
        let fragment = fragment::ALL.iter().find(|fragment| fragment.name == name);
        let shared = fragment.and_then(|fragment| fragment.header_line("shared"));
        let fragment = match shared.filter(|table| is_shared(table)) {
            Some(table) => format!("select * from {table}"),
            None => fragment.map(|fragment| fragment.filled(given)).unwrap_or_default(),
        };
        let between = format!("\n{}", indentation(&included));
        let fragment = include_fragments(&fragment, is_shared).replace('\n', &between);
        included.push_str(&fragment.replace(&format!("{between}\n"), "\n\n"));
        rest = after;
    }
    included.push_str(rest);
    included
}

impl SqlFile {
    /// Returns a fragment's text without its header, with the arguments of its `-- arguments:` line
    /// replaced by `given`.
    fn filled(&self, given: &str) -> String {
        let header = self.header().map(|line| line.len() + 1).sum();
        let body = self.text.get(header..).unwrap_or_default().trim_end().to_owned();
        let names = self.header_line("arguments").unwrap_or_default().split(", ");
        let pairs = names.filter(|name| !name.is_empty()).zip(given.split(", "));
        pairs.fold(body, |text, (name, value)| text.replace(&format!(":{name}"), value))
    }
}

/// Numbers the parameters of a statement from 1, and returns their numbers before.
fn renumbered(statement: &str) -> (String, Vec<usize>) {
    let used: Vec<usize> =
        (1..10).filter(|number| statement.contains(&format!("${number}"))).collect();
    let renumber = |text: String, (place, number): (usize, &usize)| {
        text.replace(&format!("${number}"), &format!("${}", place + 1))
    };
    // In ascending order a new number is never one that is still to be replaced.
    (used.iter().enumerate().fold(statement.to_owned(), renumber), used)
}

/// Returns the blanks for lines that continue the last line of `text`: four more than its own where
/// it holds code.
fn indentation(text: &str) -> String {
    let line = text.rsplit('\n').next().unwrap_or_default();
    let code = line.trim_start();
    let more = if code.is_empty() { 0 } else { 4 };
    " ".repeat(line.len() - code.len() + more)
}

fn open_comments(text: &str, opening: Opening) -> String {
    let mut opened = String::with_capacity(text.len());
    let mut rest = text;
    let applies =
        |label: &str| label == opening.engine || (label == "incremental" && opening.incremental);
    while let Some((before, comment_on)) = rest.split_once("/*") {
        let Some((body, after)) = comment_on.split_once("*/") else { break };
        let (label, content) = body.split_once(' ').unwrap_or((body, ""));
        let content = content.trim();
        opened.push_str(before);
        rest = after;
        if applies(label) {
            opened.push_str(content);
        } else if label.strip_suffix('=').is_some_and(applies) {
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

/// Removes what a dropped comment would leave: a line of its own, or a blank before `,`, `;` or
/// `)`.
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
    const REDSHIFT: Opening = Opening { engine: "redshift", incremental: false };

    const fn file(text: &'static str) -> SqlFile {
        SqlFile { folder: "stage", name: "staging_things", text, staging: None }
    }

    #[test]
    fn comments_open_for_their_engine_only() {
        let text = "a varchar /*redshift (9) */,\nb uuid /*redshift= char(36) *//*postgres= text */ not null\n";
        assert_eq!(open_comments(text, DUCKDB), "a varchar,\nb uuid not null\n");
        assert_eq!(open_comments(text, REDSHIFT), "a varchar (9),\nb char(36) not null\n");
    }

    #[test]
    fn calls_of_inlined_functions_become_expressions() {
        let query = file("select f_bytes(a.b), f_ms(c) order by f_bytes(d) nulls last");
        assert_eq!(
            query.opened(REDSHIFT),
            "select (a.b || chr(1)), f_ms(c) order by (d || chr(1)) nulls last"
        );
        assert_eq!(query.opened(DUCKDB), query.text);
    }

    #[test]
    fn an_incremental_line_is_added_or_dropped() {
        let text = "from t\n/*incremental join s using (k) */\nwhere x";
        assert_eq!(open_comments(text, DUCKDB), "from t\nwhere x");
        let incremental = Opening { incremental: true, ..DUCKDB };
        assert_eq!(open_comments(text, incremental), "from t\njoin s using (k)\nwhere x");
        let text = "from t /*incremental= s as t */\nwhere x";
        assert_eq!(open_comments(text, DUCKDB), "from t\nwhere x");
        assert_eq!(open_comments(text, incremental), "from s as t\nwhere x");
    }

    #[test]
    fn a_statement_ends_at_a_semicolon_that_ends_a_line() {
        let statements =
            split("-- head\n\ncreate x (\n  a int -- b; c\n);\n\nselect ';';\nselect 2\n;\n");
        assert_eq!(statements, ["create x (\n  a int -- b; c\n)", "select ';'", "select 2"]);
    }

    const THINGS: SqlFile = file(
        "-- T.\ncreate table if not exists staging_things (
    a double precision not null, -- one, two
    b uuid, -- key
    \"c\" text not null, -- $.theC required: words: more
    d bigint /*redshift encode raw */, -- $.d required epoch_ms: when
    e text_like -- $.e user_id: who
    -- redshift: a bigint that is no column
) /*redshift sortkey(d) */;\n",
    );

    #[test]
    fn a_table_declares_its_columns() {
        let columns = THINGS.columns(DUCKDB);
        assert_eq!(columns.len(), 5);
        assert_eq!(
            (&*columns[0].declared_type, &*columns[0].description),
            ("double precision", "one, two")
        );
        assert_eq!((columns[0].required, columns[1].required), (true, false));
        assert_eq!((&*columns[2].name, &*columns[2].description), ("c", "words: more"));
        assert_eq!(THINGS.headline(), "T.");
        let json = |at: usize| columns[at].json.clone().unwrap();
        let key = |key: &str, required, format: Option<&str>| JsonKey {
            key: key.into(),
            required,
            format: format.map(Into::into),
        };
        assert_eq!(columns[1].json, None);
        assert_eq!(json(2), key("theC", true, None));
        assert_eq!(json(3), key("d", true, Some("epoch_ms")));
        assert_eq!(json(4), key("e", false, Some("user_id")));
    }

    #[test]
    fn logical_types_become_those_of_the_engine() {
        let code = |file: SqlFile, opening| {
            let statement = file.statement(opening);
            let lines = statement.lines().map(|line| line.split(" -- ").next().unwrap().trim());
            lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
        };
        let head = "create table if not exists staging_things (";
        let duckdb =
            "a double precision not null, b uuid, \"c\" varchar not null, d bigint, e text_like )";
        assert_eq!(code(THINGS, DUCKDB), format!("{head} {duckdb}"));
        let redshift = "a double precision encode zstd not null, b char(36) encode raw, \"c\" varchar (2048) encode zstd not null, \
                        d bigint encode raw, e text_like ) sortkey(d)";
        assert_eq!(code(THINGS, REDSHIFT), format!("{head} {redshift}"));
        let plain = "a double precision not null, b char(36), \"c\" varchar (2048) not null, d bigint encode raw, e text_like ) sortkey(d)";
        assert_eq!(
            code(SqlFile { folder: "ledger", ..THINGS }, REDSHIFT),
            format!("{head} {plain}")
        );
        let columns = THINGS.columns(REDSHIFT);
        assert_eq!(
            (&*columns[1].declared_type, &*columns[3].declared_type),
            ("char(36)", "bigint")
        );
        let postgres = Opening { engine: "postgres", ..DUCKDB };
        assert_eq!(THINGS.columns(postgres)[2].declared_type, "varchar");
        assert!(THINGS.statement(postgres).contains("\"c\" varchar collate \"C\" not null, --"));
    }

    #[test]
    fn a_template_repeats_its_parts_for_each_column() {
        let opened = |text| file(text).of(&THINGS).opened(DUCKDB);
        let columns =
            "select\n    /*each column separated by ,*/t.:column/*end*/\nfrom landing_:kind;\n";
        assert_eq!(opened(columns), "select\n    t.c,\n    t.d,\n    t.e\nfrom landing_things;\n");
        let conditions = "where /*each required column separated by or*/:key is null/*end*/\n    /*each epoch_ms column*/or :key < 0/*end*/;\n";
        assert_eq!(opened(conditions), "where thec is null\n    or d is null\n    or d < 0;\n");
        let blocks =
            "/*each text column separated by union*/\nselect :key, :place\nfrom t\n/*end*/;\n";
        assert_eq!(opened(blocks), "select thec, 0\nfrom t;\n");
        let nothing = "where true\n    /*each absent column*/and :key/*end*/\norder by 1;\n";
        assert_eq!(opened(nothing), "where true\norder by 1;\n");
        let kinds =
            "/*each whole column*/:key [0-9]{0,:digits}/*end*/\n/*each other column*/:key/*end*/\n";
        assert_eq!(opened(kinds), "d [0-9]{0,17}\nthec\ne\n");
        let landing = "create temp table landing_:kind (\n    /*each column*/:key :type,/*end*/\n    n integer\n);\n";
        assert_eq!(
            opened(landing),
            "create temp table landing_things (\n    thec varchar,\n    d bigint,\n    e text_like,\n    n integer\n);\n"
        );
    }

    #[test]
    fn a_fragment_is_included_with_its_arguments() {
        let text = "select 1\nfrom t\nwhere /*include in_days(t.moment) */\n    and /*include at_level(level) */;\n";
        assert_eq!(
            file(text).opened(DUCKDB),
            "select 1\nfrom t\nwhere (cast($1 as timestamp) is null or t.moment >= cast($1 as timestamp))
    and (cast($2 as timestamp) is null or t.moment < cast($2 as timestamp))
    and (cast($3 as varchar) is null or level = cast($3 as varchar));\n"
        );
        // A fragment that includes others, and that a temporary table can replace.
        let query = file("with t as (\n    /*include session_totals() */\n)\n\nselect $4, $7;\n");
        let text = query.opened(DUCKDB);
        assert!(text.contains("or start_time >= cast($1") && !text.contains("/*"), "{text}");
        assert_eq!(
            query.statement_from_shared_tables(DUCKDB),
            (
                "with t as (\n    select * from page_session_totals\n)\n\nselect $1, $2".into(),
                vec![4, 7]
            )
        );
    }

    #[test]
    fn a_header_has_notes_and_lists() {
        let text = "-- T.\n-- grain: one a; source: b; c\n-- rule: d: e\n-- from:\n--   a: b.a, 0 as null\n-- key: a\nselect 1 -- rule: no\n";
        let file = file(text);
        let notes = [("grain", "one a"), ("source", "b; c"), ("rule", "d: e"), ("key", "a")];
        assert_eq!(file.notes(), notes);
        assert_eq!(file.listed("from"), [("a", "b.a, 0 as null")]);
        assert!(file.listed("columns").is_empty());
    }

    #[test]
    fn the_name_of_a_table_is_quoted() {
        let file = file("-- F.\nselect a from \":table\";\n");
        assert_eq!(file.statement_on("my \"t\"", DUCKDB), "select a from \"my \"\"t\"\"\"");
    }
}
