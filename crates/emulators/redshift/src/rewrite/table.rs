//! CREATE TABLE: what PostgreSQL has no place for is dropped and noted down, what it would enforce is not.
//!
//! DISTSTYLE, DISTKEY, SORTKEY, ENCODE and BACKUP go into notes that `pg_table_def` and `svv_table_info` show (DG/r_CREATE_TABLE_NEW.html);
//! PRIMARY KEY, UNIQUE and FOREIGN KEY are accepted and not enforced (DG/t_Defining_constraints.html), except that a primary key's columns
//! are NOT NULL. A VARCHAR's length counts bytes, by a check; TEXT is VARCHAR(256) (DG/r_Character_types.html).

use super::{Edit, Plan, apply, items, name_at};
use crate::backend::{literal, quoted};
use crate::lexer::{Kind, Token, closing, follows};
use crate::wire::Report;

/// What DDL said about a column.
#[derive(Debug, Default)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) encoding: String,
    pub(crate) distkey: bool,
    pub(crate) sortkey: i32,
}

/// What DDL said about a table.
#[derive(Debug, Default)]
struct Notes {
    diststyle: Option<String>,
    columns: Vec<Column>,
    /// Columns of a primary key that is written behind the columns.
    key: Vec<String>,
    like: Option<String>,
}

