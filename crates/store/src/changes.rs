//! What keyed rows were before: reverse deltas, from which any field is read as of any instant.
//!
//! An entry says that the row of a key changed at an instant, and what its changed columns held until then. As of T a field
//! has the old value of its first change after T, else its present one. A version that arrives late goes in where it
//! belongs: then all entries of its key are written again, the first of them marked as such, and what was written of that
//! key before counts no more. So it is when a row is deleted, of which a first entry without a change is written.
//!
//! An entry also says through what the row came, from which [`crate::owner`] knows whose a field is. Of a row that is new
//! there is nothing to say, but in a table that asks whose its fields are: then one that did not come from a file has a
//! first entry that claims all of its fields.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, BooleanArray, StringViewArray, UInt32Array};
use arrow_ord::ord::DynComparator;
use arrow_select::concat::concat;
use arrow_select::take::take;
use muster_catalog::{ColumnType, Owner, Table, Timestamp};

use crate::Error;
use crate::column::instants;
use crate::edit::Moves;
use crate::merge::{Merged, Rows, Versions, comparators};
use crate::overlay::Extra;
use crate::published::PublishedTable;
use crate::schema::{ColumnSchema, TableSchema};

/// The columns of an entry before those with old values.
const HEAD: [(&str, ColumnType); 5] = [
    ("__key", ColumnType::Id),
    ("__at", ColumnType::Timestamp),
    ("__first", ColumnType::Bool),
    // One character per column of the table: CHANGED, CLAIMED or UNTOUCHED.
    ("__changed", ColumnType::Text),
    // Through what the row came; files of before know of loads only, and say nothing.
    ("__source", ColumnType::Text),
];

/// The field has another value since.
const CHANGED: u8 = b'1';
/// The field has the value that it had, and is since then of whom the entry comes from.
const CLAIMED: u8 = b'=';
/// The entry is not about the field.
const UNTOUCHED: u8 = b'0';

/// Through what rows come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The files of a load.
    Load,
    /// One by one, through the log.
    Rows,
}

impl Source {
    const fn word(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Rows => "rows",
        }
    }

    fn read(word: Option<&str>) -> Result<Self, Error> {
        match word {
            None | Some("load") => Ok(Self::Load),
            Some("rows") => Ok(Self::Rows),
            Some(other) => Err(Error::Catalogue { what: format!("a change came through {other}, which is not known") }),
        }
    }
}

/// Who tells of changes, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Telling {
    pub(crate) at: Timestamp,
    pub(crate) source: Source,
    /// Whether new rows are told of, too, so that their fields have an owner.
    pub(crate) of_new_rows: bool,
}

impl Telling {
    /// What rows tell of `table` that come at this instant.
    pub(crate) fn of(table: &Table, at: Timestamp, source: Source) -> Self {
        let asks_whose = table.columns.iter().any(|column| column.owner != Owner::Source);
        Self { at, source, of_new_rows: asks_whose && source == Source::Rows }
    }
}

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
    source: Source,
    /// What the entry that told of it says of each column; none where it comes only now.
    told: Option<Box<str>>,
}

/// The entries that a merge makes for a table, in the layout of [`columns`]; `None` where nothing changed.
///
/// The instant of a change is the row's `updated_at` where it has one, else that of the telling.
pub(crate) fn entries(
    table: Option<&PublishedTable>,
    schema: &TableSchema,
    merged: &Merged,
    telling: Telling,
) -> Result<Option<Rows>, Error> {
    if merged.versions.is_empty() && !telling.of_new_rows {
        return Ok(None);
    }
    let Some(key) = schema.key_position() else { return Ok(None) };
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
    let mut writing = Writing::of(schema, &all, telling)?;
    for row in new_rows(merged, keys).filter(|_| telling.of_new_rows) {
        writing.timeline(&Versions { stored: None, current: row, came: Vec::new() }, Vec::new(), false);
    }
    for versions in &merged.versions {
        let late = wanted.contains(keys.value(versions.current as usize));
        let before = if late { known.versions(&writing, versions, keys, merged.rows.count as u32) } else { Vec::new() };
        writing.timeline(versions, before, late);
    }
    writing.finish(keys)
}

