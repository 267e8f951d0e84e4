//! The room's tables in the state file.

use muster_state::Migration;

/// The segments' tables in the state file.
pub const MIGRATIONS: &[Migration] = &[Migration {
    room: "segment",
    number: 1,
    sql: "
CREATE TABLE segment_definitions (
    name       TEXT    PRIMARY KEY,
    query      TEXT    NOT NULL,
    comment    TEXT,
    digest     TEXT    NOT NULL,
    defined_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE segment_audiences (
    segment      TEXT    PRIMARY KEY REFERENCES segment_definitions (name) ON DELETE CASCADE,
    definition   TEXT    NOT NULL,
    snapshot     INTEGER NOT NULL,
    as_of        INTEGER NOT NULL,
    evaluated_at INTEGER NOT NULL,
    profiles     INTEGER NOT NULL,
    rows         BLOB    NOT NULL
) STRICT;
",
}];
