//! A small change of a table: new rows beside its blocks, instead of new blocks.
//!
//! Only rows that the files name, and those below a row that moved, are looked at; what becomes of them is decided by the
//! same [`merge`] as in a load of everything. What comes out stands in memory; [`crate::write`] makes files of it.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef};
use arrow_ord::ord::{DynComparator, make_comparator};
use arrow_schema::SortOptions;
use hashbrown::{HashMap, HashSet};
use muster_catalog::{Kind, MissingParent, ProfileId, Table};
use rayon::prelude::*;

use crate::Error;
use crate::changes::{self, Telling};
use crate::merge::{Meeting, Merged, Rows, comparators, merge};
use crate::overlay::{Came, Edits, Extra, NONE, Overlay, Parent, Places};
use crate::places::{Looking, Spot, Wanted, families, file_values, locate, parents_of, rows_at};
use crate::published::{Edited, PublishedTable};
use crate::report::{Refusal, TableCounts};
use crate::schema::TableSchema;
use crate::snapshot::Snapshot;

/// What an edit needs to know.
pub(crate) struct Task<'a> {
    pub(crate) table: &'a Table,
    pub(crate) schema: TableSchema,
    /// The table as it stands.
    pub(crate) before: &'a PublishedTable,
    /// The snapshot that it belongs to.
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) incoming: Rows,
    pub(crate) file_ends: Vec<usize>,
    /// Its parent as it will be, and what moved there.
    pub(crate) parent: Option<(&'a PublishedTable, &'a Moves)>,
    /// Keys of profiles to make because a history names them.
    pub(crate) bare: Vec<String>,
    /// How what comes meets what is there.
    pub(crate) meeting: Meeting,
    pub(crate) number: u64,
    /// Through what the rows come, and when.
    pub(crate) telling: Telling,
    /// How often rows of the table are looked for.
    pub(crate) looking: Looking,
}

/// What an edit did to rows that others refer to.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    /// Rows that are no longer where they were.
    pub(crate) moved: HashMap<Spot, Whereto>,
    /// Whether keys came that were not there.
    pub(crate) new_keys: bool,
    /// The keys of rows that are deleted: what names them goes, too, and does not wait.
    pub(crate) deleted_keys: HashSet<Box<str>>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereto {
    /// It stands there now.
    To(Spot),
    /// It waits for its own parent.
    Waiting,
    /// It is deleted, with all that is below it.
    Deleted,
}

impl Moves {
    /// Notes the keys of rows that are deleted.
    pub(crate) fn delete_keys(&mut self, schema: &TableSchema, rows: &Rows, deleted: impl Iterator<Item = u32>) {
        let Some(keys) = schema.key_position().map(|key| rows.columns[key].as_string_view()) else { return };
        let deleted = deleted.filter(|row| keys.is_valid(*row as usize));
        self.deleted_keys.extend(deleted.map(|row| Box::from(keys.value(row as usize))));
    }
}

/// Below what all rows of a lookup stand, which has one block and no parent.
const LOOKUP: Spot = Spot { block: 0, at: Parent::ABSENT };

/// A table after an edit.
pub(crate) struct EditedTable {
    pub(crate) table: PublishedTable,
    pub(crate) moves: Moves,
    pub(crate) counts: TableCounts,
    pub(crate) refusals: Vec<Refusal>,
}

/// A stored row that takes part.
#[derive(Debug, Clone, Copy)]
enum Origin {
    Placed(Spot),
    /// It waits for its parent.
    Waiting,
}

pub(crate) fn edit(mut task: Task<'_>) -> Result<EditedTable, Error> {
    let (origins, stored) = candidates(&task)?;
    let old_parents = old_parents(&task, &origins)?;
    let incoming_count = task.incoming.count as u64;
    let incoming = std::mem::take(&mut task.incoming);
    let mut merged = merge(&task.schema, stored, incoming, &task.file_ends, task.meeting)?;
    merged.counts.incoming = incoming_count;
    let change = changes::entries(Some(task.before), &task.schema, &merged, task.telling)?;
    add_bare(&task, &mut merged)?;
    Placing::of(&task, &merged, origins, old_parents)?.run(merged.counts.clone(), merged.refusals.clone(), change)
}

