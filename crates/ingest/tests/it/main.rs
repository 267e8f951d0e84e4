//! The room as its users see it: files in a folder, a catalog, and what comes out.

#![allow(clippy::unwrap_used, reason = "a helper of tests may fail the test like the test itself")]

mod binary;
mod flat;
mod foreign;
mod formats;
mod guess;
mod ndjson;
mod real;
mod rejects;
mod rows;
mod sources;
mod types;
mod world;
