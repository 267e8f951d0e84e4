//! Counts since an instant, or until one: the rows of a history stand in the order of their instants, so there are k of them if
//! the k-th from that end is in the span. No other row is looked at.

use arrow_array::BooleanArray;
use arrow_buffer::{BooleanBuffer, ScalarBuffer};
use datafusion::error::Result;
use datafusion::logical_expr::Operator;
use datafusion::scalar::ScalarValue;
use muster_store::ColumnData;

use super::block::Block;
use super::packed::{comparison, ticks_within};
use super::placed::{Input, Placed};
use super::plan::{Aggregate, History, LEVEL, Reduction, RowsOf, Scope, Source};
use super::visible::there;

/// The rows of each history that are counted.
enum Span {
    All,
    /// Those at this tick and later.
    Since(u32),
    /// Those at this tick and earlier.
    Until(u32),
    None,
}

impl Block<'_> {
    /// A condition on how many rows there are, by looking at one row of each history; `None` of any other.
    pub(super) fn counted(&self, scope: &Scope, placed: &Placed) -> Result<Option<BooleanArray>> {
        let Some((op, ScalarValue::Int64(Some(count)))) = comparison(placed.expr.as_ref()) else { return Ok(None) };
        let [Input::Field(field)] = placed.inputs.as_slice() else { return Ok(None) };
        let Source::Reduced { history, aggregate } = scope.fields[*field].source else { return Ok(None) };
        let history = &scope.histories[history];
        let aggregate = &history.aggregates[aggregate];
        if !matches!(aggregate.reduction, Reduction::Count) {
            return Ok(None);
        }
        let (least, negated) = match (op, *count) {
            (Operator::GtEq, count) => (Some(count), false),
            (Operator::Gt, count) => (count.checked_add(1), false),
            (Operator::Lt, count) => (Some(count), true),
            (Operator::LtEq, count) => (count.checked_add(1), true),
            (Operator::NotEq, 0) => (Some(1), false),
            (Operator::Eq, 0) => (Some(1), true),
            _ => return Ok(None),
        };
        let Some(least) = least else { return Ok(None) };
        let holds = self.have_at_least(history, aggregate, least)?;
        Ok(holds.map(|holds| BooleanArray::new(if negated { !&holds } else { holds }, None)))
    }

    /// Whether at least so many rows of each history count; `None` where that does not show in one row of each.
    pub(super) fn have_at_least(
        &self,
        history: &History,
        aggregate: &Aggregate,
        least: i64,
    ) -> Result<Option<BooleanBuffer>> {
        let is_of_rows =
            matches!(aggregate.reduction, Reduction::Count | Reduction::Has) && aggregate.argument.is_none();
        if !is_of_rows || history.is_correlated() || history.chosen.is_some() || self.snapshot().is_past() {
            return Ok(None);
        }
        let Some((span, ticks)) = self.span(history, aggregate)? else { return Ok(None) };
        if there(self, &history.scope.table, &history.scope.visible)?.is_some() {
            return Ok(None);
        }
        let offsets = self.offsets(&history.shared, &history.scope.table)?;
        let histories = offsets.len() - 1;
        let Ok(least) = u32::try_from(least) else {
            return Ok(Some(if least < 0 {
                BooleanBuffer::new_set(histories)
            } else {
                BooleanBuffer::new_unset(histories)
            }));
        };
        if least == 0 {
            return Ok(Some(BooleanBuffer::new_set(histories)));
        }
        Ok(Some(match span {
            Span::All => each(&offsets, |first, end| end - first >= least),
            Span::None => BooleanBuffer::new_unset(histories),
            Span::Since(tick) => each(&offsets, |first, end| {
                let row = end.wrapping_sub(least);
                (end - first >= least) & ticks.get(row as usize).is_some_and(|its| *its >= tick)
            }),
            Span::Until(tick) => each(&offsets, |first, end| {
                let row = first.wrapping_add(least - 1);
                (end - first >= least) & ticks.get(row as usize).is_some_and(|its| *its <= tick)
            }),
        }))
    }

    /// Which rows count, where all that is asked of them is their own instant, and that they stand in its order.
    fn span(&self, history: &History, aggregate: &Aggregate) -> Result<Option<(Span, ScalarBuffer<u32>)>> {
        let (filter, scope, snapshot) = (&aggregate.filter, &history.scope, self.snapshot());
        if !filter.then.is_empty() {
            return Ok(None);
        }
        let (mut first, mut last, mut packed) = (0, u32::MAX, None);
        for condition in &filter.first {
            let parent = snapshot.schema(&scope.table).and_then(|schema| schema.parent());
            if !is_of_time(scope, condition, snapshot.time_column(&scope.table)) || parent != Some(&history.shared) {
                return Ok(None);
            }
            let (Some((op, constant)), Some(column)) =
                (comparison(condition.expr.as_ref()), self.packed_input(scope, condition)?)
            else {
                return Ok(None);
            };
            match ticks_within(&column, op, constant) {
                None => return Ok(None),
                Some(None) => (first, last) = (1, 0),
                Some(Some((from, to))) => (first, last) = (first.max(from), last.min(to)),
            }
            packed = Some(column);
        }
        Ok(match packed.as_deref() {
            None => Some((Span::All, ScalarBuffer::from(Vec::new()))),
            Some(ColumnData::Time { offsets, latest, .. }) => {
                let span = match (first, last >= *latest) {
                    _ if first > last => Some(Span::None),
                    (0, true) => Some(Span::All),
                    (first, true) => Some(Span::Since(first)),
                    (0, false) => Some(Span::Until(last)),
                    // It takes a search to find both ends.
                    _ => None,
                };
                span.map(|span| (span, offsets.clone()))
            }
            Some(_) => None,
        })
    }
}

/// Whether it is about the instant of the level's own rows.
fn is_of_time(scope: &Scope, placed: &Placed, time: Option<&str>) -> bool {
    let [Input::Field(field)] = placed.inputs.as_slice() else { return false };
    let field = &scope.fields[*field];
    let is_own = field.domain == LEVEL && matches!(scope.domains[LEVEL].rows, RowsOf::Block(_));
    is_own && matches!(&field.source, Source::Column(column) if Some(column.as_str()) == time)
}

/// A bit for each history, of where its rows begin and end. Both sides of a condition are looked at: a branch would be guessed
/// wrong half of the time. Vectors do not help here: one row is read here and one there.
fn each(offsets: &[u32], holds: impl Fn(u32, u32) -> bool) -> BooleanBuffer {
    BooleanBuffer::collect_bool(offsets.len() - 1, |history| holds(offsets[history], offsets[history + 1]))
}
