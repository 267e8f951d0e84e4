//! Consent: what a profile agreed to, kept here as a table of its own and never read from a loaded column.
//!
//! One rule decides between sources: an opt-out that anyone but a load recorded is never reversed by a load, only by a
//! newer opt-in of the person. A wrong silence costs a message; a wrong message costs the person's trust.

use muster_catalog::Timestamp;
use muster_state::{Row, Tx, params};

use crate::Error;

/// The source that loads write under.
pub const LOAD: &str = "load";

/// One statement of a profile about one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Whose.
    pub profile_key: &'a str,
    /// The role of the channel that it is about: `email`.
    pub channel: &'a str,
    /// The topic, or `None` for the channel as a whole.
    pub topic: Option<&'a str>,
    /// True for agreed, false for refused.
    pub agreed: bool,
    /// When it was said.
    pub at: Timestamp,
    /// Who recorded it: `form`, `unsubscribe`, `person`. Not [`LOAD`], which has its own door.
    pub source: &'a str,
    /// What the person was shown, where that is known.
    pub wording: Option<&'a str>,
}

/// Records a statement that a person made. The newer one stands; of two at the same instant, the refusal.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn record(tx: &Tx<'_>, statement: &Statement<'_>) -> Result<(), Error> {
    let Statement { profile_key, channel, topic, agreed, at, source, wording } = *statement;
    tx.execute(
        "INSERT INTO consent (profile_key, channel, topic, state, at, source, wording) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE
         SET state = excluded.state, at = excluded.at, source = excluded.source, wording = excluded.wording
         WHERE excluded.at > at OR (excluded.at = at AND excluded.state = 'out')",
        params![profile_key, channel, topic.unwrap_or(""), word(agreed), at.micros(), source, wording],
    )?;
    Ok(())
}

/// Writes what a load says of the role `consent.<channel>`: pairs of profile key and whether it agreed, as of `at`.
/// Profiles about which the load says nothing are left out, and stay as they are. The number of statements changed.
///
/// `statements` are what the fields of the profiles say after the load. Where rows came through the write socket, too, the
/// owner of the column (`muster_catalog::Owner`) has decided by then what became of a yes or of silence, and never of a no.
/// What is decided here nobody owns: a no is always taken, and a yes never reverses a no that came in another way.
///
/// Only what differs is written, so a second load of the same file writes nothing. Fastest in the order of the keys.
///
/// # Errors
/// [`Error::State`] where the state fails; nothing is written then once the caller gives up its transaction.
pub fn write_from_load<K: AsRef<str>>(
    tx: &Tx<'_>,
    channel: &str,
    at: Timestamp,
    statements: impl IntoIterator<Item = (K, bool)>,
) -> Result<usize, Error> {
    let mut changed = 0;
    for (profile_key, agreed) in statements {
        changed += tx.execute(FROM_LOAD, params![profile_key.as_ref(), channel, word(agreed), at.micros(), LOAD])?;
    }
    Ok(changed)
}

const FROM_LOAD: &str = "
    INSERT INTO consent (profile_key, channel, topic, state, at, source) VALUES (?1, ?2, '', ?3, ?4, ?5)
    ON CONFLICT DO UPDATE SET state = excluded.state, at = excluded.at, source = excluded.source, wording = NULL
    WHERE state <> excluded.state AND NOT (state = 'out' AND source <> ?5)";

/// A profile's agreement to one channel that a load wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Whose.
    pub profile_key: String,
    /// The role of the channel.
    pub channel: String,
}

/// The agreements that the load of the instant `at` wrote and that still stand: what may end when it is taken back.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn agreed_by_load(tx: &Tx<'_>, at: Timestamp) -> Result<Vec<Agreement>, Error> {
    let text = "SELECT profile_key, channel FROM consent WHERE source = ? AND at = ? AND state = 'in' AND topic = ''";
    let agreement = |row: &Row<'_>| Ok(Agreement { profile_key: row.get(0)?, channel: row.get(1)? });
    Ok(tx.all(text, params![LOAD, at.micros()], agreement)?)
}

/// Ends an agreement whose load is taken back. `said` is what loads said before: where that was a refusal, it is one again;
/// else nobody said anything. Only an agreement that a load wrote ends, and a refusal stays in any case: taking a load
/// back makes silence, never consent.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn end_agreement(tx: &Tx<'_>, agreement: &Agreement, said: Option<bool>, now: Timestamp) -> Result<(), Error> {
    let Agreement { profile_key, channel } = agreement;
    let which = "WHERE profile_key = ?1 AND channel = ?2 AND topic = '' AND state = 'in' AND source = ?3";
    match said {
        Some(true) => 0,
        Some(false) => {
            let text = format!("UPDATE consent SET state = 'out', at = ?4 {which}");
            tx.execute(&text, params![profile_key, channel, LOAD, now.micros()])?
        }
        None => tx.execute(&format!("DELETE FROM consent {which}"), params![profile_key, channel, LOAD])?,
    };
    Ok(())
}

/// Whether marketing may go to a profile over a channel, on a topic: someone must have agreed, to the channel or to the
/// topic, and neither may be refused.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn allows(tx: &Tx<'_>, profile_key: &str, channel: &str, topic: Option<&str>) -> Result<bool, Error> {
    // 'out' sorts after 'in': one refusal outweighs any number of agreements.
    let allowed = tx.one(
        "SELECT max(state) = 'in' FROM consent WHERE profile_key = ? AND channel = ? AND topic IN ('', ?)",
        params![profile_key, channel, topic.unwrap_or("")],
        |row| row.get::<_, Option<bool>>(0),
    )?;
    Ok(allowed.unwrap_or(false))
}

const fn word(agreed: bool) -> &'static str {
    if agreed { "in" } else { "out" }
}
