//! The different values of an array, and which of them each row has.

use std::hash::Hash;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray, UInt32Array};
use arrow_buffer::{BooleanBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};
use arrow_select::take::take;
use datafusion::error::{DataFusionError, Result};
use hashbrown::HashMap;

/// An array as numbers of its different values; NULL is one.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    /// For each row the place of its value.
    pub(super) codes: ScalarBuffer<u32>,
    /// The values, in the order in which they first came.
    pub(super) values: ArrayRef,
}

/// Whether values of a type can be told apart here.
pub(super) fn can_be_coded(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Boolean
            | DataType::Int64
            | DataType::Date32
            | DataType::Decimal128(..)
            | DataType::Timestamp(TimeUnit::Microsecond, _)
            | DataType::Utf8View
    )
}

/// The values of an array of one of these types, told apart.
///
/// # Errors
/// If the type is none of them.
pub(super) fn coded(values: &ArrayRef) -> Result<Codes> {
    let (codes, firsts) = match values.data_type() {
        DataType::Boolean => return Ok(of_truths(values.as_boolean())),
        DataType::Int64 => of_numbers(values.as_primitive::<Int64Type>()),
        DataType::Date32 => of_numbers(values.as_primitive::<Date32Type>()),
        DataType::Decimal128(..) => of_numbers(values.as_primitive::<Decimal128Type>()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => of_numbers(values.as_primitive::<TimestampMicrosecondType>()),
        DataType::Utf8View => told_apart(values.as_string_view().iter()),
        other => return Err(DataFusionError::Internal(format!("values of the type {other} are not told apart here"))),
    };
    let values = take(values, &UInt32Array::from(firsts), None)?;
    Ok(Codes { codes: codes.into(), values })
}

/// FALSE, TRUE and NULL, whether they come or not: no row needs to be looked up.
fn of_truths(values: &BooleanArray) -> Codes {
    let bits = |bits: &BooleanBuffer| bits.bit_chunks().iter_padded().collect::<Vec<u64>>();
    let bit = |words: &[u64], row: usize| (words[row / 64] >> (row % 64)) as u32 & 1;
    let truths = bits(values.values());
    let codes = match values.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => (0..values.len()).map(|row| bit(&truths, row)).collect(),
        Some(nulls) => {
            let known = bits(nulls.inner());
            (0..values.len()).map(|row| if bit(&known, row) == 1 { bit(&truths, row) } else { 2 }).collect()
        }
    };
    Codes { codes, values: Arc::new(BooleanArray::from(vec![Some(false), Some(true), None])) }
}

fn of_numbers<T: ArrowPrimitiveType>(values: &PrimitiveArray<T>) -> (Vec<u32>, Vec<u32>)
where
    T::Native: Hash + Eq,
{
    told_apart(values.iter())
}

/// For each value its code, and for each code the first row that has it.
fn told_apart<T: Hash + Eq + Copy>(values: impl Iterator<Item = Option<T>>) -> (Vec<u32>, Vec<u32>) {
    let mut known: HashMap<Option<T>, u32> = HashMap::new();
    let (mut codes, mut firsts) = (Vec::with_capacity(values.size_hint().0), Vec::new());
    // Neighbours are often alike.
    let mut last: Option<(Option<T>, u32)> = None;
    for (row, value) in values.enumerate() {
        let code = match last {
            Some((before, code)) if before == value => code,
            _ => *known.entry(value).or_insert_with(|| {
                firsts.push(row as u32);
                firsts.len() as u32 - 1
            }),
        };
        last = Some((value, code));
        codes.push(code);
    }
    (codes, firsts)
}

/// With more cells than rows by so many times only those are numbered that have a row.
const SPARSE: usize = 4;

/// So many cells are numbered in any case.
const FEW: usize = 1 << 12;

/// Which cell of a table each row stands in, by one key after the other.
pub(super) struct Cells {
    /// For each row its cell; none before the first key, when all stand in one.
    pub(super) of_row: Option<Vec<u32>>,
    /// How many there are, the empty ones included.
    pub(super) count: usize,
}

impl Cells {
    /// All rows in one cell.
    pub(super) fn one() -> Self {
        Self { of_row: None, count: 1 }
    }

    /// Each cell split by a key: the code of each row, and how many codes there are.
    pub(super) fn split(self, codes: &[u32], code_count: usize) -> Self {
        let count = self.count.saturating_mul(code_count.max(1));
        let is_dense = count <= codes.len().saturating_mul(SPARSE).max(FEW) && u32::try_from(count).is_ok();
        match (self.of_row, is_dense) {
            (None, true) => Self { of_row: Some(codes.to_vec()), count },
            (Some(mut cells), true) => {
                let width = code_count as u32;
                cells.iter_mut().zip(codes).for_each(|(cell, code)| *cell = *cell * width + code);
                Self { of_row: Some(cells), count }
            }
            (cells, false) => {
                let cells = cells.unwrap_or_else(|| vec![0; codes.len()]);
                let pairs = cells.iter().zip(codes).map(|(cell, code)| Some(u64::from(*cell) << 32 | u64::from(*code)));
                let (cells, firsts) = told_apart(pairs);
                Self { count: firsts.len().max(1), of_row: Some(cells) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use arrow_array::{Int64Array, StringViewArray};

    use super::*;

    #[test]
    fn each_row_has_the_value_of_its_code() {
        let arrays: [ArrayRef; 3] = [
            Arc::new(StringViewArray::from(vec![Some("b"), None, Some("a"), Some("b"), None])),
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true), None])),
            Arc::new(Int64Array::from(vec![Some(7), None, Some(-1), Some(7), None])),
        ];
        for array in arrays {
            let Codes { codes, values } = coded(&array).unwrap();
            assert!(codes[0] == codes[3] && codes[1] == codes[4] && codes[0] != codes[2]);
            assert_eq!(&take(&values, &UInt32Array::new(codes, None), None).unwrap(), &array);
        }
    }

    /// Few cells, and so many that only those with rows are numbered.
    #[test]
    fn rows_share_a_cell_where_they_share_all_codes() {
        for radix in [3, 5_000] {
            let keys: Vec<Vec<u32>> =
                (1..4).map(|factor| (0..200_u32).map(|row| row * factor * 7 % 13 % radix).collect()).collect();
            let cells = keys.iter().fold(Cells::one(), |cells, codes| cells.split(codes, radix as usize));
            let of_row = cells.of_row.expect("there are keys");
            let mut found: BTreeMap<u32, BTreeSet<Vec<u32>>> = BTreeMap::new();
            for (row, cell) in of_row.iter().enumerate() {
                assert!((*cell as usize) < cells.count);
                found.entry(*cell).or_default().insert(keys.iter().map(|codes| codes[row]).collect());
            }
            assert!(found.values().all(|codes| codes.len() == 1));
            let different: BTreeSet<_> = found.values().flatten().collect();
            assert_eq!(different.len(), found.len());
        }
    }
}
