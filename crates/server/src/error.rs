//! Why the process cannot begin or go on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A failure of the server itself; what a client did wrong is an answer to that client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on; another one may do.
    #[error("cannot listen on {address}; name another address with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A process answers on the socket that this one would make.
    #[error("{path}: another process answers on this socket; end it first", path = path.display())]
    Served {
        /// The socket.
        path: PathBuf,
    },
    /// Something stands where the socket should be.
    #[error("{path} is not a socket; move it away, then start again", path = path.display())]
    NotASocket {
        /// What is in the way.
        path: PathBuf,
    },
    /// The path is longer than a socket's may be, and this system knows no way around it.
    #[error("{path}: a socket's path has at most {most} bytes and this has {bytes}; use a workspace with a shorter path", path = path.display())]
    LongPath {
        /// The socket.
        path: PathBuf,
        /// How long its path is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// The file system or the operating system refused something.
    #[error("cannot {action}")]
    Io {
        /// What was attempted.
        action: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A commit failed or another process took over. What was acknowledged is on disk; the next start recovers.
    #[error("nothing more is accepted: {0}")]
    Fatal(String),
    /// It was asked a second time to end while requests were under way. What was not acknowledged may not have happened.
    #[error("ended before all requests were done, because it was asked twice")]
    Abandoned,
}

impl Error {
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}
