//! A process that can die anywhere: a fuse that blows, and a clock that burns it.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use muster_catalog::{Clock, Timestamp};

/// Blows at the n-th thing that anybody does, and then at everything, as a killed process stops everywhere at once.
#[derive(Debug, Default)]
pub struct Fuse {
    left: AtomicI64,
    is_lit: AtomicBool,
}

/// What unwinds from a blown fuse.
pub struct Blown;

impl Fuse {
    pub fn light(&self, left: i64) {
        self.left.store(left, Ordering::SeqCst);
        self.is_lit.store(true, Ordering::SeqCst);
    }

    pub fn put_out(&self) {
        self.is_lit.store(false, Ordering::SeqCst);
    }

    pub fn burn(&self) {
        if self.is_lit.load(Ordering::SeqCst) && self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            // Not `panic!`, whose report would fill the output of every test that crashes on purpose.
            resume_unwind(Box::new(Blown));
        }
    }
}

/// A clock that moves on a millisecond whenever it is read, and may blow.
pub struct Ticking {
    now: AtomicI64,
    stands_still: AtomicBool,
    fuse: Arc<Fuse>,
}

impl Ticking {
    pub fn new(fuse: Arc<Fuse>) -> Self {
        Self { now: AtomicI64::new(1_750_000_000_000_000), stands_still: AtomicBool::new(false), fuse }
    }

    /// From now on it shows the same instant, as in a workspace of the past.
    pub fn stop(&self) {
        self.stands_still.store(true, Ordering::SeqCst);
    }

    pub fn advance(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        self.fuse.burn();
        let tick = if self.stands_still.load(Ordering::SeqCst) { 0 } else { 1_000 };
        Timestamp::from_micros(self.now.fetch_add(tick, Ordering::SeqCst))
    }
}
