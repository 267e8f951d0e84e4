//! Finding rows of a published table: by their keys, by their parents, and as columns.

use std::collections::{BTreeSet, HashMap};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray, UInt32Array};
use arrow_select::interleave::interleave;
use arrow_select::take::take;
use rayon::prelude::*;

use crate::Error;
use crate::column::absent;
use crate::keys::KeyIndex;
use crate::merge::Rows;
use crate::overlay::{Came, NONE, Parent};
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
    sieve: Sieve,
}

impl Wanted {
    /// The distinct texts of a column.
    pub(crate) fn of(texts: &StringViewArray) -> Self {
        let mut index = KeyIndex::with_capacity(texts.len());
        let first = (0..texts.len() as u32).filter(|row| texts.is_valid(*row as usize));
        let distinct: Vec<u32> = first.filter(|row| index.enter(texts, *row).is_none()).collect();
        let keys = StringViewArray::from_iter_values(distinct.iter().map(|row| texts.value(*row as usize)));
        let index = KeyIndex::of(&keys);
        let sieve = Sieve::of(keys.iter().flatten().map(|key| index.hash(key)), keys.len());
        Self { index, keys, sieve }
    }

    pub(crate) fn find(&self, key: &str) -> Option<u32> {
        let hash = self.index.hash(key);
        if self.sieve.lets_through(hash) { self.index.find_hashed(&self.keys, key, hash) } else { None }
    }
}

/// One bit for each of many hashes: of the keys of a table most are not wanted, and this small look says so.
struct Sieve {
    bits: Vec<u64>,
}

impl Sieve {
    /// Bits for each key: one key in sixteen passes that is not wanted.
    const BITS: usize = 16;

    fn of(hashes: impl Iterator<Item = u64>, count: usize) -> Self {
        let mut sieve = Self { bits: vec![0; (count * Self::BITS).div_ceil(64).next_power_of_two()] };
        for hash in hashes {
            let (word, bit) = sieve.place(hash);
            sieve.bits[word] |= bit;
        }
        sieve
    }

    fn lets_through(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.bits[word] & bit != 0
    }

    /// Not by the lowest bits, by which the index goes.
    fn place(&self, hash: u64) -> (usize, u64) {
        ((hash >> 16) as usize & (self.bits.len() - 1), 1 << (hash >> 58))
    }
}

