//! What goes out next, and what does not move.

use anyhow::Result;
use muster_campaign::ledger::{Run, RunStatus, each_decision, runs};
use muster_campaign::{Shelved, Standing, Status, Summary};
use muster_catalog::Timestamp;
use muster_state::Tx;
use serde::Serialize;

use super::local;
use crate::workspace::Workspace;

/// How a campaign stands.
#[derive(Debug, Serialize)]
pub struct CampaignStatus {
    /// The campaign.
    pub campaign: String,
    /// The version that new journeys enter with.
    pub version: u32,
    /// `live`, `paused` or `ended`.
    pub standing: String,
    /// The segment whose new members enter at the next `campaign run-due`, of a live one.
    pub enters: Option<String>,
    /// Decisions that may be handed over.
    pub ready: u64,
    /// Decisions that wait for their time, since nobody accepted the message.
    pub deferred: u64,
    /// When the first of those is due.
    pub next_due: Option<String>,
    /// Decisions that are being handed over, or were when a process ended.
    pub dispatching: u64,
    /// Decisions of which nobody can know whether they arrived.
    pub uncertain: u64,
    /// Runs whose audience has not all entered.
    pub entering: u64,
}

/// Something that waits for a person, or for its time.
#[derive(Debug, Serialize)]
pub struct Stuck {
    /// What it is.
    pub what: &'static str,
    /// Of which table, segment or campaign.
    pub name: String,
    /// How many rows, decisions or runs.
    pub count: u64,
    /// What can be done.
    pub hint: &'static str,
}

/// All campaigns that were ever published, by name.
///
/// # Errors
/// If the state cannot be read, or a definition is not read by this binary any more.
pub fn read(tx: &Tx<'_>, workspace: &Workspace) -> Result<Vec<CampaignStatus>> {
    muster_campaign::list(tx)?.iter().map(|campaign| status(tx, campaign, workspace)).collect()
}

fn status(tx: &Tx<'_>, campaign: &Shelved, workspace: &Workspace) -> Result<CampaignStatus> {
    let runs = runs(tx, &campaign.name)?;
    let summaries = runs.iter().map(|run| Summary::of(tx, run)).collect::<Result<Vec<_>, _>>()?;
    let count = |status: Status| summaries.iter().map(|summary| summary.count(status)).sum::<u64>();
    let deferred = count(Status::Deferred);
    let next_due = if deferred > 0 { next_due(tx, &campaign.name)? } else { None };
    let enters =
        (campaign.standing == Standing::Live).then(|| campaign.definition().map(|it| it.segment.name)).transpose()?;
    Ok(CampaignStatus {
        campaign: campaign.name.clone(),
        version: campaign.version,
        standing: campaign.standing.to_string(),
        enters,
        ready: count(Status::Ready),
        deferred,
        next_due: next_due.map(|due| local(workspace, due)),
        dispatching: count(Status::Dispatching),
        uncertain: count(Status::Uncertain),
        entering: runs.iter().filter(|run| is_entering(run)).count() as u64,
    })
}

fn is_entering(run: &Run) -> bool {
    run.status == RunStatus::Entering
}

/// When the first deferred decision may be tried again.
fn next_due(tx: &Tx<'_>, campaign: &str) -> Result<Option<Timestamp>> {
    let mut next: Option<Timestamp> = None;
    each_decision(tx, campaign, |entry| {
        if entry.status == Status::Deferred {
            next = next.into_iter().chain(entry.due_at).min();
        }
        Ok::<(), muster_state::Error>(())
    })?;
    Ok(next)
}

/// What of `campaigns` does not move by itself.
pub fn stuck(campaigns: &[CampaignStatus]) -> Vec<Stuck> {
    campaigns.iter().flat_map(stuck_in).collect()
}

fn stuck_in(campaign: &CampaignStatus) -> Vec<Stuck> {
    let planned = campaign.ready + campaign.deferred;
    let paused = if campaign.standing == Standing::Paused.as_str() { planned } else { 0 };
    let found = [
        ("decisions of a paused campaign", paused, "`muster campaign resume` lets them go on"),
        (
            "deferred decisions",
            campaign.deferred,
            "the other side did not accept them; `muster campaign run-due` tries again when they are due",
        ),
        (
            "decisions being handed over",
            campaign.dispatching,
            "where no process sends, the next `muster campaign run-due` finds out about them",
        ),
        (
            "uncertain decisions",
            campaign.uncertain,
            "they may have arrived, so marketing is never sent again; `muster campaign ledger` lists them",
        ),
        ("runs that are still entering", campaign.entering, "the next `muster campaign run-due` begins them anew"),
    ];
    let counted = found.into_iter().filter(|(_, count, _)| *count > 0);
    counted.map(|(what, count, hint)| Stuck { what, name: campaign.campaign.clone(), count, hint }).collect()
}
