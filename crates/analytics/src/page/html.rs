//! Assembly of the self-contained page.
//!
//! The Content-Security-Policy lists the hash of each embedded script and style, so a browser runs
//! nothing else, whatever the data contains. `<`, `>` and `&` are escaped in the JSON data, so it
//! cannot end its element.

use std::io::{self, Write};

use crate::content_hash;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const THEME: &str = include_str!("theme.js");
const LICENCES: &str = include_str!("licences.txt");
const D3: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../lib/d3.min.js"));
const PLOT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../lib/plot.min.js"));
/// Scripts of the page, in dependency order.
const SCRIPTS: &[&str] = &[
    include_str!("words.js"),
    include_str!("periods.js"),
    include_str!("table.js"),
    include_str!("marks.js"),
    include_str!("charts.js"),
    include_str!("headline.js"),
    include_str!("page.js"),
];
/// Scripts of the served page only, which follow.
const LIVE_SCRIPTS: &[&str] = &[include_str!("live.js"), include_str!("editor.js")];
const FILTERS: &str = include_str!("filters.html");
const SQL_EDITOR: &str = include_str!("editor.html");
const TABS: &str = include_str!("tabs.html");
/// Attributes of the charts as the panel of a tab.
const PANEL: &str = " role=\"tabpanel\" aria-labelledby=\"tab-charts\"";
/// Style that Observable Plot adds to each drawing with class `plot`; the policy needs its hash.
const PLOT_STYLE: &str = include_str!("plot.css");

/// Use of the page.
#[derive(Debug, Clone, Copy)]
pub enum PageKind<'a> {
    /// File with embedded data.
    File,
    /// Served page, which sends this token with its requests.
    Live(&'a str),
}

/// Writes the page with `data`, which is JSON. Placeholders `{{name}}` are replaced in one pass
/// over the template, so text inside the data is never taken for a placeholder.
pub fn write(out: &mut dyn Write, kind: PageKind<'_>, data: &str) -> io::Result<()> {
    let (library, scripts, policy, data) =
        (library(), scripts(kind), policy_of(kind), quoted(data));
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
            ("scripts", _) => &scripts,
            ("data", _) => &data,
            ("filters", PageKind::Live(_)) => FILTERS,
            ("editor", PageKind::Live(_)) => SQL_EDITOR,
            ("tabs", PageKind::Live(_)) => TABS,
            ("panel", PageKind::Live(_)) => PANEL,
            ("token", PageKind::Live(token)) => token,
            _ => "",
        };
        out.write_all(part.as_bytes())?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// Returns the `Content-Security-Policy` of the page.
pub(super) fn policy_of(kind: PageKind<'_>) -> String {
    let connect = match kind {
        PageKind::File => "'none'",
        PageKind::Live(_) => "'self'",
    };
    policy(&[THEME, &library(), &scripts(kind)], &[STYLE, PLOT_STYLE], connect)
}

fn library() -> String {
    format!("{D3}\n{PLOT}")
}

fn scripts(kind: PageKind<'_>) -> String {
    let live = if matches!(kind, PageKind::Live(_)) { LIVE_SCRIPTS } else { &[] };
    SCRIPTS.iter().chain(live).copied().collect()
}

fn policy(scripts: &[&str], styles: &[&str], connect: &str) -> String {
    let hashes =
        |texts: &[&str]| texts.iter().map(|text| content_hash(text)).collect::<Vec<_>>().join(" ");
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src {connect}; base-uri 'none'; form-action 'none'",
        hashes(scripts),
        hashes(styles)
    )
}

/// Escapes JSON for a script element. Markup characters occur only inside JSON strings, where an
/// escape is valid.
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
    fn data_cannot_end_its_element_and_is_unchanged() {
        let hostile = r#"["</script><!--<script>", "a & b", "{{scripts}}"]"#;
        assert!(!quoted(hostile).contains(['<', '>', '&']));
        let read = |json: &str| serde_json::from_str::<Vec<String>>(json).unwrap();
        assert_eq!(read(&quoted(hostile)), read(hostile));
        let mut page = Vec::new();
        write(&mut page, PageKind::File, hostile).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert_eq!(page.matches("</script>").count(), 4, "theme, data, library, scripts");
        assert!(page.contains("\"{{scripts}}\""), "placeholders in the data are not replaced");
    }

    #[test]
    fn embedded_parts_do_not_end_their_element() {
        for script in [THEME, D3, PLOT].iter().chain(SCRIPTS).chain(LIVE_SCRIPTS) {
            assert!(!script.to_lowercase().contains("</script"));
            assert!(!script.contains("<!--"));
        }
        assert!(!STYLE.to_lowercase().contains("</style"));
        assert!(!LICENCES.contains("--"));
    }
}
