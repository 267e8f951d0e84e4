//! The demo room from outside: the files it writes and the mail server it plays.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic like the tests")]

mod corner_shop;
mod days;
mod mail;
mod shop;
mod sink;
mod tables;
