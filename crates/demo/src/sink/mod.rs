//! The mail sink: an SMTP server on loopback that accepts everything and remembers it durably.
//!
//! Its journal is the ground truth of demos and tests: a message is on disk, synced, before the
//! `250` leaves, so whoever saw the reply finds the line, and whoever was cut off can look up what
//! became of the message. A fault script turns it into the hostile peers that a sender must
//! survive. Delivery, storage of bodies, TLS and authentication are left to real servers.
//!
//! One thread accepts, one thread per connection talks (`conversation`), one thread writes the
//! journal for all of them (`journal`).

mod conversation;
mod faults;
mod journal;
mod protocol;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, io};

use crate::Error;
use conversation::Conversation;
pub use faults::{Behaviour, Faults, Phase, Rule};
pub use journal::{Entry, read_journal};
use journal::{Journal, JournalWriter};

/// How the sink treats its clients; the default is a friendly server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which recipients are treated badly, and how.
    pub faults: Faults,
    /// Largest message in bytes, announced as `SIZE`.
    pub max_message_bytes: usize,
    /// Connections open at once; one more is told `421`.
    pub max_connections: usize,
    /// A client that is silent for so long is told `421` and left.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            faults: Faults::default(),
            max_message_bytes: 25 << 20,
            max_connections: 256,
            patience: Duration::from_secs(300),
        }
    }
}

/// A bound mail sink: the port is taken and the journal is open, but nobody is answered yet.
#[derive(Debug)]
pub struct Sink {
    listener: TcpListener,
    address: SocketAddr,
    journal: JournalWriter,
    shared: Arc<Shared>,
}

/// What the threads of one sink share.
#[derive(Debug)]
struct Shared {
    options: Options,
    journal: Journal,
    greylist: faults::Greylist,
    stopping: AtomicBool,
    open: AtomicUsize,
    /// The sockets that talk now, so that stopping can interrupt them.
    streams: Mutex<Vec<(usize, TcpStream)>>,
}

/// Stops a running sink from another thread.
#[derive(Debug, Clone)]
pub struct Stop {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// A sink that runs in a thread of this process, for tests; dropping it stops it.
#[derive(Debug)]
pub struct Running {
    stop: Stop,
    thread: Option<thread::JoinHandle<Result<(), Error>>>,
}

impl Sink {
    /// Takes `listen` (port 0: any free one) and opens `journal` for appending.
    ///
    /// A journal that exists is continued with the next sequence number; a torn last line, which
    /// nobody was told about, is cut off.
    ///
    /// # Errors
    /// `NotLoopback`, `Listen`, `File`, or `Journal` when the file is no journal.
    pub fn bind(listen: SocketAddr, journal: &Path, options: Options) -> Result<Sink, Error> {
        if !listen.ip().is_loopback() {
            return Err(Error::NotLoopback { address: listen });
        }
        let cannot_listen = |source| Error::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let (writer, journal) = journal::open(journal)?;
        let shared = Arc::new(Shared::new(options, journal));
        Ok(Sink { listener, address, journal: writer, shared })
    }

    /// Where the sink listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on, never 0.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Writes the port as a decimal number to `path`, complete or not at all, for [`wait_for_port`].
    ///
    /// # Errors
    /// `File`.
    pub fn write_port(&self, path: &Path) -> Result<(), Error> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".new");
        let unfinished = PathBuf::from(unfinished);
        fs::write(&unfinished, format!("{}\n", self.port())).map_err(Error::file("write", &unfinished))?;
        fs::rename(&unfinished, path).map_err(Error::file("rename to", path))
    }

    /// A handle that ends [`Sink::run`] from another thread.
    pub fn stop(&self) -> Stop {
        Stop { address: self.address, shared: Arc::clone(&self.shared) }
    }

    /// Answers clients until it is stopped.
    ///
    /// # Errors
    /// `JournalLost` as soon as a line could not be made durable: nothing is acknowledged after that.
    pub fn run(self) -> Result<(), Error> {
        let Sink { listener, journal, shared, address } = self;
        let stop = Stop { address, shared: Arc::clone(&shared) };
        thread::scope(|scope| {
            let writing = scope.spawn(move || {
                let ended = journal.run();
                stop.now();
                ended
            });
            accept(scope, &listener, &shared);
            shared.journal.close();
            writing.join().expect("the journal's thread does not panic: it only writes and replies")
        })
    }

    /// Runs it in a thread of its own.
    pub fn start(self) -> Running {
        let stop = self.stop();
        Running { stop, thread: Some(thread::spawn(move || self.run())) }
    }
}

