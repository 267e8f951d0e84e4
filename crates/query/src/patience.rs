//! How long a query is waited for: until its time is over, or until somebody stops it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use datafusion::error::DataFusionError;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::Error;
use crate::footprint::Footprint;

/// So often whoever waits looks whether it is to stop; a person does not notice it.
const TICK: Duration = Duration::from_millis(20);

/// Stops the queries of an engine, from any thread.
#[derive(Debug, Clone, Default)]
pub struct Stopper(Arc<Stops>);

#[derive(Debug, Default)]
struct Stops {
    count: AtomicU64,
    /// Whether nothing runs any more.
    ended: AtomicBool,
}

impl Stopper {
    /// Stops what runs now; what comes later runs.
    pub fn stop(&self) {
        self.0.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Stops what runs now and what comes later: nobody is there who would want it.
    pub fn end(&self) {
        self.0.ended.store(true, Ordering::Relaxed);
    }

    /// From now on Ctrl-C stops queries, and not the process.
    ///
    /// It is heard on a thread of its own: an operator that does not yield holds up the engine's threads.
    ///
    /// # Errors
    /// If the system does not tell of signals.
    pub fn stop_at_interrupt(&self) -> Result<(), Error> {
        let listener = Builder::new_current_thread().enable_io().build().map_err(Error::Threads)?;
        let mut interrupts = {
            let _entered = listener.enter();
            signal(SignalKind::interrupt()).map_err(Error::Threads)?
        };
        let stopper = self.clone();
        let listen = async move {
            while interrupts.recv().await.is_some() {
                stopper.stop();
            }
        };
        let spawned: io::Result<_> =
            thread::Builder::new().name("interrupts".to_owned()).spawn(move || listener.block_on(listen));
        spawned.map(drop).map_err(Error::Threads)
    }

    /// Notices when somebody stops from now on.
    pub fn watch(&self) -> Watch {
        Watch { stops_before: self.0.count.load(Ordering::Relaxed), stops: Arc::clone(&self.0) }
    }

    /// The patience with a query that begins now and may take `limit`.
    pub(crate) fn patience(&self, limit: Duration) -> Patience {
        Patience { limit, until: Instant::now() + limit, watch: self.watch(), footprint: None }
    }
}

/// Notices stops since it began: for work that is more than one query.
#[derive(Debug, Clone)]
pub struct Watch {
    stops: Arc<Stops>,
    stops_before: u64,
}

impl Watch {
    /// Goes on where nobody stopped.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn check(&self) -> Result<(), Error> {
        if self.is_stopped() { Err(Error::Stopped) } else { Ok(()) }
    }

    fn is_stopped(&self) -> bool {
        self.stops.ended.load(Ordering::Relaxed) || self.stops.count.load(Ordering::Relaxed) != self.stops_before
    }
}

/// The patience with one query.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    limit: Duration,
    until: Instant,
    watch: Watch,
    footprint: Option<Footprint>,
}

impl Patience {
    /// The same in a process that may grow by so many bytes meanwhile, where there is a bound.
    pub(crate) fn in_a_process(self, most: Option<usize>) -> Self {
        Self { footprint: most.map(Footprint::begin), ..self }
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_over(&self) -> bool {
        let is_too_large = self.footprint.as_ref().is_some_and(Footprint::is_too_large);
        is_too_large || self.watch.is_stopped() || Instant::now() >= self.until
    }

    /// The store read a column of a block, which is no part of what the query made.
    pub(crate) fn bring(&self, table: &str, block: usize, column: &str, bytes: usize) {
        if let Some(footprint) = &self.footprint {
            footprint.bring(table, block, column, bytes);
        }
    }

    /// What comes next; `None` after the last.
    ///
    /// # Errors
    /// [`Error::Time`], [`Error::Memory`] and [`Error::Stopped`] where nothing came before. What is there already is given
    /// also later.
    pub(crate) fn next<T>(&self, coming: &Receiver<T>) -> Result<Option<T>, Error> {
        loop {
            self.watch.check()?;
            if let Some(footprint) = self.footprint.as_ref().filter(|footprint| footprint.look()) {
                return Err(too_large(footprint.most));
            }
            let left = self.until.saturating_duration_since(Instant::now());
            match coming.recv_timeout(left.min(TICK)) {
                Ok(next) => return Ok(Some(next)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if left <= TICK => return Err(Error::Time { limit: self.limit }),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

fn too_large(bytes: usize) -> Error {
    let message = "the process grew by more than a query may take".to_owned();
    Error::Memory { bytes, source: Box::new(DataFusionError::ResourcesExhausted(message)) }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_is_there_is_given_also_after_the_time() {
        let (send, coming) = channel();
        send.send(1).unwrap();
        let patience = Stopper::default().patience(Duration::ZERO);
        assert_eq!(patience.next(&coming).unwrap(), Some(1));
        assert!(matches!(patience.next(&coming), Err(Error::Time { .. })));
        drop(send);
        assert_eq!(patience.next(&coming).unwrap(), None);
    }

    #[test]
    fn a_stop_ends_what_began_before_it_and_nothing_that_begins_later() {
        let (stopper, (_send, coming)) = (Stopper::default(), channel::<u8>());
        let before = stopper.patience(Duration::from_secs(60));
        stopper.stop();
        let after = stopper.patience(Duration::from_millis(1));
        assert!(before.is_over() && matches!(before.next(&coming), Err(Error::Stopped)));
        assert!(matches!(after.next(&coming), Err(Error::Time { .. })));
    }

    #[test]
    fn an_end_also_stops_what_begins_later() {
        let (stopper, (_send, coming)) = (Stopper::default(), channel::<u8>());
        stopper.end();
        let after = stopper.patience(Duration::from_secs(60));
        assert!(after.is_over() && matches!(after.next(&coming), Err(Error::Stopped)));
    }
}
