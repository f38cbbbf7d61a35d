//! CREATE SCHEMA and VIEW, DROP, ALTER TABLE, COMMENT, ANALYZE and VACUUM.

use crate::StatementKind;
use crate::Violation;
use crate::keywords;
use crate::lexer::TokenKind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;
use crate::types::DataType;

impl Parser<'_> {
    pub(crate) fn create(&mut self) -> Parsed<StatementKind> {
        self.expect("create")?;
        if self.is_any(&["table", "temp", "temporary", "local"]) {
            return self.create_table();
        }
        if self.is("schema") {
            return self.create_schema();
        }
        let or_replace = self.eat_sequence(&["or", "replace"]);
        if self.is("function") {
            return self.create_function();
        }
        if self.is("view") {
            return self.create_view();
        }
        let unsupported = [
            "index",
            "unique",
            "sequence",
            "trigger",
            "tablespace",
            "extension",
            "type",
            "domain",
            "rule",
            "operator",
            "aggregate",
        ];
        if !or_replace && self.is_any(&unsupported) {
            return self.violation(
                &rules::INDEX,
                format!("CREATE {} is not supported", self.peek().text.to_uppercase()),
            );
        }
        self.violation(
            &rules::STATEMENT,
            format!("CREATE {} is not on the allow-list", self.peek().text.to_uppercase()),
        )
    }

    fn create_schema(&mut self) -> Parsed<StatementKind> {
        self.expect("schema")?;
        self.eat_sequence(&["if", "not", "exists"]);
        if !self.is("authorization") {
            self.name("the schema's name")?;
        }
        if self.eat("authorization") {
            self.name("a user")?;
        }
        if self.eat("quota") && !self.eat("unlimited") {
            self.integer("a size")?;
            self.eat_any(&["mb", "gb", "tb"]);
        }
        Ok(StatementKind::CreateSchema)
    }

    fn create_view(&mut self) -> Parsed<StatementKind> {
        self.expect("view")?;
        self.qualified_name("the view's name")?;
        if self.is_symbol("(") {
            self.column_names()?;
        }
        self.expect("as")?;
        self.query(Position::Outermost)?;
        self.eat_sequence(&["with", "no", "schema", "binding"]);
        Ok(StatementKind::CreateView)
    }

    pub(crate) fn drop_object(&mut self) -> Parsed<StatementKind> {
        self.expect("drop")?;
        if self.is("function") {
            return self.drop_function();
        }
        if self.is_any(&["index", "sequence", "trigger", "extension", "type", "domain"]) {
            return self.violation(
                &rules::INDEX,
                format!("DROP {} is not supported", self.peek().text.to_uppercase()),
            );
        }
        let Some(kind) = self.eat_any(&["table", "view", "schema"]) else {
            let message =
                format!("DROP {} is not on the allow-list", self.peek().text.to_uppercase());
            return self.violation(&rules::STATEMENT, message);
        };
        self.eat_sequence(&["if", "exists"]);
        self.comma_separated(|parser| parser.qualified_name("a table").map(drop))?;
        self.eat_any(&["cascade", "restrict"]);
        Ok(match kind {
            "table" => StatementKind::DropTable,
            "view" => StatementKind::DropView,
            _ => StatementKind::DropSchema,
        })
    }

    pub(crate) fn alter_table(&mut self) -> Parsed<StatementKind> {
        self.expect("alter")?;
        if !self.eat("table") {
            let message =
                format!("ALTER {} is not on the allow-list", self.peek().text.to_uppercase());
            return self.violation(&rules::STATEMENT, message);
        }
        self.table_name()?;
        let verb = self.expect_any(&["append", "add", "drop", "rename", "owner", "alter"])?;
        match verb {
            "append" => return self.append(),
            "add" => self.add_to_table()?,
            "drop" => self.drop_from_table()?,
            "rename" => {
                if self.eat("column") {
                    self.name("a column")?;
                }
                self.expect("to")?;
                self.new_column_name()?;
            }
            "owner" => {
                self.expect("to")?;
                self.name("a user")?;
            }
            _ => return self.alter_attribute(),
        }
        Ok(StatementKind::AlterTable)
    }

    fn append(&mut self) -> Parsed<StatementKind> {
        self.expect("from")?;
        self.table_name()?;
        self.eat_any(&["ignoreextra", "filltarget"]);
        Ok(StatementKind::AlterTableAppend)
    }

    fn new_column_name(&mut self) -> Parsed {
        let at = self.peek().at;
        let name = self.name("a name")?;
        if keywords::is_system_column(&name) {
            return Err(Violation::new(
                &rules::SYSTEM_COLUMN,
                at,
                format!("`{name}` is the name of a system column"),
            ));
        }
        Ok(())
    }

    fn add_to_table(&mut self) -> Parsed {
        if self.is_any(&["constraint", "unique", "primary", "foreign", "check", "exclude"]) {
            return self.table_constraint();
        }
        self.eat("column");
        if self.is("if") {
            return self.unexpected("a column");
        }
        self.new_column_name()?;
        let kind = self.data_type()?;
        loop {
            if self.eat("default") {
                self.in_clause(Clause::Default, Self::value)?;
            } else if self.eat("encode") {
                self.encoding(kind)?;
            } else if self.eat("not") {
                self.expect("null")?;
            } else if self.eat("collate") {
                self.expect_any(&["case_sensitive", "case_insensitive"])?;
            } else if self.is_any(&[
                "identity",
                "generated",
                "primary",
                "unique",
                "references",
                "distkey",
                "sortkey",
            ]) {
                return self.violation(
                    &rules::ADD_COLUMN,
                    format!("{} is not allowed for an added column", self.peek().describe()),
                );
            } else if !self.eat("null") {
                break;
            }
        }
        if self.is_symbol(",") {
            return self.violation(&rules::ADD_COLUMN, "ADD COLUMN adds a second column");
        }
        Ok(())
    }

    fn drop_from_table(&mut self) -> Parsed {
        if !self.eat("constraint") {
            self.eat("column");
        }
        self.name("a column")?;
        self.eat_any(&["restrict", "cascade"]);
        Ok(())
    }

    fn alter_attribute(&mut self) -> Parsed<StatementKind> {
        if self.eat("column") {
            self.name("a column")?;
            if self.eat("type") {
                let at = self.peek().at;
                if self.data_type()? != DataType::Varchar {
                    let message = "only the length of a varchar can be changed";
                    return Err(Violation::new(&rules::TYPE_LENGTH, at, message)
                        .with_page(rules::dg!("r_ALTER_TABLE")));
                }
                return Ok(StatementKind::AlterColumnType);
            }
            self.expect("encode")?;
            // The column's type is unknown here: accept every encoding that some type supports.
            self.encoding(DataType::BigInt)
                .or_else(|_| self.encoding(DataType::Varchar))
                .or_else(|_| self.encoding(DataType::Boolean))?;
        } else if self.eat("diststyle") {
            if self.expect_any(&["all", "even", "auto", "key"])? == "key" {
                self.expect("distkey")?;
                self.name("a column")?;
            }
        } else if self.eat("distkey") {
            self.name("a column")?;
        } else if self.eat("encode") {
            self.expect("auto")?;
        } else {
            let compound = self.eat("compound");
            self.expect("sortkey")?;
            if compound || self.is_symbol("(") {
                self.column_names()?;
            } else {
                self.expect_any(&["auto", "none"])?;
            }
        }
        Ok(StatementKind::AlterTable)
    }

    pub(crate) fn comment(&mut self) -> Parsed<StatementKind> {
        self.expect_sequence(&["comment", "on"])?;
        let kind = self.expect_any(&["table", "column", "view", "database", "constraint"])?;
        self.name("a name")?;
        let mut parts = 1;
        while self.eat_symbol(".") {
            self.name("a name")?;
            parts += 1;
        }
        if kind == "column" && parts == 1 {
            return self.unexpected("`.` and the name of a column");
        }
        if kind == "constraint" {
            self.expect("on")?;
            self.qualified_name("a table")?;
        }
        self.expect("is")?;
        if !self.eat("null") {
            self.string_literal("a string")?;
        }
        Ok(StatementKind::Comment)
    }

    pub(crate) fn analyze(&mut self) -> Parsed<StatementKind> {
        self.advance();
        self.eat("verbose");
        if self.is("compression") {
            return self
                .violation(&rules::STATEMENT, "ANALYZE COMPRESSION is not on the allow-list");
        }
        let named = matches!(self.peek().kind, TokenKind::Word | TokenKind::QuotedName)
            && !self.is_any(&["predicate", "all"]);
        if named {
            self.table_name()?;
            if self.is_symbol("(") {
                self.column_names()?;
            }
        }
        if self.eat_any(&["predicate", "all"]).is_some() {
            self.expect("columns")?;
        }
        Ok(StatementKind::Analyze)
    }

    pub(crate) fn vacuum(&mut self) -> Parsed<StatementKind> {
        self.expect("vacuum")?;
        let kind = self.eat_any(&["full", "sort", "delete", "reindex", "recluster"]);
        if matches!(kind, Some("sort" | "delete")) {
            self.expect("only")?;
        }
        let named = matches!(self.peek().kind, TokenKind::Word | TokenKind::QuotedName)
            && !self.is("to")
            && !self.is("boost");
        if named {
            self.table_name()?;
        }
        if self.eat("to") {
            let threshold = self.integer("a percentage")?;
            if threshold > 100 {
                return self.unexpected("a percentage of at most 100");
            }
            self.expect("percent")?;
        }
        self.eat("boost");
        Ok(StatementKind::Vacuum)
    }
}
