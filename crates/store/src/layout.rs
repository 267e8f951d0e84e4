//! Where every history row stands: below its parent, in time.

use std::cmp::Ordering;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, StringViewArray};
use arrow_schema::ArrowError;
use muster_catalog::ProfileId;
use rayon::prelude::*;

use crate::merge::{Rows, comparators};
use crate::partitions::{NOWHERE, rows_named};
use crate::schema::TableSchema;

/// A table whose rows have their final places: what its children need to know of it.
pub(crate) struct Placed {
    /// The keys, in row order; absent for a table without a key.
    pub(crate) keys: Option<StringViewArray>,
    /// The rows of each block.
    pub(crate) blocks: Vec<Range<u32>>,
}

impl Placed {
    /// Profiles stand where their ids say.
    pub(crate) fn profiles(keys: StringViewArray) -> Self {
        let count = keys.len() as u32;
        let blocks = (0..count.div_ceil(ProfileId::PER_BLOCK)).map(|block| {
            let first = block * ProfileId::PER_BLOCK;
            first..count.min(first.saturating_add(ProfileId::PER_BLOCK))
        });
        Self { keys: Some(keys), blocks: blocks.collect() }
    }

    /// All rows of a lookup are one block.
    pub(crate) fn lookup(keys: StringViewArray) -> Self {
        let all = 0..keys.len() as u32;
        Self { keys: Some(keys), blocks: std::iter::once(all).collect() }
    }
}

/// The places of a history table's rows.
pub(crate) struct Layout {
    /// For each place the row that stands there.
    pub(crate) order: Vec<u32>,
    /// For each row of the parent where its rows begin, and one more for the end.
    pub(crate) offsets: Vec<u32>,
    /// Rows whose parent is not known.
    pub(crate) orphans: Vec<u32>,
    /// The places of each block.
    pub(crate) blocks: Vec<Range<u32>>,
}

/// Finds a place for each of `rows` below `parent`: by parent row, then time, then key (without one: then content).
pub(crate) fn lay_out(schema: &TableSchema, rows: &Rows, parent: &Placed) -> Result<Layout, ArrowError> {
    let parents = parent_rows(schema, rows, parent);
    let parent_count = parent.blocks.last().map_or(0, |block| block.end) as usize;
    let (offsets, mut order) = by_parent(&parents, parent_count);
    let blocks: Vec<Range<u32>> =
        parent.blocks.iter().map(|block| offsets[block.start as usize]..offsets[block.end as usize]).collect();
    sort_in_time(schema, rows, &offsets, &mut order)?;
    let orphans = (0..).zip(&parents).filter(|(_, parent)| **parent == NOWHERE).map(|(row, _)| row).collect();
    Ok(Layout { order, offsets, orphans, blocks })
}

/// For each row the row of its parent, or [`NOWHERE`].
fn parent_rows(schema: &TableSchema, rows: &Rows, parent: &Placed) -> Vec<u32> {
    match (schema.on_position(), &parent.keys) {
        (Some(on), Some(keys)) => rows_named(rows.columns[on].as_string_view(), keys),
        _ => vec![NOWHERE; rows.count],
    }
}

/// A counting sort: where each parent's rows begin, and the rows in order of their parents, else of arrival.
fn by_parent(parents: &[u32], parent_count: usize) -> (Vec<u32>, Vec<u32>) {
    let mut offsets = vec![0_u32; parent_count + 1];
    let with_parent = || parents.iter().filter(|parent| **parent != NOWHERE);
    with_parent().for_each(|parent| offsets[*parent as usize + 1] += 1);
    for parent in 0..parent_count {
        offsets[parent + 1] += offsets[parent];
    }
    let mut next = offsets.clone();
    let mut order = vec![0_u32; offsets[parent_count] as usize];
    for (row, parent) in (0..).zip(parents).filter(|(_, parent)| **parent != NOWHERE) {
        order[next[*parent as usize] as usize] = row;
        next[*parent as usize] += 1;
    }
    (offsets, order)
}

fn sort_in_time(schema: &TableSchema, rows: &Rows, offsets: &[u32], order: &mut [u32]) -> Result<(), ArrowError> {
    let in_time = time_order(schema, rows)?;
    let mut families = Vec::new();
    let mut rest = order;
    for family in offsets.windows(2) {
        let (rows, after) = rest.split_at_mut((family[1] - family[0]) as usize);
        rest = after;
        if rows.len() > 1 {
            families.push(rows);
        }
    }
    families.into_par_iter().with_min_len(1024).for_each(|rows| rows.sort_unstable_by(|a, b| in_time(*a, *b)));
    Ok(())
}

type RowOrder<'a> = Box<dyn Fn(u32, u32) -> Ordering + Send + Sync + 'a>;

/// By time, then key, without a key by content; rows that are equal in all of it stay in order of arrival.
fn time_order<'a>(schema: &TableSchema, rows: &'a Rows) -> Result<RowOrder<'a>, ArrowError> {
    let time = schema.time_position().map(|time| rows.columns[time].as_primitive::<TimestampMicrosecondType>());
    let instant = move |row: u32| time.map(|time| time.value(row as usize));
    if let Some(key) = schema.key_position() {
        let keys = rows.columns[key].as_string_view();
        let key = move |row: u32| keys.value(row as usize);
        return Ok(Box::new(move |a, b| instant(a).cmp(&instant(b)).then_with(|| key(a).cmp(key(b)))));
    }
    let content = comparators(&rows.columns)?;
    let by_content = move |a: u32, b: u32| {
        let differing = content.iter().map(|compare| compare(a as usize, b as usize)).find(|order| order.is_ne());
        differing.unwrap_or(a.cmp(&b))
    };
    Ok(Box::new(move |a, b| instant(a).cmp(&instant(b)).then_with(|| by_content(a, b))))
}
