//! Served page in a browser: charts that appear one by one, and the SQL tab.

use serde_json::json;

use crate::browser::Browser;
use crate::page::{assert_quiet, small};
use crate::serve::Serving;

/// Lets a test pass on the lines of the page's data one by one, with `next()`.
const ONE_BY_ONE: &str = "
    const real = window.fetch;
    window.fetch = async (path, options) => {
        const answered = await real(path, options);
        if (path !== '/data') return answered;
        const lines = (await answered.text()).split(/(?<=\\n)/);
        const body = new ReadableStream({ start(stream) {
            window.next = () => (lines.length ? stream.enqueue(new TextEncoder().encode(lines.shift())) : stream.close());
        } });
        return new Response(body);
    };";

#[test]
fn each_chart_appears_when_its_result_arrives() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let serving = Serving::start(folder.path(), &[]);
    let data = serving.data();
    assert!(data[0]["head"]["choices"].is_object(), "{}", data[0]);
    assert_eq!(data.last().unwrap(), &json!({ "done": true }));
    let browser = Browser::start();
    browser.chrome("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": ONE_BY_ONE }));
    browser.open(serving.url());
    browser.wait("return Boolean(window.next)");
    // The head, the match coverage, and the plays by day.
    for _ in 0..3 {
        browser.run("window.next()");
    }
    browser.wait("return document.querySelector('figure[data-chart=plays] svg.plot') !== null");
    assert_eq!(
        browser.text(
            "return document.querySelector('figure[data-chart=topSongs] .holder').textContent"
        ),
        "Loading …"
    );
    let plays = browser.text("return document.querySelector('#headline .value').textContent");
    assert!(plays.starts_with(|it: char| it.is_ascii_digit()), "{plays}");
    for _ in 3..data.len() {
        browser.run("window.next()");
    }
    browser.wait("return document.querySelectorAll('.loading, figure[aria-busy]').length === 0");
    assert_quiet(&browser, &[&serving.address(), "data:"]);
}

#[test]
fn the_sql_tab_has_types_a_history_and_aligned_errors() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let serving = Serving::start(folder.path(), &[]);
    let browser = Browser::start();
    browser.open(serving.url());
    // The tabs move while the page fills.
    browser.wait("return document.querySelector('figure[data-chart=systems] svg.plot') && document.querySelectorAll('.loading, figure[aria-busy]').length === 0");
    let shown =
        "return ['charts', 'sql'].map((it) => document.getElementById(it).checkVisibility())";
    assert_eq!(browser.run(shown), json!([true, false]));
    browser.click("#tab-sql");
    assert_eq!(browser.run(shown), json!([false, true]));
    assert!(browser.text("return location.href").ends_with("#sql"));

    let ask = |sql: &str| {
        browser.run(&format!(
            "document.getElementById('statement').value = {}; document.getElementById('editor').requestSubmit()",
            json!(sql)
        ));
        browser.wait("return document.getElementById('cancel').disabled");
    };
    ask("select songplay_id, start_time, length, user_id from songplays limit 1");
    let types = browser.run(
        "return [...document.querySelectorAll('#answer th .type')].map((it) => it.textContent)",
    );
    assert_eq!(types, json!(["text", "timestamp", "double", "integer"]));
    let lines = browser.run(
        "const cell = document.querySelector('#answer td bdi'); const range = document.createRange(); range.selectNodeContents(cell);
         return [cell.textContent.length, range.getClientRects().length]",
    );
    assert_eq!(lines, json!([36, 1]), "a UUID in one line");

    ask("select level\nfrom songplays\nwhere levle = 'paid'");
    let error = browser.text("return document.querySelector('#answer pre').textContent");
    let (line, caret) = error
        .lines()
        .rev()
        .collect::<Vec<_>>()
        .split_first()
        .map(|(caret, rest)| (rest[0].to_owned(), (*caret).to_owned()))
        .unwrap();
    assert_eq!(caret.find('^'), line.find("levle"), "{error}");
    let style = browser.run("const style = getComputedStyle(document.querySelector('#answer pre')); return [style.whiteSpace, style.fontFamily.includes('monospace')]");
    assert_eq!(style, json!(["pre", true]));

    // The history survives a reload, newest first, each statement once.
    ask("select 1 as one");
    ask("select level\nfrom songplays\nwhere levle = 'paid'");
    browser.run("window.isOld = true; location.reload()");
    browser.wait("return !window.isOld && document.querySelectorAll('#history li').length && document.getElementById('standing').textContent");
    assert_eq!(browser.run(shown), json!([false, true]), "the tab survives a reload");
    let history =
        "return [...document.querySelectorAll('#history button')].map((it) => it.textContent)";
    assert_eq!(
        browser.run(history),
        json!([
            "select level from songplays where levle = 'paid'",
            "select 1 as one",
            "select songplay_id, start_time, length, user_id from songplays limit 1"
        ])
    );
    browser.click("#history li:nth-child(2) button");
    assert_eq!(
        browser.text("return document.getElementById('statement').value"),
        "select 1 as one"
    );
    browser.click("#forget");
    assert_eq!(browser.run(history), json!([]));
    browser.click("#tab-charts");
    assert_eq!(browser.run(shown), json!([true, false]));
    assert_quiet(&browser, &[&serving.address(), "data:"]);
}

#[test]
fn filters_without_plays_offer_a_reset() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let serving = Serving::start(folder.path(), &[]);
    let browser = Browser::start();
    browser.open(&format!("{}&since=2030-01-01", serving.url()));
    let text = browser.wait("return document.getElementById('empty').innerText");
    assert!(text.as_str().unwrap().contains("Plays run from"), "{text}");
    // The last line of the answer renders the message again.
    browser.wait("return document.body.innerText.includes('Charts updated')");
    browser.click("#empty button");
    browser.wait("return document.querySelector('figure[data-chart=plays] svg.plot') !== null && document.getElementById('empty').hidden");
    assert_quiet(&browser, &[&serving.address(), "data:"]);
}
