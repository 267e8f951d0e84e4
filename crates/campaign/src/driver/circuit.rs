//! The circuit: stops a run where the trouble is ours or the server's, before it is counted against every recipient.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use muster_channel::{Concern, Outcome, Pace, Trouble};

/// How many hand-overs per connection may end in such trouble, with none that succeeds between, before nothing more is
/// claimed. One is weather; three on every connection is not.
const TROUBLES_PER_CONNECTION: usize = 3;

/// Shared by the senders of one run over one channel. Once open it stays open; the next call begins with a new one.
pub(super) struct Circuit {
    limit: usize,
    troubles: AtomicUsize,
    opened: Mutex<Option<String>>,
}

impl Circuit {
    pub(super) fn new(connections: usize) -> Self {
        Circuit {
            limit: TROUBLES_PER_CONNECTION * connections.max(1),
            troubles: AtomicUsize::new(0),
            opened: Mutex::default(),
        }
    }

    /// Takes note of how a hand-over ended.
    pub(super) fn note(&self, outcome: &Outcome) {
        match trouble(outcome) {
            Kind::None => self.troubles.store(0, Ordering::Relaxed),
            Kind::OfRecipient => {}
            Kind::Common(what) => {
                if self.troubles.fetch_add(1, Ordering::Relaxed) + 1 >= self.limit {
                    self.open(format!("{} hand-overs in a row failed, the last with: {what}", self.limit));
                }
            }
            Kind::Final(what) => self.open(what),
        }
    }

    /// Opens it; the first reason is kept.
    pub(super) fn open(&self, why: String) {
        self.reason().get_or_insert(why);
    }

    /// Why it is open, if it is.
    pub(super) fn opened(&self) -> Option<String> {
        self.reason().clone()
    }

    fn reason(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose trouble an outcome shows.
enum Kind {
    None,
    /// Says nothing about the next recipient.
    OfRecipient,
    /// Likely to meet the next recipient too.
    Common(String),
    /// Certain to, until a person has acted.
    Final(String),
}

fn trouble(outcome: &Outcome) -> Kind {
    match outcome {
        Outcome::Sent { .. } => Kind::None,
        Outcome::Refused { concerns: Concern::Us | Concern::Content, reply, .. } => Kind::Common(reply.to_string()),
        Outcome::Refused { .. } => Kind::OfRecipient,
        Outcome::Deferred { trouble, pace: Pace::Halt } => Kind::Final(trouble.to_string()),
        Outcome::Deferred { trouble, pace: Pace::SlowDown } => Kind::Common(trouble.to_string()),
        Outcome::Deferred { trouble: Trouble::Lost(lost), .. } | Outcome::Uncertain { lost } => {
            Kind::Common(lost.to_string())
        }
        Outcome::Deferred { .. } => Kind::OfRecipient,
    }
}
