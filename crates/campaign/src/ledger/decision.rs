//! Decisions: the rows of the send protocol, and the only statements that move them.
//!
//! Each statement says from which status it moves a row, so one that comes late or twice moves nothing.

use muster_catalog::Timestamp;
use muster_state::{Row, SqlResult, Tx, params};

use super::{Reason, Run, Status, Traveller};
use crate::{AddressKey, DedupeKey, Error};

/// A decision as it is first written.
pub(crate) struct NewDecision<'a> {
    pub(crate) run: i64,
    pub(crate) journey: i64,
    pub(crate) step: &'a str,
    pub(crate) channel: &'a str,
    pub(crate) dedupe: DedupeKey,
    /// Planned, ready or control.
    pub(crate) status: Status,
    /// Of falling on this side of the control group.
    pub(crate) probability: f64,
}

/// Writes a decision. One with this dedupe key that is already there stays as it is.
pub(crate) fn insert_decision(tx: &Tx<'_>, new: &NewDecision<'_>, now: Timestamp) -> Result<(), Error> {
    let variant = if new.status == Status::Control { "control" } else { "treated" };
    tx.execute(
        "INSERT INTO decisions (run, journey, step, channel, dedupe, status, variant, probability, decided_at, changed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
         ON CONFLICT (dedupe) DO NOTHING",
        params![new.run, new.journey, new.step, new.channel, new.dedupe, new.status, variant, new.probability, now.micros()],
    )?;
    Ok(())
}

/// A decision that waits for a sender, or that a sender left behind.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) id: i64,
    pub(crate) traveller: Traveller,
    pub(crate) step: String,
    pub(crate) dedupe: DedupeKey,
    /// Hand-overs begun so far.
    pub(crate) attempts: u32,
    /// From the first attempt on.
    pub(crate) message_id: Option<String>,
    pub(crate) decided_at: Timestamp,
}

const WAITING: &str = "
    SELECT decisions.id, journey, profile_key, number, entered_at, decisions.step, dedupe, attempts, message_id, decided_at
    FROM decisions JOIN journeys ON journeys.id = journey";

fn waiting(row: &Row<'_>) -> SqlResult<Waiting> {
    let traveller = Traveller {
        journey: row.get(1)?,
        profile_key: row.get(2)?,
        number: row.get(3)?,
        entered_at: Timestamp::from_micros(row.get(4)?),
    };
    Ok(Waiting {
        id: row.get(0)?,
        traveller,
        step: row.get(5)?,
        dedupe: row.get(6)?,
        attempts: row.get(7)?,
        message_id: row.get(8)?,
        decided_at: Timestamp::from_micros(row.get(9)?),
    })
}

/// The next `count` ready decisions of a run over `channel`, after the row `after`.
pub(crate) fn ready(tx: &Tx<'_>, run: &Run, channel: &str, after: i64, count: u32) -> Result<Vec<Waiting>, Error> {
    let text = format!(
        "{WAITING} WHERE decisions.run = ? AND status = 'ready' AND channel = ? AND decisions.id > ?
         ORDER BY decisions.id LIMIT ?"
    );
    Ok(tx.all(&text, params![run.id, channel, after, count], waiting)?)
}

/// Whether a run has anything to send over `channel`.
pub(crate) fn has_ready(tx: &Tx<'_>, run: &Run, channel: &str) -> Result<bool, Error> {
    Ok(tx.one(
        "SELECT EXISTS (SELECT 1 FROM decisions WHERE run = ? AND status = 'ready' AND channel = ?)",
        params![run.id, channel],
        |row| row.get(0),
    )?)
}

/// The decisions of a run that a sender of an earlier epoch was handing over when it died.
pub(crate) fn orphans(tx: &Tx<'_>, run: &Run, epoch: i64) -> Result<Vec<Waiting>, Error> {
    let text =
        format!("{WAITING} WHERE decisions.run = ? AND status = 'dispatching' AND epoch < ? ORDER BY decisions.id");
    Ok(tx.all(&text, params![run.id, epoch], waiting)?)
}