/// The rows whose key was not there before, and of which there is one version only.
fn new_rows(merged: &Merged, keys: &StringViewArray) -> impl Iterator<Item = u32> {
    let several: HashSet<u32> = merged.versions.iter().map(|versions| versions.current).collect();
    let new = merged.standing.iter().filter(|(_, stored)| stored.is_none()).map(|(row, _)| row);
    new.filter(move |row| keys.is_valid(*row as usize) && !several.contains(row))
}

/// The entries with those that make forget what the rows of deleted keys were: a key that returns is another row.
pub(crate) fn with_deleted(
    table: Option<&PublishedTable>,
    schema: &TableSchema,
    entries: Option<Rows>,
    moves: &Moves,
    telling: Telling,
) -> Result<Option<Rows>, Error> {
    let nothing_to_forget = entries.is_none() && table.is_none_or(|table| table.changes.is_empty());
    if moves.deleted_keys.is_empty() || nothing_to_forget {
        return Ok(entries);
    }
    let mut keys: Vec<&str> = moves.deleted_keys.iter().map(AsRef::as_ref).collect();
    keys.sort_unstable();
    let count = keys.len();
    let untouched = text_of(vec![UNTOUCHED; schema.columns.len()]);
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(&keys)),
        instants(vec![telling.at.micros(); count].into(), None),
        Arc::new(BooleanArray::from(vec![true; count])),
        Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(&untouched, count))),
        Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(telling.source.word(), count))),
    ];
    columns.extend(schema.columns.iter().map(|column| crate::column::absent(column.column_type, count)));
    let forgetting = Rows { columns, count };
    Ok(Some(Rows::joined(entries.into_iter().chain([forgetting]).collect())?))
}

fn text_of(marks: Vec<u8>) -> Box<str> {
    String::from_utf8(marks).expect("marks are of ASCII").into()
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
    telling: Telling,
    compare: Vec<DynComparator>,
    keys: Vec<u32>,
    at: Vec<i64>,
    first: Vec<bool>,
    changed: Vec<Box<str>>,
    source: Vec<&'static str>,
    old: Vec<Vec<Option<u32>>>,
}

impl<'a> Writing<'a> {
    fn of(schema: &'a TableSchema, all: &'a Rows, telling: Telling) -> Result<Self, Error> {
        Ok(Self {
            schema,
            all,
            telling,
            compare: comparators(&all.columns)?,
            keys: Vec::new(),
            at: Vec::new(),
            first: Vec::new(),
            changed: Vec::new(),
            source: Vec::new(),
            old: vec![Vec::new(); schema.columns.len()],
        })
    }

    fn stored(&self, row: u32) -> Version {
        self.version(row, self.age(row), Source::Load)
    }

    fn coming(&self, row: u32) -> Version {
        self.version(row, self.age(row).or(Some(self.telling.at.micros())), self.telling.source)
    }

    fn version(&self, row: u32, at: Option<i64>, source: Source) -> Version {
        Version { at, values: vec![row; self.schema.columns.len()], source, told: None }
    }

    /// When the row last changed at its source.
    fn age(&self, row: u32) -> Option<i64> {
        let updated = self.all.columns[self.schema.updated_position()?].as_primitive::<TimestampMicrosecondType>();
        updated.is_valid(row as usize).then(|| updated.value(row as usize))
    }

