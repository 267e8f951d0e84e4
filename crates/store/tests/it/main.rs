//! The store as its callers see it: rows go in, snapshots come out, and the disk holds them.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod fixture;

mod damage;
mod durable;
mod laid_out;
mod lists;
mod memory;
mod merging;
mod model;
mod owners;
