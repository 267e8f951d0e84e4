//! Making the next snapshot: merge, lay out, encode, write; then one commit makes it true.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Arc, RwLock};

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, StringViewArray};
use muster_catalog::{Catalog, ColumnType, Kind, MissingParent, Table, Timestamp};
use muster_state::Tx;

use crate::catalogue::{self, FileRecord, Latest, LoadRecord, Manifest, SourceRecord};
use crate::column::{absent, detached};
use crate::disk::Folder;
use crate::keys::KeyIndex;
use crate::layout::{Placed, lay_out};
use crate::merge::{Merged, Rows, merge};
use crate::schema::{ColumnSchema, TableSchema};
use crate::write::{Arrangement, write_table};
use crate::{Error, Snapshot};

/// Typed rows of one table, as they come out of its files.
#[derive(Debug)]
pub struct TableInput {
    /// The table.
    pub table: String,
    /// The columns of every batch, in order.
    pub columns: Vec<ColumnSchema>,
    /// The rows, in the order of the files.
    pub batches: Vec<Batch>,
}

/// Rows of one file.
#[derive(Debug)]
pub struct Batch {
    /// The place of the file among those of the load; never falls from one batch to the next.
    pub file: usize,
    /// Its rows, in the Arrow types of the columns' types.
    pub rows: RecordBatch,
}

/// What became of the incoming rows of one table: new + changed + same + older + refused = incoming.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TableCounts {
    /// Rows that came in.
    pub incoming: u64,
    /// Rows that were not there before.
    pub new: u64,
    /// Rows that replaced one with their key.
    pub changed: u64,
    /// Rows that were there already.
    pub same: u64,
    /// Rows whose key has a younger row.
    pub older: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// Parents that were made because a row named them.
    pub created: u64,
    /// Rows that wait for their parent, from this load and before.
    pub orphans: u64,
    /// Rows that the table has now, without those that wait.
    pub rows: u64,
}

/// A key whose rows were refused.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Refusal {
    /// The table.
    pub table: String,
    /// The key, or the key of the missing parent.
    pub key: String,
    /// Why.
    pub reason: String,
}

impl Refusal {
    pub(crate) fn contradiction(schema: &TableSchema, key: &str) -> Self {
        let reason = "one file has different rows with this key; without `updated_at` none of them is newer".to_owned();
        Self { table: schema.name.clone(), key: key.to_owned(), reason }
    }

    fn missing_parent(schema: &TableSchema, key: &str) -> Self {
        let reason = format!("there is no row with this key in {}", schema.parent().unwrap_or_default());
        Self { table: schema.name.clone(), key: key.to_owned(), reason }
    }
}

/// What a publish did, table by table.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PublishReport {
    /// The tables that had rows coming in.
    pub tables: BTreeMap<String, TableCounts>,
    /// The keys whose rows were refused.
    pub refusals: Vec<Refusal>,
}

/// The snapshots of a workspace, and the way to the next one.
#[derive(Debug)]
pub struct Store {
    folder: Folder,
    current: RwLock<Option<Arc<Snapshot>>>,
}

/// A snapshot whose files are on disk and which no commit has made true yet. Dropped, it is garbage for the next
/// [`Store::collect_garbage`].
#[derive(Debug)]
pub struct Prepared {
    snapshot: Arc<Snapshot>,
    manifest: Manifest,
    replaced: Vec<String>,
    files: Vec<FileRecord>,
    report: PublishReport,
}

