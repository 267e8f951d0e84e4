//! Where the files of the store live: a folder of the file system, or, in tests, memory that loses what was not synced.
//!
//! The rule is the same on both: a file is written under a temporary name and renamed; then its content, its name and
//! those of all files before are synced; only then may a commit name it.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use bytes::Bytes;

/// A folder of immutable files.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Writes a new file; content and name are durable only after [`Disk::sync`].
    ///
    /// # Errors
    /// If it cannot be written; a part of it may stand under its name then.
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()>;

    /// Gives a file another name, replacing whatever had it.
    ///
    /// # Errors
    /// If there is no such file.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes all files so far durable, content and name.
    ///
    /// # Errors
    /// If the disk cannot say that they are; of any file since the last time.
    fn sync(&self) -> io::Result<()>;

    /// Removes a file; one that is gone already is fine.
    ///
    /// # Errors
    /// If the disk refuses.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// The names of all files, in no order; none where the folder is not there yet.
    ///
    /// # Errors
    /// If the folder cannot be read.
    fn names(&self) -> io::Result<Vec<String>>;

    /// `length` bytes of a file from `start` on.
    ///
    /// # Errors
    /// If there is no such file, or it ends before.
    fn read(&self, name: &str, start: u64, length: usize) -> io::Result<Bytes>;

    /// How many bytes a file has.
    ///
    /// # Errors
    /// If there is no such file.
    fn size(&self, name: &str) -> io::Result<u64>;

    /// The path of a file, for messages.
    fn path(&self, name: &str) -> PathBuf;
}

/// A folder of the file system, made when the first file is written.
#[derive(Debug)]
pub struct FileDisk {
    folder: PathBuf,
    syncing: Mutex<Option<Syncing>>,
}

impl FileDisk {
    /// The files in `folder`, which may not be there yet.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), syncing: Mutex::new(None) }
    }

    fn syncing(&self) -> MutexGuard<'_, Option<Syncing>> {
        self.syncing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Syncs files one after the other while others are made: a disk takes its time, and the processors need not wait for it.
#[derive(Debug)]
struct Syncing {
    files: Sender<(String, File)>,
    all: JoinHandle<io::Result<()>>,
}

impl Syncing {
    fn start() -> io::Result<Self> {
        let (files, written) = channel::<(String, File)>();
        let all = thread::Builder::new().name("sync".to_owned()).spawn(move || {
            let synced = |(name, file): (String, File)| {
                file.sync_all().map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))
            };
            written.into_iter().try_for_each(synced)
        })?;
        Ok(Self { files, all })
    }

    /// Waits for all files that were handed over.
    fn finish(self) -> io::Result<()> {
        drop(self.files);
        self.all.join().map_err(|_panic| io::Error::other("the thread that syncs files ended"))?
    }
}

impl Disk for FileDisk {
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let mut file = match File::create(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.folder)?;
                File::create(&path)?
            }
            created => created?,
        };
        file.write_all(content)?;
        let mut syncing = self.syncing();
        if syncing.is_none() {
            *syncing = Some(Syncing::start()?);
        }
        // After a failure nobody takes the file any more; the failure is told by `sync`.
        let _ = syncing.as_ref().map(|syncing| syncing.files.send((name.to_owned(), file)));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn sync(&self) -> io::Result<()> {
        if let Some(syncing) = self.syncing().take() {
            syncing.finish()?;
        }
        match File::open(&self.folder) {
            // Nothing was ever written.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            folder => folder?.sync_all(),
        }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => entries?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect(),
        }
    }

    fn read(&self, name: &str, start: u64, length: usize) -> io::Result<Bytes> {
        let mut file = File::open(self.path(name))?;
        file.seek(SeekFrom::Start(start))?;
        let mut content = Vec::with_capacity(length);
        match file.take(length as u64).read_to_end(&mut content)? {
            read if read == length => Ok(content.into()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.path(name))?.len())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
