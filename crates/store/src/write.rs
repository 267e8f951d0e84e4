//! One table to its files: text encoded, one file per block, dictionaries and waiting rows beside them.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray, UInt32Array};
use arrow_select::take::take;
use muster_catalog::{ColumnType, Kind};
use rayon::prelude::*;

use crate::catalogue::{FileKind, FileRecord, ManifestTable};
use crate::changes;
use crate::column::indices;
use crate::dictionary::{Encoded, encode};
use crate::files::{Folder, PARENT_COLUMN};
use crate::layout::{Layout, Placed};
use crate::merge::Rows;
use crate::overlay::{Extra, places_columns};
use crate::published::{DICTIONARY_COLUMN, PublishedTable};
use crate::schema::{ColumnSchema, TableSchema};
use crate::{Error, Snapshot};

/// Which row stands where.
pub(crate) struct Arrangement {
    /// For each place the row that stands there; absent where rows stand as they are numbered.
    pub(crate) order: Option<Vec<u32>>,
    /// The places of each block.
    pub(crate) blocks: Vec<Range<u32>>,
    /// Of histories: for each place the place of the parent within its block.
    parents: Option<Vec<u32>>,
    /// Rows that wait for their parent.
    pub(crate) orphans: Vec<u32>,
}

impl Arrangement {
    /// Profiles stand as they are numbered, rows of a lookup by their key.
    pub(crate) fn of_roots(schema: &TableSchema, rows: &Rows) -> Self {
        let keys =
            schema.key_position().and_then(|key| rows.columns.get(key)).map(|keys| keys.as_string_view().clone());
        let keys = keys.unwrap_or_else(|| StringViewArray::new_null(0));
        if schema.kind == Kind::Root {
            let Placed { blocks, .. } = Placed::profiles(keys);
            return Self { order: None, blocks, parents: None, orphans: Vec::new() };
        }
        let mut order: Vec<u32> = (0..rows.count as u32).collect();
        order.par_sort_unstable_by(|a, b| keys.value(*a as usize).cmp(keys.value(*b as usize)));
        let Placed { blocks, .. } = Placed::lookup(keys);
        Self { order: Some(order), blocks, parents: None, orphans: Vec::new() }
    }

    /// What children need to know of `rows` so arranged.
    pub(crate) fn placed(&self, schema: &TableSchema, rows: &Rows) -> Result<Placed, Error> {
        let key = schema.key_position().expect("a parent has a key");
        let keys = match &self.order {
            Some(order) => take(&rows.columns[key], &indices(order.iter().copied()), None)?,
            None => Arc::clone(&rows.columns[key]),
        };
        Ok(Placed { keys: Some(keys.as_string_view().clone()), blocks: self.blocks.clone() })
    }

    /// History rows stand below their parents.
    pub(crate) fn below(layout: Layout, parent: &Placed) -> Self {
        let Layout { order, offsets, orphans, blocks } = layout;
        let mut parents = Vec::with_capacity(order.len());
        for block in &parent.blocks {
            for (place, row) in (0..).zip(block.clone()) {
                let children = offsets[row as usize + 1] - offsets[row as usize];
                parents.extend(std::iter::repeat_n(place, children as usize));
            }
        }
        Self { order: Some(order), blocks, parents: Some(parents), orphans }
    }
}

/// A table on disk.
pub(crate) struct WrittenTable {
    pub(crate) manifest: ManifestTable,
    pub(crate) files: Vec<FileRecord>,
}

/// Writes `rows`, and those that wait for their parent, as the files of snapshot `number`; dictionaries go on from those of
/// `before`. Of the column that names the parent nothing is read.
pub(crate) fn write_table(
    folder: &Folder,
    number: u64,
    before: Option<&Snapshot>,
    schema: &TableSchema,
    (rows, waiting): (&Rows, &Rows),
    arrangement: &Arrangement,
) -> Result<WrittenTable, Error> {
    let columns = encoded_columns(before, schema, rows)?;
    let table = TableFiles { folder, edition: number.to_string(), schema };
    let blocks = (0..arrangement.blocks.len()).into_par_iter().map(|block| table.block(block, &columns, arrangement));
    let mut files: Vec<FileRecord> = blocks.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    for (place, column) in columns.iter().enumerate() {
        if let Kept::Coded(Encoded { dictionary, .. }) = column {
            files.extend(table.dictionary(place, dictionary)?);
        }
    }
    files.extend(table.orphans(waiting)?);
    let manifest = ManifestTable {
        schema: schema.clone(),
        block_rows: arrangement.blocks.iter().map(|block| block.end - block.start).collect(),
        final_rows: Vec::new(),
        tombstones: tombstones(schema, rows, arrangement),
        orphans: waiting.count as u64,
        overlay_rows: 0,
    };
    Ok(WrittenTable { manifest, files })
}

