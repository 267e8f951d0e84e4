//! `muster restore`: what a backup holds, into a workspace that has no data yet.
//!
//! Everything is brought beside the data directory and checked there, byte by byte, twice: against the digests of the
//! backup and against those of the catalogue. Only a directory that is whole gets the name under which others open it.
//! What was restored is another instance of the workspace, which sends nothing until somebody says that it may.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use muster_state::{Instance, Mode, State};
use muster_store::{BLOCKS, NamedFile};
use serde_json::json;

use crate::archive::{Archive, Entry};
use crate::arguments::{Arguments, Restore};
use crate::exit::{Exit, Refused};
use crate::output;
use crate::workspace::{DEFINITION, migrations, nearest_workspace};

/// Where everything is brought first, in the folder of the workspace.
const FOLDER: &str = "restoring";

/// What was restored.
struct Restored {
    dir: PathBuf,
    block_files: usize,
    /// Texts of the workspace that were there already, with others in the backup.
    kept: Vec<String>,
}

/// Restores a backup.
///
/// # Errors
/// If there are data already, or the backup is not whole; nothing has changed then.
pub fn run(arguments: &Arguments, wanted: &Restore) -> Result<Exit> {
    let dir = match (&wanted.into, &arguments.dir) {
        (Some(dir), _) | (None, Some(dir)) => dir.clone(),
        (None, None) => nearest_workspace().or_else(|_| std::env::current_dir())?,
    };
    refuse_data(&dir)?;
    let restored = restore(&Archive::open(&wanted.file)?, dir)?;
    if arguments.json {
        let Restored { dir, block_files, kept } = restored;
        output::document(&json!({"dir": dir, "block_files": block_files, "kept_texts": kept}))?;
    } else {
        output::text(&told(&restored))?;
    }
    Ok(Exit::Done)
}

fn told(restored: &Restored) -> String {
    let kept = |name: &String| format!("{name} was there already and is not that of the backup; it stays\n");
    let kept: String = restored.kept.iter().map(kept).collect();
    format!(
        "{}: the state and {} files of blocks are restored\n{kept}nothing is sent from here until \
         `muster campaign take-over`; what the other one sent after the backup is not known here",
        restored.dir.display(),
        restored.block_files
    )
}

fn refuse_data(dir: &Path) -> Result<()> {
    let data = dir.join("data");
    let is_empty = match fs::read_dir(&data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        entries => entries.with_context(|| format!("cannot read {}", data.display()))?.next().is_none(),
    };
    if is_empty {
        return Ok(());
    }
    let text = format!("{} is not empty; move it away, or restore into another folder with --into", data.display());
    Err(Refused(text).into())
}

fn restore(archive: &Archive, dir: PathBuf) -> Result<Restored> {
    let aside = dir.join(FOLDER);
    if aside.exists() {
        fs::remove_dir_all(&aside).with_context(|| format!("cannot empty {}", aside.display()))?;
    }
    let outcome = bring(archive, &aside).and_then(|block_files| {
        let kept = put_texts_in_place(archive, &aside, &dir)?;
        put_data_in_place(&aside, &dir)?;
        Ok((block_files, kept))
    });
    // What is left of it is no use to anybody; where it stays, its name tells what it is.
    let _ = fs::remove_dir_all(&aside);
    let (block_files, kept) = outcome?;
    Ok(Restored { dir, block_files, kept })
}

/// Everything that the backup has, whole, in `aside`; how many files of blocks that are.
fn bring(archive: &Archive, aside: &Path) -> Result<usize> {
    for entry in archive.entries() {
        let path = aside.join(&entry.name);
        let folder = path.parent().context("a file lies in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        archive.extract(entry, &path)?;
    }
    if !aside.join(DEFINITION).is_file() {
        bail!("the backup has no {DEFINITION}");
    }
    open_once(&aside.join("data"))
}

/// Opens the data as another instance of the workspace, checking every file that they name.
fn open_once(data: &Path) -> Result<usize> {
    let blocks = data.join(BLOCKS);
    let state = State::open(data, &migrations(), Mode::Existing)?;
    let named = state.read(NamedFile::all)?;
    named.iter().try_for_each(|file| file.verify_in(&blocks))?;
    state.write(Instance::part)?;
    drop(state);
    if blocks.exists() {
        sync(&blocks)?;
    }
    sync(data)?;
    Ok(named.len())
}

/// Puts the texts in place that are not there yet; the names of those that are and say something else.
fn put_texts_in_place(archive: &Archive, aside: &Path, dir: &Path) -> Result<Vec<String>> {
    let mut kept = Vec::new();
    for entry in archive.entries().iter().filter(|entry| !entry.name.starts_with("data/")) {
        let path = dir.join(&entry.name);
        if !path.exists() {
            put_in_place(&aside.join(&entry.name), &path)?;
        } else if !is_the_same(archive, entry, &path)? {
            kept.push(entry.name.clone());
        }
    }
    Ok(kept)
}

fn is_the_same(archive: &Archive, entry: &Entry, path: &Path) -> Result<bool> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(archive.holds(entry, file)?)
}

/// An empty data directory is replaced; one that somebody filled meanwhile is not.
fn put_data_in_place(aside: &Path, dir: &Path) -> Result<()> {
    put_in_place(&aside.join("data"), &dir.join("data"))
}

fn put_in_place(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::rename(from, to).with_context(|| format!("cannot put {} in its place", to.display()))?;
    sync(folder)
}

fn sync(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("cannot sync {}", folder.display()))
}
