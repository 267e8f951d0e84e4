//! Finding rows of a published table: by their keys, by their parents, and as columns.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray, UInt32Array};
use arrow_select::concat::concat;
use arrow_select::interleave::interleave;
use arrow_select::take::take;
use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashTable};
use rayon::prelude::*;

use crate::Error;
use crate::block::BlockTable;
use crate::column::absent;
use crate::merge::Rows;
use crate::overlay::{Came, NONE, Parent};
use crate::published::PublishedTable;
use crate::schema::ColumnSchema;
use crate::snapshot::Snapshot;
use crate::views::{Hasher, are_equal};

/// Where a row of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) block: usize,
    pub(crate) at: Parent,
}

/// How often the rows of a table are looked for by the same process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looking {
    /// Only now: its columns go by, and only the rows that are found are unpacked.
    Now,
    /// With every row that comes: an index is made of the keys, and columns are kept.
    Often,
}

/// Distinct keys that are looked for.
pub(crate) struct Wanted {
    pub(crate) keys: StringViewArray,
    hasher: Hasher,
    numbers: HashTable<u32>,
    sieve: Sieve,
}

impl Wanted {
    /// The distinct texts of a column.
    pub(crate) fn of(texts: &StringViewArray) -> Self {
        let hasher = Hasher::default();
        let mut distinct: Vec<u32> = Vec::new();
        let mut hashes = Vec::new();
        let mut numbers: HashTable<u32> = HashTable::with_capacity(texts.len());
        for row in (0..texts.len() as u32).filter(|row| texts.is_valid(*row as usize)) {
            let hash = hasher.hash(texts, row as usize);
            let same = |number: &u32| are_equal(texts, distinct[*number as usize], texts, row);
            if let Entry::Vacant(entry) = numbers.entry(hash, same, |number| hashes[*number as usize]) {
                entry.insert(distinct.len() as u32);
                distinct.push(row);
                hashes.push(hash);
            }
        }
        let keys = StringViewArray::from_iter_values(distinct.iter().map(|row| texts.value(*row as usize)));
        Self { sieve: Sieve::of(&hashes), hasher, numbers, keys }
    }

    /// The number of the key that a row of `texts` has; none of a row without a key.
    #[inline]
    pub(crate) fn find(&self, texts: &StringViewArray, row: u32) -> Option<u32> {
        if texts.is_null(row as usize) {
            return None;
        }
        let hash = self.hasher.hash(texts, row as usize);
        if !self.sieve.lets_through(hash) {
            return None;
        }
        self.numbers.find(hash, |number| are_equal(&self.keys, *number, texts, row)).copied()
    }
}

/// One bit for each of many hashes: of the keys of a table most are not wanted, and this small look says so.
struct Sieve {
    bits: Vec<u64>,
}

impl Sieve {
    /// Bits for each key: one key in sixteen passes that is not wanted.
    const BITS: usize = 16;

