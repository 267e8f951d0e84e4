//! Histories whose rows are compared with by their order alone: `happened_at > a.happened_at`. The rows of a slice stand in
//! that order, so those that count are a range of it, and no pairs are made.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};
use datafusion::error::Result;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column};
use muster_store::ColumnData;

use super::block::{Block, Component, truth};
use super::placed::{Input, Placed};
use super::plan::{Aggregate, History, LEVEL, Reduction, RowsOf, Scope, TUPLE};
use super::reduce::Ranks;
use super::tuples::Tuples;

/// Whether there are rows in a range, or how many, for each tuple around; `None` where that is not what is asked, or rows do
/// not stand in the order that is compared.
///
/// `candidates` marks the rows of the level that may count at all.
pub(super) fn by_ranges(
    around: &Tuples<'_>,
    history: &History,
    candidates: impl Fn(&Aggregate) -> Result<Option<BooleanBuffer>>,
) -> Result<Option<Vec<ArrayRef>>> {
    let Some(wanted) = history.aggregates.iter().map(|aggregate| Range::of(history, aggregate)).collect() else {
        return Ok(None);
    };
    let wanted: Vec<Range<'_>> = wanted;
    let beside = Beside::of(around, history)?;
    let mut reduced = Vec::with_capacity(wanted.len());
    for (range, aggregate) in wanted.iter().zip(&history.aggregates) {
        let Some(order) = Order::of(around.block, history, range.order)? else { return Ok(None) };
        let ranks = candidates(aggregate)?.as_ref().map(Ranks::of);
        let Some(counts) = beside.counts(range, &order, ranks.as_ref())? else { return Ok(None) };
        reduced.push(match aggregate.reduction {
            Reduction::Has => {
                Arc::new(counts.iter().map(|count| Some(*count > 0)).collect::<BooleanArray>()) as ArrayRef
            }
            _ => Arc::new(counts.into_iter().map(i64::from).collect::<Int64Array>()),
        });
    }
    Ok(Some(reduced))
}

/// What rows stand in order of: a column of theirs, or of rows between them and the row whose history they are.
struct Order {
    instants: Stood,
    /// For each row whose history it is where its instants begin.
    offsets: Arc<[u32]>,
    /// For each instant where its rows of the level begin; none where they are the rows of the level themselves.
    rows: Option<Arc<[u32]>>,
}

impl Order {
    /// `None` where they do not stand so, or not every row has an instant.
    fn of(block: &Block<'_>, history: &History, order: &Placed) -> Result<Option<Self>> {
        let (scope, snapshot) = (&history.scope, block.snapshot());
        let RowsOf::Block(table) = &scope.domains[order.domain].rows else { return Ok(None) };
        let parent = |table: &str| snapshot.schema(table).and_then(|schema| schema.parent()).map(str::to_owned);
        let mut above = parent(table);
        while above.as_ref().is_some_and(|above| *above != history.shared) {
            above = above.and_then(|above| parent(&above));
        }
        if above.is_none() {
            return Ok(None);
        }
        let packed = block.packed_input(scope, order)?;
        let instants = match packed.as_deref() {
            Some(ColumnData::Time { first, tick, offsets, nulls, .. })
                if nulls.as_ref().is_none_or(|nulls| nulls.null_count() == 0) =>
            {
                Stood::Ticks { first: *first, tick: *tick, ticks: offsets.clone() }
            }
            _ => {
                let values = block.value(scope, order)?;
                let instants = values.as_primitive::<TimestampMicrosecondType>();
                if instants.null_count() > 0 {
                    return Ok(None);
                }
                Stood::Micros(instants.values().clone())
            }
        };
        let offsets = block.offsets(&history.shared, table)?;
        let rows = if order.domain == LEVEL { None } else { Some(block.offsets(table, &scope.table)?) };
        Ok(Some(Self { instants, offsets, rows }))
    }

    /// The rows of a slice.
    fn slice(&self, of: usize) -> std::ops::Range<usize> {
        self.offsets[of] as usize..self.offsets[of + 1] as usize
    }

    /// Whether the rows of a slice stand in order.
    fn stands(&self, slice: std::ops::Range<usize>) -> bool {
        match &self.instants {
            Stood::Micros(micros) => micros[slice].is_sorted(),
            Stood::Ticks { ticks, .. } => ticks[slice].is_sorted(),
        }
    }

    /// Where the rows of the level begin that stand at an instant or behind it.
    fn row(&self, instant: usize) -> usize {
        self.rows.as_ref().map_or(instant, |rows| rows[instant] as usize)
    }
}

/// Instants of rows, as they stand in memory; none is unknown.
enum Stood {
    Micros(ScalarBuffer<i64>),
    Ticks { first: i64, tick: i64, ticks: ScalarBuffer<u32> },
}

impl Stood {
    fn at(&self, row: usize) -> i64 {
        match self {
            Self::Micros(micros) => micros[row],
            Self::Ticks { first, tick, ticks } => first + i64::from(ticks[row]) * tick,
        }
    }
}

