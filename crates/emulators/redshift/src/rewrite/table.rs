//! CREATE TABLE: removes attributes that PostgreSQL lacks and constraints that Redshift does not
//! enforce.
//!
//! DISTSTYLE, DISTKEY, SORTKEY and ENCODE are stored; `pg_table_def` and `svv_table_info` show them
//! (DG/r_CREATE_TABLE_NEW.html). PRIMARY KEY, UNIQUE and FOREIGN KEY are not enforced
//! (DG/t_Defining_constraints.html), but the columns of a primary key are NOT NULL. A check
//! constraint limits VARCHAR and CHAR to a length in bytes; TEXT is VARCHAR(256)
//! (DG/r_Character_types.html).

use super::keys::Key;
use super::{Edit, Plan, apply, items, name_at};
use crate::backend::{literal, quoted};
use crate::lexer::{Token, TokenKind, keywords_at, matching_paren};
use crate::wire::Report;

/// Redshift attributes of a column.
#[derive(Debug, Default)]
pub(crate) struct ColumnAttributes {
    pub(crate) name: String,
    pub(crate) encoding: String,
    pub(crate) distkey: bool,
    /// Position in the sort key, counted from 1; 0 if the column is not in it.
    pub(crate) sortkey: i32,
    /// Keys that the column declares.
    keys: Vec<Key>,
}

/// Redshift attributes of a table.
#[derive(Debug, Default)]
struct TableAttributes {
    diststyle: Option<String>,
    columns: Vec<ColumnAttributes>,
    /// Columns of a primary key declared as a table constraint.
    key: Vec<String>,
    /// Keys declared as table constraints.
    keys: Vec<Key>,
    /// Source table of LIKE.
    like: Option<String>,
}

