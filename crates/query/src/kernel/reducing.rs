//! Histories: which rows are reduced for whom, and in which groups.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray};
use arrow_buffer::{BooleanBuffer, ScalarBuffer};
use arrow_select::concat::concat;
use datafusion::error::Result;
use muster_store::ColumnData;

use super::block::{Block, Component, truth};
use super::chosen::chosen;
use super::plan::{Aggregate, Chosen, Filter, History, Reduction, Scope, TUPLE};
use super::ranges::by_ranges;
use super::reduce::{Groups, reduce};
use super::tuples::Tuples;
use super::visible::there;

/// So many pairs of rows are looked at together.
const PAIRS: usize = 1 << 16;

/// What a history is for each row of the table whose rows have it, in one block.
pub(super) fn reduced_below(block: &Block<'_>, history: &History) -> Result<Vec<ColumnData>> {
    let tuples = Tuples::all(block, &history.scope)?;
    let offsets = block.offsets(&history.shared, &history.scope.table)?;
    let groups = Groups { offsets: &offsets };
    let there = there(block, &history.scope.table, &history.scope.visible)?;
    let rows = match &history.chosen {
        None => there,
        Some(choice) => {
            let candidates = Tuples::all(block, &choice.scope)?;
            Some(chosen(choice, &candidates, there, &groups)?)
        }
    };
    let of_aggregate = |aggregate: &Aggregate| {
        if matches!(aggregate.reduction, Reduction::Has)
            && let Some(are_any) = block.have_at_least(history, aggregate, 1)?
        {
            return Ok(ColumnData::Plain(Arc::new(BooleanArray::new(are_any, None))));
        }
        let passing = tuples.passing(&aggregate.filter, rows.clone())?;
        reduce(aggregate, &tuples, passing.as_ref(), &groups)
    };
    history.aggregates.iter().map(of_aggregate).collect()
}

/// What a history is for each of these tuples: where it compares with other rows of theirs, or where they are so few that
/// nobody else's history is looked at.
pub(super) fn reduced_beside(around: &Tuples<'_>, history: &History) -> Result<Vec<ArrayRef>> {
    if history.is_correlated() {
        let offsets = around.block.offsets(&history.shared, &history.scope.table)?;
        let may_count = |aggregate: &Aggregate| may_count(around.block, history, aggregate, &offsets);
        if let Some(reduced) = by_ranges(around, history, may_count)? {
            return Ok(reduced);
        }
    }
    let pairs = Pairs::of(around, history)?;
    let mut parts: Vec<Vec<ArrayRef>> = history.aggregates.iter().map(|_| Vec::new()).collect();
    let mut next = 0;
    while next < around.count || parts.iter().any(Vec::is_empty) {
        around.block.keep_patience()?;
        let (tuples, offsets) = pairs.some(history, &mut next);
        let reduced = reduced_pairs(history, &tuples, &Groups { offsets: &offsets })?;
        parts.iter_mut().zip(reduced).for_each(|(parts, part)| parts.push(part));
    }
    let whole = |parts: &Vec<ArrayRef>| concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    Ok(parts.iter().map(whole).collect::<Result<_, _>>()?)
}

fn reduced_pairs(history: &History, tuples: &Tuples<'_>, groups: &Groups<'_>) -> Result<Vec<ArrayRef>> {
    // What does not compare was chosen among all rows before, unless only these are looked at.
    let is_chosen_here = |choice: &&Chosen| !choice.beside.is_empty() || !history.is_correlated();
    let rows = match history.chosen.as_ref().filter(is_chosen_here) {
        None => None,
        Some(choice) => {
            let level = tuples.components[0].clone();
            let beside = choice.beside.iter().map(|component| tuples.components[*component].clone());
            let components = std::iter::once(level).chain(beside).collect();
            let candidates = Tuples::new(tuples.block, &choice.scope, tuples.count, components);
            Some(chosen(choice, &candidates, None, groups)?)
        }
    };
    aggregated(history, tuples, rows.as_ref(), groups)
}

fn aggregated(
    history: &History,
    tuples: &Tuples<'_>,
    rows: Option<&BooleanBuffer>,
    groups: &Groups<'_>,
) -> Result<Vec<ArrayRef>> {
    let each = history.aggregates.iter().map(|aggregate| {
        let passing = tuples.passing(&aggregate.filter, rows.cloned())?;
        Ok(reduce(aggregate, tuples, passing.as_ref(), groups)?.arrow()?)
    });
    each.collect()
}

