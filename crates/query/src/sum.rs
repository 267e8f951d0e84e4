//! `sum` of whole numbers, in 128 bits: a result that 64 bits do not hold is an error, where the engine's own wraps around.
//!
//! Sums of everything else are the engine's. Decimals have room enough there: ten digits more than each of them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Decimal128Array, Int64Array};
use arrow_schema::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};
use datafusion::scalar::ScalarValue;

/// The type in which partial sums travel.
const WIDE: DataType = DataType::Decimal128(38, 0);

/// The function that takes the place of the engine's.
pub(crate) fn exact_sum() -> AggregateUDF {
    AggregateUDF::new_from_impl(ExactSum { engines: Sum::new() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExactSum {
    engines: Sum,
}

/// DISTINCT stays the engine's: a set of numbers comes first, and their sum after it.
fn is_wide(return_type: &DataType, is_distinct: bool) -> bool {
    *return_type == DataType::Int64 && !is_distinct
}

impl AggregateUDFImpl for ExactSum {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        self.engines.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.engines.return_type(arg_types)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if is_wide(args.return_field.data_type(), args.is_distinct) {
            return Ok(Box::new(WideSum::default()));
        }
        self.engines.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if is_wide(args.return_field.data_type(), args.is_distinct) {
            return Ok(vec![Arc::new(Field::new(format_state_name(args.name, "sum"), WIDE, true))]);
        }
        self.engines.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.engines.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        if is_wide(args.return_field.data_type(), args.is_distinct) {
            return Ok(Box::new(WideSums::default()));
        }
        self.engines.create_groups_accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if is_wide(args.return_field.data_type(), args.is_distinct) {
            return Ok(Box::new(WideSum::default()));
        }
        self.engines.create_sliding_accumulator(args)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

/// A sum as 64 bits.
pub(crate) fn narrow(sum: i128) -> Result<i64> {
    i64::try_from(sum).map_err(|_| {
        let hint = "sum(CAST(… AS DECIMAL(38, 0))) has room for it";
        DataFusionError::Execution(format!("a sum of whole numbers is {sum}, more than 64 bits hold; {hint}"))
    })
}

/// The sum of all rows, or of those in a window that moves over them.
#[derive(Debug, Default)]
struct WideSum {
    sum: i128,
    values: u64,
}

impl WideSum {
    fn result(&self) -> Option<i128> {
        (self.values > 0).then_some(self.sum)
    }
}

impl Accumulator for WideSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values[0].as_primitive::<Int64Type>();
        self.sum += values.iter().flatten().map(i128::from).sum::<i128>();
        self.values += (values.len() - values.null_count()) as u64;
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values[0].as_primitive::<Int64Type>();
        self.sum -= values.iter().flatten().map(i128::from).sum::<i128>();
        self.values -= (values.len() - values.null_count()) as u64;
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(self.result().map(narrow).transpose()?))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Decimal128(self.result(), 38, 0)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let sums = states[0].as_primitive::<Decimal128Type>();
        self.sum += sums.iter().flatten().sum::<i128>();
        self.values += (sums.len() - sums.null_count()) as u64;
        Ok(())
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The sum of each group; `None` as long as it has no value.
#[derive(Debug, Default)]
struct WideSums {
    sums: Vec<Option<i128>>,
}

impl WideSums {
    fn add(
        &mut self,
        values: impl Iterator<Item = Option<i128>>,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) {
        self.sums.resize(group_count, None);
        for (row, (value, group)) in values.zip(groups).enumerate() {
            if let Some(value) = value.filter(|_| passes(filter, row)) {
                *self.sums[*group].get_or_insert(0) += value;
            }
        }
    }
}

fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

fn wide(sums: impl IntoIterator<Item = Option<i128>>) -> ArrayRef {
    Arc::new(sums.into_iter().collect::<Decimal128Array>().with_data_type(WIDE))
}

impl GroupsAccumulator for WideSums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let values = values[0].as_primitive::<Int64Type>();
        self.add(values.iter().map(|value| value.map(i128::from)), group_indices, opt_filter, total_num_groups);
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = emit_to.take_needed(&mut self.sums).into_iter();
        Ok(Arc::new(sums.map(|sum| sum.map(narrow).transpose()).collect::<Result<Int64Array>>()?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![wide(emit_to.take_needed(&mut self.sums))])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        let sums = values[0].as_primitive::<Decimal128Type>();
        self.add(sums.iter(), group_indices, None, total_num_groups);
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = values[0].as_primitive::<Int64Type>().iter().enumerate();
        let passed = values.map(|(row, value)| value.filter(|_| passes(opt_filter, row)).map(i128::from));
        Ok(vec![wide(passed)])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<Option<i128>>()
    }
}
