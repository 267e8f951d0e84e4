//! What keyed rows were before: reverse deltas, from which any field is read as of any instant.
//!
//! An entry says that the row of a key changed at an instant, and what its changed columns held until then. As of T a field
//! has the old value of its first change after T, else its present one. A version that arrives late goes in where it
//! belongs: then all entries of its key are written again, the first of them marked as such, and what was written of that
//! key before counts no more. So it is when a row is deleted, of which a first entry without a change is written.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, BooleanArray, StringViewArray, UInt32Array};
use arrow_ord::ord::DynComparator;
use arrow_select::concat::concat;
use arrow_select::take::take;
use muster_catalog::{ColumnType, Timestamp};

use crate::Error;
use crate::column::instants;
use crate::edit::Moves;
use crate::merge::{Merged, Rows, Versions, comparators};
use crate::overlay::Extra;
use crate::published::PublishedTable;
use crate::schema::{ColumnSchema, TableSchema};

/// The columns of an entry before those with old values.
const HEAD: [(&str, ColumnType); 4] = [
    ("__key", ColumnType::Id),
    ("__at", ColumnType::Timestamp),
    ("__first", ColumnType::Bool),
    // One character per column of the table, `1` where it changed.
    ("__changed", ColumnType::Text),
];

/// The columns of the file of a table's changes.
pub(crate) fn columns(schema: &TableSchema) -> Vec<ColumnSchema> {
    let head = HEAD.iter().map(|(name, column_type)| ColumnSchema {
        name: (*name).to_owned(),
        column_type: *column_type,
        role: None,
    });
    head.chain(schema.columns.iter().cloned()).collect()
}

/// A state of a row, column by column the number of the row that has its value.
#[derive(Clone)]
struct Version {
    /// Since when; `None`: since ever.
    at: Option<i64>,
    values: Vec<u32>,
}

/// The entries that a merge makes for a table, in the layout of [`columns`]; `None` where nothing changed.
///
/// The instant of a change is the row's `updated_at` where it has one, else `loaded`.
pub(crate) fn entries(
    table: Option<&PublishedTable>,
    schema: &TableSchema,
    merged: &Merged,
    loaded: Timestamp,
) -> Result<Option<Rows>, Error> {
    if merged.versions.is_empty() {
        return Ok(None);
    }
    let key = schema.key_position().expect("only rows with a key have versions");
    let late: Vec<&Versions> = merged.versions.iter().filter(|versions| comes_late(schema, merged, versions)).collect();
    let keys = merged.rows.columns[key].as_string_view();
    let wanted: HashSet<&str> = late.iter().map(|versions| keys.value(versions.current as usize)).collect();
    let known = match table {
        Some(table) if !wanted.is_empty() => Timelines::of(table, Some(&wanted))?,
        _ => Timelines::none(schema),
    };
    let all = Rows::joined(vec![
        Rows { columns: merged.rows.columns.clone(), count: merged.rows.count },
        known.old_values()?,
    ])?;
    let mut writing = Writing::of(schema, &all, loaded)?;
    for versions in &merged.versions {
        let late = wanted.contains(keys.value(versions.current as usize));
        let before = if late { known.versions(&writing, versions, keys, merged.rows.count as u32) } else { Vec::new() };
        writing.timeline(versions, before, late);
    }
    writing.finish(keys)
}

/// The entries with those that make forget what the rows of deleted keys were: a key that returns is another row.
pub(crate) fn with_deleted(
    table: Option<&PublishedTable>,
    schema: &TableSchema,
    entries: Option<Rows>,
    moves: &Moves,
    loaded: Timestamp,
) -> Result<Option<Rows>, Error> {
    let nothing_to_forget = entries.is_none() && table.is_none_or(|table| table.changes.is_empty());
    if moves.deleted_keys.is_empty() || nothing_to_forget {
        return Ok(entries);
    }
    let mut keys: Vec<&str> = moves.deleted_keys.iter().map(AsRef::as_ref).collect();
    keys.sort_unstable();
    let count = keys.len();
    let unchanged = "0".repeat(schema.columns.len());
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(&keys)),
        instants(vec![loaded.micros(); count].into(), None),
        Arc::new(BooleanArray::from(vec![true; count])),
        Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(&unchanged, count))),
    ];
    columns.extend(schema.columns.iter().map(|column| crate::column::absent(column.column_type, count)));
    let forgetting = Rows { columns, count };
    Ok(Some(Rows::joined(entries.into_iter().chain([forgetting]).collect())?))
}

