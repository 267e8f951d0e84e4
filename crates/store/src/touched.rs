//! Of which profiles two snapshots may say different things.
//!
//! Blocks that are the same file in both hold the same rows, so only what came and went beside them is compared. A row counts
//! as the same where both have it under the same number among the rows of the same files; what cannot be told apart so counts
//! as touched, and where a block is another file nothing is told at all.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use muster_catalog::{Kind, ProfileId, RowSet, Timestamp};

use crate::catalogue::FileKind;
use crate::files::Written;
use crate::overlay::{Came, Edits, Extra, NONE, Parent};
use crate::published::PublishedTable;
use crate::{Error, Snapshot};

/// What differs from one snapshot to a later one.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    /// The profiles of which any row may be another one.
    pub profiles: RowSet,
    /// Those of them of which such a row is of a later instant than was asked for, or may be.
    pub later: RowSet,
}

impl Snapshot {
    /// The profiles of which rows of these tables, or of the tables above them, may be others than in `before`, and those of
    /// them that have such a row of later than `until`. `None` where it cannot be told: a block was folded or made anew, a
    /// table came or has other columns, a lookup is another one.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn touched_since(&self, before: &Self, tables: &[&str], until: Timestamp) -> Result<Option<Touched>, Error> {
        if self.past.is_some() || before.past.is_some() {
            return Ok(None);
        }
        let (mut profiles, mut later) = (Vec::new(), Vec::new());
        for name in self.with_those_above(tables) {
            let (Some(now), Some(then)) = (self.table(name), before.table(name)) else { return Ok(None) };
            if Arc::ptr_eq(now, then) {
                continue;
            }
            let Some(two) = Two::of(Side { snapshot: before, table: then }, Side { snapshot: self, table: now })?
            else {
                return Ok(None);
            };
            for block in 0..now.blocks.len().max(then.blocks.len()) {
                let Some(found) = two.block(block, until)? else { return Ok(None) };
                let profile = |(place, is_later): (u32, bool)| {
                    let profile = block as u32 * ProfileId::PER_BLOCK + place;
                    later.extend(is_later.then_some(profile));
                    profile
                };
                profiles.extend(found.into_iter().map(profile));
            }
        }
        Ok(Some(Touched { profiles: profiles.into_iter().collect(), later: later.into_iter().collect() }))
    }

    /// The profiles that have a row of later than `instant` in these tables or in those above them: which a query as of
    /// that instant does not see.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn profiles_after(&self, tables: &[&str], instant: Timestamp) -> Result<RowSet, Error> {
        let mut found = Vec::new();
        for name in self.with_those_above(tables) {
            let Some((table, time)) = self.table(name).and_then(|table| Some((table, table.own_time()?))) else {
                continue;
            };
            for block in 0..table.blocks.len() {
                let times = self.own_column(table, block, time)?;
                let times = times.as_primitive::<TimestampMicrosecondType>();
                let is_later = |row: &usize| times.is_valid(*row) && times.value(*row) > instant.micros();
                let later: Vec<usize> = (0..times.len()).filter(is_later).collect();
                if later.is_empty() {
                    continue;
                }
                if table.manifest.schema.kind == Kind::Root {
                    found.extend(later.iter().map(|row| block as u32 * ProfileId::PER_BLOCK + *row as u32));
                    continue;
                }
                let profiles = self.profile_rows(table, block)?;
                let profiles = profiles.as_primitive::<Int64Type>().values();
                found.extend(later.iter().map(|row| profiles[*row] as u32));
            }
        }
        Ok(found.into_iter().collect())
    }

    /// These tables and all above them, each once.
    fn with_those_above<'t>(&'t self, tables: &[&'t str]) -> Vec<&'t str> {
        let mut all: Vec<&str> = Vec::new();
        for name in tables {
            let above = |name: &&'t str| self.schema(name).and_then(|schema| schema.parent());
            for name in std::iter::successors(Some(*name), above) {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
        }
        all
    }
}

/// A table of one of the snapshots.
#[derive(Clone, Copy)]
struct Side<'s> {
    snapshot: &'s Snapshot,
    table: &'s PublishedTable,
}

