//! Upload of short files below the staging prefix, for compatibility probes of COPY.
//!
//! The folder is named like that of a load, so that the next load also removes the leftovers of a
//! killed probe.

use super::staged::{self, Staging};
use sparkify_warehouse::{UploadedFiles, WarehouseError};

/// Uploads files (name and text) to a new folder, which is removed with the returned value.
pub(super) fn upload(
    staging: &Staging,
    files: &[(String, &str)],
) -> Result<UploadedFiles, WarehouseError> {
    let folder = staging.place.below(&staged::folder_name());
    // Created before the first file, so that its drop removes the files of a failed upload too.
    let uploaded = staging.files_of(&folder);
    for (name, text) in files {
        folder.put(name, text.as_bytes().to_vec()).map_err(|error| staged::failed(&error))?;
    }
    Ok(uploaded)
}
