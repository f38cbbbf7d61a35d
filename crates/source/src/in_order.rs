//! Merge of two lists that are sorted by key, in one pass.

use std::iter::Peekable;
use std::slice::Iter;

use super::{Listing, Object};

/// Sorted list in which keys are looked up in ascending order.
#[derive(Debug)]
pub struct InOrder<'a, T> {
    items: Peekable<Iter<'a, T>>,
    key: fn(&T) -> &str,
}

impl<'a, T> InOrder<'a, T> {
    /// Creates a look-up in `items`, which are sorted by `key`.
    pub fn new(items: &'a [T], key: fn(&T) -> &str) -> Self {
        Self { items: items.iter().peekable(), key }
    }

    /// Returns the item of this key, if there is one. The key must not be smaller than in the last
    /// call.
    pub fn get(&mut self, key: &str) -> Option<&'a T> {
        while self.items.next_if(|item| (self.key)(item) < key).is_some() {}
        self.items.peek().copied().filter(|item| (self.key)(item) == key)
    }
}

impl Listing {
    /// Returns a look-up of objects in ascending order of their keys.
    pub fn in_order(&self) -> InOrder<'_, Object> {
        InOrder::new(&self.objects, |object| &object.key)
    }
}
