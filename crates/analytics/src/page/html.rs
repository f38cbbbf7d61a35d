//! The page put together: one file that asks nobody for anything.
//!
//! Its policy names the hash of each script and style that it holds, so that a browser runs these and nothing else, whatever the data says. The data
//! is JSON in which no `<` is left as it is: nothing in it can end its element.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const THEME: &str = include_str!("theme.js");
const LICENCES: &str = include_str!("licences.txt");
const D3: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../lib/d3.min.js"));
const PLOT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../lib/plot.min.js"));
/// Ours, in the order in which they build on one another.
const SCRIPTS: &[&str] = &[
    include_str!("words.js"),
    include_str!("table.js"),
    include_str!("charts.js"),
    include_str!("page.js"),
];
const LIVE_SCRIPT: &str = include_str!("live.js");
const FILTERS: &str = include_str!("filters.html");
const ASK: &str = include_str!("ask.html");
const ASK_LINK: &str = "\n  <a href=\"#ask\">Ask</a>";
/// What Observable Plot puts into each of its drawings whose class is `plot`.
const PLOT_STYLE: &str = include_str!("plot.css");

/// What the page is for.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// A file: the data is in it.
    File,
    /// Served: it asks again, and shows this token when it does.
    Live(&'a str),
}

/// Writes the page around `data`, which is JSON.
pub fn write(out: &mut dyn Write, kind: Kind<'_>, data: &str) -> io::Result<()> {
    let (library, ours, policy, data) = (library(), ours(kind), policy_of(kind), quoted(data));
    let mut rest = PAGE;
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(before, it)| Some((before, it.split_once("}}")?)))
    {
        out.write_all(before.as_bytes())?;
        let part = match (name, kind) {
            ("licences", _) => LICENCES,
            ("policy", _) => &policy,
            ("style", _) => STYLE,
            ("theme", _) => THEME,
            ("library", _) => &library,
            ("ours", _) => &ours,
            ("data", _) => &data,
            ("filters", Kind::Live(_)) => FILTERS,
            ("ask", Kind::Live(_)) => ASK,
            ("ask-link", Kind::Live(_)) => ASK_LINK,
            ("token", Kind::Live(token)) => token,
            _ => "",
        };
        out.write_all(part.as_bytes())?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// What a browser may run and load for this page, as `Content-Security-Policy` says it.
pub(super) fn policy_of(kind: Kind<'_>) -> String {
    let connect = match kind {
        Kind::File => "'none'",
        Kind::Live(_) => "'self'",
    };
    policy(&[THEME, &library(), &ours(kind)], &[STYLE, PLOT_STYLE], connect)
}

fn library() -> String {
    format!("{D3}\n{PLOT}")
}

fn ours(kind: Kind<'_>) -> String {
    let live = matches!(kind, Kind::Live(_)).then_some(LIVE_SCRIPT);
    SCRIPTS.iter().copied().chain(live).collect()
}

fn policy(scripts: &[&str], styles: &[&str], connect: &str) -> String {
    let hashes = |texts: &[&str]| texts.iter().map(|text| hash(text)).collect::<Vec<_>>().join(" ");
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src {connect}; base-uri 'none'; form-action 'none'",
        hashes(scripts),
        hashes(styles)
    )
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// JSON that stands in a page: what could be markup is written as an escape, which only strings can hold.
fn quoted(json: &str) -> String {
    let mut quoted = String::with_capacity(json.len() + json.len() / 64);
    for letter in json.chars() {
        match letter {
            '<' => quoted.push_str("\\u003c"),
            '>' => quoted.push_str("\\u003e"),
            '&' => quoted.push_str("\\u0026"),
            '\u{2028}' => quoted.push_str("\\u2028"),
            '\u{2029}' => quoted.push_str("\\u2029"),
            other => quoted.push(other),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_its_element_and_stays_what_it_was() {
        let hostile = r#"["</script><!--<script>", "a & b", "{{ours}}"]"#;
        assert!(!quoted(hostile).contains(['<', '>', '&']));
        let read = |json: &str| serde_json::from_str::<Vec<String>>(json).unwrap();
        assert_eq!(read(&quoted(hostile)), read(hostile));
        let mut page = Vec::new();
        write(&mut page, Kind::File, hostile).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert_eq!(page.matches("</script>").count(), 4, "theme, data, library, ours");
        assert!(page.contains("\"{{ours}}\""), "what the data says is no part of the template");
    }

    #[test]
    fn no_part_of_ours_ends_the_element_that_it_stands_in() {
        for script in [THEME, D3, PLOT, LIVE_SCRIPT].iter().chain(SCRIPTS) {
            assert!(!script.to_lowercase().contains("</script"));
            assert!(!script.contains("<!--"));
        }
        assert!(!STYLE.to_lowercase().contains("</style"));
        assert!(!LICENCES.contains("--"));
    }
}
