//! Nothing that anybody writes makes the gate panic, hang, or take a value for a statement.

mod corpus;

use std::fmt::Write as _;

use redshift_lint::{check, fill_parameters, literals, split};

/// A generator that gives the same numbers every time: xorshift, which suffices for choosing.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides.max(1)).unwrap()).unwrap()
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.roll(choices.len())]
    }
}

fn rounds(most: usize) -> usize {
    let asked = std::env::var("SPARKIFY_CASES").ok().and_then(|cases| cases.parse::<usize>().ok());
    asked.map_or(most, |cases| cases * 20).max(most)
}

/// The escaping that every value of the program goes through on its way to Redshift.
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
fn a_value_that_is_escaped_is_read_as_it_was_and_stays_within_its_quotes() {
    let mut dice = Dice(7);
    for round in 0..rounds(20_000) {
        let value: String = (0..dice.roll(12)).map(|_| *dice.of(PIECES)).collect();
        let statement = format!("insert into t (a, b) values ({}, 1)", escaped(&value));
        check(&statement)
            .unwrap_or_else(|refusal| panic!("round {round}: {statement:?}: {refusal}"));
        assert_eq!(literals(&statement).unwrap(), std::slice::from_ref(&value), "{statement:?}");
        let script = format!("{statement}; select {}", escaped(&value));
        assert_eq!(split(&script).unwrap().len(), 2, "{script:?}");
    }
}

#[test]
fn the_escaping_of_postgres_is_not_enough_and_it_shows() {
    let value = "\\'; drop table plays; --";
    let statement = format!("insert into t (a) values ('{}')", value.replace('\'', "''"));
    assert!(check(&statement).is_err(), "{statement}");
}

#[test]
fn scripts_are_cut_without_losing_a_byte() {
    let mut dice = Dice(11);
    let statements: Vec<String> = corpus::cases()
        .into_iter()
        .map(|case| case.statement)
        .filter(|statement| split(statement).is_ok_and(|pieces| pieces == [statement]))
        .collect();
    assert!(statements.len() > 300);
    for _ in 0..rounds(2_000) {
        let chosen: Vec<&String> = (0..=dice.roll(6)).map(|_| dice.of(&statements)).collect();
        let mut script = String::new();
        for statement in &chosen {
            // A comment of one line would take the semicolon with it.
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
fn semicolons_in_strings_bodies_and_comments_end_nothing() {
    let script = "select ';' -- ;\n; select \"a;\" /* ; /* ; */ ; */ from t; create function f_a () returns int \
                  immutable as $$ select 1; $$ language sql;; \n -- the end;";
    let pieces = split(script).unwrap();
    assert_eq!(pieces.len(), 3, "{pieces:#?}");
    assert!(pieces[2].ends_with("language sql"));
    assert_eq!(split("select 'a\\'; select 'b").unwrap().len(), 1);
    assert!(split("select 'a").is_err());
}

#[test]
fn parameters_are_filled_where_they_stand_and_nowhere_else() {
    let filled =
        fill_parameters("select $1, '$2', \"$3\" -- $4\n from t where a = $12 /* $5 */", "null")
            .unwrap();
    assert_eq!(filled, "select null, '$2', \"$3\" -- $4\n from t where a = null /* $5 */");
    assert_eq!(fill_parameters("as $$ select $1 $$", "null").unwrap(), "as $$ select $1 $$");
}

#[test]
fn mutated_statements_are_judged_without_a_panic() {
    let statements: Vec<String> = corpus::cases().into_iter().map(|case| case.statement).collect();
    let mut dice = Dice(13);
    let mut accepted = 0;
    for _ in 0..rounds(60_000) {
        let mut text: Vec<char> = dice.of(&statements).chars().collect();
        for _ in 0..=dice.roll(3) {
            mutate(&mut text, &mut dice, &statements);
        }
        let text: String = text.into_iter().collect();
        match check(&text) {
            Ok(_) => accepted += 1,
            Err(refusal) => assert!(refusal.at <= text.len(), "{text:?}: {refusal}"),
        }
        let _ = (split(&text), literals(&text), fill_parameters(&text, "1"));
    }
    println!("{accepted} mutated statements were still statements");
    assert!(accepted > 0);
}

fn mutate(text: &mut Vec<char>, dice: &mut Dice, statements: &[String]) {
    let at = dice.roll(text.len() + 1);
    match dice.roll(5) {
        0 if at < text.len() => drop(text.remove(at)),
        1 => text.truncate(at),
        2 => text.splice(at..at, dice.of(PIECES).chars()).for_each(drop),
        3 => {
            let other: Vec<char> = dice.of(statements).chars().collect();
            let from = dice.roll(other.len() + 1);
            text.splice(at..at, other[from..].iter().copied()).for_each(drop);
        }
        _ => {
            let until = at + dice.roll(text.len() - at + 1);
            let copied: Vec<char> = text[at..until].to_vec();
            text.splice(at..at, copied).for_each(drop);
        }
    }
}

#[test]
fn depth_is_bounded_and_length_is_not_paid_for_twice() {
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
    // Each of these has a million tokens: a step that looked at all that is left would not come to an end.
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
fn what_nobody_sees_is_refused() {
    for hidden in [
        "\0", "\u{1}", "\u{b}", "\u{c}", "\u{a0}", "\u{2028}", "\u{feff}", "\u{202e}", "\u{7f}",
        "\u{85}",
    ] {
        let refusal = check(&format!("select a{hidden}b from t")).unwrap_err();
        assert_eq!(refusal.rule, "character", "{hidden:?}");
    }
    for text in ["select 'a\0'", "select 1 -- \0", "select 1 /* \0 */", "select \"a\u{1}\" from t"]
    {
        assert_eq!(check(text).unwrap_err().rule, "character", "{text:?}");
    }
    // Some readers end a comment at a carriage return: so does the gate, and sees what stands behind.
    assert!(check("select 1 -- a\r drop table t").is_err());
}

#[test]
fn a_table_has_at_most_sixteen_hundred_columns_and_four_hundred_sort_columns() {
    let columns = |count| (0..count).map(|n| format!("c{n} int")).collect::<Vec<_>>().join(", ");
    let names = |count| (0..count).map(|n| format!("c{n}")).collect::<Vec<_>>().join(", ");
    let rule = |text: String| check(&text).err().map(|refusal| refusal.rule);
    assert_eq!(rule(format!("create table t ({})", columns(1600))), None);
    assert_eq!(rule(format!("create table t ({})", columns(1601))), Some("column-count"));
    let keyed = |count| format!("create table t ({}) sortkey ({})", columns(500), names(count));
    assert_eq!(rule(keyed(400)), None);
    assert_eq!(rule(keyed(401)), Some("sortkey"));
}

#[test]
fn a_statement_has_at_most_sixteen_megabytes() {
    let most = 16 * 1024 * 1024;
    let text = format!("select '{}'", "a".repeat(most - "select ''".len()));
    assert!(check(&text).is_ok());
    assert_eq!(check(&format!("{text} ")).unwrap_err().rule, "statement-size");
}