impl Store {
    /// The store in the data directory `dir`, at its newest snapshot.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub fn open(dir: &Path, tx: &Tx<'_>) -> Result<Self, Error> {
        let folder = Folder::at(dir.join("blocks"));
        let snapshot = catalogue::latest(tx)?.map(|latest| Arc::new(Snapshot::open(&folder, latest)));
        Ok(Self { folder, current: RwLock::new(snapshot) })
    }

    /// The newest snapshot; none before the first load.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.current.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Makes the files of the next snapshot: the present one with `inputs` merged into it.
    ///
    /// # Errors
    /// If rows do not fit the stored columns, or a file cannot be written. Nothing has changed then.
    pub fn prepare(&self, catalog: &Catalog, inputs: Vec<TableInput>, at: Timestamp) -> Result<Prepared, Error> {
        let folder = Folder::open(self.folder.path(""))?;
        let before = self.snapshot();
        let inputs = inputs.into_iter().map(|input| (input.table.clone(), input)).collect();
        let mut making = Making::new(catalog, &folder, before.as_deref(), inputs);
        for table in catalog.parents_first() {
            making.table(table)?;
        }
        folder.sync()?;
        Ok(making.prepared(at))
    }

    /// Makes a committed snapshot the present one.
    pub fn adopt(&self, prepared: Prepared) -> Arc<Snapshot> {
        let mut current = self.current.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *current = Some(Arc::clone(&prepared.snapshot));
        prepared.snapshot
    }

    /// Removes the files of snapshots before the last one but one, and what an interrupted load left behind. Readers of
    /// the last snapshot but one are not disturbed.
    ///
    /// # Errors
    /// If the catalogue or the folder cannot be read or changed.
    pub fn collect_garbage(&self, tx: &Tx<'_>) -> Result<(), Error> {
        let newest = self.snapshot().map_or(0, |snapshot| snapshot.number());
        for name in catalogue::forget_files(tx, newest.saturating_sub(1))? {
            self.folder.remove(&name)?;
        }
        let known = catalogue::file_names(tx)?;
        let names = self.folder.names()?;
        names.iter().filter(|name| !known.contains(*name)).try_for_each(|name| self.folder.remove(name))
    }

    /// The digests of the files that went into `table` while it was defined as `definition` (a digest, too).
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub fn known_sources(tx: &Tx<'_>, table: &str, definition: &str) -> Result<HashSet<String>, Error> {
        catalogue::known_sources(tx, table, definition)
    }

    /// The newest `most` loads, the newest first.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub fn loads(tx: &Tx<'_>, most: u32) -> Result<Vec<LoadRecord>, Error> {
        catalogue::loads(tx, most)
    }
}

impl Prepared {
    /// What the publish did.
    pub fn report(&self) -> &PublishReport {
        &self.report
    }

    /// The snapshot, readable already.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Names the files in the catalogue, with what was loaded: true from the commit of `tx` on.
    ///
    /// # Errors
    /// If the catalogue cannot be written.
    pub fn commit(&self, tx: &Tx<'_>, report: String, sources: &[SourceRecord]) -> Result<(), Error> {
        let (number, at) = (self.snapshot.number(), self.snapshot.at());
        catalogue::commit(tx, number, at, &self.manifest, &self.replaced, &self.files)?;
        catalogue::record_load(tx, &LoadRecord { snapshot: number, at, report }, sources)
    }
}

/// A snapshot in the making.
struct Making<'a> {
    catalog: &'a Catalog,
    folder: &'a Folder,
    before: Option<&'a Snapshot>,
    number: u64,
    inputs: BTreeMap<String, TableInput>,
    placed: BTreeMap<String, Placed>,
    manifest: Manifest,
    kept: Vec<FileRecord>,
    replaced: Vec<String>,
    files: Vec<FileRecord>,
    report: PublishReport,
}

impl<'a> Making<'a> {
    fn new(
        catalog: &'a Catalog,
        folder: &'a Folder,
        before: Option<&'a Snapshot>,
        inputs: BTreeMap<String, TableInput>,
    ) -> Self {
        Self {
            catalog,
            folder,
            before,
            number: before.map_or(1, |snapshot| snapshot.number() + 1),
            inputs,
            placed: BTreeMap::new(),
            manifest: Manifest { tables: Vec::new() },
            kept: Vec::new(),
            replaced: Vec::new(),
            files: Vec::new(),
            report: PublishReport::default(),
        }
    }

    fn table(&mut self, table: &Table) -> Result<(), Error> {
        let input = self.inputs.remove(&table.name);
        if self.may_stay(table, input.as_ref()) { self.keep(table) } else { self.remake(table, input) }
    }

