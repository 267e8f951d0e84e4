//! What a load is doing, told with `-v`: reading, staging, folding, renaming, syncing, committing, collecting.
//!
//! Where the store touches its folder is seen from outside, by a disk that tells on its way through; each phase is told
//! once per snapshot. A script that ends the process at a chosen moment reads these lines.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

use muster_store::{Bytes, Disk, FileDisk};
use tracing::info;

/// Tells that files of a table are read.
pub fn reading(table: &str) {
    info!(phase = "reading", table);
}

/// Tells that what was written becomes true.
pub fn committing() {
    info!(phase = "committing");
}

/// A folder that tells what is done to it.
#[derive(Debug)]
pub struct TellingDisk {
    folder: FileDisk,
    /// A bit for each phase that was told since the last sync.
    told: AtomicU8,
}

#[derive(Clone, Copy)]
enum Phase {
    Staging,
    Folding,
    Renaming,
    Collecting,
}

impl TellingDisk {
    /// The files in `folder`.
    pub fn at(folder: &Path) -> Self {
        Self { folder: FileDisk::at(folder), told: AtomicU8::new(0) }
    }

    fn tell(&self, phase: Phase) {
        let bit = 1 << phase as u8;
        if self.told.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            let phase = match phase {
                Phase::Staging => "staging",
                Phase::Folding => "folding",
                Phase::Renaming => "renaming",
                Phase::Collecting => "collecting",
            };
            info!(phase);
        }
    }
}

/// A folded block says so in its edition: `orders.00003.12f.parquet`.
fn is_folded(name: &str) -> bool {
    let edition = name.trim_end_matches(".tmp").trim_end_matches(".parquet").rsplit('.').next();
    edition.is_some_and(|edition| edition.ends_with('f'))
}

impl Disk for TellingDisk {
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.tell(if is_folded(name) { Phase::Folding } else { Phase::Staging });
        self.folder.write(name, content)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.tell(Phase::Renaming);
        self.folder.rename(from, to)
    }

    fn sync(&self) -> io::Result<()> {
        self.told.store(0, Ordering::Relaxed);
        info!(phase = "syncing");
        self.folder.sync()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.folder.remove(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        // Only whoever collects garbage asks for them.
        self.tell(Phase::Collecting);
        self.folder.names()
    }

    fn read(&self, name: &str, start: u64, length: usize) -> io::Result<Bytes> {
        self.folder.read(name, start, length)
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        self.folder.size(name)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_blocks_are_known_by_their_names() {
        for (name, expected) in [
            ("orders.00003.12f.parquet.tmp", true),
            ("orders.00003.12.parquet.tmp", false),
            ("profiles.texts-004.9f.parquet", true),
            ("stuff.places.9.parquet", false),
        ] {
            assert_eq!(is_folded(name), expected, "{name}");
        }
    }
}
