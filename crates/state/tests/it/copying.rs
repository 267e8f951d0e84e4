//! Copies of the state: those that are made on purpose, and those that somebody made of the whole directory.

use std::fs;
use std::path::Path;

use muster_state::{Instance, Mode, Reader, State};

use crate::{JARS, labels, pantry, put};

fn instance(state: &State, dir: &Path) -> Instance {
    state.read(|tx| Instance::read(tx, dir)).unwrap().unwrap()
}

/// What `cp -r` makes of a data directory that nobody writes to.
fn copied(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::copy(dir.join("state.db"), copy.path().join("state.db")).unwrap();
    copy
}

#[test]
fn a_copy_beside_the_writer_holds_every_commit_and_nothing_open() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let state = pantry(&dir);
    state.write(|tx| put(tx, "plum")).unwrap();
    state
        .write(|tx| {
            put(tx, "pear")?;
            state.reader()?.copy_to(&copy.path().join("state.db"))
        })
        .unwrap();
    assert_eq!(fs::read_dir(copy.path()).unwrap().count(), 1, "a copy is one file");
    assert_eq!(labels(&State::open(copy.path(), JARS, Mode::Existing).unwrap()), ["plum"]);
    assert_eq!(labels(&state), ["pear", "plum"]);
}

#[test]
fn a_copied_directory_is_told_from_the_one_it_was_copied_from() {
    let dir = tempfile::tempdir().unwrap();
    let first = instance(&pantry(&dir), dir.path());
    assert!(!first.is_copy);
    first.refuse_copy().unwrap();
    let copy = copied(dir.path());
    let state = pantry(&copy);
    let second = instance(&state, copy.path());
    assert_eq!((second.is_copy, &second.id), (true, &first.id));
    let refused = second.refuse_copy().unwrap_err().to_string();
    assert!(refused.contains("is a copy of another one") && refused.contains("take-over"), "{refused}");
    state.write(|tx| Instance::take_over(tx, copy.path())).unwrap();
    let taken = instance(&state, copy.path());
    assert!(!taken.is_copy && taken.id != first.id);
    assert_eq!(instance(&pantry(&dir), dir.path()), first);
}

#[test]
fn a_renamed_directory_is_the_same_one() {
    let dir = tempfile::tempdir().unwrap();
    let (before, after) = (dir.path().join("a"), dir.path().join("b"));
    drop(State::open(&before, JARS, Mode::Create).unwrap());
    fs::rename(&before, &after).unwrap();
    assert!(!instance(&State::open(&after, JARS, Mode::Existing).unwrap(), &after).is_copy);
}

#[test]
fn a_state_that_was_parted_is_a_copy_where_it_lies() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    let before = instance(&state, dir.path());
    state.write(Instance::part).unwrap();
    let after = instance(&state, dir.path());
    assert!(after.is_copy && after.id != before.id);
}

#[test]
fn a_whole_file_has_no_faults_and_a_damaged_one_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    (0..500).for_each(|jar| assert_eq!(state.write(|tx| put(tx, &format!("jar {jar:04}"))).unwrap(), 1));
    drop(state);
    assert_eq!(Reader::of_any_age(dir.path()).unwrap().faults(), [""; 0]);
    let file = dir.path().join("state.db");
    let mut bytes = fs::read(&file).unwrap();
    let (pages, page) = (bytes.len() / 4096, 4096);
    // The last page is the newest part of the jars or of their index.
    bytes[(pages - 1) * page..].fill(0xA5);
    fs::write(&file, bytes).unwrap();
    let faults = Reader::of_any_age(dir.path()).unwrap().faults();
    assert!(!faults.is_empty());
}

#[test]
fn rows_that_refer_to_nothing_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    drop(pantry(&dir));
    let other = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    other.execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO lids VALUES ('quince'), ('fig')").unwrap();
    drop(other);
    let faults = Reader::of_any_age(dir.path()).unwrap().faults();
    assert_eq!(faults, ["2 rows of lids refer to rows of jars that are not there"]);
}