/// Of profiles: how many places of each block have none.
fn tombstones(schema: &TableSchema, rows: &Rows, arrangement: &Arrangement) -> Vec<u32> {
    let keys = schema.key_position().and_then(|key| rows.columns.get(key)).filter(|keys| keys.null_count() > 0);
    let (Kind::Root, Some(keys)) = (&schema.kind, keys) else { return Vec::new() };
    let dead = |block: &Range<u32>| block.clone().filter(|place| keys.is_null(*place as usize)).count() as u32;
    arrangement.blocks.iter().map(dead).collect()
}

/// How a column is kept.
enum Kept {
    /// Its values stand in the parent.
    InParent,
    Plain(ArrayRef),
    Coded(Encoded),
}

fn encoded_columns(before: Option<&Snapshot>, schema: &TableSchema, rows: &Rows) -> Result<Vec<Kept>, Error> {
    let kept = |place: usize| {
        let (column, column_type) = (&rows.columns[place], schema.columns[place].column_type);
        if schema.on_position() == Some(place) {
            return Ok(Kept::InParent);
        }
        // A key's values are all different: a dictionary would only be a second copy of it.
        let is_text = column_type.is_text() || column_type == ColumnType::Set;
        if !is_text || schema.key_position() == Some(place) {
            return Ok(Kept::Plain(Arc::clone(column)));
        }
        let stored = before.and_then(|before| before.table(&schema.name)).filter(|table| table.has_column(place));
        let known = stored.map_or(Ok(None), |table| table.dictionary(place))?;
        let encoded = encode(column_type, column, known.as_deref())?;
        Ok(encoded.map_or_else(|| Kept::Plain(Arc::clone(column)), Kept::Coded))
    };
    (0..schema.columns.len()).into_par_iter().map(kept).collect()
}

/// Writes what of a table stands in memory; all of its files, and those among them that are new.
pub(crate) fn write_extras(
    folder: &Folder,
    number: u64,
    table: &PublishedTable,
) -> Result<(Vec<FileRecord>, Vec<FileRecord>), Error> {
    let schema = &table.manifest.schema;
    let (files, unwritten) = (TableFiles { folder, edition: number.to_string(), schema }, table.unwritten());
    let mut fresh = Vec::new();
    if !unwritten.came.is_empty() {
        fresh.extend(files.extra(FileKind::Came(number), "came", &schema.columns, &unwritten.came)?);
    }
    if unwritten.places {
        fresh.push(files.places(table)?);
    }
    if let Some(orphans) = unwritten.orphans {
        fresh.extend(files.extra(FileKind::Orphans, "orphans", &schema.columns, &[orphans])?);
    }
    if !unwritten.changes.is_empty() {
        let parts: Vec<&Arc<Extra>> = unwritten.changes.iter().map(|(_, part)| part).collect();
        fresh.extend(files.extra(FileKind::Changes(number), "changes", &changes::columns(schema), &parts)?);
    }
    let replaced = |record: &&FileRecord| match record.kind {
        FileKind::Places => unwritten.places || table.stands_as_filed(),
        FileKind::Orphans => unwritten.orphans.is_some(),
        FileKind::Came(_) => table.stands_as_filed(),
        _ => false,
    };
    let stay = table.files.iter().filter(|record| !replaced(record)).cloned();
    Ok((stay.chain(fresh.iter().cloned()).collect(), fresh))
}

/// Where the files of one table go.
pub(crate) struct TableFiles<'a> {
    pub(crate) folder: &'a Folder,
    /// What makes its names new: the number of the snapshot, and of a fold a letter more, as it may follow on a remake.
    pub(crate) edition: String,
    pub(crate) schema: &'a TableSchema,
}

