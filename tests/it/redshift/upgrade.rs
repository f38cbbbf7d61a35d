//! Upgrade of a warehouse on Redshift: over the Data API, with objects that the cluster copied
//! itself, and with keys that are declared already.

use sparkify_load::layout::{self, CURRENT};
use sparkify_warehouse::Access;

use super::{Cluster, ETL, ended};
use crate::data::repository;
use crate::old_warehouse::{UNDO_MIGRATIONS, catalog, restore};
use crate::support::open;

const DATA_API: &str = "redshift:workgroup/emulator/dev";
const UPGRADED: &str = "the warehouse was upgraded from layout 1 to 2\n";

#[test]
fn the_data_api_upgrades_in_one_transaction() {
    let cluster = Cluster::start();
    restore(&cluster.url(), cluster.folder.path());
    cluster.emulator.log().clear();
    let upgrade = ["upgrade", "--warehouse", DATA_API];
    assert_eq!(ended(&mut cluster.command(upgrade)).good(), UPGRADED);
    let sent = cluster.sent();
    let at = |text: &str| sent.iter().position(|it| it.starts_with(text)).expect(text);
    let order = [
        "begin",
        "lock table etl_lock",
        "create table etl_layout",
        "insert into etl_layout",
        "commit",
    ];
    assert!(order.map(at).is_sorted(), "{sent:#?}");
    assert_eq!(sent.iter().filter(|text| *text == "commit").count(), 1);
    assert_eq!(sent.iter().filter(|text| text.contains(" add primary key ")).count(), 5);
    cluster.run(["check"]).good();
    assert_eq!(cluster.emulator.data_api_sessions(), 0);
}

/// The ledger of version 0.1.0 knows the group of an object that the cluster copied.
#[test]
fn copied_objects_are_known_after_an_upgrade() {
    let cluster = Cluster::start();
    restore(&cluster.url(), cluster.folder.path());
    let log = |day: &str| {
        let name = format!("log_data/2018/11/2018-11-{day}-events.json");
        let bytes = std::fs::read(repository().join("tests/data/fixture").join(&name)).unwrap();
        cluster.store.put(&format!("data/{name}"), bytes);
    };
    let etl = || {
        let arguments = ["etl", "--output", "json", "--log-data", "s3://bucket/data/log_data"];
        let mut command = cluster.command(arguments);
        command.env_remove("SPARKIFY_STAGING");
        ended(&mut command).json()
    };
    log("08");
    let known = etl();
    assert_eq!((&known["objects_skipped"], &known["upgraded_from"]), (&1.into(), &1.into()));
    log("12");
    let next = etl();
    assert_eq!((&next["objects_read"], &next["objects_copied"]), (&1.into(), &1.into()));
    assert!(next["upgraded_from"].is_null());
    cluster.run(["check"]).good();
}

#[test]
fn declared_keys_are_not_declared_again() {
    let cluster = Cluster::with_data();
    cluster.run(ETL).good();
    let url = cluster.url();
    let mut warehouse = open(&url, Access::Write).unwrap();
    let fresh = catalog(warehouse.as_mut());
    warehouse.execute_all(&UNDO_MIGRATIONS.map(str::to_owned)).unwrap();
    cluster.emulator.log().clear();
    assert_eq!(cluster.run(["upgrade"]).good(), UPGRADED);
    assert!(!cluster.sent().iter().any(|text| text.contains(" add primary key ")));
    assert_eq!(layout::check(warehouse.as_mut()).unwrap(), Some(CURRENT.layout));
    // A column that was dropped and added has another number.
    let renumber = |line: String| line.replace("etl_objects|13|", "etl_objects|12|");
    let mut found: Vec<String> = catalog(warehouse.as_mut()).into_iter().map(renumber).collect();
    found.sort();
    assert_eq!(found, fresh);
}
