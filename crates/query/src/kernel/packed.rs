//! Columns as they stand in memory: compared with a constant, and summed, without being unpacked.
//!
//! A comparison is a range of the narrow values, so one loop does them all.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type};
use arrow_array::{Array, BooleanArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use datafusion::arrow::compute::{and_kleene, or_kleene};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, IsNotNullExpr, IsNullExpr, Literal};
use datafusion::scalar::ScalarValue;
use muster_store::ColumnData;

use super::vectors::marked;

/// A comparison of the one input with a constant.
pub(super) fn comparison(expr: &dyn PhysicalExpr) -> Option<(Operator, &ScalarValue)> {
    let binary = expr.downcast_ref::<BinaryExpr>()?;
    let literal = |side: &'_ dyn PhysicalExpr| side.downcast_ref::<Literal>().is_some();
    let (left, right) = (binary.left().as_ref(), binary.right().as_ref());
    if left.downcast_ref::<Column>().is_some() && literal(right) {
        return Some((*binary.op(), right.downcast_ref::<Literal>()?.value()));
    }
    if literal(left) && right.downcast_ref::<Column>().is_some() {
        return Some((binary.op().swap()?, left.downcast_ref::<Literal>()?.value()));
    }
    None
}

/// The truth of comparisons of one column with constants and NULL, with AND and OR between them; `None` of any other expression, and where
/// values must be unpacked for it.
pub(super) fn decided(column: &ColumnData, expr: &dyn PhysicalExpr) -> Option<BooleanArray> {
    if let Some((op, constant)) = comparison(expr) {
        return compared(column, op, constant);
    }
    if let Some(is_null) = is_null(expr) {
        let nulls = nulls_of(column)?;
        let known = nulls.map_or_else(|| BooleanBuffer::new_set(column.row_count()), |nulls| nulls.inner().clone());
        return Some(BooleanArray::new(if is_null { !&known } else { known }, None));
    }
    let (both, left, right) = junction(expr)?;
    both(&decided(column, left)?, &decided(column, right)?).ok()
}

/// Whether an expression is made of comparisons with constants and NULL, AND and OR alone.
pub(super) fn is_of_comparisons(expr: &dyn PhysicalExpr) -> bool {
    comparison(expr).is_some()
        || is_null(expr).is_some()
        || junction(expr).is_some_and(|(_, left, right)| is_of_comparisons(left) && is_of_comparisons(right))
}

/// Whether an expression asks if the one input is NULL, or (FALSE) if it is not.
fn is_null(expr: &dyn PhysicalExpr) -> Option<bool> {
    let is_column = |arg: &dyn PhysicalExpr| arg.downcast_ref::<Column>().is_some();
    if let Some(asked) = expr.downcast_ref::<IsNullExpr>() {
        return is_column(asked.arg().as_ref()).then_some(true);
    }
    let asked = expr.downcast_ref::<IsNotNullExpr>()?;
    is_column(asked.arg().as_ref()).then_some(false)
}

/// Which rows have a value; `None` where that takes a look at the values.
fn nulls_of(column: &ColumnData) -> Option<Option<&NullBuffer>> {
    match column {
        ColumnData::Time { nulls, .. } | ColumnData::Decimal { nulls, .. } => Some(nulls.as_ref()),
        ColumnData::Plain(values) => Some(values.nulls()),
        ColumnData::Codes { .. } | ColumnData::SetCodes { .. } => None,
    }
}

/// How two truths become one.
type Both = fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray, ArrowError>;

/// What stands on both sides of AND or OR, and what that makes of their truths.
pub(super) fn junction(expr: &dyn PhysicalExpr) -> Option<(Both, &dyn PhysicalExpr, &dyn PhysicalExpr)> {
    let binary = expr.downcast_ref::<BinaryExpr>()?;
    let both: Both = match binary.op() {
        Operator::And => and_kleene,
        Operator::Or => or_kleene,
        _ => return None,
    };
    Some((both, binary.left().as_ref(), binary.right().as_ref()))
}

