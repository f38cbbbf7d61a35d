//! The same cluster through the Data API: no port, no password, signed requests alone.

use super::{Cluster, ETL};
use crate::support::run;

const URL: &str = "redshift:workgroup/stand-in/dev";

#[test]
fn a_load_through_the_data_api_makes_the_same_tables() {
    let cluster = Cluster::with_data();
    let here = cluster.folder.path();
    let through = |arguments: &[&str]| {
        let mut command = cluster.command(arguments);
        command.env("SPARKIFY_WAREHOUSE", URL);
        super::ended(&mut command)
    };
    through(&["create-tables"]).good();
    cluster.stand_in.throttle_data_api(2);
    through(&ETL).good();
    cluster.assert_whole(1, 2);
    assert!(cluster.stand_in.log().statements().iter().any(|statement| statement.data_api));
    let title = "select song_title from songplays order by item_in_session desc limit 1";
    let out = through(&["query", "--format", "csv", title]).good();
    assert_eq!(out.lines().nth(1), Some("It's \\ two"));
    run(here, ETL.into_iter().chain(["--warehouse", "duckdb:same.duckdb"])).good();
    through(&["diff", "duckdb:same.duckdb", URL]).good();
    through(&["check"]).good();
    let calls = cluster.stand_in.data_api_calls();
    assert!(calls.iter().any(|call| call.contains("GetStatementResult")), "{calls:?}");
}

#[test]
fn a_workgroup_that_is_not_there_is_named() {
    let cluster = Cluster::with_data();
    let mut command = cluster.command(["check", "--warehouse", "redshift:workgroup/nobody/dev"]);
    let words = super::ended(&mut command).bad(2);
    assert!(words.contains("redshift:workgroup/nobody/dev") && words.contains("hint: "), "{words}");
}
