//! The interpreter held against the language's page: every rule and every function of it on a world that a reader can
//! hold in the head, with the answer worked out by hand.

mod arguments;
mod enclosing;
mod functions;
mod levels;
mod names;
mod numbers;
mod past;
mod places;
mod scalars;
mod segments;
mod shipped;
mod shop;
mod sql;
mod time;
