//! Files become typed batches, and a report of what became of every row.
//!
//! [`source_files`] finds the files of a table and `wording` the source that each belongs to; [`read`] reads them. Text is
//! decoded (`decoding`), looked at (`layout`) and split into chunks of whole records (`feed`, `records`, `overlong`), a
//! clean chunk by Polars and any other by a strict reader (`text`), NDJSON line by line (`ndjson`), Parquet by its own
//! (`parquet`); conditions leave rows out (`sieve`), columns are typed (`typing`), and a flat file may give one row per
//! key (`merge`). A bad row is a [`Reject`] with its line, column, value and reason, never an error; what is odd about a
//! good one is a [`Flag`]. Nothing is guessed in silence and nothing bad is dropped in silence.
//!
//! The only door to Polars. What a workspace's tables are, says the catalog; keys that repeat, parents that are
//! missing and rows that are known already are the store's.

mod source;
pub use source::{Digest, SourceFile, digest, expand_sources, source_matches};

mod settled;
pub use settled::{Look, Unfinished, look, unfinished};

mod combined;
pub use combined::combined_key;

mod wording;
pub use wording::{belongs_to, source_files};

mod load;
pub use load::{TableLoad, read};

mod report;
pub use report::{
    Collision, ColumnReport, ConditionCount, FileReport, Flag, FlagCount, KindCount, Observer, Origin, Reason, Reject,
    RejectFile, Report, Structure,
};

mod error;
pub use error::{ColumnProblem, Damage, Error, Need, Overrun, Refusal};

mod gzip;
pub use gzip::CompressionFault;

mod file;
mod growing;
mod layout;
mod magic;
mod plan;
mod sample;

mod decoding;
mod feed;
mod overlong;
mod stream;

mod bridge;
mod ndjson;
pub use ndjson::JsonFault;
mod parquet;
pub use parquet::{ParquetFault, is_guarded};
mod raw;
mod records;
mod text;

mod invisible;

mod collisions;
mod flags;

mod infer;
mod merge;
mod shape;
mod sieve;
mod typing;

pub mod guess;

mod dirty;

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
