//! Transactions, locks, settings, EXPLAIN and cursors.

use crate::StatementKind;
use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser};
use crate::rules::{self, Rule, RuleKind, dg};
use crate::scope::Position;

/// Settings that a session may change, each with its page.
const SETTINGS: &[(&str, &str)] = &[
    ("analyze_threshold_percent", dg!("r_analyze_threshold_percent")),
    ("cast_super_null_on_error", dg!("super-configurations")),
    ("datestyle", dg!("r_datestyle")),
    ("describe_field_name_in_uppercase", dg!("r_describe_field_name_in_uppercase")),
    ("enable_case_sensitive_identifier", dg!("r_enable_case_sensitive_identifier")),
    ("enable_case_sensitive_super_attribute", dg!("r_enable_case_sensitive_super_attribute")),
    ("enable_result_cache_for_session", dg!("r_enable_result_cache_for_session")),
    ("error_on_nondeterministic_update", dg!("r_error_on_nondeterministic_update")),
    ("extra_float_digits", dg!("r_extra_float_digits")),
    ("json_parse_dedup_attributes", dg!("super-configurations")),
    ("json_parse_truncate_strings", dg!("super-configurations")),
    ("json_serialization_enable", dg!("r_json_serialization_enable")),
    ("json_serialization_parse_nested_strings", dg!("serializing-complex-JSON")),
    ("navigate_super_null_on_error", dg!("super-configurations")),
    ("parse_super_null_on_error", dg!("super-configurations")),
    ("query_group", dg!("r_query_group")),
    ("search_path", dg!("r_search_path")),
    ("seed", dg!("r_RANDOM")),
    ("statement_timeout", dg!("r_statement_timeout")),
    ("timezone", dg!("r_timezone_config")),
    ("wlm_query_slot_count", dg!("r_wlm_query_slot_count")),
];

/// Names that only SHOW accepts.
const SHOW_ONLY: &[&str] = &["server_version", "client_encoding", "all"];

/// The settings as allow-list entries.
pub(crate) fn entries() -> impl Iterator<Item = Rule> {
    SETTINGS.iter().map(|(id, page)| Rule::allowed(RuleKind::Setting, id, page))
}

