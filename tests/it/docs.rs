//! Data dictionary: completeness, agreement with the warehouse, escaping, and files of others.

use std::fs;
use std::path::Path;

use sparkify_analytics::dictionary::{Dictionary, Kind};
use sparkify_warehouse::Opening;

use crate::support::{duckdb, event, load, put, run, song};

const OPENING: Opening = Opening { engine: "duckdb", incremental: false };

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Returns the HTML page and the Markdown of a folder.
fn written(folder: &Path) -> [String; 2] {
    [read(folder, "index.html"), read(folder, "README.md")]
}

/// Creates a warehouse with three plays at the default path.
fn loaded(folder: &Path) {
    put(folder, "song_data/a.json", song("SO1", "One", 200.5));
    let events =
        (0..3).map(|item| event(1, item, 1_541_000_000_000 + u64::from(item), "NextSong", "One"));
    put(folder, "log_data/e.json", events.collect::<String>());
    let path = folder.join("sparkify.duckdb");
    load(duckdb(path.to_str().unwrap()).as_mut(), folder, 0.0).unwrap();
}

#[test]
fn a_dictionary_without_a_warehouse_is_complete_and_reports_it() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), ["docs"]);
    assert!(ended.err.contains("no warehouse found at `sparkify.duckdb`"), "{ended:?}");
    assert_eq!(ended.good(), "", "standard output is for data");
    let [_, markdown] = written(&folder.path().join("sparkify-docs"));
    insta::assert_snapshot!("dictionary", markdown);
    assert!(!folder.path().join("sparkify.duckdb").exists(), "no warehouse is created");
}

#[test]
fn both_formats_list_every_table_column_data_test_and_saved_query() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), ["docs", "-o", "a/b"]).good();
    let [html, markdown] = written(&folder.path().join("a/b"));
    let mut columns = 0;
    for table in sparkify_load::tables::all() {
        let name = table.name;
        assert!(html.contains(&format!("<h3 id=\"{name}\">{name}</h3>")), "{name}");
        assert!(markdown.contains(&format!("\n### {name}\n")), "{name}");
        for column in table.columns(OPENING) {
            let anchor = format!("id=\"{name}.{}\"", column.name);
            assert_eq!(html.matches(&anchor).count(), 1, "{anchor}");
            assert_eq!(markdown.matches(&anchor).count(), 1, "{anchor}");
            columns += 1;
        }
    }
    assert!(columns > 80, "{columns}");
    for check in sparkify_load::data_tests::DATA_TESTS {
        assert!(html.contains(&format!("id=\"check.{}\"", check.name)), "{}", check.name);
        assert!(markdown.contains(&format!("\n| `{}` | ", check.name)), "{}", check.name);
    }
    for query in sparkify_analytics::report::SAVED_QUERIES {
        assert!(html.contains(&format!("id=\"question.{}\"", query.name)), "{}", query.name);
        assert!(markdown.contains(&format!("\n| `{}` | ", query.name)), "{}", query.name);
    }
}

