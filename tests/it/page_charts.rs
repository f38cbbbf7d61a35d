//! Charts of the report page for data of different spans: grain, ticks, units, changes, retention,
//! and cards that hold their values.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::page::{assert_fits, grouped, small};
use crate::support::{event, put, run};

/// Monday, 1 January 2018, in milliseconds.
const MONDAY: u64 = 1_514_764_800_000;
const DAY: u64 = 86_400_000;

/// One play of a user.
fn play(user: u64, session: u32, item: u32, ts: u64) -> String {
    let event = event(session, item, ts, "NextSong", "One");
    event.replace("\"userId\":\"7\"", &format!("\"userId\":\"{user}\""))
}

/// Loads events and writes the report.
fn report(here: &Path, events: &str) -> PathBuf {
    put(here, "data/log_data/e.json", events);
    run(here, ["etl", "--log-data", "data/log_data", "-q"]).good();
    run(here, ["report", "-q"]).good();
    here.join("report.html").canonicalize().unwrap()
}

/// Texts of the tick labels of an axis of a chart.
fn ticks(browser: &Browser, chart: &str, axis: &str) -> Vec<String> {
    let script = format!(
        "return [...document.querySelectorAll('figure[data-chart={chart}] [aria-label=\"{axis}-axis tick label\"] text')].map((it) => [...it.querySelectorAll('tspan')].map((it) => it.textContent).join(' ') || it.textContent)"
    );
    let found = browser.run(&script);
    found.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// Asserts that each label of a time axis is below the middle of a bar, and none beyond the bars.
fn assert_labels_are_below_bars(browser: &Browser, chart: &str) {
    let off = browser.run(&format!(
        "const figure = document.querySelector('figure[data-chart={chart}]');
         const middle = (node) => {{ const box = node.getBoundingClientRect(); return box.x + box.width / 2; }};
         const bars = [...figure.querySelectorAll('[aria-label=rect] rect')].map(middle);
         const labels = [...figure.querySelectorAll('[aria-label=\"x-axis tick label\"] text')];
         if (labels.length < 2) return ['too few labels'];
         return labels.filter((it) => !bars.some((bar) => Math.abs(bar - middle(it)) < 1.5)).map((it) => it.textContent)"
    ));
    assert_eq!(off, json!([]), "{chart}: labels that are not below a bar");
}

/// Asserts that the value of each card fits into it.
fn assert_cards_hold_their_values(browser: &Browser) {
    let out = browser.run(
        "return [...document.querySelectorAll('#headline > div')].filter((card) => {
             const range = document.createRange();
             range.selectNodeContents(card.querySelector('.value'));
             return range.getBoundingClientRect().right > card.getBoundingClientRect().right - 4;
         }).map((card) => card.textContent)",
    );
    assert_eq!(out, json!([]), "values that leave their card");
}

#[test]
fn ten_years_of_data_have_months_and_the_newest_cohorts() {
    let folder = tempfile::tempdir().unwrap();
    // Each week has a new user, who comes back in the week after; 165,000 hours in all.
    let weeks = 0..520_u32;
    let events: String = weeks
        .flat_map(|week| {
            let start = MONDAY + u64::from(week) * 7 * DAY;
            (0..14).map(move |item| {
                let ts = start + u64::from(item) * DAY / 2 + u64::from(week);
                let user = u64::from(week) + 1 - u64::from(item % 2 == 1 && week > 0);
                play(user, week, item, ts).replace("200.5", "81591.5")
            })
        })
        .collect();
    let page = report(folder.path(), &events);
    let browser = Browser::start();
    browser.open_file(&page);
    let grains = browser.run("return [...document.querySelectorAll('figure[data-chart=plays] .segments label')].map((it) => it.textContent)");
    assert_eq!(grains, json!(["Month", "Quarter"]));
    let bars = "return document.querySelectorAll('figure[data-chart=plays] [aria-label=rect] rect').length";
    assert_eq!(browser.run(bars), 120);
    assert_labels_are_below_bars(&browser, "plays");
    let labels = ticks(&browser, "plays", "x");
    assert_eq!(labels[labels.len() - 2..], ["Jan 2027", "Jul"]);
    let hours = run(folder.path(), ["query", "overview", "--format", "json", "-q"]).json();
    assert_eq!(hours[0]["hours"], 164_996.14);
    let cards = browser.text("return document.getElementById('headline').innerText");
    assert!(cards.contains("164,996 h"), "{cards}");
    assert_cards_hold_their_values(&browser);

    let cohorts = ticks(&browser, "retention", "y");
    assert_eq!(cohorts.len(), 12);
    assert!(cohorts[11].contains("2027"), "{cohorts:?}");
    // The first week, always 100 %, has the number of users and no colour.
    let cells = browser.run("return [...document.querySelectorAll('figure[data-chart=retention] [aria-label=cell]')].map((it) => it.querySelectorAll('rect').length)");
    assert_eq!(cells[0], 66, "cells of 12 cohorts after their first weeks");
    assert_fits(&browser, 320);
    assert_cards_hold_their_values(&browser);
}

