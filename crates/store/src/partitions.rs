//! The keys of many rows by their hash: which rows have the same, and which rows of another table they name.
//!
//! One table of millions of keys misses the cache with every key. Dealt out by their hash first, keys are compared within
//! partitions that fit it, side by side; the answer is the same however many threads there are.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow_array::{Array, StringViewArray};
use rayon::prelude::*;

use crate::views::{Hasher, are_equal};

/// No row.
pub(crate) const NOWHERE: u32 = u32::MAX;
/// The row of the reference before.
const AS_BEFORE: u32 = u32::MAX - 1;

/// A partition has about so many keys: they and their table fit the second-level cache.
const PARTITION_ROWS: usize = 1 << 14;
const MOST_PARTITIONS: usize = 1 << 12;
/// Rows that are dealt out together.
const CHUNK_ROWS: usize = 1 << 20;
/// A row whose key an earlier one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Repeat {
    /// The first row with that key.
    pub(crate) first: u32,
    pub(crate) row: u32,
}

/// The rows of `keys` whose key an earlier row has, key by key in the order of their first rows; rows without a key are
/// none.
pub(crate) fn repeats(keys: &StringViewArray) -> Vec<Repeat> {
    let dealt = Dealt::of(keys, Partitions::of(keys.len()), |_| true);
    let found = (0..dealt.partitions.count()).into_par_iter().flat_map_iter(|partition| {
        let mut table = Table::with_capacity(dealt.rows_in(partition));
        let repeat = |entry: Entry| Some(Repeat { row: entry.row, first: table.enter(keys, entry)? });
        dealt.entries(partition).filter_map(repeat).collect::<Vec<_>>()
    });
    let mut found: Vec<Repeat> = found.collect();
    found.par_sort_unstable();
    found
}

/// For each of `references` the row of `keys`, which are distinct, that it names; else [`NOWHERE`].
pub(crate) fn rows_named(references: &StringViewArray, keys: &StringViewArray) -> Vec<u32> {
    let partitions = Partitions::of(keys.len());
    let known = Dealt::of(keys, partitions, |_| true);
    // Rows often come family by family: then the row before has the answer.
    let asked = Dealt::of(references, partitions, |row| !is_same(references, row, row.wrapping_sub(1)));
    let rows: Vec<AtomicU32> = (0..references.len()).into_par_iter().map(|_| AtomicU32::new(AS_BEFORE)).collect();
    (0..partitions.count()).into_par_iter().for_each(|partition| {
        let mut table = Table::with_capacity(known.rows_in(partition));
        known.entries(partition).for_each(|entry| {
            table.enter(keys, entry);
        });
        for entry in asked.entries(partition) {
            let row = table.find(entry.hash, |row| are_equal(references, entry.row, keys, row));
            // Nobody reads it before all threads are done.
            rows[entry.row as usize].store(row.unwrap_or(NOWHERE), Ordering::Relaxed);
        }
    });
    carried_on(rows, references)
}

/// The answers, where there is none that of the row before; none for rows without a reference.
fn carried_on(rows: Vec<AtomicU32>, references: &StringViewArray) -> Vec<u32> {
    let mut before = NOWHERE;
    let carried = rows.into_iter().enumerate().map(|(row, answer)| {
        before = match answer.into_inner() {
            _ if references.is_null(row) => NOWHERE,
            AS_BEFORE => before,
            answer => answer,
        };
        before
    });
    carried.collect()
}

/// Into how many parts keys are dealt, a power of two.
#[derive(Debug, Clone, Copy)]
struct Partitions(u32);

impl Partitions {
    /// As many as `rows` keys need.
    fn of(rows: usize) -> Self {
        let count = rows.div_ceil(PARTITION_ROWS).clamp(1, MOST_PARTITIONS);
        Self(count.next_power_of_two().ilog2())
    }

    fn count(self) -> usize {
        1 << self.0
    }

    /// By the upper bits; a table within a partition goes by the lower ones.
    fn partition_of(self, hash: u64) -> usize {
        hash.checked_shr(u64::BITS - self.0).unwrap_or(0) as usize
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// The lower bits of the key's hash.
    hash: u32,
    row: u32,
}

/// The rows of a column, dealt out by the hash of their key; within a partition in order.
struct Dealt {
    partitions: Partitions,
    chunks: Vec<Chunk>,
}

/// The entries of one run of rows, partition after partition.
struct Chunk {
    entries: Vec<Entry>,
    /// Where each partition's begin, and where the last one's end.
    starts: Vec<u32>,
}

impl Dealt {
    /// Those rows of `keys` that have one and that are `wanted`.
    fn of(keys: &StringViewArray, partitions: Partitions, wanted: impl Fn(usize) -> bool + Sync) -> Self {
        let chunks = (0..keys.len().div_ceil(CHUNK_ROWS)).into_par_iter().map(|chunk| {
            let first = chunk * CHUNK_ROWS;
            let rows = first..keys.len().min(first + CHUNK_ROWS);
            Chunk::of(keys, rows, partitions, |row| row == first || wanted(row))
        });
        Self { partitions, chunks: chunks.collect() }
    }

