//! Transactions, cursors, locks and settings of the session.

use crate::Form;
use crate::lexer::Kind;
use crate::parser::{Parsed, Parser};
use crate::rules::{self, Rule, RuleKind, dg};
use crate::scope::Position;

/// Settings that a session may want, each with its page.
const SETTINGS: &[(&str, &str)] = &[
    ("analyze_threshold_percent", dg!("r_analyze_threshold_percent")),
    ("datestyle", dg!("r_datestyle")),
    ("enable_case_sensitive_identifier", dg!("r_enable_case_sensitive_identifier")),
    ("enable_result_cache_for_session", dg!("r_enable_result_cache_for_session")),
    ("error_on_nondeterministic_update", dg!("r_error_on_nondeterministic_update")),
    ("extra_float_digits", dg!("r_extra_float_digits")),
    ("json_serialization_enable", dg!("r_json_serialization_enable")),
    ("query_group", dg!("r_query_group")),
    ("search_path", dg!("r_search_path")),
    ("statement_timeout", dg!("r_statement_timeout")),
    ("timezone", dg!("r_timezone_config")),
    ("wlm_query_slot_count", dg!("r_wlm_query_slot_count")),
];

/// Settings that only the server tells: SHOW may name them.
const SHOWN: &[&str] = &["server_version", "client_encoding", "all"];

/// The settings as entries of the list.
pub(crate) fn entries() -> impl Iterator<Item = Rule> {
    SETTINGS.iter().map(|(id, page)| Rule { id, kind: RuleKind::Setting, says: "", page, hint: "" })
}

impl Parser<'_> {
    pub(crate) fn begin(&mut self) -> Parsed<Form> {
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
            if !known.iter().any(|words| self.eat_all(words)) {
                return self.refuse(
                    &rules::ISOLATION,
                    format!("{} is no isolation level", self.peek().shown()),
                );
            }
        }
        if self.eat("read") {
            self.expect_any(&["write", "only"])?;
        }
        Ok(Form::Begin)
    }

    pub(crate) fn finish(&mut self, form: Form) -> Parsed<Form> {
        self.take();
        self.eat_any(&["work", "transaction"]);
        if self.is("to") {
            return self.refuse(&rules::SAVEPOINT, "a savepoint is rolled back to");
        }
        Ok(form)
    }

    pub(crate) fn lock(&mut self) -> Parsed<Form> {
        self.expect("lock")?;
        self.eat("table");
        self.list(|parser| parser.table().map(drop))?;
        Ok(Form::Lock)
    }

    pub(crate) fn set(&mut self) -> Parsed<Form> {
        self.expect("set")?;
        if self.are(&["session", "authorization"]) || self.is("transaction") {
            return self.refuse(&rules::SETTING, format!("{} is set", self.peek().shown()));
        }
        if self.is_any(&["session", "local"])
            && !self.ahead(1).is_word("to")
            && !self.ahead(1).is_sign("=")
        {
            self.take();
        }
        self.setting(false)?;
        if !self.eat_sign("=") {
            self.expect("to")?;
        }
        if self.eat("default") {
            return Ok(Form::Set);
        }
        self.list(Self::setting_value)?;
        Ok(Form::Set)
    }

    fn setting_value(&mut self) -> Parsed {
        let token = self.peek();
        match token.kind {
            Kind::Text | Kind::Number | Kind::Quoted => drop(self.take()),
            Kind::Word if token.text.starts_with('#') => return self.unexpected("a value"),
            Kind::Word
                if token.is_word("on")
                    || token.is_word("off")
                    || token.is_word("true")
                    || token.is_word("false") =>
            {
                self.take();
            }
            Kind::Word => drop(self.name("a value")?),
            Kind::Sign if token.text == "-" && self.ahead(1).kind == Kind::Number => {
                self.take();
                self.take();
            }
            _ => return self.unexpected("a value"),
        }
        Ok(())
    }

    fn setting(&mut self, shown: bool) -> Parsed {
        let token = self.peek();
        let known = SETTINGS.iter().any(|(name, _)| token.is_word(name))
            || (shown && SHOWN.iter().any(|name| token.is_word(name)));
        if !known {
            return self.refuse(&rules::SETTING, format!("the setting {} is named", token.shown()));
        }
        self.take();
        Ok(())
    }

    pub(crate) fn show(&mut self) -> Parsed<Form> {
        self.expect("show")?;
        self.setting(true)?;
        Ok(Form::Show)
    }

    pub(crate) fn reset(&mut self) -> Parsed<Form> {
        self.expect("reset")?;
        if !self.eat("all") {
            self.setting(false)?;
        }
        Ok(Form::Reset)
    }

    pub(crate) fn explain(&mut self) -> Parsed<Form> {
        self.expect("explain")?;
        self.eat("verbose");
        if self.is("analyze") || self.is_sign("(") && !self.begins_query() {
            return self.unexpected("a query");
        }
        let form = self.explained()?;
        let plans = matches!(
            form,
            Form::Select | Form::Insert | Form::Update | Form::Delete | Form::CreateTableAs
        );
        if plans {
            Ok(Form::Explain)
        } else {
            self.refuse(&rules::UNEXPECTED, "what is explained has no plan")
        }
    }

    pub(crate) fn declare(&mut self) -> Parsed<Form> {
        self.expect("declare")?;
        self.name("the cursor's name")?;
        self.expect_all(&["cursor", "for"])?;
        self.query(Position::Outermost)?;
        Ok(Form::Declare)
    }

    pub(crate) fn fetch(&mut self) -> Parsed<Form> {
        self.expect("fetch")?;
        if self.eat("forward") {
            if self.peek().kind == Kind::Number {
                self.integer("a number of rows")?;
            } else {
                self.eat("all");
            }
        } else {
            self.eat_any(&["next", "all"]);
        }
        self.expect("from")?;
        self.name("the cursor's name")?;
        Ok(Form::Fetch)
    }

    pub(crate) fn close(&mut self) -> Parsed<Form> {
        self.expect("close")?;
        self.name("the cursor's name")?;
        Ok(Form::Close)
    }
}
