//! How long a text may take.

use std::time::{Duration, Instant};

/// The most that reading one text may take.
const MOST: Duration = Duration::from_secs(1);
/// How often a text may try: a busy machine holds up what takes no time.
const TRIES: usize = 5;

/// Runs the check of a text.
///
/// # Panics
/// If it takes too long, every time.
pub fn in_time(check: impl Fn()) {
    let is_in_time = |_| {
        let start = Instant::now();
        check();
        start.elapsed() < MOST
    };
    assert!((0..TRIES).any(is_in_time), "takes more than {MOST:?}, {TRIES} times in a row");
}
