//! Finding rows of a published table: by their keys, by their parents, and as columns.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, StringViewArray};
use rayon::prelude::*;

use crate::Error;
use crate::keys::KeyIndex;
use crate::merge::Rows;
use crate::overlay::{Edits, NONE, Parent};
use crate::published::PublishedTable;
use crate::snapshot::Snapshot;

/// Where a row of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) block: usize,
    pub(crate) at: Parent,
}

/// Distinct keys that are looked for.
pub(crate) struct Wanted {
    pub(crate) keys: StringViewArray,
    index: KeyIndex,
}

impl Wanted {
    /// The distinct texts of a column.
    pub(crate) fn of(texts: &StringViewArray) -> Self {
        let mut index = KeyIndex::with_capacity(texts.len());
        let first = (0..texts.len() as u32).filter(|row| texts.is_valid(*row as usize));
        let distinct: Vec<u32> = first.filter(|row| index.enter(texts, *row).is_none()).collect();
        let keys = StringViewArray::from_iter_values(distinct.iter().map(|row| texts.value(*row as usize)));
        Self { index: KeyIndex::of(&keys), keys }
    }

    pub(crate) fn find(&self, key: &str) -> Option<u32> {
        self.index.find(&self.keys, key)
    }
}

/// Where the rows with the wanted keys are, by the number of the key.
pub(crate) fn locate(table: &PublishedTable, wanted: &Wanted) -> Result<HashMap<u32, Spot>, Error> {
    if wanted.keys.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<Vec<(u32, Spot)>> = (0..table.blocks.len())
        .into_par_iter()
        .map(|block| locate_in(table, block, wanted))
        .collect::<Result<_, Error>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn locate_in(table: &PublishedTable, block: usize, wanted: &Wanted) -> Result<Vec<(u32, Spot)>, Error> {
    let schema = &table.manifest.schema;
    let key = schema.key_position().expect("only tables with a key are searched by it");
    let edits = table.edits(block)?;
    let mut found = Vec::new();
    if let Some(base) = &table.blocks[block] {
        let keys = base.column(key, &schema.columns[key], None)?.arrow()?;
        let keys = keys.as_string_view();
        let gone = |place: u32| edits.is_some_and(|edits| edits.gone.binary_search(&place).is_ok());
        for place in (0..keys.len()).filter(|place| keys.is_valid(*place)) {
            if let Some(number) = wanted.find(keys.value(place))
                && !gone(place as u32)
            {
                found.push((number, Spot { block, at: Parent::Base(place as u32) }));
            }
        }
    }
    if let Some(edits) = edits {
        let keys = table.overlay()?.column(key, &schema.columns[key])?;
        let keys = keys.as_string_view();
        let standing = edits.came.iter().filter(|came| came.row != NONE);
        found.extend(standing.filter_map(|came| {
            let number = wanted.find(keys.value(came.row as usize))?;
            Some((number, Spot { block, at: came.called() }))
        }));
    }
    Ok(found)
}

/// The rows of `table` below these rows of its parent, parent by parent, each family in no order.
pub(crate) fn families(table: &PublishedTable, parents: &[Spot]) -> Result<Vec<Spot>, Error> {
    // The rows that came are looked through once per block, not once per parent.
    let mut came: HashMap<Spot, Vec<Spot>> = HashMap::new();
    let blocks: std::collections::BTreeSet<usize> = parents.iter().map(|parent| parent.block).collect();
    for block in blocks.into_iter().filter(|block| *block < table.blocks.len()) {
        for row in table.edits(block)?.into_iter().flat_map(|edits: &std::sync::Arc<Edits>| edits.came.iter()) {
            came.entry(Spot { block, at: row.parent }).or_default().push(Spot { block, at: row.called() });
        }
    }
    let mut rows = Vec::new();
    for parent in parents.iter().filter(|parent| parent.block < table.blocks.len()) {
        rows.extend(base_family(table, *parent)?);
        rows.extend(came.get(parent).into_iter().flatten());
    }
    Ok(rows)
}

fn base_family(table: &PublishedTable, parent: Spot) -> Result<Vec<Spot>, Error> {
    let Spot { block, at } = parent;
    let (Parent::Base(of), Some(base)) = (at, &table.blocks[block]) else { return Ok(Vec::new()) };
    let edits = table.edits(block)?;
    let parents = base.parents()?.values();
    let (from, to) = (parents.partition_point(|parent| *parent < of), parents.partition_point(|parent| *parent <= of));
    let stands = |place: &u32| edits.is_none_or(|edits| edits.gone.binary_search(place).is_err());
    Ok((from as u32..to as u32).filter(stands).map(|place| Spot { block, at: Parent::Base(place) }).collect())
}

/// The rows at these spots, with all columns, in the order of the spots, which must be sorted by block.
pub(crate) fn rows_at(snapshot: &Snapshot, table: &PublishedTable, spots: &[Spot]) -> Result<Rows, Error> {
    let mut parts = vec![Rows::none(&table.manifest.schema)];
    for together in spots.chunk_by(|a, b| a.block == b.block) {
        let block = together[0].block;
        let translation = table.translation(block)?;
        let place = |spot: &Spot| match (&translation, spot.at) {
            (Some(translation), at) => translation.place(at),
            (None, Parent::Base(place)) => place,
            (None, Parent::Slot(_)) => NONE,
        };
        let rows = snapshot.block_of(table, block)?;
        parts.push(rows.take(together.iter().map(place).collect::<Vec<_>>().into_iter())?);
    }
    Ok(Rows::joined(parts)?)
}

/// For each of these rows of a history the parent that it stands below.
pub(crate) fn parents_of(table: &PublishedTable, spots: &[Spot]) -> Result<Vec<Parent>, Error> {
    let mut by_slot: HashMap<(usize, u32), Parent> = HashMap::new();
    for (block, edits) in &table.overlay()?.edits {
        by_slot.extend(edits.came.iter().map(|came| ((*block, came.slot), came.parent)));
    }
    let mut by_base: HashMap<(usize, u32), Parent> = HashMap::new();
    for (block, edits) in &table.overlay()?.edits {
        let taken = edits.came.iter().filter(|came| came.replaces != NONE);
        by_base.extend(taken.map(|came| ((*block, came.replaces), came.parent)));
    }
    let parent = |spot: &Spot| match spot.at {
        Parent::Slot(slot) => Ok(by_slot[&(spot.block, slot)]),
        Parent::Base(place) => match by_base.get(&(spot.block, place)) {
            Some(parent) => Ok(*parent),
            None => {
                let base = table.blocks[spot.block].as_ref().expect("a spot in a file has the file");
                Ok(Parent::Base(base.parents()?.value(place as usize)))
            }
        },
    };
    spots.iter().map(parent).collect()
}
