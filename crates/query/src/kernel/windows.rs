//! A history that compares its rows' instants with those of the rows around: pairs are made within the window alone.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, TimestampMicrosecondArray};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, TimeUnit};
use datafusion::error::Result;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column};
use muster_store::ColumnData;

use super::block::{Block, Component};
use super::placed::{Input, Placed};
use super::plan::{DomainId, Field, History, LEVEL, RowsOf, Scope, Source, Step, TUPLE};
use super::tuples::Tuples;

/// For each tuple around, which rows of the level may meet the conditions about their instants; both ends belong to it, so that
/// the conditions themselves are asked of fewer pairs and never of too few.
pub(super) struct Window {
    times: Times,
    bounds: Vec<(Operator, TimestampMicrosecondArray)>,
}

/// The instants of a level's rows, as they stand in memory.
struct Times {
    column: Arc<ColumnData>,
    /// From the level's rows up to those that have the instants.
    way: Vec<ScalarBuffer<u32>>,
}

impl Window {
    /// The window of a history whose rows all meet its one filter; `None` where that compares no instants of theirs.
    pub(super) fn of(block: &Block<'_>, history: &History, beside: &[Component], count: usize) -> Result<Option<Self>> {
        let ([aggregate], None, scope) = (history.aggregates.as_slice(), &history.chosen, &history.scope) else {
            return Ok(None);
        };
        let conditions = aggregate.filter.first.iter().chain(&aggregate.filter.then);
        let compared: Vec<Compared<'_>> = conditions.filter_map(|condition| compared(scope, condition)).collect();
        let Some(first) = compared.first() else { return Ok(None) };
        let Some(times) = Times::of(block, scope, first.times)? else { return Ok(None) };
        // Nothing about the level itself is asked of these.
        let nobody = Component::At(vec![0; count].into());
        let components = std::iter::once(nobody).chain(beside.iter().cloned()).collect();
        let around = Tuples::new(block, scope, count, components);
        let mut bounds = Vec::with_capacity(compared.len());
        for Compared { op, bound, .. } in compared.iter().filter(|other| other.times == first.times) {
            bounds.push((*op, around.value(bound)?.as_primitive::<TimestampMicrosecondType>().clone()));
        }
        Ok(Some(Self { times, bounds }))
    }

    /// Whether a row of the level may count for a tuple.
    pub(super) fn has(&self, tuple: usize, row: u32) -> bool {
        let instant = self.times.of_row(row);
        self.bounds.iter().all(|(op, bounds)| {
            let bound = bounds.value(tuple);
            bounds.is_valid(tuple)
                && match op {
                    Operator::Gt | Operator::GtEq => instant >= bound,
                    Operator::Lt | Operator::LtEq => instant <= bound,
                    _ => instant == bound,
                }
        })
    }
}

impl Times {
    fn of(block: &Block<'_>, scope: &Scope, (mut domain, field): (DomainId, usize)) -> Result<Option<Self>> {
        let Field { source: Source::Column(column), .. } = &scope.fields[field] else { return Ok(None) };
        let RowsOf::Block(table) = &scope.domains[domain].rows else { return Ok(None) };
        let column = block.packed(table, block.number, column)?;
        let is_known = matches!(column.as_ref(), ColumnData::Time { nulls, .. } if nulls.is_none());
        let mut way = Vec::new();
        while domain != LEVEL {
            if scope.domains[domain].step != Step::Parent {
                return Ok(None);
            }
            way.push(block.places(scope, domain)?);
            domain = scope.domains[domain].from;
        }
        way.reverse();
        Ok(is_known.then_some(Self { column, way }))
    }

    fn of_row(&self, row: u32) -> i64 {
        let place = self.way.iter().fold(row, |place, step| step[place as usize]);
        match self.column.as_ref() {
            ColumnData::Time { first, tick, offsets, .. } => first + i64::from(offsets[place as usize]) * tick,
            _ => unreachable!("only instants are kept"),
        }
    }
}

/// An instant of the level's row compared with something about the rows around.
struct Compared<'s> {
    /// Whose instant, and which field.
    times: (DomainId, usize),
    /// How, the level's instant on the left.
    op: Operator,
    bound: &'s Placed,
}

fn compared<'s>(scope: &Scope, condition: &'s Placed) -> Option<Compared<'s>> {
    let binary = condition.expr.downcast_ref::<BinaryExpr>().filter(|_| condition.domain == TUPLE)?;
    let side = |side: &dyn PhysicalExpr| -> Option<&'s Placed> {
        match condition.inputs.get(side.downcast_ref::<Column>()?.index())? {
            Input::Carried(inner) if is_instant(inner) => Some(inner),
            _ => None,
        }
    };
    let (left, right) = (side(binary.left().as_ref())?, side(binary.right().as_ref())?);
    let (op, times, bound) = match own_field(scope, left) {
        Some(times) => (*binary.op(), times, right),
        None => (binary.op().swap()?, own_field(scope, right)?, left),
    };
    let is_around = bound.domain != TUPLE && scope.component_above(bound.domain).1 != 0;
    let is_order = matches!(op, Operator::Gt | Operator::GtEq | Operator::Lt | Operator::LtEq | Operator::Eq);
    (is_around && is_order).then_some(Compared { times, op, bound })
}

fn is_instant(placed: &Placed) -> bool {
    let data_type = placed.expr.data_type(&placed.schema);
    matches!(data_type, Ok(DataType::Timestamp(TimeUnit::Microsecond, _)))
}

/// The field that an expression is, of the level's row or one above it.
fn own_field(scope: &Scope, placed: &Placed) -> Option<(DomainId, usize)> {
    placed.expr.downcast_ref::<Column>()?;
    let [Input::Field(field)] = placed.inputs.as_slice() else { return None };
    let is_own = placed.domain != TUPLE && scope.component_above(placed.domain).1 == 0;
    is_own.then_some((placed.domain, *field))
}
