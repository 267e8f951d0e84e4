//! Journeys: who is on the way, and who already was.

use muster_catalog::Timestamp;
use muster_state::{Tx, params};

use super::Run;
use crate::Error;
use crate::interpreter::{End, JourneyState};

/// One profile on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Traveller {
    pub(crate) journey: i64,
    pub(crate) profile_key: String,
    /// The journey's number for this profile in this campaign: the occurrence in every dedupe key of it.
    pub(crate) number: u32,
    pub(crate) entered_at: Timestamp,
}

/// Those of `keys` who never had a journey in `campaign`, in the same order. `keys` are sorted bytewise, each once.
pub(crate) fn newcomers<'k>(tx: &Tx<'_>, campaign: &str, keys: &'k [String]) -> Result<Vec<&'k str>, Error> {
    let mut newcomers = Vec::with_capacity(keys.len());
    let mut rest = keys.iter().map(String::as_str).peekable();
    // Both sides come in the same order, so that a million keys are compared without being held twice.
    tx.each::<Error>(
        "SELECT DISTINCT profile_key FROM journeys WHERE campaign = ? ORDER BY profile_key",
        params![campaign],
        |row| {
            let travelled: String = row.get(0).map_err(muster_state::Error::from)?;
            while let Some(key) = rest.next_if(|key| *key < travelled.as_str()) {
                newcomers.push(key);
            }
            rest.next_if(|key| *key == travelled);
            Ok(())
        },
    )?;
    newcomers.extend(rest);
    Ok(newcomers)
}

/// Writes the first journey of a profile; `None` where it already has one.
pub(crate) fn enter_journey(
    tx: &Tx<'_>,
    run: &Run,
    profile_key: &str,
    first_step: &str,
    now: Timestamp,
) -> Result<Option<Traveller>, Error> {
    const FIRST: u32 = 1;
    let journey = tx.maybe(
        "INSERT INTO journeys (run, campaign, profile_key, number, entered_at, step) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING RETURNING id",
        params![run.id, run.campaign, profile_key, FIRST, now.micros(), first_step],
        |row| row.get(0),
    )?;
    let profile_key = profile_key.to_owned();
    Ok(journey.map(|journey| Traveller { journey, profile_key, number: FIRST, entered_at: now }))
}

/// Writes where a journey stands now; `step_id` names the step of a state.
pub(crate) fn move_journey<'s>(
    tx: &Tx<'_>,
    journey: i64,
    state: JourneyState,
    step_id: impl Fn(usize) -> &'s str,
    now: Timestamp,
) -> Result<(), Error> {
    match state {
        JourneyState::Outside => {}
        JourneyState::At(step) => {
            tx.execute("UPDATE journeys SET step = ? WHERE id = ?", params![step_id(step), journey])?;
        }
        JourneyState::Ended(end) => {
            tx.execute(
                "UPDATE journeys SET step = NULL, ended_at = ?, outcome = ? WHERE id = ? AND ended_at IS NULL",
                params![now.micros(), outcome(end), journey],
            )?;
        }
    }
    Ok(())
}

const fn outcome(end: End) -> &'static str {
    match end {
        End::Completed => "completed",
        End::Control => "control",
    }
}