/// The stored rows that may meet an incoming one, or whose parent moved: where they are, and what they hold.
fn candidates(task: &Task<'_>) -> Result<(Vec<Origin>, Rows), Error> {
    if task.meeting == Meeting::Replace {
        return everything(task);
    }
    let mut spots: Vec<Spot> = match task.schema.key_position() {
        Some(key) => locate(task.before, &Wanted::of(task.incoming.columns[key].as_string_view()), task.looking)?
            .into_values()
            .collect(),
        None => Vec::new(),
    };
    if task.schema.key_position().is_none() || task.meeting == Meeting::ReplaceByParent {
        spots.extend(spots_by_parent(task)?);
    }
    if let Some((_, moves)) = task.parent {
        spots.extend(families(task.before, &moves.moved.keys().copied().collect::<Vec<_>>())?);
    }
    spots.sort_unstable();
    spots.dedup();
    with_waiting(task, spots)
}

/// All stored rows: of a load that replaces, each that it does not name goes.
fn everything(task: &Task<'_>) -> Result<(Vec<Origin>, Rows), Error> {
    let mut spots = Vec::new();
    for block in 0..task.before.blocks.len() {
        let edits = task.before.edits(block)?;
        let base = task.before.base_rows(block);
        let Some(edits) = edits else {
            spots.extend((0..base).map(|place| Spot { block, at: Parent::Base(place) }));
            continue;
        };
        edits.each(base, |row| {
            let at = match row {
                crate::overlay::Standing::Base(place) => Parent::Base(place),
                crate::overlay::Standing::Came(number) => edits.came[number as usize].called(),
            };
            spots.push(Spot { block, at });
        });
    }
    with_waiting(task, spots)
}

/// What stands at these spots, and behind it the rows that wait.
fn with_waiting(task: &Task<'_>, spots: Vec<Spot>) -> Result<(Vec<Origin>, Rows), Error> {
    let placed = with_columns(rows_at(task.snapshot, task.before, &spots, task.looking)?, &task.schema);
    let waiting = with_columns(task.before.orphans()?, &task.schema);
    let origins = spots.into_iter().map(Origin::Placed).chain(std::iter::repeat_n(Origin::Waiting, waiting.count));
    Ok((origins.collect(), Rows::joined(vec![placed, waiting])?))
}

/// Stored rows know nothing of columns that came later.
pub(crate) fn with_columns(mut rows: Rows, schema: &TableSchema) -> Rows {
    for column in schema.columns.iter().skip(rows.columns.len()) {
        rows.columns.push(crate::column::absent(column.column_type, rows.count));
    }
    rows
}

/// Rows without a key can only be equal to rows below the same parent.
fn spots_by_parent(task: &Task<'_>) -> Result<Vec<Spot>, Error> {
    let (Some((parent, moves)), Some(on)) = (task.parent, task.schema.on_position()) else { return Ok(Vec::new()) };
    let wanted = Wanted::of(task.incoming.columns[on].as_string_view());
    let now: Vec<Spot> = locate(parent, &wanted, task.looking)?.into_values().collect();
    // A parent that moved in this load had its rows at its old spot.
    let was: HashMap<Spot, Spot> = moves
        .moved
        .iter()
        .filter_map(|(was, now)| if let Whereto::To(now) = now { Some((*now, *was)) } else { None })
        .collect();
    let parents: Vec<Spot> = now.into_iter().map(|spot| was.get(&spot).copied().unwrap_or(spot)).collect();
    families(task.before, &parents)
}

fn old_parents(task: &Task<'_>, origins: &[Origin]) -> Result<Vec<Parent>, Error> {
    if task.schema.parent().is_none() {
        return Ok(vec![Parent::ABSENT; origins.len()]);
    }
    let spots: Vec<Spot> =
        origins.iter().map_while(|origin| if let Origin::Placed(spot) = origin { Some(*spot) } else { None }).collect();
    let mut parents = parents_of(task.before, &spots)?;
    parents.resize(origins.len(), Parent::ABSENT);
    Ok(parents)
}

