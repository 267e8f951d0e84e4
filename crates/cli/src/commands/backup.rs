//! `muster backup`: everything that muster keeps, as of one moment, into one file, while others go on writing.
//!
//! The state is copied first; it names the files that belong to it. These never change, and a second name for each (a
//! link) keeps them from going while they are read. The workspace's own texts go along, so that a backup is enough to go
//! on elsewhere.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use muster_store::{BLOCKS, NamedFile};
use serde_json::json;

use super::status::words::size;
use crate::archive::ArchiveWriter;
use crate::arguments::{Arguments, Backup};
use crate::exit::{Exit, Refused};
use crate::output;
use crate::workspace::{DEFINITION, Workspace, reading_state};

/// Where the copy of the state and the links stand while a backup is made.
const FOLDER: &str = "backup";
/// Held by the one that makes a backup; what it left behind when it was killed, the next one removes.
const LOCK: &str = "backup.lock";
/// A file that goes between the copy of the state and its link means that others published meanwhile: once more, then.
const MOST_TRIES: usize = 20;

/// Makes a backup.
///
/// # Errors
/// If there is a file of this name, nothing to back up, a file that is damaged, or no room.
pub fn run(arguments: &Arguments, wanted: &Backup) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    if wanted.file.exists() {
        let text = format!("{} is there already; give the backup another name", wanted.file.display());
        return Err(Refused(text).into());
    }
    let now = workspace.clock().now();
    let held = Held::take(&workspace.data())?;
    let files = held.gather()?;
    let mut archive = ArchiveWriter::create(&wanted.file, u64::try_from(now.micros() / 1_000_000).unwrap_or(0))?;
    for (name, path) in texts(&workspace.dir)?.iter().chain(&files) {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let bytes = file.metadata()?.len();
        archive.add(name, file, bytes)?;
    }
    archive.finish()?;
    let bytes = fs::metadata(&wanted.file)?.len();
    if arguments.json {
        output::document(&json!({"file": wanted.file, "bytes": bytes, "block_files": files.len() - 1}))?;
    } else {
        let (file, bytes) = (wanted.file.display(), size(bytes));
        output::text(&format!("{file}: the state and {} files of blocks, {bytes}", files.len() - 1))?;
    }
    Ok(Exit::Done)
}

/// The folder of a backup in the making, and the right to make one.
struct Held {
    data: PathBuf,
    folder: PathBuf,
    _lock: File,
}

impl Held {
    fn take(data: &Path) -> Result<Self> {
        if !data.is_dir() {
            bail!("there is no data yet; load some with `muster load`");
        }
        let path = data.join(LOCK);
        let lock = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        if lock.try_lock().is_err() {
            return Err(Refused(format!("{}: another backup is being made", path.display())).into());
        }
        Ok(Self { data: data.to_owned(), folder: data.join(FOLDER), _lock: lock })
    }

    /// A copy of the state and a link to each file that it names, all of one moment: by name in the archive, the state
    /// first.
    fn gather(&self) -> Result<Vec<(String, PathBuf)>> {
        for _ in 0..MOST_TRIES {
            self.clear()?;
            let named = self.copy_state()?;
            if let Some(links) = self.link(&named)? {
                named.iter().try_for_each(|file| file.verify_in(&self.folder))?;
                let state = ("data/state.db".to_owned(), self.folder.join("state.db"));
                return Ok(std::iter::once(state).chain(links).collect());
            }
        }
        // Files do not go this often: what is missing was missing before.
        bail!("files that the state names are missing; see which with `muster doctor`")
    }

    fn clear(&self) -> Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir(&self.folder),
        }
        .with_context(|| format!("cannot empty {}", self.folder.display()))
    }

    /// The files are those that the copy names: the state itself may be further by now.
    fn copy_state(&self) -> Result<Vec<NamedFile>> {
        reading_state(&self.data)?.copy_to(&self.folder.join("state.db"))?;
        Ok(reading_state(&self.folder)?.read(NamedFile::all)?)
    }

    /// `None` where a file is gone already.
    fn link(&self, named: &[NamedFile]) -> Result<Option<Vec<(String, PathBuf)>>> {
        let mut links = Vec::with_capacity(named.len());
        for file in named {
            let (from, to) = (self.data.join(BLOCKS).join(file.name()), self.folder.join(file.name()));
            // A file system without links gets copies.
            match fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                linked => linked.with_context(|| format!("cannot link {}", from.display()))?,
            }
            links.push((format!("data/{BLOCKS}/{}", file.name()), to));
        }
        Ok(Some(links))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The next backup does it, where this one cannot.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What the workspace says of itself, by name in the archive.
fn texts(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut texts = vec![(DEFINITION.to_owned(), dir.join(DEFINITION))];
    for folder in ["queries", "campaigns", "templates"] {
        walk(dir, folder, &mut texts).with_context(|| format!("cannot read {}", dir.join(folder).display()))?;
    }
    Ok(texts)
}

fn walk(dir: &Path, folder: &str, texts: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    let entries = match fs::read_dir(dir.join(folder)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let mut names = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    for name in names.iter().filter_map(|name| name.to_str()) {
        let name = format!("{folder}/{name}");
        let path = dir.join(&name);
        match path.is_dir() {
            true => walk(dir, &name, texts)?,
            false => texts.push((name, path)),
        }
    }
    Ok(())
}