/// The values of a column compared with a constant; `None` where they must be unpacked for it.
fn compared(column: &ColumnData, op: Operator, constant: &ScalarValue) -> Option<BooleanArray> {
    let (range, negated) = range_of(column, op, constant)?;
    let (holds, nulls) = match column {
        ColumnData::Time { offsets, nulls, .. } => (within(offsets, clamped::<u32>(range)), nulls.clone()),
        ColumnData::Decimal { units, nulls, .. } => (within(units, clamped::<i64>(range)), nulls.clone()),
        ColumnData::Plain(values) => match values.data_type() {
            DataType::Int64 => of_plain(values.as_primitive::<Int64Type>(), clamped::<i64>(range)),
            DataType::Date32 => of_plain(values.as_primitive::<Date32Type>(), clamped::<i32>(range)),
            _ => return None,
        },
        ColumnData::Codes { .. } | ColumnData::SetCodes { .. } => return None,
    };
    let holds = if negated { !&holds } else { holds };
    Some(BooleanArray::new(holds, nulls))
}

fn of_plain<T: arrow_array::types::ArrowPrimitiveType>(
    values: &arrow_array::PrimitiveArray<T>,
    range: Option<(T::Native, T::Native)>,
) -> (BooleanBuffer, Option<NullBuffer>)
where
    T::Native: PartialOrd,
{
    (within(values.values(), range), values.nulls().cloned())
}

/// A range of narrow values, both ends within; none of them where the first is behind the last.
type Range = (i128, i128);

/// The narrow values for which the comparison holds, or does not.
fn range_of(column: &ColumnData, op: Operator, constant: &ScalarValue) -> Option<(Range, bool)> {
    let (first, tick, value) = match (column, constant) {
        (ColumnData::Time { first, tick, .. }, ScalarValue::TimestampMicrosecond(Some(micros), _)) => {
            (i128::from(*first), i128::from(*tick), i128::from(*micros))
        }
        (ColumnData::Decimal { scale, .. }, ScalarValue::Decimal128(Some(units), _, its)) if its == scale => {
            (0, 1, *units)
        }
        (ColumnData::Plain(values), ScalarValue::Int64(Some(value))) if *values.data_type() == DataType::Int64 => {
            (0, 1, i128::from(*value))
        }
        (ColumnData::Plain(values), ScalarValue::Date32(Some(day))) if *values.data_type() == DataType::Date32 => {
            (0, 1, i128::from(*day))
        }
        _ => return None,
    };
    // The narrow value at or before the constant, and whether it is the constant.
    let before = value.checked_sub(first)?.div_euclid(tick);
    let is_exact = before * tick + first == value;
    let (lowest, highest) = (i128::MIN, i128::MAX);
    Some(match op {
        Operator::Lt => ((lowest, if is_exact { before - 1 } else { before }), false),
        Operator::LtEq => ((lowest, before), false),
        Operator::Gt => ((before + 1, highest), false),
        Operator::GtEq => ((if is_exact { before } else { before + 1 }, highest), false),
        Operator::Eq => ((before, if is_exact { before } else { before - 1 }), false),
        Operator::NotEq => ((before, if is_exact { before } else { before - 1 }), true),
        _ => return None,
    })
}

/// The ticks of instants for which a comparison holds, both ends within, `Some(None)` where it holds for none; `None` where
/// there are instants that are unknown, or they are no ticks, or those it holds for are no range.
pub(super) fn ticks_within(column: &ColumnData, op: Operator, constant: &ScalarValue) -> Option<Option<(u32, u32)>> {
    let ColumnData::Time { nulls, .. } = column else { return None };
    if nulls.as_ref().is_some_and(|nulls| nulls.null_count() > 0) {
        return None;
    }
    let (range, negated) = range_of(column, op, constant)?;
    (!negated).then(|| clamped::<u32>(range))
}

/// The part of a range that a type has; `None` where it has none of it.
fn clamped<T: TryFrom<i128> + Bounded>((first, last): Range) -> Option<(T, T)> {
    let (first, last) = (first.max(T::LEAST), last.min(T::GREATEST));
    if first > last { None } else { Some((T::try_from(first).ok()?, T::try_from(last).ok()?)) }
}

trait Bounded {
    const LEAST: i128;
    const GREATEST: i128;
}

impl Bounded for u32 {
    const LEAST: i128 = 0;
    const GREATEST: i128 = u32::MAX as i128;
}

