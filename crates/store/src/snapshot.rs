//! One published state of all tables: numbered, immutable, read lazily.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int64Array, StringViewArray};
use arrow_select::take::take;
use muster_catalog::{Names, SegmentNames, Timestamp};

use crate::Error;
use crate::block::BlockTable;
use crate::catalogue::{FileKind, FileRecord, Latest, ManifestTable};
use crate::column::{ColumnData, absent, row_numbers};
use crate::disk::{Folder, read_column};
use crate::merge::Rows;
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
    tables: Vec<PublishedTable>,
}

/// One table of a snapshot.
#[derive(Debug)]
pub(crate) struct PublishedTable {
    pub(crate) manifest: ManifestTable,
    folder: Folder,
    /// For each block its rows, where it has any.
    blocks: Vec<Option<BlockTable>>,
    /// For each block the number of its first row, and one more for the end.
    first_rows: Vec<i64>,
    dictionaries: HashMap<usize, Dictionary>,
    orphans: Option<FileRecord>,
    pub(crate) files: Vec<FileRecord>,
}

#[derive(Debug)]
struct Dictionary {
    file: FileRecord,
    texts: OnceLock<Arc<StringViewArray>>,
}

impl Snapshot {
    pub(crate) fn open(folder: &Folder, latest: Latest) -> Self {
        let Latest { number, at, manifest, files } = latest;
        let mut by_table: HashMap<String, Vec<FileRecord>> = HashMap::new();
        files.into_iter().for_each(|file| by_table.entry(file.table.clone()).or_default().push(file));
        let mut files_of = |table: &ManifestTable| by_table.remove(&table.schema.name).unwrap_or_default();
        let tables = manifest.tables.into_iter().map(|table| {
            let files = files_of(&table);
            PublishedTable::open(folder.clone(), table, files)
        });
        Self { number, at, tables: tables.collect() }
    }

    /// Its number; the first is 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When it was published.
    pub fn at(&self) -> Timestamp {
        self.at
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
        Names { zone, tables: self.schemas().map(TableSchema::names).collect(), segments }
    }

