//! Why a query has no answer.

use std::time::Duration;

use datafusion::error::DataFusionError;

use crate::engine::Limits;
use crate::interrupt::TimeIsOver;

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
    /// The threads of the engine could not be started.
    #[error("the engine cannot start its threads")]
    Threads(#[source] std::io::Error),
}

impl Error {
    pub(crate) fn from_engine(error: DataFusionError, limits: &Limits) -> Self {
        let source = Box::new(error);
        match source.find_root() {
            DataFusionError::External(cause) if cause.is::<TimeIsOver>() => Self::Time { limit: limits.time },
            DataFusionError::ResourcesExhausted(_) => Self::Memory { bytes: limits.memory, source },
            _ => Self::Engine { source },
        }
    }
}

/// The engine's innermost words, without the layers that it wraps around them and the candidates that it lists below.
fn root_message(error: &DataFusionError) -> String {
    error.find_root().message().lines().next().unwrap_or_default().trim().to_owned()
}
