//! Whose a field is: the source's that files tell of, or muster's own.
//!
//! One step in front of the merge: where a column has another owner than its source, the incoming rows of a load take over
//! the values of the fields that muster keeps ([`Owner`] says which). So merging, editing and history know nothing of
//! owners. Since when muster holds a field, its changes say ([`crate::changes`]).

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, StringViewArray, TimestampMicrosecondArray};
use arrow_ord::ord::{DynComparator, make_comparator};
use arrow_schema::{ArrowError, SortOptions};
use arrow_select::interleave::interleave;
use muster_catalog::{Owner, Role, Table};

use crate::changes::{Holding, Source, Telling, Timelines};
use crate::edit::with_columns;
use crate::merge::Rows;
use crate::places::{Looking, Spot, Wanted, locate, rows_at};
use crate::published::PublishedTable;
use crate::schema::TableSchema;
use crate::{Error, Snapshot};

/// Incoming rows in which the fields that muster keeps have the values that muster gave them.
pub(crate) struct Settled {
    pub(crate) incoming: Rows,
    /// In how many fields the rows had said otherwise, late rows left out: these would have changed nothing anyway.
    pub(crate) kept: u64,
}

/// Settles whose the fields of incoming rows are. Rows that did not come from files are muster's word, and stay as they are.
///
/// # Errors
/// If what is stored cannot be read.
pub(crate) fn settled(
    table: &Table,
    schema: &TableSchema,
    before: Option<&Snapshot>,
    incoming: Rows,
    telling: Telling,
) -> Result<Settled, Error> {
    let asks_whose = table.columns.iter().any(|column| column.owner != Owner::Source);
    let stored = before.and_then(|before| Some((before, before.table(&table.name)?, schema.key_position()?)));
    let Some((before, stored, key)) = stored.filter(|_| asks_whose && telling.source == Source::Load) else {
        return Ok(Settled { incoming, kept: 0 });
    };
    let keys = incoming.columns[key].as_string_view();
    let timelines = Timelines::told_by_rows(stored, keys)?;
    if timelines.is_empty() {
        return Ok(Settled { incoming, kept: 0 });
    }
    let rows = stored_rows(before, stored, schema, timelines.keys())?;
    let mut settling = Settling {
        keys,
        marks: Marks::of(schema, &incoming),
        standing: standing(schema, key, &rows, &timelines),
        fields: fields(table, schema, &incoming, &rows, &timelines)?,
        timelines: &timelines,
        loaded: telling.at.micros(),
        kept: 0,
    };
    (0..incoming.count as u32).for_each(|row| settling.settle(row));
    let Settling { fields, kept, .. } = settling;
    let columns = replaced(&incoming, &rows, fields)?;
    Ok(Settled { incoming: Rows { columns, count: incoming.count }, kept })
}

/// The rows with these keys, and those that wait for their parent.
fn stored_rows<'a>(
    before: &Snapshot,
    table: &PublishedTable,
    schema: &TableSchema,
    keys: impl Iterator<Item = &'a str>,
) -> Result<Rows, Error> {
    let wanted = Wanted::of(&StringViewArray::from_iter_values(keys));
    let mut spots: Vec<Spot> = locate(table, &wanted, Looking::Now)?.into_values().collect();
    spots.sort_unstable();
    let placed = with_columns(rows_at(before, table, &spots, Looking::Now)?, schema);
    let waiting = with_columns(table.orphans()?, schema);
    Ok(Rows::joined(vec![placed, waiting])?)
}

/// What rows say of themselves.
struct Marks<'a> {
    updated: Option<&'a TimestampMicrosecondArray>,
    deleted: Option<&'a BooleanArray>,
}

impl<'a> Marks<'a> {
    fn of(schema: &TableSchema, rows: &'a Rows) -> Self {
        let updated = schema.updated_position().map(|place| rows.columns[place].as_primitive());
        let deleted = schema.deleted_position().map(|place| rows.columns[place].as_boolean());
        Self { updated, deleted }
    }

    /// When a row last changed at its source.
    fn age(&self, row: u32) -> Option<i64> {
        let updated = self.updated.filter(|updated| updated.is_valid(row as usize));
        updated.map(|updated: &TimestampMicrosecondArray| updated.value(row as usize))
    }

    fn is_deletion(&self, row: u32) -> bool {
        self.deleted.is_some_and(|deleted| deleted.is_valid(row as usize) && deleted.value(row as usize))
    }
}

/// What stands for a key while the incoming rows pass.
struct Standing {
    /// Its stored row.
    row: u32,
    /// The instant of the youngest row so far.
    age: Option<i64>,
    /// The columns whose values this load took; what comes behind finds them the source's.
    taken: Vec<usize>,
}

/// The stored rows of which muster may hold fields, by key.
fn standing<'a>(schema: &TableSchema, key: usize, rows: &'a Rows, timelines: &Timelines) -> HashMap<&'a str, Standing> {
    let marks = Marks::of(schema, rows);
    let keys = (0..).zip(rows.columns[key].as_string_view());
    let known = keys.filter_map(|(row, key)| Some((row, key.filter(|key| timelines.has(key))?)));
    known.map(|(row, key)| (key, Standing { row, age: marks.age(row), taken: Vec::new() })).collect()
}

/// A column with another owner than its source, and what may stand in its fields.
struct Field<'a> {
    place: usize,
    owner: Owner,
    /// Of a column with a consent role: what the rows say.
    consent: Option<&'a BooleanArray>,
    /// Values that were there once, by the numbers of the entries that have them.
    old: ArrayRef,
    against_stored: DynComparator,
    against_old: DynComparator,
    /// Where the values come from that incoming rows take over, by their numbers.
    taken_over: HashMap<u32, Origin>,
}

