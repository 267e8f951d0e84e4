//! Whether a load fits into the memory that is free, before it begins.

use std::fs;

use anyhow::Result;
use muster_ingest::SourceFile;

use super::files::Work;
use super::guards;
use crate::arguments::Guard;

/// Measured over thirty million order lines: a table's text takes three times its bytes while it is loaded, …
const OF_TEXT: u64 = 3;
/// … and what is compressed twelve times. One table is loaded after the other.
const OF_COMPRESSED: u64 = 12;

/// Refuses what would not fit, unless that is accepted.
///
/// # Errors
/// A refusal, with both figures.
pub(super) fn check(work: &[Work<'_>], accepted: &[Guard]) -> Result<()> {
    let of_table = |work: &Work<'_>| work.files.iter().map(needed_for).fold(0, u64::saturating_add);
    let needed = work.iter().map(of_table).max().unwrap_or(0);
    match free() {
        Some(free) if needed > free && !accepted.contains(&Guard::Memory) => Err(refused(needed, free)),
        _ => Ok(()),
    }
}

fn needed_for(file: &SourceFile) -> u64 {
    let bytes = fs::metadata(&file.path).map_or(0, |file| file.len());
    let name = file.name.to_lowercase();
    let is_compressed = name.ends_with(".gz") || name.ends_with(".parquet");
    bytes.saturating_mul(if is_compressed { OF_COMPRESSED } else { OF_TEXT })
}

fn refused(needed: u64, free: u64) -> anyhow::Error {
    let (needed, free) = (in_gigabytes(needed), in_gigabytes(free));
    guards::refused(
        &format!("this load may need {needed} of memory, and {free} are free; nothing was changed"),
        "load the files of its largest table one by one, with --file; or try it with --accept memory",
    )
}

fn in_gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

/// What the machine and the limits of this process leave; none where the system does not say.
fn free() -> Option<u64> {
    let of_machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    of_machine.into_iter().chain(free_in_group()).min()
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What the limit of a container leaves. Of what is taken, cached files can be given back.
fn free_in_group() -> Option<u64> {
    let read = |name: &str| fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok();
    let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
    let (most, taken) = (number("memory.max")?, number("memory.current")?);
    Some(most.saturating_sub(taken.saturating_sub(cached(&read("memory.stat")?))))
}

fn cached(stat: &str) -> u64 {
    let part = |name: &str| {
        let line = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|number| number.parse::<u64>().ok()).unwrap_or_default()
    };
    part("inactive_file") + part("active_file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_read_as_the_system_writes_it() {
        let meminfo = "MemTotal:       24648388 kB\nMemFree:          812344 kB\nMemAvailable:    8104192 kB\n";
        assert_eq!(available(meminfo), Some(8_104_192 * 1024));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
        assert_eq!(cached("anon 7\nfile 9\ninactive_file 4096\nactive_file 1024\nfile_dirty 3\n"), 5_120);
    }

    #[test]
    fn a_refusal_says_both_figures() {
        let said = refused(24_100_000_000, 8_298_692_608).to_string();
        assert!(said.starts_with("this load may need 24.1 GB of memory, and 8.3 GB are free;"), "{said}");
    }
}
