//! The room as its users see it: files in a folder, a catalog, and what comes out.

#![allow(clippy::unwrap_used, reason = "a helper of tests may fail the test like the test itself")]

mod flat;
mod formats;
mod real;
mod rejects;
mod types;
mod world;
