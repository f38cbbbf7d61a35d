//! Short files that an engine reads by itself, from a place outside: they lie there for as long as somebody holds this, and are gone afterwards.

/// Files in a folder of their own.
pub struct Shown {
    /// The folder's URL.
    pub folder: String,
    /// As whom the engine reads them.
    pub role: String,
    /// Where the place is.
    pub region: String,
    clear: Box<dyn Fn()>,
}

impl Shown {
    /// Files that `clear` removes, those that are still to come too.
    #[cfg(feature = "redshift")]
    pub(super) fn new(
        folder: String,
        role: String,
        region: String,
        clear: impl Fn() + 'static,
    ) -> Self {
        Self { folder, role, region, clear: Box::new(clear) }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        (self.clear)();
    }
}
