//! An archive to read from: its entries are found first, and every file is checked as it is taken out.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use super::header::{Header, Kind};
use super::{BLOCK, SUMS, copy_digesting, padding};

/// A list of digests that is longer than this is none.
const LONGEST_TEXT: u64 = 1 << 30;

/// A backup.
pub struct Archive {
    path: PathBuf,
    entries: Vec<Entry>,
}

/// A file in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the workspace.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    start: u64,
    digest: String,
}

impl Archive {
    /// Finds the entries of the backup `path`.
    ///
    /// # Errors
    /// If it cannot be read, or is not whole.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let entries = Walk { file: BufReader::new(file) }.entries();
        let entries = entries.with_context(|| format!("{} is no whole backup", path.display()))?;
        Ok(Self { path: path.to_owned(), entries })
    }

    /// Its files, in their order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The file of this name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Writes a file of the backup to `target` and brings it to disk.
    ///
    /// # Errors
    /// If it is not what was backed up, or the target cannot be written.
    pub fn extract(&self, entry: &Entry, target: &Path) -> Result<()> {
        let brought = File::create(target).and_then(|file| {
            let is_whole = self.copy(entry, &file)?;
            file.sync_all()?;
            Ok(is_whole)
        });
        if brought.with_context(|| format!("cannot bring {} to {}", entry.name, target.display()))? {
            return Ok(());
        }
        bail!("{} in {} is damaged: it is not what was backed up; take another backup", entry.name, self.path.display())
    }

    /// Copies an entry of the backup; whether it is what was backed up.
    pub(super) fn copy(&self, entry: &Entry, target: impl io::Write) -> io::Result<bool> {
        let mut archive = File::open(&self.path)?;
        archive.seek(SeekFrom::Start(entry.start))?;
        let (bytes, digest) = copy_digesting(archive.take(entry.bytes), target)?;
        Ok(bytes == entry.bytes && digest == entry.digest)
    }

    /// Whether `file` holds what an entry of the backup does.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn holds(&self, entry: &Entry, file: impl Read) -> io::Result<bool> {
        let (bytes, digest) = copy_digesting(file, io::sink())?;
        Ok(bytes == entry.bytes && digest == entry.digest)
    }
}

/// A walk over the headers.
struct Walk {
    file: BufReader<File>,
}

impl Walk {
    fn entries(mut self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        loop {
            let (name, bytes) = self.header()?;
            let start = self.file.stream_position()?;
            if name == SUMS {
                return with_digests(entries, &self.text(bytes)?);
            }
            self.file.seek_relative((bytes + padding(bytes)).try_into()?)?;
            entries.push(Entry { name, bytes, start, digest: String::new() });
        }
    }

    /// The name and size of the next file.
    fn header(&mut self) -> Result<(String, u64)> {
        let header = self.block()?;
        if header.kind == Kind::File {
            return Ok((header.name, header.bytes));
        }
        let name = self.text(header.bytes)?;
        self.file.seek_relative(padding(header.bytes).try_into()?)?;
        Ok((name.trim_end_matches('\0').to_owned(), self.block()?.bytes))
    }

    fn block(&mut self) -> Result<Header> {
        let place = self.file.stream_position()?;
        let mut block = [0; BLOCK as usize];
        self.file.read_exact(&mut block).map_err(|_| anyhow!("it ends at byte {place}, before its {SUMS}"))?;
        Header::read(&block).with_context(|| format!("there is no entry at byte {place}"))
    }

    fn text(&mut self, bytes: u64) -> Result<String> {
        if bytes > LONGEST_TEXT {
            bail!("a text of {bytes} bytes is none that a backup has");
        }
        let mut text = vec![0; bytes as usize];
        self.file.read_exact(&mut text).map_err(|_| anyhow!("it ends within a text"))?;
        String::from_utf8(text).context("a text of it is not UTF-8")
    }
}

/// The entries with what the list says of each; both have the same files.
fn with_digests(entries: Vec<Entry>, sums: &str) -> Result<Vec<Entry>> {
    let mut digests: HashMap<&str, &str> = HashMap::new();
    for line in sums.lines() {
        let (digest, name) = line.split_once("  ").with_context(|| format!("{SUMS} has a line without a name"))?;
        digests.insert(name, digest);
    }
    if digests.len() != entries.len() {
        bail!("{SUMS} lists {} files where there are {}", digests.len(), entries.len());
    }
    let listed = |entry: Entry| {
        let digest =
            digests.get(entry.name.as_str()).with_context(|| format!("{SUMS} does not list {}", entry.name))?;
        refuse_escape(&entry.name)?;
        Ok(Entry { digest: (*digest).to_owned(), ..entry })
    };
    entries.into_iter().map(listed).collect()
}

fn refuse_escape(name: &str) -> Result<()> {
    let is_inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if is_inside && !name.is_empty() { Ok(()) } else { bail!("the name `{name}` leads out of the workspace") }
}
