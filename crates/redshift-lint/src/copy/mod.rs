//! COPY: from where, as whom, in which format, and which options go together.

pub(crate) mod options;

use crate::Form;
use crate::Refusal;
use crate::lexer::{Kind, Token};
use crate::parser::{Parsed, Parser};
use crate::rules;
use options::{CopyOption, ENCODINGS, EXCLUSIVE, FORMATS, OPTIONS, Value};

/// What was written behind FROM, to be held against each other.
#[derive(Default)]
struct Written {
    options: Vec<(&'static CopyOption, usize)>,
    format: Option<(&'static str, usize)>,
    /// `iam_role default`.
    default_role: bool,
    authorized: bool,
}

impl Written {
    fn find(&self, name: &str) -> Option<usize> {
        self.options.iter().find(|(option, _)| option.name == name).map(|(_, at)| *at)
    }
}

impl Parser<'_> {
    pub(crate) fn copy(&mut self) -> Parsed<Form> {
        self.expect("copy")?;
        let commands = ["alter", "run", "list", "show", "drop"];
        if self.is("job") && commands.iter().any(|word| self.ahead(1).is_word(word)) {
            return self.copy_job_command();
        }
        self.table()?;
        if self.is_sign("(") {
            self.column_names()?;
        }
        self.expect("from")?;
        self.s3_path()?;
        let mut written = Written::default();
        while !self.is_sign(";") && self.peek().kind != Kind::End && !self.is("job") {
            self.copy_option(&mut written)?;
        }
        if !written.authorized {
            return self.refuse(&rules::AUTHORIZATION, "no role is named");
        }
        check_together(&written)?;
        if self.is("job") { self.copy_job(&written) } else { Ok(Form::Copy) }
    }

    pub(crate) fn s3_path(&mut self) -> Parsed {
        let token = self.peek();
        let path = self.text("a path in S3")?;
        let (bucket, key) =
            path.strip_prefix("s3://").and_then(|it| it.split_once('/')).unwrap_or_default();
        if bucket.is_empty() || key.is_empty() {
            return Err(Refusal::new(
                &rules::S3_PATH,
                token.at,
                format!("{} is no path in S3", token.shown()),
            ));
        }
        Ok(())
    }

    fn copy_option(&mut self, written: &mut Written) -> Parsed {
        let token = self.peek();
        self.refuse_keys(token)?;
        if self.eat("with") && !self.is("credentials") {
            return self.unexpected("CREDENTIALS");
        }
        if self.is("format") || FORMATS.iter().any(|format| self.is(format)) {
            return self.copy_format(written);
        }
        let found = OPTIONS.iter().find(|option| self.is(option.name));
        let Some(option) = found else {
            let message = format!("{} is no option of COPY", token.shown());
            return self.refuse(&rules::COPY_OPTION, message);
        };
        if written.find(option.name).is_some() {
            return self
                .refuse(&rules::COPY_OPTION, format!("{} stands here again", token.shown()));
        }
        written.options.push((option, token.at));
        self.take();
        match option.name {
            "iam_role" => {
                written.authorized = true;
                written.default_role = self.is("default");
                self.role()
            }
            "credentials" => {
                written.authorized = true;
                self.credentials()
            }
            _ => self.copy_value(option, token),
        }
    }

    /// Keys in the text of a statement stand in the system tables for everybody to read.
    fn refuse_keys(&self, token: Token<'_>) -> Parsed {
        let keys = ["access_key_id", "secret_access_key", "session_token", "master_symmetric_key"];
        if keys.iter().any(|key| token.is_word(key)) {
            return self.refuse(&rules::ACCESS_KEY, format!("{} stands here", token.shown()));
        }
        Ok(())
    }

    /// Behind `iam_role`: `default`, or one or more ARNs with commas between them.
    pub(crate) fn role(&mut self) -> Parsed {
        if self.eat("default") {
            return Ok(());
        }
        let token = self.peek();
        let text = self.text("`default` or the ARN of a role")?;
        if text.split(',').all(is_role) {
            return Ok(());
        }
        Err(Refusal::new(
            &rules::AUTHORIZATION,
            token.at,
            format!("{} is not the ARN of a role", token.shown()),
        ))
    }

    pub(crate) fn credentials(&mut self) -> Parsed {
        self.eat("as");
        let token = self.peek();
        let text = self.text("credentials")?;
        let fails = |rule, message: &str| Err(Refusal::new(rule, token.at, message));
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
                    return fails(&rules::ACCESS_KEY, "the credentials hold a key");
                }
                _ => {
                    return fails(
                        &rules::AUTHORIZATION,
                        "the credentials are not `aws_iam_role=` and an ARN",
                    );
                }
            }
        }
        Ok(())
    }

    fn copy_format(&mut self, written: &mut Written) -> Parsed {
        let at = self.peek().at;
        if self.eat("format") {
            self.eat("as");
        }
        let Some(format) = self.eat_any(FORMATS) else {
            return self
                .refuse(&rules::COPY_FORMAT, format!("{} is no format", self.peek().shown()));
        };
        if written.format.is_some() {
            return Err(Refusal::new(
                &rules::COPY_FORMAT,
                at,
                format!("a second format, `{format}`, stands here"),
            ));
        }
        written.format = Some((format, at));
        match format {
            "csv" if self.eat("quote") => {
                self.eat("as");
                self.character().map(drop)
            }
            "json" | "avro" => self.json_source(format),
            "fixedwidth" => {
                self.eat("as");
                self.text("the widths").map(drop)
            }
            _ => Ok(()),
        }
    }

    fn json_source(&mut self, format: &str) -> Parsed {
        self.eat("as");
        let token = self.peek();
        if token.kind != Kind::Text {
            // JSON's default is 'auto'.
            return if format == "json" {
                Ok(())
            } else {
                self.unexpected("'auto' or a path in S3")
            };
        }
        let text = crate::lexer::unescaped(token.text);
        let known = match format {
            "json" => ["auto", "auto ignorecase", "noshred"].contains(&text.as_str()),
            _ => ["auto", "auto ignorecase"].contains(&text.as_str()),
        };
        if known {
            self.take();
            return Ok(());
        }
        if !text.starts_with("s3://") {
            return self.refuse(
                &rules::COPY_VALUE,
                format!("{} is neither 'auto' nor a path in S3", token.shown()),
            );
        }
        self.s3_path()
    }

    fn character(&mut self) -> Parsed<String> {
        let token = self.peek();
        let text = self.text("one character")?;
        // A tab is written `\t`: the server reads the escape, whichever way it came.
        if text.chars().count() == 1 || (text.starts_with('\\') && text.len() <= 4) {
            return Ok(text);
        }
        Err(Refusal::new(
            &rules::COPY_VALUE,
            token.at,
            format!("{} is not one character", token.shown()),
        ))
    }

    fn copy_value(&mut self, option: &CopyOption, token: Token<'_>) -> Parsed {
        let takes_value = !matches!(option.value, Value::Nothing | Value::Switch | Value::Preset);
        if takes_value {
            self.eat("as");
        }
        let value = self.peek();
        let fails = |message: String| {
            Err(Refusal::new(&rules::COPY_VALUE, value.at, message).page(option.page))
        };
        match option.value {
            Value::Text => drop(self.text("a string")?),
            Value::Character => drop(self.character()?),
            Value::MaybeCharacter if value.kind == Kind::Text => drop(self.character()?),
            Value::Nothing | Value::Own | Value::MaybeCharacter => {}
            Value::Number(least, most) => {
                let number = self.integer("a whole number")?;
                if !(least..=most).contains(&number) {
                    return fails(format!("{} is not between {least} and {most}", value.shown()));
                }
            }
            Value::Switch => drop(self.eat_any(&["on", "off", "true", "false"])),
            Value::Preset => drop(self.eat_any(&["preset", "on", "off", "true", "false"])),
            Value::Encoding => {
                if self.eat_any(ENCODINGS).is_none() {
                    return fails(format!("{} is no encoding", value.shown()));
                }
            }
            Value::Dates | Value::Times => {
                let text = self.text("a format")?;
                if !is_time_format(&text, option.value == Value::Times) {
                    let name = token.text.to_lowercase();
                    return fails(format!("{} is no format of {name}", value.shown()));
                }
            }
            Value::Region => {
                if !is_region(&self.text("a region")?) {
                    return fails(format!("{} is no region", value.shown()));
                }
            }
        }
        Ok(())
    }

    /// `… job create name [auto on | off]`.
    fn copy_job(&mut self, written: &Written) -> Parsed<Form> {
        let at = self.peek().at;
        let fails = |at, message: &str| Err(Refusal::new(&rules::COPY_JOB, at, message));
        for name in ["maxerror", "ignoreallerrors", "manifest", "credentials"] {
            if let Some(at) = written.find(name) {
                return fails(at, &format!("{} stands in a copy job", name.to_uppercase()));
            }
        }
        if written.default_role {
            return fails(at, "the default role stands in a copy job");
        }
        self.expect_all(&["job", "create"])?;
        self.job_name()?;
        self.auto()?;
        Ok(Form::CopyJob)
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
        if name.contains('-') || self.is_sign("-") {
            return Err(Refusal::new(&rules::COPY_JOB, at, "the job's name has a hyphen"));
        }
        Ok(())
    }

    fn copy_job_command(&mut self) -> Parsed<Form> {
        self.expect("job")?;
        match self.expect_any(&["alter", "run", "list", "show", "drop"])? {
            "list" => {}
            verb => {
                self.job_name()?;
                if verb == "alter" {
                    self.auto()?;
                }
                if verb == "drop" {
                    return Ok(Form::CopyJob);
                }
            }
        }
        Ok(Form::CopyJobCommand)
    }
}

