//! What repeats what, when there is no room for all.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

/// Of which kind something is, and of whom: what one source repeats is not to cost another its place. Two numbers stand for
/// that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub(super) kind: u64,
    /// The kind and the source.
    pub(super) own: u64,
}

impl Sort {
    #[must_use]
    pub fn of(kind: &str, source: u32) -> Self {
        let hasher = BuildHasherDefault::<DefaultHasher>::new();
        Self { kind: hasher.hash_one(kind), own: hasher.hash_one((kind, source)) }
    }

    pub(super) const fn numbers(&self) -> [u64; 2] {
        [self.kind, self.own]
    }
}