/// Whether this is CREATE [TEMP] TABLE.
pub(crate) fn is_create(tokens: &[Token<'_>]) -> bool {
    tokens.iter().take(4).any(|token| token.is("table"))
}

/// Plans a CREATE TABLE.
pub(crate) fn create(text: &str, tokens: &[Token<'_>]) -> Result<Plan, Report> {
    let table = tokens.iter().position(|token| token.is("table")).unwrap_or(1);
    let exists = if follows(tokens, table + 1, "if not exists") { 3 } else { 0 };
    let (name, mut at) = name_at(tokens, table + 1 + exists);
    let mut notes = Notes::default();
    let mut edits = Vec::new();
    let selects = tokens.iter().skip(at).any(|token| token.is("as"));
    let is_temporary = |token: &Token<'_>| token.is("temp") || token.is("temporary");
    let hash = tokens.get(table + 1 + exists).is_some_and(|name| name.text.starts_with("\"#"));
    if hash && !tokens[..table].iter().any(is_temporary) {
        edits.push((tokens[table].start, tokens[table].start, "temp ".to_owned()));
    }
    if tokens.get(at).is_some_and(|token| token.is("(")) {
        let (list, close) = items(tokens, at).ok_or_else(|| unfinished(text))?;
        if !selects || !list.iter().all(|(start, end)| end - start == 1) {
            for (start, end) in list {
                item(tokens, start, end, &mut edits, &mut notes)?;
            }
        }
        at = close + 1;
    }
    let rest = attributes(tokens, at, &mut notes);
    if let (Some(first), Some(last)) = (tokens.get(at), tokens.get(rest.wrapping_sub(1)))
        && rest > at
    {
        edits.push((first.start, last.end(), String::new()));
    }
    let text = apply(text, edits);
    Ok(Plan::Relay { text: tidy(&text), after: remember(&name, &notes) })
}

/// Constraints that went leave commas behind.
fn tidy(text: &str) -> String {
    let tokens = crate::lexer::tokens(text);
    let spare =
        tokens.windows(2).filter(|pair| pair[0].is(",") && (pair[1].is(",") || pair[1].is(")")));
    apply(text, spare.map(|pair| (pair[0].start, pair[0].end(), String::new())).collect())
}

fn unfinished(text: &str) -> Report {
    let end = text.split_whitespace().last().unwrap_or_default();
    Report::error("42601", format!("syntax error at or near \"{end}\""))
}

fn item(
    tokens: &[Token<'_>],
    start: usize,
    end: usize,
    edits: &mut Vec<Edit>,
    notes: &mut Notes,
) -> Result<(), Report> {
    let Some(first) = tokens.get(start).filter(|_| end > start) else { return Ok(()) };
    let constraint = ["constraint", "primary", "unique", "foreign"];
    if first.kind == Kind::Word && constraint.iter().any(|word| first.is(word)) {
        if let Some(key) = (start..end).find(|at| follows(tokens, *at, "primary key (")) {
            let close = closing(tokens, key + 2).unwrap_or(end);
            notes.key =
                tokens[key + 3..close].iter().filter(|t| t.is_name()).map(Token::name).collect();
        }
        edits.push((first.start, tokens[end - 1].end(), String::new()));
    } else if first.is("like") {
        let (source, _) = name_at(tokens, start + 1);
        edits.push((
            tokens[end - 1].end(),
            tokens[end - 1].end(),
            " including constraints".to_owned(),
        ));
        notes.like = Some(source);
    } else {
        notes.columns.push(column(tokens, start, end, edits)?);
    }
    Ok(())
}

/// One column: its type and its attributes, edited; what was noted.
pub(crate) fn column(
    tokens: &[Token<'_>],
    start: usize,
    end: usize,
    edits: &mut Vec<Edit>,
) -> Result<Column, Report> {
    let name = tokens.get(start).filter(|_| start < end).ok_or_else(|| unfinished(""))?.name();
    let mut at = start + 1;
    let written = tokens.get(at).filter(|_| at < end).map(|token| token.text.to_ascii_lowercase());
    let kind = written.unwrap_or_default();
    let mut column =
        Column { encoding: default_encoding(&kind).to_owned(), name, ..Column::default() };
    let mut check = String::new();
    if let Some((class, length, after)) = characters(tokens, at, end)? {
        let sql = format!("{class}({length})");
        edits.push((tokens[at].start, tokens[after - 1].end(), sql));
        check = byte_check(&column.name, class, length);
        at = after - 1;
    }
    while at < end {
        at = attribute(tokens, at, end, edits, &mut column);
    }
    edits.push((tokens[end - 1].end(), tokens[end - 1].end(), check));
    Ok(column)
}

/// A check that counts a column's bytes, blanks in excess left out.
pub(crate) fn byte_check(column: &str, class: &str, length: u32) -> String {
    let (name, said) =
        (quoted(column), if class == "char" { "character" } else { "character varying" });
    let bytes = format!("{name} is null or octet_length({name}::text) <= {length}");
    let trimmed = format!("octet_length(rtrim({name}::text)) <= {length}");
    let constraint = quoted(&format!("rs_bytes_{column}"));
    format!(
        " constraint {constraint} check ({bytes} or {trimmed} or rs_too_long('{said}', {length}))"
    )
}

/// A character type at `at`: its class, its length in bytes, and the token after it.
pub(crate) fn characters(
    tokens: &[Token<'_>],
    at: usize,
    end: usize,
) -> Result<Option<(&'static str, u32, usize)>, Report> {
    let Some(first) = tokens.get(at).filter(|_| at < end) else { return Ok(None) };
    let varying = usize::from(follows(tokens, at, "character varying"));
    let (class, default, most) = match first.text.to_ascii_lowercase().as_str() {
        "varchar" | "text" => ("varchar", 256, 65535),
        "character" if varying == 1 => ("varchar", 256, 65535),
        "char" | "character" => ("char", 1, 4096),
        "bpchar" => ("char", 256, 4096),
        _ => return Ok(None),
    };
    let open = at + 1 + varying;
    if !follows(tokens, open, "(") || open >= end {
        return Ok(Some((class, default, open)));
    }
    let length = tokens.get(open + 1).map_or("", |token| token.text);
    let length: u32 = length.parse().map_err(|_| unfinished(length))?;
    if length > most {
        let message = format!("length for type {class} cannot exceed {most}");
        return Err(Report::error("22023", message));
    }
    Ok(Some((class, length, open + 3)))
}

/// One attribute of a column, or the next token: edited, noted, and where to go on.
fn attribute(
    tokens: &[Token<'_>],
    at: usize,
    end: usize,
    edits: &mut Vec<Edit>,
    column: &mut Column,
) -> usize {
    let mut replace = |to: usize, with: String| {
        edits.push((tokens[at].start, tokens[to - 1].end(), with));
        to
    };
    if tokens[at].is("(") {
        return closing(tokens, at).map_or(end, |close| close + 1);
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
    } else if follows(tokens, at, "primary key") {
        replace(at + 2, "not null".to_owned())
    } else if tokens[at].is("unique") {
        replace(at + 1, String::new())
    } else if tokens[at].is("references") {
        let (_, after) = name_at(tokens, at + 1);
        let open = follows(tokens, after, "(") && after < end;
        let after =
            if open { closing(tokens, after).map_or(end, |close| close + 1) } else { after };
        replace(after, String::new())
    } else if tokens[at].is("collate") && at + 1 < end {
        replace(at + 2, String::new())
    } else if follows(tokens, at, "generated by default as identity (") {
        identity(tokens, at + 5, "by default").map_or(at + 1, |(with, to)| replace(to, with))
    } else if follows(tokens, at, "identity (") {
        identity(tokens, at + 1, "always").map_or(at + 1, |(with, to)| replace(to, with))
    } else {
        at + 1
    }
}

/// `(seed, step)` at `open`, as PostgreSQL spells it.
fn identity(tokens: &[Token<'_>], open: usize, when: &str) -> Option<(String, usize)> {
    let close = closing(tokens, open)?;
    let text: String = tokens[open + 1..close].iter().map(|token| token.text).collect();
    let (seed, step) = text.split_once(',')?;
    let sequence = format!("start with {seed} increment by {step} minvalue -2147483648");
    Some((format!("generated {when} as identity ({sequence})"), close + 1))
}

/// What Redshift chooses itself (DG/c_Compression_encodings.html): AZ64 for numbers and times, LZO for text, RAW for the rest.
fn default_encoding(kind: &str) -> &'static str {
    match kind {
        "smallint" | "int2" | "integer" | "int" | "int4" | "bigint" | "int8" | "decimal"
        | "numeric" | "date" | "timestamp" | "timestamptz" | "time" | "timetz" => "az64",
        "char" | "character" | "varchar" | "text" | "bpchar" | "varbyte" => "lzo",
        _ => "none",
    }
}

/// The table's own attributes from `at` on; the token after them.
fn attributes(tokens: &[Token<'_>], mut at: usize, notes: &mut Notes) -> usize {
    while let Some(token) = tokens.get(at).filter(|token| !token.is("as")) {
        let list = |open: usize| -> (Vec<String>, usize) {
            let close = closing(tokens, open).unwrap_or(tokens.len() - 1);
            let names = tokens[open..close].iter().filter(|token| token.is_name());
            (names.map(Token::name).collect(), close + 1)
        };
        if token.is("diststyle") {
            notes.diststyle = tokens.get(at + 1).map(|style| style.text.to_ascii_uppercase());
            at += 2;
        } else if token.is("distkey") && follows(tokens, at + 1, "(") {
            let (names, after) = list(at + 1);
            for name in names {
                notes.column(&name).distkey = true;
            }
            at = after;
        } else if token.is("sortkey") && follows(tokens, at + 1, "(") {
            let (names, after) = list(at + 1);
            let interleaved = at > 0 && tokens[at - 1].is("interleaved");
            for (place, name) in (1..).zip(names) {
                let sign = if interleaved && place % 2 == 0 { -1 } else { 1 };
                let column = notes.column(&name);
                column.sortkey = sign * place;
                "none".clone_into(&mut column.encoding);
            }
            at = after;
        } else {
            at += 1;
        }
    }
    at
}

impl Notes {
    fn column(&mut self, name: &str) -> &mut Column {
        let at = self.columns.iter().position(|column| column.name == name).unwrap_or_else(|| {
            self.columns.push(Column { name: name.to_owned(), ..Column::default() });
            self.columns.len() - 1
        });
        &mut self.columns[at]
    }
}

/// What writes the notes down.
fn remember(table: &str, notes: &Notes) -> Vec<String> {
    let relation = format!("{}::regclass", literal(table));
    let key = notes.columns.iter().find(|column| column.distkey);
    let style = match (&notes.diststyle, key) {
        (_, Some(column)) => format!("KEY({})", column.name),
        (Some(style), None) if style != "AUTO" => style.clone(),
        _ => "AUTO(ALL)".to_owned(),
    };
    let unless =
        |notes: &str| format!("where not exists (select from {notes} where relid = {relation})");
    // Columns first: a table that was there before has its notes already.
    let values: Vec<String> = notes.columns.iter().map(|column| value(&relation, column)).collect();
    let not_null = |name| format!("alter table {table} alter column {} set not null", quoted(name));
    let mut after: Vec<String> = notes.key.iter().map(|name| not_null(name)).collect();
    if !values.is_empty() {
        after.push(format!(
            "insert into rs_column_notes select * from (values {}) as v {}",
            values.join(", "),
            unless("rs_column_notes")
        ));
    }
    if let Some(source) = &notes.like {
        after.push(format!(
            "insert into rs_column_notes select {relation}, name, encoding, distkey, sortkey from rs_column_notes as k \
             where relid = {}::regclass",
            literal(source)
        ));
    }
    after.push(format!(
        "insert into rs_table_notes (relid, diststyle) select {relation}, {} {}",
        literal(&style),
        unless("rs_table_notes")
    ));
    after
}

/// The values of one column's note.
pub(crate) fn value(relation: &str, column: &Column) -> String {
    let encoding =
        if matches!(column.encoding.as_str(), "raw" | "") { "none" } else { &column.encoding };
    let (name, encoding) = (literal(&column.name), literal(encoding));
    format!("({relation}::oid, {name}::name, {encoding}, {}, {})", column.distkey, column.sortkey)
}

#[cfg(test)]
mod tests {
    use super::super::tests::sent;

    #[test]
    fn attributes_go_and_lengths_count_bytes() {
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
    fn a_table_made_by_a_query_keeps_its_query() {
        assert_eq!(
            sent("create table t distkey(a) sortkey auto as select nvl(a, 1) as a from u"),
            "create table t  as select coalesce(a, 1) as a from u"
        );
        assert_eq!(sent("create table #t (a int)"), "create temp table \"#t\" (a int)");
    }
}