    /// Writes what changed from version to version of one key; `before` are its known ones, the stored row's last.
    fn timeline(&mut self, versions: &Versions, before: Vec<Version>, anew: bool) {
        let mut chain = self.chain(versions, before);
        let is_new = versions.stored.is_none() && self.telling.of_new_rows;
        if let Some(oldest) = chain.first_mut().filter(|_| is_new) {
            oldest.told = Some(text_of(vec![CLAIMED; self.schema.columns.len()]));
        }
        let mut first = anew || is_new;
        let mut previous: Option<&Version> = None;
        for version in &chain {
            let marks = self.marks(previous, version);
            if marks.iter().any(|mark| *mark != UNTOUCHED) {
                let old = previous.unwrap_or(version);
                self.entry(versions.current, (version.at, version.source), first, marks, &old.values);
                first = false;
            }
            previous = Some(version);
        }
        if first {
            let untouched = vec![UNTOUCHED; self.schema.columns.len()];
            self.entry(versions.current, (None, self.telling.source), true, untouched, &[]);
        }
    }

    /// All versions of a key, oldest first.
    fn chain(&self, versions: &Versions, before: Vec<Version>) -> Vec<Version> {
        let mut chain = before;
        if chain.is_empty() {
            chain.extend(versions.stored.map(|row| self.stored(row)));
        }
        chain.extend(versions.came.iter().map(|row| self.coming(*row)));
        let current = Some(versions.current).filter(|row| Some(*row) != versions.stored);
        chain.extend(current.map(|row| self.coming(row)));
        // Stable, so that of one instant the row that came last counts. One that stood for no time is harmless: as of any
        // instant before, the first of the entries at that instant tells what was.
        chain.sort_by_key(|version| version.at);
        chain
    }

    /// What an entry on `version` says of each column, where `previous` stood before. A key does not change, and below
    /// whom a row stands is not a field of it. What muster set stays claimed where a late version turns out to have said
    /// the same before.
    fn marks(&self, previous: Option<&Version>, version: &Version) -> Vec<u8> {
        let told = version.told.as_ref().filter(|_| version.source == Source::Rows);
        let mark = |column: usize| {
            let fixed = self.schema.key_position() == Some(column) || self.schema.on_position() == Some(column);
            let differs = |before: &Version| {
                self.compare[column](before.values[column] as usize, version.values[column] as usize).is_ne()
            };
            match told.and_then(|told| told.as_bytes().get(column)) {
                _ if fixed => UNTOUCHED,
                _ if previous.is_some_and(differs) => CHANGED,
                Some(&CHANGED | &CLAIMED) => CLAIMED,
                _ => UNTOUCHED,
            }
        };
        (0..self.schema.columns.len()).map(mark).collect()
    }

    fn entry(&mut self, key: u32, by: (Option<i64>, Source), first: bool, marks: Vec<u8>, old: &[u32]) {
        for (column, mark) in marks.iter().enumerate() {
            self.old[column].push((*mark == CHANGED).then(|| old[column]));
        }
        self.keys.push(key);
        self.at.push(by.0.unwrap_or(self.telling.at.micros()));
        self.first.push(first);
        self.changed.push(text_of(marks));
        self.source.push(by.1.word());
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
            Arc::new(StringViewArray::from_iter_values(self.source)),
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

/// That muster holds a field.
pub(crate) struct Holding {
    /// When it set it.
    pub(crate) since: i64,
    /// The number of the entry with the value as of the instant that was asked for; `None`: the present one.
    pub(crate) old: Option<u32>,
}

/// One change of a row.
#[derive(Debug, Clone)]
struct Entry {
    at: i64,
    /// Its number among the entries of all parts.
    row: u32,
    changed: Box<str>,
    source: Source,
}

impl Entry {
    fn mark(&self, column: usize) -> u8 {
        self.changed.as_bytes().get(column).copied().unwrap_or(UNTOUCHED)
    }

    fn has(&self, mark: u8) -> bool {
        self.changed.as_bytes().contains(&mark)
    }
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
            let sources = columns[4].as_string_view();
            for row in 0..part.rows() {
                let key = keys.value(row);
                if wanted.is_some_and(|wanted| !wanted.contains(key)) {
                    continue;
                }
                let entries = by_key.entry(key.to_owned()).or_default();
                if first_of_all.value(row) {
                    entries.clear();
                }
                let source = Source::read(sources.is_valid(row).then(|| sources.value(row)))?;
                let (at, changed) = (at.value(row), changed.value(row).into());
                entries.push(Entry { at, row: first + row as u32, changed, source });
            }
            first += part.rows() as u32;
        }
        by_key.values_mut().for_each(|entries| entries.sort_by_key(|entry| entry.at));
        Ok(Self { schema, parts, by_key })
    }

