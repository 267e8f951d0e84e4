//! A column as a block holds it: no wider than its values need.
//!
//! Decimals of up to 18 digits are eight bytes, instants are four bytes from the block's first one where that loses
//! nothing, text with at most a million distinct values is a code of one, two or four bytes into its table's dictionary. At
//! the border every column is the Arrow type of its [`ColumnType`].

use std::sync::Arc;

use arrow_array::builder::UInt32Builder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, TimestampMicrosecondType, UInt32Type};
use arrow_array::{
    Array, ArrayRef, Decimal128Array, Int64Array, ListArray, StringViewArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field};
use arrow_select::take::take;
use muster_catalog::ColumnType;

use crate::codes::Codes;

/// Values of one column of one block.
#[derive(Debug)]
pub enum ColumnData {
    /// As Arrow has it: whole numbers, doubles, days, truth values, wide decimals, texts past the dictionary's limit.
    Plain(ArrayRef),
    /// A decimal of at most 18 digits: units of `10^-scale`.
    Decimal {
        /// One per row; anything under a null.
        units: ScalarBuffer<i64>,
        /// Which rows have a value.
        nulls: Option<NullBuffer>,
        /// Digits in all.
        precision: u8,
        /// Digits behind the point.
        scale: i8,
    },
    /// An instant: `first + offset · tick` microseconds.
    Time {
        /// The earliest, in microseconds.
        first: i64,
        /// Microseconds.
        tick: i64,
        /// One per row; anything under a null.
        offsets: ScalarBuffer<u32>,
        /// No row has a larger one.
        latest: u32,
        /// Which rows have a value.
        nulls: Option<NullBuffer>,
    },
    /// Text, as a code into the dictionary.
    Codes {
        /// One per row.
        codes: Codes,
        /// What they mean.
        dictionary: Arc<StringViewArray>,
    },
    /// Sets of text, as lists of codes into the dictionary.
    SetCodes {
        /// One list per row.
        codes: ListArray,
        /// What they mean.
        dictionary: Arc<StringViewArray>,
    },
}

impl ColumnData {
    /// Packs what a block's file holds: text and sets as codes where there is a `dictionary`, the rest as at the border.
    pub(crate) fn pack(column_type: ColumnType, stored: &ArrayRef, dictionary: Option<&Arc<StringViewArray>>) -> Self {
        match (column_type, dictionary) {
            (ColumnType::Set, Some(dictionary)) => {
                Self::SetCodes { codes: stored.as_list::<i32>().clone(), dictionary: Arc::clone(dictionary) }
            }
            (_, Some(dictionary)) => {
                let codes = Codes::of(stored.as_primitive::<UInt32Type>());
                Self::Codes { codes, dictionary: Arc::clone(dictionary) }
            }
            (ColumnType::Decimal { precision, scale }, None) if precision <= 18 => narrow(stored, precision, scale),
            (ColumnType::Timestamp, None) => four_bytes(stored),
            _ => Self::Plain(Arc::clone(stored)),
        }
    }

    /// How many rows it has.
    pub fn row_count(&self) -> usize {
        match self {
            Self::Plain(array) => array.len(),
            Self::Decimal { units, .. } => units.len(),
            Self::Time { offsets, .. } => offsets.len(),
            Self::Codes { codes, .. } => codes.row_count(),
            Self::SetCodes { codes, .. } => codes.len(),
        }
    }

