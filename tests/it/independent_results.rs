//! Independent results of saved queries: computed with maps and loops from the rows of the oracle,
//! and compared with those of the SQL.

use std::collections::{BTreeMap, BTreeSet};

use sparkify_analytics::report::{Arguments, SavedQuery};
use sparkify_warehouse::{Value, Warehouse};

use crate::data::{DataSet, on_each_data_set};
use crate::oracle::{self, cell::NULL};
use crate::support::{duckdb, load, run};

/// One play, as text of the oracle.
struct Play {
    start: String,
    user: String,
    level: String,
    song_id: String,
    session: String,
    user_agent: String,
    location: String,
    title: String,
    artist: String,
    length: Option<f64>,
    hour: usize,
    weekday: usize,
}

impl Play {
    fn day(&self) -> &str {
        &self.start[..10]
    }

    fn seconds(&self) -> f64 {
        self.length.unwrap_or_default()
    }

    fn visit(&self) -> (&str, &str) {
        (&self.session, &self.user)
    }
}

type Tables = BTreeMap<&'static str, Vec<Vec<String>>>;

fn plays(tables: &Tables) -> Vec<Play> {
    let moments: BTreeMap<&str, &Vec<String>> =
        tables["time"].iter().map(|row| (row[0].as_str(), row)).collect();
    let play = |row: &Vec<String>| {
        let moment = moments[row[1].as_str()];
        Play {
            start: row[1].clone(),
            user: row[2].clone(),
            level: row[3].clone(),
            song_id: row[4].clone(),
            session: row[6].clone(),
            location: row[7].clone(),
            user_agent: row[8].clone(),
            title: row[10].clone(),
            artist: row[11].clone(),
            length: row[12].parse().ok(),
            hour: moment[1].parse().unwrap(),
            weekday: moment[6].parse().unwrap(),
        }
    };
    tables["songplays"].iter().map(play).collect()
}

/// Totals of a group of plays.
#[derive(Default)]
struct Group<'a> {
    plays: usize,
    listeners: BTreeSet<&'a str>,
    visits: BTreeSet<(&'a str, &'a str)>,
    seconds: f64,
    matched: usize,
}

