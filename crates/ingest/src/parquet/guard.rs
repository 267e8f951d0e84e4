//! Where Arrow's reader meets bytes from strangers: its panic over them is a damaged file like any other.
//!
//! Nothing is hooked here: what a panic prints belongs to the process, so whoever owns it can keep quiet while
//! [`is_guarded`].

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::errors::ParquetError;

use super::fault::ParquetFault;
use crate::error::{Damage, Error};
use crate::source::SourceFile;
use crate::stream::damaged;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread decodes a file of others: a panic then ends as [`Damage::Parquet`](crate::Damage::Parquet), and
/// need not be told on stderr.
pub fn is_guarded() -> bool {
    GUARDED.get()
}

/// Runs `read`, and survives its panic.
pub(super) fn guarded<T>(source: &SourceFile, read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Error> {
    let outer = GUARDED.replace(true);
    // What `read` has half made when it panics goes with it.
    let caught = catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(outer);
    match caught {
        Ok(result) => result.map_err(|error| damaged(&source.name, ParquetFault::Unreadable(error).into())),
        Err(_panic) => Err(damaged(&source.name, ParquetFault::Contradiction.into())),
    }
}

impl From<ParquetFault> for Damage {
    fn from(fault: ParquetFault) -> Self {
        Self::Parquet(fault)
    }
}
