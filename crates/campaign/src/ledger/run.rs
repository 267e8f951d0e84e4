//! Runs: one audience that entered one campaign.

use muster_catalog::Timestamp;
use muster_state::{FromSql, FromSqlError, FromSqlResult, Row, SqlResult, Tx, ValueRef, params};

use crate::Error;

/// An audience that entered a campaign, frozen, with all that made it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Counts up over all campaigns.
    pub id: i64,
    /// The campaign.
    pub campaign: String,
    /// The version that its journeys keep.
    pub version: u32,
    /// The segment.
    pub segment: String,
    /// Digest of the segment's definition.
    pub definition: String,
    /// The snapshot on which the segment was evaluated.
    pub snapshot: u64,
    /// As of when.
    pub as_of: Timestamp,
    /// Members of the segment.
    pub audience: u64,
    /// Those of them who had their journey before, and so did not enter.
    pub travelled: u64,
    /// How far it is.
    pub status: RunStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// When its last decision came to its end.
    pub finished_at: Option<Timestamp>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// Its decisions are being planned; nothing has left.
    Entering,
    /// Everyone is in; its decisions are carried out.
    Dispatching,
    /// Every decision came to its end, and they add up.
    Finished,
}

/// What a run begins with.
pub(crate) struct NewRun<'a> {
    pub(crate) campaign: &'a str,
    pub(crate) version: u32,
    pub(crate) segment: &'a str,
    pub(crate) definition: &'a str,
    pub(crate) snapshot: u64,
    pub(crate) as_of: Timestamp,
    pub(crate) audience: u64,
}

impl NewRun<'_> {
    /// Whether `run` froze this very audience for this very version.
    pub(crate) fn is(&self, run: &Run) -> bool {
        (self.campaign, self.version, self.segment, self.definition, self.snapshot, self.as_of, self.audience)
            == (&run.campaign, run.version, &run.segment, &run.definition, run.snapshot, run.as_of, run.audience)
    }
}

/// Begins a run, into which nobody has entered yet.
pub(crate) fn begin(tx: &Tx<'_>, run: &NewRun<'_>, now: Timestamp) -> Result<Run, Error> {
    let id = tx.insert(
        "INSERT INTO runs (campaign, version, segment, definition, snapshot, as_of, audience, status, started_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, 'entering', ?)",
        params![
            run.campaign,
            run.version,
            run.segment,
            run.definition,
            stored(run.snapshot),
            run.as_of.micros(),
            stored(run.audience),
            now.micros()
        ],
    )?;
    get(tx, id)
}

/// The run of a campaign whose audience has not all entered: a crash left it behind.
pub(crate) fn entering(tx: &Tx<'_>, campaign: &str) -> Result<Option<Run>, Error> {
    Ok(tx.maybe(&format!("{RUNS} WHERE campaign = ? AND status = 'entering'"), params![campaign], from_row)?)
}

/// Takes back a run that was still entering. Nothing of it had left, so nothing of the ledger is lost.
pub(crate) fn withdraw(tx: &Tx<'_>, run: &Run) -> Result<(), Error> {
    tx.execute("DELETE FROM decisions WHERE run = ? AND status IN ('planned', 'control')", params![run.id])?;
    tx.execute("DELETE FROM journeys WHERE run = ?", params![run.id])?;
    tx.execute("DELETE FROM runs WHERE id = ? AND status = 'entering'", params![run.id])?;
    Ok(())
}

/// Everyone has entered: from here on the run's decisions may be claimed.
pub(crate) fn complete_entry(tx: &Tx<'_>, run: &Run, now: Timestamp) -> Result<Run, Error> {
    tx.execute(
        "UPDATE decisions SET status = 'ready', changed_at = ? WHERE run = ? AND status = 'planned'",
        params![now.micros(), run.id],
    )?;
    tx.execute(
        "UPDATE runs
         SET status = 'dispatching', travelled = audience - (SELECT count(*) FROM journeys WHERE run = runs.id)
         WHERE id = ? AND status = 'entering'",
        params![run.id],
    )?;
    get(tx, run.id)
}

fn get(tx: &Tx<'_>, id: i64) -> Result<Run, Error> {
    Ok(tx.one(&format!("{RUNS} WHERE id = ?"), params![id], from_row)?)
}

/// The runs of a campaign that are still to be carried out, in the order in which they began.
pub(crate) fn unfinished(tx: &Tx<'_>, campaign: &str) -> Result<Vec<Run>, Error> {
    let text = format!("{RUNS} WHERE campaign = ? AND status = 'dispatching' ORDER BY id");
    Ok(tx.all(&text, params![campaign], from_row)?)
}

/// Closes a run whose decisions have all come to their ends.
pub(crate) fn finish(tx: &Tx<'_>, run: i64, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE runs SET status = 'finished', finished_at = ? WHERE id = ? AND status = 'dispatching'",
        params![now.micros(), run],
    )?;
    Ok(())
}

/// All runs of a campaign, in the order in which they began.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn runs(tx: &Tx<'_>, campaign: &str) -> Result<Vec<Run>, Error> {
    Ok(tx.all(&format!("{RUNS} WHERE campaign = ? ORDER BY id"), params![campaign], from_row)?)
}

/// The newest run that used what came with snapshot `first` at the instant `since`: one whose audience is of that snapshot
/// or a later one, or that handed something over since.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn run_after(tx: &Tx<'_>, first: u64, since: Timestamp) -> Result<Option<Run>, Error> {
    // A run that is still entering has sent nothing; it is withdrawn when the next one finds another snapshot.
    let text = format!(
        "{RUNS}
         WHERE status <> 'entering'
             AND (snapshot >= ?1
                 OR EXISTS (SELECT 1 FROM decisions WHERE run = runs.id AND attempts > 0 AND changed_at > ?2))
         ORDER BY id DESC LIMIT 1"
    );
    Ok(tx.maybe(&text, params![stored(first), since.micros()], from_row)?)
}

const RUNS: &str = "
    SELECT id, campaign, version, segment, definition, snapshot, as_of, audience, travelled, status, started_at,
        finished_at
    FROM runs";

fn from_row(row: &Row<'_>) -> SqlResult<Run> {
    Ok(Run {
        id: row.get(0)?,
        campaign: row.get(1)?,
        version: row.get(2)?,
        segment: row.get(3)?,
        definition: row.get(4)?,
        snapshot: row.get::<_, i64>(5)?.cast_unsigned(),
        as_of: Timestamp::from_micros(row.get(6)?),
        audience: row.get::<_, i64>(7)?.cast_unsigned(),
        travelled: row.get::<_, i64>(8)?.cast_unsigned(),
        status: row.get(9)?,
        started_at: Timestamp::from_micros(row.get(10)?),
        finished_at: row.get::<_, Option<i64>>(11)?.map(Timestamp::from_micros),
    })
}

/// SQLite has no unsigned numbers; snapshots and counts stay far below 2^63.
fn stored(number: u64) -> i64 {
    number.cast_signed()
}

impl FromSql for RunStatus {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "entering" => Ok(Self::Entering),
            "dispatching" => Ok(Self::Dispatching),
            "finished" => Ok(Self::Finished),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}
