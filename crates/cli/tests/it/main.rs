//! The tests of the binary, as a person or a script runs it: the story, the acceptance figures, the promises, the house.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod binary;
mod world;

mod checks;
mod commands;
mod definitions;
mod durable;
mod exporting;
mod guards;
mod house;
mod init;
mod kills;
mod kills_of_loads;
mod language;
mod lists;
mod loading;
mod memberships;
mod owners;
mod prompt;
mod real_data;
mod rows;
mod scores;
mod sending;
mod serve;
mod slt;
mod status;
mod story;
mod tutorial;
mod undo;
