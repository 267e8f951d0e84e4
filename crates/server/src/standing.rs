//! How the process stands: running or ending, and whether the last write went well.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::Check;

/// How far the process has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Requests are accepted.
    Running,
    /// Those that were accepted are finished, and no other is.
    Stopping,
    /// It was asked again: it ends at once.
    Abandoning,
    /// It must end, for this reason.
    Failing(String),
}

/// How the process stands; shared by everything that runs in it.
#[derive(Debug)]
pub struct Standing {
    phase: watch::Sender<Phase>,
    failed_write: Mutex<Option<String>>,
}

impl Default for Standing {
    fn default() -> Self {
        Self { phase: watch::Sender::new(Phase::Running), failed_write: Mutex::new(None) }
    }
}

impl Standing {
    /// The phase, to wait for another.
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Asks it to end; a second time, not to wait for what is under way.
    pub fn stop(&self) {
        self.phase.send_modify(|phase| match phase {
            Phase::Running => *phase = Phase::Stopping,
            Phase::Stopping => *phase = Phase::Abandoning,
            Phase::Abandoning | Phase::Failing(_) => {}
        });
    }

    /// Makes it end, for this reason.
    pub fn fail(&self, reason: &str) {
        tracing::error!(reason, "nothing more is accepted");
        self.phase.send_replace(Phase::Failing(reason.to_owned()));
    }

    /// A write failed for a reason that the sender cannot help.
    pub(crate) fn write_failed(&self, reason: &str) {
        tracing::error!(reason, "a write failed");
        *self.last_failure() = Some(reason.to_owned());
    }

    /// A write succeeded.
    pub(crate) fn write_succeeded(&self) {
        *self.last_failure() = None;
    }

    /// What the process itself knows of its readiness.
    pub(crate) fn checks(&self) -> [Check; 2] {
        let running = match &*self.phase.borrow() {
            Phase::Running => Ok(()),
            Phase::Stopping | Phase::Abandoning => Err("it was asked to end".to_owned()),
            Phase::Failing(reason) => Err(reason.clone()),
        };
        let last_write = self.last_failure().clone().map_or(Ok(()), Err);
        [Check::of("running", running), Check::of("last_write", last_write)]
    }

    fn last_failure(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.failed_write.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns when `is_reached`, or when nobody is left who could change it.
pub(crate) async fn reach<T>(phase: &mut watch::Receiver<T>, is_reached: impl FnMut(&T) -> bool) {
    // The guard that comes back is let go here: held over an await it would lock the phase.
    let _ = phase.wait_for(is_reached).await;
}
