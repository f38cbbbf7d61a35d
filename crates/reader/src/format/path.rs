//! Paths to values in a record, and their evaluation.
//!
//! A path is the subset of `JSONPath` that COPY documents: `$`, then keys in dot or bracket notation,
//! and array indexes. A log format may also use `[primary]`, the element whose `is_primary` is true
//! or else the first one.
//!
//! All paths of a format form one tree, so that a record is scanned once, and a nested value once
//! more for each level that a path enters.

use std::fmt;

use crate::json::{Found, Raw, scan_array, scan_object};

/// Most keys and indexes of a path.
const MAX_STEPS: usize = 8;
/// Most keys of one object that paths name; a mask has one bit for each.
const MAX_KEYS: usize = 64;

/// Step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Member of an object.
    Key(String),
    /// Element of an array, from 0.
    Index(usize),
    /// Element of an array whose `is_primary` is true, or else the first one.
    Primary,
}

/// Notation of the keys of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    Dot,
    Bracket,
    Mixed,
}

/// Path from a record to one of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub steps: Vec<Step>,
    /// Text as written.
    text: String,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Path {
    /// Parses a path; fails with the reason. Returns the notation of its keys as well, of which COPY
    /// accepts one in a file.
    pub(super) fn parse(text: &str) -> Result<(Self, Option<Notation>), String> {
        let wrong = |what: &str| format!("`{text}` is not a supported path: {what}");
        let mut rest = text.trim().strip_prefix('$').ok_or_else(|| wrong("it has no `$`"))?;
        let (mut steps, mut notation) = (Vec::new(), None);
        while !rest.is_empty() {
            let (step, written, after) = step(rest).ok_or_else(|| {
                wrong("after `$` come `.key`, `['key']` and `[0]`; wildcards, slices and filters are not supported")
            })?;
            notation = match (notation, written) {
                (Some(known), Some(written)) if known != written => Some(Notation::Mixed),
                (known, written) => written.or(known),
            };
            steps.push(step);
            rest = after;
        }
        if !matches!(steps.first(), Some(Step::Key(_))) {
            return Err(wrong("it does not begin with a key of the record"));
        }
        if steps.len() > MAX_STEPS {
            return Err(wrong("it has more than 8 steps"));
        }
        Ok((Self { steps, text: text.trim().to_owned() }, notation))
    }

    /// Returns the key of the record that holds the value.
    pub(super) fn first_key(&self) -> &str {
        match self.steps.first() {
            Some(Step::Key(key)) => key,
            _ => "",
        }
    }
}

/// Parses the first step of `rest`: returns it, its notation if it is a key, and the text after it.
fn step(rest: &str) -> Option<(Step, Option<Notation>, &str)> {
    if let Some(rest) = rest.strip_prefix('.') {
        let end = rest.find(['.', '[', ']', '\'', '"']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let is_key = !key.is_empty() && !key.contains(['*', '?', ' ']);
        return is_key.then(|| (Step::Key(key.to_owned()), Some(Notation::Dot), after));
    }
    let rest = rest.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(rest) = rest.strip_prefix(quote) {
            let (key, after) = rest.split_once(quote)?;
            let after = after.strip_prefix(']')?;
            return (!key.is_empty())
                .then(|| (Step::Key(key.to_owned()), Some(Notation::Bracket), after));
        }
    }
    let (inside, after) = rest.split_once(']')?;
    let index = match inside {
        "primary" => Step::Primary,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Step::Index(digits.parse().ok().filter(|index| *index < 1_000_000)?)
        }
        _ => return None,
    };
    Some((index, None, after))
}

/// Keys of an object, and what each leads to.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub keys: Vec<&'static str>,
    nodes: Vec<Node>,
}

/// Node of the tree: a value, and the paths that end there or enter it.
#[derive(Debug, Default)]
struct Node {
    /// Index of the path that ends here.
    slot: Option<usize>,
    members: Members,
    elements: Vec<(usize, Node)>,
    primary: Option<Box<Node>>,
}