/// Profiles with nothing but a key.
fn add_bare(task: &Task<'_>, merged: &mut Merged) -> Result<(), Error> {
    if task.bare.is_empty() {
        return Ok(());
    }
    let bare = bare_rows(&task.schema, &task.bare);
    let first = merged.rows.count as u32;
    merged.counts.created = bare.count as u64;
    (first..first + bare.count as u32).for_each(|row| merged.standing.push(row, None));
    merged.rows = Rows::joined(vec![std::mem::take(&mut merged.rows), bare])?;
    Ok(())
}

/// Rows with these keys and nothing else.
pub(crate) fn bare_rows(schema: &TableSchema, keys: &[String]) -> Rows {
    let key = schema.key_position().expect("the root has a key");
    let texts: ArrayRef = Arc::new(arrow_array::StringViewArray::from_iter_values(keys));
    let column = |(place, column): (usize, &crate::ColumnSchema)| {
        if place == key { Arc::clone(&texts) } else { crate::column::absent(column.column_type, keys.len()) }
    };
    Rows { columns: schema.columns.iter().enumerate().map(column).collect(), count: keys.len() }
}

/// One block while rows come and go.
#[derive(Debug, Default)]
struct Working {
    gone: BTreeSet<u32>,
    came: Vec<Came>,
    by_slot: HashMap<u32, usize>,
    by_base: HashMap<u32, usize>,
    removed: HashSet<usize>,
}

impl Working {
    fn of(edits: Option<&Arc<Edits>>) -> Self {
        let edits = edits.map(|edits| edits.as_ref().clone()).unwrap_or_default();
        let mut working = Self { gone: edits.gone.into_iter().collect(), ..Self::default() };
        edits.came.into_iter().for_each(|came| working.enter(came));
        working
    }

    fn enter(&mut self, came: Came) {
        self.by_slot.insert(came.slot, self.came.len());
        if came.replaces != NONE {
            self.by_base.insert(came.replaces, self.came.len());
        }
        self.came.push(came);
    }

    /// Puts another row where one stands; [`NONE`] leaves its place empty.
    fn replace(&mut self, at: Parent, row: u32, slot: u32, parent: Parent) {
        let known = match at {
            Parent::Slot(slot) => self.by_slot.get(&slot),
            Parent::Base(place) => self.by_base.get(&place),
        };
        if let Some(known) = known {
            self.came[*known].row = row;
            return;
        }
        let Parent::Base(place) = at else { return };
        self.gone.insert(place);
        self.enter(Came { row, slot, before: place, replaces: place, parent });
    }

    fn remove(&mut self, at: Parent) {
        match at {
            Parent::Slot(slot) => drop(self.by_slot.get(&slot).map(|known| self.removed.insert(*known))),
            Parent::Base(place) => {
                self.gone.insert(place);
                if let Some(known) = self.by_base.get(&place) {
                    self.removed.insert(*known);
                }
            }
        }
    }

    fn edits(self, order: impl Fn(&Came, &Came) -> Ordering) -> Edits {
        let Self { gone, came, removed, .. } = self;
        let standing = came.into_iter().enumerate().filter(|(number, _)| !removed.contains(number));
        let mut came: Vec<Came> = standing.map(|(_, came)| came).collect();
        came.sort_by(order);
        Edits { gone: gone.into_iter().collect(), came }
    }
}

/// A row that must find its place among others.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    row: u32,
    slot: u32,
    parent: Parent,
}

/// Gives every row of the outcome its place.
struct Placing<'a> {
    task: &'a Task<'a>,
    merged: &'a Merged,
    origins: Vec<Origin>,
    old_parents: Vec<Parent>,
    targets: HashMap<u32, Spot>,
    wanted: Option<Wanted>,
    blocks: BTreeMap<usize, Working>,
    arrivals: BTreeMap<usize, Vec<Arrival>>,
    /// The rows that come, by their numbers in the merge; their places here are their numbers from `first` on.
    coming: Vec<u32>,
    first: u32,
    waiting: Vec<u32>,
    refused: Vec<u32>,
    moves: Moves,
    profiles: u32,
}

