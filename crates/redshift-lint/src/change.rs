//! INSERT, DELETE, UPDATE, MERGE, TRUNCATE.

use crate::Form;
use crate::Refusal;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;

impl Parser<'_> {
    /// `with … delete | update | select`.
    pub(crate) fn with_statement(&mut self) -> Parsed<Form> {
        // What WITH leads to stands behind its last parenthesis.
        let mut places = 1;
        let mut depth = 0_u32;
        loop {
            let token = self.ahead(places);
            let changes =
                ["delete", "update", "insert", "merge"].iter().any(|word| token.is_word(word));
            match token.text {
                "" => break,
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ if depth == 0 && changes => return self.changing_with(),
                _ if depth == 0 && token.is_word("select") => break,
                _ => {}
            }
            places += 1;
        }
        self.query(Position::Outermost)?;
        Ok(Form::Select)
    }

    fn changing_with(&mut self) -> Parsed<Form> {
        self.open_scope(Position::Outermost);
        self.ctes()?;
        let form = match () {
            () if self.is("delete") => self.delete_rows()?,
            () if self.is("update") => self.update_rows()?,
            () => return self.unexpected("SELECT, DELETE or UPDATE"),
        };
        self.judge_references()?;
        self.close_scope()?;
        Ok(form)
    }

    pub(crate) fn insert(&mut self) -> Parsed<Form> {
        self.expect_all(&["insert", "into"])?;
        self.table()?;
        if self.is("as") {
            return self.unexpected("VALUES or a query");
        }
        let lists_columns = self.is_sign("(") && !self.begins_query();
        let columns = if lists_columns { Some(self.column_names()?) } else { None };
        if self.eat_all(&["default", "values"]) {
            return Ok(Form::Insert);
        }
        if self.eat("values") {
            self.open_scope(Position::Outermost);
            self.rows(columns)?;
            self.close_scope()?;
        } else {
            self.query(Position::Outermost)?;
        }
        if self.are(&["on", "conflict"]) {
            return self.refuse(&rules::ON_CONFLICT, "ON CONFLICT stands here");
        }
        Ok(Form::Insert)
    }

    fn rows(&mut self, columns: Option<usize>) -> Parsed {
        let mut wanted = columns;
        self.list(|parser| {
            let at = parser.peek().at;
            let count = parser.parenthesised(Self::value_or_default)?;
            if *wanted.get_or_insert(count) != count {
                let message = format!("a row has {count} values");
                return Err(Refusal::new(&rules::VALUES_ROWS, at, message));
            }
            Ok(())
        })
        .map(drop)
    }

    fn value_or_default(&mut self) -> Parsed {
        if self.eat("default") { Ok(()) } else { self.expression() }
    }

    pub(crate) fn delete(&mut self) -> Parsed<Form> {
        self.open_scope(Position::Outermost);
        let form = self.delete_rows()?;
        self.judge_references()?;
        self.close_scope()?;
        Ok(form)
    }

    fn delete_rows(&mut self) -> Parsed<Form> {
        self.expect("delete")?;
        let from = self.eat("from");
        let table = self.table()?;
        self.sees(table);
        self.no_alias()?;
        if self.is("using") {
            if !from {
                return self.refuse(&rules::UNEXPECTED, "USING stands in a DELETE without FROM");
            }
            self.take();
            self.list(Self::using_table)?;
        }
        self.where_clause()?;
        Ok(Form::Delete)
    }

    fn using_table(&mut self) -> Parsed {
        if self.is_sign("(") {
            return self.refuse(&rules::USING_TABLES, "a query stands behind USING");
        }
        let name = self.peek().text.to_ascii_lowercase();
        let table = if self.is_cte(&name) { self.name("a table")? } else { self.table()? };
        if self.is("as") || self.alias_stands() {
            return self.refuse(&rules::USING_TABLES, "an alias stands behind USING");
        }
        if self.is_any(&["join", "left", "right", "full", "inner", "cross", "natural"]) {
            return self.refuse(&rules::USING_TABLES, "a join stands behind USING");
        }
        self.sees(table);
        Ok(())
    }

    fn alias_stands(&self) -> bool {
        let token = self.peek();
        match token.kind {
            crate::lexer::Kind::Word => crate::words::may_be_alias(token.text),
            crate::lexer::Kind::Quoted => true,
            _ => false,
        }
    }

    fn no_alias(&self) -> Parsed {
        if self.is("as") || self.alias_stands() {
            return self.refuse(
                &rules::TARGET_ALIAS,
                format!("{} stands behind the table", self.peek().shown()),
            );
        }
        Ok(())
    }

    fn where_clause(&mut self) -> Parsed {
        if self.are(&["where", "current"]) && self.ahead(2).is_word("of") {
            return self.unexpected("a condition");
        }
        if self.eat("where") {
            self.within(Clause::Plain, Self::expression)?;
        }
        Ok(())
    }

    pub(crate) fn update(&mut self) -> Parsed<Form> {
        self.open_scope(Position::Outermost);
        let form = self.update_rows()?;
        self.judge_references()?;
        self.close_scope()?;
        Ok(form)
    }

    fn update_rows(&mut self) -> Parsed<Form> {
        self.expect("update")?;
        let table = self.table()?;
        let alias = self.alias("an alias")?;
        self.sees(alias.unwrap_or(table));
        self.expect("set")?;
        self.list(Self::assignment)?;
        if self.eat("from") {
            self.tables()?;
        }
        self.where_clause()?;
        Ok(Form::Update)
    }

    fn assignment(&mut self) -> Parsed {
        if self.is_sign("(") {
            return self.refuse(&rules::ROW_CONSTRUCTOR, "a row is set here");
        }
        self.name("a column")?;
        if self.is_sign(".") {
            return self.refuse(&rules::SET_COLUMN, "a column is set with the name of its table");
        }
        self.expect_sign("=")?;
        self.value_or_default()
    }

    pub(crate) fn merge(&mut self) -> Parsed<Form> {
        self.open_scope(Position::Outermost);
        self.expect_all(&["merge", "into"])?;
        let target = self.table()?;
        self.no_alias()?;
        self.expect("using")?;
        if self.is_sign("(") {
            return self.refuse(&rules::MERGE_SOURCE, "a query is merged here");
        }
        let at = self.peek().at;
        let source = self.table()?;
        if source == target {
            let message = format!("`{source}` is merged into itself");
            return Err(Refusal::new(&rules::MERGE_SOURCE, at, message));
        }
        let alias = self.alias("an alias")?;
        self.sees(target);
        self.sees(alias.unwrap_or(source));
        self.merge_actions()?;
        self.judge_references()?;
        self.close_scope()?;
        Ok(Form::Merge)
    }

    fn merge_actions(&mut self) -> Parsed {
        self.expect("on")?;
        let condition = self.peek();
        self.expression()?;
        if !self.since(condition).iter().any(|token| token.is_sign("=")) {
            let message = "the condition compares nothing for equality";
            return Err(Refusal::new(&rules::MERGE_SHAPE, condition.at, message));
        }
        if self.eat_all(&["remove", "duplicates"]) {
            return Ok(());
        }
        self.merge_when(&["when", "matched"])?;
        if self.eat("update") {
            self.expect("set")?;
            self.list(Self::assignment)?;
        } else if !self.eat("delete") {
            return self.refuse(
                &rules::MERGE_SHAPE,
                format!("{} stands where UPDATE or DELETE should", self.peek().shown()),
            );
        }
        self.merge_when(&["when", "not", "matched"])?;
        if !self.eat("insert") {
            return self.refuse(
                &rules::MERGE_SHAPE,
                format!("{} stands where INSERT should", self.peek().shown()),
            );
        }
        let columns = if self.is_sign("(") { Some(self.column_names()?) } else { None };
        self.expect("values")?;
        self.rows(columns)?;
        if self.is("when") {
            return self.refuse(&rules::MERGE_SHAPE, "a third WHEN stands here");
        }
        Ok(())
    }

    fn merge_when(&mut self, words: &[&str]) -> Parsed {
        if !self.eat_all(words) {
            let message = format!(
                "{} stands where {} should",
                self.peek().shown(),
                words.join(" ").to_uppercase()
            );
            return self.refuse(&rules::MERGE_SHAPE, message);
        }
        if !self.eat("then") {
            return self.refuse(
                &rules::MERGE_SHAPE,
                format!("{} stands where THEN should", self.peek().shown()),
            );
        }
        Ok(())
    }

    pub(crate) fn truncate(&mut self) -> Parsed<Form> {
        self.expect("truncate")?;
        self.eat("table");
        self.table()?;
        if self.is_sign(",") || self.is_any(&["cascade", "restrict", "restart", "continue"]) {
            return self.refuse(
                &rules::TRUNCATE_ONE,
                format!("{} stands behind the table", self.peek().shown()),
            );
        }
        Ok(Form::Truncate)
    }
}
