//! The process from its start to its end: both doors open, everything accepted is finished, and in this order closed.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::conversation::{Hall, converse};
use crate::protocol::{self, Wrong};
use crate::queue::Queue;
use crate::socket::Bound;
use crate::standing::reach;
use crate::{Desk, Error, Limits, Phase, Standing, health, http, writer};

/// Threads for connections; the work itself is done on others.
const THREADS: usize = 2;
/// How long to wait when no connection can be accepted, usually for want of file descriptors.
const BREATHER: Duration = Duration::from_millis(50);

/// Both doors, open but not served yet.
#[derive(Debug)]
pub struct Service {
    http: TcpListener,
    socket: Bound,
    limits: Limits,
}

impl Service {
    /// Opens HTTP at `listen` and the write socket in the data directory `data`, which this process must have the lock
    /// of.
    ///
    /// # Errors
    /// If the address is taken, or another process answers on the socket.
    pub fn bind(listen: SocketAddr, data: &Path, limits: Limits) -> Result<Self, Error> {
        let http = TcpListener::bind(listen).map_err(|source| Error::Listen { address: listen, source })?;
        http.set_nonblocking(true).map_err(Error::io("listen"))?;
        Ok(Self { http, socket: Bound::bind(data)?, limits })
    }

    /// The address of HTTP, with the port that was free where 0 was asked for.
    ///
    /// # Errors
    /// If the operating system does not say.
    pub fn address(&self) -> Result<SocketAddr, Error> {
        self.http.local_addr().map_err(Error::io("learn the address"))
    }

    /// Serves until `standing` is stopped, by SIGTERM, SIGINT or otherwise: not ready, then what was accepted is
    /// finished, then the doors are closed. `opened` is called when requests are answered.
    ///
    /// # Errors
    /// [`Error::Fatal`] where a commit failed; [`Error::Abandoned`] where it was stopped twice.
    pub fn run(self, desk: Arc<dyn Desk>, standing: Arc<Standing>, opened: impl FnOnce()) -> Result<(), Error> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime: Runtime =
            builder.worker_threads(THREADS).enable_all().build().map_err(Error::io("start threads"))?;
        let outcome = runtime.block_on(self.serve(desk, standing, opened));
        if outcome.is_err() {
            // A command may still be at work; the process ends under it, as under a power cut.
            runtime.shutdown_background();
        }
        outcome
    }

    async fn serve(self, desk: Arc<dyn Desk>, standing: Arc<Standing>, opened: impl FnOnce()) -> Result<(), Error> {
        let Self { http, socket, limits } = self;
        stop_on_signals(&standing)?;
        let http = tokio::net::TcpListener::from_std(http).map_err(Error::io("listen"))?;
        let listener = socket.listener.try_clone().and_then(UnixListener::from_std).map_err(Error::io("listen"))?;
        let app = health::app(Arc::clone(&desk), Arc::clone(&standing), limits);
        let (http_over, over) = watch::channel(false);
        let http = tokio::spawn(http::serve(http, app, limits, over));
        let (hall, written) = open_hall(desk, &standing, limits)?;
        opened();
        let working = work(listener, hall, written);
        let outcome = until_done(working, &standing, limits).await;
        drop(socket);
        http_over.send_replace(true);
        let _ = http.await;
        outcome
    }
}

/// The first signal ends the process in order, the second at once.
fn stop_on_signals(standing: &Arc<Standing>) -> Result<(), Error> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind).map_err(Error::io("listen for signals"))?;
        let standing = Arc::clone(standing);
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                standing.stop();
            }
        });
    }
    Ok(())
}

/// What connections share, with the thread that keeps rows at work; the receiver hears when that has come to its end.
fn open_hall(
    desk: Arc<dyn Desk>,
    standing: &Arc<Standing>,
    limits: Limits,
) -> Result<(Arc<Hall>, oneshot::Receiver<()>), Error> {
    let queue = Arc::new(Queue::new(limits));
    let (ended, written) = oneshot::channel();
    let (rows, keeper, heard) = (Arc::clone(&queue), Arc::clone(&desk), Arc::clone(standing));
    let work = move || {
        writer::write(&rows, keeper.as_ref(), &heard);
        drop(keeper);
        let _ = ended.send(());
    };
    std::thread::Builder::new().name("rows".to_owned()).spawn(work).map_err(Error::io("start a thread"))?;
    let hall = Hall {
        desk,
        standing: Arc::clone(standing),
        queue,
        limits,
        long_lines: Arc::new(Semaphore::new(limits.long_lines)),
        commands: Arc::new(Semaphore::new(limits.commands)),
        previews: Arc::new(Semaphore::new(limits.previews)),
        turns: AtomicU64::new(0),
    };
    Ok((Arc::new(hall), written))
}

/// Accepts connections until the process is to end, then finishes what they asked.
async fn work(listener: UnixListener, hall: Arc<Hall>, written: oneshot::Receiver<()>) {
    let mut conversations = meet(listener, &hall).await;
    while conversations.join_next().await.is_some() {}
    hall.queue.close();
    let _ = written.await;
}

async fn meet(listener: UnixListener, hall: &Arc<Hall>) -> JoinSet<()> {
    let mut phase = hall.standing.phase();
    let places = Arc::new(Semaphore::new(hall.limits.socket_connections));
    let mut conversations = JoinSet::new();
    loop {
        let stream = tokio::select! {
            biased;
            () = reach(&mut phase, |phase| *phase != Phase::Running) => return conversations,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    tokio::time::sleep(BREATHER).await;
                    continue;
                }
            },
        };
        while conversations.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            turn_away(stream);
            continue;
        };
        let conversation = converse(stream, Arc::clone(hall));
        conversations.spawn(async move {
            conversation.await;
            drop(place);
        });
    }
}

/// Says why, as far as that needs no waiting.
fn turn_away(stream: tokio::net::UnixStream) {
    let answer = protocol::wrong(None, &Wrong::busy("too many connections"));
    if let Ok(mut stream) = stream.into_std() {
        let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
    }
}

/// Waits for `working` to end, as long as there is a point in waiting.
async fn until_done(
    working: impl Future<Output = ()> + Send + 'static,
    standing: &Standing,
    limits: Limits,
) -> Result<(), Error> {
    let mut phase = standing.phase();
    let mut working: JoinHandle<()> = tokio::spawn(working);
    let is_over = |phase: &Phase| matches!(phase, Phase::Abandoning | Phase::Failing(_));
    tokio::select! {
        _ = &mut working => {}
        () = reach(&mut phase, is_over) => {}
    }
    let reached = phase.borrow().clone();
    match reached {
        Phase::Failing(reason) => {
            // Those whose rows were not kept are told so, if they listen.
            if !working.is_finished() {
                let _ = timeout(limits.farewell_time, working).await;
            }
            Err(Error::Fatal(reason))
        }
        Phase::Abandoning => Err(Error::Abandoned),
        Phase::Running | Phase::Stopping => Ok(()),
    }
}
