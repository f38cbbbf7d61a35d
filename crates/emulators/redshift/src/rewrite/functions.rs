//! Functions and names that PostgreSQL spells differently, wherever they stand in a statement.
//!
//! Those that PostgreSQL can be taught under their own name are in `catalog/manners.sql`; here is what its grammar stands against: NVL takes
//! any number of arguments of any type, SYSDATE has no brackets, a date part is a bare word, LISTAGG orders behind its brackets, `#t` is a name.

use super::{Context, Edit, apply};
use crate::lexer::{Kind, Token, closing, follows, tokens};

/// The edits of a statement.
pub(crate) fn edits(tokens: &[Token<'_>], context: Context) -> Vec<Edit> {
    (0..tokens.len()).flat_map(|at| edit(tokens, at, context)).collect()
}

fn edit(tokens: &[Token<'_>], at: usize, context: Context) -> Vec<Edit> {
    let token = tokens[at];
    let one = |instead: &str| vec![(token.start, token.end(), instead.to_owned())];
    match token.kind {
        Kind::Dollar => return one(&body(token.text, context)),
        Kind::Word => {}
        _ => return Vec::new(),
    }
    // Behind a point or AS it is a name.
    let named = at > 0 && (tokens[at - 1].is(".") || tokens[at - 1].is("as"));
    let called = tokens.get(at + 1).is_some_and(|next| next.is("("));
    match token.text.to_ascii_lowercase().as_str() {
        name if name.starts_with('#') => one(&format!("\"{name}\"")),
        "nvl" if called => one("coalesce"),
        "sysdate" if !called && !named => one("rs_sysdate()"),
        "dateadd" | "datediff" | "date_part" | "pgdate_part" if called => date_part(tokens, at),
        "listagg" if called => listagg(tokens, at),
        "pg_last_copy_id" if follows(tokens, at + 1, "( )") => {
            vec![(token.start, tokens[at + 2].end(), context.last_copy.0.to_string())]
        }
        "pg_last_copy_count" if follows(tokens, at + 1, "( )") => {
            vec![(token.start, tokens[at + 2].end(), context.last_copy.1.to_string())]
        }
        "max" if at > 1 && follows(tokens, at - 2, "varchar ( max )") => one("65535"),
        "nvarchar" => one("varchar"),
        "nchar" => one("char"),
        "varbyte" | "varbinary" if called => {
            let end = closing(tokens, at + 1).map_or(token.end(), |close| tokens[close].end());
            vec![(token.start, end, "varbyte".to_owned())]
        }
        "minus" if follows(tokens, at + 1, "select") => one("except"),
        _ => Vec::new(),
    }
}

/// The body of a function, which is a statement of its own.
fn body(text: &str, context: Context) -> String {
    let mark = 1 + text[1..].find('$').unwrap_or(0);
    let tag = &text[..=mark];
    let inner = text[mark + 1..].strip_suffix(tag).unwrap_or(&text[mark + 1..]);
    format!("{tag}{}{tag}", apply(inner, edits(&tokens(inner), context)))
}

/// `dateadd(day, …)`: the part becomes a string.
fn date_part(tokens: &[Token<'_>], at: usize) -> Vec<Edit> {
    match tokens.get(at + 2) {
        Some(part) if part.kind == Kind::Word && follows(tokens, at + 3, ",") => {
            vec![(part.start, part.end(), format!("'{}'", part.text.to_ascii_lowercase()))]
        }
        _ => Vec::new(),
    }
}

/// `listagg(x, ',') within group (order by y)` is `string_agg(x, ',' order by y)`.
fn listagg(tokens: &[Token<'_>], at: usize) -> Vec<Edit> {
    let token = tokens[at];
    let mut edits = vec![(token.start, token.end(), "string_agg".to_owned())];
    let Some(close) = closing(tokens, at + 1) else { return edits };
    let mut depth = 0;
    let delimited = tokens[at + 2..close].iter().any(|token| {
        depth += i32::from(token.is("(")) - i32::from(token.is(")"));
        token.is(",") && depth == 0
    });
    let default = if delimited { "" } else { ", ''" };
    if follows(tokens, close + 1, "within group (")
        && let Some(end) = closing(tokens, close + 3)
    {
        // The order stands where it stood; brackets and words before it go.
        edits.push((tokens[close].start, tokens[close + 3].end(), format!("{default} ")));
        edits.push((tokens[end].start, tokens[end].end(), ")".to_owned()));
    } else if !delimited {
        edits.push((tokens[close].start, tokens[close].start, default.to_owned()));
    }
    edits
}
