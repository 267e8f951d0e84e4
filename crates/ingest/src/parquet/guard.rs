//! Where Arrow's reader meets bytes from strangers: a thread of its own, whose panic is a damaged file like any other.
//!
//! Nothing is hooked here: what a panicking thread prints belongs to the process, so whoever owns it can keep quiet
//! for threads of the name [`GUARDED_THREAD`].

use std::thread;

use parquet::errors::ParquetError;

use super::fault::ParquetFault;
use crate::error::{Damage, Error};
use crate::source::SourceFile;
use crate::stream::{damaged, unreadable};

/// The name of the threads in which files of others are decoded; their panics end as
/// [`Damage::Parquet`](crate::Damage::Parquet) and need not be told on stderr.
pub const GUARDED_THREAD: &str = "foreign-parquet";

/// Runs `read` in a thread of its own.
pub(super) fn guarded<T: Send>(
    source: &SourceFile,
    read: impl FnOnce() -> Result<T, ParquetError> + Send,
) -> Result<T, Error> {
    let joined = thread::scope(|scope| {
        let thread = thread::Builder::new().name(GUARDED_THREAD.to_owned()).spawn_scoped(scope, read);
        // Joining is what catches: the thread unwinds to its own end and no further.
        thread.map(thread::ScopedJoinHandle::join)
    });
    match joined {
        Ok(Ok(result)) => result.map_err(|error| damaged(&source.name, ParquetFault::Unreadable(error).into())),
        Ok(Err(_panic)) => Err(damaged(&source.name, ParquetFault::Contradiction.into())),
        Err(error) => Err(unreadable(&source.name, error)),
    }
}

impl From<ParquetFault> for Damage {
    fn from(fault: ParquetFault) -> Self {
        Self::Parquet(fault)
    }
}
