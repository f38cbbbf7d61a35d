//! Fenced blocks of a Markdown page. A comment in the line before a block says how it is tested:
//!
//! - `<!-- file: NAME -->`: the content is written to a file
//! - `<!-- not run: REASON -->`: the block is not run
//! - `<!-- course data -->`: the output is that of the course data, and compared only with them
//! - `<!-- exit: CODE -->`, `<!-- course data, exit: CODE -->`: the last command ends with this code,
//!   otherwise with 0
//!
//! A block without a comment is a `console` session: commands after `$ `, then their output.

/// Command of a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub text: String,
    /// Expected lines of output; `…` stands for any text or any lines.
    pub output: Vec<String>,
    /// Lines of the page that hold the output.
    pub place: std::ops::Range<usize>,
}

/// Content of a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    Session { commands: Vec<Command>, exit: i32, course: bool },
    File { name: String, content: String },
    NotRun { first: String, reason: String },
}

/// Returns the blocks of a page; panics at a block that is neither run nor marked.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some(language) = lines[at].strip_prefix("```") else {
            at += 1;
            continue;
        };
        let end = (at + 1..lines.len()).find(|&line| lines[line] == "```").expect("a closed block");
        let marker = at.checked_sub(1).map_or("", |before| lines[before]);
        let marker = marker.strip_prefix("<!-- ").and_then(|it| it.strip_suffix(" -->"));
        let (key, value) = marker.map_or(("", ""), |it| it.split_once(": ").unwrap_or((it, "")));
        found.push(match key {
            "not run" => {
                assert!(value.len() > 10, "line {at}: a reason");
                Block::NotRun { first: lines[at + 1].to_owned(), reason: value.to_owned() }
            }
            "file" => Block::File {
                name: value.to_owned(),
                content: lines[at + 1..end].iter().flat_map(|line| [*line, "\n"]).collect(),
            },
            "" | "exit" | "course data" | "course data, exit" => {
                assert_eq!(language, "console", "line {}: no marker before this block", at + 1);
                let exit = value.parse().unwrap_or(0);
                let commands = commands(&lines, at + 1, end);
                Block::Session { commands, exit, course: key.starts_with("course data") }
            }
            other => panic!("line {at}: unknown marker `{other}`"),
        });
        at = end + 1;
    }
    found
}

fn commands(lines: &[&str], start: usize, end: usize) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut at = start;
    while at < end {
        if let Some(text) = lines[at].strip_prefix("$ ") {
            let mut text = text.to_owned();
            while text.ends_with('\\') {
                at += 1;
                text = format!("{text}\n{}", lines[at]);
            }
            commands.push(Command { text, output: Vec::new(), place: at + 1..at + 1 });
        } else {
            let command = commands.last_mut().expect("a session begins with a command");
            command.output.push(lines[at].to_owned());
            command.place.end = at + 1;
        }
        at += 1;
    }
    commands
}

/// True if printed lines are as expected. Durations and times of day match any; if `loose`, every
/// number does, and widths of columns.
pub(super) fn matches(expected: &[String], printed: &[String], loose: bool) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == "…" => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..], loose))
        }
        Some((line, rest)) => printed.split_first().is_some_and(|(found, others)| {
            line_matches(&normal(line, loose), &normal(found, loose))
                && matches(rest, others, loose)
        }),
    }
}

