//! Text files, whatever they are like: one positive and one negative case for each kind of bad input, by its number.

mod encoding;
mod keys;
mod shape;
mod values;

use muster_ingest::{Error, Flag, TableLoad};

use crate::world::{World, assert_adds_up, lines};

/// Profiles from `c.csv`, whose key is `id`, with these settings.
fn profiles(settings: &str) -> String {
    format!("[tables.profiles]\nsource = \"c.csv\"\nkey = \"id\"\n{settings}")
}

/// The load of profiles and what was rejected.
#[track_caller]
fn read(settings: &str, content: impl AsRef<[u8]>) -> (TableLoad, Vec<String>) {
    let world = World::new(&profiles(settings)).file("c.csv", content);
    let (load, rejects) = world.load_watched("profiles");
    let load = load.unwrap_or_else(|error| panic!("{error}"));
    assert_adds_up(&load);
    (load, lines(&rejects))
}

/// Why profiles cannot be loaded.
#[track_caller]
fn refusal(settings: &str, content: impl AsRef<[u8]>) -> String {
    failure(settings, content).to_string()
}

#[track_caller]
fn failure(settings: &str, content: impl AsRef<[u8]>) -> Error {
    World::new(&profiles(settings)).file("c.csv", content).failure("profiles")
}

/// How many rows have this flag, in any column.
fn flagged(load: &TableLoad, flag: Flag) -> u64 {
    load.report.flags.iter().filter(|count| count.flag == flag).map(|count| count.rows).sum()
}
