//! Report page in a browser, opened from disk: content, accessibility, layout, and no external
//! requests.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::data::{DataSet, on_each_data_set};
use crate::support::{etl_of, put, run};

/// Loads a small sample: 40 users, two levels, 24 days.
pub(crate) fn small(here: &Path) {
    let sample =
        ["generate", "data", "--songs", "60", "--events", "3000", "--days", "24", "--users", "40"];
    run(here, sample.into_iter().chain(["--quiet"])).good();
    let etl = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data", "--quiet"];
    run(here, etl).good();
}

fn report(here: &Path) -> PathBuf {
    run(here, ["report"]).good();
    here.join("report.html").canonicalize().unwrap()
}

/// Script for the names of the figures, in order.
const FIGURES: &str = "return [...document.querySelectorAll('figure[data-chart]:not([hidden])')].map((it) => it.dataset.chart)";

/// Asserts that the console has no messages, and that only the page and `allowed` addresses were
/// requested.
pub(crate) fn assert_quiet(browser: &Browser, allowed: &[&str]) {
    assert_eq!(browser.console_messages(), Vec::<String>::new());
    let requests = browser.requests();
    // The start page of the browser comes from the browser itself.
    let foreign: Vec<_> = requests
        .iter()
        .filter(|url| {
            !url.starts_with("chrome://") && !allowed.iter().any(|start| url.starts_with(start))
        })
        .collect();
    assert!(foreign.is_empty(), "external requests: {foreign:?}");
    assert!(
        requests.iter().any(|url| url.starts_with(allowed[0])),
        "the page is not in the log of requests"
    );
}

#[test]
fn every_figure_is_drawn_offline_and_downloads_the_csv_of_its_saved_query() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let page = report(folder.path());
    let browser = Browser::start();
    browser.open_file(&page);
    let figures = browser.run(FIGURES);
    assert_eq!(figures.as_array().unwrap().len(), 23);
    let empty = browser.run(
        "return [...document.querySelectorAll('figure[data-chart]:not([hidden])')].filter((it) => {
             const marks = it.querySelectorAll('svg.plot :is(rect, path, text)').length;
             return !(marks > 5 || it.querySelectorAll('dl.facts dd').length > 3);
         }).map((it) => it.dataset.chart)",
    );
    assert_eq!(empty, json!([]), "figures without a drawing");

    // Each view of each figure, and the file that it downloads.
    let files = browser.run(
        "window.saved = [];
         const made = URL.createObjectURL;
         URL.createObjectURL = (blob) => { window.saved.push(blob.text()); return made.call(URL, blob); };
         HTMLAnchorElement.prototype.click = function () { window.saved.push(this.download); };
         const commands = [];
         for (const figure of document.querySelectorAll('figure[data-chart]:not([hidden])')) {
             const inputs = [...figure.querySelectorAll('.segments input')];
             for (const input of inputs.length ? inputs : [null]) {
                 input?.click();
                 figure.querySelector('.csv').click();
                 for (const details of figure.querySelectorAll('details')) { details.open = true; details.dispatchEvent(new Event('toggle')); }
                 const sql = figure.querySelectorAll('details')[1];
                 commands.push([sql.querySelector('p code').textContent, figure.querySelector('tbody').rows.length]);
             }
         }
         return Promise.all(window.saved).then((saved) => commands.map((it, index) => [...it, saved[index * 2], saved[index * 2 + 1]]))",
    );
    let files = files.as_array().unwrap();
    assert_eq!(files.len(), 34, "{files:#?}");
    for file in files {
        let command = file[0].as_str().unwrap();
        let arguments = command.split(' ').skip(1).chain(["--format", "csv", "--quiet"]);
        let expected = run(folder.path(), arguments).good();
        assert_eq!(file[2].as_str().unwrap(), expected, "{command}");
        let rows = u64::try_from(expected.lines().count() - 1).unwrap();
        assert_eq!(file[1].as_u64(), Some(rows), "{command}: rows of the table");
        assert_eq!(Path::new(file[3].as_str().unwrap()).extension().unwrap(), "csv");
    }
    assert_quiet(&browser, &["file:", "data:", "blob:"]);
}

