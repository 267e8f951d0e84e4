//! What is otherwise than in the files of the blocks: rows that came, and rows that are gone.
//!
//! A small load does not rewrite blocks. Its rows are written once, as a file of rows that came; where each of them stands,
//! and which rows of the blocks it displaced, is a second, small file that the next such load replaces. A reader puts both
//! together; a fold makes one file of them again.
//!
//! Rows are referred to in ways that stay true until the fold: a row of a block by its place in the block's file, a row
//! that came by its *slot*, which it keeps when it is replaced in its place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type};
use arrow_array::{ArrayRef, Int64Array, UInt32Array};
use arrow_select::concat::concat;
use hashbrown::HashMap;

use crate::Error;
use crate::column::absent;
use crate::files::ColumnFile;
use crate::merge::Rows;
use crate::schema::ColumnSchema;

/// No row: of a deleted profile, whose place stays; or no place.
pub(crate) const NONE: u32 = u32::MAX;

/// A row that came, in the order in which it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Came {
    /// Its number among the rows that came; [`NONE`] where a profile was deleted.
    pub(crate) row: u32,
    /// What it is called as long as it stands where it stands.
    pub(crate) slot: u32,
    /// It stands before this place of the block's file.
    pub(crate) before: u32,
    /// The place of the block's file that it took over, or [`NONE`]; of profiles, which never move, its place in the
    /// block, also behind those of the file.
    pub(crate) replaces: u32,
    /// The parent of a history row.
    pub(crate) parent: Parent,
}

impl Came {
    /// What others call it by: the place that it took over, else its slot.
    pub(crate) fn called(&self) -> Parent {
        if self.replaces == NONE { Parent::Slot(self.slot) } else { Parent::Base(self.replaces) }
    }
}

/// A row of the parent, in the same block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Parent {
    /// The one at this place of the parent's file, or what took it over.
    Base(u32),
    /// The one in this slot.
    Slot(u32),
}

impl Parent {
    /// Of rows that have no parent.
    pub(crate) const ABSENT: Self = Self::Base(0);

    fn number(self) -> i64 {
        match self {
            Self::Base(place) => i64::from(place),
            Self::Slot(slot) => -1 - i64::from(slot),
        }
    }

    fn from_number(number: i64) -> Self {
        if number >= 0 { Self::Base(number as u32) } else { Self::Slot((-1 - number) as u32) }
    }
}

/// What is otherwise in one block than in its file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edits {
    /// Places of the file whose rows no longer stand, ascending; those that were taken over among them.
    pub(crate) gone: Vec<u32>,
    /// The rows that came, in the order in which they stand: ascending by `before`.
    pub(crate) came: Vec<Came>,
}

impl Edits {
    /// How many rows the block has, of which its file has `base`.
    pub(crate) fn rows(&self, base: u32) -> u32 {
        base - self.gone.len() as u32 + self.came.len() as u32
    }

    /// Calls `visit` for each row in order: a place of the file, or the number of a row that came within this block.
    pub(crate) fn each(&self, base: u32, mut visit: impl FnMut(Standing)) {
        for run in self.runs(base) {
            match run {
                Run::Base(places) => places.for_each(|place| visit(Standing::Base(place))),
                Run::Came(number) => visit(Standing::Came(number)),
            }
        }
    }

    /// The same as runs: there are few beside the rows of a block, and what stands together is copied together.
    pub(crate) fn runs(&self, base: u32) -> Vec<Run> {
        let mut runs = Vec::with_capacity(2 * self.came.len() + self.gone.len() + 1);
        let (mut gone, mut at) = (self.gone.iter().copied().peekable(), 0);
        let mut stay_until = |end: u32, runs: &mut Vec<Run>| {
            while let Some(place) = gone.next_if(|place| *place < end) {
                if at < place {
                    runs.push(Run::Base(at..place));
                }
                at = place + 1;
            }
            if at < end {
                runs.push(Run::Base(at..end));
                at = end;
            }
        };
        for (number, came) in (0..).zip(&self.came) {
            stay_until(came.before.min(base), &mut runs);
            runs.push(Run::Came(number));
        }
        stay_until(base, &mut runs);
        runs
    }

    /// Where rows stand now: for each place of the file, and for each slot.
    pub(crate) fn translation(&self, base: u32) -> Translation {
        let mut translation = Translation { base: vec![NONE; base as usize], slots: HashMap::new() };
        let mut place = 0;
        self.each(base, |standing| {
            match standing {
                Standing::Base(was) => translation.base[was as usize] = place,
                Standing::Came(number) => {
                    let came = &self.came[number as usize];
                    translation.slots.insert(came.slot, place);
                    if let Some(taken) = translation.base.get_mut(came.replaces as usize) {
                        *taken = place;
                    }
                }
            }
            place += 1;
        });
        translation
    }

