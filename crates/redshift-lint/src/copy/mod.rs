//! COPY and copy jobs: source, authorization, format, and combinations of options.

pub(crate) mod options;

use crate::StatementKind;
use crate::lexer::{Token, TokenKind};
use crate::parser::{Parsed, Parser};
use crate::rules;
use crate::violation::Violation;
use options::{CopyOption, ENCODINGS, EXCLUSIVE, FORMATS, OPTIONS, OptionValue};

/// Options of the statement so far, to check their combinations. Numbers are offsets.
#[derive(Default)]
struct SeenOptions {
    options: Vec<(&'static CopyOption, usize)>,
    format: Option<(&'static str, usize)>,
    /// True after `iam_role default`.
    default_role: bool,
    /// True after `IAM_ROLE` or CREDENTIALS.
    authorized: bool,
}

impl SeenOptions {
    fn find(&self, name: &str) -> Option<usize> {
        self.options.iter().find(|(option, _)| option.name == name).map(|(_, at)| *at)
    }
}

impl Parser<'_> {
    pub(crate) fn copy(&mut self) -> Parsed<StatementKind> {
        self.expect("copy")?;
        let job_commands = ["alter", "run", "list", "show", "drop"];
        if self.is("job") && job_commands.iter().any(|word| self.peek_nth(1).is_word(word)) {
            return self.copy_job_command();
        }
        self.table_name()?;
        if self.is_symbol("(") {
            self.column_names()?;
        }
        self.expect("from")?;
        self.s3_path()?;
        let mut seen = SeenOptions::default();
        while !self.is_symbol(";") && self.peek().kind != TokenKind::End && !self.is("job") {
            self.copy_option(&mut seen)?;
        }
        if !seen.authorized {
            return self.violation(&rules::AUTHORIZATION, "no role is specified");
        }
        check_combinations(&seen)?;
        if self.is("job") { self.copy_job(&seen) } else { Ok(StatementKind::Copy) }
    }

    pub(crate) fn s3_path(&mut self) -> Parsed {
        let token = self.peek();
        let path = self.string_literal("an S3 path")?;
        let (bucket, key) =
            path.strip_prefix("s3://").and_then(|it| it.split_once('/')).unwrap_or_default();
        if bucket.is_empty() || key.is_empty() {
            return Err(Violation::new(
                &rules::S3_PATH,
                token.at,
                format!("{} is not an S3 path", token.describe()),
            ));
        }
        Ok(())
    }

    fn copy_option(&mut self, seen: &mut SeenOptions) -> Parsed {
        let token = self.peek();
        self.reject_access_keys(token)?;
        if self.eat("with") && !self.is("credentials") {
            return self.unexpected("CREDENTIALS");
        }
        if self.is("format") || FORMATS.iter().any(|format| self.is(format)) {
            return self.copy_format(seen);
        }
        let found = OPTIONS.iter().find(|option| self.is(option.name));
        let Some(option) = found else {
            let message = format!("unknown COPY option {}", token.describe());
            return self.violation(&rules::COPY_OPTION, message);
        };
        if seen.find(option.name).is_some() {
            return self
                .violation(&rules::COPY_OPTION, format!("duplicate option {}", token.describe()));
        }
        seen.options.push((option, token.at));
        self.advance();
        match option.name {
            "iam_role" => {
                seen.authorized = true;
                seen.default_role = self.is("default");
                self.role()
            }
            "credentials" => {
                seen.authorized = true;
                self.credentials()
            }
            _ => self.copy_value(option, token),
        }
    }

    /// Rejects access keys: the system tables show the text of statements to other users.
    fn reject_access_keys(&self, token: Token<'_>) -> Parsed {
        let keys = ["access_key_id", "secret_access_key", "session_token", "master_symmetric_key"];
        if keys.iter().any(|key| token.is_word(key)) {
            return self.violation(
                &rules::ACCESS_KEY,
                format!("the access key option {} is not allowed", token.describe()),
            );
        }
        Ok(())
    }

    /// Parses the value of `IAM_ROLE`: `default`, or a string of ARNs separated by commas.
    pub(crate) fn role(&mut self) -> Parsed {
        if self.eat("default") {
            return Ok(());
        }
        let token = self.peek();
        let text = self.string_literal("`default` or the ARN of a role")?;
        if text.split(',').all(is_role) {
            return Ok(());
        }
        Err(Violation::new(
            &rules::AUTHORIZATION,
            token.at,
            format!("{} is not the ARN of a role", token.describe()),
        ))
    }

    /// Parses the value of CREDENTIALS, a string of `key=value` separated by `;`.
    pub(crate) fn credentials(&mut self) -> Parsed {
        self.eat("as");
        let token = self.peek();
        let text = self.string_literal("credentials")?;
        let fails = |rule, message: &str| Err(Violation::new(rule, token.at, message));
        for part in text.split(';') {
            match part.split_once('=') {
                Some(("aws_iam_role", role)) if role.split(',').all(is_role) => {}
                Some((
                    "aws_access_key_id"
                    | "aws_secret_access_key"
                    | "token"
                    | "master_symmetric_key",
                    _,
                )) => {
                    return fails(&rules::ACCESS_KEY, "the credentials contain an access key");
                }
                _ => {
                    return fails(
                        &rules::AUTHORIZATION,
                        "the credentials are not `aws_iam_role=` with an ARN",
                    );
                }
            }
        }
        Ok(())
    }

    fn copy_format(&mut self, seen: &mut SeenOptions) -> Parsed {
        let at = self.peek().at;
        if self.eat("format") {
            self.eat("as");
        }
        let Some(format) = self.eat_any(FORMATS) else {
            return self.violation(
                &rules::COPY_FORMAT,
                format!("unknown format {}", self.peek().describe()),
            );
        };
        if seen.format.is_some() {
            return Err(Violation::new(
                &rules::COPY_FORMAT,
                at,
                format!("there is a second format, `{format}`"),
            ));
        }
        seen.format = Some((format, at));
        match format {
            "csv" if self.eat("quote") => {
                self.eat("as");
                self.character().map(drop)
            }
            "json" | "avro" => self.json_source(format),
            "fixedwidth" => {
                self.eat("as");
                self.string_literal("the widths").map(drop)
            }
            _ => Ok(()),
        }
    }

    fn json_source(&mut self, format: &str) -> Parsed {
        self.eat("as");
        let token = self.peek();
        if token.kind != TokenKind::StringLiteral {
            // JSON without a value means 'auto'.
            return if format == "json" { Ok(()) } else { self.unexpected("'auto' or an S3 path") };
        }
        let text = crate::lexer::unescaped(token.text);
        let known = match format {
            "json" => ["auto", "auto ignorecase", "noshred"].contains(&text.as_str()),
            _ => ["auto", "auto ignorecase"].contains(&text.as_str()),
        };
        if known {
            self.advance();
            return Ok(());
        }
        if !text.starts_with("s3://") {
            return self.violation(
                &rules::COPY_VALUE,
                format!("{} is neither 'auto' nor an S3 path", token.describe()),
            );
        }
        self.s3_path()
    }

    fn character(&mut self) -> Parsed<String> {
        let token = self.peek();
        let text = self.string_literal("one character")?;
        // The server itself resolves escapes like `\t` if the literal kept the backslash.
        if text.chars().count() == 1 || (text.starts_with('\\') && text.len() <= 4) {
            return Ok(text);
        }
        Err(Violation::new(
            &rules::COPY_VALUE,
            token.at,
            format!("{} is not one character", token.describe()),
        ))
    }

    fn copy_value(&mut self, option: &CopyOption, token: Token<'_>) -> Parsed {
        let takes_value =
            !matches!(option.value, OptionValue::Flag | OptionValue::Switch | OptionValue::Preset);
        if takes_value {
            self.eat("as");
        }
        let value = self.peek();
        let fails = |message: String| {
            Err(Violation::new(&rules::COPY_VALUE, value.at, message).with_page(option.page))
        };
        match option.value {
            OptionValue::Text => drop(self.string_literal("a string")?),
            OptionValue::Character => drop(self.character()?),
            OptionValue::OptionalCharacter if value.kind == TokenKind::StringLiteral => {
                drop(self.character()?);
            }
            OptionValue::Flag | OptionValue::Special | OptionValue::OptionalCharacter => {}
            OptionValue::Number(min, max) => {
                let number = self.integer("a whole number")?;
                if !(min..=max).contains(&number) {
                    return fails(format!("{} is not between {min} and {max}", value.describe()));
                }
            }
            OptionValue::Switch => drop(self.eat_any(&["on", "off", "true", "false"])),
            OptionValue::Preset => drop(self.eat_any(&["preset", "on", "off", "true", "false"])),
            OptionValue::Encoding => {
                if self.eat_any(ENCODINGS).is_none() {
                    return fails(format!("unknown encoding {}", value.describe()));
                }
            }
            OptionValue::DateFormat | OptionValue::TimeFormat => {
                let text = self.string_literal("a format")?;
                if !is_time_format(&text, option.value == OptionValue::TimeFormat) {
                    let name = token.text.to_lowercase();
                    return fails(format!("{} is not a valid value of {name}", value.describe()));
                }
            }
            OptionValue::Region => {
                if !is_region(&self.string_literal("a region")?) {
                    return fails(format!("{} is not an AWS region", value.describe()));
                }
            }
        }
        Ok(())
    }

    /// Parses `job create name [auto on | off]` at the end of a COPY.
    fn copy_job(&mut self, seen: &SeenOptions) -> Parsed<StatementKind> {
        let at = self.peek().at;
        let fails = |at, message: &str| Err(Violation::new(&rules::COPY_JOB, at, message));
        for name in ["maxerror", "ignoreallerrors", "manifest", "credentials"] {
            if let Some(at) = seen.find(name) {
                return fails(at, &format!("a copy job has no {}", name.to_uppercase()));
            }
        }
        if seen.default_role {
            return fails(at, "a copy job has no default role");
        }
        self.expect_sequence(&["job", "create"])?;
        self.job_name()?;
        self.auto()?;
        Ok(StatementKind::CopyJob)
    }

    fn auto(&mut self) -> Parsed {
        if self.eat("auto") {
            self.expect_any(&["on", "off"])?;
        }
        Ok(())
    }

    fn job_name(&mut self) -> Parsed {
        let at = self.peek().at;
        let name = self.name("the job's name")?;
        if name.contains('-') || self.is_symbol("-") {
            return Err(Violation::new(&rules::COPY_JOB, at, "the job's name has a hyphen"));
        }
        Ok(())
    }

    /// Parses `job alter | run | list | show | drop …`.
    fn copy_job_command(&mut self) -> Parsed<StatementKind> {
        self.expect("job")?;
        match self.expect_any(&["alter", "run", "list", "show", "drop"])? {
            "list" => {}
            verb => {
                self.job_name()?;
                if verb == "alter" {
                    self.auto()?;
                }
                if verb == "drop" {
                    return Ok(StatementKind::CopyJob);
                }
            }
        }
        Ok(StatementKind::CopyJobCommand)
    }
}

fn check_combinations(seen: &SeenOptions) -> Parsed {
    for group in EXCLUSIVE {
        let mut found = group.iter().filter_map(|name| seen.find(name).map(|at| (name, at)));
        if let (Some((first, _)), Some((second, at))) = (found.next(), found.next()) {
            let message = format!("{} excludes {}", first.to_uppercase(), second.to_uppercase());
            return Err(Violation::new(&rules::COPY_TOGETHER, at, message));
        }
    }
    let Some((format, _)) = seen.format else { return Ok(()) };
    for (option, at) in &seen.options {
        let message =
            format!("{} does not support {}", format.to_uppercase(), option.name.to_uppercase());
        if ["parquet", "orc"].contains(&format) && !option.columnar {
            return Err(Violation::new(&rules::COPY_COLUMNAR, *at, message));
        }
        if option.unsupported_by.contains(&format) {
            return Err(Violation::new(&rules::COPY_FORMAT, *at, message));
        }
    }
    Ok(())
}

/// Returns true for a pattern, or a keyword in lower case: the keywords are case-sensitive.
fn is_time_format(text: &str, times: bool) -> bool {
    let keywords: &[&str] =
        if times { &["auto", "epochsecs", "epochmillisecs"] } else { &["auto"] };
    let lower = text.trim().to_ascii_lowercase();
    let is_keyword = keywords.contains(&lower.as_str()) || lower.starts_with("epoch");
    !text.is_empty() && (!is_keyword || keywords.contains(&text))
}

fn is_region(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.chars().all(allowed) && text.split('-').count() >= 3
}

/// Returns true for `arn:aws:iam::ACCOUNT:role/NAME`, also in the China and `GovCloud` partitions.
pub(crate) fn is_role(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let &[arn, partition, service, "", account, resource] = parts.as_slice() else { return false };
    let name = resource.strip_prefix("role/").unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
    arn == "arn"
        && ["aws", "aws-cn", "aws-us-gov"].contains(&partition)
        && service == "iam"
        && !account.is_empty()
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(allowed)
}