#[test]
fn a_csv_is_downloaded_and_sql_is_copied() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let page = report(folder.path());
    let browser = Browser::start();
    let saved = folder.path().join("saved");
    let behaviour = json!({ "behavior": "allow", "downloadPath": saved });
    browser.chrome("Browser.setDownloadBehavior", &behaviour);
    browser.open_file(&page);
    browser.click("figure[data-chart=topSongs] .csv");
    let expected = run(folder.path(), ["query", "top_songs", "--format", "csv", "-q"]).good();
    let found = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        std::fs::read_to_string(saved.join("top_songs.csv")).ok().filter(|it| !it.is_empty())
    });
    assert_eq!(found.as_deref(), Some(expected.as_str()));

    browser.click("figure[data-chart=topSongs] details:nth-of-type(2) summary");
    browser.wait("return document.querySelector('figure[data-chart=topSongs] pre') !== null");
    browser.click("figure[data-chart=topSongs] details .opened button");
    browser.wait("return document.getElementById('said').textContent === 'Copied'");
    let sql = browser
        .text("return document.querySelector('figure[data-chart=topSongs] pre').textContent");
    let expected = run(folder.path(), ["sql", "top_songs"]).good();
    assert!(expected.contains(sql.trim().trim_end_matches(';')), "{sql}");
}

#[test]
fn the_pointer_and_the_keyboard_show_exact_values() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let page = report(folder.path());
    let browser = Browser::start();
    browser.open_file(&page);
    let hours = run(folder.path(), ["query", "plays_by_hour", "--format", "json", "-q"]).json();
    let tip =
        "return document.querySelector('figure[data-chart=byHour] [aria-label=tip]').textContent";
    browser.hover("figure[data-chart=byHour] g.stops > :nth-child(17)");
    let shown = browser.wait(tip);
    let expected = format!("{} plays", hours[16]["plays"]);
    assert!(shown.as_str().unwrap().contains(&expected), "{shown} lacks {expected}");

    browser.run("document.querySelector('figure[data-chart=byHour] .holder').focus()");
    browser.keys("\u{e014}\u{e014}\u{e014}");
    let announced = browser.text("return document.getElementById('said').textContent");
    assert!(
        announced.starts_with(&format!("02:00 to 03:00 UTC, {} plays", hours[2]["plays"])),
        "{announced}"
    );
    let shown = browser.text(tip);
    assert!(shown.contains("02:00 to 03:00"), "{shown}");
    assert_quiet(&browser, &["file:", "data:"]);
}

#[test]
fn colours_follow_the_system_or_the_last_choice() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let page = report(folder.path());
    let browser = Browser::start();
    let background = "return getComputedStyle(document.body).backgroundColor";
    let system = |scheme: &str| {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.chrome("Emulation.setEmulatedMedia", &json!({ "features": features }));
    };
    browser.open_file(&page);
    system("light");
    let light = browser.text(background);
    system("dark");
    let dark = browser.text(background);
    assert_ne!(light, dark);
    let bar_fill = "return getComputedStyle(document.querySelector('figure[data-chart=byHour] svg rect')).fill";
    let dark_fill = browser.text(bar_fill);
    browser.click("#theme label:nth-of-type(2)");
    assert_eq!(browser.text(background), light);
    assert_ne!(browser.text(bar_fill), dark_fill, "drawings change with the page");
    browser.open_file(&page);
    assert_eq!(browser.text(background), light, "the choice is saved");
    assert_eq!(
        browser.text("return document.querySelector('#theme input:checked').value"),
        "light"
    );
    browser.click("#theme label:nth-of-type(1)");
    assert_eq!(browser.text(background), dark, "it follows the system again");
    assert_quiet(&browser, &["file:", "data:"]);
}

