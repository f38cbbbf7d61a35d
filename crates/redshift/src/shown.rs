//! Short files in the place where a load's go as well, for a COPY that is tried out.
//!
//! Their folder is called as that of a load: what a process that was killed left in it, the next load removes.

use super::staged::{self, Staging};
use sparkify_warehouse::{UploadedFiles, WarehouseError};

/// Puts every file, name and text, into a folder of its own.
pub(super) fn put(
    staging: &Staging,
    files: &[(String, &str)],
) -> Result<UploadedFiles, WarehouseError> {
    let folder = staging.place.below(&staged::folder_name());
    let held = folder.clone();
    // It is there before the first file is: whatever fails from here on, the folder is emptied.
    let (role, region) = (staging.role.clone(), staging.region.clone());
    let shown = UploadedFiles::new(folder.location(), role, region, move || staged::clear(&held));
    for (name, text) in files {
        folder.put(name, text.as_bytes().to_vec()).map_err(staged::failed)?;
    }
    Ok(shown)
}
