//! [`Tx`]: what a room may do inside a transaction, and nothing that could end it.

use rusqlite::{Connection, Params, Row};

use crate::Error;

/// A running transaction, for writing ([`State::write`](crate::State::write)) or for reading
/// ([`Reader::read`](crate::Reader::read)); functions of a room that only read take either.
///
/// Every statement is prepared once per connection and kept, so calling the same text in a loop
/// costs no parsing. In a reading transaction a statement that writes is an error.
pub struct Tx<'c> {
    connection: &'c Connection,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Tx { connection }
    }

    /// Runs a statement that returns no rows; the number of rows that it changed.
    ///
    /// # Errors
    /// [`Error::Statement`] where SQLite refuses it: a broken constraint, a wrong type.
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize, Error> {
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }

    /// Runs an `INSERT` of one row; the row id that it was given.
    ///
    /// # Errors
    /// [`Error::Statement`] where SQLite refuses it, or where other than one row went in (as with
    /// `ON CONFLICT DO NOTHING`, for which [`Tx::execute`] is the right call).
    pub fn insert(&self, sql: &str, params: impl Params) -> Result<i64, Error> {
        Ok(self.connection.prepare_cached(sql)?.insert(params)?)
    }

    /// The one row that a query has; `map` reads its columns.
    ///
    /// # Errors
    /// [`Error::Statement`] where the query has no row, or where SQLite or `map` fails.
    pub fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        Ok(self.connection.prepare_cached(sql)?.query_row(params, map)?)
    }

    /// The first row of a query, or `None` where it has none.
    ///
    /// # Errors
    /// [`Error::Statement`] where SQLite or `map` fails.
    pub fn maybe<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        match self.connection.prepare_cached(sql)?.query_row(params, map) {
            Ok(found) => Ok(Some(found)),
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// All rows of a query, in its order.
    ///
    /// # Errors
    /// [`Error::Statement`] where SQLite or `map` fails.
    pub fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params, map)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Calls `visit` with each row of a query, in its order, holding one row at a time.
    ///
    /// # Errors
    /// The first error of `visit`, or [`Error::Statement`] where SQLite fails.
    pub fn each<E: From<Error>>(
        &self,
        sql: &str,
        params: impl Params,
        mut visit: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.connection.prepare_cached(sql).map_err(Error::from)?;
        let mut rows = statement.query(params).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            visit(row)?;
        }
        Ok(())
    }
}