/// Whether a row came that is older than the stored one.
fn comes_late(schema: &TableSchema, merged: &Merged, versions: &Versions) -> bool {
    let Some(updated) = schema.updated_position() else { return false };
    let Some(stored) = versions.stored else { return false };
    let updated = merged.rows.columns[updated].as_primitive::<TimestampMicrosecondType>();
    let age = |row: u32| updated.is_valid(row as usize).then(|| updated.value(row as usize));
    versions.came.iter().chain([&versions.current]).any(|row| age(*row) < age(stored))
}

/// Entries in the making.
struct Writing<'a> {
    schema: &'a TableSchema,
    all: &'a Rows,
    loaded: i64,
    compare: Vec<DynComparator>,
    keys: Vec<u32>,
    at: Vec<i64>,
    first: Vec<bool>,
    changed: Vec<String>,
    old: Vec<Vec<Option<u32>>>,
}

impl<'a> Writing<'a> {
    fn of(schema: &'a TableSchema, all: &'a Rows, loaded: Timestamp) -> Result<Self, Error> {
        Ok(Self {
            schema,
            all,
            loaded: loaded.micros(),
            compare: comparators(&all.columns)?,
            keys: Vec::new(),
            at: Vec::new(),
            first: Vec::new(),
            changed: Vec::new(),
            old: vec![Vec::new(); schema.columns.len()],
        })
    }

    fn version(&self, row: u32, otherwise: Option<i64>) -> Version {
        Version { at: self.age(row).or(otherwise), values: vec![row; self.schema.columns.len()] }
    }

    /// When the row last changed at its source.
    fn age(&self, row: u32) -> Option<i64> {
        let updated = self.all.columns[self.schema.updated_position()?].as_primitive::<TimestampMicrosecondType>();
        updated.is_valid(row as usize).then(|| updated.value(row as usize))
    }

    /// Writes what changed from version to version of one key; `before` are its known ones, the stored row's last.
    fn timeline(&mut self, versions: &Versions, mut before: Vec<Version>, anew: bool) {
        if before.is_empty() {
            before.extend(versions.stored.map(|row| self.version(row, None)));
        }
        let loaded = Some(self.loaded);
        let came = versions.came.iter().map(|row| self.version(*row, loaded)).collect::<Vec<_>>();
        let current = Some(versions.current).filter(|row| Some(*row) != versions.stored);
        let mut chain = before;
        chain.extend(came);
        chain.extend(current.map(|row| self.version(row, loaded)));
        // Stable, so that of one instant the row that came last counts. One that stood for no time is harmless: as of any
        // instant before, the first of the entries at that instant tells what was.
        chain.sort_by_key(|version| version.at);
        let mut first = anew;
        for pair in chain.windows(2) {
            let changed = self.differences(&pair[0], &pair[1]);
            if changed.contains(&true) {
                self.entry(versions.current, pair[1].at, first, &changed, &pair[0].values);
                first = false;
            }
        }
        if first {
            let unchanged = vec![false; self.schema.columns.len()];
            self.entry(versions.current, None, true, &unchanged, &[]);
        }
    }

    /// For each column whether it changed. A key does not, and below whom a row stands is not a field of it.
    fn differences(&self, before: &Version, after: &Version) -> Vec<bool> {
        let differs = |column: usize| {
            let (was, is) = (before.values[column] as usize, after.values[column] as usize);
            let fixed = self.schema.key_position() == Some(column) || self.schema.on_position() == Some(column);
            !fixed && self.compare[column](was, is).is_ne()
        };
        (0..self.schema.columns.len()).map(differs).collect()
    }

    fn entry(&mut self, key: u32, at: Option<i64>, first: bool, changed: &[bool], old: &[u32]) {
        for (column, changed) in changed.iter().enumerate() {
            self.old[column].push(changed.then(|| old[column]));
        }
        self.keys.push(key);
        self.at.push(at.unwrap_or(self.loaded));
        self.first.push(first);
        self.changed.push(changed.iter().map(|changed| if *changed { '1' } else { '0' }).collect());
    }