/// The paths of a format, each with a slot for its value.
#[derive(Debug, Default)]
pub(super) struct PathTree {
    pub root: Members,
    paths: Vec<Path>,
}

impl PathTree {
    /// Adds a path, unless it is known, and returns its slot.
    pub(super) fn add(&mut self, path: Path) -> Result<usize, String> {
        if let Some(slot) = self.paths.iter().position(|known| known.steps == path.steps) {
            return Ok(slot);
        }
        let slot = self.paths.len();
        let (first, rest) = path.steps.split_first().ok_or("an empty path")?;
        if let Step::Key(key) = first {
            self.root.node(key)?.insert(rest, slot)?;
        }
        self.paths.push(path);
        Ok(slot)
    }

    /// Returns the text of a path.
    pub(super) fn text(&self, slot: usize) -> &str {
        &self.paths[slot].text
    }

    /// Returns the steps of a path.
    pub(super) fn steps(&self, slot: usize) -> &[Step] {
        &self.paths[slot].steps
    }

    /// Returns the key of the record that a path begins with, as an index of the root's keys.
    pub(super) fn root_key(&self, slot: usize) -> Option<usize> {
        let key = self.paths[slot].first_key();
        self.root.keys.iter().position(|known| *known == key)
    }

    /// Finds the values of all paths in the valid record at `start`.
    pub(super) fn evaluate(&self, window: &[u8], start: usize, found: &mut Vec<Found>) {
        found.clear();
        found.resize(self.paths.len(), Found::default());
        self.root.visit(window, start, found);
    }
}

impl Members {
    fn node(&mut self, key: &str) -> Result<&mut Node, String> {
        let index = match self.keys.iter().position(|known| *known == key) {
            Some(index) => index,
            None if self.keys.len() == MAX_KEYS => {
                return Err(format!("paths name more than {MAX_KEYS} keys of one object"));
            }
            None => {
                // The reader's inner loops use plain slices. A program reads one format.
                self.keys.push(key.to_owned().leak());
                self.nodes.push(Node::default());
                self.keys.len() - 1
            }
        };
        Ok(&mut self.nodes[index])
    }

    fn visit(&self, window: &[u8], start: usize, found: &mut [Found]) {
        let scanned = scan_object(window, start, &self.keys, &mut |member| {
            if let Some(index) = member.slot {
                let value = Found { raw: member.value, start: member.start };
                // The last value of a repeated key counts.
                self.nodes[index].clear(found);
                self.nodes[index].visit(window, value, found);
            }
        });
        debug_assert!(scanned.is_ok(), "the record was scanned before");
    }
}

impl Node {
    fn insert(&mut self, steps: &[Step], slot: usize) -> Result<(), String> {
        match steps.split_first() {
            None => self.slot = Some(slot),
            Some((Step::Key(key), rest)) => self.members.node(key)?.insert(rest, slot)?,
            Some((Step::Primary, rest)) => {
                self.primary.get_or_insert_default().insert(rest, slot)?;
            }
            Some((Step::Index(index), rest)) => {
                let known = self.elements.iter().position(|(known, _)| known == index);
                let at = known.unwrap_or_else(|| {
                    self.elements.push((*index, Self::default()));
                    self.elements.len() - 1
                });
                self.elements[at].1.insert(rest, slot)?;
            }
        }
        Ok(())
    }

    fn clear(&self, found: &mut [Found]) {
        if let Some(slot) = self.slot {
            found[slot] = Found::default();
        }
        let elements = self.elements.iter().map(|(_, node)| node);
        for node in self.members.nodes.iter().chain(elements).chain(self.primary.as_deref()) {
            node.clear(found);
        }
    }

    fn visit(&self, window: &[u8], value: Found, found: &mut [Found]) {
        if let Some(slot) = self.slot {
            found[slot] = value;
        }
        match window.get(value.start) {
            Some(b'{') if !self.members.keys.is_empty() => {
                self.members.visit(window, value.start, found);
            }
            Some(b'[') if !self.elements.is_empty() || self.primary.is_some() => {
                self.visit_elements(window, value.start, found);
            }
            _ => {}
        }
    }

