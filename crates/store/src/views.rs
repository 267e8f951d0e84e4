//! Texts by their views: a short one stands in its view whole, so two numbers say what a walk over bytes would.

use std::hash::BuildHasher;

use arrow_array::StringViewArray;
use foldhash::quality::FixedState;

/// Texts of at most so many bytes stand in their views: equal ones have equal views.
const INLINE: u32 = 12;

/// Whether the text of a view stands in it.
pub(crate) fn is_inline(view: u128) -> bool {
    view as u32 <= INLINE
}

/// Hashes texts; always the same ones to the same.
#[derive(Debug, Clone)]
pub(crate) struct Hasher(FixedState);

impl Default for Hasher {
    fn default() -> Self {
        Self(FixedState::with_seed(0))
    }
}

impl Hasher {
    #[inline]
    pub(crate) fn hash(&self, texts: &StringViewArray, row: usize) -> u64 {
        let view = texts.views()[row];
        if is_inline(view) { self.0.hash_one(view) } else { self.0.hash_one(texts.value(row)) }
    }
}

/// Whether two rows have the same text.
#[inline]
pub(crate) fn are_equal(left: &StringViewArray, left_row: u32, right: &StringViewArray, right_row: u32) -> bool {
    let (view, other) = (left.views()[left_row as usize], right.views()[right_row as usize]);
    if is_inline(view) {
        return view == other;
    }
    // The lower half is the length and the first four bytes.
    view as u64 == other as u64 && left.value(left_row as usize) == right.value(right_row as usize)
}