    fn finish(self, keys: &StringViewArray) -> Result<Option<Rows>, Error> {
        let count = self.keys.len();
        if count == 0 {
            return Ok(None);
        }
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(StringViewArray::from_iter_values(self.keys.iter().map(|row| keys.value(*row as usize)))),
            instants(self.at.into(), None),
            Arc::new(BooleanArray::from(self.first)),
            Arc::new(StringViewArray::from_iter_values(self.changed)),
        ];
        for (column, old) in self.all.columns.iter().zip(self.old) {
            columns.push(take(column, &UInt32Array::from(old), None)?);
        }
        Ok(Some(Rows { columns, count }))
    }
}

/// The entries of a table that count, by key, oldest first.
pub(crate) struct Timelines {
    schema: TableSchema,
    parts: Vec<Arc<Extra>>,
    by_key: HashMap<String, Vec<Entry>>,
}

/// One change of a row.
#[derive(Debug, Clone)]
struct Entry {
    at: i64,
    /// Its number among the entries of all parts.
    row: u32,
    changed: Box<str>,
}

impl Timelines {
    fn none(schema: &TableSchema) -> Self {
        Self { schema: schema.clone(), parts: Vec::new(), by_key: HashMap::new() }
    }

    /// The entries of these keys, or of all.
    pub(crate) fn of(table: &PublishedTable, wanted: Option<&HashSet<&str>>) -> Result<Self, Error> {
        let schema = table.manifest.schema.clone();
        let parts: Vec<Arc<Extra>> = table.changes.iter().map(|(_, part)| Arc::clone(part)).collect();
        let head = &columns(&schema)[..HEAD.len()];
        let mut by_key: HashMap<String, Vec<Entry>> = HashMap::new();
        let mut first = 0;
        for part in &parts {
            let columns: Vec<ArrayRef> =
                head.iter().enumerate().map(|(place, column)| part.column(place, column)).collect::<Result<_, _>>()?;
            let keys = columns[0].as_string_view();
            let at = columns[1].as_primitive::<TimestampMicrosecondType>();
            let (first_of_all, changed) = (columns[2].as_boolean(), columns[3].as_string_view());
            for row in 0..part.rows() {
                let key = keys.value(row);
                if wanted.is_some_and(|wanted| !wanted.contains(key)) {
                    continue;
                }
                let entries = by_key.entry(key.to_owned()).or_default();
                if first_of_all.value(row) {
                    entries.clear();
                }
                entries.push(Entry { at: at.value(row), row: first + row as u32, changed: changed.value(row).into() });
            }
            first += part.rows() as u32;
        }
        by_key.values_mut().for_each(|entries| entries.sort_by_key(|entry| entry.at));
        Ok(Self { schema, parts, by_key })
    }

    /// The old values of all entries, by their numbers.
    fn old_values(&self) -> Result<Rows, Error> {
        let columns = (0..self.schema.columns.len()).map(|column| self.old_column(column)).collect::<Result<_, _>>()?;
        Ok(Rows { columns, count: self.parts.iter().map(|part| part.rows()).sum() })
    }

    fn old_column(&self, column: usize) -> Result<ArrayRef, Error> {
        let declared = &self.schema.columns[column];
        let parts = self.parts.iter().map(|part| part.column(HEAD.len() + column, declared));
        let parts = parts.collect::<Result<Vec<_>, Error>>()?;
        match parts.as_slice() {
            [] => Ok(crate::column::absent(declared.column_type, 0)),
            several => Ok(concat(&several.iter().map(AsRef::as_ref).collect::<Vec<_>>())?),
        }
    }

    /// The versions that the entries tell of, oldest first, the stored row last.
    fn versions(&self, writing: &Writing<'_>, of: &Versions, keys: &StringViewArray, first: u32) -> Vec<Version> {
        let Some(stored) = of.stored else { return Vec::new() };
        let entries = self.by_key.get(keys.value(stored as usize)).map_or(&[] as &[Entry], Vec::as_slice);
        let mut values = vec![stored; self.schema.columns.len()];
        let mut versions = Vec::with_capacity(entries.len() + 1);
        for entry in entries.iter().rev() {
            versions.push(Version { at: Some(entry.at), values: values.clone() });
            for (column, changed) in entry.changed.bytes().enumerate() {
                if changed == b'1' {
                    values[column] = first + entry.row;
                }
            }
        }
        // The oldest one says itself since when it is.
        let at = self.schema.updated_position().and_then(|column| writing.age(values[column]));
        versions.push(Version { at, values });
        versions.reverse();
        versions
    }
}