impl<'a> Placing<'a> {
    fn of(
        task: &'a Task<'a>,
        merged: &'a Merged,
        origins: Vec<Origin>,
        old_parents: Vec<Parent>,
    ) -> Result<Self, Error> {
        let wanted = task.schema.on_position().map(|on| Wanted::of(merged.rows.columns[on].as_string_view()));
        let targets = match (&wanted, task.parent) {
            (Some(wanted), Some((parent, _))) => locate(parent, wanted, task.looking)?,
            _ => HashMap::new(),
        };
        Ok(Self {
            first: task.before.overlay()?.came() as u32,
            profiles: task.before.first_rows.last().copied().unwrap_or_default() as u32,
            task,
            merged,
            origins,
            old_parents,
            targets,
            wanted,
            blocks: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            coming: Vec::new(),
            waiting: Vec::new(),
            refused: Vec::new(),
            moves: Moves::default(),
        })
    }

    fn run(
        mut self,
        mut counts: TableCounts,
        mut refusals: Vec<Refusal>,
        change: Option<Rows>,
    ) -> Result<EditedTable, Error> {
        for standing in self.merged.standing.iter() {
            self.stand(standing, &mut counts, &mut refusals)?;
        }
        for row in &self.merged.deleted {
            self.delete(*row)?;
        }
        self.moves.delete_keys(&self.task.schema, &self.merged.rows, self.merged.deleted.iter().copied());
        let orphans = self.orphans()?;
        let overlay = self.overlay()?;
        let manifest = self.manifest(&overlay, orphans.as_ref());
        counts.orphans = manifest.orphans;
        let Task { before, schema, telling, number, .. } = self.task;
        let change = changes::with_deleted(Some(before), schema, change, &self.forgotten(), *telling)?;
        let change = change.map(|rows| (*number, Extra::Memory(rows)));
        let orphans = orphans.map(|rows| Arc::new(Extra::Memory(rows)));
        let table = self.task.before.edited(Edited { manifest, overlay, orphans, change });
        counts.rows = table.row_count();
        Ok(EditedTable { table, moves: self.moves, counts, refusals })
    }

    fn stand(
        &mut self,
        (row, stored): (u32, Option<u32>),
        counts: &mut TableCounts,
        refusals: &mut Vec<Refusal>,
    ) -> Result<(), Error> {
        let origin = stored.map(|stored| self.origins[stored as usize]);
        let unchanged = stored == Some(row);
        if self.task.schema.kind == Kind::Root {
            return self.stand_profile(row, origin, unchanged);
        }
        let target = self.target(row);
        if target.is_none() && self.parent_is_deleted(row) {
            counts.deleted += 1;
            self.moves.delete_keys(&self.task.schema, &self.merged.rows, std::iter::once(row));
            return stored.map_or(Ok(()), |stored| self.delete(stored));
        }
        match (origin, target) {
            (Some(Origin::Placed(spot)), target) => {
                let stored = stored.expect("a placed row is stored");
                let stays = target.is_some_and(|target| self.stays(spot, stored, row, target));
                match target {
                    Some(_) if unchanged && stays => Ok(()),
                    Some(target) if stays => {
                        let (number, slot) = self.come(row);
                        self.block(spot.block)?.replace(spot.at, number, slot, target.at);
                        Ok(())
                    }
                    Some(target) => {
                        let slot = self.arrive(row, target)?;
                        self.leave(spot, Whereto::To(Spot { block: target.block, at: Parent::Slot(slot) }))
                    }
                    None => {
                        self.waiting.push(row);
                        self.leave(spot, Whereto::Waiting)
                    }
                }
            }
            (origin, Some(target)) => {
                self.moves.new_keys = true;
                debug_assert!(matches!(origin, None | Some(Origin::Waiting)));
                self.arrive(row, target).map(drop)
            }
            (None, None) if self.task.table.missing_parent == MissingParent::Reject => {
                counts.refused += 1;
                counts.new = counts.new.saturating_sub(1);
                let on = self.task.schema.on_position().map(|on| self.merged.rows.columns[on].as_string_view());
                let key = on.filter(|on| on.is_valid(row as usize)).map_or("", |on| on.value(row as usize));
                refusals.push(Refusal::missing_parent(&self.task.schema, key));
                self.refused.push(row);
                Ok(())
            }
            (_, None) => {
                self.waiting.push(row);
                Ok(())
            }
        }
    }

    /// The keys of which no entry may speak any more: those that are deleted, and new ones that were told of and refused.
    fn forgotten(&self) -> Moves {
        let mut forgotten = Moves { deleted_keys: self.moves.deleted_keys.clone(), ..Moves::default() };
        let refused = self.refused.iter().copied().filter(|_| self.task.telling.of_new_rows);
        forgotten.delete_keys(&self.task.schema, &self.merged.rows, refused);
        forgotten
    }