    /// A table stays as it is if nothing comes in and no parent moved or came for an orphan.
    fn may_stay(&self, table: &Table, input: Option<&TableInput>) -> bool {
        let Some(stored) = self.before.and_then(|before| before.table(&table.name)) else { return false };
        let parent = table.parent().and_then(|parent| self.placed.get(parent));
        let undisturbed = parent.is_none_or(|parent| !parent.moved && stored.manifest.orphans == 0);
        input.is_none() && undisturbed
    }

    fn keep(&mut self, table: &Table) -> Result<(), Error> {
        let stored = self.before.and_then(|before| before.table(&table.name)).expect("a table that stays is stored");
        self.kept.extend(stored.files.iter().cloned());
        let mut manifest = stored.manifest.clone();
        manifest.schema = TableSchema::new(self.catalog, table, manifest.schema.columns);
        // New profiles may have brought new blocks, which have no rows here yet.
        let blocks = self.block_count(table).max(manifest.block_rows.len());
        manifest.block_rows.resize(blocks, 0);
        self.manifest.tables.push(manifest);
        Ok(())
    }

    fn block_count(&self, table: &Table) -> usize {
        let Kind::History { .. } = table.kind else { return 0 };
        let root = self.manifest.tables.iter().find(|table| table.schema.kind == Kind::Root);
        root.map_or(0, |root| root.block_rows.len())
    }

    fn remake(&mut self, table: &Table, input: Option<TableInput>) -> Result<(), Error> {
        let incoming = input.unwrap_or_else(|| self.nothing_for(table));
        let stored_schema = self.before.and_then(|before| before.schema(&table.name));
        let schema = grown_schema(self.catalog, table, stored_schema, &incoming)?;
        let stored = self.before.map_or_else(|| Ok(Rows::default()), |before| before.rows(&table.name))?;
        let stored = with_columns(stored, &schema)?;
        let (incoming, file_ends) = in_order(&schema, incoming)?;
        let incoming_count = incoming.count as u64;
        check_count(&schema, stored.count as u64 + incoming_count)?;
        let Merged { mut rows, mut counts, mut refusals } = merge(&schema, stored, incoming, &file_ends)?;
        counts.incoming = incoming_count;
        if schema.kind == Kind::Root {
            rows = self.with_named_parents(&schema, rows, &mut counts)?;
        }
        let arrangement = self.arrange(table, &schema, &rows, &mut counts, &mut refusals)?;
        let written = write_table(self.folder, self.number, self.before, &schema, &rows, &arrangement)?;
        counts.rows = written.manifest.block_rows.iter().map(|rows| u64::from(*rows)).sum();
        self.placed.insert(table.name.clone(), placed(&schema, &rows, arrangement));
        self.replaced.push(table.name.clone());
        self.manifest.tables.push(written.manifest);
        self.files.extend(written.files);
        self.report.tables.insert(table.name.clone(), counts);
        self.report.refusals.append(&mut refusals);
        Ok(())
    }

    /// A table without input is what is stored; one that never had any has its declared columns and no rows.
    fn nothing_for(&self, table: &Table) -> TableInput {
        let stored = self.before.and_then(|before| before.schema(&table.name));
        let columns = stored.map_or_else(|| declared_columns(table), |stored| stored.columns.clone());
        TableInput { table: table.name.clone(), columns, batches: Vec::new() }
    }

