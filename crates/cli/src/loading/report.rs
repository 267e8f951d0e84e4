//! What a load did, table by table: printed, and kept with the snapshot.

use std::collections::BTreeMap;
use std::path::PathBuf;

use muster_ingest::{ColumnReport, Origin, Report};
use muster_store::{PublishReport, Refusal, TableCounts};
use serde::{Deserialize, Serialize};

use super::reading::Reading;

/// What a load did.
#[derive(Debug, Default, Serialize)]
pub struct LoadReport {
    /// The snapshot that it made; none where nothing was new.
    pub snapshot: Option<u64>,
    /// Whether it only said what it would do.
    pub dry_run: bool,
    /// Table by table, parents first.
    pub tables: Vec<TableReport>,
    /// Where the rejects are, if there are any.
    pub reject_file: Option<PathBuf>,
    /// Keys whose rows were refused because of what the store holds; the first hundred.
    pub refusals: Vec<Refusal>,
    /// Where the time went.
    pub seconds: Seconds,
}

impl LoadReport {
    /// Whether any row was rejected or refused.
    pub fn has_rejects(&self) -> bool {
        self.tables.iter().any(|table| !table.rejected.is_empty() || table.stored.refused > 0)
    }
}

/// Wall seconds of each part of a load.
#[derive(Debug, Default, Serialize)]
pub struct Seconds {
    /// From files to typed rows.
    pub read: f64,
    /// From these to tables as they will be.
    pub merge: f64,
    /// From these to files of the store.
    pub write: f64,
    /// Until it was true, with what was agreed to, and old files were removed.
    pub commit: f64,
}

/// What became of the rows of one table.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TableReport {
    /// The table.
    pub table: String,
    /// Files that were read.
    pub files: usize,
    /// Files whose content went into this table before.
    pub known_files: usize,
    /// Files that are left for the next load, and why.
    pub unfinished: Vec<(String, String)>,
    /// Rows in the files.
    pub read: u64,
    /// Rows that `where` left out, by condition, each at the first that fails.
    pub filtered: Vec<(String, u64)>,
    /// Rows that were rejected, by kind.
    pub rejected: BTreeMap<String, u64>,
    /// Rows that went into another one of their key.
    pub merged: u64,
    /// The first rejects.
    pub first_rejects: Vec<String>,
    /// What is odd about rows that were taken all the same.
    pub flags: Vec<Flagged>,
    /// Keys that may be one, in pairs; the first hundred.
    pub collisions: Vec<(String, String)>,
    /// Columns whose type was inferred, with the type and why.
    pub inferred: Vec<(String, String, String)>,
    /// Columns of the files that are not kept, and why.
    pub ignored: Vec<(String, String)>,
    /// Columns that the files no longer have, which was accepted.
    pub vanished: Vec<String>,
    /// Of a table that is replaced: what it was replaced with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full: Option<Full>,
    /// Whether it would be replaced with nothing, and therefore stays as it is.
    pub stays: bool,
    /// What the store made of the rest.
    pub stored: TableCounts,
}

/// Rows of which something is odd.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Flagged {
    /// What is odd.
    pub flag: String,
    /// The column; none where it is about the whole row.
    pub column: Option<String>,
    /// How many rows.
    pub rows: u64,
}

/// A load of all there is of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Full {
    /// Digest of what its files hold, and of how the table was defined.
    pub content: String,
    /// Rows that came out of them.
    pub rows: u64,
}

pub(super) fn table_report(reading: &Reading<'_>, stored: &PublishReport) -> TableReport {
    let work = reading.work;
    let stored = stored.tables.get(&work.table.name).cloned().unwrap_or_default();
    let report = TableReport {
        table: work.table.name.clone(),
        files: work.files.len(),
        known_files: work.known_files,
        unfinished: work.unfinished.clone(),
        vanished: reading.vanished.clone(),
        full: reading.full(),
        stays: reading.stays,
        stored,
        ..TableReport::default()
    };
    match &reading.report {
        Some(read) => with_rows(report, read),
        None => report,
    }
}

fn with_rows(report: TableReport, read: &Report) -> TableReport {
    let flagged = |count: &muster_ingest::FlagCount| Flagged {
        flag: count.flag.to_string(),
        column: count.column.clone(),
        rows: count.rows,
    };
    let pair = |pair: &muster_ingest::Collision| (pair.first.clone(), pair.second.clone());
    TableReport {
        read: read.read,
        filtered: read.filtered.iter().map(|part| (part.condition.clone(), part.rows)).collect(),
        rejected: read.rejected.iter().map(|kind| (kind.kind.clone(), kind.rows)).collect(),
        merged: read.merged,
        first_rejects: read.rejects.iter().take(3).map(ToString::to_string).collect(),
        flags: read.flags.iter().map(flagged).collect(),
        collisions: read.collisions.iter().map(pair).collect(),
        inferred: read.columns.iter().filter_map(inferred).collect(),
        ignored: read.ignored.clone(),
        ..report
    }
}

fn inferred(column: &ColumnReport) -> Option<(String, String, String)> {
    match &column.origin {
        Origin::Inferred(why) => Some((column.name.clone(), column.column_type.to_string(), why.clone())),
        Origin::Declared | Origin::Known => None,
    }
}
