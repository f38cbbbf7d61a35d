//! CREATE TABLE (columns, constraints, table attributes) and CREATE TABLE AS.

use crate::StatementKind;
use crate::Violation;
use crate::keywords;
use crate::lexer::TokenKind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;
use crate::types::DataType;

const MAX_COLUMNS: usize = 1600;

/// Columns and attributes of the table, for the rules about the whole definition.
#[derive(Default)]
struct TableDefinition {
    columns: Vec<(String, DataType)>,
    diststyle: Option<&'static str>,
    distkey: Option<(String, usize)>,
    sort_columns: usize,
    has_sort_key: bool,
    /// True if LIKE adds columns that are not known here.
    has_like: bool,
    /// True for CREATE TABLE AS, whose keys can be positions of columns.
    is_query: bool,
}

impl Parser<'_> {
    /// Parses `[temp] table …` after CREATE.
    pub(crate) fn create_table(&mut self) -> Parsed<StatementKind> {
        self.eat("local");
        if !self.eat("temp") {
            self.eat("temporary");
        }
        self.expect("table")?;
        let if_absent = self.eat_sequence(&["if", "not", "exists"]);
        self.table_name()?;
        let mut table = TableDefinition::default();
        // `(name, name)` starts CREATE TABLE AS, `(name type, …)` starts CREATE TABLE.
        let names_only = self.is_symbol("(")
            && (self.peek_nth(2).is_symbol(",") || self.peek_nth(2).is_symbol(")"))
            && !self.peek_nth(1).is_word("like");
        let has_definitions = self.is_symbol("(") && !names_only;
        if names_only {
            self.column_names()?;
        } else if has_definitions {
            self.definitions(&mut table)?;
        }
        table.is_query = !has_definitions;
        self.table_attributes(&mut table)?;
        self.check_keys(&table)?;
        if has_definitions {
            return Ok(StatementKind::CreateTable);
        }
        if if_absent {
            return self.violation(&rules::UNEXPECTED, "CREATE TABLE AS has no IF NOT EXISTS");
        }
        self.expect("as")?;
        self.query(Position::Outermost)?;
        Ok(StatementKind::CreateTableAs)
    }

    fn definitions(&mut self, table: &mut TableDefinition) -> Parsed {
        let at = self.peek().at;
        self.parenthesized_list(|parser| parser.definition(table))?;
        let names: Vec<&String> = table.columns.iter().map(|(name, _)| name).collect();
        let duplicate =
            names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
        if let Some((_, name)) = duplicate {
            return Err(Violation::new(
                &rules::COLUMN_COUNT,
                at,
                format!("duplicate column `{name}`"),
            ));
        }
        if !table.has_like && (names.is_empty() || names.len() > MAX_COLUMNS) {
            return Err(Violation::new(
                &rules::COLUMN_COUNT,
                at,
                format!("the table has {} columns", names.len()),
            ));
        }
        Ok(())
    }

    fn definition(&mut self, table: &mut TableDefinition) -> Parsed {
        if self.eat("like") {
            table.has_like = true;
            self.table_name()?;
            if self.eat_any(&["including", "excluding"]).is_some() {
                self.expect("defaults")?;
            }
            return Ok(());
        }
        if self.is_any(&["constraint", "unique", "primary", "foreign", "check", "exclude"]) {
            return self.table_constraint();
        }
        if table.columns.len() > MAX_COLUMNS {
            return self.violation(
                &rules::COLUMN_COUNT,
                format!("the table has more than {MAX_COLUMNS} columns"),
            );
        }
        let token = self.peek();
        let name = self.name("a column")?;
        if keywords::is_system_column(&name) {
            let message = format!("`{name}` is the name of a system column");
            return Err(Violation::new(&rules::SYSTEM_COLUMN, token.at, message));
        }
        let kind = self.data_type()?;
        table.columns.push((name.clone(), kind));
        self.column_attributes(&name, kind, table)
    }

    pub(crate) fn table_constraint(&mut self) -> Parsed {
        if self.eat("constraint") {
            self.name("the constraint's name")?;
        }
        if self.is("check") || self.is("exclude") {
            return self.violation(
                &rules::CONSTRAINT_MISSING,
                format!("{} constraints are not supported", self.peek().text.to_uppercase()),
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
        self.qualified_name("a table")?;
        if self.is_symbol("(") {
            self.column_names()?;
        }
        Ok(())
    }

    fn column_attributes(
        &mut self,
        name: &str,
        kind: DataType,
        table: &mut TableDefinition,
    ) -> Parsed {
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
                self.in_clause(Clause::Default, Self::value)?;
            } else if self.is("identity") || self.is("generated") {
                self.identity(kind)?;
            } else if self.eat("encode") {
                self.encoding(kind)?;
            } else if self.eat("distkey") {
                set_distkey(table, name.to_owned(), at)?;
            } else if self.eat("sortkey") {
                if table.has_sort_key {
                    return Err(Violation::new(&rules::SORTKEY, at, "there is a second sort key"));
                }
                table.has_sort_key = true;
                self.check_key_type(name, kind)?;
            } else if self.eat("collate") {
                self.expect_any(&["case_sensitive", "case_insensitive"])?;
            } else if self.is("check") {
                return self
                    .violation(&rules::CONSTRAINT_MISSING, "CHECK constraints are not supported");
            } else if self.is("constraint") {
                return self.unexpected("an attribute of the column");
            } else {
                return Ok(());
            }
        }
    }

    fn check_key_type(&self, name: &str, kind: DataType) -> Parsed {
        match kind {
            DataType::Super | DataType::Sketch => {
                self.violation(&rules::SUPER_KEY, format!("the super column `{name}` is a key"))
            }
            _ => Ok(()),
        }
    }

    fn identity(&mut self, kind: DataType) -> Parsed {
        if self.eat("generated") {
            self.expect_sequence(&["by", "default", "as"])?;
        }
        self.expect("identity")?;
        if !matches!(kind, DataType::Integer | DataType::BigInt) {
            return self
                .violation(&rules::IDENTITY, "the identity column is neither int nor bigint");
        }
        if !self.eat_symbol("(") {
            return Ok(());
        }
        self.signed()?;
        self.expect_symbol(",")?;
        self.signed()?;
        self.expect_symbol(")")
    }

    fn signed(&mut self) -> Parsed {
        self.eat_symbol("-");
        self.integer("a whole number").map(drop)
    }

    /// Parses an encoding and checks that it supports the type.
    pub(crate) fn encoding(&mut self, kind: DataType) -> Parsed {
        let token = self.peek();
        let word = token.text.to_ascii_lowercase();
        let text = matches!(kind, DataType::Char | DataType::Varchar);
        let number = matches!(
            kind,
            DataType::SmallInt | DataType::Integer | DataType::BigInt | DataType::Decimal
        );
        let datetime = matches!(kind, DataType::Date | DataType::Time);
        let supported = match word.as_str() {
            "raw" => true,
            "zstd" => kind != DataType::Sketch,
            "bytedict" => number || datetime || text || kind == DataType::Float,
            "runlength" => {
                number || datetime || text || matches!(kind, DataType::Float | DataType::Boolean)
            }
            "az64" | "delta" => number || datetime,
            "delta32k" => {
                matches!(kind, DataType::Integer | DataType::BigInt | DataType::Decimal) || datetime
            }
            "lzo" => !matches!(kind, DataType::Boolean | DataType::Float | DataType::Sketch),
            "mostly8" => number,
            "mostly16" => matches!(kind, DataType::Integer | DataType::BigInt | DataType::Decimal),
            "mostly32" => matches!(kind, DataType::BigInt | DataType::Decimal),
            "text255" | "text32k" => text && kind == DataType::Varchar,
            _ => {
                return self
                    .violation(&rules::ENCODING, format!("unknown encoding {}", token.describe()));
            }
        };
        if !supported {
            return self.violation(
                &rules::ENCODING,
                format!("the encoding {} does not support this type", token.describe()),
            );
        }
        self.advance();
        Ok(())
    }

    fn table_attributes(&mut self, table: &mut TableDefinition) -> Parsed {
        loop {
            let at = self.peek().at;
            if self.eat("backup") {
                self.expect_any(&["yes", "no"])?;
            } else if self.eat("diststyle") {
                if table.diststyle.is_some() {
                    return Err(Violation::new(&rules::DISTKEY, at, "there is a second DISTSTYLE"));
                }
                table.diststyle = Some(self.expect_any(&["auto", "even", "key", "all"])?);
            } else if self.eat("distkey") {
                self.dist_columns(at, table)?;
            } else if self.is_any(&["compound", "interleaved", "sortkey"]) {
                self.sort_key(table)?;
            } else if self.is_sequence(&["encode", "auto"]) {
                self.advance();
                self.advance();
            } else {
                return Ok(());
            }
        }
    }

    fn dist_columns(&mut self, at: usize, table: &mut TableDefinition) -> Parsed {
        self.expect_symbol("(")?;
        let name = self.key_column(table)?;
        if self.is_symbol(",") {
            return self.violation(&rules::DISTKEY, "DISTKEY names a second column");
        }
        self.expect_symbol(")")?;
        set_distkey(table, name, at)
    }

    /// Parses a column of a key: its name, or its position in the query of CREATE TABLE AS.
    fn key_column(&mut self, table: &TableDefinition) -> Parsed<String> {
        if table.is_query && self.peek().kind == TokenKind::Number {
            return self.integer("the position of a column").map(|position| position.to_string());
        }
        self.name("a column")
    }

    fn sort_key(&mut self, table: &mut TableDefinition) -> Parsed {
        let at = self.peek().at;
        let kind = self.eat_any(&["compound", "interleaved"]);
        self.expect("sortkey")?;
        if table.has_sort_key {
            return Err(Violation::new(&rules::SORTKEY, at, "there is a second sort key"));
        }
        table.has_sort_key = true;
        if kind.is_none() && self.eat("auto") {
            return Ok(());
        }
        let mut names = Vec::new();
        self.parenthesized_list(|parser| {
            names.push((parser.peek().at, parser.key_column(table)?));
            Ok(())
        })?;
        table.sort_columns = names.len();
        let max = if kind == Some("interleaved") { 8 } else { 400 };
        if names.len() > max {
            let message = format!("the sort key has {} columns", names.len());
            return Err(Violation::new(&rules::SORTKEY, at, message));
        }
        names.iter().try_for_each(|(at, name)| check_key(table, name, *at, &rules::SORTKEY))
    }

    fn check_keys(&self, table: &TableDefinition) -> Parsed {
        let Some((name, at)) = &table.distkey else {
            return match table.diststyle {
                Some("key") => self.violation(&rules::DISTKEY, "DISTSTYLE KEY needs a DISTKEY"),
                _ => Ok(()),
            };
        };
        if table.diststyle.is_some_and(|style| style != "key") {
            let message = format!("the distkey `{name}` conflicts with the DISTSTYLE");
            return Err(Violation::new(&rules::DISTKEY, *at, message));
        }
        check_key(table, name, *at, &rules::DISTKEY)
    }
}

fn set_distkey(table: &mut TableDefinition, name: String, at: usize) -> Parsed {
    if table.distkey.is_some() {
        return Err(Violation::new(&rules::DISTKEY, at, "there is a second distkey"));
    }
    table.distkey = Some((name, at));
    Ok(())
}

/// Checks that a key is a column of the table and has a supported type. Without known columns
/// (CREATE TABLE AS, LIKE) nothing is checked.
fn check_key(table: &TableDefinition, name: &str, at: usize, rule: &rules::Rule) -> Parsed {
    if table.columns.is_empty() || table.has_like {
        return Ok(());
    }
    match table.columns.iter().find(|(column, _)| column == name) {
        None => {
            Err(Violation::new(rule, at, format!("the key `{name}` is not a column of the table")))
        }
        Some((_, DataType::Super | DataType::Sketch)) => Err(Violation::new(
            &rules::SUPER_KEY,
            at,
            format!("the super column `{name}` is a key"),
        )),
        Some(_) => Ok(()),
    }
}
