//! Suggestions for misspelled names ("did you mean …?").

use std::path::{Path, PathBuf};

/// Returns the candidate most similar to `written`, if any is similar enough (Jaro-Winkler above
/// 0.8).
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&written, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

/// Returns `did you mean …?` as a hint, or `otherwise` if no candidate is similar enough.
pub fn hint<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    match nearest(written, candidates) {
        Some(name) => format!("did you mean `{name}`?"),
        None => otherwise.to_owned(),
    }
}

/// Returns the file in the same folder whose name is most similar, if any is similar enough.
pub fn nearest_file(path: &Path) -> Option<PathBuf> {
    nearest_entry(path, Path::is_file)
}

/// Returns the path in the same folder whose name is most similar, if any is similar enough.
pub fn nearest_path(path: &Path) -> Option<PathBuf> {
    nearest_entry(path, |_| true)
}

fn nearest_entry(path: &Path, fits: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let entries = entries.flatten().filter(|entry| fits(&entry.path()));
    let names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let name = nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_misspelled_name_finds_the_nearest_candidate() {
        assert_eq!(nearest("songplay", ["users", "songplays", "songs"]), Some("songplays"));
        assert_eq!(nearest("LOG_DAAT", ["SONG_DATA", "LOG_DATA"]), Some("LOG_DATA"));
        assert_eq!(nearest("zebra", ["users", "songplays"]), None);
    }
}
