//! Can the tables be trusted? One file a check, which returns the rows that break it.
//!
//! This room judges and repairs nothing.

use serde::Serialize;

use crate::sql_files;
use crate::warehouse::{Rows, SqlFile, Value, Warehouse, WarehouseError};

/// Every check.
pub const CHECKS: &[SqlFile] = sql_files![
    "quality":
    "rows_conserved", "no_orphan_rows", "every_play_once", "every_user", "every_song_and_artist",
    "keys_present", "unique_songplays", "unique_users", "unique_songs", "unique_artists", "unique_time",
    "unique_user_levels", "spans_in_order", "plays_have_their_song", "plays_have_their_artist",
    "plays_have_their_user", "plays_have_their_time", "songs_have_their_artist",
    "levels_have_their_user", "no_stray_times", "match_is_whole", "ranges_time", "unknown_is_null",
];

/// Of the rows that break a check, this many are kept.
const SAMPLES: usize = 5;

/// What came of one check.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// The check's name: its file's.
    pub check: &'static str,
    /// What it claims.
    pub claim: &'static str,
    /// How many rows break it.
    pub offending: u64,
    /// The names of the columns of `samples`.
    pub columns: Vec<String>,
    /// The first few of them.
    pub samples: Vec<Vec<String>>,
}

impl Verdict {
    /// Whether no row breaks it.
    pub fn passed(&self) -> bool {
        self.offending == 0
    }
}

/// Runs every check: on all rows or, when `incremental`, on those whose keys the load touched.
pub fn run(
    warehouse: &mut dyn Warehouse,
    incremental: bool,
) -> Result<Vec<Verdict>, WarehouseError> {
    CHECKS.iter().map(|check| judge(warehouse, check, incremental)).collect()
}

fn judge(
    warehouse: &mut dyn Warehouse,
    check: &SqlFile,
    incremental: bool,
) -> Result<Verdict, WarehouseError> {
    let statement = check.statement(warehouse.opening(incremental));
    let Rows { columns, rows, total } = warehouse.query(&statement, SAMPLES)?;
    let samples = rows.iter().map(|row| row.iter().map(Value::to_string).collect()).collect();
    Ok(Verdict { check: check.name, claim: check.headline(), offending: total, columns, samples })
}
