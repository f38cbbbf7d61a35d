//! `sparkify completions` and `sparkify man`: files for shells and for `man`, made from the
//! arguments.

use std::path::Path;

use clap::Command;

use super::args::{Completions, Man};
use super::failure::Failure;
use super::help;
use super::printer::Printer;

/// Prints the completion script of a shell.
pub(super) fn run(args: &Completions, printer: &Printer) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(), "sparkify", &mut script);
    printer.text(&String::from_utf8_lossy(&script))
}

/// Writes a man page for the program and for each command.
pub(super) fn man(args: &Man, printer: &Printer) -> Result<(), Failure> {
    let folder: &Path = &args.folder;
    let failed = |error: std::io::Error| {
        let message = format!("cannot write man pages to `{}`: {error}", folder.display());
        Failure::new(message, "name a folder that exists and is writable")
    };
    let mut command = without_help(help::command());
    command.build();
    clap_mangen::generate_to(command, folder).map_err(failed)?;
    printer.note(&format!("wrote man pages to `{}`", folder.display()));
    Ok(())
}

/// Removes the commands `help`, which would get a man page for each other command.
fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}
