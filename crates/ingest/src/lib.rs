//! Files become typed batches, and a report of what became of every row.
//!
//! [`expand_sources`] finds the files of a table, [`read`] reads them: text is split into chunks of whole records
//! (`feed`, `records`), a clean chunk by Polars and any other by a strict reader (`text`), Parquet by its own
//! (`parquet`); conditions leave rows out (`sieve`), columns are typed (`typing`), and a flat file may give one row
//! per key (`merge`). A bad row is a [`Reject`] with its line, column, value and reason, never an error; nothing is
//! guessed in silence and nothing bad is dropped in silence.
//!
//! The only door to Polars. What a workspace's tables are, says the catalog; keys that repeat, parents that are
//! missing and rows that are known already are the store's.

mod source;
pub use source::{Digest, SourceFile, digest, expand_sources, source_matches};

mod load;
pub use load::{TableLoad, read};

mod report;
pub use report::{
    ColumnReport, ConditionCount, FileReport, KindCount, Observer, Origin, Reason, Reject, RejectFile, Report,
    Structure,
};

mod error;
pub use error::{ColumnProblem, Damage, Error, Need, Overrun, Refusal};

mod file;
mod layout;
mod plan;
mod sample;

mod feed;
mod stream;

mod bridge;
mod parquet;
mod raw;
mod records;
mod text;

mod infer;
mod merge;
mod shape;
mod sieve;
mod typing;

use muster_catalog::{Catalog, ColumnNames, Table};

/// What is asked of [`read`]: one table of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Intake<'a> {
    /// The workspace: its zone, and the links that start in the table.
    pub catalog: &'a Catalog,
    /// The table.
    pub table: &'a Table,
    /// The columns that an earlier load found, with the types that were inferred then; empty at the first load.
    pub known: &'a [ColumnNames],
}