fn check_together(written: &Written) -> Parsed {
    for group in EXCLUSIVE {
        let mut found = group.iter().filter_map(|name| written.find(name).map(|at| (name, at)));
        if let (Some((first, _)), Some((second, at))) = (found.next(), found.next()) {
            let message =
                format!("{} stands beside {}", second.to_uppercase(), first.to_uppercase());
            return Err(Refusal::new(&rules::COPY_TOGETHER, at, message));
        }
    }
    let Some((format, _)) = written.format else { return Ok(()) };
    for (option, at) in &written.options {
        let message =
            format!("{} stands beside {}", option.name.to_uppercase(), format.to_uppercase());
        if ["parquet", "orc"].contains(&format) && !option.columnar {
            return Err(Refusal::new(&rules::COPY_COLUMNAR, *at, message));
        }
        if option.not_with.contains(&format) {
            return Err(Refusal::new(&rules::COPY_FORMAT, *at, message));
        }
    }
    Ok(())
}

/// A keyword in these very letters, or a pattern; Redshift tells capitals apart in the keywords.
fn is_time_format(text: &str, times: bool) -> bool {
    let keywords: &[&str] =
        if times { &["auto", "epochsecs", "epochmillisecs"] } else { &["auto"] };
    let lower = text.trim().to_ascii_lowercase();
    let meant = keywords.contains(&lower.as_str()) || lower.starts_with("epoch");
    !text.is_empty() && (!meant || keywords.contains(&text))
}

fn is_region(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.chars().all(allowed) && text.split('-').count() >= 3
}

/// `arn:aws:iam::ACCOUNT:role/NAME`, also of China and of the government's clouds.
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
