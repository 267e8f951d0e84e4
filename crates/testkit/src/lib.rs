//! One way to build fixtures, for the tests of every room; never a normal dependency.
//!
//! Real data are found through the environment variable `MUSTER_TEST_DATA`. Without it a test that needs them skips,
//! loudly and counted: the gate fails when anything was skipped.
//!
//! [`interpreter`] is a slow, independent reading of the segment language over a small [`world`] of plain values: it
//! shares no line with the rooms that do the work, and has the last word.

mod real_data;
pub use real_data::real_data;

pub mod world;

pub mod interpreter;

pub mod generator;
