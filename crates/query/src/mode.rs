//! `mode`: the most frequent value, of several the smallest; the engine has none.
//!
//! It is printed as `mode(x ORDER BY x)`, which other engines read so. The order is not needed here: values are kept in the form
//! in which they compare byte by byte, once each, and counted by group.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, ListArray, new_null_array};
use arrow_schema::{DataType, Field, FieldRef};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

/// The function.
pub(crate) fn mode() -> AggregateUDF {
    AggregateUDF::new_from_impl(Mode { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Mode {
    signature: Signature,
}

impl AggregateUDFImpl for Mode {
    fn name(&self) -> &str {
        "mode"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(arg_types[0].clone())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneMode { modes: Modes::of(args.return_field.data_type())? }))
    }

    /// The values of a group, each once, and how often each occurred.
    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |name: &str, list| Arc::new(Field::new(format_state_name(args.name, name), list, true));
        let values = list_of(args.return_field.data_type());
        Ok(vec![field("values", values), field("counts", list_of(&DataType::Int64))])
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Modes::of(args.return_field.data_type())?))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

fn list_of(items: &DataType) -> DataType {
    DataType::List(item_of(items))
}

fn item_of(items: &DataType) -> FieldRef {
    Arc::new(Field::new_list_field(items.clone(), true))
}

/// How often each value occurred in each group.
#[derive(Debug)]
struct Modes {
    values: DataType,
    converter: RowConverter,
    /// The values that occurred, in the form in which they compare byte by byte, and their numbers.
    forms: Vec<Arc<[u8]>>,
    numbers: HashMap<Arc<[u8]>, u32>,
    form_bytes: usize,
    /// By group and number of the value.
    counts: HashMap<(usize, u32), i64>,
    groups: usize,
}

impl Modes {
    fn of(values: &DataType) -> Result<Self> {
        Ok(Self {
            values: values.clone(),
            converter: RowConverter::new(vec![SortField::new(values.clone())])?,
            forms: Vec::new(),
            numbers: HashMap::new(),
            form_bytes: 0,
            counts: HashMap::new(),
            groups: 0,
        })
    }

    fn number(&mut self, form: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(form) {
            return *number;
        }
        let number = u32::try_from(self.forms.len()).expect("memory ends before four billion values");
        let form: Arc<[u8]> = form.into();
        self.form_bytes += form.len();
        self.forms.push(Arc::clone(&form));
        self.numbers.insert(form, number);
        number
    }

    /// Counts each value that is not NULL as often as it occurred, in the group that `place` says of its row.
    fn count(&mut self, values: &ArrayRef, places: impl Iterator<Item = (usize, usize, i64)>) -> Result<()> {
        let rows = self.converter.convert_columns(&[Arc::clone(values)])?;
        for (row, group, times) in places {
            if values.is_valid(row) {
                let number = self.number(rows.row(row).as_ref());
                *self.counts.entry((group, number)).or_insert(0) += times;
            }
        }
        Ok(())
    }

    /// The counts of the first groups, which are forgotten here; how many groups they are.
    fn take(&mut self, emit_to: EmitTo) -> (usize, HashMap<(usize, u32), i64>) {
        let groups = match emit_to {
            EmitTo::All => self.groups,
            EmitTo::First(groups) => groups,
        };
        let (taken, kept) = std::mem::take(&mut self.counts).into_iter().partition(|((group, _), _)| *group < groups);
        let kept: HashMap<(usize, u32), i64> = kept;
        self.counts = kept.into_iter().map(|((group, number), times)| ((group - groups, number), times)).collect();
        self.groups -= groups;
        (groups, taken)
    }

    fn values_of(&self, numbers: impl Iterator<Item = u32>) -> Result<ArrayRef> {
        let parser = self.converter.parser();
        let rows: Vec<_> = numbers.map(|number| parser.parse(&self.forms[number as usize])).collect();
        let mut columns = self.converter.convert_rows(rows)?;
        Ok(columns.pop().expect("the converter has one column"))
    }
}

impl GroupsAccumulator for Modes {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups = total_num_groups;
        let passes = |row: usize| opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let places = group_indices.iter().enumerate().filter(|(row, _)| passes(*row));
        self.count(&values[0], places.map(|(row, group)| (row, *group, 1)))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (groups, counts) = self.take(emit_to);
        let mut best: Vec<Option<(i64, u32)>> = vec![None; groups];
        let rank = |(times, number): (i64, u32)| (times, Reverse(&self.forms[number as usize]));
        for ((group, number), times) in counts {
            let here = (times, number);
            if best[group].is_none_or(|best| rank(here) > rank(best)) {
                best[group] = Some(here);
            }
        }
        let found = self.values_of(best.iter().flatten().map(|(_, number)| *number))?;
        let none = new_null_array(&self.values, 1);
        let mut next = 0..;
        let places = best.iter().map(|best| best.and_then(|_| next.next()).map_or((1, 0), |place| (0, place)));
        Ok(datafusion::arrow::compute::interleave(&[&found, &none], &places.collect::<Vec<_>>())?)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (groups, counts) = self.take(emit_to);
        let mut counts: Vec<((usize, u32), i64)> = counts.into_iter().collect();
        counts.sort_unstable();
        let mut lengths = vec![0; groups];
        counts.iter().for_each(|((group, _), _)| lengths[*group] += 1);
        let offsets = OffsetBuffer::from_lengths(lengths);
        let values = self.values_of(counts.iter().map(|((_, number), _)| *number))?;
        let times: ArrayRef = Arc::new(counts.iter().map(|(_, times)| *times).collect::<Int64Array>());
        let values = ListArray::try_new(item_of(&self.values), offsets.clone(), values, None)?;
        let times = ListArray::try_new(item_of(&DataType::Int64), offsets, times, None)?;
        Ok(vec![Arc::new(values), Arc::new(times)])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups = total_num_groups;
        let (values, times) = (values[0].as_list::<i32>(), values[1].as_list::<i32>());
        let counts = times.values().as_primitive::<Int64Type>();
        let range = |row: usize| values.value_offsets()[row] as usize..values.value_offsets()[row + 1] as usize;
        let first = |row: usize| times.value_offsets()[row] as usize;
        let places = group_indices.iter().enumerate().flat_map(|(row, group)| {
            range(row).enumerate().map(move |(nth, item)| (item, *group, counts.value(first(row) + nth)))
        });
        self.count(values.values(), places)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut each = Self::of(&self.values)?;
        let groups: Vec<usize> = (0..values[0].len()).collect();
        each.update_batch(values, &groups, opt_filter, groups.len())?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        let form = size_of::<Arc<[u8]>>();
        let counted = size_of::<((usize, u32), i64)>();
        2 * form * self.forms.capacity() + self.form_bytes + counted * self.counts.capacity()
    }
}

/// The same of all rows together.
#[derive(Debug)]
struct OneMode {
    modes: Modes,
}

impl Accumulator for OneMode {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.modes.update_batch(values, &vec![0; values[0].len()], None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.modes.merge_batch(states, &vec![0; states[0].len()], 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.modes.groups = 1;
        ScalarValue::try_from_array(&self.modes.evaluate(EmitTo::All)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.modes.groups = 1;
        let states = self.modes.state(EmitTo::All)?;
        states.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.modes.size()
    }
}
