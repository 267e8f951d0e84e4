//! How much the process grew since a query began, beside what the store read for it.
//!
//! The memory pool counts what operators hold. What an expression makes of a batch, a plan of a text, and a library of a
//! pattern is nobody's count, so where the process does nothing else its size is looked at while somebody waits.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The growth of the process since a query began.
#[derive(Debug, Clone)]
pub(crate) struct Footprint {
    /// By how many bytes it may grow.
    pub(crate) most: usize,
    before: usize,
    brought: Arc<Mutex<Brought>>,
    is_too_large: Arc<AtomicBool>,
    /// When it was looked at last.
    looked: Arc<Mutex<Instant>>,
}

/// A query that is done within it is not worth a look.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// The columns of blocks that the store read, which stay in memory for whoever comes next.
#[derive(Debug, Default)]
struct Brought {
    columns: HashSet<(String, usize, String)>,
    bytes: usize,
}

impl Footprint {
    /// The growth from now on, which may be `most` bytes.
    pub(crate) fn begin(most: usize) -> Self {
        let looked = Arc::new(Mutex::new(Instant::now()));
        Self { most, before: resident(), brought: Arc::default(), is_too_large: Arc::default(), looked }
    }

    /// The store gave a column of a block.
    pub(crate) fn bring(&self, table: &str, block: usize, column: &str, bytes: usize) {
        // A number and a set of names: nothing that could be half done.
        let mut brought = self.brought.lock().unwrap_or_else(PoisonError::into_inner);
        if brought.columns.insert((table.to_owned(), block, column.to_owned())) {
            brought.bytes += bytes;
        }
    }

    /// Looks how large the process is, where it was not looked at just before: the system takes its time to tell.
    pub(crate) fn look(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.elapsed() < BETWEEN_LOOKS {
            return self.is_too_large();
        }
        *looked = Instant::now();
        self.weigh(resident())
    }

    /// Judges a process of `size` bytes.
    fn weigh(&self, size: usize) -> bool {
        let brought = self.brought.lock().unwrap_or_else(PoisonError::into_inner).bytes;
        let is_too_large = size > self.before.saturating_add(brought).saturating_add(self.most);
        if is_too_large {
            self.is_too_large.store(true, Ordering::Relaxed);
        }
        is_too_large
    }

    /// Whether it was too large when it was looked at.
    pub(crate) fn is_too_large(&self) -> bool {
        self.is_too_large.load(Ordering::Relaxed)
    }
}

/// The bytes of the process that stand in memory; nothing where the system does not tell. Short files: who asks for a
/// count of few milliseconds waits for them.
fn resident() -> usize {
    let mut said = [0; 128];
    let read = File::open("/proc/self/statm").and_then(|mut file| file.read(&mut said)).unwrap_or_default();
    let pages = str::from_utf8(&said[..read]).ok().and_then(|said| said.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or_default() * page_bytes()
}

/// How large a page is, as the system told when it started the process: pairs of words, a kind and its value.
fn page_bytes() -> usize {
    const PAGE_SIZE: usize = 6;
    const SMALLEST: usize = 4 << 10;
    static BYTES: OnceLock<usize> = OnceLock::new();
    let told = || {
        let words = fs::read("/proc/self/auxv").unwrap_or_default();
        let words = words.as_chunks::<{ size_of::<usize>() }>().0.iter().map(|word| usize::from_ne_bytes(*word));
        let words: Vec<usize> = words.collect();
        words.as_chunks::<2>().0.iter().find(|pair| pair[0] == PAGE_SIZE).map(|pair| pair[1])
    };
    *BYTES.get_or_init(|| told().unwrap_or(SMALLEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_store_brought_is_not_counted_and_not_twice() {
        let footprint = Footprint { before: 100, ..Footprint::begin(16) };
        assert!(!footprint.weigh(116));
        footprint.bring("orders", 0, "total", 50);
        footprint.bring("orders", 0, "total", 50);
        assert!(!footprint.weigh(166) && !footprint.is_too_large());
        assert!(footprint.weigh(167) && footprint.is_too_large());
        footprint.bring("orders", 1, "total", 50);
        assert!(
            !footprint.weigh(167) && footprint.is_too_large(),
            "what was too large once is told to whoever asks later"
        );
    }

    /// Other tests of the process take and give memory meanwhile, so only a lower bound is certain.
    #[test]
    fn memory_that_is_written_counts() {
        let made = vec![1_u8; 256 << 20];
        assert!(resident() >= made.len());
        assert!(page_bytes().is_power_of_two());
    }
}
