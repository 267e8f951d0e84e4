//! Codes of texts as a block keeps them: no wider than the largest of them needs. A code of one byte is read four times as
//! fast as one of four.

use arrow_array::{Array, UInt32Array};
use arrow_buffer::{ArrowNativeType, NullBuffer, ScalarBuffer};

use crate::overlay::Run;
use crate::splice::{known, splice};

/// One code per row.
#[derive(Debug, Clone)]
pub struct Codes {
    values: CodeValues,
    nulls: Option<NullBuffer>,
}

/// The codes themselves; 0 under a null.
#[derive(Debug, Clone)]
pub enum CodeValues {
    /// Up to 255.
    One(ScalarBuffer<u8>),
    /// Up to 65,535.
    Two(ScalarBuffer<u16>),
    /// Whatever there are.
    Four(ScalarBuffer<u32>),
}

impl Codes {
    /// As narrow as the largest of them allows.
    pub fn of(codes: &UInt32Array) -> Self {
        let nulls = codes.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        let largest = codes.iter().flatten().max().unwrap_or_default();
        let code = |row: usize| if codes.is_valid(row) { codes.value(row) } else { 0 };
        let each = (0..codes.len()).map(code);
        let values = match largest {
            0..=0xff => CodeValues::One(each.map(|code| code as u8).collect()),
            0x100..=0xffff => CodeValues::Two(each.map(|code| code as u16).collect()),
            _ if nulls.is_none() => CodeValues::Four(codes.values().clone()),
            _ => CodeValues::Four(each.collect()),
        };
        Self { values, nulls }
    }

    /// The codes.
    pub fn values(&self) -> &CodeValues {
        &self.values
    }

    /// Which rows have one; `None`: all.
    pub fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }

    /// That of a row; `None` where it has none.
    pub fn code(&self, row: usize) -> Option<u32> {
        let code = match &self.values {
            CodeValues::One(values) => u32::from(values[row]),
            CodeValues::Two(values) => u32::from(values[row]),
            CodeValues::Four(values) => values[row],
        };
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)).then_some(code)
    }

    /// How many rows there are.
    pub fn row_count(&self) -> usize {
        match &self.values {
            CodeValues::One(values) => values.len(),
            CodeValues::Two(values) => values.len(),
            CodeValues::Four(values) => values.len(),
        }
    }

    /// The same, four bytes each.
    pub fn wide(&self) -> UInt32Array {
        let values = match &self.values {
            CodeValues::One(values) => values.iter().map(|code| u32::from(*code)).collect(),
            CodeValues::Two(values) => values.iter().map(|code| u32::from(*code)).collect(),
            CodeValues::Four(values) => values.clone(),
        };
        UInt32Array::new(values, self.nulls.clone())
    }

    pub(crate) fn bytes(&self) -> usize {
        let values = match &self.values {
            CodeValues::One(values) => values.inner().len(),
            CodeValues::Two(values) => values.inner().len(),
            CodeValues::Four(values) => values.inner().len(),
        };
        values + self.nulls.as_ref().map_or(0, |nulls| nulls.inner().inner().len())
    }

    /// Those from the place `first` on; nothing is copied.
    pub(crate) fn part(&self, first: usize, count: usize) -> Self {
        let values = match &self.values {
            CodeValues::One(values) => CodeValues::One(values.slice(first, count)),
            CodeValues::Two(values) => CodeValues::Two(values.slice(first, count)),
            CodeValues::Four(values) => CodeValues::Four(values.slice(first, count)),
        };
        Self { values, nulls: self.nulls.as_ref().map(|nulls| nulls.slice(first, count)) }
    }

    /// Those at these places, four bytes each.
    pub(crate) fn taken(&self, places: &[u32]) -> UInt32Array {
        let values = match &self.values {
            CodeValues::One(values) => places.iter().map(|place| u32::from(values[*place as usize])).collect(),
            CodeValues::Two(values) => places.iter().map(|place| u32::from(values[*place as usize])).collect(),
            CodeValues::Four(values) => places.iter().map(|place| values[*place as usize]).collect(),
        };
        let nulls = self.nulls.as_ref();
        let nulls = nulls.map(|nulls| places.iter().map(|place| nulls.is_valid(*place as usize)).collect());
        UInt32Array::new(values, nulls)
    }

    /// Those that stay, with those that came between them.
    pub(crate) fn spliced(&self, came: &UInt32Array, runs: &[Run]) -> Self {
        let values = match &self.values {
            CodeValues::One(values) => narrow(came).map(|came| CodeValues::One(splice(values, &came, runs).into())),
            CodeValues::Two(values) => narrow(came).map(|came| CodeValues::Two(splice(values, &came, runs).into())),
            CodeValues::Four(values) => narrow(came).map(|came| CodeValues::Four(splice(values, &came, runs).into())),
        };
        // A code that came may be wider than all that there were.
        let widened = || splice(self.wide().values(), &narrow(came).unwrap_or_default(), runs);
        let nulls = known(self.nulls.as_ref(), came.nulls(), runs);
        match values {
            Some(values) => Self { values, nulls },
            None => Self::of(&UInt32Array::new(widened().into(), nulls)),
        }
    }
}

/// Codes in a narrower type; `None` where one does not fit.
fn narrow<T: ArrowNativeType + TryFrom<u32>>(codes: &UInt32Array) -> Option<Vec<T>> {
    codes.iter().map(|code| T::try_from(code.unwrap_or_default()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_each(codes: &Codes) -> usize {
        match codes.values() {
            CodeValues::One(_) => 1,
            CodeValues::Two(_) => 2,
            CodeValues::Four(_) => 4,
        }
    }

    #[test]
    fn codes_are_as_wide_as_the_largest_and_come_back() {
        for (largest, bytes) in [(0, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 4)] {
            // What stands under a null does not count.
            let wide =
                UInt32Array::new(vec![largest, 7_000_000, 0].into(), Some(NullBuffer::from(vec![true, false, true])));
            let codes = Codes::of(&wide);
            assert_eq!((bytes_each(&codes), codes.row_count()), (bytes, 3), "{largest}");
            assert_eq!(codes.wide(), wide);
            assert_eq!(codes.taken(&[2, 1, 0]).iter().collect::<Vec<_>>(), [Some(0), None, Some(largest)]);
            assert_eq!(codes.part(1, 2).wide(), wide.slice(1, 2));
        }
    }

    #[test]
    fn a_wide_code_that_comes_between_narrow_ones_widens_all() {
        let codes = Codes::of(&UInt32Array::from(vec![Some(1), None, Some(3)]));
        let runs = [Run::Base(0..1), Run::Came(0), Run::Base(2..3), Run::Came(1)];
        for (came, bytes) in [(200, 1), (300, 2), (70_000, 4)] {
            let spliced = codes.spliced(&UInt32Array::from(vec![Some(came), None]), &runs);
            assert_eq!(bytes_each(&spliced), bytes);
            assert_eq!(spliced.wide().iter().collect::<Vec<_>>(), [Some(1), Some(came), Some(3), None]);
        }
    }
}
