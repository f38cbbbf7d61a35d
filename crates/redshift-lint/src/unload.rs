//! UNLOAD: query, destination, authorization, format and options.

use crate::StatementKind;
use crate::lexer::{Token, TokenKind, tokens};
use crate::parser::{Parsed, Parser};
use crate::rules::{self, Rule, RuleKind, dg};
use crate::violation::Violation;

/// Options, each with the options that it excludes.
const OPTIONS: &[(&str, &[&str])] = &[
    ("format", &[]),
    ("csv", &["fixedwidth", "addquotes", "parquet", "json"]),
    (
        "parquet",
        &[
            "delimiter",
            "fixedwidth",
            "addquotes",
            "escape",
            "null",
            "header",
            "gzip",
            "bzip2",
            "zstd",
        ],
    ),
    ("json", &["delimiter", "header", "fixedwidth", "addquotes", "escape", "null", "parquet"]),
    ("partition", &[]),
    ("manifest", &[]),
    ("header", &["fixedwidth"]),
    ("delimiter", &["fixedwidth"]),
    ("fixedwidth", &[]),
    ("encrypted", &[]),
    ("bzip2", &["gzip", "zstd"]),
    ("gzip", &["zstd"]),
    ("zstd", &[]),
    ("addquotes", &[]),
    ("null", &[]),
    ("escape", &[]),
    ("allowoverwrite", &["cleanpath"]),
    ("cleanpath", &[]),
    ("parallel", &[]),
    ("maxfilesize", &[]),
    ("rowgroupsize", &["csv", "json"]),
    ("region", &[]),
    ("iam_role", &["credentials"]),
    ("credentials", &[]),
    ("extension", &[]),
];

const MIB: u64 = 1024 * 1024;

/// The options as allow-list entries.
pub(crate) fn entries() -> impl Iterator<Item = Rule> {
    OPTIONS.iter().map(|(id, _)| Rule::allowed(RuleKind::UnloadOption, id, dg!("r_UNLOAD")))
}

impl Parser<'_> {
    pub(crate) fn unload(&mut self) -> Parsed<StatementKind> {
        self.expect("unload")?;
        self.expect_symbol("(")?;
        self.quoted_query()?;
        self.expect_symbol(")")?;
        self.expect("to")?;
        self.s3_path()?;
        let mut seen: Vec<&'static str> = Vec::new();
        while !self.is_symbol(";") && self.peek().kind != TokenKind::End {
            self.unload_option(&mut seen)?;
        }
        if !seen.iter().any(|it| ["iam_role", "credentials"].contains(it)) {
            return self.violation(&rules::AUTHORIZATION, "no role is specified");
        }
        for name in &seen {
            let excludes = OPTIONS.iter().find(|(it, _)| it == name).map_or(&[][..], |(_, it)| it);
            if let Some(other) = excludes.iter().find(|other| seen.contains(other)) {
                let message = format!("{} excludes {}", name.to_uppercase(), other.to_uppercase());
                return self.violation(&rules::UNLOAD_OPTION, message);
            }
        }
        Ok(StatementKind::Unload)
    }

    /// Parses the query, a string literal or quoted by `$$`, and checks it as a statement.
    fn quoted_query(&mut self) -> Parsed {
        let token = self.peek();
        let text = match token.kind {
            TokenKind::DollarQuoted => self.advance().text.trim_matches('$').to_owned(),
            _ => self.string_literal("a query as a string")?,
        };
        let fails = |message: String| Err(Violation::new(&rules::UNLOAD_QUERY, token.at, message));
        let checked = crate::check(&text).and_then(|kind| match kind {
            StatementKind::Select => Ok(()),
            _ => Err(Violation::new(&rules::UNLOAD_QUERY, 0, "the query is not a SELECT")),
        });
        if let Err(violation) = checked {
            // Escapes shift the offsets inside the literal: report its start.
            let message = format!("in UNLOAD: {}", violation.message);
            return Err(Violation { offset: token.at, message, ..violation });
        }
        if has_outer_limit(&text)? {
            return fails("the outer query has a LIMIT".into());
        }
        self.facts.reads_table = true;
        Ok(())
    }

    fn unload_option(&mut self, seen: &mut Vec<&'static str>) -> Parsed {
        let token = self.peek();
        if [
            "access_key_id",
            "secret_access_key",
            "session_token",
            "master_symmetric_key",
            "kms_key_id",
        ]
        .iter()
        .any(|key| token.is_word(key))
        {
            return self.violation(
                &rules::ACCESS_KEY,
                format!("the access key option {} is not allowed", token.describe()),
            );
        }
        let Some((name, _)) = OPTIONS.iter().find(|(name, _)| self.is(name)) else {
            return self.violation(
                &rules::UNLOAD_OPTION,
                format!("unknown UNLOAD option {}", token.describe()),
            );
        };
        if seen.contains(name) {
            return self.violation(
                &rules::UNLOAD_OPTION,
                format!("duplicate option {}", token.describe()),
            );
        }
        self.advance();
        if *name == "format" {
            self.eat("as");
            let format = self.expect_any(&["csv", "parquet", "json"])?;
            seen.push(format);
        }
        seen.push(name);
        self.unload_value(name, token)
    }

    fn unload_value(&mut self, name: &str, token: Token<'_>) -> Parsed {
        match name {
            "partition" => {
                self.expect("by")?;
                self.column_names()?;
                self.eat("include");
            }
            "manifest" => drop(self.eat("verbose")),
            "encrypted" => drop(self.eat("auto")),
            "parallel" => drop(self.eat_any(&["on", "off", "true", "false"])),
            "delimiter" | "fixedwidth" | "null" | "region" | "extension" => {
                self.eat("as");
                self.string_literal("a string")?;
            }
            "maxfilesize" => self.size(token, 5 * MIB, 6_349 * MIB)?,
            "rowgroupsize" => self.size(token, 32 * MIB, 128 * MIB)?,
            "iam_role" => self.role()?,
            "credentials" => self.credentials()?,
            _ => {}
        }
        Ok(())
    }

    /// Parses a size in MB or GB, within limits in bytes.
    fn size(&mut self, token: Token<'_>, min: u64, max: u64) -> Parsed {
        self.eat("as");
        let number: f64 = match self.peek() {
            found if found.kind == TokenKind::Number => {
                self.advance().text.parse().unwrap_or(f64::NAN)
            }
            _ => return self.unexpected("a size"),
        };
        let unit = if self.eat_any(&["gb"]).is_some() { 1024 * MIB } else { MIB };
        self.eat("mb");
        #[expect(clippy::cast_precision_loss, reason = "sizes of files, in whole megabytes")]
        let in_range = number * unit as f64 >= min as f64 && number * unit as f64 <= max as f64;
        if in_range {
            return Ok(());
        }
        Err(Violation::new(
            &rules::UNLOAD_OPTION,
            token.at,
            format!("{} is out of range", token.describe()),
        ))
    }
}

fn has_outer_limit(query: &str) -> Parsed<bool> {
    let mut depth = 0_u32;
    for token in tokens(query)? {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth == 0 && token.is_word("limit") => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}
