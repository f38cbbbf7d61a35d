//! CREATE TABLE with its columns, constraints and attributes, and CREATE TABLE AS.

use crate::Form;
use crate::Refusal;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;
use crate::types::Type;
use crate::words;

const COLUMNS: usize = 1600;

/// What was declared of a table, for the rules that are about all of it.
#[derive(Default)]
struct Declared {
    columns: Vec<(String, Type)>,
    style: Option<&'static str>,
    distkey: Option<(String, usize)>,
    sort_columns: usize,
    has_sort_key: bool,
    /// LIKE brings columns that are not known here.
    like: bool,
}

impl Parser<'_> {
    /// Behind CREATE: `[temp] table …`.
    pub(crate) fn create_table(&mut self) -> Parsed<Form> {
        self.eat("local");
        if !self.eat("temp") {
            self.eat("temporary");
        }
        self.expect("table")?;
        let if_absent = self.eat_all(&["if", "not", "exists"]);
        self.table()?;
        let mut declared = Declared::default();
        // `(name, name)` is the head of CREATE TABLE AS, `(name type, …)` that of CREATE TABLE.
        let names_only = self.is_sign("(")
            && (self.ahead(2).is_sign(",") || self.ahead(2).is_sign(")"))
            && !self.ahead(1).is_word("like");
        let lists = self.is_sign("(") && !names_only;
        if names_only {
            self.column_names()?;
        } else if lists {
            self.definitions(&mut declared)?;
        }
        self.attributes(&mut declared)?;
        self.check_keys(&declared)?;
        if lists {
            return Ok(Form::CreateTable);
        }
        if if_absent {
            return self.refuse(&rules::UNEXPECTED, "IF NOT EXISTS stands in a CREATE TABLE AS");
        }
        self.expect("as")?;
        self.query(Position::Outermost)?;
        Ok(Form::CreateTableAs)
    }

    fn definitions(&mut self, declared: &mut Declared) -> Parsed {
        let at = self.peek().at;
        self.parenthesised(|parser| parser.definition(declared))?;
        let names: Vec<&String> = declared.columns.iter().map(|(name, _)| name).collect();
        let twice = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name));
        if let Some((_, name)) = twice {
            return Err(Refusal::new(
                &rules::COLUMN_COUNT,
                at,
                format!("the column `{name}` is there twice"),
            ));
        }
        if !declared.like && (names.is_empty() || names.len() > COLUMNS) {
            return Err(Refusal::new(
                &rules::COLUMN_COUNT,
                at,
                format!("the table has {} columns", names.len()),
            ));
        }
        Ok(())
    }

    fn definition(&mut self, declared: &mut Declared) -> Parsed {
        if self.eat("like") {
            declared.like = true;
            self.table()?;
            if self.eat_any(&["including", "excluding"]).is_some() {
                self.expect("defaults")?;
            }
            return Ok(());
        }
        if self.is_any(&["constraint", "unique", "primary", "foreign", "check", "exclude"]) {
            return self.table_constraint();
        }
        if declared.columns.len() > COLUMNS {
            return self.refuse(
                &rules::COLUMN_COUNT,
                format!("the table has more than {COLUMNS} columns"),
            );
        }
        let token = self.peek();
        let name = self.name("a column")?;
        if words::is_system_column(&name) {
            let message = format!("a column is called `{name}`");
            return Err(Refusal::new(&rules::SYSTEM_COLUMN, token.at, message));
        }
        let kind = self.data_type()?;
        declared.columns.push((name.clone(), kind));
        self.column_attributes(&name, kind, declared)
    }

    pub(crate) fn table_constraint(&mut self) -> Parsed {
        if self.eat("constraint") {
            self.name("the constraint's name")?;
        }
        if self.is("check") || self.is("exclude") {
            return self.refuse(
                &rules::CONSTRAINT_MISSING,
                format!("a {} constraint stands here", self.peek().text),
            );
        }
        let kind = self.expect_any(&["unique", "primary", "foreign"])?;
        if kind != "unique" {
            self.expect("key")?;
        }
        self.column_names()?;
        if kind == "foreign" { self.references() } else { Ok(()) }
    }

    fn references(&mut self) -> Parsed {
        self.expect("references")?;
        self.qualified("a table")?;
        if self.is_sign("(") {
            self.column_names()?;
        }
        Ok(())
    }

    fn column_attributes(&mut self, name: &str, kind: Type, declared: &mut Declared) -> Parsed {
        loop {
            let at = self.peek().at;
            if self.eat("not") {
                self.expect("null")?;
            } else if self.eat("null") || self.eat("unique") {
            } else if self.eat("primary") {
                self.expect("key")?;
            } else if self.is("references") {
                self.references()?;
            } else if self.eat("default") {
                self.within(Clause::Default, Self::value)?;
            } else if self.is("identity") || self.is("generated") {
                self.identity(kind)?;
            } else if self.eat("encode") {
                self.encoding(kind)?;
            } else if self.eat("distkey") {
                set_distkey(declared, name.to_owned(), at)?;
            } else if self.eat("sortkey") {
                if declared.has_sort_key {
                    return Err(Refusal::new(&rules::SORTKEY, at, "a second sort key stands here"));
                }
                declared.has_sort_key = true;
                self.check_key_type(name, kind)?;
            } else if self.eat("collate") {
                self.expect_any(&["case_sensitive", "case_insensitive"])?;
            } else if self.is("check") {
                return self.refuse(&rules::CONSTRAINT_MISSING, "a check constraint stands here");
            } else if self.is("constraint") {
                return self.unexpected("an attribute of the column");
            } else {
                return Ok(());
            }
        }
    }

    fn check_key_type(&self, name: &str, kind: Type) -> Parsed {
        match kind {
            Type::Super | Type::Sketch => {
                self.refuse(&rules::SUPER_KEY, format!("the column `{name}` is a key"))
            }
            _ => Ok(()),
        }
    }

    fn identity(&mut self, kind: Type) -> Parsed {
        if self.eat("generated") {
            self.expect_all(&["by", "default", "as"])?;
        }
        self.expect("identity")?;
        if !matches!(kind, Type::Integer | Type::BigInt) {
            return self.refuse(&rules::IDENTITY, "an identity column is neither int nor bigint");
        }
        if !self.is_sign("(") {
            return self.refuse(&rules::IDENTITY, "an identity says neither seed nor step");
        }
        self.take();
        self.signed()?;
        self.expect_sign(",")?;
        self.signed()?;
        self.expect_sign(")")
    }

    fn signed(&mut self) -> Parsed {
        self.eat_sign("-");
        self.integer("a whole number").map(drop)
    }

    /// The name of an encoding, fit for the type.
    pub(crate) fn encoding(&mut self, kind: Type) -> Parsed {
        let token = self.peek();
        let word = token.text.to_ascii_lowercase();
        let text = matches!(kind, Type::Char | Type::Varchar);
        let number = matches!(kind, Type::SmallInt | Type::Integer | Type::BigInt | Type::Decimal);
        let moment = matches!(kind, Type::Date | Type::Time);
        let fits = match word.as_str() {
            "raw" => true,
            "zstd" => kind != Type::Sketch,
            "bytedict" => number || moment || text || kind == Type::Float,
            "runlength" => number || moment || text || matches!(kind, Type::Float | Type::Boolean),
            "az64" | "delta" => number || moment,
            "delta32k" => matches!(kind, Type::Integer | Type::BigInt | Type::Decimal) || moment,
            "lzo" => !matches!(kind, Type::Boolean | Type::Float | Type::Sketch),
            "mostly8" => number,
            "mostly16" => matches!(kind, Type::Integer | Type::BigInt | Type::Decimal),
            "mostly32" => matches!(kind, Type::BigInt | Type::Decimal),
            "text255" | "text32k" => text && kind == Type::Varchar,
            _ => {
                return self
                    .refuse(&rules::ENCODING, format!("there is no encoding {}", token.shown()));
            }
        };
        if !fits {
            return self.refuse(
                &rules::ENCODING,
                format!("the encoding {} is not for this type", token.shown()),
            );
        }
        self.take();
        Ok(())
    }

    fn attributes(&mut self, declared: &mut Declared) -> Parsed {
        loop {
            let at = self.peek().at;
            if self.eat("backup") {
                self.expect_any(&["yes", "no"])?;
            } else if self.eat("diststyle") {
                if declared.style.is_some() {
                    return Err(Refusal::new(
                        &rules::DISTKEY,
                        at,
                        "a second DISTSTYLE stands here",
                    ));
                }
                declared.style = Some(self.expect_any(&["auto", "even", "key", "all"])?);
            } else if self.eat("distkey") {
                self.dist_columns(at, declared)?;
            } else if self.is_any(&["compound", "interleaved", "sortkey"]) {
                self.sort_key(declared)?;
            } else if self.are(&["encode", "auto"]) {
                self.take();
                self.take();
            } else {
                return Ok(());
            }
        }
    }

    fn dist_columns(&mut self, at: usize, declared: &mut Declared) -> Parsed {
        self.expect_sign("(")?;
        let name = self.name("a column")?;
        if self.is_sign(",") {
            return self.refuse(&rules::DISTKEY, "a second column stands in DISTKEY");
        }
        self.expect_sign(")")?;
        set_distkey(declared, name, at)
    }

    fn sort_key(&mut self, declared: &mut Declared) -> Parsed {
        let at = self.peek().at;
        let kind = self.eat_any(&["compound", "interleaved"]);
        self.expect("sortkey")?;
        if declared.has_sort_key {
            return Err(Refusal::new(&rules::SORTKEY, at, "a second sort key stands here"));
        }
        declared.has_sort_key = true;
        if kind.is_none() && self.eat("auto") {
            return Ok(());
        }
        let mut names = Vec::new();
        self.parenthesised(|parser| {
            names.push((parser.peek().at, parser.name("a column")?));
            Ok(())
        })?;
        declared.sort_columns = names.len();
        let most = if kind == Some("interleaved") { 8 } else { 400 };
        if names.len() > most {
            let message = format!("the sort key has {} columns", names.len());
            return Err(Refusal::new(&rules::SORTKEY, at, message));
        }
        names.iter().try_for_each(|(at, name)| check_key(declared, name, *at, &rules::SORTKEY))
    }

    fn check_keys(&self, declared: &Declared) -> Parsed {
        let Some((name, at)) = &declared.distkey else {
            return match declared.style {
                Some("key") => self.refuse(&rules::DISTKEY, "DISTSTYLE KEY stands without DISTKEY"),
                _ => Ok(()),
            };
        };
        if declared.style.is_some_and(|style| style != "key") {
            let message = format!("the distkey `{name}` stands beside another DISTSTYLE");
            return Err(Refusal::new(&rules::DISTKEY, *at, message));
        }
        check_key(declared, name, *at, &rules::DISTKEY)
    }
}

fn set_distkey(declared: &mut Declared, name: String, at: usize) -> Parsed {
    if declared.distkey.is_some() {
        return Err(Refusal::new(&rules::DISTKEY, at, "a second distkey stands here"));
    }
    declared.distkey = Some((name, at));
    Ok(())
}

/// A key is a column of the table, where its columns are known, and of a type that can be one.
fn check_key(declared: &Declared, name: &str, at: usize, rule: &rules::Rule) -> Parsed {
    if declared.columns.is_empty() || declared.like {
        return Ok(());
    }
    match declared.columns.iter().find(|(column, _)| column == name) {
        None => Err(Refusal::new(rule, at, format!("the key `{name}` is no column of the table"))),
        Some((_, Type::Super | Type::Sketch)) => {
            Err(Refusal::new(&rules::SUPER_KEY, at, format!("the column `{name}` is a key")))
        }
        Some(_) => Ok(()),
    }
}
