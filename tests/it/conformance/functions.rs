//! UDFs of every prelude: equal on every engine, and equal to results computed here.

use md5_of::md5_of;
use sparkify_warehouse::Value;
use time::{Duration, OffsetDateTime};

use super::{Engine, open};

mod md5_of {
    //! Surrogate key of a play, as the contract defines it.
    use md5::{Digest, Md5};

    pub(super) fn md5_of(text: &str) -> String {
        let digest: [u8; 16] = Md5::digest(text).into();
        uuid::Uuid::from_bytes(digest).hyphenated().to_string()
    }
}

/// Times in milliseconds: limits of the accepted range, of centuries, years and weeks, and some
/// between.
fn moments() -> Vec<i64> {
    let mut moments = vec![
        -62_135_596_800_000,
        -1,
        0,
        1,
        951_782_400_000,
        1_541_106_106_796,
        253_402_300_799_999,
    ];
    for year in [1, 100, 1583, 1900, 1969, 1970, 2000, 2004, 2018, 2020, 2021, 2026, 9999] {
        let january = time::Date::from_calendar_date(year, time::Month::January, 1).unwrap();
        for day in [-3, -1, 0, 1, 3, 58, 59, 60, 364] {
            let Some(day) = january.checked_add(Duration::days(day)) else { continue };
            let midnight = day.midnight().assume_utc().unix_timestamp() * 1000;
            moments.extend([midnight, midnight + 86_399_999, midnight + 12_345_678]);
        }
    }
    moments.retain(|moment| (-62_135_596_800_000..=253_402_300_799_999).contains(moment));
    moments
}

pub(crate) fn timestamps_have_the_parts_of_the_calendar(engine: &Engine) {
    let place = (engine.place)();
    let mut warehouse = open(&place.url());
    warehouse.install(true).unwrap();
    let moments = moments();
    let list: Vec<String> =
        moments.iter().map(|ms| format!("select cast({ms} as bigint) as ms")).collect();
    let sql = format!(
        "with given as ({}), made as (select ms, f_epoch_ms(ms) as moment from given)
         select ms, moment, f_ms(moment), cast(f_week(moment) as integer), cast(f_weekday(moment) as integer),
             cast(extract(year from moment) as integer), cast(extract(hour from moment) as integer)
         from made",
        list.join(" union all ")
    );
    let found = warehouse.query(&sql, &[], usize::MAX).unwrap().rows;
    assert_eq!(found.len(), moments.len());
    for row in found {
        let ms = row[0].as_i64().unwrap();
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap();
        let int = |value: i64| Value::Int(value.into());
        assert_eq!(row[1], Value::Timestamp(ms * 1000), "{moment}");
        assert_eq!(row[2], int(ms), "{moment}");
        assert_eq!(row[3], int(moment.iso_week().into()), "{moment}");
        assert_eq!(row[4], int(moment.weekday().number_days_from_sunday().into()), "{moment}");
        assert_eq!(row[5], int(moment.year().into()), "{moment}");
        assert_eq!(row[6], int(moment.hour().into()), "{moment}");
    }
}

pub(crate) fn rounding_is_the_same(engine: &Engine) {
    let place = (engine.place)();
    let mut warehouse = open(&place.url());
    warehouse.install(true).unwrap();
    for (call, expected) in [
        ("f_round(cast(0.125 as double precision))", Some(0.13)),
        ("f_round(cast(-0.125 as double precision))", Some(-0.12)),
        ("f_round(cast(2.675 as double precision))", Some(2.68)),
        ("f_round(cast(7 as bigint))", Some(7.0)),
        ("f_round(null)", None),
        ("f_percent(cast(1 as bigint), cast(3 as bigint))", Some(33.33)),
        ("f_percent(1, 8)", Some(12.5)),
        ("f_percent(cast(1 as bigint), cast(0 as bigint))", None),
        ("f_percent(null, 1)", None),
    ] {
        let found = warehouse.query(&format!("select {call} as value"), &[], 1).unwrap();
        let expected = expected.map_or(Value::Null, Value::Double);
        assert_eq!(found.scalar(), Some(&expected), "{call}");
    }
    for (one, other, expected) in
        [("1", "1", true), ("1", "2", false), ("null", "1", false), ("null", "null", true)]
    {
        let sql = format!("select f_same(cast({one} as bigint), cast({other} as bigint)) as same");
        let found = warehouse.query(&sql, &[], 1).unwrap();
        assert_eq!(found.scalar(), Some(&Value::Bool(expected)), "{one}, {other}");
    }
}

pub(crate) fn plays_have_the_same_surrogate_key(engine: &Engine) {
    let place = (engine.place)();
    let mut warehouse = open(&place.url());
    warehouse.install(true).unwrap();
    let (least, most) = (i64::MIN + 1, i64::MAX);
    for (session, item, ts, user) in [
        (583, 6, 1_541_121_934_796, Some(10)),
        (583, 6, 1_541_121_934_796, None),
        (0, 0, 0, Some(0)),
        (-1, -2, least, Some(least)),
        (most, 2_147_483_647, most, Some(most)),
    ] {
        let user_id = user.map_or("null".to_owned(), |user| user.to_string());
        let sql = format!(
            "select cast(f_songplay_id(cast({session} as bigint), cast({item} as integer), cast({ts} as bigint), cast({user_id} as bigint)) as varchar) as id"
        );
        let found = warehouse.query(&sql, &[], 1).unwrap();
        let identity = format!(
            "{session}|{item}|{ts}|{}",
            user.map_or(String::new(), |user| user.to_string())
        );
        assert_eq!(
            found.scalar().unwrap().as_text(),
            Some(md5_of(&identity).as_str()),
            "{identity}"
        );
    }
}