/// Gives each client a thread until the sink is stopped.
fn accept<'scope>(scope: &'scope thread::Scope<'scope, '_>, listener: &TcpListener, shared: &'scope Arc<Shared>) {
    for (number, stream) in listener.incoming().enumerate() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        // A client that left between its SYN and our accept is not our failure.
        let Ok(stream) = stream else { continue };
        scope.spawn(move || serve(number, stream, shared));
    }
}

/// One client from greeting to end; what a client does to its own connection ends only that.
fn serve(number: usize, stream: TcpStream, shared: &Shared) {
    let _guest = shared.enter(number, &stream);
    let open = shared.open.load(Ordering::SeqCst);
    let talked =
        Conversation::new(stream, &shared.options, &shared.journal, &shared.greylist).and_then(|conversation| {
            if open > shared.options.max_connections { conversation.turn_away() } else { conversation.hold() }
        });
    // Hanging up is the client's right and the fault script's trade; there is nothing to report.
    drop(talked);
}

/// Takes a connection off the register when its thread ends, however it ends.
struct Guest<'a> {
    number: usize,
    shared: &'a Shared,
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::SeqCst);
        self.shared.streams().retain(|(number, _)| *number != self.number);
    }
}

impl Shared {
    fn new(options: Options, journal: Journal) -> Shared {
        Shared {
            options,
            journal,
            greylist: faults::Greylist::default(),
            stopping: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            streams: Mutex::new(Vec::new()),
        }
    }

    fn streams(&self) -> std::sync::MutexGuard<'_, Vec<(usize, TcpStream)>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, number: usize, stream: &TcpStream) -> Guest<'_> {
        self.open.fetch_add(1, Ordering::SeqCst);
        if let Ok(stream) = stream.try_clone() {
            self.streams().push((number, stream));
        }
        // Stopping may have walked the register just before this one was on it.
        if self.stopping.load(Ordering::SeqCst) {
            self.hang_up_all();
        }
        Guest { number, shared: self }
    }

    fn hang_up_all(&self) {
        for (_, stream) in self.streams().iter() {
            // Already closed by the other side: that is what we want.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

impl Stop {
    /// Closes every connection and ends [`Sink::run`]; messages without a reply may be in the journal.
    pub fn now(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.hang_up_all();
        // Wakes the thread that waits in accept; if nobody listens any more, it has ended already.
        let _ = TcpStream::connect(self.address);
    }
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.stop.address
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.stop.address.port()
    }

    /// Stops it and waits for its threads.
    ///
    /// # Errors
    /// `JournalLost` if that is why it had ended.
    pub fn stop(mut self) -> Result<(), Error> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Error> {
        self.stop.now();
        match self.thread.take() {
            Some(thread) => thread.join().expect("the sink's threads do not panic: every outcome is a value"),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whoever wants the outcome calls `stop`.
        let _ = self.end();
    }
}

/// The port that a sink in another process wrote with [`Sink::write_port`].
///
/// # Errors
/// `NoPort` when nothing was written within `patience`, `File` when the file cannot be read.
pub fn wait_for_port(path: &Path, patience: Duration) -> Result<u16, Error> {
    let started = Instant::now();
    loop {
        match fs::read_to_string(path) {
            Ok(text) => return text.trim().parse().map_err(|_| no_port(path, patience)),
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::file("read", path)(source)),
        }
        if started.elapsed() >= patience {
            return Err(no_port(path, patience));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn no_port(path: &Path, patience: Duration) -> Error {
    Error::NoPort { path: path.to_path_buf(), seconds: patience.as_secs() }
}