    fn stand_profile(&mut self, row: u32, origin: Option<Origin>, unchanged: bool) -> Result<(), Error> {
        match origin {
            Some(Origin::Placed(_)) if unchanged => Ok(()),
            Some(Origin::Placed(spot)) => {
                let (number, slot) = self.come(row);
                self.block(spot.block)?.replace(spot.at, number, slot, Parent::ABSENT);
                Ok(())
            }
            _ => {
                self.moves.new_keys = true;
                let place = ProfileId(self.profiles);
                let block = place.block() as usize;
                self.profiles += 1;
                let (number, slot) = self.come(row);
                let (before, place) = (self.task.before.base_rows(block), place.within_block());
                let came = Came { row: number, slot, before, replaces: place, parent: Parent::ABSENT };
                self.block(block)?.enter(came);
                Ok(())
            }
        }
    }

    /// What is below a deleted row goes with it.
    fn parent_is_deleted(&self, row: u32) -> bool {
        let (Some((_, moves)), Some(on)) = (self.task.parent, self.task.schema.on_position()) else { return false };
        let on = self.merged.rows.columns[on].as_string_view();
        on.is_valid(row as usize) && moves.deleted_keys.contains(on.value(row as usize))
    }

    /// Where the parent of a row is.
    fn target(&self, row: u32) -> Option<Spot> {
        if self.task.schema.kind.is_beside_the_tree() {
            return Some(LOOKUP);
        }
        let on = self.merged.rows.columns[self.task.schema.on_position()?].as_string_view();
        self.targets.get(&self.wanted.as_ref()?.find(on, row)?).copied()
    }

    /// Whether a row can stand where its stored self stands: below the same parent, at the same time.
    fn stays(&self, spot: Spot, stored: u32, row: u32, target: Spot) -> bool {
        let same_parent = spot.block == target.block && self.old_parents[stored as usize] == target.at;
        let times = self
            .task
            .schema
            .time_position()
            .map(|time| self.merged.rows.columns[time].as_primitive::<TimestampMicrosecondType>());
        let same_time = times.is_none_or(|times| times.value(stored as usize) == times.value(row as usize));
        same_parent && same_time
    }

    /// Gives a row of the merge a number among those that came, and a slot.
    fn come(&mut self, row: u32) -> (u32, u32) {
        let number = self.first + self.coming.len() as u32;
        self.coming.push(row);
        (number, number)
    }

    fn arrive(&mut self, row: u32, target: Spot) -> Result<u32, Error> {
        let (row, slot) = self.come(row);
        self.block(target.block)?;
        self.arrivals.entry(target.block).or_default().push(Arrival { row, slot, parent: target.at });
        Ok(slot)
    }

    fn leave(&mut self, spot: Spot, whereto: Whereto) -> Result<(), Error> {
        self.block(spot.block)?.remove(spot.at);
        self.moves.moved.insert(spot, whereto);
        Ok(())
    }

    fn delete(&mut self, stored: u32) -> Result<(), Error> {
        let Origin::Placed(spot) = self.origins[stored as usize] else { return Ok(()) };
        if self.task.schema.kind != Kind::Root {
            return self.leave(spot, Whereto::Deleted);
        }
        // The place stays, without a row.
        self.block(spot.block)?.replace(spot.at, NONE, NONE, Parent::ABSENT);
        self.moves.moved.insert(spot, Whereto::Deleted);
        Ok(())
    }

    fn block(&mut self, block: usize) -> Result<&mut Working, Error> {
        if !self.blocks.contains_key(&block) {
            let edits = if block < self.task.before.blocks.len() { self.task.before.edits(block)? } else { None };
            self.blocks.insert(block, Working::of(edits));
        }
        Ok(self.blocks.get_mut(&block).expect("it was just put there"))
    }

    /// The rows that wait now; `None` where they are those of before.
    fn orphans(&self) -> Result<Option<Rows>, Error> {
        let waited = |row: &u32| matches!(self.origins.get(*row as usize), Some(Origin::Waiting));
        let before = self.origins.iter().filter(|origin| matches!(origin, Origin::Waiting)).count();
        if self.waiting.len() == before && self.waiting.iter().all(waited) {
            return Ok(None);
        }
        Ok(Some(self.merged.rows.take(self.waiting.iter().copied())?))
    }

