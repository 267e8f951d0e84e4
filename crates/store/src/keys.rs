//! Finding rows by their key.

use std::hash::BuildHasher;

use arrow_array::{Array, StringViewArray};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Row numbers of a column of distinct keys, by key.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    hasher: FixedState,
    rows: HashTable<u32>,
}

impl KeyIndex {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self { hasher: FixedState::with_seed(0), rows: HashTable::with_capacity(rows) }
    }

    /// The index of `keys`, which are distinct; rows without a key are not in it.
    pub(crate) fn of(keys: &StringViewArray) -> Self {
        let mut index = Self::with_capacity(keys.len());
        for row in 0..keys.len() {
            if keys.is_valid(row) {
                index.enter(keys, row as u32);
            }
        }
        index
    }

    /// Enters `row` under its key; answers the row that already has this key, if one has.
    pub(crate) fn enter(&mut self, keys: &StringViewArray, row: u32) -> Option<u32> {
        let key = keys.value(row as usize);
        let hasher = &self.hasher;
        let rehash = |row: &u32| hasher.hash_one(keys.value(*row as usize));
        let same = |other: &u32| keys.value(*other as usize) == key;
        match self.rows.entry(hasher.hash_one(key), same, rehash) {
            Entry::Occupied(entry) => Some(*entry.get()),
            Entry::Vacant(entry) => {
                entry.insert(row);
                None
            }
        }
    }

    /// The row of `keys` with this key.
    pub(crate) fn find(&self, keys: &StringViewArray, key: &str) -> Option<u32> {
        self.rows.find(self.hasher.hash_one(key), |row| keys.value(*row as usize) == key).copied()
    }
}
