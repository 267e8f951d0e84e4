//! The values of each group, made one: linear passes over rows that stand group by group.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, PrimitiveArray, UInt32Array, new_empty_array};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::DataType;
use arrow_select::take::take;
use datafusion::error::Result;
use datafusion::logical_expr::EmitTo;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::scalar::ScalarValue;
use muster_language::Function;
use muster_store::ColumnData;

use super::block::Component;
use super::chosen::ordered;
use super::nth::{at_rows, nth_rows};
use super::plan::{Aggregate, LEVEL, Reduction};
use super::tuples::Tuples;
use super::vectors::{marked_below, vectorized};

/// Groups of rows that stand one after the other.
pub(super) struct Groups<'o> {
    /// Where each begins, and one more for the end.
    pub(super) offsets: &'o [u32],
}

impl Groups<'_> {
    pub(super) fn count(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The rows of a group, of those that are marked.
    pub(super) fn rows(&self, group: usize, marked: Option<&BooleanBuffer>) -> Vec<u32> {
        let (first, end) = (self.offsets[group], self.offsets[group + 1]);
        match marked {
            None => (first..end).collect(),
            Some(marked) => {
                let its = marked.slice(first as usize, (end - first) as usize);
                its.set_indices().map(|place| first + place as u32).collect()
            }
        }
    }

    /// Calls `visit` with the group of each row that is marked, and the row: few are found word by word, and no other is looked at.
    #[inline(always)]
    fn each_marked(&self, marked: &BooleanBuffer, mut visit: impl FnMut(usize, usize)) {
        let (mut group, mut end) = (0, self.offsets.get(1).map_or(0, |end| *end as usize));
        let first = self.offsets.first().map_or(0, |first| *first as usize);
        for row in marked.set_indices().skip_while(|row| *row < first) {
            while row >= end {
                group += 1;
                let Some(next) = self.offsets.get(group + 1) else { return };
                end = *next as usize;
            }
            visit(group, row);
        }
    }

    pub(super) fn ranges(&self) -> impl Iterator<Item = (usize, usize)> {
        self.offsets.windows(2).map(|range| (range[0] as usize, range[1] as usize))
    }
}

/// One value for each group, of those of its rows that are `passing`.
pub(super) fn reduce(
    aggregate: &Aggregate,
    tuples: &Tuples<'_>,
    passing: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
) -> Result<ColumnData> {
    match of_packed(aggregate, tuples, passing, groups)? {
        Some(reduced) => Ok(reduced),
        None => unpacked(aggregate, tuples, passing, groups).map(ColumnData::Plain),
    }
}

fn unpacked(
    aggregate: &Aggregate,
    tuples: &Tuples<'_>,
    passing: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
) -> Result<ArrayRef> {
    if let (Reduction::Nth(place), Some(argument)) = (&aggregate.reduction, &aggregate.argument) {
        let order = ordered(tuples, &aggregate.order)?;
        return at_rows(tuples, argument, &nth_rows(*place, order.as_ref(), passing, groups));
    }
    let values = aggregate.argument.as_ref().map(|argument| tuples.value(argument)).transpose()?;
    match (&aggregate.reduction, values) {
        (Reduction::Has, _) => Ok(Arc::new(BooleanArray::new(are_any(groups, passing), None))),
        (Reduction::Count, None) => Ok(Arc::new(counts(groups, passing))),
        (Reduction::Count, Some(values)) => Ok(Arc::new(counts(groups, with_value(&values, passing).as_ref()))),
        (Reduction::Engine { function, engines }, Some(values)) => {
            match ours(*function, engines, &values, passing, groups) {
                Some(reduced) => Ok(reduced),
                None => by_engine(engines, &values, passing, groups),
            }
        }
        (Reduction::Nth(_), _) | (Reduction::Engine { .. }, None) => unreachable!("compiled with an argument"),
    }
}

