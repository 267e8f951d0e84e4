//! Pieces of a column, put together: a piece is let go of once it is copied, so that a column never stands twice.

use std::sync::Arc;

use arrow_array::builder::{PrimitiveBuilder, StringViewBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType, UInt32Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use arrow_select::concat::concat;

/// The rows of all pieces, one after the other. All pieces are of one type, and there is one at least.
pub(crate) fn joined(pieces: Vec<ArrayRef>) -> Result<ArrayRef, ArrowError> {
    if let [only] = pieces.as_slice() {
        return Ok(Arc::clone(only));
    }
    match pieces[0].data_type() {
        DataType::Utf8View => Ok(texts(pieces)),
        DataType::Int64 => numbers::<Int64Type>(pieces),
        DataType::UInt32 => numbers::<UInt32Type>(pieces),
        DataType::Float64 => numbers::<Float64Type>(pieces),
        DataType::Decimal128(..) => numbers::<Decimal128Type>(pieces),
        DataType::Timestamp(TimeUnit::Microsecond, _) => numbers::<TimestampMicrosecondType>(pieces),
        // Days, truth values and sets are small.
        _ => concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<_>>()),
    }
}

fn rows_of(pieces: &[ArrayRef]) -> usize {
    pieces.iter().map(|piece| piece.len()).sum()
}

/// Memory for all rows is reserved at once, and taken as they are copied.
fn numbers<T: ArrowPrimitiveType>(pieces: Vec<ArrayRef>) -> Result<ArrayRef, ArrowError> {
    let kind = pieces[0].data_type().clone();
    let mut whole = PrimitiveBuilder::<T>::with_capacity(rows_of(&pieces)).with_data_type(kind.clone());
    for piece in pieces {
        if *piece.data_type() != kind {
            return Err(ArrowError::InvalidArgumentError(format!("{} among {kind}", piece.data_type())));
        }
        whole.append_array(piece.as_primitive::<T>());
    }
    Ok(Arc::new(whole.finish()))
}

fn texts(pieces: Vec<ArrayRef>) -> ArrayRef {
    let mut whole = StringViewBuilder::with_capacity(rows_of(&pieces));
    for piece in pieces {
        whole.append_array(piece.as_string_view());
    }
    Arc::new(whole.finish())
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        BooleanArray, Decimal128Array, Float64Array, Int64Array, StringViewArray, TimestampMicrosecondArray,
        UInt32Array,
    };

    use super::*;

    /// Its slow twin is the engine's own way, which needs all of them at once.
    #[track_caller]
    fn check(pieces: &[ArrayRef]) {
        let expected = concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap();
        let sliced = pieces.iter().map(|piece| piece.slice(1, piece.len() - 1)).collect::<Vec<_>>();
        let expected_slices = concat(&sliced.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap();
        assert_eq!(&joined(pieces.to_vec()).unwrap(), &expected);
        assert_eq!(&joined(sliced).unwrap(), &expected_slices);
    }

    #[test]
    fn columns_of_every_kind_are_what_their_pieces_are() {
        let long = "more than stands in a view";
        check(&[
            Arc::new(StringViewArray::from(vec![Some("a"), None, Some(long)])),
            Arc::new(StringViewArray::from(vec![Some(long), Some("")])),
        ]);
        check(&[
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None])),
            Arc::new(Int64Array::from(vec![1, 2, 3])),
            Arc::new(Int64Array::from(vec![None, Some(4)])),
        ]);
        check(&[Arc::new(UInt32Array::from(vec![1, 2])), Arc::new(UInt32Array::from(vec![Some(3), None]))]);
        check(&[Arc::new(Float64Array::from(vec![1.5, -0.0])), Arc::new(Float64Array::from(vec![f64::MAX, 0.0]))]);
        let cents = |units: Vec<Option<i128>>| -> ArrayRef {
            Arc::new(Decimal128Array::from(units).with_precision_and_scale(12, 2).unwrap())
        };
        check(&[cents(vec![Some(1), None]), cents(vec![Some(-5), Some(7)])]);
        let instants =
            |micros: Vec<i64>| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC")) };
        check(&[instants(vec![1, 2]), instants(vec![3, 4])]);
        check(&[Arc::new(BooleanArray::from(vec![true, false])), Arc::new(BooleanArray::from(vec![false, true]))]);
    }
}