/// The rows of a level beside each tuple of the scope around.
struct Pairs<'r> {
    block: &'r Block<'r>,
    /// For each row that has such a history where the level's rows begin.
    offsets: Arc<[u32]>,
    /// The rows that may count at all.
    candidates: Option<BooleanBuffer>,
    /// For each tuple around the row whose history it is.
    of: Component,
    /// What stands beside the level's rows, for each tuple around.
    beside: Vec<Component>,
    count: usize,
}

impl<'r> Pairs<'r> {
    fn of(around: &'r Tuples<'r>, history: &'r History) -> Result<Self> {
        let block = around.block;
        let offsets = block.offsets(&history.shared, &history.scope.table)?;
        let candidates = if history.is_correlated() {
            candidates(block, history, &offsets)?
        } else {
            there(block, &history.scope.table, &history.scope.visible)?
        };
        let of = around.places(history.of)?;
        let beside = history.beside.iter().map(|domain| around.places(*domain)).collect::<Result<_>>()?;
        Ok(Self { block, offsets, candidates, of, beside, count: around.count })
    }

    /// The pairs of the tuples from `next` on, as many as are looked at together, and where those of each begin.
    fn some<'h>(&self, history: &'h History, next: &mut usize) -> (Tuples<'h>, Vec<u32>)
    where
        'r: 'h,
    {
        let (mut rows, mut tuples, mut offsets) = (Vec::new(), Vec::new(), vec![0]);
        while *next < self.count && rows.len() < PAIRS {
            let of = match &self.of {
                Component::All => *next,
                Component::At(places) => places[*next] as usize,
            };
            let (first, end) = (self.offsets[of], self.offsets[of + 1]);
            match &self.candidates {
                None => rows.extend(first..end),
                Some(candidates) => {
                    let its = candidates.slice(first as usize, (end - first) as usize);
                    rows.extend(its.set_indices().map(|place| first + place as u32));
                }
            }
            tuples.resize(rows.len(), *next as u32);
            offsets.push(rows.len() as u32);
            *next += 1;
        }
        let count = rows.len();
        let beside = self.beside.iter().map(|component| component.at(&tuples));
        let components = std::iter::once(Component::At(ScalarBuffer::from(rows))).chain(beside).collect();
        (Tuples::new(self.block, &history.scope, count, components), offsets)
    }
}

/// The rows of a level that may count for an aggregate whose choice of rows compares with nothing; `None`: all.
fn may_count(
    block: &Block<'_>,
    history: &History,
    aggregate: &Aggregate,
    offsets: &[u32],
) -> Result<Option<BooleanBuffer>> {
    let there = there(block, &history.scope.table, &history.scope.visible)?;
    let chosen = match &history.chosen {
        None => there,
        Some(choice) => Some(chosen(choice, &Tuples::all(block, &choice.scope)?, there, &Groups { offsets })?),
    };
    by_themselves(block, &history.scope, &aggregate.filter, chosen)
}

/// The rows of a level that may count, as far as they tell it by themselves; `None`: all.
fn candidates(block: &Block<'_>, history: &History, offsets: &[u32]) -> Result<Option<BooleanBuffer>> {
    let there = there(block, &history.scope.table, &history.scope.visible)?;
    match &history.chosen {
        Some(choice) if choice.beside.is_empty() => {
            let candidates = Tuples::all(block, &choice.scope)?;
            Ok(Some(chosen(choice, &candidates, there, &Groups { offsets })?))
        }
        Some(choice) => by_themselves(block, &choice.scope, &choice.condition, there),
        None => {
            let of = |aggregate: &Aggregate| by_themselves(block, &history.scope, &aggregate.filter, there.clone());
            let mut any: Option<BooleanBuffer> = None;
            for aggregate in &history.aggregates {
                let Some(its) = of(aggregate)? else { return Ok(None) };
                any = Some(any.map_or_else(|| its.clone(), |any| &any | &its));
            }
            Ok(any)
        }
    }
}

/// The rows of `among` that meet those conditions that are about them alone.
fn by_themselves(
    block: &Block<'_>,
    scope: &Scope,
    filter: &Filter,
    among: Option<BooleanBuffer>,
) -> Result<Option<BooleanBuffer>> {
    let own = |domain: usize| domain != TUPLE && scope.component_above(domain).1 == 0;
    let (rows, mut passing) = (Tuples::all(block, scope)?, among);
    for condition in filter.first.iter().filter(|condition| own(condition.domain)) {
        let holds = truth(&rows.value(condition)?);
        passing = Some(passing.map_or_else(|| holds.clone(), |passing| &passing & &holds));
    }
    Ok(passing)
}