/// Where the rows with the wanted keys are, by the number of the key.
///
/// Who looks `often` has an index made of every block's keys; else the keys of the table are looked through once, which is
/// quicker than to make one.
pub(crate) fn locate(table: &PublishedTable, wanted: &Wanted, often: bool) -> Result<HashMap<u32, Spot>, Error> {
    if wanted.keys.is_empty() {
        return Ok(HashMap::new());
    }
    let blocks = (0..table.blocks.len()).into_par_iter();
    let found = blocks.map(|block| locate_in(table, block, wanted, often)).collect::<Result<Vec<_>, Error>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn locate_in(table: &PublishedTable, block: usize, wanted: &Wanted, often: bool) -> Result<Vec<(u32, Spot)>, Error> {
    let schema = &table.manifest.schema;
    let key = schema.key_position().expect("only tables with a key are searched by it");
    let edits = table.edits(block)?;
    let mut found = Vec::new();
    if let Some(base) = &table.blocks[block] {
        let keys = base.column(key, &schema.columns[key], None)?.arrow()?;
        let keys = keys.as_string_view();
        let gone = |place: &u32| edits.is_some_and(|edits| edits.gone.binary_search(place).is_ok());
        let mut find = |number: u32, place: u32| {
            if !gone(&place) {
                found.push((number, Spot { block, at: Parent::Base(place) }));
            }
        };
        let few = wanted.keys.len() < keys.len() / 16;
        if few && (often || base.has_index()) {
            let index = base.by_key(keys);
            let number = |key: Option<&str>| key.and_then(|key| index.find(keys, key));
            (0..)
                .zip(&wanted.keys)
                .filter_map(|(n, key)| Some((n, number(key)?)))
                .for_each(|(n, place)| find(n, place));
        } else {
            let number = |key: Option<&str>| key.and_then(|key| wanted.find(key));
            (0..)
                .zip(keys)
                .filter_map(|(place, key)| Some((number(key)?, place)))
                .for_each(|(n, place)| find(n, place));
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
    let blocks: BTreeSet<usize> = parents.iter().map(|parent| parent.block).collect();
    for block in blocks.into_iter().filter(|block| *block < table.blocks.len()) {
        for row in table.edits(block)?.into_iter().flat_map(|edits| edits.came.iter()) {
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

/// The rows at these spots, with all columns, in the order of the spots, which must be sorted by block. Only they are
/// unpacked, not their blocks.
pub(crate) fn rows_at(snapshot: &Snapshot, table: &PublishedTable, spots: &[Spot]) -> Result<Rows, Error> {
    let schema = &table.manifest.schema;
    let mut parts = vec![Rows::none(schema)];
    for together in spots.chunk_by(|a, b| a.block == b.block) {
        let columns = (0..schema.columns.len()).map(|column| match schema.on_position() == Some(column) {
            true => keys_above(snapshot, table, together),
            false => column_at(table, together, column),
        });
        parts.push(Rows { columns: columns.collect::<Result<_, _>>()?, count: together.len() });
    }
    Ok(Rows::joined(parts)?)
}

/// The values of a column at spots of one block.
fn column_at(table: &PublishedTable, spots: &[Spot], column: usize) -> Result<ArrayRef, Error> {
    let block = spots[0].block;
    let declared = &table.manifest.schema.columns[column];
    let came = table.came_at(block)?;
    let mut of_file = Vec::new();
    let mut of_came = Vec::new();
    let mut sources = Vec::with_capacity(spots.len());
    for spot in spots {
        match (came.get(&spot.at), spot.at) {
            (Some(row), _) => {
                sources.push((1, of_came.len()));
                of_came.push(Some(*row).filter(|row| *row != NONE));
            }
            (None, Parent::Base(place)) => {
                sources.push((0, of_file.len()));
                of_file.push(place);
            }
            (None, Parent::Slot(_)) => return Err(Error::Catalogue { what: "a row that came is nowhere".to_owned() }),
        }
    }
    let of_file = match &table.blocks[block] {
        Some(base) => {
            let dictionary = table.dictionary(column)?;
            base.column(column, declared, dictionary.as_ref())?.taken(&of_file.into())?
        }
        None => absent(declared.column_type, 0),
    };
    let of_came = take(&table.overlay()?.column(column, declared)?, &UInt32Array::from(of_came), None)?;
    Ok(interleave(&[of_file.as_ref(), of_came.as_ref()], &sources)?)
}

/// The keys of the parents of rows at spots of one block.
fn keys_above(snapshot: &Snapshot, table: &PublishedTable, spots: &[Spot]) -> Result<ArrayRef, Error> {
    let parent = table.manifest.schema.parent().and_then(|parent| snapshot.table(parent));
    let parent = parent.expect("a published history has its parent beside it");
    let key = parent.manifest.schema.key_position().expect("a parent has a key");
    let block = spots[0].block;
    let above = parents_of(table, spots)?.into_iter().map(|at| Spot { block, at }).collect::<Vec<_>>();
    column_at(parent, &above, key)
}

/// For each of these rows of a history the parent that it stands below.
pub(crate) fn parents_of(table: &PublishedTable, spots: &[Spot]) -> Result<Vec<Parent>, Error> {
    let blocks: BTreeSet<usize> = spots.iter().map(|spot| spot.block).collect();
    let mut came: HashMap<Spot, Parent> = HashMap::new();
    for block in blocks {
        let edits = table.edits(block)?.map_or(&[] as &[Came], |edits| edits.came.as_slice());
        came.extend(edits.iter().map(|row| (Spot { block, at: row.called() }, row.parent)));
    }
    let parent = |spot: &Spot| match (came.get(spot), spot.at) {
        (Some(parent), _) => Ok(*parent),
        (None, Parent::Slot(_)) => Err(Error::Catalogue { what: "a row that came is nowhere".to_owned() }),
        (None, Parent::Base(place)) => {
            let base = table.blocks[spot.block].as_ref().expect("a spot in a file has the file");
            Ok(Parent::Base(base.parents()?.value(place as usize)))
        }
    };
    spots.iter().map(parent).collect()
}
