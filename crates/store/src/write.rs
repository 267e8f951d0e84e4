//! One table to its files: text encoded, one file per block, dictionaries and waiting rows beside them.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, StringViewArray, UInt32Array};
use arrow_select::take::take;
use muster_catalog::{ColumnType, Kind};
use rayon::prelude::*;

use crate::catalogue::{FileKind, FileRecord, ManifestTable};
use crate::column::indices;
use crate::dictionary::{Encoded, encode};
use crate::disk::{Folder, PARENT_COLUMN};
use crate::layout::{Layout, Placed};
use crate::merge::Rows;
use crate::schema::TableSchema;
use crate::snapshot::DICTIONARY_COLUMN;
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
    orphans: Vec<u32>,
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

/// Writes `rows` as the files of snapshot `number`; dictionaries go on from those of `before`.
pub(crate) fn write_table(
    folder: &Folder,
    number: u64,
    before: Option<&Snapshot>,
    schema: &TableSchema,
    rows: &Rows,
    arrangement: &Arrangement,
) -> Result<WrittenTable, Error> {
    let columns = encoded_columns(before, schema, rows)?;
    let table = TableFiles { folder, number, schema };
    let blocks = (0..arrangement.blocks.len()).into_par_iter().map(|block| table.block(block, &columns, arrangement));
    let mut files: Vec<FileRecord> = blocks.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    for (place, column) in columns.iter().enumerate() {
        if let Kept::Coded(Encoded { dictionary, .. }) = column {
            files.extend(table.dictionary(place, dictionary)?);
        }
    }
    files.extend(table.orphans(rows, &arrangement.orphans)?);
    let manifest = ManifestTable {
        schema: schema.clone(),
        block_rows: arrangement.blocks.iter().map(|block| block.end - block.start).collect(),
        orphans: arrangement.orphans.len() as u64,
    };
    Ok(WrittenTable { manifest, files })
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
        let known = before.map_or(Ok(None), |before| before.dictionary(&schema.name, place))?;
        let encoded = encode(column_type, column, known.as_deref())?;
        Ok(encoded.map_or_else(|| Kept::Plain(Arc::clone(column)), Kept::Coded))
    };
    (0..schema.columns.len()).into_par_iter().map(kept).collect()
}

/// Where the files of one table go.
struct TableFiles<'a> {
    folder: &'a Folder,
    number: u64,
    schema: &'a TableSchema,
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
        let name = format!("{}.{block:05}.{}.parquet", self.schema.name, self.number);
        self.written(FileKind::Block(block), &name, &named, places.len()).map(Some)
    }

    fn dictionary(&self, place: usize, texts: &Arc<StringViewArray>) -> Result<Option<FileRecord>, Error> {
        let rows = texts.iter().len();
        if rows == 0 {
            return Ok(None);
        }
        let name = format!("{}.texts-{place:03}.{}.parquet", self.schema.name, self.number);
        let column: ArrayRef = Arc::clone(texts) as ArrayRef;
        self.written(FileKind::Dictionary(place), &name, &[(DICTIONARY_COLUMN, column)], rows).map(Some)
    }

    fn orphans(&self, rows: &Rows, orphans: &[u32]) -> Result<Option<FileRecord>, Error> {
        if orphans.is_empty() {
            return Ok(None);
        }
        let waiting = rows.take(orphans.iter().copied())?;
        let names = self.schema.columns.iter().map(|column| column.name.as_str());
        let named: Vec<(&str, ArrayRef)> = names.zip(waiting.columns).collect();
        let name = format!("{}.orphans.{}.parquet", self.schema.name, self.number);
        self.written(FileKind::Orphans, &name, &named, orphans.len()).map(Some)
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
