//! Conformance suite: the same rows in give the same results on every engine.
//!
//! Each engine has a module that calls [`conformance!`]. It creates empty warehouses and declares
//! the intended [`Difference`].

mod data_tests;
mod duckdb;
mod functions;
mod histories;
#[cfg(feature = "postgres")]
mod postgres;
mod query_results;
#[cfg(feature = "redshift")]
mod redshift;
mod sessions;
mod types;
mod upgrades;

use sparkify_warehouse::{Access, Warehouse};

use crate::support;

/// Creates warehouses, and removes them when dropped.
pub(crate) trait Place {
    /// Returns the URL of a new, empty warehouse.
    fn url(&self) -> String;
}

/// Engine under test.
pub(crate) struct Engine {
    /// Creates a place for its warehouses.
    pub place: fn() -> Box<dyn Place>,
    pub differences: Difference,
}

/// Intended differences between engines.
pub(crate) struct Difference {
    /// Type of binary columns.
    pub bytes: &'static str,
    /// Suffix of the type of text columns: collation or length.
    pub text: &'static str,
    /// Whether readers may be connected during a load.
    pub shared: bool,
    /// Whether `not null` can be dropped from a column.
    pub drops_not_null: bool,
    /// Maximum length of a text in bytes.
    pub longest_text: usize,
    /// Whether trailing blanks count in comparisons.
    pub blanks_count: bool,
}

/// Defines all tests of the suite for one engine.
macro_rules! conformance {
    ($engine:ident) => {
        crate::conformance::conformance!($engine:
            types: values_are_read_back_unchanged, text_sorts_by_its_bytes, nulls_sort_last;
            functions: timestamps_have_the_parts_of_the_calendar, rounding_is_the_same, plays_have_the_same_surrogate_key;
            sessions: transactions_are_atomic, a_failed_load_leaves_no_rows, a_row_sink_can_end_a_query, a_statement_can_be_interrupted,
                a_read_only_connection_cannot_write, many_batches_are_inserted_once;
            data_tests: every_data_test_finds_its_damage;
            query_results: an_empty_warehouse_gives_the_golden_results, awkward_input_gives_the_same_tables_as_duckdb;
            histories: loads_give_what_the_oracle_computes, histories_end_in_the_same_tables, distant_events_end_in_the_same_tables, killed_loads_leave_nothing_behind,
                moved_data_is_kept_once, a_long_record_is_one_reject, tables_of_the_user_are_kept;
            upgrades: an_upgraded_warehouse_equals_a_fresh_one, loads_go_on_after_an_upgrade, a_replay_upgrades,
                an_interrupted_upgrade_leaves_the_old_layout, a_killed_load_leaves_the_old_layout, a_failed_load_upgrades_nothing,
                commands_read_the_old_layout, the_plan_of_an_upgrade_changes_nothing, a_newer_layout_is_refused;
        );

        #[cfg(feature = "s3")]
        #[test]
        fn a_cancelled_load_publishes_nothing() {
            crate::conformance::histories::a_cancelled_load_publishes_nothing(&$engine);
        }

        #[cfg(feature = "s3")]
        #[test]
        fn an_object_that_changes_keeps_its_rows() {
            crate::conformance::histories::an_object_that_changes_keeps_its_rows(&$engine);
        }

        fn a_data_set_gives_its_figures(data: &crate::data::DataSet) {
            crate::conformance::query_results::a_data_set_gives_its_figures(&$engine, data);
        }
        crate::data::on_each_data_set!(a_data_set_gives_its_figures);
    };
    ($engine:ident: $($file:ident: $($test:ident),+;)+) => {
        $($(#[test] fn $test() { crate::conformance::$file::$test(&$engine); })+)+
    };
}
pub(crate) use conformance;

/// Opens the warehouse at `url` for writing.
fn open(url: &str) -> Box<dyn Warehouse> {
    support::open(url, Access::Write).expect("a warehouse")
}
