//! Transactions, failed loads, interrupted statements and read-only access.

use std::time::Duration;

use sparkify_warehouse::{Access, ColumnType, RowSink, Value, Warehouse, WarehouseError};

use super::types::Given;
use super::{Engine, open};
use crate::support::{self, run};

fn numbers(count: i128) -> Vec<Vec<Value>> {
    (0..count)
        .map(|number| vec![Value::Int(number), Value::Text(format!("number {number}"))])
        .collect()
}

const TYPES: [ColumnType; 2] = [ColumnType::BigInt, ColumnType::Text];

/// A warehouse with an empty table `kept`.
fn with_table(url: &str) -> Box<dyn Warehouse> {
    let mut warehouse = open(url);
    warehouse.install(true).unwrap();
    warehouse.execute("create table kept (n bigint, t varchar)").unwrap();
    warehouse
}

fn count(warehouse: &mut dyn Warehouse) -> i64 {
    let counted = warehouse.query("select count(*) as n from kept", &[], 1).unwrap();
    counted.scalar().unwrap().as_i64().unwrap()
}

pub(crate) fn transactions_are_atomic(engine: &Engine) {
    let place = (engine.place)();
    let mut warehouse = with_table(&place.url());
    for (end, rows) in [("rollback", 0), ("commit", 4)] {
        warehouse.execute("begin").unwrap();
        assert_eq!(warehouse.execute("insert into kept values (1, 'a'), (2, 'b')").unwrap(), 2);
        warehouse.execute("create table other (n bigint)").unwrap();
        let loaded = warehouse.load("kept", Given::new(&TYPES, numbers(3), false)).unwrap();
        assert_eq!((loaded, count(warehouse.as_mut())), (3, 5));
        assert_eq!(warehouse.execute("delete from kept where n = 0").unwrap(), 1);
        warehouse.execute(end).unwrap();
        assert_eq!(count(warehouse.as_mut()), rows, "{end}");
        assert_eq!(warehouse.query("select n from other", &[], 1).is_ok(), end == "commit");
    }
    // After a failed statement the transaction leaves nothing, and the connection still works.
    warehouse.execute("begin").unwrap();
    warehouse.execute("delete from kept").unwrap();
    let error = warehouse.execute("insert into kept values ('x', 1, 2)").unwrap_err();
    assert!(matches!(error, WarehouseError::Statement { .. }), "{error:?}");
    warehouse.execute("rollback").unwrap();
    assert_eq!(count(warehouse.as_mut()), 4);
}

pub(crate) fn a_failed_load_leaves_no_rows(engine: &Engine) {
    let place = (engine.place)();
    let mut warehouse = with_table(&place.url());
    for rows in [0, 5, 100_000] {
        warehouse.execute("begin").unwrap();
        let broken = warehouse.load("kept", Given::new(&TYPES, numbers(rows), true)).unwrap_err();
        assert!(broken.to_string().contains("it broke off"), "{broken}");
        warehouse.execute("rollback").unwrap();
        assert_eq!(count(warehouse.as_mut()), 0);
    }
    // Outside a transaction too.
    warehouse.load("kept", Given::new(&TYPES, numbers(70_000), true)).unwrap_err();
    assert_eq!(count(warehouse.as_mut()), 0);
    let unknown = warehouse.load("nowhere", Given::new(&TYPES, numbers(9), false)).unwrap_err();
    assert!(unknown.to_string().contains("nowhere"), "{unknown}");
    assert_eq!(warehouse.load("kept", Given::new(&TYPES, numbers(9), false)).unwrap(), 9);
}

pub(crate) fn many_batches_are_inserted_once(engine: &Engine) {
    let place = (engine.place)();
    let mut warehouse = with_table(&place.url());
    assert_eq!(warehouse.load("kept", Given::new(&TYPES, numbers(0), false)).unwrap(), 0);
    assert_eq!(
        warehouse.load("kept", Given::new(&TYPES, numbers(300_000), false)).unwrap(),
        300_000
    );
    let sums = "select count(*) as a, count(distinct n) as b, min(n) as c, max(n) as d, count(distinct t) as e from kept";
    let found = warehouse.query(sums, &[], 1).unwrap();
    assert_eq!(found.rows[0], [300_000, 300_000, 0, 299_999, 300_000].map(Value::Int));
}

/// Sink that fails at the third row.
struct Few(usize);

impl RowSink for Few {
    fn start(&mut self, _: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, _: Vec<Value>) -> Result<(), WarehouseError> {
        self.0 += 1;
        let enough = || WarehouseError::Sink(std::io::Error::other("enough"));
        if self.0 < 3 { Ok(()) } else { Err(enough()) }
    }
}

pub(crate) fn a_row_sink_can_end_a_query(engine: &Engine) {
    let place = (engine.place)();
    let mut warehouse = with_table(&place.url());
    warehouse.load("kept", Given::new(&TYPES, numbers(100_000), false)).unwrap();
    for _ in 0..3 {
        let mut few = Few(0);
        let ended = warehouse.query_each("select n, t from kept", &[], &mut few).unwrap_err();
        assert!(matches!(ended, WarehouseError::Sink(_)) && few.0 == 3, "{ended:?}");
        assert_eq!(count(warehouse.as_mut()), 100_000);
    }
}

pub(crate) fn a_statement_can_be_interrupted(engine: &Engine) {
    let place = (engine.place)();
    let mut warehouse = with_table(&place.url());
    warehouse.load("kept", Given::new(&TYPES, numbers(20_000), false)).unwrap();
    let stop = warehouse.interrupter().expect("it can be stopped");
    let (done, stopped) = std::sync::mpsc::channel();
    let interrupter = std::thread::spawn(move || {
        // Repeated, as the statement may not have started yet.
        while stopped.recv_timeout(Duration::from_millis(200)).is_err() {
            stop();
        }
        stop
    });
    let endless =
        "select sum(a.n * b.n + c.n) as s from kept as a cross join kept as b cross join kept as c";
    let ended = warehouse.query(endless, &[], 1).unwrap_err();
    done.send(()).unwrap();
    assert_eq!(ended.to_string(), "the statement was interrupted");
    let stop = interrupter.join().unwrap();
    assert_eq!(count(warehouse.as_mut()), 20_000);
    // Without a running statement it has no effect.
    stop();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(count(warehouse.as_mut()), 20_000);
}

pub(crate) fn a_read_only_connection_cannot_write(engine: &Engine) {
    let place = (engine.place)();
    let url = place.url();
    let mut warehouse = with_table(&url);
    warehouse.load("kept", Given::new(&TYPES, numbers(3), false)).unwrap();
    if !engine.differences.shared {
        drop(warehouse);
    }
    for access in [Access::Read, Access::Guarded] {
        let mut reader = support::open(&url, access).unwrap();
        assert_eq!(count(reader.as_mut()), 3);
        for statement in [
            "insert into kept values (9, 'x')",
            "delete from kept",
            "drop table kept",
            "create table other (n bigint)",
        ] {
            let mut reader = support::open(&url, access).unwrap();
            assert!(reader.query(statement, &[], 1).is_err(), "{access:?}: {statement}");
            assert!(reader.execute(statement).is_err(), "{access:?}: {statement}");
        }
        drop(reader);
        let mut reader = support::open(&url, access).unwrap();
        assert_eq!(count(reader.as_mut()), 3);
    }
    let folder = tempfile::tempdir().unwrap();
    let message = run(folder.path(), ["query", "delete from kept", "--warehouse", &url]).bad(2);
    assert!(message.contains("open read-only"), "{message}");
}
