//! Keys that differ only by capitals: two customers, or one that was typed twice.
//!
//! Only for profiles and lookups, whose keys people type; those of a history are numbers that a machine gave.

use std::hash::BuildHasher;

use arrow_array::RecordBatch;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use muster_catalog::{Kind, Table};

use crate::report::Collision;
use crate::typing::as_texts;

/// Collisions that are told; all are counted.
const TOLD: usize = 100;

/// How many keys differ only by capitals from one that came before, and the first of them.
pub(crate) fn collisions(table: &Table, batches: &[RecordBatch]) -> (u64, Vec<Collision>) {
    let mut search = Search::default();
    if !matches!(table.kind, Kind::History { .. }) {
        for (number, batch) in batches.iter().enumerate() {
            search.look_at(table, batches, number, batch);
        }
    }
    (search.count, search.told)
}

#[derive(Default)]
struct Search {
    /// Where the first key of a folded text stands: batch and row.
    first: HashMap<u64, (usize, usize), FixedState>,
    count: u64,
    told: Vec<Collision>,
}

impl Search {
    fn look_at(&mut self, table: &Table, batches: &[RecordBatch], number: usize, batch: &RecordBatch) {
        let Some(keys) = keys(table, batch) else { return };
        let hasher = FixedState::default();
        for (row, key) in keys.iter().enumerate() {
            let Some(key) = key.filter(|key| has_letters(key)) else { continue };
            let first = *self.first.entry(hasher.hash_one(key.to_lowercase())).or_insert((number, row));
            if first != (number, row) {
                self.compare(table, &batches[first.0], first.1, key);
            }
        }
    }

    fn compare(&mut self, table: &Table, batch: &RecordBatch, row: usize, key: &str) {
        let Some(first) = text(table, batch, row).filter(|first| first != key) else { return };
        // Equal hashes are no proof.
        if first.to_lowercase() != key.to_lowercase() {
            return;
        }
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(Collision { first, second: key.to_owned() });
        }
    }
}

fn keys(table: &Table, batch: &RecordBatch) -> Option<arrow_array::StringViewArray> {
    as_texts(batch.column_by_name(table.key.as_deref()?)?).ok()
}

fn text(table: &Table, batch: &RecordBatch, row: usize) -> Option<String> {
    keys(table, batch).map(|keys| keys.value(row).to_owned())
}

/// A key of digits and signs has no capitals.
fn has_letters(key: &str) -> bool {
    key.bytes().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
}
