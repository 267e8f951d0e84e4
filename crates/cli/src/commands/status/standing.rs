//! How a workspace stands, as one document.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use muster_catalog::{Kind, Timestamp};
use muster_segment::{Audience, Freshness, Session};
use muster_state::Tx;
use muster_store::{Snapshot, TableSchema};
use serde::Serialize;

use super::campaigns::{CampaignStatus, Stuck};
use super::loads::PastLoad;
use super::{LOADS, campaigns, loads, local, with_session};
use crate::workspace::Workspace;

/// How a workspace stands.
#[derive(Serialize)]
pub struct WorkspaceStatus {
    pub workspace: String,
    /// Absent before the first load.
    pub snapshot: Option<SnapshotStatus>,
    /// Bytes of the state file.
    pub state_bytes: u64,
    /// The newest first.
    pub loads: Vec<PastLoad>,
    pub segments: Vec<SegmentStatus>,
    /// Since when nothing is sent at all.
    pub halted_since: Option<String>,
    pub campaigns: Vec<CampaignStatus>,
    pub stuck: Vec<Stuck>,
}

/// The data, and their age.
#[derive(Serialize)]
pub struct SnapshotStatus {
    pub number: u64,
    pub published_at: String,
    /// Bytes of its files.
    pub bytes: u64,
    pub tables: Vec<TableStatus>,
}

/// A table.
#[derive(Serialize)]
pub struct TableStatus {
    pub table: String,
    pub kind: &'static str,
    pub rows: u64,
    /// Rows that wait for their parent.
    pub waiting: u64,
    pub blocks: u64,
    /// The newest time that is not in the future, of a table with a time of its own.
    pub newest: Option<String>,
    /// How long ago that was.
    pub age_days: Option<u64>,
    /// Rows that are not there yet: their time is in the future.
    pub later: Option<u64>,
    /// Keys that no profile has, of a list.
    pub unknown: Option<u64>,
}

/// A segment's audience, and its age.
#[derive(Serialize)]
pub struct SegmentStatus {
    pub segment: String,
    pub profiles: u64,
    pub as_of: String,
    pub evaluated_at: String,
    /// Whether data were loaded since it was evaluated.
    pub older_than_data: bool,
}

/// Reads how the workspace stands.
///
/// # Errors
/// If there is nothing yet, or the state cannot be read.
pub fn read(workspace: &Workspace) -> Result<WorkspaceStatus> {
    let opened = workspace.open_reading()?;
    let snapshot = with_session(workspace, &opened, |session| snapshot_status(session, workspace))?;
    let published = opened.store.snapshot().map(|snapshot| snapshot.at());
    opened.reader.read(|tx| {
        let campaigns = campaigns::read(tx, workspace)?;
        Ok(WorkspaceStatus {
            workspace: workspace.catalog.workspace.name.clone(),
            state_bytes: bytes(&workspace.data().join("state.db")),
            loads: loads::read(tx, LOADS, workspace)?,
            segments: segments(tx, published, workspace)?,
            halted_since: muster_campaign::halted_since(tx)?.map(|since| local(workspace, since)),
            stuck: stuck(snapshot.as_ref(), &campaigns),
            snapshot,
            campaigns,
        })
    })
}

fn bytes(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}

fn snapshot_status(session: &Session<'_>, workspace: &Workspace) -> Result<SnapshotStatus> {
    let (evaluator, zone) = (session.evaluator()?, workspace.catalog.workspace.time_zone);
    let snapshot = Arc::clone(evaluator.snapshot());
    let mut tables = Vec::new();
    for table in snapshot.schemas() {
        let freshness = Freshness::of(&evaluator, table, session.as_of(), zone)?;
        let unknown = unknown_keys(&snapshot, table)?;
        tables.push(TableStatus { unknown, ..table_status(&snapshot, table, freshness, session.as_of(), workspace) });
    }
    Ok(SnapshotStatus {
        number: snapshot.number(),
        published_at: local(workspace, snapshot.at()),
        bytes: snapshot.bytes(),
        tables,
    })
}

fn table_status(
    snapshot: &Snapshot,
    table: &TableSchema,
    freshness: Option<Freshness>,
    now: Timestamp,
    workspace: &Workspace,
) -> TableStatus {
    let newest = freshness.and_then(|freshness| freshness.newest);
    TableStatus {
        table: table.name.clone(),
        kind: match table.kind {
            Kind::Root => "root",
            Kind::History { .. } => "history",
            Kind::Lookup => "lookup",
            Kind::List => "list",
        },
        rows: snapshot.row_count(&table.name),
        waiting: snapshot.orphan_count(&table.name),
        blocks: snapshot.block_count(&table.name) as u64,
        newest: newest.map(|newest| local(workspace, newest)),
        age_days: newest.map(|newest| whole_days(newest, now)),
        later: freshness.map(|freshness| freshness.later),
        unknown: None,
    }
}

/// The keys of a list that no profile has, or has yet.
fn unknown_keys(snapshot: &Snapshot, table: &TableSchema) -> Result<Option<u64>> {
    let names = table.names();
    let Some(list) = names.list_name() else { return Ok(None) };
    Ok(Some(snapshot.row_count(&table.name).saturating_sub(snapshot.profiles_on(list)?.len())))
}

const MICROS_PER_DAY: u64 = 86_400_000_000;

fn whole_days(from: Timestamp, to: Timestamp) -> u64 {
    to.micros().abs_diff(from.micros()) / MICROS_PER_DAY
}

fn segments(tx: &Tx<'_>, published: Option<Timestamp>, workspace: &Workspace) -> Result<Vec<SegmentStatus>> {
    let counts = Audience::counts(tx)?;
    let status = |(segment, profiles, as_of, evaluated_at): (String, u64, Timestamp, Timestamp)| SegmentStatus {
        segment,
        profiles,
        as_of: local(workspace, as_of),
        evaluated_at: local(workspace, evaluated_at),
        older_than_data: published.is_some_and(|published| evaluated_at < published),
    };
    Ok(counts.into_iter().map(status).collect())
}

/// What waits for a person, data first.
fn stuck(snapshot: Option<&SnapshotStatus>, campaigns: &[CampaignStatus]) -> Vec<Stuck> {
    let tables = snapshot.iter().flat_map(|snapshot| &snapshot.tables);
    let waiting = tables.filter(|table| table.waiting > 0).map(|table| Stuck {
        what: "rows without their parent",
        name: table.table.clone(),
        count: table.waiting,
        hint: "they are attached when their parent is loaded",
    });
    waiting.chain(campaigns::stuck(campaigns)).collect()
}