/// A table as it was and as it is, on the same files.
struct Two<'s> {
    then: Side<'s>,
    now: Side<'s>,
    /// So many of the rows that came are the same in both, by their numbers.
    common: u32,
}

/// What stands beside the file of a block in one of the snapshots.
struct Beside {
    gone: HashSet<u32>,
    /// The rows that both have under the same number.
    common: HashSet<Came>,
    /// The others.
    own: Vec<Came>,
}

impl Beside {
    fn of(edits: Option<&Arc<Edits>>, common: u32) -> Self {
        let is_common = |came: &Came| came.row == NONE || came.row < common;
        let came = || edits.into_iter().flat_map(|edits| &edits.came).copied();
        Self {
            gone: edits.into_iter().flat_map(|edits| &edits.gone).copied().collect(),
            common: came().filter(is_common).collect(),
            own: came().filter(|came| !is_common(came)).collect(),
        }
    }
}

impl<'s> Two<'s> {
    /// Both, where they are of the same files.
    fn of(then: Side<'s>, now: Side<'s>) -> Result<Option<Self>, Error> {
        let blocks = |table: &'s PublishedTable| -> HashMap<usize, &'s Written> {
            let of_block = table.files.iter().filter_map(|record| match record.kind {
                FileKind::Block(block) => Some((block, &record.file)),
                _ => None,
            });
            of_block.collect()
        };
        let has_same_blocks = blocks(then.table) == blocks(now.table);
        if !has_same_blocks || then.table.manifest.schema != now.table.manifest.schema {
            return Ok(None);
        }
        let parts = then.table.overlay()?.parts.iter().zip(&now.table.overlay()?.parts);
        let common = parts.take_while(|(then, now)| is_same(then, now)).map(|(_, part)| part.rows() as u32).sum();
        Ok(Some(Self { then, now, common }))
    }

    /// The places of the profiles of a block of which rows are not the same, and whether such a row is of later than `until`.
    fn block(&self, block: usize, until: Timestamp) -> Result<Option<Vec<(u32, bool)>>, Error> {
        let [then, now] = [self.then, self.now].map(|side| side.table.edits(block));
        let (then, now) = (then?, now?);
        if then.is_none() && now.is_none() {
            return Ok(Some(Vec::new()));
        }
        let (then, now) = (Beside::of(then, self.common), Beside::of(now, self.common));
        let went = less(&now.gone, &then.gone).map(Row::Filed);
        let went = went.chain(less(&then.common, &now.common).chain(then.own.iter().copied()).map(Row::Came));
        let Some(mut found) = self.then.owners(block, went, |_| Ok(false))? else { return Ok(None) };
        let came = less(&then.gone, &now.gone).map(Row::Filed);
        let came = came.chain(less(&now.common, &then.common).chain(now.own.iter().copied()).map(Row::Came));
        let Some(owners) = self.now.owners(block, came, |row| self.now.is_later(row, until))? else { return Ok(None) };
        found.extend(owners);
        Ok(Some(found))
    }
}

/// A row of a block by what it is called in its table's files.
enum Row {
    /// At this place of the block's file.
    Filed(u32),
    /// Beside it.
    Came(Came),
}