/// Sums, smallest and largest values of a column of the level itself, as it stands in memory.
fn of_packed(
    aggregate: &Aggregate,
    tuples: &Tuples<'_>,
    passing: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
) -> Result<Option<ColumnData>> {
    let (Reduction::Engine { function, engines }, Some(argument)) = (&aggregate.reduction, &aggregate.argument) else {
        return Ok(None);
    };
    let is_all = matches!(tuples.components[0], Component::All);
    if !is_all || argument.domain != LEVEL || argument.expr.downcast_ref::<Column>().is_none() || engines.is_distinct()
    {
        return Ok(None);
    }
    let Some(column) = tuples.block.packed_input(tuples.scope, argument)? else { return Ok(None) };
    Ok(packed_reduced(*function, &column, &aggregate.data_type, passing, groups))
}

fn packed_reduced(
    function: Function,
    column: &ColumnData,
    data_type: &DataType,
    passing: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
) -> Option<ColumnData> {
    let known = |nulls: &Option<NullBuffer>| valued(nulls.as_ref(), passing);
    match (function, column) {
        (Function::Sum, ColumnData::Decimal { units, nulls, precision, scale }) => {
            let known = known(nulls);
            let DataType::Decimal128(sums_precision, sums_scale) = data_type else { return None };
            match 10_i64.checked_pow(u32::from(*precision)) {
                // What a block has of them at most is no more than eight bytes hold.
                Some(most) if most.checked_mul(units.len() as i64).is_some() && sums_scale == scale => {
                    let (units, nulls) = narrow_sums(units, known.as_ref(), groups);
                    Some(ColumnData::Decimal { units, nulls, precision: *sums_precision, scale: *sums_scale })
                }
                _ => {
                    let add = |sum: Option<i128>, row: usize| Some(sum.unwrap_or_default() + i128::from(units[row]));
                    let sums: PrimitiveArray<Decimal128Type> = folded(groups, known.as_ref(), add).into();
                    Some(ColumnData::Plain(Arc::new(sums.with_data_type(data_type.clone()))))
                }
            }
        }
        (Function::Min | Function::Max, ColumnData::Decimal { units, nulls, .. }) => {
            let best = extremes(units, function == Function::Min, groups, known(nulls).as_ref());
            let best: PrimitiveArray<Decimal128Type> = best.into_iter().map(|best| best.map(i128::from)).collect();
            Some(ColumnData::Plain(Arc::new(best.with_data_type(data_type.clone()))))
        }
        (Function::Min | Function::Max, ColumnData::Time { first, tick, offsets, nulls, .. }) => {
            let best = extremes(offsets, function == Function::Min, groups, known(nulls).as_ref());
            let instant = |offset: u32| first + i64::from(offset) * tick;
            let best: PrimitiveArray<TimestampMicrosecondType> =
                best.into_iter().map(|best| best.map(instant)).collect();
            Some(ColumnData::Plain(Arc::new(best.with_data_type(data_type.clone()))))
        }
        _ => None,
    }
}

/// Sums that stay within eight bytes, and which groups have one.
fn narrow_sums(
    units: &[i64],
    marked: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
) -> (ScalarBuffer<i64>, Option<NullBuffer>) {
    let sums = match marked {
        None => vectorized(all_summed, (units, groups)),
        Some(marked) => vectorized(marked_summed, (units, marked, groups)),
    };
    (sums.into(), Some(NullBuffer::new(are_any(groups, marked))))
}