/// Makes the deferred decisions of a run ready whose time has come. Where the clock stands still (a workspace of the
/// past), no time ever comes; there an earlier opening's are ready again.
pub(crate) fn revive(tx: &Tx<'_>, run: &Run, epoch: i64, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE decisions SET status = 'ready', due_at = NULL
         WHERE run = ?1 AND status = 'deferred' AND (due_at <= ?2 OR (changed_at = ?2 AND epoch < ?3))",
        params![run.id, now.micros(), epoch],
    )?;
    Ok(())
}

/// Makes every deferred decision of a run ready, due or not: nothing of it will be sent, so nothing is worth waiting for.
pub(crate) fn revive_all(tx: &Tx<'_>, run: &Run) -> Result<(), Error> {
    tx.execute(
        "UPDATE decisions SET status = 'ready', due_at = NULL WHERE run = ? AND status = 'deferred'",
        params![run.id],
    )?;
    Ok(())
}

/// Writes the address that a ready decision will go to, as a key.
pub(crate) fn expect_address(tx: &Tx<'_>, decision: i64, address: &AddressKey) -> Result<(), Error> {
    tx.execute(
        "UPDATE decisions SET address_key = ?1 WHERE id = ?2 AND address_key IS NOT ?1",
        params![address, decision],
    )?;
    Ok(())
}

/// Whether another decision of the same run and step goes, or went, to the same address.
pub(crate) fn is_address_taken(
    tx: &Tx<'_>,
    run: &Run,
    step: &str,
    decision: i64,
    address: &AddressKey,
) -> Result<bool, Error> {
    Ok(tx.one(
        "SELECT EXISTS (SELECT 1 FROM decisions
         WHERE run = ? AND step = ? AND address_key = ? AND id <> ? AND status <> 'skipped')",
        params![run.id, step, address, decision],
        |row| row.get(0),
    )?)
}

/// An attempt at a decision that is about to begin.
pub(crate) struct Attempt<'a> {
    pub(crate) decision: i64,
    pub(crate) epoch: i64,
    pub(crate) message_id: &'a str,
}

/// Marks a ready decision as being handed over; false where it no longer was ready.
pub(crate) fn mark_dispatching(tx: &Tx<'_>, attempt: &Attempt<'_>, now: Timestamp) -> Result<bool, Error> {
    let marked = tx.execute(
        "UPDATE decisions
         SET status = 'dispatching', attempts = attempts + 1, epoch = ?, message_id = coalesce(message_id, ?), changed_at = ?
         WHERE id = ? AND status = 'ready'",
        params![attempt.epoch, attempt.message_id, now.micros(), attempt.decision],
    )?;
    Ok(marked == 1)
}

/// Brings an open decision to its end; false where it had come to one before.
pub(crate) fn end_decision(
    tx: &Tx<'_>,
    decision: i64,
    end: (Status, Option<Reason>, Option<&str>),
    now: Timestamp,
) -> Result<bool, Error> {
    let (status, reason, detail) = end;
    let ended = tx.execute(
        "UPDATE decisions SET status = ?, reason = ?, detail = ?, due_at = NULL, changed_at = ?
         WHERE id = ? AND status IN ('ready', 'dispatching', 'deferred')",
        params![status, reason, detail, now.micros(), decision],
    )?;
    Ok(ended == 1)
}

/// Puts a decision that was provably not accepted off until `due`.
pub(crate) fn defer(tx: &Tx<'_>, decision: i64, due: Timestamp, detail: &str, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE decisions SET status = 'deferred', due_at = ?, detail = ?, changed_at = ?
         WHERE id = ? AND status = 'dispatching'",
        params![due.micros(), detail, now.micros(), decision],
    )?;
    Ok(())
}

/// Puts a decision back that was provably not accepted, or may be sent twice.
pub(crate) fn make_ready(tx: &Tx<'_>, decision: i64, detail: &str, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE decisions SET status = 'ready', detail = ?, changed_at = ? WHERE id = ? AND status = 'dispatching'",
        params![detail, now.micros(), decision],
    )?;
    Ok(())
}
