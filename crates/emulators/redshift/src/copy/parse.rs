//! Parser for COPY statements.
//!
//! Syntax: DG/r_COPY.html, with the options of DG/r_COPY-alphabetical-parm-list.html. Options that
//! JSON excludes: DG/copy-parameters-data-format.html. Options that exclude each other:
//! DG/copy-parameters-data-load.html, DG/copy-parameters-authorization.html. Formats and sources
//! that no test needs are rejected as "not supported by the emulator".

use super::CopyError;
use super::statement::{Authorization, Compression, CopyOptions, CopyStatement, JsonFormat};
use super::tokens::{CopyToken, CopyTokenKind, tokens};

/// Limit of MAXERROR (DG/copy-parameters-data-load.html).
const MAX_MAXERROR: u64 = 100_000;
/// Formats, sources and options of Redshift that the emulator does not support.
const NOT_SUPPORTED: &[&str] = &[
    "avro",
    "orc",
    "shapefile",
    "fixedwidth",
    "bzip2",
    "lzop",
    "encrypted",
    "ssh",
    "explicit_ids",
    "fillrecord",
    "job",
    "master_symmetric_key",
    "readratio",
];
/// Options that COPY does not support with JSON (DG/copy-parameters-data-format.html).
const NOT_WITH_JSON: &[&str] =
    &["csv", "delimiter", "escape", "ignoreblanklines", "null", "quote", "removequotes"];

/// Parses a COPY statement.
pub fn parse(statement: &str) -> Result<CopyStatement, CopyError> {
    let tokens = tokens(statement).map_err(CopyError::syntax)?;
    let mut parser = StatementParser { tokens, at: 0 };
    let copy = parser.copy()?;
    parser.skip_symbol(";");
    match parser.peek() {
        None => Ok(copy),
        Some(_) => Err(parser.unexpected()),
    }
}

struct StatementParser {
    tokens: Vec<CopyToken>,
    at: usize,
}

/// Authorization options of a statement.
#[derive(Default)]
struct AuthorizationOptions {
    authorization: Option<Authorization>,
    key: Option<String>,
    secret: Option<String>,
    token: Option<String>,
}

impl StatementParser {
    fn peek(&self) -> Option<&CopyToken> {
        self.tokens.get(self.at)
    }

    /// Returns a syntax error at the next token.
    fn unexpected(&self) -> CopyError {
        CopyError::syntax(match self.peek() {
            Some(token) => format!("syntax error at or near \"{}\"", token.source),
            None => "syntax error at end of input".to_owned(),
        })
    }

