//! Profiles and their whole history, as blocks of columns: published, numbered, immutable.
//!
//! [`Store::prepare`] takes typed batches and makes the next [`Snapshot`] of them: rows merged by key, every history laid
//! out below its parent, text encoded, one Parquet file per block and table, all named by one commit in the state file. What
//! is little beside a table becomes an overlay of its blocks instead. [`Snapshot::scan`] gives the columns back as Arrow
//! arrays, reading from disk only what is asked for, checked against its digest.
//!
//! Reading files of other people is `ingest`'s; what a query makes of the columns is `query`'s.

mod error;
pub use error::Error;

mod schema;
pub use schema::{ColumnSchema, TableSchema};

mod codes;
pub use codes::{CodeValues, Codes};

mod column;
pub use column::ColumnData;

mod dictionary;

mod keys;

mod views;

mod partitions;

mod joined;

mod merge;

mod layout;

mod disk;
pub use bytes::Bytes;
pub use disk::{Disk, FileDisk};

mod files;

mod block;

mod overlay;

mod splice;

mod published;

mod places;

mod changes;

mod owner;

mod catalogue;
pub use catalogue::{KnownFile, LoadRecord, LoadedSource, MIGRATIONS, SourceRecord};

mod inventory;
pub use inventory::{BLOCKS, NamedFile, faults_of_log};

mod snapshot;
pub use snapshot::{Snapshot, SystemColumn};

mod touched;
pub use touched::Touched;

mod standing;

mod lists;

mod digest;

mod write;

mod edit;

mod fold;

mod report;
pub use report::{PublishReport, Refusal, TableCounts};

mod incoming;
pub use incoming::{Batch, Incoming, TableInput};

mod publish;
pub use publish::Prepared;

mod log;

mod store;
pub use store::{PreparedRows, Store, Upkeep};
