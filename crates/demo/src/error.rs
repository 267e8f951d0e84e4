//! The one error of this room: what failed, where, and what would have been right.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;

/// Why the demo shop could not be written or the mail sink could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused something with a file: look at the path, its rights and the free space.
    #[error("cannot {action} {}: {source}", .path.display())]
    File {
        /// What was being done, as a verb: "create", "write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A Parquet file could not be written: as `File`, or the format's own complaint.
    #[error("cannot write {}: {source}", .path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        source: ParquetError,
    },

    /// The sink cannot listen there: choose another address, or port 0 for any free port.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },

    /// The sink was asked to listen where others than this machine could reach it.
    #[error("the mail sink listens on loopback only, and {address} is not; expected 127.0.0.1:PORT or [::1]:PORT")]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },

    /// A rule of the sink's fault script cannot be read.
    #[error("fault script line {line}: \"{text}\" is not a rule; expected {expected}")]
    FaultRule {
        /// Line in the script, from 1.
        line: usize,
        /// The line as it stands there.
        text: String,
        /// What would have been right.
        expected: &'static str,
    },

    /// A complete line of a journal is not one that the sink wrote: the file is another's, or damaged.
    #[error(
        "{} line {line}: not a journal line; expected sequence, message id, recipient, SHA-256 and bytes between tabs",
        .path.display()
    )]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Line in the file, from 1.
        line: usize,
    },

    /// The journal could not be made durable, so nothing more is acknowledged: start a new sink.
    #[error("the mail sink stopped: its journal {} could not be made durable: {source}", .path.display())]
    JournalLost {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The sink that was to write its port there has not done so in time.
    #[error("no mail sink has written its port to {} within {seconds} s", .path.display())]
    NoPort {
        /// The port file that was waited for.
        path: PathBuf,
        /// How long, in seconds.
        seconds: u64,
    },
}

impl Error {
    /// Names the path and the action that an I/O error lacks: `.map_err(Error::file("write", path))`.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::File { action, path, source }
    }

    /// The same for Parquet's errors.
    pub(crate) fn parquet(path: &Path) -> impl FnOnce(ParquetError) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Parquet { path, source }
    }
}
