//! Functions that make more than they are given: one call makes no more than a bound, and says so before it begins.
//!
//! What operators hold is counted by the memory pool, what an expression makes of a batch is not: a few calls inside one
//! another, each of its own result many times over, would make petabytes of a short statement. So the functions that can
//! do that take their measure first. They are put in the place of the engine's before anything is optimised, since
//! constants are computed while the plan is made.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use datafusion::arrow::compute::concat;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, LogicalPlan, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr as Binary, Column};
use datafusion::scalar::ScalarValue;

use crate::size::bytes_of;

/// What one call may make of a batch, in bytes.
const MOST_BYTES: usize = 128 << 20;

/// The steps that one call may take for a batch: some seconds' worth, in which nobody can stop it.
const MOST_STEPS: usize = 1 << 31;

/// The rows that a constant counts for: it may be repeated for all of a batch's, and mostly is not. The engine cannot
/// repeat one of 256 KiB.
const CONSTANT_ROWS: usize = 1_024;

/// How much a function makes of its arguments, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Growth {
    /// So many times all of them.
    Times(usize),
    /// All of them, and in each row the one as often as the other is long.
    EachByEach(usize, usize),
    /// Little; but it takes as many steps in each row as the one is long, times the other.
    Steps(usize, usize),
}

/// The functions that can make more than they are given; the others on the language's list make about as much.
const GROWING: [(&str, Growth); 20] = [
    ("array_append", Growth::Times(1)),
    ("array_concat", Growth::Times(1)),
    ("array_prepend", Growth::Times(1)),
    ("array_replace", Growth::EachByEach(0, 2)),
    ("array_replace_all", Growth::EachByEach(0, 2)),
    ("array_replace_n", Growth::EachByEach(0, 2)),
    ("array_to_string", Growth::EachByEach(0, 1)),
    ("array_union", Growth::Times(1)),
    ("concat", Growth::Times(1)),
    ("concat_ws", Growth::EachByEach(0, 1)),
    ("date_format", Growth::Times(16)),
    ("encode", Growth::Times(2)),
    ("levenshtein", Growth::Steps(0, 1)),
    ("make_array", Growth::Times(1)),
    ("overlay", Growth::Times(1)),
    ("regexp_replace", Growth::EachByEach(0, 2)),
    ("replace", Growth::EachByEach(0, 2)),
    ("string_to_array", Growth::Times(16)),
    ("to_char", Growth::Times(16)),
    ("translate", Growth::Times(4)),
];

/// The plan with the bounded functions in the place of the engine's, and `||` as one of them.
pub(crate) fn bounded(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            Ok(expr.transform_up(bounded_call)?.update_data(|expr| name.restore(expr)))
        })
    });
    Ok(plan?.data)
}

fn bounded_call(expr: Expr) -> Result<Transformed<Expr>> {
    match expr {
        Expr::ScalarFunction(ScalarFunction { func, args }) => match growth_of(func.name()) {
            Some(growth) => {
                let func = Arc::new(ScalarUDF::new_from_impl(Bounded { engines: func, growth }));
                Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args })))
            }
            None => Ok(Transformed::no(Expr::ScalarFunction(ScalarFunction { func, args }))),
        },
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
            let func = Arc::new(ScalarUDF::new_from_impl(Joined::default()));
            Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args: vec![*left, *right] })))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn growth_of(function: &str) -> Option<Growth> {
    GROWING.iter().find(|(name, _)| *name == function).map(|(_, growth)| *growth)
}

/// A function of the engine's that is asked first how much it would make.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    engines: Arc<ScalarUDF>,
    growth: Growth,
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.engines.name()
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.engines.schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.engines.signature()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.engines.coerce_types(arg_types)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.engines.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.engines.return_field_from_args(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        within_bounds(self.name(), self.growth, args, |args| self.engines.invoke_with_args(args))
    }
}

/// `||`, as the engine understands it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Joined {
    signature: Signature,
}

