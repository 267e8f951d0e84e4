//! What a query runs over.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use muster_catalog::RowSet;
use muster_store::Snapshot;

use crate::Masks;

/// One snapshot, its zone, and the segments and lists that the query names, evaluated on it already.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The tables, their fields as of the query's instant; that later rows are not there yet is the query's own condition.
    pub snapshot: Arc<Snapshot>,
    /// The zone in which instants are shown, truncated and added to.
    pub zone: Tz,
    /// The profiles of each segment that the query names.
    pub segments: BTreeMap<String, Arc<RowSet>>,
    /// The profiles that are on each list that the query names.
    pub lists: BTreeMap<String, Arc<RowSet>>,
    /// The columns whose values it does not see.
    pub masks: Masks,
}
