//! Loops for the processor at hand: the same code, compiled for each kind of vector unit, and chosen when it runs.

use std::sync::LazyLock;

use fearless_simd::{Level, Simd, dispatch};

static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);

/// Does the work with the widest vectors that there are. Loops over whole numbers in it come out the same with any.
pub(super) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    dispatch!(*LEVEL, simd => simd.vectorize(work))
}
