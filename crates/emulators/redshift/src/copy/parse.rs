//! A COPY statement, read from its words.
//!
//! DG/r_COPY.html has the whole syntax; options are known here by DG/r_COPY-alphabetical-parm-list.html. What JSON excludes is in
//! DG/copy-parameters-data-format.html, what excludes each other in DG/copy-parameters-data-load.html and DG/copy-parameters-authorization.html.
//! Formats and sources that no test needs are refused as *not played by the emulator*: nobody shall believe that they were tried.

use super::CopyError;
use super::statement::{Authorization, Compression, Copy, Options, Shape};
use super::words::{Word, WordKind, words};

/// DG/copy-parameters-data-load.html
const MOST_ERRORS: u64 = 100_000;
/// Formats, sources and options of Redshift that are not played here.
const NOT_PLAYED: &[&str] = &[
    "avro",
    "orc",
    "parquet",
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
/// DG/copy-parameters-data-format.html: not supported with JSON.
const NOT_WITH_JSON: &[&str] =
    &["csv", "delimiter", "escape", "ignoreblanklines", "null", "quote", "removequotes"];

/// Reads a statement.
pub fn parse(statement: &str) -> Result<Copy, CopyError> {
    let words = words(statement).map_err(CopyError::syntax)?;
    let mut reader = Reader { words, at: 0 };
    let copy = reader.copy()?;
    reader.skip_mark(";");
    match reader.peek() {
        None => Ok(copy),
        Some(_) => Err(reader.unexpected()),
    }
}

struct Reader {
    words: Vec<Word>,
    at: usize,
}

/// What was said of who reads.
#[derive(Default)]
struct Said {
    authorization: Option<Authorization>,
    key: Option<String>,
    secret: Option<String>,
    token: Option<String>,
}

impl Reader {
    fn peek(&self) -> Option<&Word> {
        self.words.get(self.at)
    }

    fn unexpected(&self) -> CopyError {
        CopyError::syntax(match self.peek() {
            Some(word) => format!("syntax error at or near \"{}\"", word.written),
            None => "syntax error at end of input".to_owned(),
        })
    }

    fn next_is(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|word| word.kind == WordKind::Plain && word.text == keyword)
    }

    fn skip(&mut self, keyword: &str) -> bool {
        let found = self.next_is(keyword);
        self.at += usize::from(found);
        found
    }

    fn skip_mark(&mut self, mark: &str) -> bool {
        let found =
            self.peek().is_some_and(|word| word.kind == WordKind::Mark && word.text == mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, keyword: &str) -> Result<(), CopyError> {
        if self.skip(keyword) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn take(&mut self, kinds: &[WordKind]) -> Result<String, CopyError> {
        let found =
            self.peek().filter(|word| kinds.contains(&word.kind)).map(|word| word.text.clone());
        let found = found.ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(found)
    }

    fn name(&mut self) -> Result<String, CopyError> {
        self.take(&[WordKind::Plain, WordKind::Quoted])
    }

    /// A text, behind an AS that may be left out.
    fn text(&mut self) -> Result<String, CopyError> {
        self.skip("as");
        self.take(&[WordKind::Text])
    }

    fn number(&mut self) -> Result<u64, CopyError> {
        self.skip("as");
        self.take(&[WordKind::Number])?.parse().map_err(|_| self.unexpected())
    }

    fn copy(&mut self) -> Result<Copy, CopyError> {
        self.expect("copy")?;
        let mut schema = None;
        let mut table = self.name()?;
        if self.skip_mark(".") {
            schema = Some(std::mem::replace(&mut table, self.name()?));
        }
        let columns = if self.skip_mark("(") { Some(self.list()?) } else { None };
        self.expect("from")?;
        let from = self.take(&[WordKind::Text])?;
        if !from.starts_with("s3://") {
            return Err(CopyError::not_played(&format!("a source like '{from}'")));
        }
        let mut said = Said::default();
        let mut options = Options::default();
        let mut has_max_error = false;
        while let Some(word) = self.peek().filter(|word| word.text != ";") {
            let keyword = word.text.clone();
            if word.kind != WordKind::Plain {
                return Err(self.unexpected());
            }
            has_max_error |= keyword == "maxerror";
            if !self.authorization(&keyword, &mut said)?
                && !self.conversion(&keyword, &mut options)?
            {
                self.option(&keyword, &mut options)?;
            }
        }
        if has_max_error && options.ignore_all_errors {
            return Err(CopyError::feature(
                "IGNOREALLERRORS cannot be used together with MAXERROR",
            ));
        }
        if options.shape.is_none() {
            return Err(CopyError::not_played("any format but JSON"));
        }
        Ok(Copy { schema, table, columns, from, authorization: said.decide()?, options })
    }

    fn list(&mut self) -> Result<Vec<String>, CopyError> {
        let mut names = vec![self.name()?];
        while self.skip_mark(",") {
            names.push(self.name()?);
        }
        if self.skip_mark(")") { Ok(names) } else { Err(self.unexpected()) }
    }

    /// Takes an option that says who reads, if this is one.
    fn authorization(&mut self, keyword: &str, said: &mut Said) -> Result<bool, CopyError> {
        let start = self.at;
        self.at += 1;
        match keyword {
            "iam_role" => {
                let role = if self.skip("default") {
                    Authorization::DefaultRole
                } else {
                    Authorization::Role(self.take(&[WordKind::Text])?)
                };
                said.authorize(role)?;
            }
            "with" if self.next_is("credentials") => {}
            "credentials" => {
                let text = self.text()?;
                said.credentials(&text)?;
            }
            "access_key_id" => said.key = Some(self.text()?),
            "secret_access_key" => said.secret = Some(self.text()?),
            "session_token" => said.token = Some(self.text()?),
            _ => {
                self.at = start;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes an option of DG/copy-parameters-data-conversion.html, if this is one.
    fn conversion(&mut self, keyword: &str, options: &mut Options) -> Result<bool, CopyError> {
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
            "dateformat" => options.date_format = Some(self.text()?),
            "timeformat" => options.time_format = Some(self.text()?),
            "ignoreheader" => options.ignore_header = self.number()?,
            "encoding" => {
                self.skip("as");
                let name = self.take(&[WordKind::Plain, WordKind::Text])?;
                if !name.eq_ignore_ascii_case("utf8") {
                    return Err(CopyError::not_played(&format!("ENCODING {name}")));
                }
            }
            _ => {
                self.at = start;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn replacement(&mut self) -> Result<char, CopyError> {
        if !self.next_is("as") && self.peek().is_none_or(|word| word.kind != WordKind::Text) {
            return Ok('?');
        }
        let text = self.text()?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(one), None) if one.is_ascii() && one != '\0' => Ok(one),
            _ => Err(CopyError::feature("ACCEPTINVCHARS takes one ASCII character, and not NUL")),
        }
    }

    /// Takes any other option.
    fn option(&mut self, keyword: &str, options: &mut Options) -> Result<(), CopyError> {
        if NOT_WITH_JSON.contains(&keyword) {
            let shown =
                if keyword == "null" { "NULL AS".to_owned() } else { keyword.to_uppercase() };
            return Err(CopyError::feature(&format!("{shown} is not supported with JSON")));
        }
        if NOT_PLAYED.contains(&keyword) {
            return Err(CopyError::not_played(&keyword.to_uppercase()));
        }
        self.at += 1;
        match keyword {
            "format" => {
                self.skip("as");
                if !self.next_is("json") {
                    let format = self.name()?.to_uppercase();
                    return Err(CopyError::not_played(&format!("FORMAT {format}")));
                }
            }
            "json" => options.shape = Some(self.shape()?),
            "manifest" => options.manifest = true,
            "region" => options.region = Some(self.text()?),
            "gzip" | "zstd" => options.compress(keyword)?,
            "maxerror" => {
                options.max_error = self.number()?;
                if options.max_error > MOST_ERRORS {
                    return Err(CopyError::feature("MAXERROR must be between 0 and 100000"));
                }
            }
            "ignoreallerrors" => options.ignore_all_errors = true,
            "noload" => options.no_load = true,
            "comprows" => drop(self.number()?),
            "compupdate" | "statupdate" => {
                let words: &[&str] = &["on", "true", "off", "false", "preset"];
                let _ = words.iter().any(|word| self.skip(word));
            }
            _ => {
                self.at -= 1;
                return Err(self.unexpected());
            }
        }
        Ok(())
    }

    fn shape(&mut self) -> Result<Shape, CopyError> {
        if !self.next_is("as") && self.peek().is_none_or(|word| word.kind != WordKind::Text) {
            return Ok(Shape::Auto);
        }
        match self.text()?.as_str() {
            "auto" => Ok(Shape::Auto),
            "auto ignorecase" => Ok(Shape::AutoIgnoreCase),
            "noshred" => Ok(Shape::NoShred),
            path if path.starts_with("s3://") => Ok(Shape::Paths(path.to_owned())),
            other => Err(CopyError::feature(&format!("'{other}' is no option of JSON"))),
        }
    }
}

impl Options {
    fn compress(&mut self, keyword: &str) -> Result<(), CopyError> {
        if self.compression != Compression::None {
            let shown = keyword.to_uppercase();
            return Err(CopyError::feature(&format!("{shown} conflicts with another compression")));
        }
        self.compression = if keyword == "gzip" { Compression::Gzip } else { Compression::Zstd };
        Ok(())
    }
}

impl Said {
    fn authorize(&mut self, by: Authorization) -> Result<(), CopyError> {
        match self.authorization.replace(by) {
            None => Ok(()),
            Some(_) => Err(CopyError::syntax("conflicting or redundant credentials options")),
        }
    }

    /// `aws_iam_role=…`, or a key and its secret: DG/copy-parameters-authorization.html
    fn credentials(&mut self, text: &str) -> Result<(), CopyError> {
        let value = |name: &str| {
            let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
        };
        let by = match (
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
        self.authorize(by)
    }

    fn decide(mut self) -> Result<Authorization, CopyError> {
        match (self.key.take(), self.secret.take()) {
            (Some(id), Some(secret)) => {
                let token = self.token.take();
                self.authorize(Authorization::Key { id, secret, token })?;
            }
            (None, None) if self.token.is_none() => {}
            _ => return Err(CopyError::feature("CREDENTIALS argument is not valid")),
        }
        self.authorization
            .ok_or_else(|| CopyError::feature("CREDENTIALS argument is required but not provided"))
    }
}
