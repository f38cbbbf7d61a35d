//! Did you mean: the known name nearest to what was written.

use std::path::{Path, PathBuf};

/// The candidate that `written` most likely stands for, if one is near enough to offer.
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&written, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

/// `did you mean ...?` as a hint, or `otherwise` when nothing is near.
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

/// The path beside `path` whose name is nearest to its name, if one is near enough to offer.
pub fn nearest_path(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let near = nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        assert_eq!(nearest("songplay", ["users", "songplays", "songs"]), Some("songplays"));
        assert_eq!(nearest("LOG_DAAT", ["SONG_DATA", "LOG_DATA"]), Some("LOG_DATA"));
        assert_eq!(nearest("zebra", ["users", "songplays"]), None);
    }
}
