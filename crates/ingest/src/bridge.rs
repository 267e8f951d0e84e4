//! Arrays of Polars become arrays of Arrow without being copied, through Arrow's C data interface.
//!
//! The only unsafe code of this crate. Both libraries declare the interface's struct themselves; the assertions below
//! fail the build should they ever disagree about its size or alignment, and its layout is `repr(C)` in both.

#![allow(
    unsafe_code,
    reason = "the C data interface is an exchange of raw pointers; there is no safe way between the two"
)]

use std::mem::{align_of, size_of, transmute};

use arrow_array::StringViewArray;
use arrow_array::ffi::{FFI_ArrowArray, from_ffi_and_data_type};
use arrow_schema::{ArrowError, DataType};
use polars::prelude::{Column, CompatLevel};
use polars_arrow::ffi::{ArrowArray, export_array_to_c};

const _: () = assert!(size_of::<ArrowArray>() == size_of::<FFI_ArrowArray>());
const _: () = assert!(align_of::<ArrowArray>() == align_of::<FFI_ArrowArray>());

/// The texts of a Polars string column, as one array for each of its chunks.
///
/// # Errors
/// If the column does not hold strings.
pub(crate) fn texts(column: &Column) -> Result<Vec<StringViewArray>, ArrowError> {
    let series = column.as_materialized_series();
    if !matches!(series.dtype(), polars::prelude::DataType::String) {
        return Err(ArrowError::CDataInterface(format!("expected strings, found {}", series.dtype())));
    }
    (0..series.n_chunks()).map(|chunk| text_chunk(series, chunk)).collect()
}

fn text_chunk(series: &polars::prelude::Series, chunk: usize) -> Result<StringViewArray, ArrowError> {
    let exported: ArrowArray = export_array_to_c(series.to_arrow(chunk, CompatLevel::newest()));
    // SAFETY: both structs are the C data interface's ArrowArray, `repr(C)` with the same fields in the same order.
    // Moving it moves the ownership: `exported` is consumed, so its release callback runs once, from the other side.
    let exported: FFI_ArrowArray = unsafe { transmute(exported) };
    // SAFETY: Polars made the array, and a Polars string series exports as a string view array at the newest level.
    let data = unsafe { from_ffi_and_data_type(exported, DataType::Utf8View) }?;
    Ok(StringViewArray::from(data))
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use polars::prelude::NamedFrom;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_and_every_gap_arrives(
            values in proptest::collection::vec(proptest::option::of(".{0,40}"), 0..50),
        ) {
            let column = Column::from(polars::prelude::Series::new("c".into(), values.clone()));
            let arrays = texts(&column).unwrap();
            drop(column);
            let texts = arrays.iter().flat_map(StringViewArray::iter);
            let arrived: Vec<Option<String>> = texts.map(|text| text.map(str::to_owned)).collect();
            prop_assert_eq!(arrived, values);
        }

        #[test]
        fn a_slice_arrives_as_a_slice(values in proptest::collection::vec(".{0,20}", 4..20)) {
            let column = Column::from(polars::prelude::Series::new("c".into(), values.clone()).slice(2, 2));
            let arrays = texts(&column).unwrap();
            prop_assert_eq!(arrays.iter().map(Array::len).sum::<usize>(), 2);
            prop_assert_eq!(arrays[0].value(0), values[2].as_str());
        }
    }
}
