//! Browser for tests: Chromium through `chromedriver`, with the `WebDriver` protocol over plain
//! HTTP.
//!
//! Each browser has its own temporary profile, and records its requests and console messages.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// Arguments of Chromium: no window and no background requests.
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

/// Starts `chromedriver` and returns its port, or none if it ended before it had one.
fn drive(folder: &Path) -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .args(["--port=0", "--log-level=SEVERE"])
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the tests need `chromedriver`: `apt-get install chromium chromium-driver`");
    let mut stdout = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = stdout.by_ref().find_map(|line| {
        let port =
            line.unwrap().split("successfully on port ").nth(1)?.trim_end_matches('.').parse();
        Some(port.unwrap())
    });
    if port.is_some() {
        std::thread::spawn(move || stdout.for_each(drop));
    } else {
        let _ = driver.wait();
    }
    port.map(|port| (driver, port))
}

/// Chromium process, which ends when dropped.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium. Panics if it is not installed.
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        // Retried: chromedriver listens on one port of IPv4 and of IPv6, and ends if another
        // process takes one of them.
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

    pub(crate) fn open_file(&self, file: &Path) {
        self.open(&format!("file://{}", file.display()));
    }

    /// Returns the result of `script`.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Returns the result of `script`, which must be a string.
    pub(crate) fn text(&self, script: &str) -> String {
        let found = self.run(script);
        found.as_str().unwrap_or_else(|| panic!("{script}: {found}")).to_owned()
    }

    /// Waits until the result of `script` is true, and returns it.
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
            "{script} is still {found}; text of the page: {}",
            self.run("return document.body.innerText")
        );
    }

    /// Clicks the middle of the element that matches `selector`.
    pub(crate) fn click(&self, selector: &str) {
        let (x, y) = self.middle(selector);
        self.pointer(&[
            json!({ "type": "pointerMove", "x": x, "y": y, "duration": 0 }),
            json!({ "type": "pointerDown", "button": 0 }),
            json!({ "type": "pointerUp", "button": 0 }),
        ]);
    }

    /// Moves the pointer over the element that matches `selector`.
    pub(crate) fn hover(&self, selector: &str) {
        let (x, y) = self.middle(selector);
        let to = |x: i64| json!({ "type": "pointerMove", "x": x, "y": y, "duration": 0 });
        self.pointer(&[to(x - 1), to(x)]);
    }

    /// Presses keys. Keys without a character have a code point in the protocol.
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

    /// Runs a command of the Chrome `DevTools` protocol.
    pub(crate) fn chrome(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Prints the page to PDF, and returns the file.
    pub(crate) fn print(&self) -> PathBuf {
        let page = json!({ "background": true, "page": { "width": 21.0, "height": 29.7 } });
        let printed = self.post("/print", &page);
        let file = self.profile.path().join("print.pdf");
        let bytes = base64_decode(printed.as_str().unwrap());
        std::fs::write(&file, bytes).unwrap();
        file
    }

    /// Returns the console messages since the last call.
    pub(crate) fn console_messages(&self) -> Vec<String> {
        let logged = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = logged.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns the requested addresses since the last call.
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
        // The server ignores `Connection: close`, so the length ends the response.
        let (mut reader, mut line, mut length) = (BufReader::new(stream), String::new(), 0);
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(written) = line.to_lowercase().strip_prefix("content-length:") {
                length = written.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut response = vec![0; length];
        reader.read_exact(&mut response).unwrap();
        let mut response: Value = serde_json::from_slice(&response).unwrap();
        let value = response["value"].take();
        assert!(value.get("error").is_none(), "{method} {path}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A failed test must end its browser too, without a second panic.
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