fn grouped<'a, K: Ord>(plays: &'a [Play], key: impl Fn(&'a Play) -> K) -> BTreeMap<K, Group<'a>> {
    let mut groups: BTreeMap<K, Group<'a>> = BTreeMap::new();
    for play in plays {
        let group = groups.entry(key(play)).or_default();
        group.plays += 1;
        if play.user != NULL {
            group.listeners.insert(&play.user);
        }
        group.visits.insert(play.visit());
        group.seconds += play.seconds();
        group.matched += usize::from(play.song_id != NULL);
    }
    groups
}

fn two_places(value: f64) -> String {
    format!("{:?}", (value * 100.0 + 0.5).floor() / 100.0)
}

fn percent(part: usize, whole: usize) -> String {
    two_places(part as f64 / whole as f64 * 100.0)
}

fn result(warehouse: &mut dyn Warehouse, name: &str, arguments: &Arguments) -> Vec<String> {
    let query = SavedQuery::find(name).unwrap();
    let values = query.values(arguments).unwrap();
    let rows = query.run(warehouse, &values).unwrap().rows;
    let cell = |value: &Value| match value {
        Value::Null => NULL.to_owned(),
        value => value.to_string(),
    };
    rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|")).collect()
}

fn all() -> Arguments {
    Arguments { limit: Some(u64::MAX), ..Arguments::default() }
}

fn by(what: &str) -> Arguments {
    Arguments { by: Some(what.into()), ..Arguments::default() }
}

/// Compares the results of all saved queries that are computed here, and prints their number.
fn compare(warehouse: &mut dyn Warehouse, tables: &Tables) {
    let plays = plays(tables);
    let plain = Arguments::default();
    let mut check = |name: &str, arguments: &Arguments, expected: Vec<String>| {
        assert_eq!(result(warehouse, name, arguments), expected, "{name}");
    };
    check("plays_by_day", &plain, by_day(&plays));
    check("hour_by_weekday", &plain, grid(&plays));
    check("plays_by_hour", &plain, by_hour(&plays));
    check("top_songs", &all(), top_songs(&plays));
    check("sessions", &plain, sessions(&plays));
    check("session_lengths", &plain, session_lengths(&plays));
    check("free_and_paid", &by("month"), free_and_paid(&plays));
    check("new_and_returning", &plain, new_and_returning(&plays));
    check("plays_by_level", &plain, shares(&plays, |play| play.level.clone()));
    check("browsers", &plain, shares(&plays, browser));
    check("states", &all(), shares(&plays, state));
    check("upgrades", &all(), upgrades(tables));
}

fn by_day(plays: &[Play]) -> Vec<String> {
    let line = |(day, group): (&str, Group)| {
        let (plays, listeners, visits) = (group.plays, group.listeners.len(), group.visits.len());
        format!("{day}|{plays}|{listeners}|{visits}|{}", two_places(group.seconds / 3600.0))
    };
    grouped(plays, Play::day).into_iter().map(line).collect()
}

fn grid(plays: &[Play]) -> Vec<String> {
    let found = grouped(plays, |play| (play.weekday, play.hour));
    let count = |at| found.get(&at).map_or(0, |group| group.plays);
    let cells = (0..7).flat_map(|weekday| (0..24).map(move |hour| (weekday, hour)));
    cells.map(|(weekday, hour)| format!("{weekday}|{hour}|{}", count((weekday, hour)))).collect()
}

fn by_hour(plays: &[Play]) -> Vec<String> {
    let found = grouped(plays, |play| play.hour);
    let count =
        |hour| found.get(&hour).map_or((0, 0), |group| (group.plays, group.listeners.len()));
    (0..24).map(|hour| (hour, count(hour))).map(|(h, (p, l))| format!("{h}|{p}|{l}")).collect()
}

fn top_songs(plays: &[Play]) -> Vec<String> {
    let songs = grouped(plays, |play| (play.title.as_str(), play.artist.as_str()));
    let mut songs: Vec<_> = songs.into_iter().filter(|((title, _), _)| *title != NULL).collect();
    // Nulls sort last.
    let place = |name: &str| (name == NULL, name.to_owned());
    songs.sort_by_key(|((title, artist), group)| {
        (std::cmp::Reverse(group.plays), title.to_string(), place(artist))
    });
    let line = |((title, artist), group): ((&str, &str), Group)| {
        let hours = two_places(group.seconds / 3600.0);
        let (plays, listeners) = (group.plays, group.listeners.len());
        format!("{title}|{artist}|{plays}|{listeners}|{hours}|{}", group.matched)
    };
    songs.into_iter().map(line).collect()
}

/// Returns the plays and minutes of each session of a user.
fn visits(plays: &[Play]) -> BTreeMap<(&str, &str), (usize, f64)> {
    let ms = |play: &Play| {
        let text = play.start.replace(' ', "T");
        let (whole, fraction) = text.split_once('.').unwrap();
        let seconds = crate::support::seconds_of(whole);
        seconds as f64 * 1000.0 + fraction[..3].parse::<f64>().unwrap()
    };
    let mut spans: BTreeMap<(&str, &str), (usize, f64, f64)> = BTreeMap::new();
    for play in plays {
        let (begins, ends) = (ms(play), ms(play) + play.seconds() * 1000.0);
        let span = spans.entry(play.visit()).or_insert((0, begins, ends));
        *span = (span.0 + 1, span.1.min(begins), span.2.max(ends));
    }
    spans.into_iter().map(|(visit, (n, from, to))| (visit, (n, (to - from) / 60_000.0))).collect()
}

fn sessions(plays: &[Play]) -> Vec<String> {
    let visits = visits(plays);
    let count = visits.len() as f64;
    let minutes: f64 = visits.values().map(|(_, minutes)| minutes).sum();
    let longest = visits.values().map(|(_, minutes)| *minutes).fold(f64::MIN, f64::max);
    let most = visits.values().map(|(plays, _)| plays).max().unwrap();
    let users: BTreeSet<&str> =
        visits.keys().map(|(_, user)| *user).filter(|u| *u != NULL).collect();
    let of_users = visits.keys().filter(|(_, user)| *user != NULL).count();
    vec![format!(
        "{}|{}|{}|{}|{most}|{}|{}|{}",
        visits.len(),
        users.len(),
        plays.len(),
        two_places(plays.len() as f64 / count),
        two_places(minutes / count),
        two_places(longest),
        two_places(of_users as f64 / users.len() as f64),
    )]
}

fn session_lengths(plays: &[Play]) -> Vec<String> {
    let visits = visits(plays);
    let bounds = [(1, 1), (2, 5), (6, 10), (11, 20), (21, 50), (51, 100), (101, usize::MAX)];
    let line = |(from, to): (usize, usize)| {
        let inside: Vec<_> = visits.values().filter(|(n, _)| (from..=to).contains(n)).collect();
        let minutes: f64 = inside.iter().map(|(_, minutes)| minutes).sum();
        let mean = match inside.len() {
            0 => NULL.to_owned(),
            count => two_places(minutes / count as f64),
        };
        let plays: usize = inside.iter().map(|(plays, _)| plays).sum();
        let to = if to == usize::MAX { NULL.to_owned() } else { to.to_string() };
        format!(
            "{from}|{to}|{}|{}|{plays}|{mean}",
            inside.len(),
            percent(inside.len(), visits.len())
        )
    };
    bounds.into_iter().map(line).collect()
}

fn free_and_paid(plays: &[Play]) -> Vec<String> {
    let months: BTreeSet<&str> = plays
        .iter()
        .filter(|play| ["free", "paid"].contains(&play.level.as_str()))
        .map(|play| &play.start[..7])
        .collect();
    let line = |month: &str| {
        let at = |level: &str| -> Vec<&Play> {
            plays.iter().filter(|play| &play.start[..7] == month && play.level == level).collect()
        };
        let users = |plays: &[&Play]| -> BTreeSet<String> {
            plays.iter().map(|play| play.user.clone()).filter(|user| user != NULL).collect()
        };
        let (free, paid) = (at("free"), at("paid"));
        let (free_users, paid_users) = (users(&free), users(&paid));
        let either = free_users.union(&paid_users).count();
        format!(
            "{month}-01|{}|{}|{}|{}|{}|{}",
            free.len(),
            paid.len(),
            free_users.len(),
            paid_users.len(),
            percent(paid.len(), free.len() + paid.len()),
            percent(paid_users.len(), either)
        )
    };
    months.into_iter().map(line).collect()
}

fn new_and_returning(plays: &[Play]) -> Vec<String> {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let mut lines = Vec::new();
    for (day, group) in grouped(plays, Play::day) {
        let listeners = group.listeners.len();
        if listeners > 0 {
            let new = group.listeners.difference(&known).count();
            let (back, share) = (listeners - new, percent(new, listeners));
            lines.push(format!("{day}|{listeners}|{new}|{back}|{share}"));
        }
        known.extend(group.listeners);
    }
    lines
}

/// Returns plays, listeners, hours and share of each group, the largest first.
fn shares(plays: &[Play], key: impl Fn(&Play) -> String) -> Vec<String> {
    let mut groups: Vec<_> = grouped(plays, key).into_iter().collect();
    groups.sort_by_key(|(key, group)| (std::cmp::Reverse(group.plays), key == NULL, key.clone()));
    let line = |(key, group): (String, Group)| {
        let hours = two_places(group.seconds / 3600.0);
        let share = percent(group.plays, plays.len());
        format!("{key}|{}|{}|{hours}|{share}", group.plays, group.listeners.len())
    };
    groups.into_iter().map(line).collect()
}

fn browser(play: &Play) -> String {
    let families: [(&str, &[&str]); 6] = [
        ("Edge", &["Edge/", "Edg/"]),
        ("Opera", &["OPR/", "Opera"]),
        ("Internet Explorer", &["MSIE ", "Trident/"]),
        ("Firefox", &["Firefox/", "FxiOS/"]),
        ("Chrome", &["Chrome/", "CriOS/", "Chromium/"]),
        ("Safari", &["Safari/"]),
    ];
    if play.user_agent == NULL || play.user_agent.is_empty() {
        return NULL.into();
    }
    let says = |marks: &[&str]| marks.iter().any(|mark| play.user_agent.contains(mark));
    families.iter().find(|(_, marks)| says(marks)).map_or("other", |(name, _)| name).into()
}

fn state(play: &Play) -> String {
    let state = play.location.split(", ").nth(1).and_then(|states| states.split('-').next());
    state.filter(|state| !state.is_empty()).unwrap_or(NULL).to_owned()
}

fn upgrades(tables: &Tables) -> Vec<String> {
    let mut spans: Vec<&Vec<String>> = tables["user_levels"].iter().collect();
    spans.sort_by_key(|row| (row[0].parse::<i64>().unwrap(), row[2].clone(), row[3].clone()));
    let users: BTreeMap<&str, &Vec<String>> =
        tables["users"].iter().map(|row| (row[0].as_str(), row)).collect();
    let seconds = |moment: &str| {
        let (whole, fraction) = moment.split_once('.').unwrap();
        let whole = crate::support::seconds_of(&whole.replace(' ', "T")) as f64;
        whole + fraction.parse::<f64>().unwrap() / 1000.0
    };
    let mut found = Vec::new();
    for pair in spans.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        if before[0] == after[0] && before[1] == "free" && after[1] == "paid" {
            let user = users[after[0].as_str()];
            let days = two_places((seconds(&after[2]) - seconds(&before[2])) / 86_400.0);
            let id: i64 = after[0].parse().unwrap();
            let names = format!("{}|{}", user[1], user[2]);
            let line = format!("{}|{id}|{names}|{days}|{}", after[2], user[4]);
            found.push((std::cmp::Reverse(after[2].clone()), id, line));
        }
    }
    found.sort();
    found.into_iter().map(|(_, _, line)| line).collect()
}

on_each_data_set!(saved_queries_equal_the_independent_results);

fn saved_queries_equal_the_independent_results(data: &DataSet) {
    let expected = oracle::expected_in(&data.folder());
    let mut warehouse = duckdb(":memory:");
    load(warehouse.as_mut(), &data.folder(), 0.0).unwrap();
    compare(warehouse.as_mut(), &expected.tables);
}

#[test]
fn saved_queries_equal_the_independent_results_on_awkward_input() {
    let folder = tempfile::tempdir().unwrap();
    let size = ["--songs", "400", "--events", "20000", "--days", "40", "--users", "150"];
    run(folder.path(), ["generate", "data", "--awkward", "--seed", "5"].iter().chain(&size)).good();
    let data = folder.path().join("data");
    let expected = oracle::expected_in(&data);
    let mut warehouse = duckdb(":memory:");
    load(warehouse.as_mut(), &data, 0.5).unwrap();
    compare(warehouse.as_mut(), &expected.tables);
}