impl Parser<'_> {
    pub(crate) fn begin(&mut self) -> Parsed<StatementKind> {
        if self.eat("start") {
            self.expect("transaction")?;
        } else {
            self.expect("begin")?;
            self.eat_any(&["work", "transaction"]);
        }
        if self.eat("isolation") {
            self.expect("level")?;
            let known = [
                &["serializable"][..],
                &["read", "uncommitted"],
                &["read", "committed"],
                &["repeatable", "read"],
                &["snapshot"],
            ];
            if !known.iter().any(|keywords| self.eat_sequence(keywords)) {
                return self.violation(
                    &rules::ISOLATION,
                    format!("unknown isolation level {}", self.peek().describe()),
                );
            }
        }
        if self.eat("read") {
            self.expect_any(&["write", "only"])?;
        }
        Ok(StatementKind::Begin)
    }

    /// Parses COMMIT, END, ROLLBACK or ABORT.
    pub(crate) fn end_transaction(&mut self, kind: StatementKind) -> Parsed<StatementKind> {
        self.advance();
        self.eat_any(&["work", "transaction"]);
        if self.is("to") {
            return self.violation(&rules::SAVEPOINT, "savepoints are not supported");
        }
        Ok(kind)
    }

    pub(crate) fn lock(&mut self) -> Parsed<StatementKind> {
        self.expect("lock")?;
        self.eat("table");
        self.comma_separated(|parser| parser.table_name().map(drop))?;
        Ok(StatementKind::Lock)
    }

    pub(crate) fn set(&mut self) -> Parsed<StatementKind> {
        self.expect("set")?;
        if self.is_sequence(&["session", "authorization"]) || self.is("transaction") {
            return self.violation(
                &rules::SETTING,
                format!("unsupported setting {}", self.peek().describe()),
            );
        }
        // `session` and `local` could also be names of settings.
        if self.is_any(&["session", "local"])
            && !self.peek_nth(1).is_word("to")
            && !self.peek_nth(1).is_symbol("=")
        {
            self.advance();
        }
        self.setting(false)?;
        if !self.eat_symbol("=") {
            self.expect("to")?;
        }
        if self.eat("default") {
            return Ok(StatementKind::Set);
        }
        self.comma_separated(Self::setting_value)?;
        Ok(StatementKind::Set)
    }

    fn setting_value(&mut self) -> Parsed {
        let token = self.peek();
        match token.kind {
            TokenKind::StringLiteral | TokenKind::Number | TokenKind::QuotedName => {
                self.advance();
            }
            TokenKind::Word if token.text.starts_with('#') => return self.unexpected("a value"),
            TokenKind::Word
                if token.is_word("on")
                    || token.is_word("off")
                    || token.is_word("true")
                    || token.is_word("false") =>
            {
                self.advance();
            }
            TokenKind::Word => drop(self.name("a value")?),
            TokenKind::Symbol
                if token.text == "-" && self.peek_nth(1).kind == TokenKind::Number =>
            {
                self.advance();
                self.advance();
            }
            _ => return self.unexpected("a value"),
        }
        Ok(())
    }

    /// Parses the name of a setting; `show` also allows those of [`SHOW_ONLY`].
    fn setting(&mut self, show: bool) -> Parsed {
        let token = self.peek();
        let known = SETTINGS.iter().any(|(name, _)| token.is_word(name))
            || (show && SHOW_ONLY.iter().any(|name| token.is_word(name)));
        if !known {
            return self
                .violation(&rules::SETTING, format!("unsupported setting {}", token.describe()));
        }
        self.advance();
        Ok(())
    }

    pub(crate) fn show(&mut self) -> Parsed<StatementKind> {
        self.expect("show")?;
        self.setting(true)?;
        Ok(StatementKind::Show)
    }

    pub(crate) fn reset(&mut self) -> Parsed<StatementKind> {
        self.expect("reset")?;
        if !self.eat("all") {
            self.setting(false)?;
        }
        Ok(StatementKind::Reset)
    }

    pub(crate) fn explain(&mut self) -> Parsed<StatementKind> {
        self.expect("explain")?;
        self.eat("verbose");
        if self.is("analyze") || self.is_symbol("(") && !self.begins_query() {
            return self.unexpected("a query");
        }
        let kind = self.explainable()?;
        let has_plan = matches!(
            kind,
            StatementKind::Select
                | StatementKind::SelectInto
                | StatementKind::Insert
                | StatementKind::Update
                | StatementKind::Delete
                | StatementKind::CreateTableAs
        );
        if has_plan {
            Ok(StatementKind::Explain)
        } else {
            self.violation(&rules::UNEXPECTED, "EXPLAIN does not support this statement")
        }
    }

    pub(crate) fn declare(&mut self) -> Parsed<StatementKind> {
        self.expect("declare")?;
        self.name("the cursor's name")?;
        self.expect("cursor")?;
        if self.eat("without") {
            self.expect("hold")?;
        }
        self.expect("for")?;
        self.query(Position::Outermost)?;
        Ok(StatementKind::Declare)
    }

    pub(crate) fn fetch(&mut self) -> Parsed<StatementKind> {
        self.expect("fetch")?;
        if self.eat("forward") {
            if self.peek().kind == TokenKind::Number {
                self.integer("a number of rows")?;
            } else {
                self.eat("all");
            }
        } else {
            self.eat_any(&["next", "all"]);
        }
        self.expect("from")?;
        self.name("the cursor's name")?;
        Ok(StatementKind::Fetch)
    }

    pub(crate) fn close(&mut self) -> Parsed<StatementKind> {
        self.expect("close")?;
        self.name("the cursor's name")?;
        Ok(StatementKind::Close)
    }
}
