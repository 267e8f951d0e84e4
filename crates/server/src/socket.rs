//! The write socket's place in the data directory: `serve.sock`, for the owner alone.
//!
//! A socket's path may have about a hundred bytes. A longer one is reached through the folder's descriptor
//! (`/proc/self/fd/7/serve.sock`), which is short wherever the folder lies.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::Error;

/// The socket within the data directory.
const NAME: &str = "serve.sock";
/// Where it is made, closed to everyone else, before it moves to its place.
const WORKSHOP: &str = "serve.sock.new";
/// What every system allows, with its closing NUL: 104 bytes on some, 108 on Linux.
const LONGEST_PATH: usize = 103;

/// A connection to the `muster serve` of the data directory `data`; none where none runs.
///
/// # Errors
/// If something is there that this process may not reach.
pub fn connect(data: &Path) -> io::Result<Option<UnixStream>> {
    let reach = match Reach::of(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    match UnixStream::connect(reach.path(NAME)) {
        Ok(stream) => Ok(Some(stream)),
        // Nothing is there, or what a process left that is no more.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A socket that listens; its file goes with it.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) listener: UnixListener,
    path: PathBuf,
    /// Device and inode: what stands at the path later may be another process's.
    identity: (u64, u64),
}

impl Bound {
    /// Listens in `data`. A socket that a dead process left is replaced; where one answers, nothing is done.
    pub(crate) fn bind(data: &Path) -> Result<Self, Error> {
        let path = data.join(NAME);
        refuse_what_lives(data, &path)?;
        let failed = |action: &str| Error::io(format!("{action} {}", path.display()));
        let workshop = data.join(WORKSHOP);
        make_workshop(&workshop).map_err(failed("prepare"))?;
        // Made where nobody else may enter, so that it is never open to others, and moved to its place in one step.
        let made = workshop.join(NAME);
        let reach = Reach::of(&workshop).map_err(|source| too_long_or(source, &made))?;
        let listener = UnixListener::bind(reach.path(NAME)).map_err(failed("make"))?;
        fs::set_permissions(&made, Permissions::from_mode(0o600)).map_err(failed("close to others"))?;
        fs::rename(&made, &path).map_err(failed("put in its place"))?;
        fs::remove_dir(&workshop).map_err(failed("clear up after"))?;
        let identity = identity(&path).map_err(failed("look at"))?;
        listener.set_nonblocking(true).map_err(failed("listen on"))?;
        Ok(Self { listener, path, identity })
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            // What cannot be removed is what a killed process leaves as well; the next one replaces it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn refuse_what_lives(data: &Path, path: &Path) -> Result<(), Error> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(Error::NotASocket { path: path.to_owned() });
    }
    match connect(data) {
        Ok(None) => Ok(()),
        Ok(Some(_)) | Err(_) => Err(Error::Served { path: path.to_owned() }),
    }
}

fn make_workshop(workshop: &Path) -> io::Result<()> {
    if workshop.exists() {
        fs::remove_dir_all(workshop)?;
    }
    DirBuilder::new().mode(0o700).create(workshop)
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

/// A folder by a path that is short enough for the sockets in it.
struct Reach {
    folder: PathBuf,
    _open: Option<File>,
}

impl Reach {
    fn of(folder: &Path) -> io::Result<Self> {
        if folder.join(NAME).as_os_str().len() <= LONGEST_PATH {
            return Ok(Self { folder: folder.to_owned(), _open: None });
        }
        let open = File::open(folder)?;
        let folder = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        if !folder.exists() {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        Ok(Self { folder, _open: Some(open) })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn too_long_or(source: io::Error, path: &Path) -> Error {
    let bytes = path.as_os_str().len();
    match source.kind() {
        io::ErrorKind::InvalidFilename => Error::LongPath { path: path.to_owned(), bytes, most: LONGEST_PATH },
        _ => Error::Io { action: format!("reach {}", path.display()), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_reached_however_long_its_path_is() {
        let folder = tempfile::tempdir().unwrap();
        for data in [folder.path().join("data"), folder.path().join("d".repeat(120)).join("e".repeat(200))] {
            fs::create_dir_all(&data).unwrap();
            assert!(connect(&data).unwrap().is_none());
            let bound = Bound::bind(&data).unwrap();
            assert!(connect(&data).unwrap().is_some());
            let mode = fs::metadata(data.join(NAME)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            drop(bound);
            assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
        }
    }

    #[test]
    fn where_there_is_no_data_directory_nobody_answers() {
        let folder = tempfile::tempdir().unwrap();
        for missing in ["data".to_owned(), "d".repeat(200)] {
            assert!(connect(&folder.path().join(missing)).unwrap().is_none());
        }
    }

    #[test]
    fn what_a_dead_process_left_is_replaced_and_a_living_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        // A socket whose listener is gone, and a workshop that nobody cleared.
        drop(UnixListener::bind(folder.path().join(NAME)).unwrap());
        fs::create_dir(folder.path().join(WORKSHOP)).unwrap();
        assert!(connect(folder.path()).unwrap().is_none());
        let living = Bound::bind(folder.path()).unwrap();
        assert!(matches!(Bound::bind(folder.path()), Err(Error::Served { .. })));
        drop(living);
        assert!(Bound::bind(folder.path()).is_ok());
    }

    #[test]
    fn a_file_in_the_way_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAME), "mine").unwrap();
        assert!(matches!(Bound::bind(folder.path()), Err(Error::NotASocket { .. })));
        assert_eq!(fs::read_to_string(folder.path().join(NAME)).unwrap(), "mine");
    }
}
