//! The writer: one write at a time, many writes to a commit.
//!
//! A commit waits for the disk (milliseconds); a write does not (microseconds). So the first write
//! of a group leads it: it lets the writes that are waiting join, then commits for all of them, and
//! nobody returns before that. While it commits, the next group gathers at the mutex.
//!
//! There is no thread behind a channel here. The caller's own thread runs its work under the mutex,
//! so that work may borrow what its caller holds, a panic unwinds where it belongs, and the queue is
//! as long as there are threads that wait. Still only one thread writes, commits or checkpoints at a
//! time, on one connection.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::{Error, Tx, lock};

/// A group that is this large is committed even while others wait, so that its members do not starve.
const LARGEST_GROUP: usize = 1_024;
/// How long a leader waits for as many as came last time. About the price of one sync: less would
/// split groups, more would only add to what every member waits.
const GATHERING: Duration = Duration::from_millis(2);
/// The log is folded into the database when it is larger than this; readers slow down with its length.
const CHECKPOINT_BYTES: u64 = 8 << 20;

/// The only way to write: the connection, and the group of writes that is gathering on it.
pub(crate) struct Writer {
    desk: Mutex<Desk>,
    /// Threads that have asked to write and do not hold the desk yet.
    queue: AtomicUsize,
    /// A write joined the group: its leader looks again.
    joined: Condvar,
    /// A group was committed or refused: its members look again.
    settled: Condvar,
}

struct Desk {
    connection: Connection,
    log: PathBuf,
    checkpoint_above: u64,
    epoch: i64,
    /// The number of the group that gathers, or will gather next; counts commits from 1.
    group: u64,
    /// Writes in the gathering group; 0 when none has begun.
    members: usize,
    /// Writes in the group before: what a leader may hope for.
    members_before: usize,
    /// Why nothing is accepted any more.
    closed: Option<Closed>,
}

#[derive(Clone)]
enum Closed {
    Fenced { ours: i64, current: i64 },
    Fatal(Arc<rusqlite::Error>),
}

impl From<Closed> for Error {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Fenced { ours, current } => Error::Fenced { ours, current },
            Closed::Fatal(source) => Error::Fatal { source },
        }
    }
}

impl Writer {
    /// `connection` must not wait on a busy database: nobody else writes here, and a checkpoint that
    /// waited for a reader would hold up every write.
    pub(crate) fn new(connection: Connection, path: &Path, epoch: i64) -> Self {
        let desk = Desk {
            connection,
            log: path.with_extension("db-wal"),
            checkpoint_above: CHECKPOINT_BYTES,
            epoch,
            group: 1,
            members: 0,
            members_before: 0,
            closed: None,
        };
        Writer { desk: Mutex::new(desk), queue: AtomicUsize::new(0), joined: Condvar::new(), settled: Condvar::new() }
    }

    /// See [`State::write`](crate::State::write).
    pub(crate) fn write<T, E: From<Error>>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut desk = self.take_desk();
        let leads = desk.join()?;
        let outcome = desk.run(work);
        let settled = if leads { self.lead(desk) } else { self.follow(desk) };
        match outcome {
            Ok(Ok(done)) => settled.map(|()| done).map_err(E::from),
            // That nothing was kept is the smaller news where nothing will be kept from now on.
            Ok(Err(refused)) => Err(settled.err().map_or(refused, E::from)),
            Err(panic) => resume_unwind(panic),
        }
    }

    pub(crate) fn commit_count(&self) -> u64 {
        self.lock_desk().group - 1
    }

    fn take_desk(&self) -> MutexGuard<'_, Desk> {
        self.queue.fetch_add(1, Ordering::SeqCst);
        let desk = self.lock_desk();
        self.queue.fetch_sub(1, Ordering::SeqCst);
        desk
    }

    fn lock_desk(&self) -> MutexGuard<'_, Desk> {
        // Work cannot panic under the mutex (it is caught), so what it guards is whole either way.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gathers the group that this thread began, and commits it.
    fn lead(&self, mut desk: MutexGuard<'_, Desk>) -> Result<(), Error> {
        let began = Instant::now();
        while desk.may_grow(self.queue.load(Ordering::SeqCst), began.elapsed()) {
            (desk, _) = self.joined.wait_timeout(desk, GATHERING).unwrap_or_else(PoisonError::into_inner);
        }
        let settled = desk.commit();
        self.settled.notify_all();
        settled
    }

    /// Waits until the leader of this thread's group has committed it.
    fn follow(&self, mut desk: MutexGuard<'_, Desk>) -> Result<(), Error> {
        let group = desk.group;
        self.joined.notify_one();
        while desk.group == group && desk.closed.is_none() {
            desk = self.settled.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
        if desk.group > group { Ok(()) } else { desk.refuse_if_closed() }
    }
}