#[test]
fn the_page_is_self_contained_and_its_links_resolve() {
    let html = Dictionary::declared(OPENING).html().to_string();
    for foreign in ["src=", "href=\"http", "href=http", "url(", "@import", "<script ", "<link"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    assert_eq!(html.matches("<script>").count(), 1);
    assert!(html.contains("default-src 'none'; script-src 'sha256-"));
    let mut links = 0;
    for rest in html.split("href=\"#").skip(1) {
        let anchor = rest.split('"').next().unwrap();
        assert_eq!(html.matches(&format!(" id=\"{anchor}\"")).count(), 1, "#{anchor}");
        links += 1;
    }
    assert!(links > 150, "{links}");
}

#[test]
fn each_model_column_has_lineage_to_record_keys() {
    let dictionary = Dictionary::declared(OPENING);
    let exists = |name: &str| {
        name.split_once('.').is_some_and(|(table, column)| {
            let table = dictionary.tables.iter().find(|it| it.name == table);
            table.is_some_and(|table| table.columns.iter().any(|it| it.name == column))
        })
    };
    for table in dictionary.tables.iter().filter(|table| table.kind == Kind::Model) {
        let file = sparkify_load::tables::find(table.name).unwrap();
        assert_eq!(file.listed("from").len(), table.columns.len(), "{}", table.name);
        for column in &table.columns {
            let from = column.from.unwrap_or_default();
            assert!(!column.record_keys.is_empty(), "{}.{}", table.name, column.name);
            for word in from.split(' ').filter(|word| word.contains('.')) {
                assert!(exists(word.trim_end_matches([',', ':'])), "{from}");
            }
        }
    }
    let keys = |table: &str, column: &str| {
        let table = dictionary.tables.iter().find(|it| it.name == table).unwrap();
        table.columns.iter().find(|it| it.name == column).unwrap().record_keys.clone()
    };
    assert_eq!(keys("time", "week"), ["events.ts"]);
    assert_eq!(keys("users", "first_name"), ["events.firstName"]);
    assert_eq!(keys("artists", "name"), ["songs.artist_name"]);
    assert_eq!(keys("songplays", "match_method"), ["events.length", "songs.duration"]);
    assert_eq!(keys("staging_events", "user_id"), ["events.userId"]);
    assert_eq!(keys("staging_events", "object_id"), Vec::<String>::new());
}

#[test]
fn a_loaded_warehouse_adds_row_counts_types_and_test_results() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    loaded(here);
    run(here, ["docs", "--out", "out"]).good();
    let [html, markdown] = written(&here.join("out"));
    let checks = sparkify_load::data_tests::DATA_TESTS.len();
    assert_eq!(markdown.matches(" | ok |\n").count(), checks, "{markdown}");
    assert_eq!(html.matches("<span class=\"ok\">ok</span>").count(), checks);
    assert!(html.contains(&format!("all {checks} passed")) && html.contains("after load 1 ("));
    assert!(markdown.contains("| [`songplays`](#songplays) | 3 |"), "{markdown}");
    assert!(html.contains("<dt>rows</dt><dd>3</dd>"));
    // The type of the engine, not of the SQL file.
    assert!(markdown.contains("`latitude` | double |"), "{markdown}");

    let again = written(&here.join("out"));
    run(here, ["docs", "--out", "out"]).good();
    assert_eq!(written(&here.join("out")), again, "the same warehouse gives the same bytes");

    let data = run(here, ["docs", "--output", "json"]).json();
    assert_eq!(data["warehouse"]["load"]["number"], 1);
    assert_eq!(data["tables"].as_array().unwrap().len(), sparkify_load::tables::all().count());
    assert_eq!(data["checks"][0]["offending"], 0);
    assert!(!here.join("sparkify-docs").exists(), "data goes to standard output only");

    let mut warehouse = duckdb(here.join("sparkify.duckdb").to_str().unwrap());
    warehouse.execute("update time set hour = 24").unwrap();
    drop(warehouse);
    let ended = run(here, ["docs", "--out", "out"]);
    assert!(ended.err.contains(&format!("1 of {checks} data tests failed")), "{ended:?}");
    ended.good();
    let [html, markdown] = written(&here.join("out"));
    assert!(markdown.contains("**FAILED**: 3 failing rows"), "{markdown}");
    assert!(html.contains("<span class=\"failed\">FAILED</span>: 3 failing rows"));
    assert!(html.contains(&format!("1 of {checks} failed")));
}

#[test]
fn the_fact_is_first_and_the_diagrams_show_keys_and_lineage() {
    let dictionary = Dictionary::declared(OPENING);
    assert_eq!(dictionary.tables[0].name, "songplays");
    let html = dictionary.html().to_string();
    let [key, reference] = ["PK", "FK"].map(|mark| format!("<tspan class=\"mark\">{mark}</tspan>"));
    assert!(html.matches(&key).count() >= 6 && html.matches(&reference).count() >= 6);
    for (from, to) in [
        ("staging_events.ts", "songplays.start_time"),
        ("songplays.start_time", "time.week"),
        ("staging_songs.artist_name", "artists.name"),
    ] {
        assert!(html.contains(&format!("data-from=\"{from}\" data-to=\"{to}\"")), "{from}, {to}");
    }
}

