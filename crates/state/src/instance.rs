//! Which of all copies of a workspace this is.
//!
//! The state file holds a random id and the place of the data directory that it belongs to. A directory that was copied
//! or restored has another place: both could send the same messages then, so whoever sends asks first.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rusqlite::Connection;

use crate::{Error, Tx, params};

/// A data directory among the copies of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Random, 32 hexadecimal digits; another one after every restore and taking over.
    pub id: String,
    /// Whether this directory is a copy of the one that the id was given to.
    pub is_copy: bool,
    dir: PathBuf,
}

/// This room's table for it.
pub(crate) const GROUND: &str = "
CREATE TABLE IF NOT EXISTS instance (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    id    TEXT NOT NULL,
    place TEXT NOT NULL
) STRICT;
";

/// Gives a new state file its id and place; one that has them keeps them.
pub(crate) fn settle(connection: &Connection, dir: &Path) -> Result<(), Error> {
    let sql = "INSERT INTO instance VALUES (1, lower(hex(randomblob(16))), ?) ON CONFLICT DO NOTHING";
    connection.execute(sql, [place(dir)?])?;
    Ok(())
}

impl Instance {
    /// What the state file of the data directory `dir` says; `None` where an older muster wrote it.
    ///
    /// # Errors
    /// If the state or the directory cannot be read.
    pub fn read(tx: &Tx<'_>, dir: &Path) -> Result<Option<Self>, Error> {
        let known = "SELECT count(*) FROM sqlite_schema WHERE name = 'instance'";
        if tx.one(known, [], |row| row.get::<_, i64>(0))? == 0 {
            return Ok(None);
        }
        let kept = tx.maybe("SELECT id, place FROM instance", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let here = place(dir)?;
        Ok(kept.map(|(id, place)| Self { id, is_copy: place != here, dir: dir.to_path_buf() }))
    }

    /// Refuses where this directory is a copy.
    ///
    /// # Errors
    /// [`Error::Copied`].
    pub fn refuse_copy(&self) -> Result<(), Error> {
        if self.is_copy { Err(Error::Copied { path: self.dir.clone() }) } else { Ok(()) }
    }

    /// Makes `dir` the place of this workspace, under a new id.
    ///
    /// # Errors
    /// If the directory cannot be read or the state not written.
    pub fn take_over(tx: &Tx<'_>, dir: &Path) -> Result<(), Error> {
        renew(tx, &place(dir)?)
    }

    /// Gives the state file a new id and no place, so that it counts as a copy wherever it lies.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub fn part(tx: &Tx<'_>) -> Result<(), Error> {
        renew(tx, "")
    }
}

fn renew(tx: &Tx<'_>, place: &str) -> Result<(), Error> {
    tx.execute("UPDATE instance SET id = lower(hex(randomblob(16))), place = ?", params![place])?;
    Ok(())
}

/// The directory's inode and when it was made. Both stay when it is renamed or the machine starts again (numbers of
/// devices do not), and a copy has others.
fn place(dir: &Path) -> Result<String, Error> {
    let metadata = fs::metadata(dir).map_err(|source| Error::Io {
        action: "look at the data directory",
        path: dir.to_path_buf(),
        source,
    })?;
    // Not every file system knows when a directory was made.
    let made = metadata.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    Ok(format!("{} {}", metadata.ino(), made.map_or(0, |made| made.as_nanos())))
}