/// The rows of a slice that one tuple around asks for: between what its own values say.
struct Range<'h> {
    /// What rows stand in order of.
    order: &'h Placed,
    bounds: Vec<Bound<'h>>,
    /// Conditions about the tuple around alone.
    others: Vec<&'h Placed>,
}

/// Rows on one side of a value of the tuple around.
struct Bound<'h> {
    value: &'h Placed,
    /// Whether rows are later than it, not earlier.
    is_first: bool,
    /// Whether those at the value itself are left out.
    is_strict: bool,
}

impl<'h> Range<'h> {
    /// `None` of an aggregate that is no count of rows, or compares in another way.
    fn of(history: &'h History, aggregate: &'h Aggregate) -> Option<Self> {
        let Aggregate { reduction, argument, filter, .. } = aggregate;
        let is_count = matches!(reduction, Reduction::Has | Reduction::Count) && argument.is_none();
        let choice_compares = history.chosen.as_ref().is_some_and(|choice| !choice.beside.is_empty());
        if !is_count || choice_compares || !filter.then.is_empty() {
            return None;
        }
        let (mut comparisons, mut others) = (Vec::new(), Vec::new());
        for condition in &filter.first {
            match condition.domain {
                TUPLE => compared(condition, condition.expr.as_ref(), &mut comparisons)?,
                domain if history.scope.component_above(domain).1 > 0 => others.push(condition),
                // What is about the row alone tells which rows may count at all.
                _ => {}
            }
        }
        let (mut order, mut bounds) = (None, Vec::new());
        for Comparison { left, op, right } in comparisons {
            let (own, op, value) = match (is_own(&history.scope, left), is_own(&history.scope, right)) {
                (true, false) => (left, op, right),
                (false, true) => (right, op.swap()?, left),
                _ => return None,
            };
            if *order.get_or_insert(field_of(own)?) != field_of(own)? {
                return None;
            }
            bounds.push((
                own,
                Bound {
                    value,
                    is_first: matches!(op, Operator::Gt | Operator::GtEq),
                    is_strict: matches!(op, Operator::Gt | Operator::Lt),
                },
            ));
        }
        let order = bounds.first()?.0;
        let is_instant = |placed: &Placed| {
            let data_type = placed.expr.data_type(&placed.schema);
            matches!(data_type, Ok(DataType::Timestamp(TimeUnit::Microsecond, _)))
        };
        let are_instants = is_instant(order) && bounds.iter().all(|(_, bound)| is_instant(bound.value));
        are_instants.then(|| Self { order, bounds: bounds.into_iter().map(|(_, bound)| bound).collect(), others })
    }
}

/// Two expressions that are compared.
struct Comparison<'h> {
    left: &'h Placed,
    op: Operator,
    right: &'h Placed,
}

/// Takes comparisons that all must hold apart; `None` where there is anything else.
fn compared<'h>(placed: &'h Placed, expr: &dyn PhysicalExpr, into: &mut Vec<Comparison<'h>>) -> Option<()> {
    let binary = expr.downcast_ref::<BinaryExpr>()?;
    if *binary.op() == Operator::And {
        compared(placed, binary.left().as_ref(), into)?;
        return compared(placed, binary.right().as_ref(), into);
    }
    let input = |expr: &Arc<dyn PhysicalExpr>| match placed.inputs.get(expr.downcast_ref::<Column>()?.index())? {
        Input::Carried(inner) => Some(inner),
        Input::Field(_) => None,
    };
    let is_ordering = matches!(binary.op(), Operator::Gt | Operator::GtEq | Operator::Lt | Operator::LtEq);
    let comparison = Comparison { left: input(binary.left())?, op: *binary.op(), right: input(binary.right())? };
    is_ordering.then(|| into.push(comparison))
}

/// Whether an expression is about the rows of the level, not about what stands beside them.
fn is_own(scope: &Scope, placed: &Placed) -> bool {
    placed.domain != TUPLE && scope.component_above(placed.domain).1 == 0
}

/// The field that is all of an expression.
fn field_of(placed: &Placed) -> Option<usize> {
    match placed.inputs.as_slice() {
        [Input::Field(field)] if placed.expr.downcast_ref::<Column>().is_some() => Some(*field),
        _ => None,
    }
}

/// The tuples around, each beside the slice that it asks.
struct Beside<'r> {
    tuples: Tuples<'r>,
    of: Component,
}

impl<'r> Beside<'r> {
    fn of(around: &'r Tuples<'_>, history: &'r History) -> Result<Self> {
        // Nothing that is asked here is about the rows of the level.
        let level = Component::At(ScalarBuffer::from(Vec::new()));
        let beside = history.beside.iter().map(|domain| around.places(*domain));
        let components = std::iter::once(Ok(level)).chain(beside).collect::<Result<_>>()?;
        let tuples = Tuples::new(around.block, &history.scope, around.count, components);
        Ok(Self { tuples, of: around.places(history.of)? })
    }