    /// How many bytes it takes; dictionaries, which columns share, not counted.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Plain(array) => array.get_array_memory_size(),
            Self::Decimal { units, .. } => units.inner().len(),
            Self::Time { offsets, .. } => offsets.inner().len(),
            Self::Codes { codes, .. } => codes.bytes(),
            Self::SetCodes { codes, .. } => codes.get_array_memory_size(),
        }
    }

    /// The same for `count` rows from the place `first` on; nothing is copied.
    ///
    /// # Panics
    /// If there are no such places.
    pub fn part(&self, first: usize, count: usize) -> Self {
        let known = |nulls: &Option<NullBuffer>| nulls.as_ref().map(|nulls| nulls.slice(first, count));
        match self {
            Self::Plain(values) => Self::Plain(values.slice(first, count)),
            Self::Decimal { units, nulls, precision, scale } => Self::Decimal {
                units: units.slice(first, count),
                nulls: known(nulls),
                precision: *precision,
                scale: *scale,
            },
            Self::Time { first: earliest, tick, offsets, latest, nulls } => Self::Time {
                first: *earliest,
                tick: *tick,
                offsets: offsets.slice(first, count),
                latest: *latest,
                nulls: known(nulls),
            },
            Self::Codes { codes, dictionary } => {
                Self::Codes { codes: codes.part(first, count), dictionary: Arc::clone(dictionary) }
            }
            Self::SetCodes { codes, dictionary } => {
                Self::SetCodes { codes: codes.slice(first, count), dictionary: Arc::clone(dictionary) }
            }
        }
    }

    /// The values as a file holds them: codes where they are codes, else as at the border.
    pub(crate) fn stored(&self) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Codes { codes, .. } => Ok(Arc::new(codes.wide())),
            Self::SetCodes { codes, .. } => Ok(Arc::new(codes.clone())),
            _ => self.arrow(),
        }
    }

    /// The values at these places, as the Arrow type of the column's [`ColumnType`].
    ///
    /// # Errors
    /// If more bytes of text would come of it than an array holds.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn taken(&self, places: &UInt32Array) -> Result<ArrayRef, ArrowError> {
        let taken = match self {
            Self::Codes { codes, dictionary } => {
                return take(dictionary.as_ref(), &codes.taken(places.values()), None);
            }
            Self::SetCodes { codes, dictionary } => {
                let codes = take(codes, places, None)?.as_list::<i32>().clone();
                Self::SetCodes { codes, dictionary: Arc::clone(dictionary) }
            }
            Self::Decimal { units, nulls, precision, scale } => Self::Decimal {
                units: places.values().iter().map(|place| units[*place as usize]).collect(),
                nulls: nulls
                    .as_ref()
                    .map(|nulls| places.values().iter().map(|place| nulls.is_valid(*place as usize)).collect()),
                precision: *precision,
                scale: *scale,
            },
            Self::Time { first, tick, offsets, latest, nulls } => Self::Time {
                first: *first,
                tick: *tick,
                latest: *latest,
                offsets: places.values().iter().map(|place| offsets[*place as usize]).collect(),
                nulls: nulls
                    .as_ref()
                    .map(|nulls| places.values().iter().map(|place| nulls.is_valid(*place as usize)).collect()),
            },
            Self::Plain(values) => Self::Plain(take(values, places, None)?),
        };
        taken.arrow()
    }

    /// The values as the Arrow type of the column's [`ColumnType`].
    ///
    /// # Errors
    /// If more bytes of text would come of it than an array holds.
    pub fn arrow(&self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Plain(array) => Arc::clone(array),
            Self::Decimal { units, nulls, precision, scale } => widen(units, nulls.as_ref(), *precision, *scale)?,
            Self::Time { first, tick, offsets, nulls, .. } => {
                instants(offsets.iter().map(|offset| first + i64::from(*offset) * tick).collect(), nulls.clone())
            }
            Self::Codes { codes, dictionary } => take(dictionary.as_ref(), &codes.wide(), None)?,
            Self::SetCodes { codes, dictionary } => sets(codes, dictionary)?,
        })
    }
}

fn narrow(stored: &ArrayRef, precision: u8, scale: i8) -> ColumnData {
    let wide = stored.as_primitive::<Decimal128Type>();
    let units = wide.values().iter().map(|units| i64::try_from(*units).unwrap_or_default());
    // Eighteen digits fit eight bytes; what does not can only stand under a null, where nobody reads it.
    ColumnData::Decimal { units: units.collect(), nulls: wide.nulls().cloned(), precision, scale }
}

fn widen(units: &[i64], nulls: Option<&NullBuffer>, precision: u8, scale: i8) -> Result<ArrayRef, ArrowError> {
    let units: ScalarBuffer<i128> = units.iter().map(|units| i128::from(*units)).collect();
    Ok(Arc::new(Decimal128Array::new(units, nulls.cloned()).with_precision_and_scale(precision, scale)?))
}

/// Seconds, else milliseconds, else microseconds: the coarsest tick that loses nothing and spans the block.
const TICKS: [i64; 3] = [1_000_000, 1_000, 1];