    fn next_is(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|token| token.kind == CopyTokenKind::Word && token.text == keyword)
    }

    /// Skips a keyword; returns false if another token is next.
    fn skip(&mut self, keyword: &str) -> bool {
        let found = self.next_is(keyword);
        self.at += usize::from(found);
        found
    }

    /// Skips a symbol; returns false if another token is next.
    fn skip_symbol(&mut self, symbol: &str) -> bool {
        let is_symbol =
            |token: &CopyToken| token.kind == CopyTokenKind::Symbol && token.text == symbol;
        let found = self.peek().is_some_and(is_symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, keyword: &str) -> Result<(), CopyError> {
        if self.skip(keyword) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Takes the value of the next token, which must be of one of these kinds.
    fn take(&mut self, kinds: &[CopyTokenKind]) -> Result<String, CopyError> {
        let found =
            self.peek().filter(|token| kinds.contains(&token.kind)).map(|token| token.text.clone());
        let found = found.ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(found)
    }

    fn name(&mut self) -> Result<String, CopyError> {
        self.take(&[CopyTokenKind::Word, CopyTokenKind::Quoted])
    }

    /// Takes a string after an optional AS.
    fn string(&mut self) -> Result<String, CopyError> {
        self.skip("as");
        self.take(&[CopyTokenKind::StringLiteral])
    }

    /// Takes an integer after an optional AS.
    fn number(&mut self) -> Result<u64, CopyError> {
        self.skip("as");
        self.take(&[CopyTokenKind::Number])?.parse().map_err(|_| self.unexpected())
    }

    fn copy(&mut self) -> Result<CopyStatement, CopyError> {
        self.expect("copy")?;
        let mut schema = None;
        let mut table = self.name()?;
        if self.skip_symbol(".") {
            schema = Some(std::mem::replace(&mut table, self.name()?));
        }
        let columns = if self.skip_symbol("(") { Some(self.list()?) } else { None };
        self.expect("from")?;
        let from = self.take(&[CopyTokenKind::StringLiteral])?;
        if !from.starts_with("s3://") {
            return Err(CopyError::not_supported(&format!("the source '{from}'")));
        }
        let mut authorization = AuthorizationOptions::default();
        let mut options = CopyOptions::default();
        let mut has_max_error = false;
        while let Some(token) = self.peek().filter(|token| token.text != ";") {
            let keyword = token.text.clone();
            if token.kind != CopyTokenKind::Word {
                return Err(self.unexpected());
            }
            has_max_error |= keyword == "maxerror";
            if !self.authorization_option(&keyword, &mut authorization)?
                && !self.conversion_option(&keyword, &mut options)?
            {
                self.other_option(&keyword, &mut options)?;
            }
        }
        if has_max_error && options.ignore_all_errors {
            return Err(CopyError::feature(
                "IGNOREALLERRORS cannot be used together with MAXERROR",
            ));
        }
        if options.json.is_none() && !options.parquet {
            return Err(CopyError::not_supported("COPY without FORMAT JSON or PARQUET"));
        }
        let authorization = authorization.resolve()?;
        Ok(CopyStatement { schema, table, columns, from, authorization, options })
    }

    /// Parses a column list after its opening parenthesis.
    fn list(&mut self) -> Result<Vec<String>, CopyError> {
        let mut names = vec![self.name()?];
        while self.skip_symbol(",") {
            names.push(self.name()?);
        }
        if self.skip_symbol(")") { Ok(names) } else { Err(self.unexpected()) }
    }

    /// Parses an authorization option; returns false if the keyword is not one.
    fn authorization_option(
        &mut self,
        keyword: &str,
        authorization: &mut AuthorizationOptions,
    ) -> Result<bool, CopyError> {
        let start = self.at;
        self.at += 1;
        match keyword {
            "iam_role" => {
                let role = if self.skip("default") {
                    Authorization::DefaultRole
                } else {
                    Authorization::Role(self.take(&[CopyTokenKind::StringLiteral])?)
                };
                authorization.set(role)?;
            }
            "with" if self.next_is("credentials") => {}
            "credentials" => {
                let text = self.string()?;
                authorization.set_credentials(&text)?;
            }
            "access_key_id" => authorization.key = Some(self.string()?),
            "secret_access_key" => authorization.secret = Some(self.string()?),
            "session_token" => authorization.token = Some(self.string()?),
            _ => {
                self.at = start;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Parses an option of DG/copy-parameters-data-conversion.html; returns false if the keyword is
    /// not one.
    fn conversion_option(
        &mut self,
        keyword: &str,
        options: &mut CopyOptions,
    ) -> Result<bool, CopyError> {
        let start = self.at;
        self.at += 1;
        match keyword {
            "emptyasnull" => options.empty_as_null = true,
            "blanksasnull" => options.blanks_as_null = true,
            "trimblanks" => options.trim_blanks = true,
            "truncatecolumns" => options.truncate_columns = true,
            "roundec" => options.round_decimals = true,
            "acceptanydate" => options.accept_any_date = true,
            "acceptinvchars" => options.accept_invalid = Some(self.replacement()?),
            "dateformat" => options.date_format = Some(self.string()?),
            "timeformat" => options.time_format = Some(self.string()?),
            "ignoreheader" => options.ignore_header = self.number()?,
            "encoding" => {
                self.skip("as");
                let name = self.take(&[CopyTokenKind::Word, CopyTokenKind::StringLiteral])?;
                if !name.eq_ignore_ascii_case("utf8") {
                    return Err(CopyError::not_supported(&format!("ENCODING {name}")));
                }
            }
            _ => {
                self.at = start;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns true if an optional AS and a string follow.
    fn next_is_string(&self) -> bool {
        self.next_is("as")
            || self.peek().is_some_and(|token| token.kind == CopyTokenKind::StringLiteral)
    }

    /// Parses the replacement character of ACCEPTINVCHARS, by default a question mark.
    fn replacement(&mut self) -> Result<char, CopyError> {
        if !self.next_is_string() {
            return Ok('?');
        }
        let text = self.string()?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(one), None) if one.is_ascii() && one != '\0' => Ok(one),
            _ => Err(CopyError::feature("ACCEPTINVCHARS takes one ASCII character except NUL")),
        }
    }

    /// Parses any other option.
    fn other_option(&mut self, keyword: &str, options: &mut CopyOptions) -> Result<(), CopyError> {
        if NOT_WITH_JSON.contains(&keyword) {
            let option =
                if keyword == "null" { "NULL AS".to_owned() } else { keyword.to_uppercase() };
            return Err(CopyError::feature(&format!("{option} is not supported with JSON")));
        }
        if NOT_SUPPORTED.contains(&keyword) {
            return Err(CopyError::not_supported(&keyword.to_uppercase()));
        }
        self.at += 1;
        match keyword {
            "format" => {
                self.skip("as");
                if !self.next_is("json") && !self.next_is("parquet") {
                    let format = self.name()?.to_uppercase();
                    return Err(CopyError::not_supported(&format!("FORMAT {format}")));
                }
            }
            "json" => options.json = Some(self.json_format()?),
            "parquet" => options.parquet = true,
            "manifest" => options.manifest = true,
            "region" => options.region = Some(self.string()?),
            "gzip" | "zstd" => options.compress(keyword)?,
            "maxerror" => {
                options.max_error = self.number()?;
                if options.max_error > MAX_MAXERROR {
                    return Err(CopyError::feature("MAXERROR must be between 0 and 100000"));
                }
            }
            "ignoreallerrors" => options.ignore_all_errors = true,
            "noload" => options.no_load = true,
            "comprows" => drop(self.number()?),
            "compupdate" | "statupdate" => {
                let values: &[&str] = &["on", "true", "off", "false", "preset"];
                let _ = values.iter().any(|value| self.skip(value));
            }
            _ => {
                self.at -= 1;
                return Err(self.unexpected());
            }
        }
        Ok(())
    }

    /// Parses the argument of JSON, by default `'auto'`.
    fn json_format(&mut self) -> Result<JsonFormat, CopyError> {
        if !self.next_is_string() {
            return Ok(JsonFormat::Auto);
        }
        match self.string()?.as_str() {
            "auto" => Ok(JsonFormat::Auto),
            "auto ignorecase" => Ok(JsonFormat::AutoIgnoreCase),
            "noshred" => Ok(JsonFormat::NoShred),
            path if path.starts_with("s3://") => Ok(JsonFormat::Paths(path.to_owned())),
            other => Err(CopyError::feature(&format!("'{other}' is not a JSON option"))),
        }
    }
}

impl CopyOptions {
    fn compress(&mut self, keyword: &str) -> Result<(), CopyError> {
        if self.compression != Compression::None {
            let option = keyword.to_uppercase();
            let message = format!("{option} conflicts with another compression");
            return Err(CopyError::feature(&message));
        }
        self.compression = if keyword == "gzip" { Compression::Gzip } else { Compression::Zstd };
        Ok(())
    }
}

impl AuthorizationOptions {
    fn set(&mut self, authorization: Authorization) -> Result<(), CopyError> {
        match self.authorization.replace(authorization) {
            None => Ok(()),
            Some(_) => Err(CopyError::syntax("conflicting or redundant credentials options")),
        }
    }

    /// Parses CREDENTIALS, which hold `aws_iam_role=…` or an access key and its secret
    /// (DG/copy-parameters-authorization.html).
    fn set_credentials(&mut self, text: &str) -> Result<(), CopyError> {
        let value = |name: &str| {
            let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
        };
        let authorization = match (
            value("aws_iam_role"),
            value("aws_access_key_id"),
            value("aws_secret_access_key"),
        ) {
            (Some(role), None, None) => Authorization::Role(role),
            (None, Some(id), Some(secret)) => {
                Authorization::Key { id, secret, token: value("token") }
            }
            _ => return Err(CopyError::feature("CREDENTIALS argument is not valid")),
        };
        self.set(authorization)
    }

    /// Returns the authorization; there must be exactly one.
    fn resolve(mut self) -> Result<Authorization, CopyError> {
        match (self.key.take(), self.secret.take()) {
            (Some(id), Some(secret)) => {
                let token = self.token.take();
                self.set(Authorization::Key { id, secret, token })?;
            }
            (None, None) if self.token.is_none() => {}
            _ => return Err(CopyError::feature("CREDENTIALS argument is not valid")),
        }
        self.authorization
            .ok_or_else(|| CopyError::feature("CREDENTIALS argument is required but not provided"))
    }
}