/// Returns true if the statement is CREATE [TEMP] TABLE.
pub(crate) fn is_create(tokens: &[Token<'_>]) -> bool {
    tokens.iter().take(4).any(|token| token.is("table"))
}

/// Plans a CREATE TABLE.
pub(crate) fn create(text: &str, tokens: &[Token<'_>]) -> Result<Plan, Report> {
    let table = tokens.iter().position(|token| token.is("table")).unwrap_or(1);
    let exists = if keywords_at(tokens, table + 1, "if not exists") { 3 } else { 0 };
    let (name, mut at) = name_at(tokens, table + 1 + exists);
    let mut attributes = TableAttributes::default();
    let mut edits = Vec::new();
    let is_ctas = tokens.iter().skip(at).any(|token| token.is("as"));
    let is_temporary = |token: &Token<'_>| token.is("temp") || token.is("temporary");
    let has_temporary_name =
        tokens.get(table + 1 + exists).is_some_and(|name| name.text.starts_with("\"#"));
    if has_temporary_name && !tokens[..table].iter().any(is_temporary) {
        edits.push((tokens[table].start, tokens[table].start, "temp ".to_owned()));
    }
    if tokens.get(at).is_some_and(|token| token.is("(")) {
        let (list, close) = items(tokens, at).ok_or_else(|| syntax_error(text))?;
        // A list of bare names before AS renames the columns of the query.
        if !is_ctas || !list.iter().all(|(start, end)| end - start == 1) {
            for (start, end) in list {
                table_item(tokens, start, end, &mut edits, &mut attributes)?;
            }
        }
        at = close + 1;
    }
    let rest = table_attributes(tokens, at, &mut attributes);
    if let (Some(first), Some(last)) = (tokens.get(at), tokens.get(rest.wrapping_sub(1)))
        && rest > at
    {
        edits.push((first.start, last.end(), String::new()));
    }
    let text = apply(text, edits);
    let follow_up = attribute_statements(&name, &attributes);
    Ok(Plan::Forward { text: remove_empty_items(&text), follow_up })
}

/// Removes the commas that removed constraints leave.
fn remove_empty_items(text: &str) -> String {
    let tokens = crate::lexer::tokens(text);
    let commas =
        tokens.windows(2).filter(|pair| pair[0].is(",") && (pair[1].is(",") || pair[1].is(")")));
    apply(text, commas.map(|pair| (pair[0].start, pair[0].end(), String::new())).collect())
}

/// Returns a syntax error at the last word of `text`.
fn syntax_error(text: &str) -> Report {
    let end = text.split_whitespace().last().unwrap_or_default();
    Report::error("42601", format!("syntax error at or near \"{end}\""))
}

/// Rewrites one item of a table definition: a constraint, LIKE or a column.
fn table_item(
    tokens: &[Token<'_>],
    start: usize,
    end: usize,
    edits: &mut Vec<Edit>,
    attributes: &mut TableAttributes,
) -> Result<(), Report> {
    let Some(first) = tokens.get(start).filter(|_| end > start) else { return Ok(()) };
    let constraint = ["constraint", "primary", "unique", "foreign"];
    if first.kind == TokenKind::Word && constraint.iter().any(|word| first.is(word)) {
        if let Some(key) = (start..end).find(|at| keywords_at(tokens, *at, "primary key (")) {
            let close = matching_paren(tokens, key + 2).unwrap_or(end);
            attributes.key =
                tokens[key + 3..close].iter().filter(|t| t.is_name()).map(Token::name).collect();
        }
        attributes.keys.extend(Key::parse(tokens, start, end));
        edits.push((first.start, tokens[end - 1].end(), String::new()));
    } else if first.is("like") {
        let (source, _) = name_at(tokens, start + 1);
        edits.push((
            tokens[end - 1].end(),
            tokens[end - 1].end(),
            " including constraints".to_owned(),
        ));
        attributes.like = Some(source);
    } else {
        attributes.columns.push(column(tokens, start, end, edits)?);
    }
    Ok(())
}

/// Rewrites a column definition; returns its Redshift attributes.
pub(crate) fn column(
    tokens: &[Token<'_>],
    start: usize,
    end: usize,
    edits: &mut Vec<Edit>,
) -> Result<ColumnAttributes, Report> {
    let name = tokens.get(start).filter(|_| start < end).ok_or_else(|| syntax_error(""))?.name();
    let mut at = start + 1;
    let data_type = tokens.get(at).filter(|_| at < end).map_or("", |token| token.text);
    let encoding = default_encoding(&data_type.to_ascii_lowercase()).to_owned();
    let mut column = ColumnAttributes { name, encoding, ..ColumnAttributes::default() };
    let mut check = String::new();
    if let Some((class, length, after)) = character_type(tokens, at, end)? {
        let sql = format!("{class}({length})");
        edits.push((tokens[at].start, tokens[after - 1].end(), sql));
        check = byte_check(&column.name, class, length);
        at = after - 1;
    }
    while at < end {
        at = column_attribute(tokens, at, end, edits, &mut column);
    }
    edits.push((tokens[end - 1].end(), tokens[end - 1].end(), check));
    Ok(column)
}

/// Returns a check constraint on the bytes of a column; excess trailing blanks do not count.
pub(crate) fn byte_check(column: &str, class: &str, length: u32) -> String {
    let name = quoted(column);
    let type_name = if class == "char" { "character" } else { "character varying" };
    let bytes = format!("{name} is null or octet_length({name}::text) <= {length}");
    let trimmed = format!("octet_length(rtrim({name}::text)) <= {length}");
    let constraint = quoted(&format!("rs_bytes_{column}"));
    format!(
        " constraint {constraint} check ({bytes} or {trimmed} or rs_too_long('{type_name}', {length}))"
    )
}

/// Parses a character type at index `at`; returns `char` or `varchar`, the length in bytes and the
/// index after it.
pub(crate) fn character_type(
    tokens: &[Token<'_>],
    at: usize,
    end: usize,
) -> Result<Option<(&'static str, u32, usize)>, Report> {
    let Some(first) = tokens.get(at).filter(|_| at < end) else { return Ok(None) };
    let varying = usize::from(keywords_at(tokens, at, "character varying"));
    let (class, default, max) = match first.text.to_ascii_lowercase().as_str() {
        "varchar" | "text" => ("varchar", 256, 65535),
        "character" if varying == 1 => ("varchar", 256, 65535),
        "char" | "character" => ("char", 1, 4096),
        "bpchar" => ("char", 256, 4096),
        _ => return Ok(None),
    };
    let open = at + 1 + varying;
    if !keywords_at(tokens, open, "(") || open >= end {
        return Ok(Some((class, default, open)));
    }
    let length = tokens.get(open + 1).map_or("", |token| token.text);
    let length: u32 = length.parse().map_err(|_| syntax_error(length))?;
    if length > max {
        let message = format!("length for type {class} cannot exceed {max}");
        return Err(Report::error("22023", message));
    }
    Ok(Some((class, length, open + 3)))
}

/// Rewrites one column attribute, or skips one token; returns the index after it.
fn column_attribute(
    tokens: &[Token<'_>],
    at: usize,
    end: usize,
    edits: &mut Vec<Edit>,
    column: &mut ColumnAttributes,
) -> usize {
    let mut replace = |to: usize, with: String| {
        edits.push((tokens[at].start, tokens[to - 1].end(), with));
        to
    };
    if tokens[at].is("(") {
        return matching_paren(tokens, at).map_or(end, |close| close + 1);
    }
    if tokens[at].is("encode") && at + 1 < end {
        column.encoding = tokens[at + 1].name();
        replace(at + 2, String::new())
    } else if tokens[at].is("distkey") {
        column.distkey = true;
        replace(at + 1, String::new())
    } else if tokens[at].is("sortkey") {
        column.sortkey = 1;
        replace(at + 1, String::new())
    } else if keywords_at(tokens, at, "primary key") {
        column.keys.push(Key::of_column("PRIMARY KEY", &column.name));
        replace(at + 2, "not null".to_owned())
    } else if tokens[at].is("unique") {
        column.keys.push(Key::of_column("UNIQUE", &column.name));
        replace(at + 1, String::new())
    } else if tokens[at].is("references") {
        column.keys.push(Key::reference(&column.name, tokens, at));
        let (_, after) = name_at(tokens, at + 1);
        let open = keywords_at(tokens, after, "(") && after < end;
        let after =
            if open { matching_paren(tokens, after).map_or(end, |close| close + 1) } else { after };
        replace(after, String::new())
    } else if tokens[at].is("collate") && at + 1 < end {
        replace(at + 2, String::new())
    } else if keywords_at(tokens, at, "generated by default as identity (") {
        identity(tokens, at + 5, "by default").map_or(at + 1, |(with, to)| replace(to, with))
    } else if keywords_at(tokens, at, "identity (") {
        identity(tokens, at + 1, "always").map_or(at + 1, |(with, to)| replace(to, with))
    } else {
        at + 1
    }
}

/// Translates `(seed, step)` of IDENTITY at index `open`; returns the SQL and the index after it.
fn identity(tokens: &[Token<'_>], open: usize, when: &str) -> Option<(String, usize)> {
    let close = matching_paren(tokens, open)?;
    let text: String = tokens[open + 1..close].iter().map(|token| token.text).collect();
    let (seed, step) = text.split_once(',')?;
    let sequence = format!("start with {seed} increment by {step} minvalue -2147483648");
    Some((format!("generated {when} as identity ({sequence})"), close + 1))
}

/// Returns Redshift's default encoding (DG/c_Compression_encodings.html): AZ64 for numbers and
/// times, LZO for text, RAW (`none` in the catalog) for other types.
fn default_encoding(data_type: &str) -> &'static str {
    match data_type {
        "smallint" | "int2" | "integer" | "int" | "int4" | "bigint" | "int8" | "decimal"
        | "numeric" | "date" | "timestamp" | "timestamptz" | "time" | "timetz" => "az64",
        "char" | "character" | "varchar" | "text" | "bpchar" | "varbyte" => "lzo",
        _ => "none",
    }
}

/// Parses the table attributes from index `at`; returns the index after them.
fn table_attributes(
    tokens: &[Token<'_>],
    mut at: usize,
    attributes: &mut TableAttributes,
) -> usize {
    while let Some(token) = tokens.get(at).filter(|token| !token.is("as")) {
        let list = |open: usize| -> (Vec<String>, usize) {
            let close = matching_paren(tokens, open).unwrap_or(tokens.len() - 1);
            let is_column = |token: &&Token<'_>| token.is_name() || token.kind == TokenKind::Number;
            let names = tokens[open..close].iter().filter(is_column);
            (names.map(Token::name).collect(), close + 1)
        };
        if token.is("diststyle") {
            attributes.diststyle = tokens.get(at + 1).map(|style| style.text.to_ascii_uppercase());
            at += 2;
        } else if token.is("distkey") && keywords_at(tokens, at + 1, "(") {
            let (names, after) = list(at + 1);
            for name in names {
                attributes.column(&name).distkey = true;
            }
            at = after;
        } else if token.is("sortkey") && keywords_at(tokens, at + 1, "(") {
            let (names, after) = list(at + 1);
            let interleaved = at > 0 && tokens[at - 1].is("interleaved");
            for (position, name) in (1..).zip(names) {
                // pg_table_def shows alternating signs for an interleaved sort key.
                let sign = if interleaved && position % 2 == 0 { -1 } else { 1 };
                let column = attributes.column(&name);
                column.sortkey = sign * position;
                "none".clone_into(&mut column.encoding);
            }
            at = after;
        } else {
            at += 1;
        }
    }
    at
}

impl TableAttributes {
    /// Returns the attributes of a column, which CREATE TABLE AS does not declare beforehand.
    fn column(&mut self, name: &str) -> &mut ColumnAttributes {
        let at = self.columns.iter().position(|column| column.name == name).unwrap_or_else(|| {
            let name = name.to_owned();
            self.columns.push(ColumnAttributes { name, ..ColumnAttributes::default() });
            self.columns.len() - 1
        });
        &mut self.columns[at]
    }
}

/// Returns the statements that store the attributes of a table.
fn attribute_statements(table: &str, attributes: &TableAttributes) -> Vec<String> {
    let relation = format!("{}::regclass", literal(table));
    let distkey = attributes.columns.iter().find(|column| column.distkey);
    let style = match (&attributes.diststyle, distkey) {
        (_, Some(column)) => format!("'KEY(' || {} || ')'", column_name(&relation, &column.name)),
        (Some(style), None) if style != "AUTO" => literal(style),
        _ => literal("AUTO(ALL)"),
    };
    // With IF NOT EXISTS the table may have existed before, with its attributes.
    let unless_stored =
        |stored: &str| format!("where not exists (select from {stored} where relid = {relation})");
    let rows: Vec<String> =
        attributes.columns.iter().map(|column| attribute_row(&relation, column)).collect();
    let not_null = |name| format!("alter table {table} alter column {} set not null", quoted(name));
    let mut statements: Vec<String> = attributes.key.iter().map(|name| not_null(name)).collect();
    if !rows.is_empty() {
        statements.push(format!(
            "insert into rs_column_attributes select * from (values {}) as v {}",
            rows.join(", "),
            unless_stored("rs_column_attributes")
        ));
    }
    if let Some(source) = &attributes.like {
        statements.push(format!(
            "insert into rs_column_attributes select {relation}, name, encoding, distkey, sortkey from rs_column_attributes as k \
             where relid = {}::regclass",
            literal(source)
        ));
    }
    statements.push(format!(
        "insert into rs_table_attributes (relid, diststyle) select {relation}, {style} {}",
        unless_stored("rs_table_attributes")
    ));
    let keys = attributes.columns.iter().flat_map(|column| &column.keys).chain(&attributes.keys);
    statements.extend(keys.map(|key| key.statement(table, true)));
    statements
}

/// Returns the SQL for the name of a column, which CREATE TABLE AS can give as a position.
fn column_name(relation: &str, name: &str) -> String {
    match name.parse::<u16>() {
        Ok(position) => format!(
            "(select attname from pg_attribute where attrelid = {relation} and attnum = {position})"
        ),
        Err(_) => literal(name),
    }
}

/// Returns the row of `rs_column_attributes` for one column.
pub(crate) fn attribute_row(relation: &str, column: &ColumnAttributes) -> String {
    let encoding =
        if matches!(column.encoding.as_str(), "raw" | "") { "none" } else { &column.encoding };
    let (name, encoding) = (column_name(relation, &column.name), literal(encoding));
    format!("({relation}::oid, {name}::name, {encoding}, {}, {})", column.distkey, column.sortkey)
}

#[cfg(test)]
mod tests {
    use super::super::tests::sent;

    #[test]
    fn attributes_are_removed_and_lengths_count_bytes() {
        let text = sent(
            "create table if not exists s.t (a int identity(0,1) primary key, b text encode zstd not null, \
             c varchar distkey sortkey references u (a), d timestamp default sysdate, constraint k unique (a), foreign key (b) references u) \
             diststyle key compound sortkey (a, b) backup no",
        );
        assert!(text.starts_with("create table if not exists s.t (a int generated always as identity (start with 0 increment by 1 minvalue"));
        for part in [
            "not null, b varchar(256)  not null constraint \"rs_bytes_b\" check (\"b\" is null or octet_length(\"b\"::text) <= 256",
            "d timestamp default rs_sysdate()",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        for word in
            ["distkey", "sortkey", "encode", "primary", "references", "unique", "foreign", "backup"]
        {
            assert!(!text.contains(word), "{word}: {text}");
        }
        assert!(text.trim_end().ends_with("  )"), "{text}");
    }

    #[test]
    fn create_table_as_keeps_its_query() {
        assert_eq!(
            sent("create table t distkey(a) sortkey auto as select nvl(a, 1) as a from u"),
            "create table t  as select coalesce(a, 1) as a from u"
        );
        assert_eq!(sent("create table #t (a int)"), "create temp table \"#t\" (a int)");
    }
}
