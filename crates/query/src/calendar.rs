//! An instant and an interval: days and months step on the calendar of the workspace, by the rules that the catalog has.
//!
//! The engine's own arithmetic fails where the clocks skip the hour in which a sum falls, and in the hour that they repeat.

use std::sync::Arc;

use arrow_array::TimestampMicrosecondArray;
use arrow_array::cast::AsArray;
use arrow_array::types::{IntervalMonthDayNano, TimestampMicrosecondType};
use arrow_schema::{DataType, TimeUnit};
use chrono_tz::Tz;
use datafusion::arrow::compute::{max, min};
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
        let quiet = QuietDays::around(instants, *span, self.zone);
        let stepped = instants.iter().map(|micros| {
            let micros = micros?;
            quiet.stepped(micros, *span, self.sign).or_else(|| self.from(micros, *span))
        });
        let stepped: TimestampMicrosecondArray = stepped.collect();
        Ok(ColumnarValue::Array(Arc::new(stepped.with_data_type(args.return_field.data_type().clone()))))
    }
}

const DAY: i64 = 86_400_000_000;

/// The offsets of a zone from UTC, day by day of UTC, where the clocks do not change: there, days are added as hours are.
/// (No zone ever went there and back within one day.)
struct QuietDays {
    first: i64,
    /// Microseconds; `None` on a day on which the clocks change.
    offsets: Vec<Option<i64>>,
}

impl QuietDays {
    /// The days of these instants and those that a step of `span` leads to; none where that is more than it spares.
    fn around(instants: &TimestampMicrosecondArray, span: IntervalMonthDayNano, zone: Tz) -> Self {
        let none = Self { first: 0, offsets: Vec::new() };
        let (Some(first), Some(last)) = (min(instants), max(instants)) else { return none };
        let reach = i64::from(span.days).abs() + span.nanoseconds.abs() / 1_000 / DAY + 2;
        let (first, last) = (first.div_euclid(DAY) - reach, last.div_euclid(DAY) + reach);
        if span.months != 0 || last - first > instants.len() as i64 / 4 {
            return none;
        }
        let offset = |day: i64| Timestamp::from_micros(day.saturating_mul(DAY)).offset_micros(zone);
        let at_starts: Vec<Option<i64>> = (first..=last + 1).map(offset).collect();
        let quiet = |edges: &[Option<i64>]| edges[0].filter(|_| edges[0] == edges[1]);
        Self { first, offsets: at_starts.windows(2).map(quiet).collect() }
    }

    fn offset(&self, micros: i64) -> Option<i64> {
        let day = usize::try_from(micros.div_euclid(DAY) - self.first).ok()?;
        *self.offsets.get(day)?
    }

    /// The step, where no change of the clocks is near its ends; else `None`.
    fn stepped(&self, micros: i64, span: IntervalMonthDayNano, sign: i32) -> Option<i64> {
        let before = self.offset(micros)?;
        let days = i64::from(span.days) * i64::from(sign) * DAY;
        let local = micros + before + days;
        let after = self.offset(local - before)?;
        let stepped = local - after;
        if self.offset(stepped) != Some(after) {
            return None;
        }
        stepped.checked_add(span.nanoseconds / 1_000 * i64::from(sign))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every hour of a year and a half, with both changes of the clocks in it, and each quarter around them.
    #[test]
    fn a_quiet_day_is_stepped_as_the_calendar_steps() {
        let hours = (0..13_000).map(|hour| 1_700_000_000_000_000 + hour * 3_600_000_000);
        let quarters = (0..400).map(|quarter| 1_711_800_000_000_000 + quarter * 900_000_000);
        let instants = TimestampMicrosecondArray::from_iter_values(hours.chain(quarters));
        for zone in [chrono_tz::UTC, chrono_tz::Europe::Amsterdam, chrono_tz::Australia::Lord_Howe] {
            for (days, hours, sign) in [(30, 0, 1), (1, 0, -1), (0, 5, 1), (200, 3, -1)] {
                let span = IntervalMonthDayNano::new(0, days, hours * 3_600_000_000_000);
                let (step, quiet) = (Step::new(zone, sign), QuietDays::around(&instants, span, zone));
                let mut found = 0;
                for micros in instants.values() {
                    let Some(stepped) = quiet.stepped(*micros, span, sign) else { continue };
                    assert_eq!(Some(stepped), step.from(*micros, span), "{micros} in {zone}");
                    found += 1;
                }
                assert!(found > 12_000, "{found} in {zone}");
            }
        }
    }
}
