//! What is made, changed and dropped besides tables' rows: schemas, views, ALTER TABLE, DROP, COMMENT.

use crate::Form;
use crate::Refusal;
use crate::lexer::Kind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;
use crate::types::Type;
use crate::words;

impl Parser<'_> {
    pub(crate) fn create(&mut self) -> Parsed<Form> {
        self.expect("create")?;
        if self.is_any(&["table", "temp", "temporary", "local"]) {
            return self.create_table();
        }
        if self.is("schema") {
            return self.create_schema();
        }
        let replaces = self.eat_all(&["or", "replace"]);
        if self.is("function") {
            return self.create_function();
        }
        if self.is("view") {
            return self.create_view();
        }
        let missing = [
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
        if !replaces && self.is_any(&missing) {
            return self.refuse(
                &rules::INDEX,
                format!("CREATE {} stands here", self.peek().text.to_uppercase()),
            );
        }
        self.refuse(
            &rules::STATEMENT,
            format!("CREATE {} is not on the list", self.peek().text.to_uppercase()),
        )
    }

    fn create_schema(&mut self) -> Parsed<Form> {
        self.expect("schema")?;
        self.eat_all(&["if", "not", "exists"]);
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
        Ok(Form::CreateSchema)
    }

    fn create_view(&mut self) -> Parsed<Form> {
        self.expect("view")?;
        self.qualified("the view's name")?;
        if self.is_sign("(") {
            self.column_names()?;
        }
        self.expect("as")?;
        self.query(Position::Outermost)?;
        self.eat_all(&["with", "no", "schema", "binding"]);
        Ok(Form::CreateView)
    }

    pub(crate) fn drop_object(&mut self) -> Parsed<Form> {
        self.expect("drop")?;
        if self.is("function") {
            return self.drop_function();
        }
        if self.is_any(&["index", "sequence", "trigger", "extension", "type", "domain"]) {
            return self.refuse(
                &rules::INDEX,
                format!("DROP {} stands here", self.peek().text.to_uppercase()),
            );
        }
        let Some(kind) = self.eat_any(&["table", "view", "schema"]) else {
            let message = format!("DROP {} is not on the list", self.peek().text.to_uppercase());
            return self.refuse(&rules::STATEMENT, message);
        };
        self.eat_all(&["if", "exists"]);
        self.list(|parser| parser.qualified("a table").map(drop))?;
        self.eat_any(&["cascade", "restrict"]);
        Ok(match kind {
            "table" => Form::DropTable,
            "view" => Form::DropView,
            _ => Form::DropSchema,
        })
    }

    pub(crate) fn alter_table(&mut self) -> Parsed<Form> {
        self.expect("alter")?;
        if !self.eat("table") {
            let message = format!("ALTER {} is not on the list", self.peek().text.to_uppercase());
            return self.refuse(&rules::STATEMENT, message);
        }
        self.table()?;
        let verb = self.expect_any(&["append", "add", "drop", "rename", "owner", "alter"])?;
        match verb {
            "append" => return self.append(),
            "add" => self.add()?,
            "drop" => self.drop_part()?,
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
            _ => return self.alter_part(),
        }
        Ok(Form::AlterTable)
    }

    fn append(&mut self) -> Parsed<Form> {
        self.expect("from")?;
        self.table()?;
        self.eat_any(&["ignoreextra", "filltarget"]);
        Ok(Form::AlterTableAppend)
    }

    fn new_column_name(&mut self) -> Parsed {
        let at = self.peek().at;
        let name = self.name("a name")?;
        if words::is_system_column(&name) {
            return Err(Refusal::new(
                &rules::SYSTEM_COLUMN,
                at,
                format!("a column is called `{name}`"),
            ));
        }
        Ok(())
    }

    fn add(&mut self) -> Parsed {
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
                self.within(Clause::Default, Self::value)?;
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
                return self.refuse(
                    &rules::ADD_IDENTITY,
                    format!("{} stands behind an added column", self.peek().shown()),
                );
            } else if !self.eat("null") {
                break;
            }
        }
        if self.is_sign(",") {
            return self.refuse(&rules::ADD_IDENTITY, "a second column is added");
        }
        Ok(())
    }

    fn drop_part(&mut self) -> Parsed {
        if !self.eat("constraint") {
            self.eat("column");
        }
        self.name("a column")?;
        self.eat_any(&["restrict", "cascade"]);
        Ok(())
    }

    fn alter_part(&mut self) -> Parsed<Form> {
        if self.eat("column") {
            self.name("a column")?;
            if self.eat("type") {
                let at = self.peek().at;
                if self.data_type()? != Type::Varchar {
                    let message = "only a varchar gets another length";
                    return Err(Refusal::new(&rules::TYPE_LENGTH, at, message)
                        .page(rules::dg!("r_ALTER_TABLE")));
                }
                return Ok(Form::AlterColumnType);
            }
            self.expect("encode")?;
            // The column's type is not known here.
            self.encoding(Type::BigInt)
                .or_else(|_| self.encoding(Type::Varchar))
                .or_else(|_| self.encoding(Type::Boolean))?;
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
            if compound || self.is_sign("(") {
                self.column_names()?;
            } else {
                self.expect_any(&["auto", "none"])?;
            }
        }
        Ok(Form::AlterTable)
    }

    pub(crate) fn comment(&mut self) -> Parsed<Form> {
        self.expect_all(&["comment", "on"])?;
        let kind = self.expect_any(&["table", "column", "view", "database", "constraint"])?;
        self.name("a name")?;
        let mut parts = 1;
        while self.eat_sign(".") {
            self.name("a name")?;
            parts += 1;
        }
        if kind == "column" && parts == 1 {
            return self.unexpected("`.` and the name of a column");
        }
        if kind == "constraint" {
            self.expect("on")?;
            self.qualified("a table")?;
        }
        self.expect("is")?;
        if !self.eat("null") {
            self.text("a string")?;
        }
        Ok(Form::Comment)
    }

    pub(crate) fn analyze(&mut self) -> Parsed<Form> {
        self.take();
        self.eat("verbose");
        if self.is("compression") {
            return self.refuse(&rules::STATEMENT, "ANALYZE COMPRESSION is not on the list");
        }
        let named = matches!(self.peek().kind, Kind::Word | Kind::Quoted)
            && !self.is_any(&["predicate", "all"]);
        if named {
            self.table()?;
            if self.is_sign("(") {
                self.column_names()?;
            }
        }
        if self.eat_any(&["predicate", "all"]).is_some() {
            self.expect("columns")?;
        }
        Ok(Form::Analyze)
    }

    pub(crate) fn vacuum(&mut self) -> Parsed<Form> {
        self.expect("vacuum")?;
        let kind = self.eat_any(&["full", "sort", "delete", "reindex", "recluster"]);
        if matches!(kind, Some("sort" | "delete")) {
            self.expect("only")?;
        }
        let named = matches!(self.peek().kind, Kind::Word | Kind::Quoted)
            && !self.is("to")
            && !self.is("boost");
        if named {
            self.table()?;
        }
        if self.eat("to") {
            let threshold = self.integer("a share")?;
            if threshold > 100 {
                return self.unexpected("a share of at most 100");
            }
            self.expect("percent")?;
        }
        self.eat("boost");
        Ok(Form::Vacuum)
    }
}
