//! Pages of the reference that the program writes: commands, configuration and tables.

use std::fmt::Write as _;

use super::{assert_current, read};
use crate::support::run;

/// Heading of the options of every command.
const GLOBAL: &str = "Global options:";

fn help(command: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let text = run(folder.path(), command.iter().chain(&["--help"])).good();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Returns the subcommands that a help text lists.
fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|it| !it.starts_with(' ')));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Removes the options of every command, which the page shows once.
fn own_part(help: &str) -> String {
    let mut text = String::new();
    let mut is_global = false;
    for line in help.lines() {
        if line == GLOBAL {
            is_global = true;
        } else if is_global && !line.is_empty() && !line.starts_with(' ') {
            is_global = false;
        }
        if !is_global {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.trim_end().to_owned()
}

fn add(page: &mut String, command: &[&str]) {
    let help = help(command);
    let level = "#".repeat(command.len() + 1);
    let (title, text) = (command.join(" "), own_part(&help));
    writeln!(page, "\n{level} sparkify {title}\n\n```text\n{text}\n```").unwrap();
    for sub in subcommands(&help) {
        add(page, &[command, &[sub.as_str()]].concat());
    }
}

#[test]
fn the_reference_of_commands_is_the_help_of_the_program() {
    let main = help(&[]);
    let mut page = format!(
        "# Commands\n\nThis page is the `--help` of the program and of each command, written by a test \
         (`tests/it/guide/generated.rs`).\nThe global options apply to every command and are listed once.\n\n```text\n{main}\n```\n"
    );
    let commands = subcommands(&main);
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        add(&mut page, &[&command]);
    }
    assert_current("docs/reference/commands.md", &page);
}

#[test]
fn the_reference_of_the_configuration_file_is_what_init_writes() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), ["init"]).good();
    let written = std::fs::read_to_string(folder.path().join("dwh.cfg")).unwrap();
    let page = read("docs/reference/configuration.md");
    let (before, rest) = page.split_once("```ini\n").expect("a block of the file");
    let (_, after) = rest.split_once("```\n").expect("the end of the block");
    assert_current(
        "docs/reference/configuration.md",
        &format!("{before}```ini\n{written}```\n{after}"),
    );
}

#[test]
fn the_reference_of_tables_is_the_data_dictionary() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), ["docs", "--out", "out"]).good();
    let written = std::fs::read_to_string(folder.path().join("out/README.md")).unwrap();
    assert_current("docs/reference/tables.md", &written);
}
