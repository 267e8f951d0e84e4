//! Whether the client of a command is still there while it runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::time::sleep;

/// So often it is looked whether a client has left.
const LOOK: Duration = Duration::from_millis(100);

/// The client of a command, as whoever runs it sees it. One that nobody watches never leaves.
#[derive(Clone, Default)]
pub struct Client(Arc<Mutex<Presence>>);

#[derive(Default)]
struct Presence {
    has_left: bool,
    calls: Vec<Box<dyn FnOnce() + Send>>,
}

impl Client {
    /// Has `call` made when the client leaves before it is answered; at once where it has left already.
    pub fn when_gone(&self, call: impl FnOnce() + Send + 'static) {
        let mut presence = self.presence();
        if !presence.has_left {
            presence.calls.push(Box::new(call));
            return;
        }
        drop(presence);
        call();
    }

    /// The client has left.
    pub(crate) fn leave(&self) {
        let calls = {
            let mut presence = self.presence();
            presence.has_left = true;
            std::mem::take(&mut presence.calls)
        };
        calls.into_iter().for_each(|call| call());
    }

    fn presence(&self) -> MutexGuard<'_, Presence> {
        // Calls are made outside the lock, so nothing is left half done under it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the other side of a connection is gone. One that only says that nothing more comes still listens.
pub(crate) async fn gone(stream: &UnixStream) {
    while stream.ready(Interest::WRITABLE).await.is_ok_and(|ready| !ready.is_write_closed()) {
        sleep(LOOK).await;
    }
}