/// Script for the contrast of each visible text with its background.
const CONTRAST: &str = "
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => { const [r, g, b] = parts(colour).map((it) => { const c = it / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const behind = (node) => { for (let it = node; it; it = it.parentElement) { const colour = getComputedStyle(it).backgroundColor; if (/^rgb\\(/.test(colour)) return colour; } return 'rgb(255, 255, 255)'; };
    const found = new Set(); let looked = 0;
    for (const node of document.querySelectorAll('body *')) {
        const own = [...node.childNodes].some((it) => it.nodeType === 3 && it.textContent.trim());
        if (!own || !node.checkVisibility() || node.closest('.unseen, script, option')) continue;
        if (node.closest('figure[data-chart=retention] svg g[aria-label=text]')) continue;
        const style = getComputedStyle(node);
        const colour = node.closest('svg') ? style.fill : style.color;
        if (!/^rgb/.test(colour)) continue;
        const [a, b] = [light(colour), light(behind(node))].sort((a, b) => b - a);
        const ratio = (a + 0.05) / (b + 0.05);
        looked += 1;
        if (ratio < 4.5) found.add(`${node.tagName}.${node.className.baseVal ?? node.className} ${node.textContent.slice(0, 20)}: ${ratio.toFixed(2)}`);
    }
    return [looked, [...found]]";

#[test]
fn the_report_is_accessible() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let page = report(folder.path());
    let browser = Browser::start();
    browser.open_file(&page);
    assert_accessible(&browser);
    let alternatives = browser.run("return [...document.querySelectorAll('.holder[role=img]')].map((it) => it.getAttribute('aria-label'))");
    for alternative in alternatives.as_array().unwrap() {
        let text = alternative.as_str().unwrap();
        assert!(text.len() > 40 && !text.contains("undefined") && !text.contains("NaN"), "{text}");
    }
    assert_eq!(alternatives.as_array().unwrap().len(), 21);
}

/// Asserts accessible names, heading order, landmarks, and contrast in both themes.
pub(crate) fn assert_accessible(browser: &Browser) {
    let tree = browser.chrome("Accessibility.getFullAXTree", &json!({}));
    let needs = [
        "button",
        "link",
        "textbox",
        "combobox",
        "radio",
        "image",
        "img",
        "group",
        "region",
        "table",
        "DisclosureTriangle",
        "navigation",
        "form",
        "Date",
        "InputTime",
        "RadioGroup",
        "figure",
    ];
    let mut seen = 0;
    for node in tree["nodes"].as_array().unwrap() {
        let role = node["role"]["value"].as_str().unwrap_or_default();
        if node["ignored"] == true || !needs.contains(&role) {
            continue;
        }
        let name = node["name"]["value"].as_str().unwrap_or_default();
        // The content of a disclosure is a group named by its summary. Fieldsets are tested below.
        let is_disclosure = role == "group" && node["properties"] == json!([]);
        seen += 1;
        assert!(is_disclosure || !name.is_empty(), "{node:#}");
    }
    assert!(seen > 90, "{seen}");
    let sets = "return [...document.querySelectorAll('fieldset')].map((it) => it.querySelector('legend')?.textContent ?? '')";
    let sets = browser.run(sets);
    assert!(sets.as_array().unwrap().iter().all(|name| name != ""), "{sets}");
    let headings = browser.run("return [...document.querySelectorAll('h1, h2, h3, h4')].filter((it) => it.checkVisibility()).map((it) => Number(it.tagName[1]))");
    let levels: Vec<i64> = headings.as_array().unwrap().iter().filter_map(Value::as_i64).collect();
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] > 1 && pair[1] <= pair[0] + 1), "{levels:?}");
    assert_eq!(browser.run("return ['header', 'nav', 'main', 'footer'].map((it) => document.querySelectorAll(`body > ${it}`).length)"), json!([1, 1, 1, 1]));
    for theme in [2, 3] {
        browser.click(&format!("#theme label:nth-of-type({theme})"));
        let found = browser.run(CONTRAST);
        assert!(found[0].as_i64().unwrap() > 100, "{found}");
        assert_eq!(found[1], json!([]), "too little contrast");
    }
}

#[test]
fn the_report_fits_a_phone_and_paper() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let page = report(folder.path());
    let browser = Browser::start();
    browser.open_file(&page);
    assert_fits(&browser, 400);
    let height = browser.run("return document.documentElement.scrollHeight");
    assert!(height.as_i64().unwrap() < 6250, "{height} px high on a phone");
    assert_fits(&browser, 320);
    browser.chrome("Emulation.clearDeviceMetricsOverride", &json!({}));
    browser.click("#theme label:nth-of-type(3)");

    browser.chrome("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
    let on_paper = "return [getComputedStyle(document.body).backgroundColor, [...document.querySelectorAll('.segments, .tools, nav')].some((it) => it.checkVisibility())]";
    assert_eq!(
        browser.run(on_paper),
        json!(["rgb(255, 255, 255)", false]),
        "light, and no controls"
    );
    browser.chrome("Emulation.setEmulatedMedia", &json!({ "media": "" }));
    let headings = browser.run(
        "return [...document.querySelectorAll('h1, h2, h3, .asks')].filter((it) => !it.closest('[hidden]')).map((it) => it.textContent)",
    );
    let printed = Command::new("pdftotext").arg("-raw").arg(browser.print()).arg("-").output();
    let printed = printed.expect("the tests need `pdftotext`: `apt-get install poppler-utils`");
    let normalized = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = String::from_utf8(printed.stdout).unwrap();
    // A form feed ends each page.
    assert!(text.matches('\u{c}').count() <= 6, "{} pages", text.matches('\u{c}').count());
    let text = normalized(&text);
    for heading in headings.as_array().unwrap() {
        let heading = normalized(heading.as_str().unwrap());
        // In the order of the file, the text of each figure is contiguous.
        assert!(text.contains(&heading), "{heading} is not in {text}");
    }
}

