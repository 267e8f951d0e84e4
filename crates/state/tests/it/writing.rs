//! Group commit: shared by those who wait together, and never at another's expense.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use muster_state::{Error, State, params};

use crate::{labels, pantry, put};

#[test]
fn writes_that_wait_together_share_one_commit() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    let before = state.commit_count();
    let asked = AtomicUsize::new(0);
    thread::scope(|scope| {
        // The first write holds the desk until the others are certainly waiting for it.
        let first = state.write(|tx| {
            for label in 0..20 {
                let (state, asked) = (&state, &asked);
                scope.spawn(move || {
                    asked.fetch_add(1, Ordering::SeqCst);
                    state.write(|tx| put(tx, &format!("jar {label:02}"))).unwrap();
                });
            }
            while asked.load(Ordering::SeqCst) < 20 {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(50));
            put(tx, "first")
        });
        first.unwrap();
    });
    assert_eq!(labels(&state).len(), 21);
    let commits = state.commit_count() - before;
    assert!(commits <= 3, "{commits} commits for 21 writes");
}

#[test]
fn one_write_alone_has_a_commit_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    let before = state.commit_count();
    for label in ["plum", "pear", "quince"] {
        state.write(|tx| put(tx, label)).unwrap();
    }
    assert_eq!(state.commit_count() - before, 3);
}

#[test]
fn a_failing_write_undoes_itself_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    let start = Barrier::new(16);
    thread::scope(|scope| {
        for label in 0..16 {
            let (state, start) = (&state, &start);
            scope.spawn(move || {
                start.wait();
                let outcome = state.write(|tx| {
                    put(tx, &format!("jar {label:02}"))?;
                    if label % 2 == 0 { put(tx, &format!("jar {label:02}")) } else { Ok(1) }
                });
                assert_eq!(outcome.is_ok(), label % 2 == 1, "jar {label}: {outcome:?}");
            });
        }
    });
    let odd: Vec<String> = (0..16).filter(|label| label % 2 == 1).map(|label| format!("jar {label:02}")).collect();
    assert_eq!(labels(&state), odd);
}

#[test]
fn a_panic_in_a_write_undoes_it_and_leaves_the_state_usable() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        state.write(|tx| {
            put(tx, "plum")?;
            if labels(&state).is_empty() {
                panic!("the jar fell");
            }
            Ok::<_, Error>(())
        })
    }));
    assert!(panicked.is_err());
    state.write(|tx| put(tx, "pear")).unwrap();
    assert_eq!(labels(&state), ["pear"]);
}

#[test]
fn nobody_sees_a_write_before_its_commit() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    state
        .write(|tx| {
            put(tx, "plum")?;
            assert!(labels(&state).is_empty());
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(labels(&state), ["plum"]);
}

#[test]
fn after_a_failed_commit_nothing_is_accepted_and_nothing_was_kept() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    state.write(|tx| put(tx, "plum")).unwrap();
    // A lid without its jar is found out only at the commit.
    let refused = state.write(|tx| tx.execute("INSERT INTO lids VALUES (?)", params!["pear"]));
    assert!(matches!(refused, Err(Error::Fatal { .. })), "{refused:?}");
    let refused = state.write(|tx| put(tx, "quince"));
    assert!(matches!(refused, Err(Error::Fatal { .. })), "{refused:?}");
    drop(state);
    assert_eq!(labels(&pantry(&dir)), ["plum"]);
}

#[test]
fn a_write_that_ends_the_transaction_itself_is_fatal() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    let refused = state.write(|tx| tx.execute("ROLLBACK", []));
    assert!(matches!(refused, Err(Error::Fatal { .. })), "{refused:?}");
    assert!(matches!(state.write(|tx| put(tx, "plum")), Err(Error::Fatal { .. })));
}

#[test]
fn a_process_whose_epoch_has_passed_cannot_commit() {
    let dir = tempfile::tempdir().unwrap();
    let stale = pantry(&dir);
    stale.write(|tx| put(tx, "plum")).unwrap();
    take_over(&dir);
    let refused = stale.write(|tx| put(tx, "pear")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a later process (epoch 2) took this data directory over from this one (epoch 1); nothing more is committed here"
    );
    assert_eq!(labels(&stale), ["plum"]);
}

/// What a second process does that the lock failed to keep out.
fn take_over(dir: &tempfile::TempDir) {
    let other = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    other.execute("UPDATE epoch SET number = number + 1", []).unwrap();
}

#[test]
fn the_log_is_folded_in_before_it_grows_without_bound() {
    let dir = tempfile::tempdir().unwrap();
    let state = pantry(&dir);
    let large = "x".repeat(1 << 20);
    for label in 0..40 {
        put_large(&state, label, &large);
    }
    let log = std::fs::metadata(dir.path().join("state.db-wal")).unwrap().len();
    assert!(log < 12 << 20, "40 MiB were written; the log holds {log} bytes");
}

fn put_large(state: &State, label: i32, contents: &str) {
    let put = |tx: &muster_state::Tx<'_>| put(tx, &format!("{label} {contents}"));
    state.write(put).unwrap();
}
