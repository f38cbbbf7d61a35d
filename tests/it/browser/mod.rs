//! A real browser, driven as its own tool drives it: Chromium behind `chromedriver`, by the `WebDriver` protocol over plain HTTP.
//!
//! Each browser has a profile of its own that goes with it. What it loaded and what it complained about can be asked for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// Chromium as a test wants it: no window, no profile, no talk with anybody.
const ARGUMENTS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--window-size=1280,900",
];

/// The program that drives it, and its port; none when it ended before it had one.
fn drive(folder: &Path) -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .args(["--port=0", "--log-level=SEVERE"])
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the tests need `chromedriver`: `apt-get install chromium chromium-driver`");
    let mut said = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = said.by_ref().find_map(|line| {
        let port =
            line.unwrap().split("successfully on port ").nth(1)?.trim_end_matches('.').parse();
        Some(port.unwrap())
    });
    if port.is_some() {
        std::thread::spawn(move || said.for_each(drop));
    } else {
        let _ = driver.wait();
    }
    port.map(|port| (driver, port))
}

/// Chromium, for as long as a test needs it.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one. That there is none is a failure of the test.
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        // It takes a port for two kinds of addresses, and ends when one of them is taken meanwhile.
        let (driver, port) =
            (0..5).find_map(|_| drive(profile.path())).expect("chromedriver starts");
        let mut browser = Self { driver, port, session: String::new(), profile };
        let data = format!("--user-data-dir={}", browser.profile.path().join("data").display());
        let arguments: Vec<&str> = ARGUMENTS.iter().copied().chain([data.as_str()]).collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "unhandledPromptBehavior": "ignore",
        }}});
        let made = browser.send("POST", "/session", &wanted);
        made["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        browser
    }

    /// Opens an address and waits until it is loaded.
    pub(crate) fn open(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    /// Opens a file.
    pub(crate) fn open_file(&self, file: &Path) {
        self.open(&format!("file://{}", file.display()));
    }

    /// What `script` returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The same as text.
    pub(crate) fn text(&self, script: &str) -> String {
        let found = self.run(script);
        found.as_str().unwrap_or_else(|| panic!("{script}: {found}")).to_owned()
    }

    /// Waits until `script` returns something true, and gives it.
    pub(crate) fn wait(&self, script: &str) -> Value {
        let mut found = Value::Null;
        for _ in 0..600 {
            found = self.run(script);
            if ![Value::Null, false.into(), "".into()].contains(&found) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!(
            "{script} is still {found}; the page says {}",
            self.run("return document.body.innerText")
        );
    }

    /// Clicks what `selector` finds, as a person would: in the middle, with a pointer.
    pub(crate) fn click(&self, selector: &str) {
        let (x, y) = self.middle(selector);
        self.pointer(&[
            json!({ "type": "pointerMove", "x": x, "y": y, "duration": 0 }),
            json!({ "type": "pointerDown", "button": 0 }),
            json!({ "type": "pointerUp", "button": 0 }),
        ]);
    }

    /// Moves the pointer over what `selector` finds.
    pub(crate) fn hover(&self, selector: &str) {
        let (x, y) = self.middle(selector);
        let to = |x: i64| json!({ "type": "pointerMove", "x": x, "y": y, "duration": 0 });
        self.pointer(&[to(x - 1), to(x)]);
    }

    /// Presses keys; those without a letter have one in the protocol.
    pub(crate) fn keys(&self, keys: &str) {
        let press = |key: char| {
            let key = key.to_string();
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        };
        let actions: Vec<Value> = keys.chars().flat_map(press).collect();
        self.post(
            "/actions",
            &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }),
        );
    }

    /// A command of Chrome's own protocol.
    pub(crate) fn chrome(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// The page as it is printed, as PDF.
    pub(crate) fn print(&self) -> PathBuf {
        let page = json!({ "background": true, "page": { "width": 21.0, "height": 29.7 } });
        let printed = self.post("/print", &page);
        let file = self.profile.path().join("print.pdf");
        let bytes = base64_decode(printed.as_str().unwrap());
        std::fs::write(&file, bytes).unwrap();
        file
    }

    /// What was complained about in the console since it was asked last.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let logged = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = logged.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Every address that was asked for since this was asked last.
    pub(crate) fn requests(&self) -> Vec<String> {
        let logged = self.post("/se/log", &json!({ "type": "performance" }));
        let message = |entry: &Value| {
            let text = entry["message"].as_str().unwrap();
            serde_json::from_str::<Value>(text).unwrap()["message"].take()
        };
        let events = logged.as_array().unwrap().iter().map(message);
        let sent = events.filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    fn middle(&self, selector: &str) -> (i64, i64) {
        let place = self.run(&format!(
            "const found = document.querySelector({}); found.scrollIntoView({{ block: 'center', behavior: 'instant' }});
             const box = found.getBoundingClientRect(); return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]",
            json!(selector)
        ));
        (place[0].as_i64().unwrap(), place[1].as_i64().unwrap())
    }

    fn pointer(&self, actions: &[Value]) {
        let pointer = json!({ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": actions });
        self.post("/actions", &json!({ "actions": [pointer] }));
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.send("POST", &format!("/session/{}{path}", self.session), body)
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver listens");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        // It keeps the connection, whatever it is told: the length says where the answer ends.
        let (mut reader, mut line, mut length) = (BufReader::new(stream), String::new(), 0);
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(written) = line.to_lowercase().strip_prefix("content-length:") {
                length = written.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).unwrap();
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{method} {path}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A test that failed must leave no browser behind, nor fail again here.
        if !self.session.is_empty()
            && let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port))
        {
            let _ = write!(
                stream,
                "DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
                self.session
            );
            let _ = stream.read(&mut [0; 64]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}