    /// Bare profiles for the keys that rows of `missing_parent = "create"` tables name and nobody has.
    fn with_named_parents(&self, schema: &TableSchema, rows: Rows, counts: &mut TableCounts) -> Result<Rows, Error> {
        let key = schema.key_position().expect("the root has a key");
        let named = self.named_keys();
        if named.is_empty() {
            return Ok(rows);
        }
        let bare = match rows.columns.get(key).map(|keys| keys.as_string_view()) {
            Some(keys) => {
                let known = KeyIndex::of(keys);
                named.into_iter().filter(|key| known.find(keys, key).is_none()).collect()
            }
            None => named,
        };
        counts.created = bare.len() as u64;
        let keys: ArrayRef = Arc::new(StringViewArray::from_iter_values(&bare));
        let column = |(place, column): (usize, &ColumnSchema)| {
            if place == key { Arc::clone(&keys) } else { absent(column.column_type, bare.len()) }
        };
        let bare = Rows { columns: schema.columns.iter().enumerate().map(column).collect(), count: bare.len() };
        Ok(Rows::joined(vec![rows, bare])?)
    }

    /// The distinct parents' keys that are named by rows whose table makes missing parents, in order of first mention.
    fn named_keys(&self) -> Vec<String> {
        let creating = self.catalog.tables.iter().filter(|table| table.missing_parent == MissingParent::Create);
        let mut seen = HashSet::new();
        let mut named = Vec::new();
        for (table, input) in creating.filter_map(|table| Some((table, self.inputs.get(&table.name)?))) {
            for batch in &input.batches {
                let on = table.on().and_then(|on| batch.rows.column_by_name(on));
                for key in on.into_iter().flat_map(|on| on.as_string_view().iter().flatten()) {
                    if seen.insert(key.to_owned()) {
                        named.push(key.to_owned());
                    }
                }
            }
        }
        named
    }

    fn arrange(
        &mut self,
        table: &Table,
        schema: &TableSchema,
        rows: &Rows,
        counts: &mut TableCounts,
        refusals: &mut Vec<Refusal>,
    ) -> Result<Arrangement, Error> {
        let Some(parent) = table.parent() else { return Ok(Arrangement::of_roots(schema, rows)) };
        if !self.placed.contains_key(parent) {
            let placed = self.placed_as_stored(parent)?;
            self.placed.insert(parent.to_owned(), placed);
        }
        let parent = &self.placed[parent];
        let mut layout = lay_out(schema, rows, parent)?;
        if table.missing_parent == MissingParent::Reject {
            let keys = schema.on_position().map(|on| rows.columns[on].as_string_view());
            let refused = std::mem::take(&mut layout.orphans);
            counts.refused += refused.len() as u64;
            counts.new = counts.new.saturating_sub(refused.len() as u64);
            let key = |row: &u32| keys.map_or("", |keys| keys.value(*row as usize));
            refusals.extend(refused.iter().map(|row| Refusal::missing_parent(schema, key(row))));
        }
        counts.orphans = layout.orphans.len() as u64;
        Ok(Arrangement::below(layout, parent))
    }

    fn placed_as_stored(&self, name: &str) -> Result<Placed, Error> {
        let table = self.before.and_then(|before| before.table(name));
        let Some((before, table)) = self.before.zip(table) else {
            return Ok(Placed::profiles(StringViewArray::new_null(0)));
        };
        let schema = &table.manifest.schema;
        let key = schema.key.as_deref().expect("a parent has a key");
        let mut keys = Vec::new();
        let mut blocks = Vec::new();
        for block in 0..before.block_count(name) {
            keys.push(Rows {
                columns: before.scan(name, block, &[key])?,
                count: table.manifest.block_rows[block] as usize,
            });
            let rows = before.block_rows(name, block);
            blocks.push(rows.start as u32..rows.end as u32);
        }
        let keys = Rows::joined(keys)?;
        let keys =
            keys.columns.first().map_or_else(|| StringViewArray::new_null(0), |keys| keys.as_string_view().clone());
        Ok(Placed { keys: Some(keys), blocks, moved: false })
    }

    fn prepared(self, at: Timestamp) -> Prepared {
        let files = self.kept.iter().chain(&self.files).cloned().collect();
        let latest = Latest { number: self.number, at, manifest: self.manifest.clone(), files };
        let snapshot = Arc::new(Snapshot::open(self.folder, latest));
        Prepared { snapshot, manifest: self.manifest, replaced: self.replaced, files: self.files, report: self.report }
    }
}

