//! What earlier loads did: when, from which files, and what became of the rows, as they reported it themselves.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use muster_state::Tx;
use muster_store::{LoadedSource, Store, TableCounts};
use serde::{Deserialize, Serialize};

use super::local;
use crate::workspace::Workspace;

/// A load.
#[derive(Debug, Serialize)]
pub struct PastLoad {
    /// The snapshot that it made.
    pub snapshot: u64,
    /// When, in the workspace's zone.
    pub at: String,
    /// When it was taken back, if it was.
    pub undone: Option<String>,
    /// Table by table, those whose files were known already included.
    pub tables: Vec<PastTable>,
    /// The files that it read.
    pub sources: Vec<PastSource>,
}

/// What became of the rows of one table.
#[derive(Debug, Serialize)]
pub struct PastTable {
    /// The table.
    pub table: String,
    /// Files that were read.
    pub files: u64,
    /// Files whose content went into this table before.
    pub known_files: u64,
    /// Rows in the files.
    pub read: u64,
    /// Rows that were not there before.
    pub new: u64,
    /// Rows that replaced one with their key.
    pub changed: u64,
    /// Rows that were there already.
    pub same: u64,
    /// Rows whose key has a younger row.
    pub older: u64,
    /// Rows that went into another one of their key.
    pub merged: u64,
    /// Rows that `where` left out, by condition.
    pub filtered: BTreeMap<String, u64>,
    /// Rows that were rejected, by kind.
    pub rejected: BTreeMap<String, u64>,
    /// Rows that were refused because of what the store holds.
    pub refused: u64,
    /// Rows that are gone.
    pub deleted: u64,
    /// Parents that were made because a row named them.
    pub created: u64,
    /// Rows that waited for their parent afterwards.
    pub orphans: u64,
    /// Rows that the table had afterwards.
    pub rows: u64,
}

/// A file that a load read.
#[derive(Debug, Serialize)]
pub struct PastSource {
    /// The table that it went into.
    pub table: String,
    /// How the user calls it.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// What a load keeps of a table. A report of another version may have less.
#[derive(Deserialize)]
struct Kept {
    table: String,
    #[serde(default)]
    files: u64,
    #[serde(default)]
    known_files: u64,
    #[serde(default)]
    read: u64,
    #[serde(default)]
    filtered: Vec<(String, u64)>,
    #[serde(default)]
    rejected: BTreeMap<String, u64>,
    #[serde(default)]
    merged: u64,
    #[serde(default)]
    stored: TableCounts,
}

/// The newest `most` loads, the newest first.
///
/// # Errors
/// If the state cannot be read, or a report is none.
pub fn read(tx: &Tx<'_>, most: u32, workspace: &Workspace) -> Result<Vec<PastLoad>> {
    let records = Store::loads(tx, most)?;
    let mut sources = sources(tx, records.last().map_or(0, |oldest| oldest.snapshot))?;
    let load = |record: muster_store::LoadRecord| {
        let at = local(workspace, record.at);
        let tables = tables(&record.report).with_context(|| format!("the report of the load of {at}"))?;
        let sources = sources.remove(&record.snapshot).unwrap_or_default();
        let undone = record.undone.map(|undone| local(workspace, undone));
        Ok(PastLoad { snapshot: record.snapshot, at, undone, tables, sources })
    };
    records.into_iter().map(load).collect()
}

fn tables(report: &str) -> Result<Vec<PastTable>> {
    let kept: Vec<Kept> = serde_json::from_str(report)?;
    let table = |kept: Kept| PastTable {
        table: kept.table,
        files: kept.files,
        known_files: kept.known_files,
        read: kept.read,
        new: kept.stored.new,
        changed: kept.stored.changed,
        same: kept.stored.same,
        older: kept.stored.older,
        merged: kept.merged,
        filtered: kept.filtered.into_iter().collect(),
        rejected: kept.rejected,
        refused: kept.stored.refused,
        deleted: kept.stored.deleted,
        created: kept.stored.created,
        orphans: kept.stored.orphans,
        rows: kept.stored.rows,
    };
    Ok(kept.into_iter().map(table).collect())
}

/// The files of the loads since snapshot `oldest`, by the snapshot that they made.
fn sources(tx: &Tx<'_>, oldest: u64) -> Result<BTreeMap<u64, Vec<PastSource>>> {
    let mut by_snapshot: BTreeMap<u64, Vec<PastSource>> = BTreeMap::new();
    for LoadedSource { snapshot, table, name, bytes, .. } in Store::sources(tx, oldest)? {
        by_snapshot.entry(snapshot).or_default().push(PastSource { table, name, bytes });
    }
    Ok(by_snapshot)
}

impl PastLoad {
    /// Rows of all tables by what `count` takes of each.
    pub fn sum(&self, count: impl Fn(&PastTable) -> u64) -> u64 {
        self.tables.iter().map(count).sum()
    }
}

impl PastTable {
    /// Rows that were rejected, whatever for.
    pub fn rejects(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Rows that `where` left out.
    pub fn left_out(&self) -> u64 {
        self.filtered.values().sum()
    }
}
