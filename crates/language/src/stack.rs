//! Room on the stack for trees as deep as a statement may be.
//!
//! Syntax trees are walked, copied and printed by recursion, some of it derived in the parser's crate, where a level costs
//! kilobytes in an unoptimised build. The caps on the tokens bound the depth; this bounds what a thread must bring along.

/// What the deepest statement may take: two hundred queries inside one another took between 32 and 48 MiB in an
/// unoptimised build. Address space only, pages cost memory when they are touched.
const ROOM_BYTES: usize = 128 << 20;

/// The stack of a thread on which statements are read as it stands: to make room first takes longer than to read a short
/// one. Address space, too.
pub const STACK_BYTES: usize = 2 * ROOM_BYTES;

/// Runs `work` where the deepest statement fits.
pub(crate) fn deep<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(ROOM_BYTES, ROOM_BYTES, work)
}