impl Side<'_> {
    /// The place of the profile of each row in its block; `None` where one cannot be told.
    fn owners(
        &self,
        block: usize,
        rows: impl Iterator<Item = Row>,
        is_later: impl Fn(&Row) -> Result<bool, Error>,
    ) -> Result<Option<Vec<(u32, bool)>>, Error> {
        let (mut above, mut found) = (None, Vec::new());
        for row in rows {
            let above = match &mut above {
                Some(above) => above,
                none => none.insert(self.above(block)?),
            };
            let Some(place) = self.owner(block, &row, above)? else { return Ok(None) };
            found.push((place, is_later(&row)?));
        }
        Ok(Some(found))
    }

    /// The tables between this one and the profiles, the nearest first, each with the parents of the rows that came.
    fn above(&self, block: usize) -> Result<Vec<Above<'_>>, Error> {
        let mut above = Vec::new();
        let mut table = self.table;
        while let Some(parent) = table.manifest.schema.parent().and_then(|parent| self.snapshot.table(parent)) {
            table = parent;
            if table.manifest.schema.kind == Kind::Root {
                break;
            }
            let edits = table.edits(block)?;
            let mut came = HashMap::new();
            for row in edits.into_iter().flat_map(|edits| &edits.came) {
                came.insert(Parent::Slot(row.slot), row.parent);
                if row.replaces != NONE {
                    came.insert(Parent::Base(row.replaces), row.parent);
                }
            }
            let gone = edits.into_iter().flat_map(|edits| &edits.gone).copied().collect();
            above.push(Above { table, came, gone });
        }
        Ok(above)
    }

    fn owner(&self, block: usize, row: &Row, above: &[Above<'_>]) -> Result<Option<u32>, Error> {
        let mut at = match (&self.table.manifest.schema.kind, row) {
            (Kind::Root, Row::Filed(place)) => return Ok(Some(*place)),
            (Kind::Root, Row::Came(came)) => return Ok(Some(came.replaces).filter(|place| *place != NONE)),
            (Kind::History { .. }, Row::Filed(place)) => parent_in_file(self.table, block, *place)?,
            (Kind::History { .. }, Row::Came(came)) => Some(came.parent),
            (Kind::Lookup | Kind::List, _) => None,
        };
        for above in above {
            let Some(called) = at else { return Ok(None) };
            at = match (above.came.get(&called), called) {
                (Some(parent), _) => Some(*parent),
                (None, Parent::Base(place)) if !above.gone.contains(&place) => {
                    parent_in_file(above.table, block, place)?
                }
                (None, _) => None,
            };
        }
        Ok(match at {
            Some(Parent::Base(place)) => Some(place),
            _ => None,
        })
    }

    /// Whether a row that is not the same as before is of later than `until`; of a row of a file, which stands again after a
    /// load was taken back, that is not looked up.
    fn is_later(&self, row: &Row, until: Timestamp) -> Result<bool, Error> {
        let Row::Came(came) = row else { return Ok(true) };
        let schema = &self.table.manifest.schema;
        let Some(time) = self.table.own_time().and_then(|time| schema.position(time)) else { return Ok(false) };
        if came.row == NONE {
            return Ok(false);
        }
        let times = self.table.overlay()?.column(time, &schema.columns[time])?;
        let (times, row) = (times.as_primitive::<TimestampMicrosecondType>(), came.row as usize);
        Ok(times.is_valid(row) && times.value(row) > until.micros())
    }
}

/// A table between another one and the profiles.
struct Above<'s> {
    table: &'s PublishedTable,
    /// The parents of the rows that came, by all that these are called.
    came: HashMap<Parent, Parent>,
    /// Places of the file whose rows no longer stand.
    gone: HashSet<u32>,
}

/// The parent of a row of a block's file.
fn parent_in_file(table: &PublishedTable, block: usize, place: u32) -> Result<Option<Parent>, Error> {
    let Some(Some(file)) = table.blocks.get(block) else { return Ok(None) };
    Ok(file.parents()?.values().get(place as usize).map(|parent| Parent::Base(*parent)))
}

/// Those of `all` that are not in `some`.
fn less<'a, T: Eq + Hash + Copy>(all: &'a HashSet<T>, some: &'a HashSet<T>) -> impl Iterator<Item = T> + 'a {
    all.difference(some).copied()
}

/// Whether two parts of the rows that came are one.
fn is_same(then: &Arc<Extra>, now: &Arc<Extra>) -> bool {
    match (then.as_ref(), now.as_ref()) {
        (Extra::File(then), Extra::File(now)) => then.written() == now.written(),
        _ => Arc::ptr_eq(then, now),
    }
}
