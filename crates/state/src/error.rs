//! What can go wrong with the state, told to the person who can mend it.

use std::path::PathBuf;
use std::sync::Arc;

/// A failure of the state room. The variants differ in what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no state file; the caller may create a workspace first.
    #[error("{path}: no state here yet; `muster load` or `muster init` makes it", path = path.display())]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// Another process is writing to this data directory; the caller may wait and try again.
    #[error("{path}: another muster process is writing to this data directory; wait until it ends", path = path.display())]
    Locked {
        /// The lock file that is held.
        path: PathBuf,
    },
    /// A later process took this data directory over; this one must end.
    #[error(
        "a later process (epoch {current}) took this data directory over from this one (epoch {ours}); nothing more is committed here"
    )]
    Fenced {
        /// The epoch that this process was given when it opened the state.
        ours: i64,
        /// The epoch that the database holds now.
        current: i64,
    },
    /// The file is a database, or something else, that muster did not make.
    #[error("{path}: this is not a state file of muster (application id {found:#x}, expected {expected:#x})", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The application id that it holds.
        found: i64,
        /// The application id of muster.
        expected: i64,
    },
    /// A newer muster wrote this file; only that one may open it.
    #[error("{path}: a newer muster wrote this ({what}, which this binary does not know); use that version or a later one", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// What this binary does not know: a format, or a room's migration.
        what: String,
    },
    /// The file lacks migrations that this binary needs, and a reader may not apply them.
    #[error("{path}: an older muster wrote this ({what} is missing); run a command that writes, such as `muster load`, to bring it up to date", path = path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// The first migration that is missing.
        what: String,
    },
    /// A migration that this database has applied reads differently in this binary.
    #[error(
        "migration {room} {number} was applied with another text; a released migration never changes: add a new one"
    )]
    Rewritten {
        /// The room that owns the migration.
        room: String,
        /// Its number within the room.
        number: u32,
    },
    /// The list of migrations is not numbered 1, 2, 3 … per room.
    #[error("migration {room} {number} is out of order; expected {room} {expected}")]
    Misnumbered {
        /// The room that owns the migration.
        room: String,
        /// The number that stands there.
        number: u32,
        /// The number that should stand there.
        expected: u32,
    },
    /// A migration cannot be applied.
    #[error("migration {room} {number} failed; nothing was changed")]
    Migration {
        /// The room that owns the migration.
        room: String,
        /// Its number within the room.
        number: u32,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A table was made without STRICT, so it would hold values of any type.
    #[error("table {table} is not STRICT; its CREATE TABLE must end in STRICT")]
    Loose {
        /// The table.
        table: String,
    },
    /// The SQLite library is too old to be trusted with a write-ahead log.
    #[error("SQLite {found} can lose committed pages of its write-ahead log; muster needs 3.51.3 or later")]
    OldSqlite {
        /// The version of the library in this binary.
        found: &'static str,
    },
    /// This data directory is a copy of another one, which may still be at work; the caller asks before it sends.
    #[error("{path}: this data directory is a copy of another one, or was restored; if that one still sends, everybody is written to twice; `muster campaign take-over` makes this the one that sends", path = path.display())]
    Copied {
        /// The data directory.
        path: PathBuf,
    },
    /// The state could not be copied; nothing is wrong with it.
    #[error("{path}: the state was not copied, another process holds it; try again", path = path.display())]
    NotCopied {
        /// Where the copy should be.
        path: PathBuf,
    },
    /// The file system refused something.
    #[error("{path}: cannot {action}", path = path.display())]
    Io {
        /// What was attempted: `open the lock`, `create the data directory`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A commit or a sync failed: what is on disk is unknown to this process, which must end. The
    /// next one recovers from the log. A sync is never tried a second time.
    #[error(
        "a commit failed, so nothing more is accepted here; the next process recovers, and finds out whether this write was kept"
    )]
    Fatal {
        /// What SQLite said, shared by everyone who waited for this commit.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// A statement failed; the write that held it was rolled back and the state remains usable.
    #[error("a statement on the state failed")]
    Statement(#[from] rusqlite::Error),
}