    /// The same for who asks of few rows: as much memory as rows came and went, not as there are.
    pub(crate) fn places(&self, base: u32) -> Places {
        let mut places = Places { runs: Vec::new(), came: HashMap::new() };
        let mut place = 0;
        for run in self.runs(base) {
            match run {
                Run::Base(run) => {
                    place += run.len() as u32;
                    places.runs.push((run, place));
                }
                Run::Came(number) => {
                    let came = &self.came[number as usize];
                    places.came.insert(Parent::Slot(came.slot), place);
                    if came.replaces != NONE {
                        places.came.insert(Parent::Base(came.replaces), place);
                    }
                    place += 1;
                }
            }
        }
        places
    }
}

/// Where the rows of a block stand, by runs of those that were there.
#[derive(Debug)]
pub(crate) struct Places {
    /// What stands together, with the place behind it.
    runs: Vec<(Range<u32>, u32)>,
    came: HashMap<Parent, u32>,
}

impl Places {
    /// [`NONE`] of a row that is gone.
    pub(crate) fn place(&self, row: Parent) -> u32 {
        let in_run = |at: u32| {
            let (run, end) = self.runs.get(self.runs.partition_point(|(run, _)| run.end <= at))?;
            run.contains(&at).then(|| end - (run.end - at))
        };
        let standing = match row {
            Parent::Base(at) => in_run(at),
            Parent::Slot(_) => None,
        };
        standing.or_else(|| self.came.get(&row).copied()).unwrap_or(NONE)
    }
}

/// Rows of a block that stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Run {
    /// At these places of the block's file.
    Base(Range<u32>),
    /// The n-th of the block's rows that came.
    Came(u32),
}

/// A row of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// At this place of the block's file.
    Base(u32),
    /// The n-th of the block's rows that came.
    Came(u32),
}

/// Where the rows of a block stand; [`NONE`] for those that are gone.
#[derive(Debug)]
pub(crate) struct Translation {
    base: Vec<u32>,
    slots: HashMap<u32, u32>,
}

impl Translation {
    pub(crate) fn place(&self, parent: Parent) -> u32 {
        match parent {
            Parent::Base(place) => self.base.get(place as usize).copied().unwrap_or(NONE),
            Parent::Slot(slot) => self.slots.get(&slot).copied().unwrap_or(NONE),
        }
    }
}

/// Rows beside the blocks: that came, that wait, or that were before a change.
#[derive(Debug)]
pub(crate) enum Extra {
    /// On disk.
    File(ColumnFile),
    /// In memory, from the log.
    Memory(Rows),
}

impl Extra {
    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::File(file) => file.rows(),
            Self::Memory(rows) => rows.count,
        }
    }

    /// The column that is called so, at this place where the rows are in memory.
    pub(crate) fn column(&self, place: usize, column: &ColumnSchema) -> Result<ArrayRef, Error> {
        let found = match self {
            Self::File(file) => file.column_if_there(&column.name)?,
            Self::Memory(rows) => rows.columns.get(place).cloned(),
        };
        let found = found.unwrap_or_else(|| absent(column.column_type, self.rows()));
        crate::block::at_border(found, column.column_type, false)
    }

    /// All rows, with these columns in this order.
    pub(crate) fn all(&self, columns: &[ColumnSchema]) -> Result<Rows, Error> {
        let columns = columns.iter().enumerate().map(|(place, column)| self.column(place, column));
        Ok(Rows { columns: columns.collect::<Result<_, _>>()?, count: self.rows() })
    }
}

/// Everything of one table that is otherwise than in its blocks' files.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// The rows that came, in the order of their numbers.
    pub(crate) parts: Vec<Arc<Extra>>,
    pub(crate) edits: BTreeMap<usize, Arc<Edits>>,
    columns: Vec<OnceLock<ArrayRef>>,
}