    fn of(hashes: &[u64]) -> Self {
        let mut sieve = Self { bits: vec![0; (hashes.len() * Self::BITS).div_ceil(64).next_power_of_two()] };
        for hash in hashes {
            let (word, bit) = sieve.place(*hash);
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
pub(crate) fn locate(table: &PublishedTable, wanted: &Wanted, looking: Looking) -> Result<HashMap<u32, Spot>, Error> {
    if wanted.keys.is_empty() {
        return Ok(HashMap::new());
    }
    let blocks = (0..table.blocks.len()).into_par_iter();
    let found = blocks.map(|block| locate_in(table, block, wanted, looking)).collect::<Result<Vec<_>, Error>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn locate_in(
    table: &PublishedTable,
    block: usize,
    wanted: &Wanted,
    looking: Looking,
) -> Result<Vec<(u32, Spot)>, Error> {
    let schema = &table.manifest.schema;
    let key = schema.key_position().expect("only tables with a key are searched by it");
    let edits = table.edits(block)?;
    let mut found = Vec::new();
    if let Some(base) = &table.blocks[block] {
        let gone = |place: &u32| edits.is_some_and(|edits| edits.gone.binary_search(place).is_ok());
        locate_in_file(base, (key, &schema.columns[key]), wanted, looking, |number, place| {
            if !gone(&place) {
                found.push((number, Spot { block, at: Parent::Base(place) }));
            }
        })?;
    }
    if let Some(edits) = edits {
        let keys = table.overlay()?.column(key, &schema.columns[key])?;
        let keys = keys.as_string_view();
        let standing = edits.came.iter().filter(|came| came.row != NONE);
        found.extend(standing.filter_map(|came| {
            let number = wanted.find(keys, came.row)?;
            Some((number, Spot { block, at: came.called() }))
        }));
    }
    Ok(found)
}

/// Calls `find` with the number of each wanted key that the file of a block has, and its place.
fn locate_in_file(
    base: &BlockTable,
    (key, column): (usize, &ColumnSchema),
    wanted: &Wanted,
    looking: Looking,
    mut find: impl FnMut(u32, u32),
) -> Result<(), Error> {
    let mut pass = |first: u32, keys: &StringViewArray| {
        let found = (0..keys.len() as u32).filter_map(|row| Some((wanted.find(keys, row)?, first + row)));
        found.for_each(|(number, place)| find(number, place));
    };
    if looking == Looking::Now && !base.is_kept(key) {
        if base.text_bounds(column)?.is_some_and(|bounds| !wanted.keys.iter().flatten().any(|key| bounds.hold(key))) {
            return Ok(());
        }
        let mut first = 0;
        return base.each_piece(column, |keys| {
            pass(first, keys);
            first += keys.len() as u32;
        });
    }
    let keys = base.column(key, column, None)?.arrow()?;
    let keys = keys.as_string_view();
    let few = wanted.keys.len() < keys.len() / 16;
    if few && (looking == Looking::Often || base.has_index()) {
        let index = base.by_key(keys);
        let number = |key: Option<&str>| key.and_then(|key| index.find(keys, key));
        let found = (0..).zip(&wanted.keys).filter_map(|(n, key)| Some((n, number(key)?)));
        found.for_each(|(number, place)| find(number, place));
    } else {
        pass(0, keys);
    }
    Ok(())
}

/// The rows of `table` below these rows of its parent, parent by parent, each family in no order.
pub(crate) fn families(table: &PublishedTable, parents: &[Spot]) -> Result<Vec<Spot>, Error> {
    // The rows that came are looked through once per block, not once per parent.
    let mut came: HashMap<Spot, Vec<Spot>> = HashMap::new();
    let mut blocks: BTreeSet<usize> = parents.iter().map(|parent| parent.block).collect();
    blocks.retain(|block| *block < table.blocks.len());
    read_parents(table, &blocks)?;
    for block in blocks {
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
    let stands = |place: &u32| edits.is_none_or(|edits| edits.gone.binary_search(place).is_err());
    Ok(base.family(of)?.filter(stands).map(|place| Spot { block, at: Parent::Base(place) }).collect())
}

/// The rows at these spots, with all columns, in the order of the spots, which must be sorted by block. Only they are
/// unpacked, not their blocks, except where somebody looks often.
pub(crate) fn rows_at(
    snapshot: &Snapshot,
    table: &PublishedTable,
    spots: &[Spot],
    looking: Looking,
) -> Result<Rows, Error> {
    let schema = &table.manifest.schema;
    if spots.is_empty() {
        return Ok(Rows::none(schema));
    }
    let blocks = spots.chunk_by(|a, b| a.block == b.block).collect::<Vec<_>>();
    let sources = blocks.par_iter().map(|spots| Sources::of(table, spots)).collect::<Result<Vec<_>, Error>>()?;
    let above = match schema.on_position() {
        None => Vec::new(),
        Some(_) => blocks.par_iter().map(|spots| Above::of(snapshot, table, spots)).collect::<Result<_, Error>>()?,
    };
    let column = |column: usize| {
        let parts = match schema.on_position() == Some(column) {
            true => above.par_iter().map(|above| above.keys(looking)).collect::<Result<Vec<_>, Error>>()?,
            false => sources.par_iter().map(|from| from.values(table, column, looking)).collect::<Result<_, _>>()?,
        };
        Ok(concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?)
    };
    let columns = (0..schema.columns.len()).into_par_iter().map(column).collect::<Result<_, Error>>()?;
    Ok(Rows { columns, count: spots.len() })
}

/// Where the values at spots of one block come from.
struct Sources {
    block: usize,
    /// Places of the block's file, ascending.
    of_file: Vec<u32>,
    /// Numbers of rows that came; none where a profile was deleted.
    of_came: UInt32Array,
    /// For each spot the number among the places (0), or among the rows that came (1).
    order: Vec<(usize, usize)>,
}

impl Sources {
    fn of(table: &PublishedTable, spots: &[Spot]) -> Result<Self, Error> {
        let block = spots[0].block;
        let came = table.came_at(block)?;
        let place = |spot: &Spot| match (came.get(&spot.at), spot.at) {
            (None, Parent::Base(place)) => Some(place),
            _ => None,
        };
        let mut of_file: Vec<u32> = spots.iter().filter_map(place).collect();
        of_file.sort_unstable();
        of_file.dedup();
        let mut of_came = Vec::new();
        let mut order = Vec::with_capacity(spots.len());
        for spot in spots {
            if let Some(place) = place(spot) {
                order.push((0, of_file.partition_point(|known| *known < place)));
                continue;
            }
            let nowhere = || Error::Catalogue { what: "a row that came is nowhere".to_owned() };
            let row = *came.get(&spot.at).ok_or_else(nowhere)?;
            order.push((1, of_came.len()));
            of_came.push(Some(row).filter(|row| *row != NONE));
        }
        Ok(Self { block, of_file, of_came: of_came.into(), order })
    }

    fn values(&self, table: &PublishedTable, column: usize, looking: Looking) -> Result<ArrayRef, Error> {
        let declared = &table.manifest.schema.columns[column];
        let of_file = file_values(table, self.block, column, &self.of_file, looking)?;
        if self.of_came.is_empty() && self.order.iter().enumerate().all(|(place, (_, number))| place == *number) {
            return Ok(of_file);
        }
        let of_came = take(&table.overlay()?.column(column, declared)?, &self.of_came, None)?;
        Ok(interleave(&[of_file.as_ref(), of_came.as_ref()], &self.order)?)
    }
}

/// The values of a column at places of a block's file, which ascend.
pub(crate) fn file_values(
    table: &PublishedTable,
    block: usize,
    column: usize,
    places: &[u32],
    looking: Looking,
) -> Result<ArrayRef, Error> {
    let declared = &table.manifest.schema.columns[column];
    match (&table.blocks[block], looking) {
        (None, _) => Ok(absent(declared.column_type, 0)),
        (Some(base), Looking::Often) => {
            let dictionary = table.dictionary(column)?;
            Ok(base.column(column, declared, dictionary.as_ref())?.taken(&places.to_vec().into())?)
        }
        (Some(base), _) => base.values_at(column, declared, table.texts_of_files(column)?.as_ref(), places),
    }
}

/// The rows above those at spots of one block.
struct Above<'a> {
    parent: &'a PublishedTable,
    key: usize,
    sources: Sources,
}

impl<'a> Above<'a> {
    fn of(snapshot: &'a Snapshot, table: &PublishedTable, spots: &[Spot]) -> Result<Self, Error> {
        let parent = table.manifest.schema.parent().and_then(|parent| snapshot.table(parent));
        let parent = parent.expect("a published history has its parent beside it");
        let key = parent.manifest.schema.key_position().expect("a parent has a key");
        let block = spots[0].block;
        let above = parents_of(table, spots)?.into_iter().map(|at| Spot { block, at }).collect::<Vec<_>>();
        Ok(Self { parent, key, sources: Sources::of(parent, &above)? })
    }

    fn keys(&self, looking: Looking) -> Result<ArrayRef, Error> {
        self.sources.values(self.parent, self.key, looking)
    }
}

/// For each of these rows of a history the parent that it stands below.
pub(crate) fn parents_of(table: &PublishedTable, spots: &[Spot]) -> Result<Vec<Parent>, Error> {
    let blocks: BTreeSet<usize> = spots.iter().map(|spot| spot.block).collect();
    let mut came: HashMap<Spot, Parent> = HashMap::new();
    read_parents(table, &blocks)?;
    for block in blocks {
        let edits = table.edits(block)?.map_or(&[] as &[Came], |edits| edits.came.as_slice());
        came.extend(edits.iter().map(|row| (Spot { block, at: row.called() }, row.parent)));
    }
    let parent = |spot: &Spot| match (came.get(spot), spot.at) {
        (Some(parent), _) => Ok(*parent),
        (None, Parent::Slot(_)) => Err(Error::Catalogue { what: "a row that came is nowhere".to_owned() }),
        (None, Parent::Base(place)) => {
            let base = table.blocks[spot.block].as_ref().expect("a spot in a file has the file");
            let nowhere = || Error::Catalogue { what: "a row stands behind the end of its file".to_owned() };
            base.parent_of(place)?.map(Parent::Base).ok_or_else(nowhere)
        }
    };
    spots.iter().map(parent).collect()
}

/// Has read where the rows of each parent begin in these blocks, side by side, for those who ask one after the other.
fn read_parents(table: &PublishedTable, blocks: &BTreeSet<usize>) -> Result<(), Error> {
    let files: Vec<&BlockTable> = blocks.iter().filter_map(|block| table.blocks[*block].as_deref()).collect();
    files.into_par_iter().try_for_each(|file| file.offsets().map(drop))
}
