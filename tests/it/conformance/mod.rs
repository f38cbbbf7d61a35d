//! One suite for warehouses: whatever the engine, the same rows go in and the same answers come out.
//!
//! An engine calls it with [`conformance!`], from a file of its own that says how an empty place for a warehouse is had, and how it differs: each
//! [`Difference`] is one that was decided, not one that was met.

mod answers;
mod checks;
mod duckdb;
mod functions;
mod histories;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redshift")]
mod redshift;
mod sessions;
mod types;

use sparkify_warehouse::{Access, Warehouse};

use crate::support;

/// Room for warehouses; whatever they left behind goes when this is dropped.
pub(crate) trait Place {
    /// The URL of an empty warehouse, another one each time.
    fn url(&self) -> String;
}

/// One engine.
pub(crate) struct Engine {
    /// Room for its warehouses.
    pub place: fn() -> Box<dyn Place>,
    /// In what it differs.
    pub differences: Difference,
}

/// What is not the same everywhere.
pub(crate) struct Difference {
    /// The type of bytes.
    pub bytes: &'static str,
    /// What a column of text is declared with beside its type.
    pub text: &'static str,
    /// Whether somebody may read while a load is under way.
    pub shared: bool,
    /// Whether a column that is never null can be told to take one.
    pub drops_not_null: bool,
    /// The longest text, in bytes.
    pub longest_text: usize,
    /// Whether blanks at the end of a text count when it is compared.
    pub blanks_count: bool,
}

/// Every test of the suite, for one engine.
macro_rules! conformance {
    ($engine:ident) => {
        crate::conformance::conformance!($engine:
            types: values_come_back_as_they_went, text_is_ordered_by_its_bytes, nulls_stand_last;
            functions: moments_and_their_parts, numbers_are_rounded_alike, plays_have_one_identity;
            sessions: a_transaction_is_whole, a_load_that_breaks_off_leaves_nothing, a_taker_may_give_up, a_statement_can_be_stopped,
                who_reads_cannot_write, many_batches_arrive_once;
            checks: every_check_finds_its_damage;
            answers: nothing_gives_the_golden_answers, awkward_input_is_the_same_as_elsewhere;
            histories: loads_give_what_the_oracle_computes, histories_end_in_the_same_tables, killed_loads_leave_nothing_behind,
                moved_data_is_kept_once;
        );

        #[cfg(feature = "s3")]
        #[test]
        fn an_object_that_changes_keeps_its_rows() {
            crate::conformance::histories::an_object_that_changes_keeps_its_rows(&$engine);
        }

        fn a_data_set_gives_its_figures(data: &crate::data::DataSet) {
            crate::conformance::answers::a_data_set_gives_its_figures(&$engine, data);
        }
        crate::data::on_each_data_set!(a_data_set_gives_its_figures);
    };
    ($engine:ident: $($file:ident: $($test:ident),+;)+) => {
        $($(#[test] fn $test() { crate::conformance::$file::$test(&$engine); })+)+
    };
}
pub(crate) use conformance;

/// The warehouse at `url`, to write.
fn open(url: &str) -> Box<dyn Warehouse> {
    support::open(url, Access::Write).expect("a warehouse")
}