impl Overlay {
    pub(crate) fn new(parts: Vec<Arc<Extra>>, edits: BTreeMap<usize, Arc<Edits>>, columns: usize) -> Self {
        let columns = std::iter::repeat_with(OnceLock::new).take(columns).collect();
        Self { parts, edits, columns }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// How many rows came, those among them that have gone again.
    pub(crate) fn came(&self) -> usize {
        self.parts.iter().map(|part| part.rows()).sum()
    }

    /// How many entries the edits have: what a fold would make go away.
    pub(crate) fn weight(&self) -> u64 {
        self.edits.values().map(|edits| (edits.gone.len() + edits.came.len()) as u64).sum()
    }

    /// The column at `place` of all rows that came, by their numbers.
    pub(crate) fn column(&self, place: usize, column: &ColumnSchema) -> Result<ArrayRef, Error> {
        if let Some(known) = self.columns[place].get() {
            return Ok(Arc::clone(known));
        }
        let parts = self.parts.iter().map(|part| part.column(place, column)).collect::<Result<Vec<_>, Error>>()?;
        let joined = match parts.as_slice() {
            [] => absent(column.column_type, 0),
            [only] => Arc::clone(only),
            several => concat(&several.iter().map(AsRef::as_ref).collect::<Vec<_>>())?,
        };
        Ok(Arc::clone(self.columns[place].get_or_init(|| joined)))
    }
}

/// The columns of the file that says where rows stand.
const PLACES: [&str; 7] = ["block", "gone", "row", "slot", "before", "replaces", "parent"];

/// The edits as columns of a file: an entry that is gone has only its block and its place.
pub(crate) fn places_columns(edits: &BTreeMap<usize, Arc<Edits>>) -> (Vec<(&'static str, ArrayRef)>, usize) {
    let mut numbers: [Vec<u32>; 6] = Default::default();
    let mut parents = Vec::new();
    let mut entry = |values: [u32; 6], parent: i64| {
        numbers.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        parents.push(parent);
    };
    for (block, edits) in edits {
        let block = *block as u32;
        edits.gone.iter().for_each(|place| entry([block, *place, NONE, NONE, NONE, NONE], 0));
        for came in &edits.came {
            entry([block, NONE, came.row, came.slot, came.before, came.replaces], came.parent.number());
        }
    }
    let count = parents.len();
    let numbers = numbers.map(|column| Arc::new(UInt32Array::from(column)) as ArrayRef);
    let parents = Arc::new(Int64Array::from(parents)) as ArrayRef;
    (PLACES.into_iter().zip(numbers.into_iter().chain([parents])).collect(), count)
}

/// Reads what [`places_columns`] made.
pub(crate) fn read_places(file: &ColumnFile) -> Result<BTreeMap<usize, Arc<Edits>>, Error> {
    let number = |name: &str| -> Result<UInt32Array, Error> {
        let column = file.column(name)?;
        Ok(column.as_primitive_opt::<UInt32Type>().ok_or_else(|| file.damaged("its places are no numbers"))?.clone())
    };
    let [block, gone, row, slot, before, replaces] = ["block", "gone", "row", "slot", "before", "replaces"].map(number);
    let (block, gone, row, slot, before, replaces) = (block?, gone?, row?, slot?, before?, replaces?);
    let parent = file.column("parent")?;
    let parent = parent.as_primitive_opt::<Int64Type>().ok_or_else(|| file.damaged("its parents are no numbers"))?;
    let mut edits: BTreeMap<usize, Edits> = BTreeMap::new();
    for entry in 0..block.len() {
        let of_block = edits.entry(block.value(entry) as usize).or_default();
        // The row of a tombstone is NONE too, but it has a place before which it stands.
        if before.value(entry) == NONE {
            of_block.gone.push(gone.value(entry));
            continue;
        }
        of_block.came.push(Came {
            row: row.value(entry),
            slot: slot.value(entry),
            before: before.value(entry),
            replaces: replaces.value(entry),
            parent: Parent::from_number(parent.value(entry)),
        });
    }
    Ok(edits.into_iter().map(|(block, edits)| (block, Arc::new(edits))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its slow twin has a number for each row.
    #[test]
    fn rows_stand_where_the_whole_list_says() {
        let came = |slot, before, replaces| Came { row: slot, slot, before, replaces, parent: Parent::ABSENT };
        for (gone, came) in [
            (vec![], vec![]),
            (vec![0, 3, 4, 9], vec![]),
            (vec![2, 9], vec![came(7, 0, NONE), came(8, 2, 2), came(9, 5, NONE), came(4, 5, NONE), came(5, 10, NONE)]),
            ((0..10).collect(), vec![came(1, 10, NONE)]),
        ] {
            let edits = Edits { gone, came };
            let (all, few) = (edits.translation(10), edits.places(10));
            for number in 0..12 {
                for row in [Parent::Base(number), Parent::Slot(number)] {
                    assert_eq!(few.place(row), all.place(row), "{row:?} of {edits:?}");
                }
            }
        }
    }
}