impl Bounded for i32 {
    const LEAST: i128 = i32::MIN as i128;
    const GREATEST: i128 = i32::MAX as i128;
}

impl Bounded for i64 {
    const LEAST: i128 = i64::MIN as i128;
    const GREATEST: i128 = i64::MAX as i128;
}

fn within<T: PartialOrd + Copy>(values: &[T], range: Option<(T, T)>) -> BooleanBuffer {
    match range {
        None => BooleanBuffer::new_unset(values.len()),
        // Both are asked, whatever the first says: a branch would keep the compiler from vector code.
        Some((first, last)) => marked(values, move |value| (value >= first) & (value <= last)),
    }
}

/// Whether a field may stay packed where it is compared: the type that expressions see is the column's own.
pub(super) fn stays_packed(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int64 | DataType::Date32 | DataType::Decimal128(..) | DataType::Timestamp(TimeUnit::Microsecond, _)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const OPERATORS: [Operator; 6] =
        [Operator::Lt, Operator::LtEq, Operator::Gt, Operator::GtEq, Operator::Eq, Operator::NotEq];

    fn holds(op: Operator, value: i64, constant: i64) -> bool {
        match op {
            Operator::Lt => value < constant,
            Operator::LtEq => value <= constant,
            Operator::Gt => value > constant,
            Operator::GtEq => value >= constant,
            Operator::Eq => value == constant,
            _ => value != constant,
        }
    }

    /// Constants on a tick, between two, before the first instant and behind all that four bytes hold.
    #[test]
    fn instants_compare_as_their_microseconds_do() {
        let (first, tick) = (-5_000_000, 1_000_000);
        let column = ColumnData::Time { first, tick, offsets: vec![0, 1, 5, 6].into(), latest: 6, nulls: None };
        let micros = [-5_000_000, -4_000_000, 0, 1_000_000];
        for constant in
            [i64::MIN, -5_000_001, -5_000_000, -4_999_999, -1, 0, 1, 999_999, 1_000_000, 2_000_000, i64::MAX]
        {
            let literal = ScalarValue::TimestampMicrosecond(Some(constant), None);
            for op in OPERATORS {
                let found = compared(&column, op, &literal).expect("instants stay packed");
                let expected: Vec<bool> = micros.iter().map(|micros| holds(op, *micros, constant)).collect();
                assert_eq!(found, BooleanArray::from(expected), "{op} {constant}");
            }
        }
    }

    #[test]
    fn decimals_compare_at_their_own_scale_only_and_no_value_is_unknown() {
        let nulls = Some(NullBuffer::from(vec![true, false, true]));
        let column = ColumnData::Decimal { units: vec![-150, 0, 250].into(), nulls, precision: 12, scale: 2 };
        let literal = |scale| ScalarValue::Decimal128(Some(250), 12, scale);
        let found = compared(&column, Operator::GtEq, &literal(2)).expect("of the same scale");
        assert_eq!(found, BooleanArray::from(vec![Some(false), None, Some(true)]));
        assert_eq!(compared(&column, Operator::GtEq, &literal(3)), None);
    }

    #[test]
    fn what_is_unknown_is_found_beside_what_compares() {
        let nulls = Some(NullBuffer::from(vec![true, false, true]));
        let column = ColumnData::Decimal { units: vec![-150, 900, 250].into(), nulls, precision: 12, scale: 2 };
        let value = || Arc::new(Column::new("", 0)) as Arc<dyn PhysicalExpr>;
        let literal = Arc::new(Literal::new(ScalarValue::Decimal128(Some(250), 12, 2)));
        let high: Arc<dyn PhysicalExpr> = Arc::new(BinaryExpr::new(value(), Operator::GtEq, literal));
        let unknown: Arc<dyn PhysicalExpr> = Arc::new(IsNullExpr::new(value()));
        let either = BinaryExpr::new(unknown, Operator::Or, high);
        assert!(is_of_comparisons(&either));
        assert_eq!(decided(&column, &either), Some(BooleanArray::from(vec![false, true, true])));
        let known = IsNotNullExpr::new(value());
        assert_eq!(decided(&column, &known), Some(BooleanArray::from(vec![true, false, true])));
    }
}
