//! Report server: authorization of requests, filters, SQL editor, limits, and loads while it
//! runs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sparkify_warehouse::{Access, WarehouseError};

use crate::browser::Browser;
use crate::page::{assert_accessible, assert_fits, assert_quiet, small};
use crate::support::{Ended, event, open, put, run, sparkify};

/// Running `sparkify serve`, which is killed when dropped.
pub(crate) struct Serving {
    pub program: Child,
    pub port: u16,
    token: String,
    /// Address that the server printed, with its key.
    url: String,
}

/// Statement that runs longer than any test.
const ENDLESS: &str =
    "select count(*) from range(100000000) a, range(100000000) b where (a.range + b.range) % 7 = 3";

impl Serving {
    pub(crate) fn start(here: &Path, arguments: &[&str]) -> Self {
        Self::spawn(sparkify(here, ["serve", "--port", "0"].iter().chain(arguments)))
    }

    /// Starts the server with a command that ends in its arguments.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut program = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (address, key) = line.trim().split_once("/?key=").expect("a key in the address");
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        let url = line.trim().to_owned();
        let mut serving = Self { program, port, token: String::new(), url };
        let page = serving.get(&format!("/?key={key}"), "");
        let token = page.split("sparkify-token\" content=\"").nth(1).unwrap();
        token.split('"').next().unwrap().clone_into(&mut serving.token);
        assert_eq!((serving.token.len(), key.len()), (64, 64));
        serving
    }

    /// Returns the address of the page with its key.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Sends bytes and returns the response up to the end of the connection.
    fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        // A server that refuses the request may close the connection before it is sent
        // completely.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    fn key(&self) -> &str {
        self.url.split_once("key=").unwrap().1
    }

    /// Returns the header of a browser that has opened the page before.
    fn cookie(&self) -> String {
        format!("Cookie: sparkify-{}={}\r\n", self.port, self.key())
    }

    fn get(&self, path: &str, headers: &str) -> String {
        self.raw(
            format!(
                "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n{headers}\r\n",
                self.port
            )
            .as_bytes(),
        )
    }

    /// Sends a request as the page does, with more headers.
    fn post(&self, path: &str, body: &str, headers: &str) -> String {
        self.raw(self.request(path, body, headers).as_bytes())
    }

    pub(crate) fn request(&self, path: &str, body: &str, headers: &str) -> String {
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\nContent-Type: application/json\r\nSparkify-Token: {}\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            self.port,
            self.token,
            body.len()
        )
    }

    pub(crate) fn ask(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, &body.to_string(), "");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        serde_json::from_str(body).unwrap()
    }

    /// Returns the lines of the page's data without filters: the first, the results, the last.
    pub(crate) fn data(&self) -> Vec<Value> {
        self.data_with(&json!({ "since": null, "until": null, "level": null }))
    }

    fn data_with(&self, filters: &Value) -> Vec<Value> {
        let answer = self.post("/data", &filters.to_string(), "");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        // Sizes of chunks are between the lines.
        let lines = body.lines().filter(|line| line.starts_with('{'));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn sql(&self, sql: &str) -> Value {
        self.ask("/sql", &json!({ "sql": sql }))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn status(answer: &str) -> u16 {
    let number = answer.split(' ').nth(1);
    number.unwrap_or_else(|| panic!("no answer: {answer:?}")).parse().unwrap()
}

#[test]
fn requests_from_other_sites_and_users_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let serving = Serving::start(folder.path(), &[]);
    let sql = r#"{"sql":"select 1 as one"}"#;
    assert!(serving.post("/sql", sql, "").trim_end().ends_with(r#""rows":[[1]],"more":false}"#));
    let port = serving.port;
    for headers in [
        "Origin: http://evil.example\r\n".to_owned(),
        "Origin: null\r\n".into(),
        format!("Origin: http://localhost.evil.example:{port}\r\n"),
        "Sec-Fetch-Site: cross-site\r\n".into(),
        "Sec-Fetch-Site: same-site\r\n".into(),
        format!("Host: evil.example:{port}\r\n"),
    ] {
        for answer in [
            serving.post("/sql", sql, &headers),
            serving.post("/data", "{}", &headers),
            serving.get("/", &(serving.cookie() + &headers)),
        ] {
            assert!([400, 403].contains(&status(&answer)), "{headers}: {answer}");
            assert!(!answer.contains(&serving.token) && !answer.contains("rows"), "{answer}");
        }
    }
    // Other users of the machine do not know the key.
    let other = Serving::start(folder.path(), &[]);
    let wrong = [String::new(), format!("Cookie: sparkify-{port}={}\r\n", other.key())];
    for headers in &wrong {
        let answer = serving.get("/", headers);
        assert_eq!(status(&answer), 403, "{answer}");
        assert!(!answer.contains(&serving.token) && !answer.contains(serving.key()), "{answer}");
    }
    assert_eq!(status(&serving.get(&format!("/?key={}", serving.token), "")), 403);
    let answer = serving.get("/", &serving.cookie());
    assert_eq!(status(&answer), 200);
    assert!(answer.contains("; HttpOnly; SameSite=Lax; Path=/\r\n"), "{answer}");
    drop(other);
    // DNS rebinding: a foreign name that resolves to this address.
    let rebound =
        format!("GET / HTTP/1.1\r\nHost: evil.example:{port}\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&serving.raw(rebound.as_bytes())), 403);
    let mut stranger = Serving::start(folder.path(), &[]);
    let own = std::mem::replace(&mut stranger.token, serving.token.clone());
    assert_eq!(status(&stranger.post("/sql", sql, "")), 403, "a token of another run");
    stranger.token = own;
    assert_eq!(status(&stranger.post("/sql", sql, "")), 200);

    for path in ["/etc/passwd", "/../Cargo.toml", "/favicon.ico", "/report.html", "/sql/"] {
        assert_eq!(status(&serving.get(path, "")), 404, "{path}");
    }
    assert_eq!(status(&serving.get("/sql", "")), 405);
    for method in ["PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"] {
        let request =
            format!("{method} / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        assert_eq!(status(&serving.raw(request.as_bytes())), 405, "{method}");
    }
    assert_eq!(status(&serving.post("/data", r#"{"limit":1}"#, "")), 400);
    for header in [
        "content-security-policy: default-src 'none'",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-frame-options: DENY",
    ] {
        assert!(serving.get("/", &serving.cookie()).contains(header), "{header}");
        assert!(serving.get("/nothing", "").contains(header), "{header}");
    }
}

#[test]
fn oversized_and_slow_requests_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let serving = Serving::start(folder.path(), &[]);
    let long = "x".repeat(100_000);
    assert_eq!(status(&serving.get("/", &format!("A: {long}\r\n"))), 431);
    assert_eq!(status(&serving.get("/", &"A: b\r\n".repeat(200))), 431);
    assert_eq!(status(&serving.post("/sql", &json!({ "sql": long }).to_string(), "")), 413);
    assert_eq!(status(&serving.raw(b"what is this\r\n\r\n")), 400);
    // More clients than connections, silent or with half a request: they time out, and
    // others are served.
    let silent: Vec<TcpStream> = (0..80)
        .map(|n| {
            let mut stream = TcpStream::connect(("127.0.0.1", serving.port)).unwrap();
            stream.write_all([&b""[..], b"GET / HTTP/1.1\r\nHost: 127"][n % 2]).unwrap();
            stream
        })
        .collect();
    assert_eq!(status(&serving.get("/", &serving.cookie())), 200);
    drop(silent);
    assert_eq!(serving.sql("select 1 as one")["rows"], json!([[1]]));
}

#[test]
fn a_statement_only_reads_within_its_limits() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    put(folder.path(), "secret.csv", "a\n1\n");
    let serving = Serving::start(folder.path(), &["--time-limit", "1", "--rows", "5"]);
    let plays = run(
        folder.path(),
        ["query", "-q", "--format", "json", "select count(*) as n from songplays"],
    )
    .json();
    assert_eq!(serving.sql("select count(*) as n from songplays")["rows"][0][0], plays[0]["n"]);
    let answer = serving.sql("select range as n, n / 2 as half, null as none from range(9)");
    assert_eq!((answer["rows"].as_array().unwrap().len(), &answer["more"]), (5, &true.into()));
    assert_eq!(answer["columns"][1], json!({ "name": "half", "kind": "double" }));
    assert_eq!(answer["rows"][1], json!([1, "0.5", null]));
    // The second one cannot be interrupted by DuckDB.
    let uninterruptible = "select levenshtein(repeat('a', 3000000), repeat('b', 3000000))";
    for sql in [ENDLESS, uninterruptible, uninterruptible, uninterruptible] {
        let late = serving.sql(sql);
        assert!(late["error"].as_str().unwrap().contains("longer than 1 s"), "{late}");
    }
    // Their processes ended: a load can write.
    let etl = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data", "-q"];
    run(folder.path(), etl).good();
    for (sql, words) in [
        ("delete from songplays", "open read-only"),
        ("create table mine as select 1", "open read-only"),
        ("select * from 'secret.csv'", "disabled"),
        ("from read_text('secret.csv')", "reads files"),
        ("copy songplays to 'out.csv'", "not a query"),
        ("copy (select 1) to 'sparkify.duckdb' (format csv, use_tmp_file false)", "not a query"),
        ("select 1; copy songplays to 'out.csv'", "not a query"),
        ("select 1; select 2", "more than one statement"),
        ("attach 'other.duckdb'", "not a query"),
        ("set memory_limit = '9GB'", "not a query"),
        ("from enable_logging(storage = 'file', storage_path = 'logs')", "not allowed"),
        ("select length(printf('%2000000000d', 1))", "memory"),
        ("selec 1", "syntax error"),
        ("select titel from songs", "titel"),
        (" ", "there is no sql"),
    ] {
        let answer = serving.sql(sql);
        let error = answer["error"].as_str().unwrap_or_else(|| panic!("{sql}: {answer}"));
        assert!(error.to_lowercase().contains(words), "{sql}: {error}");
    }
    assert!(
        !folder.path().join("out.csv").exists() && !folder.path().join("other.duckdb").exists()
    );
    let bad = &serving.data_with(&json!({ "since": "5.11.2018", "until": null, "level": null }))[0];
    assert!(bad["error"].as_str().unwrap().contains("is not a date"), "{bad}");
    assert_eq!(serving.sql("select count(*) as n from songplays")["rows"][0][0], plays[0]["n"]);
}

#[test]
fn concurrent_statements_end_with_their_clients() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let serving = Serving::start(folder.path(), &["--time-limit", "600"]);
    let endless = || {
        let mut stream = TcpStream::connect(("127.0.0.1", serving.port)).unwrap();
        let body = json!({ "sql": ENDLESS }).to_string();
        stream.write_all(serving.request("/sql", &body, "").as_bytes()).unwrap();
        stream
    };
    let waiting: Vec<_> = (0..3).map(|_| endless()).collect();
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..3)
            .map(|n| {
                let serving = &serving;
                scope.spawn(move || serving.sql(&format!("select {n} as n")))
            })
            .collect();
        for (n, answer) in asked.into_iter().enumerate() {
            assert_eq!(answer.join().unwrap()["rows"], json!([[n]]));
        }
    });
    let etl = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data", "--wait"];
    let words = run(folder.path(), etl.into_iter().chain(["0"])).bad(2);
    assert!(
        words.contains("in use by another process"),
        "while others read, nobody writes: {words}"
    );
    let mut load = sparkify(folder.path(), etl.into_iter().chain(["60"]));
    let mut load = load.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(load.stderr.take().unwrap()).lines();
    let line = said.next().expect("it says that it waits").unwrap();
    assert!(line.ends_with(": waiting up to 60 s"), "{line}");
    // The clients are gone: their statements end, and the file is free.
    drop(waiting);
    Ended::from(load.wait_with_output().unwrap()).good();
}

#[test]
fn the_page_waits_for_a_load() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let serving = Serving::start(folder.path(), &[]);
    let browser = Browser::start();
    browser.open(&serving.url);
    let tile = "return document.querySelector('#headline .value')?.textContent";
    let before = browser.wait(tile);
    put(
        folder.path(),
        "data/log_data/more.json",
        event(900_001, 0, 1_543_000_000_000, "NextSong", "New"),
    );
    let etl = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data", "-q"];
    run(folder.path(), etl).good();
    browser.click("#filters [type=submit]");
    let plays = |shown: &Value| shown.as_str().unwrap().replace(',', "").parse::<u64>().unwrap();
    let after = browser.wait(&format!("const now = document.querySelector('#headline .value').textContent; return now !== {before} && now"));
    assert_eq!(plays(&after), plays(&before) + 1);

    // The server closes the file after the last result.
    let path = format!("duckdb:{}", folder.path().join("sparkify.duckdb").display());
    let writer = loop {
        match open(&path, Access::Write) {
            Err(WarehouseError::Busy { .. }) => std::thread::yield_now(),
            opened => break opened.unwrap(),
        }
    };
    assert_eq!(serving.sql("select 1 as one"), json!({ "busy": true }));
    browser.click("#filters [type=submit]");
    browser
        .wait("return document.getElementById('state').textContent.includes('A load is writing')");
    drop(writer);
    browser.wait("return document.getElementById('state').textContent === ''");
    assert_quiet(&browser, &[&serving.address(), "data:", "blob:"]);
}

#[test]
fn filters_apply_to_charts_and_their_csv() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let serving = Serving::start(folder.path(), &["--time-limit", "120"]);
    let browser = Browser::start();
    browser.open(&serving.url);
    assert_eq!(browser.text("return location.search"), "", "the address has no key any more");
    let first = browser.wait("return document.querySelector('#headline .value')?.textContent");
    let days = run(folder.path(), ["query", "plays_by_day", "--format", "json", "-q"]).json();
    let (since, until) = (days[5]["day"].as_str().unwrap(), days[9]["day"].as_str().unwrap());
    browser.run(&format!(
        "const form = document.getElementById('filters');
         form.elements.since.value = '{since}'; form.elements.until.value = '{until}'; form.elements.level.value = 'paid';
         form.dispatchEvent(new Event('change', {{ bubbles: true }}))"
    ));
    browser.wait(&format!("return document.getElementById('standing').textContent.includes('level paid') && document.querySelector('#headline .value').textContent !== {first}"));
    let bounds = ["--since", since, "--until", until, "--level", "paid", "-q"];
    let overview =
        run(folder.path(), ["query", "overview", "--format", "json"].into_iter().chain(bounds))
            .json();
    let plays = browser.text("return document.querySelector('#headline .value').textContent");
    assert_eq!(plays.replace(',', ""), overview[0]["plays"].to_string());
    browser.wait("return document.querySelectorAll('figure[aria-busy]').length === 0");
    let csv = browser.run(
        "let saved; URL.createObjectURL = (blob) => { saved = blob.text(); return ''; }; HTMLAnchorElement.prototype.click = () => {};
         document.querySelector('figure[data-chart=topSongs] .csv').click(); return saved",
    );
    let expected =
        run(folder.path(), ["query", "top_songs", "--format", "csv"].into_iter().chain(bounds))
            .good();
    assert_eq!(csv.as_str().unwrap(), expected);
    let notes = browser
        .text("return document.querySelector('figure[data-chart=retention] .notes').textContent");
    assert!(notes.contains("Not filtered by level"), "{notes}");

    // The filters are kept when the page is loaded again.
    let address = browser.text("return location.href");
    assert!(address.contains(&format!("since={since}&until={until}&level=paid")), "{address}");
    browser.open(&address);
    assert_eq!(
        browser.wait("return document.querySelector('#headline .value')?.textContent"),
        plays.as_str()
    );
    browser.wait("return document.querySelectorAll('.loading').length === 0");
    assert_accessible(&browser);
    assert_fits(&browser, 400);
    assert_quiet(&browser, &[&serving.address(), "data:", "blob:"]);
}

