//! A backup as one file: a tar archive that ends with the digests of all its files.
//!
//! Tar, because every system can open it without muster: `tar xf BACKUP && sha256sum -c SHA256SUMS`. The list of digests
//! is the last entry, so an archive that was cut off has none and is refused; its file appears under its name only when
//! it is whole and on disk.

mod header;

mod read;

mod write;

pub use read::{Archive, Entry};
pub use write::ArchiveWriter;

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

/// The last entry: a line for each file, as `sha256sum` writes it.
const SUMS: &str = "SHA256SUMS";

/// Entries begin at multiples of so many bytes.
const BLOCK: u64 = 512;

/// What fills the last block of a file of so many bytes.
fn padding(bytes: u64) -> u64 {
    bytes.next_multiple_of(BLOCK) - bytes
}

/// Copies to the end, and says how many bytes that were and their SHA-256 in hexadecimal.
fn copy_digesting(mut from: impl Read, mut to: impl Write) -> io::Result<(u64, String)> {
    let (mut digest, mut copied) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok((copied, hexadecimal(&digest.finalize())));
        }
        digest.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
        copied += count as u64;
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    const LONG: &str = "data/blocks/a-table-whose-name-is-so-long-that-no-header-of-an-archive-could-ever-hold-it-together-with-the-rest.00001.12.parquet";

    /// Three files, one of them empty, one with a long name.
    fn archive(folder: &Path) -> PathBuf {
        let path = folder.join("backup.tar");
        let mut writer = ArchiveWriter::create(&path, 1_700_000_000).unwrap();
        for (name, content) in [("data/state.db", "state".repeat(300)), ("muster.toml", String::new())] {
            writer.add(name, content.as_bytes(), content.len() as u64).unwrap();
        }
        writer.add(LONG, &b"block"[..], 5).unwrap();
        writer.finish().unwrap();
        path
    }

    fn names(archive: &Archive) -> Vec<&str> {
        archive.entries().iter().map(|entry| entry.name.as_str()).collect()
    }

    #[test]
    fn what_went_in_comes_out() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::open(&archive(folder.path())).unwrap();
        assert_eq!(names(&archive), ["data/state.db", "muster.toml", LONG]);
        let target = folder.path().join("out");
        for (entry, bytes) in archive.entries().iter().zip([1500, 0, 5]) {
            archive.extract(entry, &target).unwrap();
            assert_eq!(fs::read(&target).unwrap().len(), bytes, "{}", entry.name);
        }
        assert_eq!(fs::read(&target).unwrap(), b"block");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing unfinished is left");
    }

    /// What is wrong with an archive of these bytes, if anything is, by reading all of it.
    fn fault(folder: &Path, bytes: &[u8]) -> Option<String> {
        let path = folder.join("changed.tar");
        fs::write(&path, bytes).unwrap();
        let archive = match Archive::open(&path) {
            Ok(archive) => archive,
            Err(error) => return Some(format!("{error:#}")),
        };
        let damaged = archive.entries().iter().find(|entry| !archive.copy(entry, io::sink()).unwrap());
        damaged.map(|entry| format!("{} is damaged", entry.name))
    }

    #[test]
    fn every_changed_byte_is_found_or_stands_in_what_nobody_reads() {
        let folder = tempfile::tempdir().unwrap();
        let whole = fs::read(archive(folder.path())).unwrap();
        assert_eq!(fault(folder.path(), &whole), None);
        let harmless = (0..whole.len()).filter(|place| {
            let mut changed = whole.clone();
            changed[*place] ^= 1 << (place % 8);
            fault(folder.path(), &changed).is_none()
        });
        let harmless: Vec<usize> = harmless.collect();
        // Only what fills blocks up, and the empty blocks at the end, may be anything.
        assert!(harmless.iter().all(|place| whole[*place] == 0), "{harmless:?}");
        let (read, filling) = (whole.len() - harmless.len(), harmless.len());
        assert!(read > 4_000 && filling > 1_000, "{read} bytes matter, {filling} do not");
    }

    #[test]
    fn an_archive_that_was_cut_off_is_refused_wherever_that_was() {
        let folder = tempfile::tempdir().unwrap();
        let whole = fs::read(archive(folder.path())).unwrap();
        // What fills up the last block, and the two empty ones behind it, say only that nothing follows.
        let content = whole.iter().rposition(|byte| *byte != 0).unwrap();
        for length in (0..=content).step_by(97).chain([content]) {
            let fault = fault(folder.path(), &whole[..length]).unwrap_or_else(|| panic!("{length} bytes"));
            assert!(fault.contains("changed.tar is no whole backup"), "{length} bytes: {fault}");
        }
    }

    #[test]
    fn a_name_that_leads_out_of_the_workspace_is_refused() {
        for name in ["/etc/passwd", "../muster.toml", "data/../../x", ""] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("backup.tar");
            let mut writer = ArchiveWriter::create(&path, 0).unwrap();
            writer.add(name, &b"x"[..], 1).unwrap();
            writer.finish().unwrap();
            let refused = Archive::open(&path).err().map(|error| format!("{error:#}")).unwrap_or_default();
            assert!(refused.contains("leads out of the workspace"), "{name}: {refused}");
        }
    }
}
