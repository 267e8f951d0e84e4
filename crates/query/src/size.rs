//! How much the rows of an answer hold, wherever they stand.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

/// A view of up to so many bytes holds them itself.
const INLINE_BYTES: u32 = 12;

/// The bytes of a batch's values. Of a slice those of its rows alone, though it keeps all of what it was cut from.
pub(crate) fn bytes(batch: &RecordBatch) -> u64 {
    batch.columns().iter().map(|column| bytes_of(column.as_ref()) as u64).sum()
}

/// The same of one column.
pub(crate) fn bytes_of(array: &dyn Array) -> usize {
    match array.data_type() {
        DataType::Utf8View => views(array.as_string_view().views()),
        DataType::BinaryView => views(array.as_binary_view().views()),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let (first, last) = (list.value_offsets()[0] as usize, list.value_offsets()[list.len()] as usize);
            size_of_val(list.value_offsets()) + bytes_of(&list.values().slice(first, last - first))
        }
        // What cannot be measured is as long as its pointers.
        _ => array.to_data().get_slice_memory_size().unwrap_or(array.len() * size_of::<u64>()),
    }
}

fn views(views: &[u128]) -> usize {
    let outside = views.iter().map(|view| *view as u32).filter(|length| *length > INLINE_BYTES);
    size_of_val(views) + outside.map(|length| length as usize).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::builder::{ListBuilder, StringViewBuilder};
    use arrow_array::{ArrayRef, Int64Array, StringViewArray};

    use super::*;

    fn batch(column: ArrayRef) -> RecordBatch {
        RecordBatch::try_from_iter([("x", column)]).unwrap()
    }

    #[test]
    fn a_slice_counts_its_own_rows() {
        let numbers = batch(Arc::new(Int64Array::from_iter_values(0..1_000)));
        assert_eq!(bytes(&numbers), 8_000);
        assert_eq!(bytes(&numbers.slice(990, 10)), 80);
        let long = "x".repeat(100);
        let texts = batch(Arc::new(StringViewArray::from_iter_values((0..1_000).map(|_| &long))));
        assert_eq!(bytes(&texts.slice(0, 10)), 10 * (16 + 100));
    }

    #[test]
    fn the_members_of_sets_count() {
        let mut sets = ListBuilder::new(StringViewBuilder::new());
        sets.append_value([Some("a"), Some("a text of twenty-four b")]);
        sets.append_null();
        sets.append_value([Some("c")]);
        let sets = batch(Arc::new(sets.finish()));
        assert_eq!(bytes(&sets), 4 * 4 + 3 * 16 + 23);
        assert_eq!(bytes(&sets.slice(1, 2)), 3 * 4 + 16);
    }
}
