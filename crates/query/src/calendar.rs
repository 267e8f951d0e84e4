//! An instant and an interval: days and months step on the calendar of the workspace, by the rules that the catalog has.
//!
//! The engine's own arithmetic fails where the clocks skip the hour in which a sum falls, and in the hour that they repeat.

use std::sync::Arc;

use arrow_array::TimestampMicrosecondArray;
use arrow_array::cast::AsArray;
use arrow_array::types::{IntervalMonthDayNano, TimestampMicrosecondType};
use arrow_schema::{DataType, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::DFSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::sqlparser::ast::BinaryOperator;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use muster_catalog::Timestamp;

/// What plans `instant + INTERVAL …` and `instant - INTERVAL …` in a workspace of this zone.
#[derive(Debug)]
pub(crate) struct LocalCalendar {
    pub(crate) zone: Tz,
}

impl ExprPlanner for LocalCalendar {
    fn plan_binary_op(&self, written: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let sign = match written.op {
            BinaryOperator::Plus => 1,
            BinaryOperator::Minus => -1,
            _ => return Ok(PlannerResult::Original(written)),
        };
        let is_interval = matches!(written.right, Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(_)), _));
        let Ok(DataType::Timestamp(_, Some(zone))) = written.left.get_type(schema) else {
            return Ok(PlannerResult::Original(written));
        };
        if !is_interval {
            return Ok(PlannerResult::Original(written));
        }
        let instant = written.left.cast_to(&DataType::Timestamp(TimeUnit::Microsecond, Some(zone)), schema)?;
        let step = ScalarUDF::new_from_impl(Step::new(self.zone, sign));
        let call = ScalarFunction::new_udf(Arc::new(step), vec![instant, written.right]);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

/// The function of an instant and an interval.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Step {
    zone: Tz,
    /// Below zero the interval is taken off.
    sign: i32,
    signature: Signature,
}

impl Step {
    fn new(zone: Tz, sign: i32) -> Self {
        Self { zone, sign, signature: Signature::any(2, Volatility::Immutable) }
    }

    /// `None` outside the calendar: an overflow in a row is NULL.
    fn from(&self, micros: i64, span: IntervalMonthDayNano) -> Option<i64> {
        let (months, days) = (span.months.checked_mul(self.sign)?, span.days.checked_mul(self.sign)?);
        let instant = Timestamp::from_micros(micros);
        // The second hour of a fold stays where it is.
        let stepped = if months == 0 && days == 0 { instant } else { instant.stepped(months, days, self.zone)? };
        stepped.micros().checked_add(span.nanoseconds / 1_000 * i64::from(self.sign))
    }
}

impl ScalarUDFImpl for Step {
    fn name(&self) -> &str {
        if self.sign < 0 { "minus_interval" } else { "plus_interval" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(arg_types[0].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [instants, ColumnarValue::Scalar(ScalarValue::IntervalMonthDayNano(Some(span)))] = args.args.as_slice()
        else {
            return Err(DataFusionError::Internal(format!("{} takes an instant and a literal interval", self.name())));
        };
        let instants = instants.to_array(args.number_rows)?;
        let instants = instants.as_primitive::<TimestampMicrosecondType>();
        let stepped: TimestampMicrosecondArray = instants.iter().map(|micros| self.from(micros?, *span)).collect();
        Ok(ColumnarValue::Array(Arc::new(stepped.with_data_type(args.return_field.data_type().clone()))))
    }
}