    fn overlay(&mut self) -> Result<Overlay, Error> {
        let before = self.task.before.overlay()?;
        let mut parts = before.parts.clone();
        if !self.coming.is_empty() {
            let rows = self.merged.rows.take(self.coming.iter().copied())?;
            parts.push(Arc::new(Extra::Memory(rows)));
        }
        let columns = self.task.schema.columns.len();
        let draft = Overlay::new(parts.clone(), BTreeMap::new(), columns);
        let mut edits = before.edits.clone();
        let blocks = std::mem::take(&mut self.blocks).into_iter().collect::<Vec<_>>();
        let mut arrivals = std::mem::take(&mut self.arrivals);
        let blocks = blocks.into_iter().map(|(block, working)| (block, working, arrivals.remove(&block)));
        let (task, blocks) = (self.task, blocks.collect::<Vec<_>>());
        let seated = blocks.into_par_iter().map(|(block, working, arrivals)| {
            let arrivals = arrivals.unwrap_or_default();
            Ok((block, Neighbours::of(task, &draft, block, &arrivals)?.seat(working, arrivals)?))
        });
        for (block, edited) in seated.collect::<Result<Vec<_>, Error>>()? {
            match edited.gone.is_empty() && edited.came.is_empty() {
                true => edits.remove(&block),
                false => edits.insert(block, Arc::new(edited)),
            };
        }
        if edits.is_empty() {
            parts.clear();
        }
        Ok(Overlay::new(parts, edits, columns))
    }

    fn manifest(&self, overlay: &Overlay, orphans: Option<&Rows>) -> crate::catalogue::ManifestTable {
        let before = self.task.before;
        let mut manifest = before.manifest.clone();
        manifest.schema = self.task.schema.clone();
        let blocks = overlay.edits.keys().next_back().map_or(0, |last| last + 1).max(before.blocks.len());
        let rows = |block: usize| {
            let base = before.base_rows(block);
            overlay.edits.get(&block).map_or(base, |edits| edits.rows(base))
        };
        manifest.final_rows = (0..blocks).map(rows).collect();
        manifest.block_rows = (0..blocks).map(|block| before.base_rows(block)).collect();
        if self.task.schema.kind == Kind::Root {
            let mut tombstones = manifest.tombstones.clone();
            tombstones.resize(blocks, 0);
            self.moves.moved.keys().for_each(|spot| tombstones[spot.block] += 1);
            manifest.tombstones = tombstones;
        }
        manifest.overlay_rows = overlay.weight();
        if let Some(orphans) = orphans {
            manifest.orphans = orphans.count as u64;
        }
        manifest
    }
}

/// What decides where a row of a block stands: parent, time, key, else content.
struct Neighbours<'a> {
    task: &'a Task<'a>,
    block: usize,
    /// Where parents stand.
    parents: Option<Places>,
    /// The places of the parent's file before which parents stand that came, by their slots.
    before_slots: HashMap<u32, u32>,
    /// The deciding columns of the rows that came, by their numbers.
    came: Vec<ArrayRef>,
    /// The places of the file that stand below the parents of arrivals, or below what these stand before.
    families: BTreeMap<Parent, Range<u32>>,
    /// All of these places, ascending.
    places: Vec<u32>,
    /// For each deciding column what compares a row that came with the n-th of the places; made when it is first asked for.
    against_file: Vec<OnceCell<DynComparator>>,
}

