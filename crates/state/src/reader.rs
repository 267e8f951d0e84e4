//! Reading beside the writer: a connection of one's own, each read on one consistent view.

use std::path::Path;

use rusqlite::Connection;

use crate::{Error, Migration, Tx, connection, migration};

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