#[test]
fn the_sql_editor_runs_cancels_and_refuses_statements() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let serving = Serving::start(folder.path(), &["--time-limit", "120"]);
    let browser = Browser::start();
    browser.open(&serving.url);
    browser.wait("return document.querySelector('#headline .value')?.textContent");
    browser.click("#tab-sql");
    assert_eq!(
        browser.run("return ['charts', 'sql'].map((it) => document.getElementById(it).hidden)"),
        json!([true, false])
    );
    let ask = |sql: &str| {
        browser.run(&format!("document.getElementById('statement').value = {}; document.getElementById('editor').requestSubmit()", json!(sql)));
    };
    let said = |words: &str| {
        browser.wait(&format!(
            "return document.getElementById('sql-state').textContent.includes({})",
            json!(words)
        ))
    };
    ask(
        "select level, count(*) as plays, '<b>' as markup from songplays group by level order by 1",
    );
    said("2 rows in");
    let table = browser.text("return document.querySelector('#answer tbody').innerText");
    assert!(table.starts_with("free\t") && table.contains("<b>"), "{table}");
    ask("drop table songplays");
    said("open read-only");
    assert_eq!(browser.run("return document.querySelector('#answer').childNodes.length"), 0);
    ask(ENDLESS);
    browser.wait("return document.getElementById('cancel').disabled === false");
    browser.click("#cancel");
    said("Cancelled");
    ask("select 42 as answer");
    said("1 row in");
    assert_fits(&browser, 400);
    assert_quiet(&browser, &[&serving.address(), "data:", "blob:"]);
}

#[test]
fn ctrl_c_stops_the_server_during_a_statement() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let mut serving = Serving::start(folder.path(), &["--time-limit", "600"]);
    let mut stream = TcpStream::connect(("127.0.0.1", serving.port)).unwrap();
    let body = json!({ "sql": ENDLESS }).to_string();
    stream.write_all(serving.request("/sql", &body, "").as_bytes()).unwrap();
    assert_eq!(serving.sql("select 1 as one")["rows"], json!([[1]]));
    let pid = serving.program.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(serving.program.wait().unwrap().code(), Some(0));
    let etl = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data", "-q"];
    run(folder.path(), etl).good();
}

#[test]
fn a_used_port_and_a_missing_warehouse_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let words = run(folder.path(), ["serve"]).bad(2);
    assert!(words.contains("no warehouse found"), "{words}");
    small(folder.path());
    let serving = Serving::start(folder.path(), &[]);
    let words = run(folder.path(), ["serve", "--port", &serving.port.to_string()]).bad(2);
    assert!(words.contains(&format!("cannot listen on 127.0.0.1:{}", serving.port)), "{words}");
    assert!(words.contains("--port 0"), "{words}");
}