/// True if `found` is `expected`, in which `…` stands for any text.
fn line_matches(expected: &str, found: &str) -> bool {
    let Some((start, rest)) = expected.split_once('…') else {
        return expected == found;
    };
    let Some(found) = found.strip_prefix(start) else { return false };
    let (end, middle) =
        rest.rsplit_once('…').map_or((rest, None), |(middle, end)| (end, Some(middle)));
    let Some(mut found) = found.strip_suffix(end) else { return false };
    for part in middle.into_iter().flat_map(|middle| middle.split('…')) {
        match found.find(part) {
            Some(at) => found = &found[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// Replaces what differs between two runs by `#`.
fn normal(line: &str, loose: bool) -> String {
    let is_duration = line.starts_with("seconds ");
    let mut text = String::new();
    let mut rest = line.trim_end();
    while let Some(first) = rest.chars().next() {
        let number =
            rest.find(|c: char| !c.is_ascii_digit() && !".,:-".contains(c)).unwrap_or(rest.len());
        let number = if first.is_ascii_digit() { number } else { 0 };
        if number > 0 {
            let (digits, after) = rest.split_at(number);
            let is_volatile = loose
                || is_duration
                || after == " s"
                || after.starts_with(" s ")
                || digits.matches(':').count() == 2
                || digits.matches('-').count() == 2 && digits > "2025";
            text.push_str(if is_volatile { "#" } else { digits });
            rest = after;
            continue;
        }
        let is_repeated = loose && (first == ' ' || first == '─') && text.ends_with(first);
        if !is_repeated {
            text.push(first);
        }
        rest = &rest[first.len_utf8()..];
    }
    text
}

/// Returns the printed lines as the page should show them: with the omissions of the expected ones.
pub(super) fn shortened(expected: &[String], printed: &[String]) -> Vec<String> {
    let is_gap = |line: &String| line == "…";
    let (Some(head), Some(last)) =
        (expected.iter().position(is_gap), expected.iter().rposition(is_gap))
    else {
        return printed.to_vec();
    };
    let tail = expected.len() - last - 1;
    if head + tail >= printed.len() {
        return printed.to_vec();
    }
    let gap = ["…".to_owned()];
    [&printed[..head], &gap, &printed[printed.len() - tail..]].concat()
}

#[test]
fn sessions_files_and_reasons_are_found() {
    let page = "a\n\n<!-- exit: 1 -->\n```console\n$ one \\\n  two\nout\n$ three\n```\n<!-- file: x.cfg -->\n```ini\n[A]\n```\n<!-- not run: needs an account -->\n```sh\naws\n```\n";
    let command = |text: &str, output: &[&str], place| Command {
        text: text.into(),
        output: output.iter().map(|line| (*line).to_owned()).collect(),
        place,
    };
    let commands = vec![command("one \\\n  two", &["out"], 6..7), command("three", &[], 8..8)];
    let expected = [
        Block::Session { commands, exit: 1, course: false },
        Block::File { name: "x.cfg".into(), content: "[A]\n".into() },
        Block::NotRun { first: "aws".into(), reason: "needs an account".into() },
    ];
    assert_eq!(blocks(page), expected);
    assert!(std::panic::catch_unwind(|| blocks("```sh\nls\n```\n")).is_err(), "no marker");
}

#[test]
fn numbers_match_only_where_they_may_differ() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let same =
        |expected: &str, printed: &str, loose| matches(&lines(expected), &lines(printed), loose);
    assert!(same("seconds   0.88", "seconds   12.1", false));
    assert!(same("wrote 5 files in 0.7 s", "wrote 5 files in 2 s", false));
    assert!(!same("wrote 5 files in 0.7 s", "wrote 6 files in 0.7 s", false));
    assert!(same("at 2026-11-28 05:14:53.1", "at 2027-01-02 06:00:00.22", false));
    assert!(!same("at 2018-11-05", "at 2018-11-06", false));
    assert!(same("a  12\n──── b", "a 7\n── b", true) && !same("a  12", "b  12", true));
    assert!(same("a\n…\nz", "a\nb\nc\nz", false) && !same("a\n…\nz", "a\nb", false));
    assert!(same("x `…/b` y", "x `/tmp/b` y", false) && !same("x `…/b` y", "x `/tmp/c` y", false));
    let printed = lines("1\n2\n3\n4");
    assert_eq!(shortened(&lines("0\n…\n9"), &printed), lines("1\n…\n4"));
    assert_eq!(shortened(&lines("0"), &printed), printed);
}
