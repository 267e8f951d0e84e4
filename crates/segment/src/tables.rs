//! The room's tables in the state file.

use muster_state::Migration;

/// The segments' tables in the state file.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
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
    },
    // Who came into a segment and who went. Outlives the segment. `came_rows` and `went_rows` are bitmaps of ids where the
    // grain is profiles; rows of histories have no lasting id, so a row segment will keep keys there.
    Migration {
        room: "segment",
        number: 2,
        sql: "
CREATE TABLE segment_memberships (
    segment      TEXT    NOT NULL,
    number       INTEGER NOT NULL,
    grain        TEXT    NOT NULL,
    cause        TEXT    NOT NULL,
    definition   TEXT    NOT NULL,
    meaning      TEXT,
    snapshot     INTEGER NOT NULL,
    as_of        INTEGER NOT NULL,
    evaluated_at INTEGER NOT NULL,
    again        INTEGER NOT NULL,
    last_as_of   INTEGER NOT NULL,
    profiles     INTEGER NOT NULL,
    came         INTEGER NOT NULL,
    went         INTEGER NOT NULL,
    came_rows    BLOB,
    went_rows    BLOB,
    PRIMARY KEY (segment, number)
) STRICT;
INSERT INTO segment_memberships
    SELECT segment, 1, 'profiles', 'first', definition, NULL, snapshot, as_of, evaluated_at, 0, as_of,
           profiles, profiles, 0, rows, NULL
    FROM segment_audiences;
",
    },
    Migration {
        room: "segment",
        number: 3,
        sql: "
CREATE TABLE variable_definitions (
    name       TEXT    PRIMARY KEY,
    expression TEXT    NOT NULL,
    comment    TEXT,
    holds      TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    defined_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE segment_definitions ADD COLUMN refresh TEXT;
",
    },
    // Scores that are learnt: a table of values for each instant, with the model and the report that belong to it. Values are
    // Arrow streams, a block each, of rows by their numbers: like audiences, they are good as long as a load is not taken back.
    Migration {
        room: "segment",
        number: 4,
        sql: "
CREATE TABLE score_tables (
    score       TEXT    NOT NULL,
    as_of       INTEGER NOT NULL,
    snapshot    INTEGER NOT NULL,
    definition  TEXT    NOT NULL,
    computed_at INTEGER NOT NULL,
    profiles    INTEGER NOT NULL,
    model       TEXT,
    report      TEXT    NOT NULL,
    PRIMARY KEY (score, as_of)
) STRICT;
CREATE TABLE score_values (
    score TEXT    NOT NULL,
    as_of INTEGER NOT NULL,
    block INTEGER NOT NULL,
    rows  BLOB    NOT NULL,
    PRIMARY KEY (score, as_of, block)
) STRICT;
CREATE TABLE score_failures (
    score     TEXT    PRIMARY KEY,
    failed_at INTEGER NOT NULL,
    message   TEXT    NOT NULL
) STRICT;
",
    },
];
