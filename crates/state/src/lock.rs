//! Who may write: an exclusive lock on the data directory, and an epoch that outlives it.
//!
//! The lock keeps two live processes apart. The epoch keeps out the one that the lock cannot: a
//! process that was paused, lost its lock with its machine's disk moved elsewhere, and woke up again.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::Error;

/// The lock file within the data directory; it stays there, empty, and is held only while open.
const FILE: &str = "lock";

/// The exclusive right to write to a data directory, held until it is dropped.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock at once or not at all.
    pub(crate) fn take(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(FILE);
        let failed = |source| Error::Io { action: "open the lock", path: path.clone(), source };
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(DirectoryLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { path }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// Begins a new epoch; whoever holds an earlier one can commit no more.
///
/// In a transaction of its own: a statement that answers rows commits when it is let go of, and nobody hears that this
/// failed.
pub(crate) fn begin_epoch(connection: &mut Connection) -> Result<i64, Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "UPDATE epoch SET number = number + 1 RETURNING number";
    let epoch = transaction.query_row(sql, [], |row| row.get(0))?;
    transaction.commit()?;
    Ok(epoch)
}

/// The epoch that the database holds now.
pub(crate) fn current_epoch(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.prepare_cached("SELECT number FROM epoch")?.query_row([], |row| row.get(0))?)
}