impl<'a> Neighbours<'a> {
    fn of(task: &'a Task<'a>, overlay: &Overlay, block: usize, arrivals: &[Arrival]) -> Result<Self, Error> {
        let (parents, parent_edits) = match task.parent {
            Some((parent, _)) => {
                let edits = parent.edits(block)?;
                (edits.map(|edits| edits.places(parent.base_rows(block))), edits)
            }
            None => (None, None),
        };
        let deciding = deciding(&task.schema);
        let came = deciding.iter().map(|place| overlay.column(*place, &task.schema.columns[*place]));
        let slots = parent_edits.into_iter().flat_map(|edits| &edits.came).map(|came| (came.slot, came.before));
        let mut neighbours = Self {
            came: came.collect::<Result<_, _>>()?,
            task,
            block,
            parents,
            before_slots: slots.collect(),
            families: BTreeMap::new(),
            places: Vec::new(),
            against_file: deciding.iter().map(|_| OnceCell::new()).collect(),
        };
        let parents: BTreeSet<Parent> = arrivals.iter().map(|arrival| arrival.parent).collect();
        for parent in parents {
            neighbours.families.insert(parent, neighbours.family(parent)?);
        }
        neighbours.places = neighbours.families.values().cloned().flatten().collect();
        neighbours.places.sort_unstable();
        Ok(neighbours)
    }

    /// The places of the file that stand below a parent, or below what it stands before.
    fn family(&self, parent: Parent) -> Result<Range<u32>, Error> {
        let Some(Some(base)) = self.task.before.blocks.get(self.block) else { return Ok(0..0) };
        if self.task.schema.kind.is_beside_the_tree() {
            return Ok(0..base.rows() as u32);
        }
        match parent {
            Parent::Base(of) => base.family(of),
            Parent::Slot(slot) => {
                let before = base.family(self.before_slots.get(&slot).copied().unwrap_or(NONE))?.start;
                Ok(before..before)
            }
        }
    }

    fn seat(&self, mut working: Working, arrivals: Vec<Arrival>) -> Result<Edits, Error> {
        if self.task.schema.kind == Kind::Root {
            return Ok(working.edits(|a, b| a.replaces.cmp(&b.replaces)));
        }
        for arrival in &arrivals {
            let before = self.before(arrival)?;
            let Arrival { row, slot, parent } = *arrival;
            working.enter(Came { row, slot, before, replaces: NONE, parent });
        }
        let compare = comparators(&self.came)?;
        let by_row = |a: u32, b: u32| {
            let differing = compare.iter().map(|compare| compare(a as usize, b as usize)).find(|order| order.is_ne());
            differing.unwrap_or(a.cmp(&b))
        };
        Ok(working.edits(|a, b| {
            let parents = self.parent_place(a.parent).cmp(&self.parent_place(b.parent));
            a.before.cmp(&b.before).then(parents).then_with(|| by_row(a.row, b.row))
        }))
    }

    fn parent_place(&self, parent: Parent) -> u32 {
        match (&self.parents, parent) {
            (Some(parents), parent) => parents.place(parent),
            (None, Parent::Base(place)) => place,
            (None, Parent::Slot(_)) => NONE,
        }
    }

    /// The first place of the block's file whose row stands behind an arrival.
    fn before(&self, arrival: &Arrival) -> Result<u32, Error> {
        let Range { mut start, mut end } = self.families.get(&arrival.parent).cloned().unwrap_or_default();
        while start < end {
            let middle = start + (end - start) / 2;
            match self.with_file(arrival.row, middle)? {
                Ordering::Less => end = middle,
                _ => start = middle + 1,
            }
        }
        Ok(start)
    }

    /// Compares a row that came with one of the file, below the same parent.
    fn with_file(&self, row: u32, place: u32) -> Result<Ordering, Error> {
        let place = self.places.partition_point(|known| *known < place);
        for (number, column) in deciding(&self.task.schema).into_iter().enumerate() {
            if self.task.schema.on_position() == Some(column) {
                continue;
            }
            let order = self.against_file(number, column)?(row as usize, place);
            if order.is_ne() {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }

    fn against_file(&self, number: usize, column: usize) -> Result<&DynComparator, Error> {
        let kept = &self.against_file[number];
        if let Some(known) = kept.get() {
            return Ok(known);
        }
        let of_file = file_values(self.task.before, self.block, column, &self.places, self.task.looking)?;
        let options = SortOptions { descending: false, nulls_first: true };
        let compare = make_comparator(&self.came[number], &of_file, options)?;
        Ok(kept.get_or_init(|| compare))
    }
}

/// The columns by which rows of one parent are sorted.
fn deciding(schema: &TableSchema) -> Vec<usize> {
    let time = schema.time_position();
    match schema.key_position() {
        Some(key) => time.into_iter().chain([key]).collect(),
        None => time.into_iter().chain(0..schema.columns.len()).collect(),
    }
}
