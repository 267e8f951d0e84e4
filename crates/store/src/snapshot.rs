//! One published state of all tables: numbered, immutable, read lazily.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringViewArray};
use arrow_select::take::take;
use muster_catalog::{Names, SegmentNames, Timestamp};

use crate::Error;
use crate::catalogue::{FileRecord, Kept, ManifestTable};
use crate::changes::Past;
use crate::column::{absent, row_numbers};
use crate::files::Folder;
use crate::merge::Rows;
use crate::places::{Looking, Spot, Wanted, locate, rows_at};
use crate::published::{PublishedTable, Shared};
use crate::schema::TableSchema;

/// A column that every published table has beside its own, for joins; never part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemColumn {
    /// The number of the row in its table.
    Row,
    /// The number of its parent's row; of histories.
    Parent,
    /// The number of its profile's row; of histories.
    Profile,
    /// Its instant: its own or its parent's; of profiles with `created_at`, and of histories below one that has a time.
    Time,
}

impl SystemColumn {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Row, Self::Parent, Self::Profile, Self::Time];

    /// Its name in printed SQL and in exported tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Row => "__row",
            Self::Parent => "__parent",
            Self::Profile => "__profile",
            Self::Time => "__time",
        }
    }
}

/// A published state of all tables.
#[derive(Debug)]
pub struct Snapshot {
    number: u64,
    at: Timestamp,
    /// The last entry of the log that is in it.
    applied: i64,
    /// The snapshot whose files it has, itself or one before; 0: none.
    filed: u64,
    tables: Vec<Arc<PublishedTable>>,
    /// What fields were at an instant, where this is a view of the past.
    pub(crate) past: Option<Past>,
}

impl Snapshot {
    /// The snapshot that the catalogue names; what `before` has read already is not read again.
    pub(crate) fn open(folder: &Folder, kept: Kept, before: Option<&Self>) -> Self {
        let Kept { number, at, manifest, files, applied } = kept;
        let mut by_table: HashMap<String, Vec<FileRecord>> = HashMap::new();
        files.into_iter().for_each(|file| by_table.entry(file.table.clone()).or_default().push(file));
        let mut files_of = |table: &ManifestTable| by_table.remove(&table.schema.name).unwrap_or_default();
        let tables = manifest.tables.into_iter().map(|table| {
            let files = files_of(&table);
            let shared = Shared(before.and_then(|before| before.table(&table.schema.name)).map(AsRef::as_ref));
            Arc::new(PublishedTable::open(folder, table, files, &shared))
        });
        Self { number, at, applied, filed: number, tables: tables.collect(), past: None }
    }

    /// What is there before the first load.
    pub(crate) fn empty(at: Timestamp) -> Self {
        Self::of((0, at), 0, 0, Vec::new())
    }

    /// Tables that stand in memory, beside the files of the snapshot `filed`.
    pub(crate) fn of(
        (number, at): (u64, Timestamp),
        applied: i64,
        filed: u64,
        tables: Vec<Arc<PublishedTable>>,
    ) -> Self {
        Self { number, at, applied, filed, tables, past: None }
    }

    /// The same snapshot with every field of a keyed row as it was at `instant`.
    ///
    /// A field that changed later has the value it had before; rows that came later are still there: their own time, which
    /// a query compares, tells them apart. A row that was deleted since is gone as of every instant.
    ///
    /// # Errors
    /// If what changed cannot be read.
    pub fn as_of(self: &Arc<Self>, instant: Timestamp) -> Result<Arc<Self>, Error> {
        let past = Past::at(instant, &self.tables)?;
        if past.is_present() {
            return Ok(Arc::clone(self));
        }
        let Self { number, at, applied, filed, ref tables, .. } = **self;
        Ok(Arc::new(Self { number, at, applied, filed, tables: tables.clone(), past: Some(past) }))
    }