    fn entries(&self, partition: usize) -> impl Iterator<Item = Entry> {
        self.chunks.iter().flat_map(move |chunk| chunk.part(partition)).copied()
    }

    fn rows_in(&self, partition: usize) -> usize {
        self.chunks.iter().map(|chunk| chunk.part(partition).len()).sum()
    }
}

impl Chunk {
    fn of(keys: &StringViewArray, rows: Range<usize>, partitions: Partitions, wanted: impl Fn(usize) -> bool) -> Self {
        let hasher = Hasher::default();
        let chosen = rows.filter(|row| keys.is_valid(*row) && wanted(*row));
        let hashed: Vec<(u64, u32)> = chosen.map(|row| (hasher.hash(keys, row), row as u32)).collect();
        let mut starts = vec![0_u32; partitions.count() + 1];
        hashed.iter().for_each(|(hash, _)| starts[partitions.partition_of(*hash) + 1] += 1);
        (0..partitions.count()).for_each(|partition| starts[partition + 1] += starts[partition]);
        let mut next = starts.clone();
        let mut entries = vec![Entry::default(); hashed.len()];
        for (hash, row) in hashed {
            let place = &mut next[partitions.partition_of(hash)];
            entries[*place as usize] = Entry { hash: hash as u32, row };
            *place += 1;
        }
        Self { entries, starts }
    }

    fn part(&self, partition: usize) -> &[Entry] {
        &self.entries[self.starts[partition] as usize..self.starts[partition + 1] as usize]
    }
}

/// Whether two rows of a column have the same text; a row before the first has none.
fn is_same(keys: &StringViewArray, row: usize, other: usize) -> bool {
    other < keys.len() && keys.is_valid(row) && keys.is_valid(other) && are_equal(keys, row as u32, keys, other as u32)
}

/// The distinct keys of one partition.
struct Table {
    slots: Vec<Entry>,
}

impl Table {
    const FREE: u32 = NOWHERE;

    fn with_capacity(rows: usize) -> Self {
        let free = Entry { hash: 0, row: Self::FREE };
        Self { slots: vec![free; (rows * 2).next_power_of_two()] }
    }

    /// Enters a row under its key; answers the row that already has it, if one has.
    fn enter(&mut self, keys: &StringViewArray, entry: Entry) -> Option<u32> {
        let slot = self.slot(entry.hash, |row| are_equal(keys, entry.row, keys, row));
        let taken = self.slots[slot];
        if taken.row != Self::FREE {
            return Some(taken.row);
        }
        self.slots[slot] = entry;
        None
    }

    fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let found = self.slots[self.slot(hash, is_it)].row;
        (found != Self::FREE).then_some(found)
    }

    /// Where the key stands, or would; half of the slots are free at least.
    fn slot(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> usize {
        let last = self.slots.len() - 1;
        let mut slot = hash as usize & last;
        loop {
            let Entry { hash: found, row } = self.slots[slot];
            if row == Self::FREE || found == hash && is_it(row) {
                return slot;
            }
            slot = (slot + 1) & last;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Short and long texts, some of them again and again, with gaps.
    fn texts(count: usize, distinct: usize) -> StringViewArray {
        let text = |row: usize| {
            let number = row.wrapping_mul(0x9E37_79B9) % distinct;
            match number % 7 {
                0 => None,
                1 | 2 => Some(format!("a key of more than twelve bytes {number}")),
                _ => Some(format!("{number}")),
            }
        };
        (0..count).map(text).collect()
    }

    #[test]
    fn repeats_are_those_that_a_map_finds() {
        for (count, distinct) in [(0, 1), (1, 1), (3_000, 50), (100_000, 90_000), (2_500_000, 2_000_000)] {
            let keys = texts(count, distinct);
            let mut firsts: HashMap<&str, u32> = HashMap::new();
            let mut expected = Vec::new();
            for (row, key) in (0..).zip(&keys) {
                let Some(key) = key else { continue };
                match firsts.get(key) {
                    Some(first) => expected.push(Repeat { row, first: *first }),
                    None => drop(firsts.insert(key, row)),
                }
            }
            expected.sort_unstable();
            assert!(repeats(&keys) == expected, "{count} rows of {distinct} keys");
        }
    }

    #[test]
    fn references_name_the_rows_that_a_map_finds_also_in_families() {
        let keys: StringViewArray = (0..60_000).map(|row| Some(format!("{}", row * 3))).collect();
        let rows: HashMap<&str, u32> = keys.iter().flatten().zip(0..).collect();
        let families = (0..CHUNK_ROWS + 10).map(|row| (row % 5 != 0).then(|| format!("{}", row / 4 * 2)));
        for references in [families.collect(), texts(200_000, 100_000), texts(0, 1)] {
            let named: Vec<u32> = rows_named(&references, &keys);
            let expected = references.iter().map(|key| key.and_then(|key| rows.get(key)).copied().unwrap_or(NOWHERE));
            assert!(named.into_iter().eq(expected));
        }
    }
}
