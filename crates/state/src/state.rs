//! [`State`]: the workspace's state, opened for writing or for reading.

use std::fs;
use std::path::{Path, PathBuf};

use crate::lock::{self, DirectoryLock};
use crate::writer::Writer;
use crate::{Error, Migration, Reader, Tx, connection, instance, migration};

/// Whether opening may make what is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Makes the data directory and the state file where they are missing.
    Create,
    /// Refuses a data directory without a state file.
    Existing,
}

/// The state of a workspace, opened for writing: the only one, until it is dropped.
///
/// Shared by reference between threads; [`State::write`] may be called from all of them at once.
pub struct State {
    path: PathBuf,
    epoch: i64,
    writer: Writer,
    // Last, so that the connection is closed before anyone else can take the directory.
    _lock: DirectoryLock,
}

impl State {
    /// Opens the state of the data directory `dir` for writing: takes the directory's lock, applies
    /// the migrations that are missing, and begins a new epoch.
    ///
    /// `migrations` holds those of every room, each room's in order; a room that refers to another's
    /// tables comes after it.
    ///
    /// # Errors
    /// [`Error::Locked`] where another process writes; [`Error::Missing`] in [`Mode::Existing`];
    /// [`Error::Newer`], [`Error::Foreign`], [`Error::Rewritten`] where the file is not this
    /// binary's to write.
    pub fn open(dir: &Path, migrations: &[Migration], mode: Mode) -> Result<State, Error> {
        let path = connection::path(dir);
        prepare(dir, &path, mode)?;
        let lock = DirectoryLock::take(dir)?;
        let mut connection = connection::open_writing(&path)?;
        migration::migrate(&mut connection, &path, migrations)?;
        instance::settle(&connection, dir)?;
        let epoch = lock::begin_epoch(&mut connection)?;
        Ok(State { writer: Writer::new(connection, &path, epoch), path, epoch, _lock: lock })
    }

    /// Opens the state of the data directory `dir` for reading only, without its lock: for commands
    /// that change nothing, also while another process writes.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is no state; [`Error::Older`] and [`Error::Newer`] where it is
    /// not as up to date as this binary.
    pub fn read_only(dir: &Path, migrations: &[Migration]) -> Result<Reader, Error> {
        Reader::open_verified(&connection::path(dir), migrations)
    }

    /// Runs `work` in a write transaction and returns when the commit that covers it is on disk.
    ///
    /// Writes that wait meanwhile share the commit, each in a savepoint of its own: where `work`
    /// fails, its changes alone are undone. While `work` runs no one else writes, so it waits for
    /// nothing: no network, no other lock, no second `write`.
    ///
    /// # Errors
    /// Those of `work`; [`Error::Fatal`] where the commit fails, then and ever after;
    /// [`Error::Fenced`] where a later process took over.
    pub fn write<T, E: From<Error>>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.writer.write(work)
    }

    /// Runs `work` on a consistent view of what is committed, beside the writer.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Statement`] where SQLite cannot begin.
    pub fn read<T, E: From<Error>>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.reader()?.read(work)
    }

    /// A reading connection of one's own, for a thread that reads often.
    ///
    /// # Errors
    /// [`Error::Statement`] where SQLite cannot open the file once more.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(&self.path)
    }

    /// The number of this opening: one more than the last process that wrote here had.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// How many commits this opening has made; with the number of writes it shows how well they group.
    pub fn commit_count(&self) -> u64 {
        self.writer.commit_count()
    }
}

fn prepare(dir: &Path, path: &Path, mode: Mode) -> Result<(), Error> {
    match mode {
        Mode::Existing if !path.is_file() => Err(Error::Missing { path: path.to_path_buf() }),
        Mode::Existing => Ok(()),
        Mode::Create => fs::create_dir_all(dir).map_err(|source| Error::Io {
            action: "create the data directory",
            path: dir.to_path_buf(),
            source,
        }),
    }
}