#[inline(always)]
fn all_summed((units, groups): (&[i64], &Groups<'_>)) -> Vec<i64> {
    let mut sums = vec![0; groups.count()];
    for (sum, (first, end)) in sums.iter_mut().zip(groups.ranges()) {
        for unit in &units[first..end] {
            *sum += unit;
        }
    }
    sums
}

#[inline(always)]
fn marked_summed((units, marked, groups): (&[i64], &BooleanBuffer, &Groups<'_>)) -> Vec<i64> {
    let mut sums = vec![0; groups.count()];
    groups.each_marked(marked, |group, row| sums[group] += units[row]);
    sums
}

fn extremes<T: Ord + Copy>(
    values: &[T],
    is_min: bool,
    groups: &Groups<'_>,
    marked: Option<&BooleanBuffer>,
) -> Vec<Option<T>> {
    folded(groups, marked, |best: Option<T>, row| {
        let value = values[row];
        Some(best.map_or(value, |best| if is_min { best.min(value) } else { best.max(value) }))
    })
}

/// What comes of the marked rows of each group, one after the other.
fn folded<V>(
    groups: &Groups<'_>,
    marked: Option<&BooleanBuffer>,
    add: impl Fn(Option<V>, usize) -> Option<V>,
) -> Vec<Option<V>> {
    let mut values: Vec<Option<V>> = std::iter::repeat_with(|| None).take(groups.count()).collect();
    match marked {
        None => {
            for (value, (first, end)) in values.iter_mut().zip(groups.ranges()) {
                *value = (first..end).fold(None, &add);
            }
        }
        Some(marked) => groups.each_marked(marked, |group, row| values[group] = add(values[group].take(), row)),
    }
    values
}

/// The rows that are marked and have a value; `None`: all.
fn with_value(values: &ArrayRef, marked: Option<&BooleanBuffer>) -> Option<BooleanBuffer> {
    valued(values.logical_nulls().as_ref(), marked)
}

fn valued(nulls: Option<&NullBuffer>, marked: Option<&BooleanBuffer>) -> Option<BooleanBuffer> {
    match (nulls.filter(|nulls| nulls.null_count() > 0), marked) {
        (None, marked) => marked.cloned(),
        (Some(nulls), None) => Some(nulls.inner().clone()),
        (Some(nulls), Some(marked)) => Some(nulls.inner() & marked),
    }
}

/// How many rows of each group are marked.
fn counts(groups: &Groups<'_>, marked: Option<&BooleanBuffer>) -> Int64Array {
    let Some(marked) = marked else {
        return Int64Array::from_iter_values(groups.ranges().map(|(first, end)| (end - first) as i64));
    };
    let ranks = Ranks::of(marked);
    Int64Array::new(vectorized(counted, (groups.offsets, &ranks)).into(), None)
}

#[inline(always)]
fn counted((offsets, ranks): (&[u32], &Ranks)) -> Vec<i64> {
    let mut counts = vec![0; offsets.len() - 1];
    let mut before = ranks.before(offsets[0] as usize);
    for (count, end) in counts.iter_mut().zip(&offsets[1..]) {
        let through = ranks.before(*end as usize);
        *count = i64::from(through - before);
        before = through;
    }
    counts
}

/// Whether a row of each group is marked.
fn are_any(groups: &Groups<'_>, marked: Option<&BooleanBuffer>) -> BooleanBuffer {
    let offsets = groups.offsets;
    let Some(ranks) = marked.map(Ranks::of) else {
        return marked_below(groups.count(), |group| offsets[group] < offsets[group + 1]);
    };
    let mut before = ranks.before(offsets[0] as usize);
    marked_below(groups.count(), |group| {
        let through = ranks.before(offsets[group + 1] as usize);
        through > std::mem::replace(&mut before, through)
    })
}

/// How many marks stand before any place, in two reads.
pub(super) struct Ranks {
    words: Vec<u64>,
    before: Vec<u32>,
}

impl Ranks {
    pub(super) fn of(marks: &BooleanBuffer) -> Self {
        // One word more, so that the place behind the last mark has one, too.
        let words: Vec<u64> = marks.bit_chunks().iter_padded().chain([0]).collect();
        let before = vectorized(counted_up, words.as_slice());
        Self { words, before }
    }

    #[inline(always)]
    pub(super) fn before(&self, place: usize) -> u32 {
        let (word, bit) = (place / 64, place % 64);
        self.before[word] + (self.words[word] & ((1_u64 << bit) - 1)).count_ones()
    }
}

/// How many marks stand before each word.
#[inline(always)]
fn counted_up(words: &[u64]) -> Vec<u32> {
    let (mut counts, mut count) = (vec![0; words.len()], 0);
    for (before, word) in counts.iter_mut().zip(words) {
        *before = count;
        count += word.count_ones();
    }
    counts
}

/// Sums, smallest and largest values of numbers and instants; `None` for what the engine reduces.
fn ours(
    function: Function,
    engines: &AggregateFunctionExpr,
    values: &ArrayRef,
    passing: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
) -> Option<ArrayRef> {
    if engines.is_distinct() && function != Function::Min && function != Function::Max {
        return None;
    }
    let counted = with_value(values, passing);
    let counted = counted.as_ref();
    let best = |is_min: bool| match values.data_type() {
        DataType::Int64 => Some(best::<Int64Type>(values, counted, groups, is_min)),
        DataType::Decimal128(..) => Some(best::<Decimal128Type>(values, counted, groups, is_min)),
        DataType::Date32 => Some(best::<Date32Type>(values, counted, groups, is_min)),
        DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, _) => {
            Some(best::<TimestampMicrosecondType>(values, counted, groups, is_min))
        }
        _ => None,
    };
    match function {
        Function::Min => best(true),
        Function::Max => best(false),
        Function::Sum if *values.data_type() == DataType::Int64 => whole_sums(values, counted, groups),
        Function::Sum if matches!(values.data_type(), DataType::Decimal128(..)) => {
            decimal_sums(values, counted, groups, engines.field().data_type())
        }
        _ => None,
    }
}

fn best<T: ArrowPrimitiveType>(
    values: &ArrayRef,
    counted: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
    is_min: bool,
) -> ArrayRef
where
    T::Native: Ord,
{
    let column = values.as_primitive::<T>();
    let reduced = extremes(column.values(), is_min, groups, counted);
    Arc::new(PrimitiveArray::<T>::from_iter(reduced).with_data_type(column.data_type().clone()))
}

/// `None` where a sum has no room: the engine says so in its own words.
fn whole_sums(values: &ArrayRef, counted: Option<&BooleanBuffer>, groups: &Groups<'_>) -> Option<ArrayRef> {
    let values = values.as_primitive::<Int64Type>().values();
    let sums =
        folded(groups, counted, |sum: Option<i128>, row| Some(sum.unwrap_or_default() + i128::from(values[row])));
    let sums = sums.into_iter().map(|sum| sum.map(i64::try_from).transpose().ok());
    Some(Arc::new(Int64Array::from(sums.collect::<Option<Vec<_>>>()?)))
}

/// `None` where a sum has no room: the engine says so in its own words.
fn decimal_sums(
    values: &ArrayRef,
    counted: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
    data_type: &DataType,
) -> Option<ArrayRef> {
    let values = values.as_primitive::<Decimal128Type>().values();
    let sums = folded(groups, counted, |sum: Option<Option<i128>>, row| {
        Some(sum.unwrap_or(Some(0)).and_then(|sum| sum.checked_add(values[row])))
    });
    let sums = sums.into_iter().map(|sum| match sum {
        Some(None) => None,
        sum => Some(sum.flatten()),
    });
    let sums = PrimitiveArray::<Decimal128Type>::from(sums.collect::<Option<Vec<_>>>()?);
    Some(Arc::new(sums.with_data_type(data_type.clone())))
}

/// The engine's own reduction, in the order of the rows.
fn by_engine(
    engines: &AggregateFunctionExpr,
    values: &ArrayRef,
    passing: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
) -> Result<ArrayRef> {
    if !engines.groups_accumulator_supported() {
        return one_by_one(engines, values, passing, groups);
    }
    let mut accumulator = engines.create_groups_accumulator()?;
    let of_group = |(group, (first, end))| std::iter::repeat_n(group, end - first);
    let group_of: Vec<usize> = groups.ranges().enumerate().flat_map(of_group).collect();
    // Without a filter the engine takes it that every group has a row.
    let all = || BooleanBuffer::new_set(values.len());
    let filter = BooleanArray::new(passing.cloned().unwrap_or_else(all), None);
    accumulator.update_batch(&[Arc::clone(values)], &group_of, Some(&filter), groups.count())?;
    accumulator.evaluate(EmitTo::All)
}

fn one_by_one(
    engines: &AggregateFunctionExpr,
    values: &ArrayRef,
    passing: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
) -> Result<ArrayRef> {
    if groups.count() == 0 {
        return Ok(new_empty_array(engines.field().data_type()));
    }
    let each = (0..groups.count()).map(|group| {
        let mut accumulator = engines.create_accumulator()?;
        let rows = UInt32Array::from(groups.rows(group, passing));
        accumulator.update_batch(&[take(values, &rows, None)?])?;
        accumulator.evaluate()
    });
    ScalarValue::iter_to_array(each.collect::<Result<Vec<_>>>()?)
}
