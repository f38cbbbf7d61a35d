//! INSERT, DELETE, UPDATE, MERGE, TRUNCATE.

use crate::StatementKind;
use crate::keywords;
use crate::lexer::TokenKind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;
use crate::violation::Violation;

impl Parser<'_> {
    /// Parses `with … select | delete | update`.
    pub(crate) fn with_statement(&mut self) -> Parsed<StatementKind> {
        // The first keyword outside parentheses after the CTEs tells the kind of the statement.
        let mut position = 1;
        let mut depth = 0_u32;
        loop {
            let token = self.peek_nth(position);
            let changes_rows = ["delete", "update", "insert", "merge"]
                .iter()
                .any(|keyword| token.is_word(keyword));
            match token.text {
                "" => break,
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ if depth == 0 && changes_rows => return self.dml_with_ctes(),
                _ if depth == 0 && token.is_word("select") => break,
                _ => {}
            }
            position += 1;
        }
        self.query_statement()
    }

    fn dml_with_ctes(&mut self) -> Parsed<StatementKind> {
        self.open_scope(Position::Outermost);
        self.ctes()?;
        let kind = match () {
            () if self.is("delete") => self.delete_rows()?,
            () if self.is("update") => self.update_rows()?,
            () => return self.unexpected("SELECT, DELETE or UPDATE"),
        };
        self.check_outer_references()?;
        self.close_scope()?;
        Ok(kind)
    }

    pub(crate) fn insert(&mut self) -> Parsed<StatementKind> {
        self.expect_sequence(&["insert", "into"])?;
        self.table_name()?;
        if self.is("as") {
            return self.unexpected("VALUES or a query");
        }
        let lists_columns = self.is_symbol("(") && !self.begins_query();
        let columns = if lists_columns { Some(self.column_names()?) } else { None };
        if self.eat_sequence(&["default", "values"]) {
            return Ok(StatementKind::Insert);
        }
        if self.eat("values") {
            self.open_scope(Position::Outermost);
            self.rows(columns)?;
            self.close_scope()?;
        } else {
            self.query(Position::Outermost)?;
        }
        if self.is_sequence(&["on", "conflict"]) {
            return self.violation(&rules::ON_CONFLICT, "ON CONFLICT is not supported");
        }
        Ok(StatementKind::Insert)
    }

    /// Parses the rows of VALUES; all have `columns` values, or as many as the first row.
    fn rows(&mut self, columns: Option<usize>) -> Parsed {
        let mut expected = columns;
        self.comma_separated(|parser| {
            let at = parser.peek().at;
            let count = parser.parenthesized_list(Self::value_or_default)?;
            if *expected.get_or_insert(count) != count {
                let message = format!("the row has {count} values");
                return Err(Violation::new(&rules::VALUES_ROWS, at, message));
            }
            Ok(())
        })
        .map(drop)
    }

    fn value_or_default(&mut self) -> Parsed {
        if self.eat("default") { Ok(()) } else { self.expression() }
    }

    pub(crate) fn delete(&mut self) -> Parsed<StatementKind> {
        self.open_scope(Position::Outermost);
        let kind = self.delete_rows()?;
        self.check_outer_references()?;
        self.close_scope()?;
        Ok(kind)
    }

    fn delete_rows(&mut self) -> Parsed<StatementKind> {
        self.expect("delete")?;
        let from = self.eat("from");
        let table = self.table_name()?;
        self.add_table(table);
        self.reject_alias()?;
        if self.is("using") {
            if !from {
                return self.violation(&rules::UNEXPECTED, "DELETE … USING needs FROM");
            }
            self.advance();
            self.comma_separated(Self::using_table)?;
        }
        self.where_clause()?;
        Ok(StatementKind::Delete)
    }

    fn using_table(&mut self) -> Parsed {
        if self.is_symbol("(") {
            return self.violation(&rules::USING_TABLES, "a subquery follows USING");
        }
        let name = self.peek().text.to_ascii_lowercase();
        let table = if self.is_cte(&name) { self.name("a table")? } else { self.table_name()? };
        if self.is("as") || self.is_alias() {
            return self.violation(&rules::USING_TABLES, "a table after USING has an alias");
        }
        if self.is_any(&["join", "left", "right", "full", "inner", "cross", "natural"]) {
            return self.violation(&rules::USING_TABLES, "a join follows USING");
        }
        self.add_table(table);
        Ok(())
    }

    fn is_alias(&self) -> bool {
        let token = self.peek();
        match token.kind {
            TokenKind::Word => keywords::can_be_alias(token.text),
            TokenKind::QuotedName => true,
            _ => false,
        }
    }

    fn reject_alias(&self) -> Parsed {
        if self.is("as") || self.is_alias() {
            return self.violation(&rules::TARGET_ALIAS, "the target table has an alias");
        }
        Ok(())
    }

    fn where_clause(&mut self) -> Parsed {
        if self.is_sequence(&["where", "current"]) && self.peek_nth(2).is_word("of") {
            return self.unexpected("a condition");
        }
        if self.eat("where") {
            self.in_clause(Clause::Scalar, Self::expression)?;
        }
        Ok(())
    }

    pub(crate) fn update(&mut self) -> Parsed<StatementKind> {
        self.open_scope(Position::Outermost);
        let kind = self.update_rows()?;
        self.check_outer_references()?;
        self.close_scope()?;
        Ok(kind)
    }

    fn update_rows(&mut self) -> Parsed<StatementKind> {
        self.expect("update")?;
        let table = self.table_name()?;
        let alias = self.alias("an alias")?;
        self.add_table(alias.unwrap_or(table));
        self.expect("set")?;
        self.comma_separated(Self::assignment)?;
        if self.eat("from") {
            self.tables()?;
        }
        self.where_clause()?;
        Ok(StatementKind::Update)
    }

    fn assignment(&mut self) -> Parsed {
        if self.is_symbol("(") {
            return self.violation(&rules::ROW_CONSTRUCTOR, "SET assigns a row");
        }
        self.name("a column")?;
        if self.is_symbol(".") {
            return self.violation(&rules::SET_COLUMN, "SET qualifies a column with its table");
        }
        self.expect_symbol("=")?;
        self.value_or_default()
    }

    pub(crate) fn merge(&mut self) -> Parsed<StatementKind> {
        self.open_scope(Position::Outermost);
        self.expect_sequence(&["merge", "into"])?;
        let target = self.table_name()?;
        self.reject_alias()?;
        self.expect("using")?;
        if self.is_symbol("(") {
            return self.violation(&rules::MERGE_SOURCE, "the source is a subquery");
        }
        let at = self.peek().at;
        let source = self.table_name()?;
        if source == target {
            let message = format!("`{source}` is merged into itself");
            return Err(Violation::new(&rules::MERGE_SOURCE, at, message));
        }
        let alias = self.alias("an alias")?;
        self.add_table(target);
        self.add_table(alias.unwrap_or(source));
        self.merge_actions()?;
        self.check_outer_references()?;
        self.close_scope()?;
        Ok(StatementKind::Merge)
    }

    fn merge_actions(&mut self) -> Parsed {
        self.expect("on")?;
        let condition = self.peek();
        self.expression()?;
        if !self.tokens_since(condition).iter().any(|token| token.is_symbol("=")) {
            let message = "the condition has no equality comparison";
            return Err(Violation::new(&rules::MERGE_SHAPE, condition.at, message));
        }
        if self.eat_sequence(&["remove", "duplicates"]) {
            return Ok(());
        }
        self.merge_when(&["when", "matched"])?;
        if self.eat("update") {
            self.expect("set")?;
            self.comma_separated(Self::assignment)?;
        } else if !self.eat("delete") {
            return self.violation(
                &rules::MERGE_SHAPE,
                format!("expected UPDATE or DELETE, found {}", self.peek().describe()),
            );
        }
        self.merge_when(&["when", "not", "matched"])?;
        if !self.eat("insert") {
            return self.violation(
                &rules::MERGE_SHAPE,
                format!("expected INSERT, found {}", self.peek().describe()),
            );
        }
        let columns = if self.is_symbol("(") { Some(self.column_names()?) } else { None };
        self.expect("values")?;
        self.rows(columns)?;
        if self.is("when") {
            return self.violation(&rules::MERGE_SHAPE, "there is a third WHEN");
        }
        Ok(())
    }

    fn merge_when(&mut self, keywords: &[&str]) -> Parsed {
        if !self.eat_sequence(keywords) {
            let expected = keywords.join(" ").to_uppercase();
            let message = format!("expected {expected}, found {}", self.peek().describe());
            return self.violation(&rules::MERGE_SHAPE, message);
        }
        if !self.eat("then") {
            return self.violation(
                &rules::MERGE_SHAPE,
                format!("expected THEN, found {}", self.peek().describe()),
            );
        }
        Ok(())
    }

    pub(crate) fn truncate(&mut self) -> Parsed<StatementKind> {
        self.expect("truncate")?;
        self.eat("table");
        self.table_name()?;
        if self.is_symbol(",") || self.is_any(&["cascade", "restrict", "restart", "continue"]) {
            return self.violation(
                &rules::TRUNCATE_ONE,
                format!("TRUNCATE does not support {}", self.peek().describe()),
            );
        }
        Ok(StatementKind::Truncate)
    }
}
