//! Where the files of the store live: a folder of the file system, or, in tests, memory that loses what was not synced.
//!
//! The rule is the same on both: a file is written under a temporary name and synced, renamed, and the folder synced; only
//! then may a commit name it.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

/// A folder of immutable files.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Writes a new file and syncs its content; its name is durable only after [`Disk::sync`].
    ///
    /// # Errors
    /// If it cannot be written; a part of it may stand under its name then.
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()>;

    /// Gives a file another name, replacing whatever had it.
    ///
    /// # Errors
    /// If there is no such file.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes all names so far durable.
    ///
    /// # Errors
    /// If the disk cannot say that they are.
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
#[derive(Debug, Clone)]
pub struct FileDisk(PathBuf);

impl FileDisk {
    /// The files in `folder`, which may not be there yet.
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }
}

impl Disk for FileDisk {
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let mut file = match File::create(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.0)?;
                File::create(&path)?
            }
            created => created?,
        };
        file.write_all(content)?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn sync(&self) -> io::Result<()> {
        match File::open(&self.0) {
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
        match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => entries?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect(),
        }
    }

    fn read(&self, name: &str, start: u64, length: usize) -> io::Result<Bytes> {
        let mut file = File::open(self.path(name))?;
        file.seek(SeekFrom::Start(start))?;
        let mut content = vec![0; length];
        file.read_exact(&mut content)?;
        Ok(content.into())
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.path(name))?.len())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}
