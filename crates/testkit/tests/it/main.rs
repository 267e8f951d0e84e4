//! The interpreter held against the language's page: every rule and every function of it on a world that a reader can
//! hold in the head, with the answer worked out by hand.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic like the tests")]

mod arguments;
mod enclosing;
mod functions;
mod levels;
mod names;
mod numbers;
mod past;
mod places;
mod questions;
mod scalars;
mod segments;
mod shipped;
mod shop;
mod sql;
mod time;
