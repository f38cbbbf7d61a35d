//! Robustness against untrusted text: no panic, no hang, and no SQL injection through string
//! values.

mod corpus;

use std::fmt::Write as _;

use redshift_lint::{check, fill_parameters, literals, split};

/// Random number generator with a fixed seed (xorshift), so that failures are reproducible.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn choose<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// Returns the number of rounds; the variable `SPARKIFY_CASES` can raise it.
fn rounds(default: usize) -> usize {
    let cases = std::env::var("SPARKIFY_CASES").ok().and_then(|cases| cases.parse::<usize>().ok());
    cases.map_or(default, |cases| cases * 20).max(default)
}

/// Quotes a value like sparkify does for Redshift.
fn escaped(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

const PIECES: &[&str] = &[
    "'",
    "''",
    "\\",
    "\\'",
    "\"",
    ";",
    "--",
    "/*",
    "*/",
    "$$",
    "$1",
    "\n",
    "\r",
    "\t",
    " ",
    "é",
    "日本",
    "\u{7f}",
    "\u{1}",
    "n",
    "x",
    "0",
    "'; drop table plays; --",
    "\\\\'",
    "E'",
    "\u{200b}",
    "%",
    "_",
];

#[test]
fn escaped_values_round_trip_and_cannot_end_their_literal() {
    let mut random = Random(7);
    for round in 0..rounds(20_000) {
        let value: String = (0..random.below(12)).map(|_| *random.choose(PIECES)).collect();
        let statement = format!("insert into t (a, b) values ({}, 1)", escaped(&value));
        check(&statement)
            .unwrap_or_else(|violation| panic!("round {round}: {statement:?}: {violation}"));
        assert_eq!(literals(&statement).unwrap(), std::slice::from_ref(&value), "{statement:?}");
        let script = format!("{statement}; select {}", escaped(&value));
        assert_eq!(split(&script).unwrap().len(), 2, "{script:?}");
    }
}

#[test]
fn escaping_for_postgres_is_insufficient_and_detected() {
    let value = "\\'; drop table plays; --";
    let statement = format!("insert into t (a) values ('{}')", value.replace('\'', "''"));
    assert!(check(&statement).is_err(), "{statement}");
}

#[test]
fn splitting_a_script_preserves_every_byte() {
    let mut random = Random(11);
    let statements: Vec<String> = corpus::cases()
        .into_iter()
        .map(|case| case.statement)
        .filter(|statement| split(statement).is_ok_and(|pieces| pieces == [statement]))
        .collect();
    assert!(statements.len() > 300);
    for _ in 0..rounds(2_000) {
        let chosen: Vec<&String> =
            (0..=random.below(6)).map(|_| random.choose(&statements)).collect();
        let mut script = String::new();
        for statement in &chosen {
            // The line break ends a line comment, which would hide the semicolon.
            write!(script, "{statement}\n;").unwrap();
        }
        let pieces = split(&script).unwrap();
        assert_eq!(pieces.len(), chosen.len(), "{script}");
        assert_eq!(pieces.join(";") + ";", script);
        for (piece, statement) in pieces.iter().zip(&chosen) {
            assert_eq!(check(piece), check(&format!("{statement}\n")), "{piece}");
        }
    }
}

#[test]
fn semicolons_in_strings_bodies_and_comments_are_no_separators() {
    let script = "select ';' -- ;\n; select \"a;\" /* ; /* ; */ ; */ from t; create function f_a () returns int \
                  immutable as $$ select 1; $$ language sql;; \n -- the end;";
    let pieces = split(script).unwrap();
    assert_eq!(pieces.len(), 3, "{pieces:#?}");
    assert!(pieces[2].ends_with("language sql"));
    assert_eq!(split("select 'a\\'; select 'b").unwrap().len(), 1);
    assert!(split("select 'a").is_err());
}

#[test]
fn parameters_in_strings_names_comments_and_bodies_are_not_filled() {
    let filled =
        fill_parameters("select $1, '$2', \"$3\" -- $4\n from t where a = $12 /* $5 */", "null")
            .unwrap();
    assert_eq!(filled, "select null, '$2', \"$3\" -- $4\n from t where a = null /* $5 */");
    assert_eq!(fill_parameters("as $$ select $1 $$", "null").unwrap(), "as $$ select $1 $$");
}

#[test]
fn mutated_statements_cause_no_panic() {
    let statements: Vec<String> = corpus::cases().into_iter().map(|case| case.statement).collect();
    let mut random = Random(13);
    let mut accepted = 0;
    for _ in 0..rounds(60_000) {
        let mut text: Vec<char> = random.choose(&statements).chars().collect();
        for _ in 0..=random.below(3) {
            mutate(&mut text, &mut random, &statements);
        }
        let text: String = text.into_iter().collect();
        match check(&text) {
            Ok(_) => accepted += 1,
            Err(violation) => assert!(violation.offset <= text.len(), "{text:?}: {violation}"),
        }
        let _ = (split(&text), literals(&text), fill_parameters(&text, "1"));
    }
    println!("{accepted} mutated statements are still valid");
    assert!(accepted > 0);
}

fn mutate(text: &mut Vec<char>, random: &mut Random, statements: &[String]) {
    let at = random.below(text.len() + 1);
    match random.below(5) {
        0 if at < text.len() => drop(text.remove(at)),
        1 => text.truncate(at),
        2 => text.splice(at..at, random.choose(PIECES).chars()).for_each(drop),
        3 => {
            let other: Vec<char> = random.choose(statements).chars().collect();
            let from = random.below(other.len() + 1);
            text.splice(at..at, other[from..].iter().copied()).for_each(drop);
        }
        _ => {
            let until = at + random.below(text.len() - at + 1);
            let copied: Vec<char> = text[at..until].to_vec();
            text.splice(at..at, copied).for_each(drop);
        }
    }
}

#[test]
fn nesting_is_bounded_and_time_is_linear_in_length() {
    let deep = [
        ("select ", "(", "1"),
        ("select ", "not ", "a"),
        ("select ", "- ", "1"),
        ("select ", "case when ", "a"),
        ("select ", "f_a(", "1"),
        ("select ", "sum(", "1"),
        ("", "select a from (", "1"),
        ("", "with a as (", "1"),
        ("select a from t where ", "a in (select b from t where ", "a"),
        ("select a from t group by ", "grouping sets (", "a"),
        ("", "explain ", "select 1"),
    ];
    for (head, piece, tail) in deep {
        let text = format!("{head}{}{tail}", piece.repeat(50_000));
        assert!(check(&text).is_err(), "{piece}");
    }
    // Up to a million tokens each: with a step of linear cost per token, the test would not end.
    let wide = [
        format!("select {}1 from t", "a, ".repeat(300_000)),
        format!("select {}1", "1 + ".repeat(300_000)),
        format!("select a from t where {}true", "a = 1 or ".repeat(200_000)),
        format!("insert into t values {}(1, 'x')", "(1, 'x'), ".repeat(200_000)),
        format!("select a from t where a in ({}1)", "1, ".repeat(300_000)),
        format!("select {}count(*) from t", "count(*), ".repeat(150_000)),
        format!("select {}a from t", "t.a, ".repeat(200_000)),
    ];
    let many = |piece: fn(usize) -> String, count| (0..count).map(piece).collect::<String>();
    let tables = many(|n| format!("t{n}, "), 50_000);
    let columns = many(|n| format!("t{n}.a, "), 50_000);
    let ctes = many(|n| format!("c{n} as (select 1), "), 50_000);
    let wide = wide.into_iter().chain([
        format!("select {columns}1 from {tables}t"),
        format!("with {ctes}c as (select 1) select 1 from c, c49999"),
    ]);
    for text in wide {
        assert!(check(&text).is_ok(), "{}: {}", &text[..40], check(&text).unwrap_err());
    }
}

#[test]
fn invisible_characters_are_violations() {
    for hidden in [
        "\0", "\u{1}", "\u{b}", "\u{c}", "\u{a0}", "\u{2028}", "\u{feff}", "\u{202e}", "\u{7f}",
        "\u{85}",
    ] {
        let violation = check(&format!("select a{hidden}b from t")).unwrap_err();
        assert_eq!(violation.rule, "character", "{hidden:?}");
    }
    for text in ["select 'a\0'", "select 1 -- \0", "select 1 /* \0 */", "select \"a\u{1}\" from t"]
    {
        assert_eq!(check(text).unwrap_err().rule, "character", "{text:?}");
    }
    // Lexers differ on carriage returns; the linter ends the comment there and checks the rest.
    assert!(check("select 1 -- a\r drop table t").is_err());
}

#[test]
fn columns_and_sort_columns_are_limited() {
    let columns = |count| (0..count).map(|n| format!("c{n} int")).collect::<Vec<_>>().join(", ");
    let names = |count| (0..count).map(|n| format!("c{n}")).collect::<Vec<_>>().join(", ");
    let rule = |text: String| check(&text).err().map(|violation| violation.rule);
    assert_eq!(rule(format!("create table t ({})", columns(1600))), None);
    assert_eq!(rule(format!("create table t ({})", columns(1601))), Some("column-count"));
    let keyed = |count| format!("create table t ({}) sortkey ({})", columns(500), names(count));
    assert_eq!(rule(keyed(400)), None);
    assert_eq!(rule(keyed(401)), Some("sortkey"));
}

#[test]
fn the_size_of_a_statement_is_limited() {
    let limit = 16 * 1024 * 1024;
    let text = format!("select '{}'", "a".repeat(limit - "select ''".len()));
    assert!(check(&text).is_ok());
    assert_eq!(check(&format!("{text} ")).unwrap_err().rule, "statement-size");
}
