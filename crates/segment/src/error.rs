//! Why a statement was not executed.

/// Why a statement was not executed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not in order.
    #[error(transparent)]
    Language(#[from] muster_language::Error),
    /// The query has no answer.
    #[error(transparent)]
    Query(#[from] muster_query::Error),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] muster_store::Error),
    /// The state file cannot be read or written.
    #[error(transparent)]
    State(#[from] muster_state::Error),
    /// Nothing was loaded yet.
    #[error("there is no data yet; load some with `muster load`")]
    NoData,
    /// There is no such segment.
    #[error("there is no segment `{name}`{}", did_you_mean(nearest))]
    UnknownSegment {
        /// The name that was asked for.
        name: String,
        /// The nearest one that there is.
        nearest: Option<String>,
    },
    /// There is no such table.
    #[error("there is no table `{name}`{}", did_you_mean(nearest))]
    UnknownTable {
        /// The name that was asked for.
        name: String,
        /// The nearest one that there is.
        nearest: Option<String>,
    },
    /// The table has no such column.
    #[error("there is no column `{name}` in `{table}`{}", did_you_mean(nearest))]
    UnknownColumn {
        /// The table.
        table: String,
        /// The name that was asked for.
        name: String,
        /// The nearest one that there is.
        nearest: Option<String>,
    },
    /// There is no such row as of the instant.
    #[error("there is no row of `{table}` with the key `{key}` as of {instant}")]
    UnknownRow {
        /// The table.
        table: String,
        /// The key that was asked for.
        key: String,
        /// The instant, in the workspace's zone.
        instant: String,
    },
    /// The name is taken.
    #[error("there is a segment `{name}` already; CREATE OR REPLACE SEGMENT takes its place")]
    Exists {
        /// The name.
        name: String,
    },
    /// Two definitions that come together have one name.
    #[error("there are two definitions of the segment `{name}`; keep one, or rename the other")]
    Twice {
        /// The name.
        name: String,
    },
    /// Others are built on it.
    #[error("`{name}` is used by {}; drop or change those first", users.join(", "))]
    InUse {
        /// The segment.
        name: String,
        /// The segments that name it.
        users: Vec<String>,
    },
    /// Segments that are defined by each other.
    #[error("these segments are defined by each other: {}", cycle.join(" → "))]
    Cycle {
        /// The way round; first and last are the same.
        cycle: Vec<String>,
    },
    /// A part of the language that this version does not have.
    #[error("a segment of `{grain}` is not supported yet; select from profiles")]
    RowSegment {
        /// The table that it selects from.
        grain: String,
    },
    /// A statement that writes, in a session that only reads.
    #[error("this statement writes, and the workspace was opened for reading")]
    ReadOnly,
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