#[cfg(feature = "page")]
#[test]
fn the_page_is_searched_and_follows_the_lineage() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), ["docs", "--out", "out"]).good();
    let browser = crate::browser::Browser::start();
    browser.open_file(&folder.path().join("out/index.html").canonicalize().unwrap());
    let search = |words: &str| {
        browser.run(&format!(
            "const field = document.getElementById('search'); field.value = '{words}'; field.dispatchEvent(new Event('input'));
             return [...document.querySelectorAll('tbody tr')].filter((it) => it.checkVisibility()).map((it) => it.id)"
        ))
    };
    let all = search("").as_array().unwrap().len();
    assert!(all > 130, "{all}");
    assert_eq!(search("iso week"), serde_json::json!(["time.week", "time.year"]));
    assert_eq!(search("songplays user_agent"), serde_json::json!(["songplays.user_agent"]));
    assert_eq!(search("nothing at all"), serde_json::json!([]));
    let found = browser.text("return document.getElementById('found').textContent");
    assert!(found.contains("Nothing found"), "{found}");
    assert_eq!(search("").as_array().unwrap().len(), all);

    browser.run("document.querySelector('#lineage-graph a[href=\"#staging_events.ts\"]').dispatchEvent(new Event('pointerenter'))");
    let lines = browser.run("return [...document.querySelectorAll('#lineage-graph .on')].map((it) => it.dataset.to).filter((it) => it.startsWith('time.'))");
    assert_eq!(lines.as_array().unwrap().len(), 7, "{lines}");
    crate::page::assert_quiet(&browser, &["file:", "data:"]);
}

#[test]
fn an_empty_warehouse_differs_from_one_without_tables() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), ["create-tables"]).good();
    run(folder.path(), ["docs"]).good();
    let [html, _] = written(&folder.path().join("sparkify-docs"));
    assert!(html.contains("(no published load)"), "{html}");
    assert!(html.contains("<dt>rows</dt><dd>0</dd>"));

    let other = folder.path().join("other.duckdb");
    duckdb(other.to_str().unwrap()).execute("create table mine (a integer)").unwrap();
    let ended = run(folder.path(), ["docs", "--warehouse", "duckdb:other.duckdb"]);
    assert!(ended.err.contains("lacks tables of sparkify"), "{ended:?}");
    ended.good();
    let [html, _] = written(&folder.path().join("sparkify-docs"));
    assert!(html.contains("Generated without a warehouse"));
}

#[test]
fn files_of_others_are_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "out/README.md", "# Mine\n");
    let message = run(here, ["docs", "--out", "out"]).bad(2);
    assert!(message.contains("was not written by `sparkify docs`"), "{message}");
    assert_eq!(read(here, "out/README.md"), "# Mine\n");
    assert!(!here.join("out/index.html").exists(), "no partial output");

    fs::create_dir_all(here.join("folder/index.html")).unwrap();
    run(here, ["docs", "--out", "folder"]).bad(2);
    let message = run(here, ["docs", "--out", "out/README.md"]).bad(2);
    assert!(message.contains("cannot create the folder `out/README.md`"), "{message}");

    run(here, ["docs", "--out", "fine"]).good();
    run(here, ["docs", "--out", "fine"]).good();
    let mut names: Vec<_> = fs::read_dir(here.join("fine"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["README.md", "index.html"], "no temporary files remain");
}

#[test]
fn text_is_escaped_in_html_and_markdown() {
    let mut dictionary = Dictionary::declared(OPENING);
    let table = &mut dictionary.tables[0];
    table.description = "a <b>bold</b> | claim & `code|<i>`";
    table.notes[0].words = "</dd><script>alert(1)</script>";
    table.columns[0].description = "x < y | z \"q\"".into();
    table.columns[0].data_type = "enum('<a>', 'b|c')".into();
    let html = dictionary.html().to_string();
    assert!(html.contains("a &lt;b&gt;bold&lt;/b&gt; | claim &amp; <code>code|&lt;i&gt;</code>"));
    assert!(html.contains("x &lt; y | z &quot;q&quot;"));
    assert!(html.contains("enum(&#39;&lt;a&gt;&#39;, &#39;b|c&#39;)"));
    assert!(html.matches("<script").count() == 1 && !html.contains("alert(1)</script>"));
    assert!(!html.contains("<b>") && !html.contains("<a>"));

    let markdown = dictionary.markdown().to_string();
    assert!(markdown.contains(r"a \<b\>bold\</b\> \| claim \& `code\|<i>`"), "{markdown}");
    assert!(markdown.contains(r#"x \< y \| z "q""#) && markdown.contains(r"enum('\<a\>', 'b\|c')"));
    let first = dictionary.tables[0].columns[0].name.clone();
    let row = markdown.lines().find(|line| line.contains(&format!("`{first}` |"))).unwrap();
    let bars = row.matches('|').count() - row.matches("\\|").count();
    assert_eq!(bars, 7, "six cells: {row}");
}
