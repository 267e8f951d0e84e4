//! Aggregates over the history of a row (rules 1 to 6), and sequences.

use super::{Row, Sight, aggregates, calendar};
use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::{Aggregate, Expr, GroupAggregate, Pick, Range, Sequence};
use crate::world::Value;

impl<'a, 'w> Sight<'a, 'w> {
    /// "Taken per row of the grain, over that row's own history".
    pub(super) fn history_aggregate(&self, aggregate: &Aggregate) -> Result<Value> {
        let rows = self.filtered(self.range(&aggregate.range)?, aggregate.filter.as_ref())?;
        let values = rows.iter().map(|row| self.taken(aggregate.argument.as_ref(), *row));
        aggregates::result(aggregate.function, aggregate.distinct, values.collect::<Result<_>>()?)
    }

    /// The same over the rows of the group.
    pub(super) fn group_aggregate(&self, aggregate: &GroupAggregate) -> Result<Value> {
        let mut values = Vec::new();
        for row in self.group.map(|group| group.rows.as_slice()).unwrap_or_default() {
            let sight = Sight::of_row(self.worlds, self.past, *row);
            if sight.holds(aggregate.filter.as_ref())? {
                let argument = aggregate.argument.as_ref();
                values.push(argument.map_or(Ok(Value::Bool(true)), |argument| sight.value(argument))?);
            }
        }
        aggregates::result(aggregate.function, aggregate.distinct, values)
    }

    /// What is taken of a row; without an expression the row itself counts, which is not NULL.
    fn taken(&self, argument: Option<&Expr>, row: Row) -> Result<Value> {
        argument.map_or(Ok(Value::Bool(true)), |argument| self.inside(row).value(argument))
    }

    /// The rows below a row, in row order; of `latest` and `earliest` the last or first of those that its condition
    /// selects.
    fn range(&self, range: &Range) -> Result<Vec<Row>> {
        let Some(above) = self.row(&range.below) else { return Ok(Vec::new()) };
        let below = self.past.below(range.table, above);
        match &range.pick {
            None => Ok(below),
            Some(Pick { latest, count, condition }) => {
                let rows = self.filtered(below, condition.as_ref())?;
                let surplus = rows.len().saturating_sub(*count);
                Ok(if *latest { rows[surplus..].to_vec() } else { rows[..rows.len() - surplus].to_vec() })
            }
        }
    }

    fn filtered(&self, rows: Vec<Row>, filter: Option<&Expr>) -> Result<Vec<Row>> {
        let mut kept = Vec::new();
        for row in rows {
            if self.inside(row).holds(filter)? {
                kept.push(row);
            }
        }
        Ok(kept)
    }

    /// Whether rows meet the conditions one after the other, "each strictly later than the one before and at most the span
    /// later"; never NULL.
    pub(super) fn sequence(&self, sequence: &Sequence) -> Result<Value> {
        let rows = self.filtered(self.range(&sequence.range)?, sequence.filter.as_ref())?;
        let within = sequence.within.as_ref().map(|within| self.value(within)).transpose()?;
        if within.as_ref().is_some_and(|within| !matches!(within, Value::Interval { .. })) {
            return Err(Error::nowhere(Kind::Arguments, "within takes an interval"));
        }
        self.follows(&rows, &sequence.conditions, None, within.as_ref()).map(Value::Bool)
    }

    fn follows(&self, rows: &[Row], conditions: &[Expr], before: Option<i64>, within: Option<&Value>) -> Result<bool> {
        let Some((condition, rest)) = conditions.split_first() else { return Ok(true) };
        for row in rows {
            let Value::Instant(time) = self.past.time(*row) else { continue };
            let is_later = before.is_none_or(|before| time > before && self.is_near(before, time, within));
            if is_later && self.inside(*row).holds(Some(condition))? && self.follows(rows, rest, Some(time), within)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_near(&self, before: i64, time: i64, within: Option<&Value>) -> bool {
        let Some(Value::Interval { months, days, micros }) = within else { return true };
        let end = calendar::shifted(before, *months, *days, *micros, self.zone());
        end.is_some_and(|end| time <= end)
    }
}
