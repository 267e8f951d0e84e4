//! Blocks and their overlays into new blocks, where the overlay has grown.
//!
//! A block is folded for all tables together: rows below refer to places of the file above, which a fold gives anew. Some
//! blocks at a time, the fullest first, so that no load pays for everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, UInt32Array};
use muster_catalog::Kind;

use crate::catalogue::{FileKind, FileRecord};
use crate::files::PARENT_COLUMN;
use crate::overlay::Overlay;
use crate::publish::Making;
use crate::published::{PublishedTable, Shared};
use crate::write::TableFiles;
use crate::{Error, Snapshot};

/// Folds the blocks whose overlay has outgrown its share of the file.
pub(crate) fn grown_blocks(making: &mut Making<'_>) -> Result<(), Error> {
    let blocks = due(making)?;
    if blocks.is_empty() {
        return Ok(());
    }
    let view = Snapshot::of((making.number, making.at), 0, 0, making.tables.clone());
    let mut folded = Vec::with_capacity(making.tables.len());
    for table in view.tables() {
        let (table, fresh) = fold(making, &view, table, &blocks)?;
        making.fresh.extend(fresh);
        folded.push(table);
    }
    making.tables = folded;
    Ok(())
}

/// The blocks that are due, at most so many at once.
fn due(making: &Making<'_>) -> Result<BTreeSet<usize>, Error> {
    let mut fullness: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for table in making.tables.iter().filter(|table| table.manifest.overlay_rows > 0) {
        for (block, edits) in &table.overlay()?.edits {
            let (overlay, rows) = fullness.entry(*block).or_default();
            *overlay += (edits.gone.len() + edits.came.len()) as u64;
            *rows += u64::from(table.base_rows(*block));
        }
    }
    let mut due: Vec<(u64, usize)> = fullness
        .into_iter()
        .filter(|(_, (overlay, rows))| making.upkeep.is_due(*overlay, *rows))
        .map(|(block, (overlay, rows))| (overlay.saturating_mul(1000) / rows.max(1), block))
        .collect();
    due.sort_unstable_by_key(|(fullness, block)| (std::cmp::Reverse(*fullness), *block));
    let blocks = making.tables.iter().map(|table| table.blocks.len()).max().unwrap_or(0);
    due.truncate(making.upkeep.folds_at_once(blocks));
    Ok(due.into_iter().map(|(_, block)| block).collect())
}

fn fold(
    making: &Making<'_>,
    view: &Snapshot,
    table: &Arc<PublishedTable>,
    blocks: &BTreeSet<usize>,
) -> Result<(Arc<PublishedTable>, Vec<FileRecord>), Error> {
    let touched: Vec<usize> = blocks.iter().copied().filter(|block| *block < table.blocks.len()).collect();
    let touched: Vec<usize> = touched
        .into_iter()
        .filter_map(|block| is_touched(view, table, block).map(|yes| yes.then_some(block)).transpose())
        .collect::<Result<_, _>>()?;
    if touched.is_empty() {
        return Ok((Arc::clone(table), Vec::new()));
    }
    let schema = &table.manifest.schema;
    let files = TableFiles { folder: making.folder, edition: format!("{}f", making.number), schema };
    let mut fresh = Vec::new();
    for block in &touched {
        fresh.extend(folded_block(view, table, *block, &files)?);
    }
    for (place, texts) in table.grown_dictionaries()? {
        fresh.extend(files.dictionary(place, &texts)?);
    }
    let replaced = |record: &FileRecord| match record.kind {
        FileKind::Block(block) => touched.contains(&block),
        FileKind::Dictionary(_) => fresh.iter().any(|new| new.kind == record.kind),
        _ => false,
    };
    let records = table.files.iter().filter(|record| !replaced(record)).chain(&fresh).cloned().collect();
    Ok((Arc::new(without_edits(making, table, &touched, records)?), fresh))
}

/// Whether the file of a block is no longer what stands there: it has edits, or those above have.
fn is_touched(view: &Snapshot, table: &PublishedTable, block: usize) -> Result<bool, Error> {
    if table.edits(block)?.is_some() {
        return Ok(true);
    }
    let parent = table.manifest.schema.parent().and_then(|parent| view.table(parent));
    // Profiles never move, so only edits between them and this table matter.
    let Some(parent) = parent.filter(|parent| parent.manifest.schema.kind != Kind::Root) else { return Ok(false) };
    Ok(table.base_rows(block) > 0 && is_touched(view, parent, block)?)
}

fn folded_block(
    view: &Snapshot,
    table: &PublishedTable,
    block: usize,
    files: &TableFiles<'_>,
) -> Result<Option<FileRecord>, Error> {
    let schema = &table.manifest.schema;
    let rows = table.rows_in(block);
    if rows == 0 {
        return Ok(None);
    }
    let mut named: Vec<(&str, ArrayRef)> = Vec::with_capacity(schema.columns.len() + 1);
    for (place, column) in schema.columns.iter().enumerate().filter(|(place, _)| schema.on_position() != Some(*place)) {
        let values = table.column(block, place)?.expect("a block with rows has columns");
        named.push((column.name.as_str(), values.stored()?));
    }
    if let Some(parent) = schema.parent().and_then(|parent| view.table(parent)) {
        let parents: UInt32Array = table.parents(block, parent)?;
        named.push((PARENT_COLUMN, Arc::new(parents)));
    }
    files.columns_of_block(block, &named, rows).map(Some)
}

/// The table with the new files, and no edits in the blocks that were folded.
fn without_edits(
    making: &Making<'_>,
    table: &PublishedTable,
    folded: &[usize],
    records: Vec<FileRecord>,
) -> Result<PublishedTable, Error> {
    let overlay = table.overlay()?;
    let mut edits = overlay.edits.clone();
    edits.retain(|block, _| !folded.contains(block));
    let mut manifest = table.manifest.clone();
    manifest.block_rows.resize(table.blocks.len(), 0);
    folded.iter().for_each(|block| manifest.block_rows[*block] = table.rows_in(*block) as u32);
    let parts = if edits.is_empty() { Vec::new() } else { overlay.parts.clone() };
    let overlay = Overlay::new(parts, edits, manifest.schema.columns.len());
    manifest.overlay_rows = overlay.weight();
    let opened = PublishedTable::open(making.folder, manifest, records, &Shared(Some(table)));
    Ok(opened.with_extras_of(table, overlay))
}
