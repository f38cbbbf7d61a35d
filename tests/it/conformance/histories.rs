//! Tests of `order_independence` on every engine, with fewer cases.

use super::{Engine, open};
use crate::order_independence;

pub(crate) fn loads_give_what_the_oracle_computes(engine: &Engine) {
    let place = (engine.place)();
    order_independence::one_load(16, || open(&place.url()));
}

pub(crate) fn histories_end_in_the_same_tables(engine: &Engine) {
    let place = (engine.place)();
    order_independence::histories(24, || open(&place.url()));
}

pub(crate) fn killed_loads_leave_nothing_behind(engine: &Engine) {
    let place = (engine.place)();
    order_independence::histories_with_kills(6, || place.url());
}