impl TableFiles<'_> {
    fn block(&self, block: usize, columns: &[Kept], arrangement: &Arrangement) -> Result<Option<FileRecord>, Error> {
        let places = arrangement.blocks[block].start as usize..arrangement.blocks[block].end as usize;
        if places.is_empty() {
            return Ok(None);
        }
        let order = arrangement.order.as_ref().map(|order| indices(order[places.clone()].iter().copied()));
        let here = |column: &ArrayRef| match &order {
            Some(order) => take(column, order, None),
            None => Ok(column.slice(places.start, places.len())),
        };
        let mut named = Vec::with_capacity(columns.len() + 1);
        for (column, kept) in self.schema.columns.iter().zip(columns) {
            match kept {
                Kept::InParent => {}
                Kept::Plain(values) => named.push((column.name.as_str(), here(values)?)),
                Kept::Coded(encoded) => named.push((column.name.as_str(), here(&encoded.codes)?)),
            }
        }
        if let Some(parents) = &arrangement.parents {
            let parents: ArrayRef = Arc::new(UInt32Array::from(parents[places.clone()].to_vec()));
            named.push((PARENT_COLUMN, parents));
        }
        self.columns_of_block(block, &named, places.len()).map(Some)
    }

    /// Rows beside the blocks, as one file; none where there are no rows.
    fn extra(
        &self,
        kind: FileKind,
        called: &str,
        columns: &[ColumnSchema],
        parts: &[&Arc<Extra>],
    ) -> Result<Option<FileRecord>, Error> {
        let parts = parts.iter().map(|part| part.all(columns)).collect::<Result<Vec<_>, _>>()?;
        let rows = Rows::joined(parts)?;
        if rows.count == 0 {
            return Ok(None);
        }
        let named: Vec<(&str, ArrayRef)> =
            columns.iter().map(|column| column.name.as_str()).zip(rows.columns).collect();
        let name = format!("{}.{called}.{}.parquet", self.schema.name, self.edition);
        self.written(kind, &name, &named, rows.count).map(Some)
    }

    fn places(&self, table: &PublishedTable) -> Result<FileRecord, Error> {
        let (columns, count) = places_columns(&table.overlay()?.edits);
        let name = format!("{}.places.{}.parquet", self.schema.name, self.edition);
        self.written(FileKind::Places, &name, &columns, count)
    }

    /// A block of these columns.
    pub(crate) fn columns_of_block(
        &self,
        block: usize,
        named: &[(&str, ArrayRef)],
        rows: usize,
    ) -> Result<FileRecord, Error> {
        let name = format!("{}.{block:05}.{}.parquet", self.schema.name, self.edition);
        self.written(FileKind::Block(block), &name, named, rows)
    }

    pub(crate) fn dictionary(&self, place: usize, texts: &Arc<StringViewArray>) -> Result<Option<FileRecord>, Error> {
        let rows = texts.iter().len();
        if rows == 0 {
            return Ok(None);
        }
        let name = format!("{}.texts-{place:03}.{}.parquet", self.schema.name, self.edition);
        let column: ArrayRef = Arc::clone(texts) as ArrayRef;
        self.written(FileKind::Dictionary(place), &name, &[(DICTIONARY_COLUMN, column)], rows).map(Some)
    }

    fn orphans(&self, waiting: &Rows) -> Result<Option<FileRecord>, Error> {
        if waiting.count == 0 {
            return Ok(None);
        }
        let names = self.schema.columns.iter().map(|column| column.name.as_str());
        let named: Vec<(&str, ArrayRef)> = names.zip(waiting.columns.iter().cloned()).collect();
        let name = format!("{}.orphans.{}.parquet", self.schema.name, self.edition);
        self.written(FileKind::Orphans, &name, &named, waiting.count).map(Some)
    }

    fn written(
        &self,
        kind: FileKind,
        name: &str,
        columns: &[(&str, ArrayRef)],
        rows: usize,
    ) -> Result<FileRecord, Error> {
        let file = self.folder.write(name, columns, rows)?;
        Ok(FileRecord { table: self.schema.name.clone(), kind, file })
    }
}
