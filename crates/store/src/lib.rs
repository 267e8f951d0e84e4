//! Profiles and their whole history, as blocks of columns: published, numbered, immutable.
//!
//! [`Store::publish`] takes typed batches and makes the next [`Snapshot`] of them: rows merged by key, every history laid
//! out below its parent, text encoded, one Parquet file per block and table, all named by one commit in the state file.
//! [`Snapshot::scan`] gives the columns back as Arrow arrays, reading from disk only what is asked for.
//!
//! Reading files of other people is `ingest`'s; what a query makes of the columns is `query`'s.

mod error;
pub use error::Error;

mod schema;
pub use schema::{ColumnSchema, TableSchema};

mod column;

mod dictionary;

mod keys;

mod merge;

mod layout;

mod disk;

mod block;

mod catalogue;
pub use catalogue::{LoadRecord, MIGRATIONS, SourceRecord};

mod snapshot;
pub use snapshot::{Snapshot, SystemColumn};

mod write;

mod publish;
pub use publish::{Batch, Prepared, PublishReport, Refusal, Store, TableCounts, TableInput};
