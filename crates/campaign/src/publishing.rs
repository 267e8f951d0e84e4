//! Publishing: texts become versions that never change, and campaigns go live, rest and end.

use std::fmt;

use muster_catalog::{Timestamp, nearest};
use muster_state::{FromSql, FromSqlError, FromSqlResult, Row, SqlResult, ToSql, ToSqlOutput, Tx, ValueRef, params};

use crate::{Definition, Digest, Error};

/// What publishing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The campaign.
    pub campaign: String,
    /// The version that new journeys enter with from now on.
    pub version: u32,
    /// False where the text was already that version's: nothing changed.
    pub is_new: bool,
}

/// Whether a campaign sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It enters new profiles and sends.
    Live,
    /// It does neither, and what it had planned waits.
    Paused,
    /// It never will again; what it had planned is skipped.
    Ended,
}

/// A campaign as it was published last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// Its name.
    pub name: String,
    /// Whether it sends.
    pub standing: Standing,
    /// Its latest version.
    pub version: u32,
    /// When that was published.
    pub published_at: Timestamp,
    /// Its text.
    pub text: String,
}

/// Publishes the text of the campaign `name`, which makes it live; `file` is how messages call it. The same text again
/// changes nothing; another one becomes the next version, with which new journeys enter.
///
/// # Errors
/// [`Error::Definition`] where the text is none; [`Error::Ended`] where the campaign has ended.
pub fn publish(tx: &Tx<'_>, file: &str, name: &str, text: &str, now: Timestamp) -> Result<Published, Error> {
    Definition::parse(file, name, text).map_err(Error::Definition)?;
    let before = find(tx, name)?;
    match before {
        Some(Shelved { standing: Standing::Ended, .. }) => Err(Error::Ended { name: name.to_owned() }),
        Some(Shelved { version, text: same, .. }) if same == text => {
            Ok(Published { campaign: name.to_owned(), version, is_new: false })
        }
        before => add_version(tx, name, before.map_or(0, |before| before.version) + 1, text, now),
    }
}

fn add_version(tx: &Tx<'_>, name: &str, version: u32, text: &str, now: Timestamp) -> Result<Published, Error> {
    tx.execute(
        "INSERT INTO campaigns (name, state, version) VALUES (?, 'live', ?)
         ON CONFLICT DO UPDATE SET version = excluded.version",
        params![name, version],
    )?;
    tx.execute(
        "INSERT INTO campaign_versions (campaign, number, digest, text, published_at) VALUES (?, ?, ?, ?, ?)",
        params![name, version, Digest::of(text).as_str(), text, now.micros()],
    )?;
    Ok(Published { campaign: name.to_owned(), version, is_new: true })
}

/// Every campaign that was ever published, by name.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn list(tx: &Tx<'_>) -> Result<Vec<Shelved>, Error> {
    Ok(tx.all(&format!("{SHELVED} ORDER BY name"), [], shelved)?)
}

const SHELVED: &str = "
    SELECT name, state, version, published_at, text
    FROM campaigns JOIN campaign_versions ON campaign = name AND number = version";

fn shelved(row: &Row<'_>) -> SqlResult<Shelved> {
    Ok(Shelved {
        name: row.get(0)?,
        standing: row.get(1)?,
        version: row.get(2)?,
        published_at: Timestamp::from_micros(row.get(3)?),
        text: row.get(4)?,
    })
}

fn find(tx: &Tx<'_>, name: &str) -> Result<Option<Shelved>, Error> {
    Ok(tx.maybe(&format!("{SHELVED} WHERE name = ?"), params![name], shelved)?)
}

/// The campaign of this name.
///
/// # Errors
/// [`Error::Unpublished`] where there is none.
pub(crate) fn get(tx: &Tx<'_>, name: &str) -> Result<Shelved, Error> {
    if let Some(found) = find(tx, name)? {
        return Ok(found);
    }
    let known = list(tx)?;
    let nearest = nearest(name, known.iter().map(|campaign| campaign.name.as_str())).map(str::to_owned);
    Err(Error::Unpublished { name: name.to_owned(), nearest })
}

/// A version as it was published, and nobody can have changed it since.
pub(crate) fn version(tx: &Tx<'_>, campaign: &str, version: u32) -> Result<Definition, Error> {
    let text = tx.one(
        "SELECT text FROM campaign_versions WHERE campaign = ? AND number = ?",
        params![campaign, version],
        |row| row.get::<_, String>(0),
    )?;
    read(campaign, &text)
}

impl Shelved {
    /// What its text says.
    ///
    /// # Errors
    /// [`Error::Definition`] where this binary does not read it any more.
    pub fn definition(&self) -> Result<Definition, Error> {
        read(&self.name, &self.text)
    }
}

fn read(name: &str, text: &str) -> Result<Definition, Error> {
    Definition::parse(&format!("campaigns/{name}.toml"), name, text).map_err(Error::Definition)
}

/// Whether the campaign sends.
pub(crate) fn standing(tx: &Tx<'_>, campaign: &str) -> Result<Standing, Error> {
    Ok(tx.one("SELECT state FROM campaigns WHERE name = ?", params![campaign], |row| row.get(0))?)
}

/// Lets a live campaign rest: nobody enters, nothing leaves, what was planned waits.
///
/// # Errors
/// [`Error::Unpublished`], [`Error::Ended`].
pub fn pause(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    set_standing(tx, name, Standing::Paused)
}

/// Lets a resting campaign go on.
///
/// # Errors
/// [`Error::Unpublished`], [`Error::Ended`].
pub fn resume(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    set_standing(tx, name, Standing::Live)
}

/// Ends a campaign for good: what was planned is skipped as halted at the next `run_due`.
///
/// # Errors
/// [`Error::Unpublished`], [`Error::Ended`].
pub fn stop(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    set_standing(tx, name, Standing::Ended)
}

fn set_standing(tx: &Tx<'_>, name: &str, standing: Standing) -> Result<(), Error> {
    if get(tx, name)?.standing == Standing::Ended {
        return Err(Error::Ended { name: name.to_owned() });
    }
    tx.execute("UPDATE campaigns SET state = ? WHERE name = ?", params![standing, name])?;
    Ok(())
}

/// Stops every send of every campaign at its next claim. Halting twice keeps the first instant.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn halt(tx: &Tx<'_>, now: Timestamp) -> Result<(), Error> {
    tx.execute("INSERT INTO halt VALUES (1, ?) ON CONFLICT DO NOTHING", params![now.micros()])?;
    Ok(())
}

/// Lets sends go on.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn release(tx: &Tx<'_>) -> Result<(), Error> {
    tx.execute("DELETE FROM halt", [])?;
    Ok(())
}

/// Since when every send is stopped, or `None` where sends may go on.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn halted_since(tx: &Tx<'_>) -> Result<Option<Timestamp>, Error> {
    Ok(tx.maybe("SELECT since FROM halt", [], |row| row.get(0).map(Timestamp::from_micros))?)
}

impl Standing {
    const ALL: [Self; 3] = [Self::Live, Self::Paused, Self::Ended];

    /// The word in the state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl ToSql for Standing {
    fn to_sql(&self) -> SqlResult<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Standing {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = value.as_str()?;
        Self::ALL.into_iter().find(|standing| standing.as_str() == word).ok_or(FromSqlError::InvalidType)
    }
}
