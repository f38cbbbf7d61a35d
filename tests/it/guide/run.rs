//! Runs the blocks of a page in an empty folder, and compares what they print.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::page::{self, Block};
use super::{read, repository, updates};
use crate::support::put;

/// Place in which a page runs.
pub(super) struct Place {
    folder: tempfile::TempDir,
    /// Environment in addition to `PATH` and `HOME`.
    pub environment: Vec<(&'static str, OsString)>,
    /// True if the output is that of the course data.
    pub has_course_data: bool,
    /// Options that make waits short: arguments of `sparkify cluster up` and `down`.
    pub short_waits: bool,
    /// True if every number of the output may differ.
    pub loose: bool,
}

impl Place {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            folder,
            environment: Vec::new(),
            has_course_data: false,
            short_waits: false,
            loose: false,
        }
    }

    /// Returns the folder in which the commands run.
    pub(super) fn work(&self) -> PathBuf {
        let work = self.folder.path().join("work");
        std::fs::create_dir_all(&work).unwrap();
        work
    }

    /// Returns a command without the configuration of this machine, with the built program first in
    /// its search path.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let bin = self.folder.path().join("bin");
        let polls = if self.short_waits { " --poll 0.02" } else { "" };
        // A wrapper, since an option for short waits belongs to no page.
        let script = format!(
            "#!/bin/sh\ncase \"$1 $2\" in 'cluster up' | 'cluster down') exec {0} \"$@\"{polls} ;; *) exec {0} \"$@\" ;; esac\n",
            env!("CARGO_BIN_EXE_sparkify")
        );
        put(&bin, "sparkify", script);
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(bin.join("sparkify"), executable).unwrap();
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().to_lowercase();
            let is_own = ["sparkify_", "aws_", "pg"].iter().any(|start| name.starts_with(start));
            if is_own || name.ends_with("_proxy") {
                command.env_remove(name.to_uppercase()).env_remove(name);
            }
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path)));
        command.current_dir(self.work()).stdin(Stdio::null());
        command.env("PATH", path.unwrap()).env("HOME", self.folder.path()).env("NO_COLOR", "1");
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command of a page. Returns its exit code, and the lines that it printed.
    fn run(&self, prelude: &str, text: &str) -> (Option<i32>, Vec<String>) {
        let script = format!("exec 2>&1\n{prelude}{text}\n");
        let output = self.command("bash").args(["-c", &script]).output().expect("bash starts");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        let work = self.work().canonicalize().unwrap().display().to_string();
        let printed = printed.replace(&work, "…");
        (output.status.code(), printed.lines().map(str::to_owned).collect())
    }
}

/// Runs every block of a page, and asserts that the output is as shown; writes it instead if tests
/// update files. Prints the blocks that are not run, with their reasons.
pub(super) fn check(file: &str, place: &Place) {
    let text = read(file);
    let (mut prelude, mut failures, mut changes) = (String::new(), Vec::new(), Vec::new());
    let (mut run, mut not_run) = (0, 0);
    for block in page::blocks(&text) {
        let (commands, exit, course) = match block {
            Block::Session { commands, exit, course } => (commands, exit, course),
            Block::File { name, content } => {
                put(&place.work(), &name, content);
                continue;
            }
            Block::NotRun { first, reason } => {
                not_run += 1;
                println!("{file}: not run: `{first}`: {reason}");
                continue;
            }
        };
        let last = commands.len() - 1;
        for (number, command) in commands.into_iter().enumerate() {
            run += 1;
            if command.text.starts_with("cd ") || command.text.starts_with("export ") {
                prelude = format!("{prelude}{}\n", command.text);
                continue;
            }
            let (code, printed) = place.run(&prelude, &command.text);
            let expected = if number == last { exit } else { 0 };
            let is_compared = !course || place.has_course_data;
            let same = !is_compared || page::matches(&command.output, &printed, place.loose);
            if !is_compared || code == Some(expected) && same {
                continue;
            }
            // Output with loose numbers is that of other data.
            if code == Some(expected) && updates() && !place.loose {
                changes.push((command.place, page::shortened(&command.output, &printed)));
                continue;
            }
            let (text, shown, found) =
                (command.text, command.output.join("\n"), printed.join("\n"));
            failures.push(format!(
                "$ {text}\nexit code {code:?}, expected {expected}\n--- shown\n{shown}\n--- printed\n{found}"
            ));
        }
    }
    println!("{file}: {run} commands run, {not_run} blocks not run");
    if !changes.is_empty() {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (place, printed) in changes.into_iter().rev() {
            lines.splice(place, printed);
        }
        std::fs::write(repository(file), lines.join("\n") + "\n").unwrap();
    }
    let count = failures.len();
    assert!(failures.is_empty(), "{file}: {count} commands differ\n\n{}", failures.join("\n\n"));
}
