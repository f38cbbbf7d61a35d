//! Values of every type, with their limits: read back unchanged, and sorted the same on every
//! engine.

use std::sync::{Arc, Mutex};

use sparkify_warehouse::{Batch, ColumnType, RowSource, Value};

use super::{Engine, open};

const TYPES: [ColumnType; 7] = [
    ColumnType::Integer,
    ColumnType::Integer,
    ColumnType::BigInt,
    ColumnType::Double,
    ColumnType::Text,
    ColumnType::Bytes,
    ColumnType::Timestamp,
];
const COLUMNS: [&str; 7] = ["place", "i", "l", "d", "t", "b", "m"];

/// Row source with fixed rows; it ends with an error if `breaks` is set.
pub(super) struct Given {
    types: Vec<ColumnType>,
    rows: Mutex<std::vec::IntoIter<Vec<Value>>>,
    breaks: bool,
}

impl Given {
    pub(super) fn new(types: &[ColumnType], rows: Vec<Vec<Value>>, breaks: bool) -> Arc<Self> {
        Arc::new(Self { types: types.to_vec(), rows: Mutex::new(rows.into_iter()), breaks })
    }
}

impl RowSource for Given {
    fn types(&self) -> Vec<ColumnType> {
        self.types.clone()
    }

    fn next(&self, batch: &mut Batch) -> Result<(), String> {
        let mut rows = self.rows.lock().unwrap();
        for row in rows.by_ref().take(2048) {
            for (column, value) in batch.columns.iter_mut().zip(row) {
                match value {
                    Value::Null => column.push_null(),
                    Value::Int(value) => column.push_int(i64::try_from(value).unwrap()),
                    Value::Timestamp(value) => column.push_int(value),
                    Value::Double(value) => column.push_double(value),
                    Value::Text(text) => column.push_bytes(text.as_bytes()),
                    Value::Bytes(bytes) => column.push_bytes(&bytes),
                    Value::Bool(_) => unreachable!("no column is of this type"),
                }
            }
        }
        if batch.is_empty() && self.breaks { Err("it broke off".into()) } else { Ok(()) }
    }
}

/// Returns the statement that creates the table of these tests.
pub(super) fn create(engine: &Engine) -> String {
    let super::Difference { bytes, text, .. } = engine.differences;
    format!(
        "create table kept (place integer, i integer, l bigint, d double precision, t varchar {text}, b {bytes}, m timestamp)"
    )
}

fn values(engine: &Engine) -> [Vec<Value>; 6] {
    let doubles = [
        0.0,
        -0.0,
        0.1,
        1.0 / 3.0,
        1e-7,
        5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        1_540_919_166_796.0,
        9_007_199_254_740_993.0,
        1e22,
    ];
    let texts = [
        "",
        " ",
        "a",
        "a ",
        "A",
        "é",
        "e\u{301}",
        "\u{1F600}",
        "\u{10FFFF}",
        "\u{1}",
        "'",
        "''",
        "\\",
        "\\n",
        "\\x00",
        "\"",
        "\n\t\r",
        "\\.",
        "\\N",
        "null",
        "$1",
        "--",
        "/*",
        ";",
        "%",
        "ß",
    ];
    let moments = [
        -62_135_596_800_000_000,
        -1,
        0,
        1,
        946_684_799_999_999,
        946_684_800_000_000,
        1_541_106_106_796_000,
        253_402_300_799_999_000,
    ];
    let bytes = [vec![], vec![0], (0..=255).collect(), b"\\x00".to_vec(), vec![0xff; 1 << 20]];
    let text = |text: &str| Value::Text(text.to_owned());
    [
        [i32::MIN, -1, 0, i32::MAX].map(|value| Value::Int(value.into())).to_vec(),
        [i64::MIN, -1, 0, 1 << 53, i64::MAX].map(|value| Value::Int(value.into())).to_vec(),
        doubles.map(Value::Double).to_vec(),
        texts
            .map(text)
            .into_iter()
            .chain([Value::Text("x".repeat(engine.differences.longest_text))])
            .collect(),
        bytes.map(Value::Bytes).to_vec(),
        moments.map(Value::Timestamp).to_vec(),
    ]
}

/// Returns one row per value of the longest list. Shorter lists are padded with nulls.
fn rows(engine: &Engine) -> Vec<Vec<Value>> {
    let values = values(engine);
    let most = values.iter().map(Vec::len).max().unwrap();
    let at = |list: &Vec<Value>, row: usize| list.get(row).cloned().unwrap_or(Value::Null);
    let row = |row: usize| {
        let place = Value::Int(i128::try_from(row).unwrap());
        [place].into_iter().chain(values.iter().map(|list| at(list, row))).collect()
    };
    (0..=most).map(row).collect()
}

/// Compares doubles bit by bit, as zero has two signs.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Double(one), Value::Double(other)) => one.to_bits() == other.to_bits(),
        (one, other) => one == other,
    }
}