/// Asserts that no element is wider than the window, except scrollable ones.
pub(crate) fn assert_fits(browser: &Browser, width: u32) {
    let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": true });
    browser.chrome("Emulation.setDeviceMetricsOverride", &size);
    browser.wait(&format!(
        "return [...document.querySelectorAll('svg.plot')].every((it) => it.clientWidth < {width})"
    ));
    let out = browser.run(&format!(
        "return [document.documentElement.scrollWidth, [...document.querySelectorAll('body *')].filter((it) => it.checkVisibility() && !it.closest('.scroll, .unseen, .skip') && !it.closest('[aria-label=tip]')
             && it.getBoundingClientRect().right > {width} + 0.5).map((it) => `${{it.tagName}} ${{it.textContent.slice(0, 30)}}`)]"
    ));
    assert_eq!(out, json!([width, []]), "at {width} px");
}

#[test]
fn hostile_data_is_shown_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(10_000);
    let titles = [
        "</script><script>document.title='hit'</script>",
        "<img src=x onerror=\"document.title='hit'\">",
        "\"'><svg onload=document.title='hit'>",
        "<!--<script>",
        // A space ends the name of an element too.
        "</script ><b>bold</b>",
        "\u{202e}desrever \u{5e9}\u{5dc}\u{5d5}\u{5dd}",
        "bell \u{7} start \u{1} line\u{2028}sep",
        "javascript:document.title='hit'",
        "{{data}} ${document.title='hit'} \\u003c",
        long.as_str(),
    ];
    let event = |(item, title): (usize, &&str)| {
        let mut event: Value =
            serde_json::from_str(&crate::support::event(1, 0, 0, "NextSong", "x")).unwrap();
        event["song"] = (*title).into();
        event["artist"] = (*title).into();
        event["location"] = (*title).into();
        event["firstName"] = (*title).into();
        event["level"] = if item == 0 { "</script><b>".into() } else { "free".into() };
        event["itemInSession"] = item.into();
        event["ts"] = (1_541_376_000_000_u64 + item as u64 * 1000).into();
        format!("{event}\n")
    };
    let events: String = titles.iter().enumerate().map(event).collect();
    put(folder.path(), "data/log_data/e.json", events);
    run(folder.path(), ["etl", "--log-data", "data/log_data", "-q"]).good();
    let page = report(folder.path());
    let browser = Browser::start();
    browser.open_file(&page);
    assert_hostile_is_text(&browser, &titles);
    assert_quiet(&browser, &["file:", "data:"]);
    assert_fits(&browser, 400);
}

/// Asserts that the table of songs shows the titles, and that none of them ran or became an
/// element.
pub(crate) fn assert_hostile_is_text(browser: &Browser, titles: &[&str]) {
    browser.run("document.querySelectorAll('figure details').forEach((it) => { it.open = true; })");
    browser.wait("return document.querySelectorAll('figure[data-chart=topSongs] tbody tr').length");
    assert_eq!(browser.text("return document.title"), "Listening report");
    assert_eq!(
        browser.run("return document.querySelectorAll('img, main b, svg:not(.plot)').length"),
        0
    );
    let shown = browser.run("return [...document.querySelectorAll('figure[data-chart=topSongs] tbody tr')].map((it) => it.cells[0].textContent)");
    let shown: Vec<&str> =
        shown.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    for title in titles {
        let moves = |c: char| c.is_control() || ['\u{202e}', '\u{2028}'].contains(&c);
        let expected: String =
            title.chars().take(300).map(|c| if moves(c) { '·' } else { c }).collect();
        assert!(
            shown.iter().any(|it| it.trim_end_matches('…') == expected),
            "{expected} is not in {shown:?}"
        );
    }
    let drawn = browser
        .text("return document.querySelector('figure[data-chart=topSongs] svg').textContent");
    assert!(drawn.contains("<img src=x onerror"), "{drawn}");
}

#[test]
fn a_warehouse_or_filter_without_plays_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), ["report"]).bad(2);
    run(folder.path(), ["create-tables"]).good();
    let page = report(folder.path());
    let browser = Browser::start();
    browser.open_file(&page);
    let text = browser.text("return document.body.innerText");
    assert!(text.contains("The warehouse has no plays yet"), "{text}");
    assert!(!text.contains("Key figures"), "{text}");
    small(folder.path());
    run(folder.path(), ["report", "--since", "2030-01-01", "-o", "none.html"]).good();
    browser.open_file(&folder.path().join("none.html").canonicalize().unwrap());
    let text = browser.text("return document.body.innerText");
    assert!(text.contains("No plays for these filters (from 1 Jan 2030)"), "{text}");
    assert_quiet(&browser, &["file:", "data:"]);
}

