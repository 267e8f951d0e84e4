//! Reading beside the writer: a connection of one's own, each read on one consistent view.

use std::path::Path;

use rusqlite::Connection;

use crate::{Error, Migration, Tx, connection, copy, migration};

/// A read-only connection to the state. It never waits for the writer, nor the writer for it.
pub struct Reader {
    connection: Connection,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Ok(Reader { connection: connection::open_reading(path)? })
    }

    pub(crate) fn open_verified(path: &Path, migrations: &[Migration]) -> Result<Self, Error> {
        let reader = Reader::open(path)?;
        migration::verify(&reader.connection, path, migrations)?;
        Ok(reader)
    }

    /// Opens the state file of the data directory `dir` to look for faults, whatever its migrations.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Foreign`] and [`Error::Newer`], and [`Error::Statement`] where it is no database any
    /// more.
    pub fn of_any_age(dir: &Path) -> Result<Self, Error> {
        Reader::open(&connection::path(dir))
    }

    /// Copies the state as it stands now into the new file `to`, beside the writer; it is on disk when this returns.
    ///
    /// # Errors
    /// If the file cannot be written, or another process holds the state.
    pub fn copy_to(&self, to: &Path) -> Result<(), Error> {
        copy::copy(&self.connection, to)
    }

    /// Everything that is wrong with the file, read page by page: a line for each fault.
    pub fn faults(&self) -> Vec<String> {
        copy::faults(&self.connection)
    }

    /// A number that changes with every commit; it says nothing beside that of another reader.
    ///
    /// # Errors
    /// [`Error::Statement`] where SQLite does not tell.
    pub fn change(&self) -> Result<i64, Error> {
        Ok(self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
    }

    /// Runs `work` on the state as it stands now; commits made meanwhile are not seen by it.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Statement`] where SQLite cannot begin.
    pub fn read<T, E: From<Error>>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let transaction = self.connection.unchecked_transaction().map_err(Error::from)?;
        let found = work(&Tx::new(&transaction))?;
        transaction.finish().map_err(Error::from)?;
        Ok(found)
    }
}
