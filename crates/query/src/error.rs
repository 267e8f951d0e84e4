//! Why a query has no answer.

use std::time::Duration;

use datafusion::error::DataFusionError;

use crate::engine::Limits;
use crate::interrupt::TimeIsOver;
use crate::masks::MaskedColumn;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It took longer than it may.
    #[error("the query was stopped after {} s; ask for less, or allow more with --timeout", limit.as_secs_f64())]
    Time {
        /// How long it may take.
        limit: Duration,
    },
    /// Somebody stopped it.
    #[error("the query was stopped")]
    Stopped,
    /// It would have answered more rows than it may.
    #[error("the answer has more than {rows} rows; add a LIMIT, or export a segment instead")]
    Rows {
        /// How many it may have.
        rows: u64,
    },
    /// Its answer would have been larger than it may.
    #[error("the answer has more than {} MiB; select fewer columns or rows, or export a segment instead", bytes.div_ceil(1 << 20))]
    Bytes {
        /// How many it may have.
        bytes: u64,
    },
    /// It reads a column that it may not see, and would be wrong without it.
    #[error("`{column}` is {class}, which this session may not see; grant {class} with --grant, or leave it out")]
    Masked {
        /// Table and column.
        column: String,
        /// The word for who may see it.
        class: &'static str,
    },
    /// It needed more memory than it may.
    #[error("the query needs more than {} MiB of memory; ask for less at once", bytes.div_ceil(1 << 20))]
    Memory {
        /// How much it may take.
        bytes: usize,
        /// What the engine said.
        #[source]
        source: Box<DataFusionError>,
    },
    /// The engine refuses it: wrong types, an unknown function, a number that is too large.
    #[error("the query cannot be answered: {}", root_message(source))]
    Engine {
        /// What the engine said.
        source: Box<DataFusionError>,
    },
    /// It asks for something that no query may do.
    #[error("a query only reads: {what} is not allowed")]
    NotAllowed {
        /// What it asks for.
        what: String,
    },
    /// It is to be asked of one profile at a time and cannot be.
    #[error("this cannot be asked of one profile alone: {why}")]
    Others {
        /// What it looks at beside the one.
        why: String,
    },
    /// The threads of the engine could not be started.
    #[error("the engine cannot start its threads")]
    Threads(#[source] std::io::Error),
}

impl Error {
    pub(crate) fn from_engine(error: DataFusionError, limits: &Limits) -> Self {
        let source = Box::new(error);
        match source.find_root() {
            DataFusionError::External(cause) if cause.is::<TimeIsOver>() => Self::Time { limit: limits.time },
            DataFusionError::External(cause) if cause.is::<MaskedColumn>() => masked(cause.as_ref()),
            DataFusionError::ResourcesExhausted(_) => Self::Memory { bytes: limits.memory, source },
            _ => Self::Engine { source },
        }
    }
}

fn masked(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> Error {
    let MaskedColumn { column, class } = cause.downcast_ref().expect("the caller looked");
    Error::Masked { column: column.clone(), class }
}

/// The engine's innermost words, without the layers that it wraps around them and the candidates that it lists below.
fn root_message(error: &DataFusionError) -> String {
    error.find_root().message().lines().next().unwrap_or_default().trim().to_owned()
}
