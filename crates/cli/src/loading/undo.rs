//! A load that is taken back: the snapshot is as it was before, and so is what it alone agreed to.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use muster_campaign::consent::{self, Agreement};
use muster_campaign::ledger;
use muster_state::Tx;
use muster_store::{LoadRecord, LoadedSource, Snapshot, Store};
use serde::Serialize;

use super::consents::said_by;
use super::{TableReport, guards};
use crate::workspace::{Opened, Workspace};

/// What was taken back.
#[derive(Debug, Serialize)]
pub struct UndoReport {
    /// The snapshot that is as it was before the load; none where it only says what it would do.
    pub snapshot: Option<u64>,
    /// Whether it only said what it would do.
    pub dry_run: bool,
    /// The snapshot that the load had made.
    pub taken_back: u64,
    /// When that was, in the workspace's zone.
    pub loaded_at: String,
    /// What the load had reported, table by table.
    pub tables: Vec<TableReport>,
    /// The files that it had read, which count as new from now on.
    pub files: Vec<LoadedFile>,
    /// Agreements to be written to that nothing but this load said; they are gone with it.
    pub agreements: usize,
}

/// A file that went into a table.
#[derive(Debug, Serialize)]
pub struct LoadedFile {
    /// The table.
    pub table: String,
    /// How the user calls it.
    pub name: String,
}

/// Takes back the newest load that stands.
///
/// # Errors
/// If sends used it; if there is none, or what was before is no longer kept.
pub fn undo(workspace: &Workspace, opened: &Opened, dry_run: bool) -> Result<UndoReport> {
    let undone = take_back(workspace, opened, dry_run);
    let collected = opened.state.write(|tx| opened.store.collect_garbage(tx));
    let report = undone?;
    collected?;
    Ok(report)
}

fn take_back(workspace: &Workspace, opened: &Opened, dry_run: bool) -> Result<UndoReport> {
    let Opened { state, store, .. } = opened;
    let at = workspace.clock().now();
    let (load, prepared) = state.read(|tx| store.prepare_undo(&workspace.catalog, tx, at))?;
    let agreements = state.read(|tx| consent::agreed_by_load(tx, load.at))?;
    let ended = Ended::of(agreements, prepared.snapshot())?;
    let mut report = state.read(|tx| -> Result<UndoReport> {
        refuse_used(tx, &load, workspace)?;
        Ok(UndoReport { dry_run, agreements: ended.0.len(), ..report(tx, &load, workspace)? })
    })?;
    if !dry_run {
        state.write(|tx| -> Result<()> {
            refuse_used(tx, &load, workspace)?;
            store.commit_undo(tx, &load, &prepared)?;
            muster_segment::take_back(tx, &load)?;
            Ok(ended.0.iter().try_for_each(|(agreement, said)| consent::end_agreement(tx, agreement, *said, at))?)
        })?;
        report.snapshot = Some(store.adopt(prepared).number());
    }
    Ok(report)
}

/// What the load had done.
fn report(tx: &Tx<'_>, load: &LoadRecord, workspace: &Workspace) -> Result<UndoReport> {
    let sources = Store::sources(tx, load.snapshot)?.into_iter().filter(|source| source.load == load.id);
    Ok(UndoReport {
        snapshot: None,
        dry_run: false,
        taken_back: load.snapshot,
        loaded_at: load.at.rfc3339(workspace.catalog.workspace.time_zone),
        tables: serde_json::from_str(&load.report).unwrap_or_default(),
        files: sources.map(|LoadedSource { table, name, .. }| LoadedFile { table, name }).collect(),
        agreements: 0,
    })
}

/// What was sent stays sent, so what it was sent for stays, too.
fn refuse_used(tx: &Tx<'_>, load: &LoadRecord, workspace: &Workspace) -> Result<()> {
    let Some(run) = ledger::run_after(tx, load.snapshot, load.at)? else { return Ok(()) };
    let at = load.at.rfc3339(workspace.catalog.workspace.time_zone);
    let what = format!(
        "the load of {at} (snapshot {}) cannot be taken back: campaign {} used it, with an audience of {}",
        load.snapshot, run.campaign, run.audience
    );
    Err(guards::refused(&what, "what was sent stays sent; load a corrected file instead"))
}

/// Agreements that end with a load, each with what was said before it.
struct Ended(Vec<(Agreement, Option<bool>)>);

impl Ended {
    /// Those that `before` does not say, too.
    fn of(agreements: Vec<Agreement>, before: &Snapshot) -> Result<Self> {
        let keys: HashSet<&str> = agreements.iter().map(|agreement| agreement.profile_key.as_str()).collect();
        let consents = said_by(before, &|key| keys.contains(key))?;
        let said: HashMap<(&str, &str), bool> = consents
            .iter()
            .flat_map(|consents| {
                consents.statements.iter().map(|(key, agreed)| ((consents.channel.as_str(), key.as_str()), *agreed))
            })
            .collect();
        let said_before =
            |agreement: &Agreement| said.get(&(agreement.channel.as_str(), agreement.profile_key.as_str())).copied();
        let pairs = agreements.iter().map(|agreement| (agreement.clone(), said_before(agreement)));
        Ok(Self(pairs.filter(|(_, said)| *said != Some(true)).collect()))
    }
}