impl Default for Joined {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Joined {
    fn name(&self) -> &str {
        "||"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [left, right] = arg_types else { return Err(two_expected()) };
        let (left, right) = BinaryTypeCoercer::new(left, &Operator::StringConcat, right).get_input_types()?;
        Ok(vec![left, right])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let [left, right] = arg_types else { return Err(two_expected()) };
        BinaryTypeCoercer::new(left, &Operator::StringConcat, right).get_result_type()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        within_bounds(self.name(), Growth::Times(1), args, joined)
    }
}

fn joined(args: ScalarFunctionArgs) -> Result<ColumnarValue> {
    let columns = ColumnarValue::values_to_arrays(&args.args)?;
    let fields = columns.iter().zip(["left", "right"]);
    let fields = fields.map(|(column, name)| Field::new(name, column.data_type().clone(), true));
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)?;
    let (left, right) = (Arc::new(Column::new("left", 0)), Arc::new(Column::new("right", 1)));
    Binary::new(left, Operator::StringConcat, right).evaluate(&batch)
}

fn two_expected() -> DataFusionError {
    DataFusionError::Plan("`||` stands between two values".to_owned())
}

/// Makes a call, row by row where all rows at once could make more than they may, and never more than that.
fn within_bounds(
    function: &str,
    growth: Growth,
    args: ScalarFunctionArgs,
    call: impl Fn(ScalarFunctionArgs) -> Result<ColumnarValue>,
) -> Result<ColumnarValue> {
    let costs = costs(growth, &args);
    let all = costs.iter().fold(0_usize, |sum, cost| sum.saturating_add(*cost));
    let most = if let Growth::Steps(..) = growth { MOST_STEPS } else { MOST_BYTES };
    if all <= most {
        return call(args);
    }
    let could_be_less = growth.is_a_bound() && costs.len() == args.number_rows && args.number_rows > 1;
    if !could_be_less || costs.iter().any(|cost| *cost > most) {
        return Err(too_much(function, all));
    }
    in_parts(function, &costs, &args, call)
}

/// Calls for a few rows at a time, as many as cannot make too much, and looks at what they made.
fn in_parts(
    function: &str,
    costs: &[usize],
    args: &ScalarFunctionArgs,
    call: impl Fn(ScalarFunctionArgs) -> Result<ColumnarValue>,
) -> Result<ColumnarValue> {
    let (mut parts, mut made, mut start) = (Vec::new(), 0, 0);
    while start < costs.len() {
        let rows = rows_within(&costs[start..]);
        let part = call(part_of(args, start, rows))?.into_array(rows)?;
        made += bytes_of(part.as_ref());
        if made > MOST_BYTES {
            return Err(too_much(function, made));
        }
        parts.push(part);
        start += rows;
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    Ok(ColumnarValue::Array(concat(&parts)?))
}

/// How many of the first rows cost no more together than a call may.
fn rows_within(costs: &[usize]) -> usize {
    let mut sum = 0_usize;
    let within = costs.iter().take_while(|cost| {
        sum = sum.saturating_add(**cost);
        sum <= MOST_BYTES
    });
    within.count().max(1)
}

fn part_of(args: &ScalarFunctionArgs, start: usize, rows: usize) -> ScalarFunctionArgs {
    let part = |value: &ColumnarValue| match value {
        ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(start, rows)),
        scalar => scalar.clone(),
    };
    ScalarFunctionArgs { args: args.args.iter().map(part).collect(), number_rows: rows, ..args.clone() }
}

fn too_much(function: &str, bytes: usize) -> DataFusionError {
    let mib = bytes >> 20;
    DataFusionError::ResourcesExhausted(format!("`{function}` could make {mib} MiB of one batch of rows"))
}

/// What each row may cost; what is made of constants alone may be repeated later.
fn costs(growth: Growth, args: &ScalarFunctionArgs) -> Vec<usize> {
    let lengths: Vec<Lengths> = args.args.iter().map(Lengths::of).collect();
    let is_constant = lengths.iter().all(|lengths| matches!(lengths, Lengths::Same(_)));
    if is_constant {
        return vec![growth.cost(&lengths, 0).saturating_mul(CONSTANT_ROWS)];
    }
    (0..args.number_rows).map(|row| growth.cost(&lengths, row)).collect()
}

impl Growth {
    /// Whether it is more than what is made, most of the time.
    fn is_a_bound(self) -> bool {
        !matches!(self, Self::Times(1) | Self::Steps(..))
    }

    fn cost(self, lengths: &[Lengths], row: usize) -> usize {
        let length = |place: usize| lengths.get(place).map_or(0, |lengths| lengths.at(row));
        let all = lengths.iter().fold(0_usize, |sum, lengths| sum.saturating_add(lengths.at(row)));
        match self {
            Self::Times(times) => all.saturating_mul(times),
            Self::EachByEach(one, other) => all.saturating_add((length(one) + 1).saturating_mul(length(other))),
            Self::Steps(one, other) => length(one).saturating_mul(length(other)),
        }
    }
}

