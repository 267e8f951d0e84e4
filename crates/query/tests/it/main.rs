//! Queries from text to rows over a published shop: what they answer, exactly, and where they stop.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic like the tests")]

mod world;

mod history;

mod segments;

mod lists;

mod as_of;

mod calendar;
mod functions;

mod numbers;

mod limits;

mod hostile;

mod kernel;

mod masked;
mod names;

mod nesting;

mod subqueries;
mod threads;
