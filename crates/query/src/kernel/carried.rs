//! Values of few rows carried to many: each row has the place, or the code, of the one whose value it takes.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_select::take::take;
use datafusion::error::Result;
use muster_store::{CodeValues, Codes};

use super::vectors::marked;

/// The values at these places.
pub(super) fn gathered(values: &ArrayRef, places: &ScalarBuffer<u32>) -> Result<ArrayRef> {
    match values.as_boolean_opt() {
        Some(truths) => Ok(Arc::new(each_bits(truths, |bits| gathered_bits(bits, places)))),
        None => Ok(take(values, &UInt32Array::new(places.clone(), None), None)?),
    }
}

/// For each row the truth about its text; the last one is about rows without a text.
pub(super) fn truths_of_codes(truths: &BooleanArray, codes: &Codes) -> BooleanArray {
    each_bits(truths, |bits| {
        let of_codes = match codes.values() {
            CodeValues::One(codes) => gathered_bits(bits, codes),
            CodeValues::Two(codes) => gathered_bits(bits, codes),
            CodeValues::Four(codes) => gathered_bits(bits, codes),
        };
        match codes.nulls().map(NullBuffer::inner) {
            None => of_codes,
            Some(known) if bits.value(bits.len() - 1) => &of_codes | &!known,
            Some(known) => &of_codes & known,
        }
    })
}

/// Which are TRUE, and which are known.
fn each_bits(truths: &BooleanArray, gather: impl Fn(&BooleanBuffer) -> BooleanBuffer) -> BooleanArray {
    let nulls = truths.nulls().filter(|nulls| nulls.null_count() > 0);
    BooleanArray::new(gather(truths.values()), nulls.map(|nulls| gather(nulls.inner()).into()))
}

/// A place in a small table, as narrow as it stands in memory.
trait Place: Copy + PartialEq + TryFrom<usize> + Sync {
    fn at(self) -> usize;
}

impl Place for u8 {
    fn at(self) -> usize {
        usize::from(self)
    }
}

impl Place for u16 {
    fn at(self) -> usize {
        usize::from(self)
    }
}

impl Place for u32 {
    fn at(self) -> usize {
        self as usize
    }
}

/// So few places are compared with one after the other.
const FEW: usize = 4;

/// So many truths stay near the processor as a byte each, which are looked up faster than bits.
const NEAR: usize = 1 << 16;

/// Where few values are TRUE, or few are not, those places are looked for, which is vector code; otherwise few values all
/// stand in one word.
fn gathered_bits<P: Place>(bits: &BooleanBuffer, places: &[P]) -> BooleanBuffer {
    let set = bits.count_set_bits();
    // A place that is wider than all that there are is none of them.
    let few = |bits: &BooleanBuffer| bits.set_indices().filter_map(|place| P::try_from(place).ok()).collect::<Vec<_>>();
    if set <= FEW {
        return among(&few(bits), places);
    }
    if bits.len() - set <= FEW {
        return !&among(&few(&!bits), places);
    }
    let words: Vec<u64> = bits.bit_chunks().iter_padded().collect();
    if let [word] = words[..] {
        return marked(places, |place| word >> (place.at() & 63) & 1 == 1);
    }
    if bits.len() <= NEAR {
        let bytes: Vec<u8> = bits.iter().map(u8::from).collect();
        return marked(places, |place| bytes[place.at()] != 0);
    }
    marked(places, |place| words[place.at() / 64] >> (place.at() & 63) & 1 == 1)
}

/// Which places are among a few.
fn among<P: Place>(few: &[P], places: &[P]) -> BooleanBuffer {
    match *few {
        [] => BooleanBuffer::new_unset(places.len()),
        [one] => marked(places, |place| place == one),
        [one, other] => marked(places, |place| (place == one) | (place == other)),
        [one, ref others @ ..] => {
            let others: [P; FEW - 1] = std::array::from_fn(|at| others.get(at).copied().unwrap_or(one));
            marked(places, |place| others.iter().fold(place == one, |is, other| is | (place == *other)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many truths as `count`, every `step`-th TRUE, each seventh unknown.
    fn truths(count: usize, step: usize) -> BooleanArray {
        (0..count).map(|at| (at % 7 != 5).then_some(at % step == 0)).collect()
    }

    #[test]
    fn each_row_has_the_truth_of_its_place_however_many_are_true() {
        for (count, step) in [(3, 2), (60, 50), (60, 2), (300, 100), (300, 3), (300, 1), (70_000, 3)] {
            let truths = truths(count, step);
            let places: ScalarBuffer<u32> = (0..500).map(|row| row * 31 % count as u32).collect();
            let expected: BooleanArray =
                places.iter().map(|at| truths.is_valid(*at as usize).then(|| truths.value(*at as usize))).collect();
            let values: ArrayRef = Arc::new(truths.clone());
            assert_eq!(gathered(&values, &places).unwrap().as_boolean(), &expected, "{count} by {step}");
            // The last truth is that of rows without a text, and a code is as wide as the largest.
            let codes: UInt32Array = places.iter().map(|at| Some(*at).filter(|at| *at as usize + 1 < count)).collect();
            assert_eq!(truths_of_codes(&truths, &Codes::of(&codes)), expected, "{count} by {step}");
        }
    }
}
