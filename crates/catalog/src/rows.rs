//! Profiles inside the engine: dense ids, and sets of them.

use std::sync::OnceLock;

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use roaring::{MultiOps, RoaringBitmap};

/// The dense number of a profile inside one store. It never leaves the engine: not in a hash, a tie or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileId(pub u32);

impl ProfileId {
    /// How many profiles a block holds: one container of a Roaring bitmap.
    pub const PER_BLOCK: u32 = 1 << 16;

    /// The number of the block in which this profile and all its history lie.
    pub const fn block(self) -> u32 {
        self.0 / Self::PER_BLOCK
    }

    /// The place of this profile in its block, `0..65_536`.
    pub const fn within_block(self) -> u32 {
        self.0 % Self::PER_BLOCK
    }
}

/// A set of rows of one table, as a bitmap: of profiles, or of the rows of a row segment.
#[derive(Debug, Clone, Default)]
pub struct RowSet {
    bits: RoaringBitmap,
    /// A mark for each row up to its last, where it was asked for and is no larger than the bitmap may be.
    marks: OnceLock<BooleanBuffer>,
}

/// A set that has at least one of so many rows is marked row by row, in as many bits as Roaring may take for it.
const DENSE: u64 = 16;

impl RowSet {
    /// The set without rows.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The rows of `bits`, in their most compact form.
    pub fn from_bitmap(mut bits: RoaringBitmap) -> Self {
        bits.optimize();
        Self { bits, marks: OnceLock::new() }
    }

    fn of(bits: RoaringBitmap) -> Self {
        Self { bits, marks: OnceLock::new() }
    }

    /// The bitmap itself.
    pub fn bitmap(&self) -> &RoaringBitmap {
        &self.bits
    }

    /// How many rows it holds.
    pub fn len(&self) -> u64 {
        self.bits.len()
    }

    /// Whether it holds no row.
    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    /// Whether `row` is in it.
    pub fn contains(&self, row: u32) -> bool {
        self.bits.contains(row)
    }

    /// The rows in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.bits.iter()
    }

    /// The rows of it that lie in one block of profiles.
    pub fn block(&self, block: u32) -> Self {
        let first = block.saturating_mul(ProfileId::PER_BLOCK);
        Self::of(self.bits.range(first..=first.saturating_add(ProfileId::PER_BLOCK - 1)).collect())
    }

    /// The rows of this set that are not in `other`.
    pub fn minus(&self, other: &Self) -> Self {
        Self::of(&self.bits - &other.bits)
    }

    /// The rows of both sets.
    pub fn and(&self, other: &Self) -> Self {
        Self::of(&self.bits & &other.bits)
    }

    /// The rows of either set.
    pub fn or(&self, other: &Self) -> Self {
        Self::of(&self.bits | &other.bits)
    }

    /// The rows from `first` on that are marked.
    pub fn from_marks(first: u32, marks: &BooleanBuffer) -> Self {
        let bytes: Vec<u8> = marks.bit_chunks().iter_padded().flat_map(u64::to_le_bytes).collect();
        Self::of(RoaringBitmap::from_lsb0_bytes(first, &bytes))
    }

    /// A mark for each of `count` rows from `first` on: whether it is in the set.
    pub fn marks(&self, first: u32, count: usize) -> BooleanBuffer {
        let mut marks = BooleanBufferBuilder::new(count);
        if let Some(all) = self.all_marks() {
            let known = all.len().saturating_sub(first as usize).min(count);
            if known == count {
                return all.slice(first as usize, count);
            }
            marks.append_buffer(&all.slice(all.len().min(first as usize), known));
            marks.append_n(count - known, false);
            return marks.finish();
        }
        marks.append_n(count, false);
        let end = u64::from(first) + count as u64;
        let members = self.bits.range(first..).take_while(|row| u64::from(*row) < end);
        members.for_each(|row| marks.set_bit((row - first) as usize, true));
        marks.finish()
    }

    /// A mark for each row up to the last; `None` for a set of few among many.
    fn all_marks(&self) -> Option<&BooleanBuffer> {
        let rows = self.bits.max().map_or(0, |last| u64::from(last) + 1);
        if rows > self.bits.len().saturating_mul(DENSE) {
            return None;
        }
        Some(self.marks.get_or_init(|| {
            let mut marks = BooleanBufferBuilder::new(rows as usize);
            marks.append_n(rows as usize, false);
            let mut ranges = self.bits.iter();
            while let Some(range) = ranges.next_range() {
                range.for_each(|row| marks.set_bit(row as usize, true));
            }
            marks.finish()
        }))
    }

    /// The rows of any of these sets.
    pub fn union(sets: impl IntoIterator<Item = Self>) -> Self {
        Self::from_bitmap(sets.into_iter().map(|set| set.bits).union())
    }

    /// The portable bytes of the Roaring format specification.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bits.serialized_size());
        self.bits.serialize_into(&mut bytes).expect("writing to memory does not fail");
        bytes
    }

    /// Reads what [`RowSet::to_bytes`] wrote.
    ///
    /// # Errors
    /// If the bytes are no bitmap in the Roaring format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, std::io::Error> {
        RoaringBitmap::deserialize_from(bytes).map(Self::of)
    }
}

/// What was marked of a set is no part of it.
impl PartialEq for RowSet {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl FromIterator<u32> for RowSet {
    fn from_iter<I: IntoIterator<Item = u32>>(rows: I) -> Self {
        Self::from_bitmap(rows.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_the_rows_and_back() {
        let marks = BooleanBuffer::collect_bool(70_003, |row| row % 3 == 1 || row > 70_000);
        for first in [0, 65_536, 1_000_003] {
            let rows = RowSet::from_marks(first, &marks);
            assert_eq!(rows.len(), marks.count_set_bits() as u64);
            assert!(rows.contains(first + 1) && !rows.contains(first + 2) && rows.contains(first + 70_002));
            assert_eq!(rows.marks(first, marks.len()), marks);
            assert_eq!(rows.marks(first + 1, 3), marks.slice(1, 3));
        }
        let few: RowSet = [9, 70_000, 5_000_000].into_iter().collect();
        for set in [&few, &few.or(&RowSet::from_marks(0, &marks))] {
            for (first, count) in [(0, 12), (60_000, 100_000), (4_999_999, 3), (6_000_000, 2)] {
                let expected: Vec<bool> = (first..first + count as u32).map(|row| set.contains(row)).collect();
                assert_eq!(set.marks(first, count), BooleanBuffer::from(expected), "{first} {count}");
            }
        }
        let apart = [RowSet::from_marks(0, &marks), RowSet::from_marks(131_072, &marks)];
        assert_eq!(RowSet::union(apart.clone()).len(), apart[0].len() * 2);
    }

    #[test]
    fn a_set_of_rows_survives_its_bytes() {
        let rows: RowSet = [1, 70_000, 3].into_iter().collect();
        let back = RowSet::from_bytes(&rows.to_bytes()).ok();
        assert_eq!(back.map(|rows| rows.iter().collect()), Some(vec![1, 3, 70_000]));
        assert!(RowSet::from_bytes(b"no bitmap").is_err());
    }
}
