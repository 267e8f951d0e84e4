//! `muster.toml` from text to catalog: every way to get it wrong, each with the whole message that follows.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic like the tests")]

mod world;

mod valid;

mod workspace;

mod tables;

mod columns;

mod reading;

mod relations;

mod channels;

mod conditions;

mod later;

mod lists;

mod purchase;

mod scores;

mod several;

mod mutations;
