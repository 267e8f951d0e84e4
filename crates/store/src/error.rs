//! What can go wrong between the columns and the disk.

use std::path::{Path, PathBuf};

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;

/// Why a snapshot could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder of the data directory could not be used.
    #[error("cannot {action} {path}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file of the store does not hold what the catalogue says.
    #[error("{path} is damaged: {what}; bring it back with `muster doctor --mend BACKUP`, or restore a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file of the store is gone.
    #[error(
        "{path} with its {bytes} bytes is not there; if something was loaded just now, try again; else bring it back with `muster doctor --mend BACKUP`, or restore a backup"
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// How many bytes it had.
        bytes: u64,
    },
    /// A file of the store is no readable Parquet.
    #[error("{path} cannot be read; bring it back with `muster doctor --mend BACKUP`, or restore a backup")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: ParquetError,
    },
    /// The new rows of a table have another type in a column than the stored ones.
    #[error("column `{column}` of `{table}` is {stored} in the store and {incoming} in the files")]
    TypeChanged {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its type in the store.
        stored: String,
        /// Its type in the files.
        incoming: String,
    },
    /// The files no longer have a column that the store has.
    #[error("column `{column}` of `{table}` is missing in the files; nothing was changed")]
    ColumnVanished {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// More rows than the store can number.
    #[error("`{table}` would have {rows} rows; a table holds at most {} rows", u32::MAX)]
    TooManyRows {
        /// The table.
        table: String,
        /// How many it would have.
        rows: u64,
    },
    /// There is no load that could be taken back.
    #[error("no load is left that could be taken back")]
    NothingToUndo,
    /// What was there before the load is gone.
    #[error("the load of {load} can no longer be taken back: what was there before it has been collected")]
    TooLateToUndo {
        /// When it was.
        load: muster_catalog::Timestamp,
    },
    /// The catalogue holds something that this muster cannot read.
    #[error("the catalogue of the store cannot be read: {what}; was it written by a newer muster?")]
    Catalogue {
        /// What is wrong.
        what: String,
    },
    /// The rows of a table did not come.
    #[error("the rows did not come")]
    Incoming(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The state file.
    #[error(transparent)]
    State(#[from] muster_state::Error),
    /// Columns that do not fit together: a fault of muster, which no input reaches.
    #[error("the columns of a table do not fit together")]
    Columns(#[from] ArrowError),
}

impl Error {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    pub(crate) fn unreadable(path: &Path) -> impl FnOnce(ParquetError) -> Self {
        let path = path.to_owned();
        move |source| Self::Unreadable { path, source }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}