    /// How many rows of its slice each tuple asks for, of those that `ranks` counts, or of all; `None` where they do not stand in
    /// order.
    fn counts(&self, range: &Range<'_>, order: &Order, ranks: Option<&Ranks>) -> Result<Option<Vec<u32>>> {
        let bounds = range.bounds.iter().map(|bound| self.instants(bound.value)).collect::<Result<Vec<_>>>()?;
        let mut walks: Vec<Walk<'_>> =
            range.bounds.iter().zip(&bounds).map(|(bound, values)| Walk::of(bound, values)).collect();
        let (mut last, mut count) = (usize::MAX, 0);
        let mut counts = Vec::with_capacity(self.tuples.count);
        for tuple in 0..self.tuples.count {
            let of = place(&self.of, tuple);
            // Only slices that are asked are looked at.
            if of != last && !order.stands(order.slice(of)) {
                return Ok(None);
            }
            // Rows of the same parent mostly have the same bounds.
            let is_same = of == last && walks.iter().all(|walk| walk.is_at(tuple));
            if !is_same {
                (last, count) = (of, counted(&mut walks, tuple, of, order, ranks));
            }
            counts.push(count);
        }
        let mut among: Option<BooleanBuffer> = None;
        for condition in &range.others {
            let holds = truth(&self.tuples.value(condition)?);
            among = Some(among.map_or_else(|| holds.clone(), |among| &among & &holds));
        }
        Ok(Some(match among {
            None => counts,
            Some(among) => counts.into_iter().zip(&among).map(|(count, is)| if is { count } else { 0 }).collect(),
        }))
    }

    /// The instants of an expression for the tuples: for the rows that it is about, of which each tuple has one, where these
    /// are not many more.
    fn instants(&self, placed: &Placed) -> Result<Instants> {
        let (values, places) = if self.tuples.are_few(placed.domain)? {
            (self.tuples.value(placed)?, Component::All)
        } else {
            (self.tuples.block.value(self.tuples.scope, placed)?, self.tuples.places(placed.domain)?)
        };
        Ok(Instants { values: values.as_primitive::<TimestampMicrosecondType>().clone(), places })
    }
}

fn counted(walks: &mut [Walk<'_>], tuple: usize, of: usize, order: &Order, ranks: Option<&Ranks>) -> u32 {
    let slice = order.slice(of);
    let (mut first, mut end) = (slice.start, slice.end);
    for walk in walks {
        match walk.next(tuple, of, slice.clone(), &order.instants) {
            None => return 0,
            Some(place) if walk.bound.is_first => first = first.max(place),
            Some(place) => end = end.min(place),
        }
    }
    if first >= end {
        return 0;
    }
    let (first, end) = (order.row(first), order.row(end));
    match ranks {
        None => (end - first) as u32,
        Some(ranks) => ranks.before(end) - ranks.before(first),
    }
}

fn place(places: &Component, tuple: usize) -> usize {
    match places {
        Component::All => tuple,
        Component::At(places) => places[tuple] as usize,
    }
}

/// Instants of rows, and for each tuple which row it has.
struct Instants {
    values: PrimitiveArray<TimestampMicrosecondType>,
    places: Component,
}

/// Finds one bound after the other: tuples of the same slice mostly come in its order, so the last place is near the next.
struct Walk<'b> {
    bound: &'b Bound<'b>,
    values: &'b Instants,
    /// Where the last tuple's instant stood.
    from: usize,
    of: usize,
    value: i64,
    at: usize,
}

impl<'b> Walk<'b> {
    fn of(bound: &'b Bound<'b>, values: &'b Instants) -> Self {
        Self { bound, values, from: usize::MAX, of: usize::MAX, value: i64::MIN, at: 0 }
    }

    /// Whether the tuple has the same instant as the last one.
    fn is_at(&self, tuple: usize) -> bool {
        place(&self.values.places, tuple) == self.from
    }

    /// Where the rows begin that are past the bound of a tuple; `None` where it has no value.
    fn next(&mut self, tuple: usize, of: usize, slice: std::ops::Range<usize>, order: &Stood) -> Option<usize> {
        self.from = place(&self.values.places, tuple);
        if self.values.values.is_null(self.from) {
            return None;
        }
        let value = self.values.values.value(self.from);
        // Later than, and not later than, end behind the rows at the value itself; the others before them.
        let is_behind = self.bound.is_first == self.bound.is_strict;
        let is_before = |row: usize| order.at(row) < value || (is_behind && order.at(row) == value);
        if self.of == of && self.value <= value {
            while self.at < slice.end && is_before(self.at) {
                self.at += 1;
            }
        } else {
            self.at = partition_point(slice, is_before);
        }
        (self.of, self.value) = (of, value);
        Some(self.at)
    }
}

/// The first of these rows that is not before, where those that are come first.
fn partition_point(rows: std::ops::Range<usize>, is_before: impl Fn(usize) -> bool) -> usize {
    let (mut first, mut end) = (rows.start, rows.end);
    while first < end {
        let middle = first + (end - first) / 2;
        if is_before(middle) { first = middle + 1 } else { end = middle }
    }
    first
}
