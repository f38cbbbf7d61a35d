//! Pages whose commands need no server.

use super::run::{Place, check};

#[test]
fn the_readme_prints_what_it_shows() {
    check("README.md", &Place::new());
}

#[test]
fn the_tutorial_prints_what_it_shows() {
    check("docs/tutorial.md", &Place::new());
}

#[test]
fn the_page_on_transfers_prints_what_it_shows() {
    check("docs/how-to/transfer.md", &Place::new());
}

#[test]
fn the_page_on_erasures_prints_what_it_shows() {
    check("docs/how-to/erase.md", &Place::new());
}

#[test]
fn the_page_on_backfill_and_repairs_prints_what_it_shows() {
    check("docs/how-to/backfill.md", &Place::new());
}

#[test]
fn the_page_on_listening_histories_prints_what_it_shows() {
    check("docs/how-to/listening-history.md", &Place::new());
}
