//! Settings of the interactive shell from the environment: history file and pager.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Default pager: truncates long lines (`-S`) and exits at once if the text fits (`-F`).
const PAGER: &str = "less -SFRX";

/// Returns the history file: `SPARKIFY_HISTORY`, else a file below `XDG_STATE_HOME`, else below
/// `HOME`. None if `SPARKIFY_HISTORY` is empty or no home folder is known.
pub fn history() -> Option<PathBuf> {
    history_with(&|name| env::var_os(name))
}

fn history_with(environment: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(named) = environment("SPARKIFY_HISTORY") {
        return (!named.is_empty()).then(|| named.into());
    }
    // The XDG Base Directory Specification requires that a relative path is ignored.
    let state = environment("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let state = state.or_else(|| Some(home()?.join(".local/state")));
    state.map(|state| state.join("sparkify/history"))
}

/// Returns the command that shows results larger than the screen: `PAGER`, or `less`.
pub fn pager() -> String {
    env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty()).unwrap_or_else(|| PAGER.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_file_is_as_named_or_in_the_state_folder() {
        let at = |set: &[(&str, &str)]| {
            history_with(&|name| {
                set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).into())
            })
        };
        assert_eq!(at(&[("SPARKIFY_HISTORY", "h"), ("HOME", "/home/a")]), Some("h".into()));
        assert_eq!(at(&[("SPARKIFY_HISTORY", ""), ("HOME", "/home/a")]), None);
        assert_eq!(at(&[("XDG_STATE_HOME", "/s")]), Some("/s/sparkify/history".into()));
        let home = at(&[("XDG_STATE_HOME", "relative"), ("HOME", "/a")]);
        assert_eq!(home, Some("/a/.local/state/sparkify/history".into()));
        assert_eq!(at(&[]), None);
    }
}