fn four_bytes(stored: &ArrayRef) -> ColumnData {
    let instants = stored.as_primitive::<TimestampMicrosecondType>();
    let (Some(first), Some(last)) = (instants.iter().flatten().min(), instants.iter().flatten().max()) else {
        return ColumnData::Plain(Arc::clone(stored));
    };
    let exact = |tick: i64| instants.iter().flatten().all(|instant| (instant - first) % tick == 0);
    let spans = |tick: i64| last.checked_sub(first).is_some_and(|span| span / tick <= i64::from(u32::MAX));
    match TICKS.into_iter().find(|tick| spans(*tick) && exact(*tick)) {
        None => ColumnData::Plain(Arc::clone(stored)),
        Some(tick) => {
            let offset = |instant: &i64| u32::try_from((instant.wrapping_sub(first)) / tick).unwrap_or_default();
            let offsets: ScalarBuffer<u32> = instants.values().iter().map(offset).collect();
            let latest = offsets.iter().copied().max().unwrap_or_default();
            ColumnData::Time { first, tick, offsets, latest, nulls: instants.nulls().cloned() }
        }
    }
}

/// Instants in microseconds, in the zone of the border: UTC.
pub(crate) fn instants(micros: ScalarBuffer<i64>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::new(micros, nulls).with_timezone("UTC"))
}

fn sets(codes: &ListArray, dictionary: &StringViewArray) -> Result<ArrayRef, ArrowError> {
    let members = take(dictionary, codes.values(), None)?;
    let field = Field::new_list_field(DataType::Utf8View, false).into();
    Ok(Arc::new(ListArray::try_new(field, codes.offsets().clone(), members, codes.nulls().cloned())?))
}

/// The same set column over codes instead of texts.
pub(crate) fn sets_of_codes(sets: &ListArray, codes: UInt32Array) -> Result<ArrayRef, ArrowError> {
    let field = Field::new_list_field(DataType::UInt32, false).into();
    Ok(Arc::new(ListArray::try_new(field, sets.offsets().clone(), Arc::new(codes), sets.nulls().cloned())?))
}

/// `0, 1, 2 …` from `first`: the numbers of rows that stand next to each other.
pub(crate) fn row_numbers(first: i64, count: usize) -> ArrayRef {
    Arc::new((first..).take(count).collect::<Int64Array>())
}

/// A column of `count` rows without values.
pub(crate) fn absent(column_type: ColumnType, count: usize) -> ArrayRef {
    arrow_array::new_null_array(&column_type.arrow(), count)
}

/// Short texts stand in their views; the pages that they were read from need not stay for them.
pub(crate) fn detached(column: &ArrayRef) -> ArrayRef {
    match column.as_string_view_opt() {
        Some(texts) if !texts.data_buffers().is_empty() && texts.total_buffer_bytes_used() == 0 => Arc::new(texts.gc()),
        _ => Arc::clone(column),
    }
}

/// Row numbers that fit four bytes, as indices for `take`.
pub(crate) fn indices(rows: impl ExactSizeIterator<Item = u32>) -> UInt32Array {
    let mut builder = UInt32Builder::with_capacity(rows.len());
    rows.for_each(|row| builder.append_value(row));
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instants_of(micros: &[Option<i64>]) -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from(micros.to_vec()).with_timezone("UTC"))
    }

    #[track_caller]
    fn check_instants(micros: &[Option<i64>], tick: Option<i64>) {
        let stored = instants_of(micros);
        let packed = ColumnData::pack(ColumnType::Timestamp, &stored, None);
        let found = if let ColumnData::Time { tick, .. } = packed { Some(tick) } else { None };
        assert_eq!(found, tick);
        assert_eq!(&packed.arrow().unwrap(), &stored);
    }

    #[test]
    fn instants_take_four_bytes_where_that_loses_nothing() {
        check_instants(&[Some(5_000_000), None, Some(1_750_000_000_000_000)], Some(1_000_000));
        check_instants(&[Some(5_001_000), Some(4_999_000)], Some(1_000));
        check_instants(&[Some(-7), Some(0)], Some(1));
        check_instants(&[Some(0), Some(1_750_000_000_000_001)], None);
        check_instants(&[Some(i64::MIN), Some(i64::MAX)], None);
        check_instants(&[None, None], None);
    }

    #[test]
    fn decimals_come_back_as_they_went_in() {
        for precision in [18, 19] {
            let column = Decimal128Array::from(vec![Some(3_332_591_961), None, Some(-1)]);
            let stored: ArrayRef = Arc::new(column.with_precision_and_scale(precision, 3).unwrap());
            let packed = ColumnData::pack(ColumnType::Decimal { precision, scale: 3 }, &stored, None);
            assert_eq!(matches!(packed, ColumnData::Decimal { .. }), precision == 18);
            assert_eq!(&packed.arrow().unwrap(), &stored);
        }
    }
}
