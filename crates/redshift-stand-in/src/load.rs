//! Loads: where the COPY engine plugs in, and what the load views show.
//!
//! Rows of SYS_LOAD_HISTORY and SYS_LOAD_ERROR_DETAIL outlive a transaction that is rolled back and are seen inside one that began before
//! (system tables are not transactional, DG/c_serial_isolation.html), so no table holds them: they are kept here as JSON, handed to a session
//! as a setting before it asks, and the views of `catalog/manners.sql` read that.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use crate::wire::Report;

/// A column of the table that is loaded.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// As PostgreSQL formats it: `character varying(256)`.
    pub(crate) kind: String,
    pub(crate) not_null: bool,
    pub(crate) identity: bool,
    /// The expression of its default.
    pub(crate) default: Option<String>,
}

/// What a COPY names.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    /// As it is written, with its schema.
    pub(crate) table: String,
}

/// A row of a load view.
pub(crate) type Record = Map<String, Value>;

/// What a COPY came to.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// The columns that the rows fill.
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
    pub(crate) loaded: i64,
    /// Rows that were refused and left out.
    pub(crate) skipped: i64,
    pub(crate) history: Record,
    pub(crate) errors: Vec<Record>,
}

/// A COPY that failed: its error, and what the load views show of it.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) report: Report,
    pub(crate) history: Option<Record>,
    pub(crate) errors: Vec<Record>,
}

impl From<Report> for Failed {
    fn from(report: Report) -> Self {
        Self { report, history: None, errors: Vec::new() }
    }
}

/// What a COPY is aimed at.
pub(crate) fn aim(statement: &str) -> Result<Aim, Report> {
    let tokens = crate::lexer::tokens(statement);
    let (table, _) = crate::rewrite::name_at(&tokens, 1);
    Ok(Aim { table })
}

/// Loads.
pub(crate) fn load(_statement: &str, _columns: &[Column]) -> Result<Loaded, Failed> {
    Err(Report::error("0A000", "the COPY engine has not moved in yet").into())
}

/// What the load views show, of all sessions.
#[derive(Debug, Default)]
pub(crate) struct Loads {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    queries: i64,
    history: Vec<Value>,
    errors: Vec<Value>,
}

impl Loads {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of a new query.
    pub(crate) fn next_query(&self) -> i64 {
        let mut kept = self.kept();
        kept.queries += 1;
        kept.queries
    }

    /// Keeps what a COPY left, with `common` in each row.
    pub(crate) fn keep(&self, common: &Record, history: Option<Record>, errors: Vec<Record>) {
        let mut kept = self.kept();
        let with_common = |record: Record| {
            let mut whole = common.clone();
            whole.extend(record);
            Value::Object(whole)
        };
        kept.history.extend(history.map(with_common));
        kept.errors.extend(errors.into_iter().map(with_common));
    }

    /// Both views' rows, as JSON.
    pub(crate) fn shown(&self) -> (String, String) {
        let kept = self.kept();
        (
            Value::from(kept.history.clone()).to_string(),
            Value::from(kept.errors.clone()).to_string(),
        )
    }
}