#[test]
fn a_report_is_written_to_a_file_or_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let printed = run(folder.path(), ["report", "-o", "-"]).good();
    report(folder.path());
    let written = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(printed == written, "the same warehouse gives the same bytes");
    assert!(printed.len() < 1_000_000, "{} bytes", printed.len());
    assert!(printed.contains("Copyright 2020-2025 Observable, Inc."), "the licence is included");
    let message = run(folder.path(), ["report", "--since", "tomorrow"]).bad(2);
    assert!(message.contains("`tomorrow` is not a date"), "{message}");
    let message = run(folder.path(), ["report", "-o", "no/such/report.html"]).bad(2);
    assert!(message.contains("cannot write `no/such/report.html`"), "{message}");
    let filtered = run(folder.path(), ["report", "--level", "paid", "-o", "-"]).good();
    assert!(filtered.contains("\"bounds\":{\"since\":null,\"until\":null,\"level\":\"paid\"}"));
    assert!(
        filtered.contains("\"ignores\":[\"level\"]"),
        "a saved query without this filter is marked"
    );
}

on_each_data_set!(the_report_shows_the_figures);

fn the_report_shows_the_figures(data: &DataSet) {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), etl_of(&data.folder())).good();
    let page = report(folder.path());
    let browser = Browser::start();
    browser.open_file(&page);
    let tiles = browser.text("return document.getElementById('headline').innerText");
    let plays = data.rows("songplays");
    let [_, exact, title_artist] = data.matched;
    let matched = exact + title_artist;
    let percent = |part: u64| {
        let share = format!("{:.1}", 100.0 * part as f64 / plays as f64);
        format!("{} %", share.trim_end_matches(".0"))
    };
    let of_plays = format!("{matched} of {} plays", grouped(plays));
    for expected in [
        grouped(plays),
        data.listeners.to_string(),
        format!("{} h", shortened(data.hours)),
        percent(data.paid),
        percent(matched),
        of_plays.clone(),
        data.days[0].to_owned(),
        format!("to {}", data.days[1]),
    ] {
        assert!(tiles.contains(&expected), "{expected} is not in {tiles}");
    }
    let drawn = |chart: &str| {
        browser.text(&format!("return [...document.querySelectorAll('figure[data-chart={chart}] g[aria-label=text] text')].map((it) => it.textContent).join('|')"))
    };
    let songs = drawn("topSongs");
    let [(title, artist, most), (second, second_artist, fewer)] = data.top_songs;
    let names = format!("{title} – {artist}|{second} – {second_artist}");
    assert!(songs.contains(&names) && songs.contains(&format!("|{most}|{fewer}|")), "{songs}");
    let users = drawn("topUsers");
    assert!(users.contains(&format!("|{}|", data.top_user.1)), "{users}");
    let alt = |chart: &str| {
        browser.text(&format!("return document.querySelector('figure[data-chart={chart}] .holder').getAttribute('aria-label')"))
    };
    let ((hour, by_hour), (weekday, by_weekday)) = (data.top_hour, data.top_weekday);
    let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][usize::from(weekday)];
    for (chart, most, plays) in [
        ("byHour", format!("{hour:02}:00"), by_hour),
        ("byWeekday", weekday.to_owned(), by_weekday),
    ] {
        let expected = format!("Most at {most} with {}", grouped(plays));
        assert!(alt(chart).contains(&expected), "{}", alt(chart));
    }
    let notes = browser
        .text("return document.querySelector('figure[data-chart=topSongs] .notes').textContent");
    let expected = format!("Catalogue match coverage: {of_plays} ({})", percent(matched));
    assert!(notes.contains(&expected), "{notes}");
    assert_quiet(&browser, &["file:", "data:"]);
}

/// Formats hours as the page does: with one decimal, and from 100 without.
fn shortened(hours: &str) -> String {
    let hours: f64 = hours.parse().unwrap();
    if hours >= 100.0 { format!("{hours:.0}") } else { format!("{hours:.1}") }
}

/// Formats a number with commas between groups of three digits.
pub(crate) fn grouped(number: u64) -> String {
    if number < 1000 {
        return number.to_string();
    }
    format!("{},{:03}", grouped(number / 1000), number % 1000)
}
