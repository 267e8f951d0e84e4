//! The tests of the binary, as a person or a script runs it: the story, the acceptance figures, the promises, the house.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod binary;
mod world;

mod checks;
mod commands;
mod exporting;
mod house;
mod kills;
mod loading;
mod real_data;
mod slt;
mod story;