    /// How many rows a table has; zero where there is no such table.
    pub fn row_count(&self, table: &str) -> u64 {
        self.table(table).map_or(0, PublishedTable::row_count)
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

    /// The numbers of the rows that a block of a table has.
    pub fn block_rows(&self, table: &str, block: usize) -> Range<i64> {
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

    /// The columns of one block of a table, by name, system columns included: one array each, rows in their order.
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
        columns.iter().map(|name| self.column(table, block, name)).collect()
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

    fn own_column(&self, table: &PublishedTable, block: usize, name: &str) -> Result<ArrayRef, Error> {
        let schema = &table.manifest.schema;
        let place = schema.position(name).expect("a resolved query names only columns of the table");
        if schema.on_position() != Some(place) {
            return table
                .column(block, place)?
                .map_or_else(|| Ok(absent(schema.columns[place].column_type, 0)), |column| Ok(column.arrow()?));
        }
        let parent = self.parent_of(table);
        let key = parent.manifest.schema.key.as_deref().expect("a parent has a key");
        self.below(table, block, self.own_column(parent, block, key)?)
    }

    /// The values of the parent's rows, once for each row below.
    fn below(&self, table: &PublishedTable, block: usize, of_parents: ArrayRef) -> Result<ArrayRef, Error> {
        match &table.blocks[block] {
            Some(rows) => Ok(take(&of_parents, rows.parents()?, None)?),
            None => Ok(of_parents.slice(0, 0)),
        }
    }

    fn parent_rows(&self, table: &PublishedTable, block: usize) -> Result<ArrayRef, Error> {
        let first = self.parent_of(table).first_rows[block];
        let Some(rows) = &table.blocks[block] else { return Ok(row_numbers(0, 0)) };
        Ok(Arc::new(rows.parents()?.iter().flatten().map(|place| first + i64::from(place)).collect::<Int64Array>()))
    }

    fn profile_rows(&self, table: &PublishedTable, block: usize) -> Result<ArrayRef, Error> {
        let parent = self.parent_of(table);
        if parent.manifest.schema.parent().is_none() {
            return self.parent_rows(table, block);
        }
        self.below(table, block, self.profile_rows(parent, block)?)
    }

    fn times(&self, table: &PublishedTable, block: usize) -> Result<ArrayRef, Error> {
        match table.own_time() {
            Some(time) => self.own_column(table, block, time),
            None => self.below(table, block, self.times(self.parent_of(table), block)?),
        }
    }

    fn has_time(&self, table: &PublishedTable) -> bool {
        let parent = || table.manifest.schema.parent().and_then(|parent| self.table(parent));
        table.own_time().is_some() || parent().is_some_and(|parent| self.has_time(parent))
    }

    fn parent_of(&self, table: &PublishedTable) -> &PublishedTable {
        let parent = table.manifest.schema.parent().and_then(|parent| self.table(parent));
        parent.expect("a published history has its parent beside it")
    }

    pub(crate) fn table(&self, name: &str) -> Option<&PublishedTable> {
        self.tables.iter().find(|table| table.manifest.schema.name == name)
    }

    /// All rows of a table in their order, orphans last.
    pub(crate) fn rows(&self, name: &str) -> Result<Rows, Error> {
        let Some(table) = self.table(name) else { return Ok(Rows::default()) };
        let names: Vec<&str> = table.manifest.schema.columns.iter().map(|column| column.name.as_str()).collect();
        let rows = |block: usize| Ok(Rows { columns: self.scan(name, block, &names)?, count: table.rows_in(block) });
        let mut parts = (0..table.blocks.len()).map(rows).collect::<Result<Vec<_>, Error>>()?;
        parts.push(table.orphans()?);
        Ok(Rows::joined(parts)?)
    }

    /// The dictionary of the column at `place`, where it has one.
    pub(crate) fn dictionary(&self, table: &str, place: usize) -> Result<Option<Arc<StringViewArray>>, Error> {
        self.table(table).map_or(Ok(None), |table| table.dictionary(place))
    }
}

impl PublishedTable {
    fn open(folder: Folder, manifest: ManifestTable, files: Vec<FileRecord>) -> Self {
        let mut blocks: Vec<Option<BlockTable>> = manifest.block_rows.iter().map(|_| None).collect();
        let mut dictionaries = HashMap::new();
        let mut orphans = None;
        for record in &files {
            let (path, rows) = (folder.path(&record.file.name), record.file.rows as usize);
            match record.kind {
                FileKind::Block(block) => {
                    blocks[block] = Some(BlockTable::new(path, rows, manifest.schema.columns.len()));
                }
                FileKind::Dictionary(column) => {
                    dictionaries.insert(column, Dictionary { file: record.clone(), texts: OnceLock::new() });
                }
                FileKind::Orphans => orphans = Some(record.clone()),
            }
        }
        let first_rows = first_rows(&manifest.block_rows);
        Self { manifest, folder, blocks, first_rows, dictionaries, orphans, files }
    }

    fn row_count(&self) -> u64 {
        self.manifest.block_rows.iter().map(|rows| u64::from(*rows)).sum()
    }

    fn rows_in(&self, block: usize) -> usize {
        self.blocks[block].as_ref().map_or(0, BlockTable::rows)
    }

    /// The column that says when a row is: of the root, when it began to exist.
    fn own_time(&self) -> Option<&str> {
        let schema = &self.manifest.schema;
        schema.time.as_deref().or(schema.created_at.as_deref())
    }

    fn column(&self, block: usize, place: usize) -> Result<Option<Arc<ColumnData>>, Error> {
        let Some(rows) = &self.blocks[block] else { return Ok(None) };
        let column = &self.manifest.schema.columns[place];
        let dictionary = self.dictionary(place)?;
        rows.column(place, &column.name, column.column_type, dictionary.as_ref()).map(Some)
    }

    fn dictionary(&self, place: usize) -> Result<Option<Arc<StringViewArray>>, Error> {
        let Some(dictionary) = self.dictionaries.get(&place) else { return Ok(None) };
        if let Some(texts) = dictionary.texts.get() {
            return Ok(Some(Arc::clone(texts)));
        }
        let file = &dictionary.file.file;
        let path = self.folder.path(&file.name);
        let stored = read_column(&path, DICTIONARY_COLUMN, file.rows as usize)?;
        let texts = stored.as_string_view_opt().ok_or_else(|| Error::damaged(&path, "its texts are no texts"))?;
        Ok(Some(Arc::clone(dictionary.texts.get_or_init(|| Arc::new(texts.clone())))))
    }

    fn orphans(&self) -> Result<Rows, Error> {
        let Some(record) = &self.orphans else { return Ok(Rows::default()) };
        let (path, count) = (self.folder.path(&record.file.name), record.file.rows as usize);
        let column = |name: &str| read_column(&path, name, count);
        let columns = self.manifest.schema.columns.iter().map(|own| column(&own.name));
        Ok(Rows { columns: columns.collect::<Result<_, _>>()?, count })
    }
}

/// Where each block begins, and one more for the end.
fn first_rows(block_rows: &[u32]) -> Vec<i64> {
    let ends = block_rows.iter().scan(0, |end, rows| {
        *end += i64::from(*rows);
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

/// The only column of a dictionary's file.
pub(crate) const DICTIONARY_COLUMN: &str = "text";
