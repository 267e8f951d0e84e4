//! The ledger as a person reads it: one line per decision.

use muster_catalog::Timestamp;
use muster_state::{Row, SqlResult, Tx, params};

use super::{Reason, Status};
use crate::DedupeKey;

/// A decision, with everything that is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The run.
    pub run: i64,
    /// The version that the journey keeps.
    pub version: u32,
    /// The step.
    pub step: String,
    /// The channel.
    pub channel: String,
    /// The profile.
    pub profile_key: String,
    /// The number of the profile's journey in this campaign.
    pub occurrence: u32,
    /// What makes it unique.
    pub dedupe: DedupeKey,
    /// Where it stands.
    pub status: Status,
    /// Why it was not sent.
    pub reason: Option<Reason>,
    /// The same in words: the server's answer, the place in the template.
    pub detail: Option<String>,
    /// `treated` or `control`.
    pub variant: String,
    /// Of being on that side.
    pub probability: f64,
    /// Hand-overs begun.
    pub attempts: u32,
    /// The `Message-ID` without angle brackets, from the first attempt on.
    pub message_id: Option<String>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// When its status last changed.
    pub changed_at: Timestamp,
    /// Of a deferred one: not before.
    pub due_at: Option<Timestamp>,
}

/// Calls `visit` with every decision of a campaign, by run and then in the order in which they were made.
///
/// # Errors
/// The first error of `visit`; [`muster_state::Error`] where the state fails.
pub fn each_decision<E: From<muster_state::Error>>(
    tx: &Tx<'_>,
    campaign: &str,
    mut visit: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    tx.each(ENTRIES, params![campaign], |row| visit(entry(row).map_err(muster_state::Error::from)?))
}

const ENTRIES: &str = "
    SELECT decisions.run, version, decisions.step, channel, profile_key, journeys.number, dedupe, decisions.status, reason,
        detail, variant, probability, attempts, message_id, decided_at, changed_at, due_at
    FROM runs
    JOIN decisions ON decisions.run = runs.id
    JOIN journeys ON journeys.id = journey
    WHERE runs.campaign = ?
    ORDER BY decisions.run, decisions.id";

fn entry(row: &Row<'_>) -> SqlResult<Entry> {
    Ok(Entry {
        run: row.get(0)?,
        version: row.get(1)?,
        step: row.get(2)?,
        channel: row.get(3)?,
        profile_key: row.get(4)?,
        occurrence: row.get(5)?,
        dedupe: row.get(6)?,
        status: row.get(7)?,
        reason: row.get(8)?,
        detail: row.get(9)?,
        variant: row.get(10)?,
        probability: row.get(11)?,
        attempts: row.get(12)?,
        message_id: row.get(13)?,
        decided_at: Timestamp::from_micros(row.get(14)?),
        changed_at: Timestamp::from_micros(row.get(15)?),
        due_at: row.get::<_, Option<i64>>(16)?.map(Timestamp::from_micros),
    })
}