    fn visit_elements(&self, window: &[u8], start: usize, found: &mut [Found]) {
        let (mut index, mut chosen) = (0, None);
        let scanned = scan_array(window, start, &mut |value| {
            for (wanted, node) in &self.elements {
                if *wanted == index {
                    node.visit(window, value, found);
                }
            }
            if self.primary.is_some() && (index == 0 || is_primary(window, value)) {
                // The first primary element counts.
                let keeps = matches!(chosen, Some((true, _)));
                if !keeps {
                    chosen = Some((is_primary(window, value), value));
                }
            }
            index += 1;
        });
        debug_assert!(scanned.is_ok(), "the record was scanned before");
        if let (Some(node), Some((_, value))) = (&self.primary, chosen) {
            node.visit(window, value, found);
        }
    }
}

fn is_primary(window: &[u8], value: Found) -> bool {
    let mut primary = false;
    if window.get(value.start) == Some(&b'{') {
        let _ = scan_object(window, value.start, &["is_primary"], &mut |member| {
            if member.slot.is_some() {
                primary = member.value == Raw::Other("true");
            }
        });
    }
    primary
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_at(path: &str, record: &str) -> String {
        let mut tree = PathTree::default();
        tree.add(Path::parse(path).unwrap().0).unwrap();
        let mut found = Vec::new();
        tree.evaluate(record.as_bytes(), 0, &mut found);
        match found[0].raw {
            Raw::Missing => String::new(),
            Raw::Null => "null".to_owned(),
            Raw::Text { start, end, .. } => format!("{:?}", &record[start..end]),
            Raw::Number { start, end } => record[start..end].to_owned(),
            Raw::Other(what) => what.to_owned(),
        }
    }

    #[test]
    fn paths_lead_to_nested_values() {
        let record = r##"{"a":{"b":[1,{"c":"x"}],"#text":"t"},"d.e":2,"n":null,"a2":[[7,8]]}"##;
        for (path, expected) in [
            ("$.a.b[1].c", r#""x""#),
            ("$['a']['b'][0]", "1"),
            ("$.a['#text']", r#""t""#),
            ("$[\"a\"]['#text']", r#""t""#),
            ("$['d.e']", "2"),
            ("$.n", "null"),
            ("$.a2[0][1]", "8"),
            ("$.a.b[2].c", ""),
            ("$.n.x", ""),
            ("$.a", "an object"),
        ] {
            assert_eq!(value_at(path, record), expected, "{path}");
        }
        // The last value of a repeated key counts, also if it has no such member.
        assert_eq!(value_at("$.a.b", r#"{"a":{"b":1},"a":{"c":2}}"#), "");
    }

    #[test]
    fn the_primary_element_or_else_the_first_is_taken() {
        for (list, expected) in [
            (r#"[{"v":1},{"v":2,"is_primary":true},{"v":3,"is_primary":true}]"#, "2"),
            (r#"[{"v":1,"is_primary":true},{"v":2,"is_primary":true}]"#, "1"),
            (r#"[{"v":1,"is_primary":false},{"v":2}]"#, "1"),
            ("[]", ""),
            (r#"["a",{"v":2,"is_primary":true}]"#, "2"),
        ] {
            assert_eq!(value_at("$.l[primary].v", &format!(r#"{{"l":{list}}}"#)), expected);
        }
    }

    #[test]
    fn unsupported_paths_are_refused() {
        for path in [
            "a",
            "$",
            "$.",
            "$..a",
            "$.*",
            "$[*]",
            "$[0]",
            "$.a[*]",
            "$.a[?(@.b)]",
            "$.a[0:2]",
            "$.a[-1]",
            "$['a",
            "$['a'",
            "$.a b",
            "$['']",
            "$.a.b.c.d.e.f.g.h.i",
            "$.a[99999999]",
        ] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }
}
