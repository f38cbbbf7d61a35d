//! Two lists in the order of their keys, held against each other in one walk.

use std::iter::Peekable;
use std::slice::Iter;

use super::{Listing, Object};

/// A list in the order of its keys, in which keys are looked up in that order.
#[derive(Debug)]
pub struct InOrder<'a, T> {
    items: Peekable<Iter<'a, T>>,
    key: fn(&T) -> &str,
}

impl<'a, T> InOrder<'a, T> {
    /// `items`, which are in the order of this `key`.
    pub fn new(items: &'a [T], key: fn(&T) -> &str) -> Self {
        Self { items: items.iter().peekable(), key }
    }

    /// The item of this key, if there is one. No key is before one that was asked for earlier.
    pub fn get(&mut self, key: &str) -> Option<&'a T> {
        while self.items.next_if(|item| (self.key)(item) < key).is_some() {}
        self.items.peek().copied().filter(|item| (self.key)(item) == key)
    }
}

impl Listing {
    /// Its objects, to be looked up in the order of their keys.
    pub fn in_order(&self) -> InOrder<'_, Object> {
        InOrder::new(&self.objects, |object| &object.key)
    }
}
