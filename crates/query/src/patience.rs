//! How long a query is waited for: until its time is over, or until somebody stops it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::Error;

/// So often whoever waits looks whether it is to stop; a person does not notice it.
const TICK: Duration = Duration::from_millis(20);

/// Stops the queries of an engine that run at the moment, from any thread; those that come later run.
#[derive(Debug, Clone, Default)]
pub struct Stopper(Arc<AtomicU64>);

impl Stopper {
    /// Stops what runs now.
    pub fn stop(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
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

    /// The patience with a query that begins now and may take `limit`.
    pub(crate) fn patience(&self, limit: Duration) -> Patience {
        let stops_before = self.0.load(Ordering::Relaxed);
        Patience { limit, until: Instant::now() + limit, stopper: self.clone(), stops_before }
    }
}

/// The patience with one query.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    limit: Duration,
    until: Instant,
    stopper: Stopper,
    stops_before: u64,
}

impl Patience {
    /// Whether nobody waits any more.
    pub(crate) fn is_over(&self) -> bool {
        self.is_stopped() || Instant::now() >= self.until
    }

    fn is_stopped(&self) -> bool {
        self.stopper.0.load(Ordering::Relaxed) != self.stops_before
    }

    /// What comes next; `None` after the last.
    ///
    /// # Errors
    /// [`Error::Time`] and [`Error::Stopped`] where nothing came before. What is there already is given also later.
    pub(crate) fn next<T>(&self, coming: &Receiver<T>) -> Result<Option<T>, Error> {
        loop {
            if self.is_stopped() {
                return Err(Error::Stopped);
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
}