    /// The entries of those of `keys` of which any row told that did not come from a file.
    pub(crate) fn told_by_rows(table: &PublishedTable, keys: &StringViewArray) -> Result<Self, Error> {
        let schema = &table.manifest.schema;
        let head = columns(schema);
        let mut told: HashSet<String> = HashSet::new();
        for (_, part) in &table.changes {
            let (known, sources) = (part.column(0, &head[0])?, part.column(4, &head[4])?);
            let entries = known.as_string_view().iter().zip(sources.as_string_view());
            let by_rows = entries.filter(|(_, source)| *source == Some(Source::Rows.word()));
            told.extend(by_rows.filter_map(|(key, _)| key.map(str::to_owned)));
        }
        let wanted: HashSet<&str> = keys.iter().flatten().filter(|key| told.contains(*key)).collect();
        if wanted.is_empty() { Ok(Self::none(schema)) } else { Self::of(table, Some(&wanted)) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    pub(crate) fn has_column(&self, place: usize) -> bool {
        place < self.schema.columns.len()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.by_key.keys().map(String::as_str)
    }

    /// Since when muster holds a field, now or as of an instant; `None` where the source does.
    pub(crate) fn holding(&self, key: &str, column: usize, as_of: Option<i64>) -> Option<Holding> {
        let entries = self.by_key.get(key)?;
        let setting = entries.iter().filter(|entry| entry.mark(column) != UNTOUCHED);
        let last = match as_of {
            // What was written last was taken last, whatever instants it is of.
            None => setting.max_by_key(|entry| entry.row),
            Some(instant) => setting.take_while(|entry| entry.at <= instant).last(),
        };
        let since = last.filter(|entry| entry.source == Source::Rows)?.at;
        let later = |entry: &&Entry| as_of.is_some_and(|instant| entry.at > instant) && entry.mark(column) == CHANGED;
        Some(Holding { since, old: entries.iter().find(later).map(|entry| entry.row) })
    }

    /// The old values of all entries, by their numbers.
    fn old_values(&self) -> Result<Rows, Error> {
        let columns = (0..self.schema.columns.len()).map(|column| self.old_column(column)).collect::<Result<_, _>>()?;
        Ok(Rows { columns, count: self.parts.iter().map(|part| part.rows()).sum() })
    }

    /// The old values of a column, by the numbers of the entries; no value where it did not change.
    pub(crate) fn old_column(&self, column: usize) -> Result<ArrayRef, Error> {
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
        // What only makes forget tells of no version.
        let telling = entries.iter().filter(|entry| entry.has(CHANGED) || entry.has(CLAIMED));
        for entry in telling.clone().rev() {
            let (at, told) = (Some(entry.at), Some(entry.changed.clone()));
            versions.push(Version { at, values: values.clone(), source: entry.source, told });
            let changed = values.iter_mut().enumerate().filter(|(column, _)| entry.mark(*column) == CHANGED);
            changed.for_each(|(_, value)| *value = first + entry.row);
        }
        if telling.clone().next().is_none_or(|oldest| oldest.has(CHANGED)) {
            // The oldest one says itself since when it is.
            let at = self.schema.updated_position().and_then(|column| writing.age(values[column]));
            versions.push(Version { at, values, source: Source::Load, told: None });
        }
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
        for (column, _) in entry.changed.bytes().enumerate().filter(|(_, mark)| *mark == CHANGED) {
            if !found.iter().any(|(known, _)| *known == column) {
                found.push((column, entry.row));
            }
        }
    }
    found
}
