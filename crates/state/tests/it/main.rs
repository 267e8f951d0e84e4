//! The promises of the state: opened by one, migrated in order, durable when it answers.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic like the tests")]

mod copying;
mod opening;
mod writing;

use muster_state::{Error, Migration, Mode, State, Tx, params};

/// A shelf of jars: the tables that these tests write to.
const JARS: &[Migration] = &[Migration {
    room: "pantry",
    number: 1,
    sql: "CREATE TABLE jars (label TEXT PRIMARY KEY, grams INTEGER NOT NULL) STRICT;
          CREATE TABLE lids (jar TEXT NOT NULL REFERENCES jars (label) DEFERRABLE INITIALLY DEFERRED) STRICT;",
}];

fn pantry(dir: &tempfile::TempDir) -> State {
    State::open(dir.path(), JARS, Mode::Create).expect("an empty directory opens")
}

fn put(tx: &Tx<'_>, label: &str) -> Result<usize, Error> {
    tx.execute("INSERT INTO jars VALUES (?, 100)", params![label])
}

fn labels(state: &State) -> Vec<String> {
    state
        .read(|tx| tx.all("SELECT label FROM jars ORDER BY label", [], |row| row.get(0)))
        .map_err(|failure: Error| failure)
        .expect("jars can be read")
}