/// How long a value is in each row, in bytes.
enum Lengths {
    Same(usize),
    Each(Vec<usize>),
}

impl Lengths {
    fn of(value: &ColumnarValue) -> Self {
        match value {
            ColumnarValue::Scalar(scalar) => Self::Same(length(scalar)),
            ColumnarValue::Array(array) => Self::Each(lengths(array.as_ref())),
        }
    }

    fn at(&self, row: usize) -> usize {
        match self {
            Self::Same(length) => *length,
            Self::Each(lengths) => lengths.get(row).copied().unwrap_or_default(),
        }
    }
}

fn length(scalar: &ScalarValue) -> usize {
    match scalar {
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => {
            text.len()
        }
        ScalarValue::Binary(Some(bytes))
        | ScalarValue::LargeBinary(Some(bytes))
        | ScalarValue::BinaryView(Some(bytes)) => bytes.len(),
        ScalarValue::List(list) => bytes_of(list.as_ref()),
        _ => size_of::<u128>(),
    }
}

fn lengths(array: &dyn Array) -> Vec<usize> {
    match array.data_type() {
        DataType::Utf8View => array.as_string_view().lengths().map(|length| length as usize).collect(),
        DataType::Utf8 => array.as_string::<i32>().offsets().lengths().collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().offsets().lengths().collect(),
        DataType::BinaryView => array.as_binary_view().lengths().map(|length| length as usize).collect(),
        DataType::Binary => array.as_binary::<i32>().offsets().lengths().collect(),
        DataType::LargeBinary => array.as_binary::<i64>().offsets().lengths().collect(),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let each = bytes_of(list.values().as_ref()) / list.values().len().max(1) + 1;
            list.offsets().lengths().map(|members| members * each).collect()
        }
        _ => vec![size_of::<u128>(); array.len()],
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, StringViewArray};

    use super::*;

    fn args(texts: Vec<ColumnarValue>, rows: usize) -> ScalarFunctionArgs {
        let field: FieldRef = Arc::new(Field::new("x", DataType::Utf8View, true));
        let arg_fields = vec![Arc::clone(&field); texts.len()];
        ScalarFunctionArgs {
            args: texts,
            arg_fields,
            number_rows: rows,
            return_field: field,
            config_options: Arc::default(),
        }
    }

    fn column(bytes: usize, rows: usize) -> ColumnarValue {
        let text = "x".repeat(bytes);
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..rows).map(|_| text.as_str())));
        ColumnarValue::Array(texts)
    }

    /// The first argument's text, cut after so many bytes.
    fn cut(bytes: usize) -> impl Fn(ScalarFunctionArgs) -> Result<ColumnarValue> {
        move |args| Ok(column(bytes, args.number_rows))
    }

    #[test]
    fn what_could_be_too_much_is_made_in_parts_and_is_the_same() {
        let growth = Growth::EachByEach(0, 1);
        // Each row could make 4 MB, all of them 400 MB, and makes ten bytes.
        let args = args(vec![column(2_000, 100), column(2_000, 100)], 100);
        let made = within_bounds("f", growth, args, cut(10)).unwrap().into_array(100).unwrap();
        assert_eq!((made.len(), lengths(made.as_ref())), (100, vec![10; 100]));
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let refused = |growth, texts: Vec<ColumnarValue>, rows, made| {
            within_bounds("f", growth, args(texts, rows), cut(made)).unwrap_err().to_string()
        };
        let all = refused(Growth::EachByEach(0, 1), vec![column(2_000, 100), column(2_000, 100)], 100, 2_000_000);
        assert!(all.contains("`f` could make 188 MiB of one batch of rows"), "{all}");
        let one_row = refused(Growth::EachByEach(0, 1), vec![column(20_000, 1), column(20_000, 1)], 1, 1);
        assert!(one_row.contains("`f` could make 381 MiB of one batch"), "{one_row}");
        let steps = refused(Growth::Steps(0, 1), vec![column(20_000, 10), column(20_000, 10)], 10, 1);
        assert!(steps.contains("`f`"), "{steps}");
    }
}
