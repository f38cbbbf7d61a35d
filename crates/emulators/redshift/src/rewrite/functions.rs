//! Functions and names with a syntax that PostgreSQL cannot parse.
//!
//! Functions with ordinary syntax are defined in `catalog/semantics.sql`. Here: NVL takes any
//! number of arguments of any type, SYSDATE has no parentheses, date parts are keywords, LISTAGG
//! has its ORDER BY after the arguments, and `#t` is a name.

use super::{Context, Edit, apply};
use crate::lexer::{Token, TokenKind, keywords_at, matching_paren, tokens};

/// Returns the edits for a statement.
pub(crate) fn edits(tokens: &[Token<'_>], context: Context<'_>) -> Vec<Edit> {
    (0..tokens.len()).flat_map(|at| edit(tokens, at, context)).collect()
}

fn edit(tokens: &[Token<'_>], at: usize, context: Context<'_>) -> Vec<Edit> {
    let token = tokens[at];
    let replace = |with: &str| vec![(token.start, token.end(), with.to_owned())];
    match token.kind {
        TokenKind::DollarString => return replace(&function_body(token.text, context)),
        TokenKind::Word => {}
        _ => return Vec::new(),
    }
    // After a dot or AS the token is a column name.
    let is_column = at > 0 && (tokens[at - 1].is(".") || tokens[at - 1].is("as"));
    let is_call = tokens.get(at + 1).is_some_and(|next| next.is("("));
    match token.text.to_ascii_lowercase().as_str() {
        name if name.starts_with('#') => replace(&format!("\"{name}\"")),
        "nvl" if is_call => replace("coalesce"),
        "sysdate" if !is_call && !is_column => replace("rs_sysdate()"),
        "dateadd" | "datediff" | "date_part" | "date_trunc" | "pgdate_part" | "extract"
            if is_call =>
        {
            date_part(tokens, at)
        }
        // Constructors of super values, of which `array(` begins a subquery in PostgreSQL.
        "array" if is_call => super_value(tokens, at, "json_build_array"),
        "object" if is_call && !is_column => super_value(tokens, at, "json_build_object"),
        "listagg" if is_call => listagg(tokens, at),
        "pg_last_copy_id" if keywords_at(tokens, at + 1, "( )") => {
            vec![(token.start, tokens[at + 2].end(), context.last_copy.0.to_string())]
        }
        "pg_last_copy_count" if keywords_at(tokens, at + 1, "( )") => {
            vec![(token.start, tokens[at + 2].end(), context.last_copy.1.to_string())]
        }
        "max" if at > 1 && keywords_at(tokens, at - 2, "varchar ( max )") => replace("65535"),
        "nvarchar" => replace("varchar"),
        "nchar" => replace("char"),
        // VARBYTE is the renamed type bytea, which takes no length.
        "varbyte" | "varbinary" if is_call => {
            let end =
                matching_paren(tokens, at + 1).map_or(token.end(), |close| tokens[close].end());
            vec![(token.start, end, "varbyte".to_owned())]
        }
        "minus" if keywords_at(tokens, at + 1, "select") => replace("except"),
        _ => Vec::new(),
    }
}

/// Rewrites the dollar-quoted body of a function.
fn function_body(text: &str, context: Context<'_>) -> String {
    let end = 1 + text[1..].find('$').unwrap_or(0);
    let tag = &text[..=end];
    let inner = text[end + 1..].strip_suffix(tag).unwrap_or(&text[end + 1..]);
    format!("{tag}{}{tag}", apply(inner, edits(&tokens(inner), context)))
}

/// Turns the date part of `dateadd(d, …)` into a string with its full name, as the functions of
/// `catalog/functions.sql` expect it. PostgreSQL has shorter names for the days of week and year.
fn date_part(tokens: &[Token<'_>], at: usize) -> Vec<Edit> {
    let Some(part) = tokens.get(at + 2) else { return Vec::new() };
    let is_name = matches!(part.kind, TokenKind::Word | TokenKind::StringLiteral);
    let ends = keywords_at(tokens, at + 3, ",") || keywords_at(tokens, at + 3, "from");
    if !is_name || !ends {
        return Vec::new();
    }
    let given = part.text.trim_matches('\'').to_ascii_lowercase();
    let name = match redshift_lint::date_part(&given) {
        Some("dayofweek") => "dow",
        Some("dayofyear") => "doy",
        Some(name) => name,
        None => &given,
    };
    vec![(part.start, part.end(), format!("'{name}'"))]
}

/// Turns `array(…)` or `object(…)` into a function of PostgreSQL.
fn super_value(tokens: &[Token<'_>], at: usize, function: &str) -> Vec<Edit> {
    let Some(close) = matching_paren(tokens, at + 1) else { return Vec::new() };
    let end = tokens[close].end();
    vec![
        (tokens[at].start, tokens[at].end(), format!("rs_compact({function}")),
        (end, end, ")".to_owned()),
    ]
}

/// Turns `listagg(x, ',') within group (order by y)` into `string_agg(x, ',' order by y)`.
fn listagg(tokens: &[Token<'_>], at: usize) -> Vec<Edit> {
    let token = tokens[at];
    let mut edits = vec![(token.start, token.end(), "string_agg".to_owned())];
    let Some(close) = matching_paren(tokens, at + 1) else { return edits };
    let mut depth = 0;
    let has_delimiter = tokens[at + 2..close].iter().any(|token| {
        depth += i32::from(token.is("(")) - i32::from(token.is(")"));
        token.is(",") && depth == 0
    });
    let delimiter = if has_delimiter { "" } else { ", ''" };
    if keywords_at(tokens, close + 1, "within group (")
        && let Some(end) = matching_paren(tokens, close + 3)
    {
        // Remove `) within group (` and the last parenthesis around ORDER BY.
        edits.push((tokens[close].start, tokens[close + 3].end(), format!("{delimiter} ")));
        edits.push((tokens[end].start, tokens[end].end(), ")".to_owned()));
    } else if !has_delimiter {
        edits.push((tokens[close].start, tokens[close].start, delimiter.to_owned()));
    }
    edits
}