/// Where a value stands.
#[derive(Clone, Copy)]
enum Origin {
    Stored(u32),
    Old(u32),
}

fn fields<'a>(
    table: &Table,
    schema: &TableSchema,
    incoming: &'a Rows,
    stored: &Rows,
    timelines: &Timelines,
) -> Result<Vec<Field<'a>>, Error> {
    let owned = table.columns.iter().filter(|column| column.owner != Owner::Source);
    let owned = owned.filter_map(|column| Some((column, schema.position(&column.name)?)));
    let field = |(column, place): (&muster_catalog::Column, usize)| {
        let (values, old) = (&incoming.columns[place], timelines.old_column(place)?);
        let is_consent = matches!(column.role, Some(Role::Consent(_)));
        Ok(Field {
            place,
            owner: column.owner,
            consent: values.as_boolean_opt().filter(|_| is_consent),
            against_stored: comparator(values, &stored.columns[place])?,
            against_old: comparator(values, &old)?,
            old,
            taken_over: HashMap::new(),
        })
    };
    // A column that the stored table has not yet is nobody's.
    owned.filter(|(_, place)| timelines.has_column(*place)).map(field).collect()
}

fn comparator(one: &ArrayRef, other: &ArrayRef) -> Result<DynComparator, ArrowError> {
    make_comparator(one, other, SortOptions { descending: false, nulls_first: true })
}

impl Field<'_> {
    /// A no counts whoever owns the field: a wrong silence costs a message, a wrong message the person's trust.
    fn says_no(&self, row: u32) -> bool {
        self.consent.is_some_and(|said| said.is_valid(row as usize) && !said.value(row as usize))
    }

    /// Whether muster, who holds the field, keeps it against a row of this instant.
    fn keeps(&self, holding: &Holding, at: i64) -> bool {
        match self.owner {
            Owner::Source => false,
            Owner::Muster => true,
            Owner::Latest => holding.since >= at,
        }
    }

    fn differs(&self, row: u32, from: Origin) -> bool {
        let order = match from {
            Origin::Stored(stored) => (self.against_stored)(row as usize, stored as usize),
            Origin::Old(old) => (self.against_old)(row as usize, old as usize),
        };
        order.is_ne()
    }
}

/// The incoming rows of a load, one after the other.
struct Settling<'a> {
    keys: &'a StringViewArray,
    marks: Marks<'a>,
    standing: HashMap<&'a str, Standing>,
    fields: Vec<Field<'a>>,
    timelines: &'a Timelines,
    loaded: i64,
    kept: u64,
}

impl Settling<'_> {
    fn settle(&mut self, row: u32) {
        if self.keys.is_null(row as usize) {
            return;
        }
        let key = self.keys.value(row as usize);
        let Some(standing) = self.standing.get_mut(key) else { return };
        let age = self.marks.age(row);
        let late = age < standing.age;
        if self.marks.is_deletion(row) {
            // A row that comes behind is another row, all of it the source's.
            if !late {
                self.standing.remove(key);
            }
            return;
        }
        if !late {
            standing.age = age;
        }
        let at = age.unwrap_or(self.loaded);
        for field in &mut self.fields {
            match late {
                true => settle_past(field, self.timelines, (key, row), at, standing.row),
                false => self.kept += settle_present(field, self.timelines, (key, row), at, standing),
            }
        }
    }
}

/// Settles a field of a row that would stand now; 1 where that keeps muster's value against another.
fn settle_present(
    field: &mut Field<'_>,
    timelines: &Timelines,
    (key, row): (&str, u32),
    at: i64,
    standing: &mut Standing,
) -> u64 {
    let stored = Origin::Stored(standing.row);
    if standing.taken.contains(&field.place) || !field.differs(row, stored) {
        return 0;
    }
    let holding = timelines.holding(key, field.place, None);
    if !field.says_no(row) && holding.is_some_and(|holding| field.keeps(&holding, at)) {
        field.taken_over.insert(row, stored);
        return 1;
    }
    standing.taken.push(field.place);
    0
}

/// Settles a field of a row that is older than the one that stands. It only tells what was, and what was then is what muster
/// had set by then.
fn settle_past(field: &mut Field<'_>, timelines: &Timelines, (key, row): (&str, u32), at: i64, stored: u32) {
    let Some(holding) = timelines.holding(key, field.place, Some(at)) else { return };
    let was = holding.old.map_or(Origin::Stored(stored), Origin::Old);
    if field.keeps(&holding, at) && field.differs(row, was) {
        field.taken_over.insert(row, was);
    }
}

/// The columns of the incoming rows, with the values that they take over.
fn replaced(incoming: &Rows, stored: &Rows, fields: Vec<Field<'_>>) -> Result<Vec<ArrayRef>, Error> {
    let mut columns = incoming.columns.clone();
    for Field { place, old, taken_over, .. } in fields.into_iter().filter(|field| !field.taken_over.is_empty()) {
        let origin = |row: usize| match taken_over.get(&(row as u32)) {
            None => (0, row),
            Some(Origin::Stored(stored)) => (1, *stored as usize),
            Some(Origin::Old(old)) => (2, *old as usize),
        };
        let origins: Vec<(usize, usize)> = (0..incoming.count).map(origin).collect();
        columns[place] = interleave(&[columns[place].as_ref(), stored.columns[place].as_ref(), &old], &origins)?;
    }
    Ok(columns)
}
