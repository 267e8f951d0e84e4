//! The history kernel: a resolved query over the blocks themselves, without a join or a hash table.
//!
//! Text becomes rows in one direction, a file per stage:
//!
//! 1. [`compile`]: the names of a resolved query become *domains* and fields of a *scope* ([`building`], [`plan`]), its
//!    expressions become the engine's ([`planner`]), so types and functions are those of plain SQL.
//! 2. [`placed`]: an expression is cut where its parts are about fewer rows. A domain is a set of rows of which each row at
//!    hand has one: its parent's, a lookup's, a text of a dictionary. What is about dates alone is asked of days ([`days`]).
//! 3. [`block`]: in a block, values for the rows of each domain, carried to the rows that ask.
//! 4. [`tuples`]: the rows of a scope, with the enclosing rows beside them; which of them pass a filter.
//! 5. [`visible`], [`reducing`], [`chosen`], [`reduce`]: the rows of a history stand together for each row above them, so an
//!    aggregate is a pass over slices. One that compares with enclosing rows by their order alone counts ranges of slices
//!    ([`ranges`]), any other is taken over pairs, of those rows only that may count.
//! 6. [`rows`]: what passed is a flat table, over which the engine does the rest of the statement.
//! 7. [`cube`], [`codes`], [`cells`]: where that is to group rows and count, it is done here too: values are told apart where
//!    they have the fewest rows, and the engine reads a table of groups. [`overlap`] counts pairs of segments in bitmaps.
//!
//! [`each`] asks the same of one profile: a block is then that profile with its history, and nothing else.
//!
//! What the kernel does not know runs as plain SQL, with the same answer.

mod block;
mod building;
mod carried;
mod cells;
mod chosen;
mod codes;
mod compile;
mod cube;
mod days;
mod each;
mod nth;
mod overlap;
mod packed;
mod placed;
mod plan;
mod planner;
mod ranges;
mod reduce;
mod reducing;
mod rows;
mod tuples;
mod vectors;
mod visible;
mod whole;
mod windows;

pub(crate) use compile::{Compiled, CompiledRows, compile, compile_each};
pub(crate) use cube::{cubes_of, with_cubes};
pub use each::EachProfile;
pub(crate) use overlap::Pairs;
pub(crate) use planner::statement;
pub(crate) use rows::KernelRows;
