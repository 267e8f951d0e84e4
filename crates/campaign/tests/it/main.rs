//! Campaigns from text to ledger, over a channel in memory, with crashes at every point.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic like the tests")]

mod shop;

mod post;

mod fuse;

mod definition;

mod interpreter;

mod publishing;

mod consent;

mod sending;

mod retries;

mod crashes;

mod refusals;
