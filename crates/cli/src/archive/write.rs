//! An archive in the making.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::header::{Header, Kind, NAME_ROOM};
use super::{BLOCK, SUMS, copy_digesting, padding};

/// An archive in the making; dropped before it is finished, it leaves nothing behind.
pub struct ArchiveWriter {
    target: PathBuf,
    unfinished: PathBuf,
    /// Absent once the file has its name.
    file: Option<BufWriter<File>>,
    sums: String,
    seconds: u64,
}

impl ArchiveWriter {
    /// Begins the archive `target`, whose files say that they are of `seconds` after 1970.
    ///
    /// # Errors
    /// If no file can be made beside it.
    pub fn create(target: &Path, seconds: u64) -> Result<Self> {
        let unfinished = target.with_added_extension("unfinished");
        let file = File::create(&unfinished).with_context(|| format!("cannot create {}", unfinished.display()))?;
        let file = Some(BufWriter::new(file));
        Ok(Self { target: target.to_owned(), unfinished, file, sums: String::new(), seconds })
    }

    /// Adds a file of so many bytes.
    ///
    /// # Errors
    /// If it has another size by now, or the archive cannot be written.
    pub fn add(&mut self, name: &str, content: impl Read, bytes: u64) -> Result<()> {
        let digest = self.put(name, content, bytes).with_context(|| self.place(name))?;
        self.sums.push_str(&format!("{digest}  {name}\n"));
        Ok(())
    }

    /// Adds the digests, brings everything to disk, and gives the file its name.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<()> {
        let sums = std::mem::take(&mut self.sums);
        self.put(SUMS, sums.as_bytes(), sums.len() as u64).with_context(|| self.place(SUMS))?;
        let named = self.bring_to_disk().and_then(|()| fs::rename(&self.unfinished, &self.target));
        named.with_context(|| format!("cannot write {}", self.target.display()))?;
        self.file = None;
        let folder = self.target.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.with_context(|| format!("cannot sync {}", folder.display()))
    }

    fn bring_to_disk(&mut self) -> std::io::Result<()> {
        let file = self.file.as_mut().expect("it is there until the archive is finished");
        file.write_all(&[0; 2 * BLOCK as usize])?;
        file.flush()?;
        file.get_ref().sync_all()
    }

    fn place(&self, name: &str) -> String {
        format!("cannot write {name} into {}", self.target.display())
    }

    fn put(&mut self, name: &str, content: impl Read, bytes: u64) -> Result<String> {
        let seconds = self.seconds;
        let file = self.file.as_mut().expect("it is there until the archive is finished");
        if name.len() > NAME_ROOM {
            let text = format!("{name}\0");
            let header = Header { name: "././@LongLink".to_owned(), bytes: text.len() as u64, kind: Kind::LongName };
            file.write_all(&header.written(seconds))?;
            file.write_all(text.as_bytes())?;
            fill(file, text.len() as u64)?;
        }
        let header = Header { name: beginning(name), bytes, kind: Kind::File };
        file.write_all(&header.written(seconds))?;
        let (copied, digest) = copy_digesting(content.take(bytes), &mut *file)?;
        if copied != bytes {
            bail!("it has {copied} bytes where there were {bytes}");
        }
        fill(file, bytes)?;
        Ok(digest)
    }
}

/// Brings an entry up to a whole number of blocks.
fn fill(file: &mut impl Write, bytes: u64) -> std::io::Result<()> {
    file.write_all(&vec![0; padding(bytes) as usize])
}

/// As much of a name as a header has room for, in whole letters.
fn beginning(name: &str) -> String {
    name[..name.floor_char_boundary(NAME_ROOM)].to_owned()
}

impl Drop for ArchiveWriter {
    fn drop(&mut self) {
        if self.file.is_some() {
            // Nobody reads a file of this name; that it stays is told by its name.
            let _ = fs::remove_file(&self.unfinished);
        }
    }
}
