//! Objects that contain the records, as in exports of a whole history:
//! `{"user": "…", "listens": [{…}, {…}]}`.
//!
//! `records` reads such an object member by member. Here is which members lead to records, and
//! whether any did.

/// Bytes that are kept of a container, for the reject if it has no records.
const KEPT: usize = 16 << 10;

/// Open containers of a stream, from the outermost.
#[derive(Debug, Default)]
pub(super) struct Containers {
    /// Keys that were entered, one for each open container but the first.
    keys: Vec<Vec<u8>>,
    /// The outermost container: its offset in the stream and its first bytes.
    first: Option<(u64, Vec<u8>)>,
    /// True inside an array of records.
    pub in_array: bool,
    /// True if the outermost container had records, or an empty array of them.
    pub found: bool,
}

impl Containers {
    pub(super) fn is_open(&self) -> bool {
        self.first.is_some()
    }

    /// Opens the outermost container, which begins at `offset` of the stream.
    pub(super) fn open_first(&mut self, offset: u64, bytes: &[u8]) {
        self.first = Some((offset, bytes[..bytes.len().min(KEPT)].to_vec()));
        self.found = false;
    }

    /// Opens the container under a key of the innermost one.
    pub(super) fn open(&mut self, key: Vec<u8>) {
        self.keys.push(key);
    }

    pub(super) fn enter_array(&mut self) {
        (self.in_array, self.found) = (true, true);
    }

    /// Closes the innermost container. Returns the offset and the first bytes of the outermost one
    /// if it is closed, and had no records.
    pub(super) fn close(&mut self) -> Option<(u64, Vec<u8>)> {
        if self.keys.pop().is_some() {
            return None;
        }
        self.first.take().filter(|_| !self.found)
    }

    /// Returns true if the value of `key` in the innermost container is the records, false if
    /// it is a container on the way to them; none if it is neither.
    pub(super) fn leads(&self, key: &[u8], paths: &[&[&str]]) -> Option<bool> {
        let depth = self.keys.len();
        let mut found = None;
        for path in paths {
            let is_below = path.len() > depth
                && self.keys.iter().zip(*path).all(|(open, step)| open == step.as_bytes())
                && path[depth].as_bytes() == key;
            if is_below {
                found = Some(found.unwrap_or(false) || path.len() == depth + 1);
            }
        }
        found
    }
}
