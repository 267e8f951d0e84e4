//! One snapshot as of the instants that are asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use muster_catalog::Timestamp;
use muster_store::Snapshot;

use crate::Error;

/// A snapshot, and what it was as of a few instants: each is made once as long as it is remembered.
pub(crate) struct Past {
    present: Arc<Snapshot>,
    known: Mutex<BTreeMap<Timestamp, Arc<Snapshot>>>,
}

/// Each holds the old values of whatever changed since.
const MOST_INSTANTS: usize = 16;

impl Past {
    pub(crate) fn of(present: Arc<Snapshot>) -> Self {
        Self { present, known: Mutex::default() }
    }

    pub(crate) fn present(&self) -> &Arc<Snapshot> {
        &self.present
    }

    /// The snapshot with its fields as they were; itself where nothing changed later.
    pub(crate) fn at(&self, instant: Timestamp) -> Result<Arc<Snapshot>, Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(then) = known.get(&instant) {
            return Ok(Arc::clone(then));
        }
        let then = self.present.as_of(instant)?;
        if known.len() == MOST_INSTANTS {
            known.clear();
        }
        known.insert(instant, Arc::clone(&then));
        Ok(then)
    }
}