#[test]
fn small_data_has_whole_ticks_and_24_hours() {
    let folder = tempfile::tempdir().unwrap();
    let events: String =
        (0..3).map(|day| play(7, 1, day, MONDAY + u64::from(day) * DAY + 15 * DAY / 24)).collect();
    let page = report(folder.path(), &events);
    let browser = Browser::start();
    browser.open_file(&page);
    assert_eq!(ticks(&browser, "plays", "y"), ["0", "1"]);
    assert_eq!(ticks(&browser, "plays", "x"), ["1 Jan 2018", "2 Jan", "3 Jan"]);
    assert_labels_are_below_bars(&browser, "plays");
    assert_eq!(ticks(&browser, "byHour", "x"), ["00:00", "06:00", "12:00", "18:00"]);
    assert_eq!(ticks(&browser, "hourByWeekday", "x")[5], "15:00");
    let text = browser.text("return document.body.textContent");
    assert!(!text.contains(" PM") && !text.contains(" AM"), "{text}");
    let decades = browser
        .text("return document.querySelector('figure[data-chart=decades] .holder').innerText");
    assert!(decades.contains("Load more song files"), "{decades}");
}

#[test]
fn every_chart_has_a_unit_and_decades_show_their_coverage() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    run(folder.path(), ["report", "-q"]).good();
    let browser = Browser::start();
    browser.open_file(&folder.path().join("report.html").canonicalize().unwrap());
    let without = browser.run(
        "return [...document.querySelectorAll('figure[data-chart]')].filter((it) => it.querySelector('svg.plot') && !it.querySelector('.legend > .soft')?.textContent).map((it) => it.dataset.chart)",
    );
    assert_eq!(without, json!([]), "charts without a unit");
    let decades = run(folder.path(), ["query", "songs_by_decade", "--format", "json", "-q"]).json();
    let plays = |known: bool| -> u64 {
        let rows = decades.as_array().unwrap().iter();
        let rows = rows.filter(|row| !known || row["decade"] != Value::Null);
        rows.map(|row| row["plays"].as_u64().unwrap()).sum()
    };
    let unit = browser
        .text("return document.querySelector('figure[data-chart=decades] .legend').textContent");
    let expected = format!("known: {} of {} plays", grouped(plays(true)), grouped(plays(false)));
    assert!(unit.contains(&expected), "{unit} lacks {expected}");
}

#[test]
fn cards_compare_the_last_complete_week_with_the_week_before() {
    let folder = tempfile::tempdir().unwrap();
    // 4 plays, then 6 of two users, then a week that is not complete.
    let of_week = |week: u64, plays: u32| {
        (0..plays).map(move |item| {
            let ts = MONDAY + week * 7 * DAY + u64::from(item) * DAY;
            play(u64::from(item % 2) * week, u32::try_from(week).unwrap(), item, ts)
        })
    };
    let events: String = of_week(0, 4).chain(of_week(1, 6)).chain(of_week(2, 2)).collect();
    let page = report(folder.path(), &events);
    let browser = Browser::start();
    browser.open_file(&page);
    let cards = "return [...document.querySelectorAll('#headline .change')].map((it) => [it.textContent, it.title])";
    let cards = browser.run(cards);
    assert_eq!(cards[0][0], "+50 %");
    assert_eq!(cards[0][1], "Week from 1 Jan 2018: 4; Week from 8 Jan 2018: 6");
    assert_eq!(cards[1][0], "+100 %");
    let compared = browser.text("return document.getElementById('compared').textContent");
    assert!(compared.contains("last complete week (from 8 Jan 2018)"), "{compared}");
}

#[test]
fn a_week_without_any_plays_counts_as_zero_in_retention() {
    let folder = tempfile::tempdir().unwrap();
    let events: String =
        [0, 2].map(|week| play(7, week, 0, MONDAY + u64::from(week) * 7 * DAY)).concat();
    let page = report(folder.path(), &events);
    let rows = run(folder.path(), ["query", "retention", "--format", "csv", "-q"]).good();
    assert_eq!(
        rows.lines().skip(1).collect::<Vec<_>>(),
        ["2018-01-01,0,1,1,100.0,1", "2018-01-01,2,1,1,100.0,0"]
    );
    let browser = Browser::start();
    browser.open_file(&page);
    let shown = browser.run("return [...document.querySelectorAll('figure[data-chart=retention] .on-heat text')].map((it) => it.textContent)");
    assert_eq!(shown, json!(["0 %", "100 %"]));
}

#[test]
fn an_empty_report_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), ["create-tables", "-q"]).good();
    run(folder.path(), ["report", "-q"]).good();
    let browser = Browser::start();
    browser.open_file(&folder.path().join("report.html").canonicalize().unwrap());
    let text = browser.text("return document.getElementById('empty').innerText");
    assert!(text.contains("sparkify etl --log-data FOLDER --song-data FOLDER"), "{text}");
    // The commands for a sample work as they are written.
    let commands = browser.run("return [...document.querySelectorAll('#empty p:last-child code')].map((it) => it.textContent)");
    for command in commands.as_array().unwrap() {
        run(folder.path(), command.as_str().unwrap().split(' ').skip(1)).good();
    }
    run(folder.path(), ["report", "--since", "2030-01-01", "-q"]).good();
    browser.open_file(&folder.path().join("report.html").canonicalize().unwrap());
    let text = browser.text("return document.getElementById('empty').innerText");
    assert!(text.contains("Plays run from") && text.contains("--since"), "{text}");
}
