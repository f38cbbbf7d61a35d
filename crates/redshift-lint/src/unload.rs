//! UNLOAD: a query in a string, to where, as whom, in which format.

use crate::Form;
use crate::Refusal;
use crate::lexer::{Kind, Token, tokens};
use crate::parser::{Parsed, Parser};
use crate::rules::{self, Rule, RuleKind, dg};

/// Every option of UNLOAD; `not_with` names what excludes it.
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

/// The options as entries of the list.
pub(crate) fn entries() -> impl Iterator<Item = Rule> {
    OPTIONS.iter().map(|(id, _)| Rule {
        id,
        kind: RuleKind::UnloadOption,
        says: "",
        page: dg!("r_UNLOAD"),
        hint: "",
    })
}

impl Parser<'_> {
    pub(crate) fn unload(&mut self) -> Parsed<Form> {
        self.expect("unload")?;
        self.expect_sign("(")?;
        self.unloaded_query()?;
        self.expect_sign(")")?;
        self.expect("to")?;
        self.s3_path()?;
        let mut written: Vec<&'static str> = Vec::new();
        while !self.is_sign(";") && self.peek().kind != Kind::End {
            self.unload_option(&mut written)?;
        }
        if !written.iter().any(|it| ["iam_role", "credentials"].contains(it)) {
            return self.refuse(&rules::AUTHORIZATION, "no role is named");
        }
        for name in &written {
            let excludes = OPTIONS.iter().find(|(it, _)| it == name).map_or(&[][..], |(_, it)| it);
            if let Some(other) = excludes.iter().find(|other| written.contains(other)) {
                let message =
                    format!("{} stands beside {}", other.to_uppercase(), name.to_uppercase());
                return self.refuse(&rules::UNLOAD_OPTION, message);
            }
        }
        Ok(Form::Unload)
    }

    /// The query is a string or stands between `$$`; what it reads is what the statement reads.
    fn unloaded_query(&mut self) -> Parsed {
        let token = self.peek();
        let text = match token.kind {
            Kind::Body => self.take().text.trim_matches('$').to_owned(),
            _ => self.text("a query as a string")?,
        };
        let fails = |message: String| Err(Refusal::new(&rules::UNLOAD_QUERY, token.at, message));
        if let Err(refusal) = crate::check(&text).and_then(|form| match form {
            Form::Select => Ok(()),
            _ => Err(Refusal::new(&rules::UNLOAD_QUERY, 0, "no SELECT stands in UNLOAD")),
        }) {
            return Err(Refusal {
                at: token.at,
                message: format!("in UNLOAD: {}", refusal.message),
                ..refusal
            });
        }
        if has_outer_limit(&text)? {
            return fails("LIMIT stands in the outer query of UNLOAD".into());
        }
        self.facts.table = true;
        Ok(())
    }

    fn unload_option(&mut self, written: &mut Vec<&'static str>) -> Parsed {
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
            return self.refuse(&rules::ACCESS_KEY, format!("{} stands here", token.shown()));
        }
        let Some((name, _)) = OPTIONS.iter().find(|(name, _)| self.is(name)) else {
            return self.refuse(
                &rules::UNLOAD_OPTION,
                format!("{} is no option of UNLOAD", token.shown()),
            );
        };
        if written.contains(name) {
            return self
                .refuse(&rules::UNLOAD_OPTION, format!("{} stands here again", token.shown()));
        }
        self.take();
        if *name == "format" {
            self.eat("as");
            let format = self.expect_any(&["csv", "parquet", "json"])?;
            written.push(format);
        }
        written.push(name);
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
                self.text("a string")?;
            }
            "maxfilesize" => self.size(token, 5 * MIB, 6_349 * MIB)?,
            "rowgroupsize" => self.size(token, 32 * MIB, 128 * MIB)?,
            "iam_role" => self.role()?,
            "credentials" => self.credentials()?,
            _ => {}
        }
        Ok(())
    }

    fn size(&mut self, token: Token<'_>, least: u64, most: u64) -> Parsed {
        self.eat("as");
        let number: f64 = match self.peek() {
            found if found.kind == Kind::Number => self.take().text.parse().unwrap_or(f64::NAN),
            _ => return self.unexpected("a size"),
        };
        let unit = if self.eat_any(&["gb"]).is_some() { 1024 * MIB } else { MIB };
        self.eat("mb");
        #[expect(clippy::cast_precision_loss, reason = "sizes of files, in whole megabytes")]
        let fits = number * unit as f64 >= least as f64 && number * unit as f64 <= most as f64;
        if fits {
            return Ok(());
        }
        Err(Refusal::new(
            &rules::UNLOAD_OPTION,
            token.at,
            format!("{} is out of its range", token.shown()),
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