fn placed(schema: &TableSchema, rows: &Rows, arrangement: Arrangement) -> Placed {
    let keys = schema.key_position().map(|key| rows.columns[key].as_string_view().clone());
    let Some(keys) = keys else { return Placed { keys: None, blocks: arrangement.blocks, moved: true } };
    match arrangement.order {
        None => Placed::profiles(keys),
        Some(order) => {
            let keys = order.iter().map(|row| keys.value(*row as usize));
            Placed { keys: Some(StringViewArray::from_iter_values(keys)), blocks: arrangement.blocks, moved: true }
        }
    }
}

/// The columns of a table of which no file was read: those with a declared type, and those that relate its rows.
fn declared_columns(table: &Table) -> Vec<ColumnSchema> {
    let typed = |name: &str, column_type| ColumnSchema {
        name: name.to_owned(),
        column_type,
        role: table.column(name).and_then(|column| column.role.clone()),
    };
    let declared = table.columns.iter().filter_map(|column| Some(typed(&column.name, column.column_type?)));
    let mut columns: Vec<ColumnSchema> = declared.collect();
    let references = [table.key.as_deref(), table.on()].into_iter().flatten().map(|name| typed(name, ColumnType::Id));
    let instants = [table.time.as_deref(), table.created_at.as_deref()].into_iter().flatten();
    for column in references.chain(instants.map(|name| typed(name, ColumnType::Timestamp))) {
        if !columns.iter().any(|known| known.name == column.name) {
            columns.push(column);
        }
    }
    columns
}

/// The stored columns, then those that the files have and the store had not.
fn grown_schema(
    catalog: &Catalog,
    table: &Table,
    stored: Option<&TableSchema>,
    incoming: &TableInput,
) -> Result<TableSchema, Error> {
    let mut columns: Vec<ColumnSchema> = Vec::new();
    for column in stored.into_iter().flat_map(|stored| &stored.columns) {
        let Some(found) = incoming.columns.iter().find(|incoming| incoming.name == column.name) else {
            return Err(Error::ColumnVanished { table: table.name.clone(), column: column.name.clone() });
        };
        if found.column_type != column.column_type {
            return Err(Error::TypeChanged {
                table: table.name.clone(),
                column: column.name.clone(),
                stored: column.column_type.to_string(),
                incoming: found.column_type.to_string(),
            });
        }
        columns.push(found.clone());
    }
    let known: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    columns.extend(incoming.columns.iter().filter(|column| !known.contains(&column.name)).cloned());
    Ok(TableSchema::new(catalog, table, columns))
}

/// Stored rows know nothing of columns that came later.
fn with_columns(mut rows: Rows, schema: &TableSchema) -> Result<Rows, Error> {
    for column in schema.columns.iter().skip(rows.columns.len()) {
        rows.columns.push(absent(column.column_type, rows.count));
    }
    Ok(rows)
}

/// The incoming rows with their columns in the order of the schema, and for each file where its rows end.
fn in_order(schema: &TableSchema, incoming: TableInput) -> Result<(Rows, Vec<usize>), Error> {
    let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
    let mut parts = Vec::with_capacity(incoming.batches.len());
    let mut count = 0;
    for Batch { file, rows } in incoming.batches {
        count += rows.num_rows();
        ends.insert(file, count);
        let column = |column: &ColumnSchema| {
            let found = rows.column_by_name(&column.name);
            found.map_or_else(|| absent(column.column_type, rows.num_rows()), detached)
        };
        parts.push(Rows { columns: schema.columns.iter().map(column).collect(), count: rows.num_rows() });
    }
    let mut rows = Rows::joined(parts)?;
    if rows.columns.is_empty() {
        rows.columns = schema.columns.iter().map(|column| absent(column.column_type, 0)).collect();
    }
    Ok((rows, ends.into_values().collect()))
}

fn check_count(schema: &TableSchema, rows: u64) -> Result<(), Error> {
    if rows < u64::from(u32::MAX) { Ok(()) } else { Err(Error::TooManyRows { table: schema.name.clone(), rows }) }
}
