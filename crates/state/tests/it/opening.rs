//! Who may open the state, and which files are refused.

use muster_state::{Error, Migration, Mode, State};

use crate::{JARS, labels, pantry, put};

const SHELVES: Migration = Migration {
    room: "pantry",
    number: 2,
    sql: "CREATE TABLE shelves (jar TEXT NOT NULL REFERENCES jars (label), shelf INTEGER) STRICT",
};

fn refusal(dir: &tempfile::TempDir, migrations: &[Migration], mode: Mode) -> String {
    let refused = State::open(dir.path(), migrations, mode).err().expect("this must be refused");
    refused.to_string().replace(&dir.path().display().to_string(), "data")
}

#[test]
fn what_was_written_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    pantry(&dir).write(|tx| put(tx, "plum")).unwrap();
    assert_eq!(labels(&pantry(&dir)), ["plum"]);
}

#[test]
fn a_second_process_is_refused_while_the_first_writes() {
    let dir = tempfile::tempdir().unwrap();
    let first = pantry(&dir);
    assert_eq!(
        refusal(&dir, JARS, Mode::Create),
        "data/lock: another muster process is writing to this data directory; wait until it ends"
    );
    drop(first);
    assert_eq!(pantry(&dir).epoch(), 2);
}

#[test]
fn a_directory_without_state_is_made_only_where_asked() {
    let dir = tempfile::tempdir().unwrap();
    let missing = "data/state.db: no state here yet; `muster load` or `muster init` makes it";
    assert_eq!(refusal(&dir, JARS, Mode::Existing), missing);
    let refused = State::read_only(dir.path(), JARS).err().unwrap();
    assert!(matches!(refused, Error::Missing { .. }), "{refused}");
    pantry(&dir);
    State::open(dir.path(), JARS, Mode::Existing).unwrap();
}

#[test]
fn migrations_are_applied_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    drop(pantry(&dir));
    let both = [JARS[0], SHELVES];
    for _ in 0..2 {
        let state = State::open(dir.path(), &both, Mode::Existing).unwrap();
        let applied = state
            .read(|tx| tx.all("SELECT number FROM migrations ORDER BY number", [], |row| row.get::<_, u32>(0)))
            .map_err(|failure: Error| failure)
            .unwrap();
        assert_eq!(applied, [1, 2]);
    }
}

#[test]
fn a_list_that_skips_a_number_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(refusal(&dir, &[SHELVES], Mode::Create), "migration pantry 2 is out of order; expected pantry 1");
}

#[test]
fn a_migration_that_was_rewritten_after_its_release_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(pantry(&dir));
    let rewritten = Migration { sql: "CREATE TABLE jars (label TEXT) STRICT", ..JARS[0] };
    assert_eq!(
        refusal(&dir, &[rewritten], Mode::Create),
        "migration pantry 1 was applied with another text; a released migration never changes: add a new one"
    );
}

#[test]
fn a_database_of_a_newer_binary_is_refused_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    drop(State::open(dir.path(), &[JARS[0], SHELVES], Mode::Create).unwrap());
    assert_eq!(
        refusal(&dir, JARS, Mode::Create),
        "data/state.db: a newer muster wrote this (migration pantry 2, which this binary does not know); use that version or a later one"
    );
    assert!(matches!(State::read_only(dir.path(), JARS), Err(Error::Newer { .. })));
}

#[test]
fn a_reader_does_not_migrate_and_says_who_does() {
    let dir = tempfile::tempdir().unwrap();
    drop(pantry(&dir));
    let refused = State::read_only(dir.path(), &[JARS[0], SHELVES]).err().unwrap();
    assert!(refused.to_string().contains("(migration pantry 2 is missing)"), "{refused}");
}

#[test]
fn a_failed_migration_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(pantry(&dir));
    let broken = Migration { sql: "CREATE TABLE half (a TEXT) STRICT; CREATE TABLE;", ..SHELVES };
    let refused = refusal(&dir, &[JARS[0], broken], Mode::Create);
    assert_eq!(refused, "migration pantry 2 failed; nothing was changed");
    State::open(dir.path(), &[JARS[0], SHELVES], Mode::Create).expect("the right text still applies");
}

#[test]
fn a_table_that_is_not_strict_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let loose = Migration { sql: "CREATE TABLE drawers (label TEXT)", ..JARS[0] };
    assert_eq!(
        refusal(&dir, &[loose], Mode::Create),
        "table drawers is not STRICT; its CREATE TABLE must end in STRICT"
    );
}

#[test]
fn a_file_that_muster_did_not_make_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let other = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    other.execute_batch("CREATE TABLE t (a)").unwrap();
    assert_eq!(
        refusal(&dir, JARS, Mode::Create),
        "data/state.db: this is not a state file of muster (application id 0x0, expected 0x4d535452)"
    );
}

#[test]
fn what_a_crash_left_behind_is_read_and_written_on() {
    let (dir, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let state = pantry(&dir);
    state.write(|tx| put(tx, "plum")).unwrap();
    // As a kill leaves it: the database without the log's latest pages, and the log.
    for file in ["state.db", "state.db-wal"] {
        std::fs::copy(dir.path().join(file), image.path().join(file)).unwrap();
    }
    let count = State::read_only(image.path(), JARS)
        .and_then(|reader| reader.read(|tx| tx.one("SELECT count(*) FROM jars", [], |row| row.get::<_, i64>(0))));
    assert_eq!(count.unwrap(), 1);
    pantry(&image).write(|tx| put(tx, "pear")).unwrap();
    assert_eq!(labels(&pantry(&image)), ["pear", "plum"]);
}

#[test]
fn a_reader_works_beside_the_writer_and_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    state.write(|tx| put(tx, "plum")).unwrap();
    let reader = State::read_only(dir.path(), JARS).unwrap();
    let count = |reader: &muster_state::Reader| -> i64 {
        reader
            .read(|tx| tx.one("SELECT count(*) FROM jars", [], |row| row.get(0)))
            .map_err(|failure: Error| failure)
            .unwrap()
    };
    assert_eq!(count(&reader), 1);
    state.write(|tx| put(tx, "pear")).unwrap();
    assert_eq!(count(&reader), 2);
    let refused = reader.read(|tx| put(tx, "quince"));
    assert!(matches!(refused, Err(Error::Statement(_))));
}

#[test]
fn a_reader_tells_that_something_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    let reader = state.reader().unwrap();
    let before = reader.change().unwrap();
    assert_eq!(reader.change().unwrap(), before);
    state.write(|tx| put(tx, "plums")).unwrap();
    assert_ne!(reader.change().unwrap(), before);
}
