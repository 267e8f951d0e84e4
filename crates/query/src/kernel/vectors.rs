//! Loops for the processor at hand: the same code, compiled for each kind of vector unit, and chosen when it runs.
//!
//! A function is compiled for the processor only where it becomes a part of the loop: the work that is done here is calls
//! of functions that are `#[inline(always)]`, with plain loops in them; an iterator's `collect` is a function of its own.

use std::sync::LazyLock;

use arrow_buffer::{BooleanBuffer, Buffer};
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u8x64};

static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);

/// Does the work with the widest vectors that there are. Loops over whole numbers in it come out the same with any. A closure
/// with a loop in it would stay a function of its own: `work` is the name of one.
pub(super) fn vectorized<G, R>(work: impl FnOnce(G) -> R, given: G) -> R {
    dispatch!(*LEVEL, simd => simd.vectorize(|| work(given)))
}

/// A bit for each value, a word at a time.
pub(super) fn marked<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> BooleanBuffer {
    let words = dispatch!(*LEVEL, simd => words(simd, values, &holds));
    BooleanBuffer::new(Buffer::from_vec(words), 0, values.len())
}

/// A bit for each number below `count`.
pub(super) fn marked_below(count: usize, holds: impl FnMut(usize) -> bool) -> BooleanBuffer {
    let words = dispatch!(*LEVEL, simd => words_below(simd, count, holds));
    BooleanBuffer::new(Buffer::from_vec(words), 0, count)
}

#[inline(always)]
fn words<S: Simd, T: Copy>(simd: S, values: &[T], holds: &impl Fn(T) -> bool) -> Vec<u64> {
    let mut words = vec![0; values.len().div_ceil(WORD)];
    let (whole, rest) = values.as_chunks::<WORD>();
    for (word, values) in words.iter_mut().zip(whole) {
        let mut truths = [0; WORD];
        for (truth, value) in truths.iter_mut().zip(values) {
            *truth = u8::from(holds(*value));
        }
        *word = packed(simd, &truths);
    }
    if let Some(word) = words.get_mut(whole.len()) {
        for (bit, value) in rest.iter().enumerate() {
            *word |= u64::from(holds(*value)) << bit;
        }
    }
    words
}

#[inline(always)]
fn words_below<S: Simd>(simd: S, count: usize, mut holds: impl FnMut(usize) -> bool) -> Vec<u64> {
    let mut words = vec![0; count.div_ceil(WORD)];
    for (number, word) in words.iter_mut().enumerate() {
        let first = number * WORD;
        let mut truths = [0; WORD];
        for (bit, truth) in truths.iter_mut().enumerate().take(count - first) {
            *truth = u8::from(holds(first + bit));
        }
        *word = packed(simd, &truths);
    }
    words
}

/// Bits of a word.
const WORD: usize = 64;

/// Bytes of 0 or 1 as bits, the first as the lowest.
#[inline(always)]
fn packed<S: Simd>(simd: S, truths: &[u8; WORD]) -> u64 {
    u8x64::from_slice(simd, truths).simd_gt(0).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_stands_for_each_value_in_order() {
        for count in [0, 1, 7, 63, 64, 65, 200] {
            let values: Vec<u32> = (0..count).map(|n| n * 7 % 11).collect();
            let expected = BooleanBuffer::collect_bool(values.len(), |place| values[place] > 4);
            assert_eq!(marked(&values, |value| value > 4), expected, "{count}");
            assert_eq!(marked_below(values.len(), |place| values[place] > 4), expected, "{count}");
            let narrow: Vec<u16> = values.iter().map(|value| *value as u16).collect();
            assert_eq!(marked(&narrow, |value| value > 4), expected, "{count}");
            // Without the vectors of the processor at hand.
            let baseline = Level::baseline();
            let plain = dispatch!(baseline, simd => words(simd, &values, &|value| value > 4));
            assert_eq!(BooleanBuffer::new(Buffer::from_vec(plain), 0, values.len()), expected, "{count}");
        }
    }
}