/// What fields were at an instant, where they are otherwise now.
#[derive(Debug)]
pub(crate) struct Past {
    tables: HashMap<String, PastTable>,
}

#[derive(Debug)]
struct PastTable {
    /// For each key the columns that changed later, with the number of the row that has the old value.
    by_key: HashMap<String, Vec<(usize, u32)>>,
    /// The old values, for the columns that changed.
    old: HashMap<usize, ArrayRef>,
}

impl Past {
    pub(crate) fn at(instant: Timestamp, tables: &[Arc<PublishedTable>]) -> Result<Self, Error> {
        let mut past = HashMap::new();
        // Lookups and lists are those of today, whatever the instant.
        let versioned = |table: &&Arc<PublishedTable>| !table.manifest.schema.kind.is_beside_the_tree();
        for table in tables.iter().filter(versioned) {
            if !changed_after(table, instant)? {
                continue;
            }
            let timelines = Timelines::of(table, None)?;
            let by_key: HashMap<String, Vec<(usize, u32)>> = timelines
                .by_key
                .iter()
                .map(|(key, entries)| (key.clone(), first_after(entries, instant.micros())))
                .filter(|(_, changes)| !changes.is_empty())
                .collect();
            let changed: HashSet<usize> = by_key.values().flatten().map(|(column, _)| *column).collect();
            let old = changed.into_iter().map(|column| Ok((column, timelines.old_column(column)?)));
            let old = old.collect::<Result<HashMap<_, _>, Error>>()?;
            if !by_key.is_empty() {
                past.insert(table.name().to_owned(), PastTable { by_key, old });
            }
        }
        Ok(Self { tables: past })
    }

    /// Whether nothing changed after the instant.
    pub(crate) fn is_present(&self) -> bool {
        self.tables.is_empty()
    }

    /// A column of a block as it was, given what it is.
    pub(crate) fn column(
        &self,
        table: &PublishedTable,
        block: usize,
        place: usize,
        present: ArrayRef,
    ) -> Result<ArrayRef, Error> {
        let Some((past, old)) = self.tables.get(table.name()).and_then(|past| Some((past, past.old.get(&place)?)))
        else {
            return Ok(present);
        };
        let key = table.manifest.schema.key_position().expect("only rows with a key change");
        let Some(keys) = table.column(block, key)? else { return Ok(present) };
        let keys = keys.arrow()?;
        let keys = keys.as_string_view();
        let count = present.len() as u32;
        let source = |row: u32| {
            let key = keys.is_valid(row as usize).then(|| keys.value(row as usize));
            let changes = key.and_then(|key| past.by_key.get(key));
            let change = changes.and_then(|changes| changes.iter().find(|(column, _)| *column == place));
            change.map_or(row, |(_, old)| count + old)
        };
        let sources: UInt32Array = (0..count).map(source).collect::<Vec<_>>().into();
        Ok(take(&concat(&[present.as_ref(), old.as_ref()])?, &sources, None)?)
    }
}

/// Whether anything of a table changed after the instant, by the instants of its entries alone.
fn changed_after(table: &PublishedTable, instant: Timestamp) -> Result<bool, Error> {
    let [_, at, ..] = &columns(&table.manifest.schema)[..] else { return Ok(false) };
    for (_, part) in &table.changes {
        let instants = part.column(1, at)?;
        let instants = instants.as_primitive::<TimestampMicrosecondType>();
        if instants.values().iter().any(|at| *at > instant.micros()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// For each column its first change after the instant; `entries` are in their order.
fn first_after(entries: &[Entry], instant: i64) -> Vec<(usize, u32)> {
    let mut found: Vec<(usize, u32)> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.at > instant) {
        for (column, _) in entry.changed.bytes().enumerate().filter(|(_, changed)| *changed == b'1') {
            if !found.iter().any(|(known, _)| *known == column) {
                found.push((column, entry.row));
            }
        }
    }
    found
}