    /// Its number; the first is 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When it was published.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    pub(crate) fn applied(&self) -> i64 {
        self.applied
    }

    pub(crate) fn filed(&self) -> u64 {
        self.filed
    }

    pub(crate) fn tables(&self) -> &[Arc<PublishedTable>] {
        &self.tables
    }

    /// The tables, parents before children.
    pub fn schemas(&self) -> impl Iterator<Item = &TableSchema> {
        self.tables.iter().map(|table| &table.manifest.schema)
    }

    /// The schema of a table.
    pub fn schema(&self, table: &str) -> Option<&TableSchema> {
        self.table(table).map(|table| &table.manifest.schema)
    }

    /// What a query may say of it, in `zone`, beside these segments.
    pub fn names(&self, zone: chrono_tz::Tz, segments: Vec<SegmentNames>) -> Names {
        let variables = BTreeSet::new();
        let tables = self.schemas().map(TableSchema::names).collect();
        Names { zone, tables, segments, variables, scores: Vec::new(), affinities: Vec::new() }
    }

    /// How many rows a table has; zero where there is no such table.
    pub fn row_count(&self, table: &str) -> u64 {
        self.table(table).map_or(0, |table| table.row_count())
    }

    /// How many rows of a table wait for their parent.
    pub fn orphan_count(&self, table: &str) -> u64 {
        self.table(table).map_or(0, |table| table.manifest.orphans)
    }

    /// How many bytes its files have.
    pub fn bytes(&self) -> u64 {
        self.tables.iter().flat_map(|table| &table.files).map(|record| record.file.bytes).sum()
    }

    /// How many blocks a table has.
    pub fn block_count(&self, table: &str) -> usize {
        self.table(table).map_or(0, |table| table.blocks.len())
    }

    /// How many rows a block of a table has: what [`Snapshot::scan`] answers.
    pub fn block_rows(&self, table: &str, block: usize) -> usize {
        self.table(table).map_or(0, |table| table.rows_in(block) - table.tombstones_in(block) as usize)
    }

    /// The numbers of the places that a block of a table has; those of deleted profiles are among them.
    pub(crate) fn places(&self, table: &str, block: usize) -> Range<i64> {
        self.table(table).map_or(0..0, |table| table.first_rows[block]..table.first_rows[block + 1])
    }

    /// The system columns that a table has.
    pub fn system_columns(&self, table: &str) -> Vec<SystemColumn> {
        let Some(published) = self.table(table) else { return Vec::new() };
        let history = published.manifest.schema.parent().is_some();
        let has = |column: &SystemColumn| match column {
            SystemColumn::Row => true,
            SystemColumn::Parent | SystemColumn::Profile => history,
            SystemColumn::Time => self.has_time(published),
        };
        SystemColumn::ALL.into_iter().filter(has).collect()
    }

    /// The columns of one block of a table, by name, system columns included: one array each, rows in their order, deleted
    /// profiles left out.
    ///
    /// Only what is asked for is read from disk, once.
    ///
    /// # Errors
    /// If a file cannot be read or does not hold what the catalogue says.
    ///
    /// # Panics
    /// If the table has no such block or column: names are resolved before.
    pub fn scan(&self, table: &str, block: usize, columns: &[&str]) -> Result<Vec<ArrayRef>, Error> {
        let table = self.table(table).expect("a resolved query names only published tables");
        let living = table.living(block)?;
        let column = |name: &&str| {
            let places = self.column(table, block, name)?;
            Ok(match &living {
                Some(living) => take(&places, living, None)?,
                None => places,
            })
        };
        columns.iter().map(column).collect()
    }

    /// The rows of a table with these keys, those that there are, by the columns of its schema.
    ///
    /// Meant for few keys at a time in a process that goes on: an index of all keys is made at the first call.
    ///
    /// # Errors
    /// If a file cannot be read or does not hold what the catalogue says.
    pub fn rows_with_keys(&self, table: &str, keys: &StringViewArray) -> Result<Vec<ArrayRef>, Error> {
        let Some(table) = self.table(table) else { return Ok(Vec::new()) };
        let mut spots: Vec<Spot> = locate(table, &Wanted::of(keys), Looking::Often)?.into_values().collect();
        spots.sort_unstable();
        Ok(rows_at(self, table, &spots, Looking::Often)?.columns)
    }

    fn column(&self, table: &PublishedTable, block: usize, name: &str) -> Result<ArrayRef, Error> {
        match SystemColumn::ALL.into_iter().find(|column| column.name() == name) {
            Some(SystemColumn::Row) => Ok(row_numbers(table.first_rows[block], table.rows_in(block))),
            Some(SystemColumn::Parent) => self.parent_rows(table, block),
            Some(SystemColumn::Profile) => self.profile_rows(table, block),
            Some(SystemColumn::Time) => self.times(table, block),
            None => self.own_column(table, block, name),
        }
    }

    /// The values of a column for every place of a block, those of deleted profiles absent.
    pub(crate) fn own_column(&self, table: &PublishedTable, block: usize, name: &str) -> Result<ArrayRef, Error> {
        let schema = &table.manifest.schema;
        let place = schema.position(name).expect("a resolved query names only columns of the table");
        if schema.on_position() == Some(place) {
            let parent = self.parent_of(table);
            let key = parent.manifest.schema.key.as_deref().expect("a parent has a key");
            return self.below(table, block, &self.own_column(parent, block, key)?);
        }
        let column = table.column(block, place)?;
        let present =
            column.map_or_else(|| Ok(absent(schema.columns[place].column_type, 0)), |column| column.arrow())?;
        match &self.past {
            Some(past) => past.column(table, block, place, present),
            None => Ok(present),
        }
    }

    /// The values of the parent's rows, once for each row below.
    fn below(&self, table: &PublishedTable, block: usize, of_parents: &ArrayRef) -> Result<ArrayRef, Error> {
        Ok(take(of_parents, &table.parents(block, self.parent_of(table))?, None)?)
    }

    fn parent_rows(&self, table: &PublishedTable, block: usize) -> Result<ArrayRef, Error> {
        let parent = self.parent_of(table);
        let (first, parents) = (parent.first_rows[block], table.parents(block, parent)?);
        Ok(Arc::new(parents.values().iter().map(|place| first + i64::from(*place)).collect::<Int64Array>()))
    }

    pub(crate) fn profile_rows(&self, table: &PublishedTable, block: usize) -> Result<ArrayRef, Error> {
        let parent = self.parent_of(table);
        if parent.manifest.schema.parent().is_none() {
            return self.parent_rows(table, block);
        }
        self.below(table, block, &self.profile_rows(parent, block)?)
    }

    fn times(&self, table: &PublishedTable, block: usize) -> Result<ArrayRef, Error> {
        match table.own_time() {
            Some(time) => self.own_column(table, block, time),
            None => self.below(table, block, &self.times(self.parent_of(table), block)?),
        }
    }

    fn has_time(&self, table: &PublishedTable) -> bool {
        let parent = || table.manifest.schema.parent().and_then(|parent| self.table(parent));
        table.own_time().is_some() || parent().is_some_and(|parent| self.has_time(parent))
    }

    pub(crate) fn parent_of(&self, table: &PublishedTable) -> &PublishedTable {
        let parent = table.manifest.schema.parent().and_then(|parent| self.table(parent));
        parent.expect("a published history has its parent beside it")
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Arc<PublishedTable>> {
        self.tables.iter().find(|table| table.name() == name)
    }

    /// All rows of a table in their order, deleted profiles as rows without a key, orphans last.
    pub(crate) fn rows(&self, name: &str) -> Result<Rows, Error> {
        let Some(table) = self.table(name) else { return Ok(Rows::default()) };
        let mut parts =
            (0..table.blocks.len()).map(|block| self.block_of(table, block)).collect::<Result<Vec<_>, _>>()?;
        parts.push(table.orphans()?);
        Ok(Rows::joined(parts)?)
    }

    /// The rows of one block, with all columns of the table.
    pub(crate) fn block_of(&self, table: &PublishedTable, block: usize) -> Result<Rows, Error> {
        let column = |column: &crate::ColumnSchema| self.own_column(table, block, &column.name);
        let columns = table.manifest.schema.columns.iter().map(column).collect::<Result<_, _>>()?;
        Ok(Rows { columns, count: table.rows_in(block) })
    }
}

impl PublishedTable {
    /// The column that says when a row is: of the root, when it began to exist.
    pub(crate) fn own_time(&self) -> Option<&str> {
        let schema = &self.manifest.schema;
        schema.time.as_deref().or(schema.created_at.as_deref())
    }
}