pub(crate) fn values_are_read_back_unchanged(engine: &Engine) {
    let place = (engine.place)();
    let mut warehouse = open(&place.url());
    warehouse.install(true).unwrap();
    warehouse.execute(&create(engine)).unwrap();
    let rows = rows(engine);
    let loaded = warehouse.load("kept", Given::new(&TYPES, rows.clone(), false)).unwrap();
    assert_eq!(loaded, rows.len() as u64);
    let sql = format!("select {} from kept order by place", COLUMNS.join(", "));
    let found = warehouse.query(&sql, &[], usize::MAX).unwrap();
    assert_eq!(found.columns, COLUMNS);
    for (found, given) in found.rows.iter().zip(&rows) {
        for ((found, given), column) in found.iter().zip(given).zip(COLUMNS) {
            assert!(same(found, given), "{column}: {found:?}, not {given:?}");
        }
    }
    assert_eq!(found.rows.len(), rows.len());
    // The same values as parameters, cast to their types.
    for (column, kind) in
        COLUMNS.iter().zip(["integer", "integer", "bigint", "double precision", "varchar"]).skip(1)
    {
        // Without a length, varchar may be short.
        let length = Some(engine.differences.text).filter(|text| text.starts_with('('));
        let kind = format!("{kind}{}", length.filter(|_| kind == "varchar").unwrap_or_default());
        for row in rows.iter().filter(|row| row[0] != Value::Null) {
            let value = &row[COLUMNS.iter().position(|name| name == column).unwrap()];
            let back = warehouse.query(
                &format!("select cast($1 as {kind}) as back"),
                std::slice::from_ref(value),
                1,
            );
            let back = back.unwrap();
            assert!(same(back.scalar().unwrap(), value), "{column}: {back:?}, not {value:?}");
        }
    }
}

pub(crate) fn text_sorts_by_its_bytes(engine: &Engine) {
    let place = (engine.place)();
    let mut warehouse = open(&place.url());
    warehouse.install(true).unwrap();
    warehouse.execute(&create(engine)).unwrap();
    warehouse.load("kept", Given::new(&TYPES, rows(engine), false)).unwrap();
    let sql = "select t from kept where t is not null order by f_bytes(t)";
    let found = warehouse.query(sql, &[], usize::MAX).unwrap().rows;
    let found: Vec<&str> = found.iter().map(|row| row[0].as_text().unwrap()).collect();
    let mut sorted = found.clone();
    sorted.sort_unstable();
    assert_eq!(found, sorted);
    // Comparison, grouping and joins distinguish the texts.
    let count = "select count(distinct t) as texts, min(t) as first, max(t) as last, count(case when t = 'a' then 1 end) as a from kept";
    let row = &warehouse.query(count, &[], 1).unwrap().rows[0];
    // Two of the texts equal others except for a trailing blank.
    let (texts, alike) = (i64::try_from(sorted.len()).unwrap(), 2);
    let blanks_count = engine.differences.blanks_count;
    assert_eq!(row[0].as_i64(), Some(if blanks_count { texts } else { texts - alike }));
    assert_eq!(row[1].as_text().map(|text| text.trim_end_matches(' ')), Some(""));
    assert_eq!(row[2].as_text(), Some("\u{10FFFF}"));
    assert_eq!(row[3], Value::Int(if blanks_count { 1 } else { 2 }));
    let pairs = "select count(*) as pairs from kept as one join kept as other on other.t = one.t";
    let expected = if blanks_count { texts } else { texts + 2 * alike };
    assert_eq!(warehouse.query(pairs, &[], 1).unwrap().scalar().unwrap().as_i64(), Some(expected));
    let less = "select count(*) as less from kept where t < 'a'";
    let expected = sorted.iter().filter(|text| **text < "a").count();
    assert_eq!(
        warehouse.query(less, &[], 1).unwrap().scalar().unwrap().as_i64(),
        i64::try_from(expected).ok()
    );
}

pub(crate) fn nulls_sort_last(engine: &Engine) {
    let place = (engine.place)();
    let mut warehouse = open(&place.url());
    warehouse.execute("create table kept (k integer, v integer)").unwrap_or_else(|_| {
        warehouse.install(true).unwrap();
        warehouse.execute("create table kept (k integer, v integer)").unwrap()
    });
    warehouse.execute("insert into kept values (1, null), (2, 5), (3, 4)").unwrap();
    for (order, expected) in [
        ("v", "3 2 1"),
        ("v nulls last", "3 2 1"),
        ("v desc nulls last", "2 3 1"),
        ("v nulls first", "1 3 2"),
    ] {
        let found =
            warehouse.query(&format!("select k from kept order by {order}"), &[], 9).unwrap();
        let found: Vec<String> = found.rows.iter().map(|row| row[0].to_string()).collect();
        assert_eq!(found.join(" "), expected, "{order}");
    }
    let placed =
        "select k, row_number() over (order by v nulls last) as place from kept order by k";
    let found = warehouse.query(placed, &[], 9).unwrap();
    let found: Vec<String> = found.rows.iter().map(|row| row[1].to_string()).collect();
    assert_eq!(found.join(" "), "3 2 1");
}
