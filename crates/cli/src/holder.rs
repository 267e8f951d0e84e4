//! Who holds the lock of a data directory, as far as the system tells.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Error;
use muster_state::Error as StateError;

/// The error, with the process that holds the lock where that is why.
pub fn named(error: Error) -> Error {
    let lock = error.chain().find_map(|cause| match cause.downcast_ref::<StateError>() {
        Some(StateError::Locked { path }) => Some(path.clone()),
        _ => None,
    });
    match lock.and_then(|lock| holder(&lock)) {
        Some(holder) => error.context(format!("{holder} is at work in this workspace")),
        None => error,
    }
}

/// The process, by number and command line.
fn holder(lock: &Path) -> Option<String> {
    let inode = fs::metadata(lock).ok()?.ino();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let process = locks.lines().filter_map(|line| holder_in(line, inode)).find(|process| has_open(*process, lock))?;
    let words = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    let words = words.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
    let program = words.first().and_then(|word| word.rsplit('/').next()).unwrap_or_default();
    let line: String =
        format!("{program} {}", words.get(1..).unwrap_or_default().join(" ")).chars().take(120).collect();
    Some(format!("process {process} (`{}`)", line.trim_end()))
}

/// The process of a line like `3: FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF`, if it locks this inode.
fn holder_in(line: &str, inode: u64) -> Option<u32> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, "FLOCK", _, "WRITE", process, place, ..] = words[..] else { return None };
    (place.rsplit(':').next()?.parse() == Ok(inode)).then(|| process.parse().ok()).flatten()
}

/// Whether the process has this very file open: another disk may use the same inode.
fn has_open(process: u32, file: &Path) -> bool {
    let Ok(wanted) = fs::canonicalize(file) else { return false };
    let Ok(open) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    open.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|path| path == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_read_from_the_line_of_its_lock() {
        for (line, expected) in [
            ("3: FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF", Some(4711)),
            ("3: FLOCK  ADVISORY  WRITE 4711 08:01:131091 0 EOF", None),
            ("3: POSIX  ADVISORY  WRITE 4711 08:01:131090 0 EOF", None),
            ("3: -> FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF", None),
            ("3: FLOCK  ADVISORY  WRITE -1 00:1b:131090 0 EOF", None),
            ("", None),
        ] {
            assert_eq!(holder_in(line, 131_090), expected, "{line}");
        }
    }
}
