//! Saved queries, report page and server, export, data dictionary, reconciliation with expected
//! numbers, and diff of two warehouses.

pub mod dictionary;
pub mod diff;
pub mod export;
#[cfg(feature = "page")]
pub mod page;
pub mod report;
pub mod sql;
pub mod verify;

/// Returns the hash of an embedded script or style, as a Content-Security-Policy names it.
fn content_hash(text: &str) -> String {
    use base64::Engine as _;
    use sha2::{Digest, Sha256};
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!("'sha256-{hash}'")
}