impl Desk {
    /// Enters the gathering group; true where that began it, which makes the caller its leader.
    fn join(&mut self) -> Result<bool, Error> {
        self.refuse_if_closed()?;
        let leads = self.members == 0;
        if leads {
            self.begin()?;
        }
        self.members += 1;
        Ok(leads)
    }

    fn refuse_if_closed(&self) -> Result<(), Error> {
        self.closed.clone().map_or(Ok(()), |closed| Err(closed.into()))
    }

    /// Begins the group's transaction. It holds SQLite's write lock, so the epoch cannot change
    /// between this check and the commit.
    fn begin(&mut self) -> Result<(), Error> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let current = lock::current_epoch(&self.connection)?;
        if current == self.epoch {
            return Ok(());
        }
        self.closed = Some(Closed::Fenced { ours: self.epoch, current });
        self.connection.execute_batch("ROLLBACK")?;
        self.refuse_if_closed()
    }

    /// Runs one write in a savepoint, and undoes it alone where it fails or panics.
    fn run<T, E: From<Error>>(&mut self, work: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> thread::Result<Result<T, E>> {
        let outcome = catch_unwind(AssertUnwindSafe(|| in_savepoint(&self.connection, work)));
        if self.connection.is_autocommit() {
            self.closed = Some(Closed::Fatal(Arc::new(transaction_lost())));
        }
        outcome
    }

    /// Whoever already waits is let in (each thread has one write at a time, so they are few); whoever only came last time
    /// is hoped for, for a while.
    fn may_grow(&self, queue: usize, gathered_for: Duration) -> bool {
        let hopes = self.members < self.members_before && gathered_for < GATHERING;
        self.members < LARGEST_GROUP && (queue > 0 || hopes)
    }

    /// Makes the group durable. A failure is final: after a failed sync the pages that the kernel
    /// holds may differ from the disk, and a second sync would report success over the loss.
    fn commit(&mut self) -> Result<(), Error> {
        self.refuse_if_closed()?;
        let members = std::mem::take(&mut self.members);
        match self.connection.execute_batch("COMMIT").and_then(|()| self.checkpoint()) {
            Ok(()) => {
                self.group += 1;
                self.members_before = members;
                Ok(())
            }
            Err(failure) => {
                self.closed = Some(Closed::Fatal(Arc::new(failure)));
                self.refuse_if_closed()
            }
        }
    }

    /// Folds a long log into the database and empties it. Where a reader still needs its frames, it
    /// is left to grow as much again before the next attempt.
    fn checkpoint(&mut self) -> rusqlite::Result<()> {
        let length = std::fs::metadata(&self.log).map_or(0, |log| log.len());
        if length <= self.checkpoint_above {
            return Ok(());
        }
        let busy: i64 = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        self.checkpoint_above = if busy == 0 { CHECKPOINT_BYTES } else { length + CHECKPOINT_BYTES };
        Ok(())
    }
}

fn in_savepoint<T, E: From<Error>>(
    connection: &Connection,
    work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let savepoint = Savepoint::begin(connection)?;
    let done = work(&Tx::new(connection))?;
    savepoint.keep()?;
    Ok(done)
}

/// SQLite ends a whole transaction by itself when the disk is full or fails, and with it the writes
/// of the group that had already succeeded.
fn transaction_lost() -> rusqlite::Error {
    let message = "the transaction was ended under its writes".to_string();
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT), Some(message))
}

/// One write within a group's transaction; undone when it is dropped without [`Savepoint::keep`].
struct Savepoint<'c> {
    connection: &'c Connection,
    kept: bool,
}

impl<'c> Savepoint<'c> {
    fn begin(connection: &'c Connection) -> Result<Self, Error> {
        connection.prepare_cached("SAVEPOINT write_of_one")?.execute([])?;
        Ok(Savepoint { connection, kept: false })
    }

    fn keep(mut self) -> Result<(), Error> {
        self.connection.prepare_cached("RELEASE write_of_one")?.execute([])?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Savepoint<'_> {
    fn drop(&mut self) {
        if !self.kept {
            // It can only fail where SQLite has ended the whole transaction, which `Desk::run` notices.
            self.connection.execute_batch("ROLLBACK TO write_of_one; RELEASE write_of_one").ok();
        }
    }
}
