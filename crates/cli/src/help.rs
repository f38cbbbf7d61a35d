//! Layout of `--help`: examples first, and only the global options that a command uses.

use clap::{Command, CommandFactory, FromArgMatches};

use super::args::Cli;

/// Help of a command: its examples come before its options.
const TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}{after-help}

{all-args}
";

/// Global options of the warehouse.
const WAREHOUSE: &[&str] =
    &["config", "warehouse", "schema", "allow_superuser", "memory", "wait", "threads"];
/// Global options of SQL that a user writes.
const USER_SQL: &[&str] = &["allow_superuser"];
/// Global options that print more than the result.
const LOG: &[&str] = &["verbose", "log_json"];

/// Parses the arguments of this process, and ends it on an error or after `--help`.
pub(super) fn parse() -> Cli {
    let mut command = command();
    let matches = command.get_matches_mut();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
}

/// Returns the command line. A global option that has no effect on a command is accepted, since it
/// may stand before the command, but is not listed in the command's help.
pub(super) fn command() -> Command {
    let program = Cli::command();
    let names: Vec<String> = program.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    names.into_iter().fold(program, |program, name| {
        let hidden: Vec<_> = program
            .get_arguments()
            .filter(|option| unused_by(&name).contains(&option.get_id().as_str()))
            .map(|option| option.clone().hide(true))
            .collect();
        program.mut_subcommand(name, |command| with_layout(command, &hidden))
    })
}

/// Applies the layout to a command and its subcommands.
fn with_layout(command: Command, hidden: &[clap::Arg]) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    let command = command.help_template(TEMPLATE).args(hidden.iter().cloned());
    if names.is_empty() {
        return command;
    }
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |subcommand| with_layout(subcommand, hidden))
    })
}

/// Returns the IDs of the global options that have no effect on a command.
fn unused_by(command: &str) -> Vec<&'static str> {
    let without = |parts: &[&[&'static str]]| parts.concat();
    match command {
        "generate" | "formats" => without(&[WAREHOUSE, LOG]),
        "init" | "completions" | "man" => without(&[WAREHOUSE, LOG, &["output"]]),
        "query" => vec!["output"],
        "shell" | "serve" | "verify" => Vec::new(),
        "diff" | "transfer" => without(&[USER_SQL, &["warehouse"]]),
        "sql" => without(&[USER_SQL, &["memory", "wait", "threads"], LOG]),
        "cluster" => without(&[USER_SQL, &["warehouse", "schema", "memory", "wait", "threads"]]),
        _ => USER_SQL.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help_of(name: &str) -> String {
        let mut command = command();
        command.build();
        command.find_subcommand_mut(name).unwrap().render_long_help().to_string()
    }

    #[test]
    fn a_command_lists_examples_first_and_only_options_that_it_uses() {
        let etl = help_of("etl");
        let at = |text: &str| etl.find(text).unwrap_or_else(|| panic!("no {text} in {etl}"));
        assert!(at("Usage:") < at("Example:") && at("Example:") < at("--song-data <LOCATION>"));
        assert!(at("--full-refresh") < at("Global options:") && at("S3:") < at("Global options:"));
        assert!(etl.contains("--warehouse") && !etl.contains("--allow-superuser"), "{etl}");
        let generate = help_of("generate");
        assert!(!generate.contains("--warehouse") && generate.contains("--quiet"), "{generate}");
    }

    #[test]
    fn a_hidden_global_option_is_still_accepted_on_both_sides_of_the_command() {
        for arguments in [
            ["sparkify", "--warehouse", "duckdb:a", "generate", "out"],
            ["sparkify", "generate", "--warehouse", "duckdb:a", "out"],
        ] {
            let matches = command().try_get_matches_from(arguments).unwrap();
            let cli = Cli::from_arg_matches(&matches).unwrap();
            assert_eq!(cli.global.warehouse.as_deref(), Some("duckdb:a"));
        }
    }
}
