//! Links between documents, and names of documents in code.

use std::path::{Path, PathBuf};

use super::{read, repository};
use crate::support::walk;

/// Folders and files of the repository that may name documents.
const SOURCES: &[&str] = &["crates", "docs", "examples", "scripts", "sql", "tests", "benches"];

fn documents() -> Vec<PathBuf> {
    let top = std::fs::read_dir(repository("")).unwrap().map(|entry| entry.unwrap().path());
    let below = SOURCES.iter().flat_map(|folder| walk(&repository(folder)));
    let is_document = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "md");
    top.chain(below).filter(is_document).collect()
}

/// Returns the text without fenced blocks.
fn prose(text: &str) -> String {
    text.split("\n```").step_by(2).collect::<Vec<_>>().join("\n")
}

/// Returns the anchors of the headings as GitHub writes them, and explicit ones.
fn anchors(text: &str) -> Vec<String> {
    let heading = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>()
    };
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#')).map(heading);
    let explicit = text.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    headings.chain(explicit.map(str::to_owned)).collect()
}

#[test]
fn links_between_documents_resolve() {
    let mut count = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for target in prose(&text).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target: String = target.split_whitespace().next().unwrap_or_default().into();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if file.is_empty() {
                document.clone()
            } else {
                document.parent().unwrap().join(file)
            };
            let place = document.display();
            assert!(path.exists(), "{place}: no file `{target}`");
            if !anchor.is_empty() {
                let found = anchors(&std::fs::read_to_string(&path).unwrap());
                assert!(found.iter().any(|it| it == anchor), "{place}: no heading `{target}`");
            }
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn documents_named_in_code_and_messages_exist() {
    let mut count = 0;
    let tests = [repository("README.md"), repository("Makefile")];
    for path in SOURCES.iter().flat_map(|folder| walk(&repository(folder))).chain(tests) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for rest in text.split("docs/").skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_/.".contains(c)));
            let name = &rest[..end.unwrap_or(rest.len())];
            let Some((name, _)) = name.split_once(".md") else { continue };
            if name.starts_with("NAME") {
                continue;
            }
            let file = format!("docs/{name}.md");
            assert!(repository(&file).exists(), "{}: no `{file}`", path.display());
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn the_index_names_every_page_of_the_guide() {
    let index = read("docs/README.md");
    for page in walk(&repository("docs")) {
        let name = page.strip_prefix(repository("docs")).unwrap().to_str().unwrap().to_owned();
        let is_page = Path::new(&name).extension().is_some_and(|it| it == "md");
        if is_page && name != "README.md" && (!name.starts_with("adr/") || name == "adr/README.md")
        {
            assert!(index.contains(&format!("]({name})")), "docs/README.md does not name {name}");
        }
    }
}
