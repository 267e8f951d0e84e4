//! `muster doctor`: every byte that muster keeps is looked at, and what is wrong is named with its place and what helps.
//!
//! Looking changes nothing and goes on beside whoever writes. Moving damaged files away (`--quarantine`) and bringing
//! files back from a backup (`--mend`) take the lock; afterwards everything is looked at again.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, bail};
use muster_state::{Error as StateError, Instance, Mode, Reader, State};
use muster_store::{BLOCKS, NamedFile, faults_of_log};
use serde::Serialize;

use super::status::words::size;
use crate::archive::Archive;
use crate::arguments::{Arguments, Doctor};
use crate::desk::has_space;
use crate::exit::Exit;
use crate::workspace::{Workspace, migrations, reading_state};
use crate::{holder, output};

/// Where damaged files go.
const QUARANTINE: &str = "quarantine";
/// Where files of a backup are checked before they take their place.
const MENDING: &str = "mending";

const MEND_STATE: &str = "restore a backup into an empty folder: `muster restore BACKUP --into DIR`";
const MEND_FILE: &str = "`muster doctor --mend BACKUP` brings it back, or restore a backup";
const MEND_SPACE: &str = "make room, or the next load may fail; what is loaded stays as it is";

/// How everything is.
#[derive(Debug, Default, Serialize)]
struct Diagnosis {
    problems: Vec<Problem>,
    /// What is worth knowing and no fault.
    notes: Vec<String>,
    /// Files that the catalogue names.
    files: usize,
    /// Their bytes, all of which were read.
    bytes: u64,
    /// This data directory among the copies of the workspace.
    instance: Option<String>,
    /// SHA-256 of the rows of each table of the newest snapshot, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    digests: Option<BTreeMap<String, String>>,
}

/// Something that is wrong.
#[derive(Debug, Serialize)]
struct Problem {
    /// `state`, `file`, `log` or `disk`.
    kind: &'static str,
    path: PathBuf,
    /// Whose rows are affected.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    what: String,
    hint: &'static str,
}

/// Looks at everything, and mends what it is asked to.
///
/// # Errors
/// If there are no data, a newer muster wrote them, or another process writes while something is to be moved.
pub fn run(arguments: &Arguments, wanted: &Doctor) -> Result<Exit> {
    let workspace = Workspace::find(arguments)?;
    let data = workspace.data();
    if !data.is_dir() {
        bail!("there is no data yet; load some with `muster load`");
    }
    if wanted.quarantine || wanted.mend.is_some() {
        treat(&data, wanted)?;
    }
    let diagnosis = diagnose(&workspace, wanted.digest)?;
    if arguments.json {
        output::document(&diagnosis)?;
    } else {
        output::text(&text(&diagnosis))?;
    }
    Ok(if diagnosis.problems.is_empty() { Exit::Done } else { Exit::Problems })
}

fn text(diagnosis: &Diagnosis) -> String {
    let mut text = String::new();
    // Writing to a text does not fail.
    for Problem { path, what, hint, table, .. } in &diagnosis.problems {
        let table = table.as_ref().map(|table| format!(" (rows of {table})")).unwrap_or_default();
        let _ = writeln!(text, "{}{table}: {what}\n  {hint}", path.display());
    }
    diagnosis.notes.iter().for_each(|note| text.push_str(&format!("note: {note}\n")));
    for (table, digest) in diagnosis.digests.iter().flatten() {
        let _ = writeln!(text, "{digest}  {table}");
    }
    let looked_at = format!("the state and {} files, {}", diagnosis.files, size(diagnosis.bytes));
    let _ = match diagnosis.problems.len() {
        0 => writeln!(text, "{looked_at}: every byte is what was written"),
        1 => writeln!(text, "{looked_at}: 1 problem"),
        count => writeln!(text, "{looked_at}: {count} problems"),
    };
    text
}

fn diagnose(workspace: &Workspace, with_digests: bool) -> Result<Diagnosis> {
    let data = workspace.data();
    let mut diagnosis = Diagnosis::default();
    look_at_disk(&data, &mut diagnosis);
    if look_at_state(&data, &mut diagnosis)? {
        let reader = reading_state(&data)?;
        look_at_files(&data, &reader, &mut diagnosis)?;
        look_at_log(&data, &reader, &mut diagnosis)?;
        look_at_instance(&data, &reader, &mut diagnosis)?;
        if with_digests {
            diagnosis.digests = digests(workspace, &mut diagnosis)?;
        }
    }
    Ok(diagnosis)
}

fn look_at_disk(data: &Path, diagnosis: &mut Diagnosis) {
    if let Err(error) = has_space(data) {
        diagnosis.add("disk", data, format!("{error:#}"), MEND_SPACE);
    }
}

/// Whether the state is worth reading on.
fn look_at_state(data: &Path, diagnosis: &mut Diagnosis) -> Result<bool> {
    let path = data.join("state.db");
    let reader = match Reader::of_any_age(data) {
        Ok(reader) => reader,
        Err(error @ (StateError::Newer { .. } | StateError::Io { .. })) => return Err(error.into()),
        Err(error) => {
            diagnosis.add("state", &path, format!("{:#}", Error::new(error)), MEND_STATE);
            return Ok(false);
        }
    };
    let faults = reader.faults();
    let is_whole = faults.is_empty();
    faults.into_iter().for_each(|fault| diagnosis.add("state", &path, fault, MEND_STATE));
    Ok(is_whole)
}

fn look_at_files(data: &Path, reader: &Reader, diagnosis: &mut Diagnosis) -> Result<()> {
    let blocks = data.join(BLOCKS);
    let named = reader.read(NamedFile::all)?;
    let bad: Vec<(&NamedFile, muster_store::Error)> =
        named.iter().filter_map(|file| Some((file, file.verify_in(&blocks).err()?))).collect();
    // What was removed while everything was read is nobody's any more.
    let still_named: HashSet<String> = reader.read(NamedFile::all)?.iter().map(|file| file.name().to_owned()).collect();
    for (file, error) in bad.into_iter().filter(|(file, _)| still_named.contains(file.name())) {
        diagnosis.add("file", &blocks.join(file.name()), fault(error), MEND_FILE);
        diagnosis.problems.last_mut().expect("it was just added").table = Some(file.table.clone());
    }
    diagnosis.files = named.len();
    diagnosis.bytes = named.iter().map(NamedFile::bytes).sum();
    diagnosis.notes.extend(strangers(&blocks, &still_named)?);
    diagnosis.notes.extend(in_quarantine(data)?);
    Ok(())
}

/// What is wrong, without the path, which stands before it.
fn fault(error: muster_store::Error) -> String {
    match error {
        muster_store::Error::Damaged { what, .. } => what,
        muster_store::Error::Missing { bytes, .. } => format!("it is not there; it had {bytes} bytes"),
        other => format!("{:#}", Error::new(other)),
    }
}

fn strangers(blocks: &Path, named: &HashSet<String>) -> Result<Option<String>> {
    let count = names(blocks)?.iter().filter(|name| !named.contains(*name)).count();
    let note = || format!("{count} files in {} belong to no snapshot; the next write removes them", blocks.display());
    Ok((count > 0).then(note))
}

fn in_quarantine(data: &Path) -> Result<Option<String>> {
    let folder = data.join(QUARANTINE);
    let count = names(&folder)?.len();
    Ok((count > 0).then(|| format!("{count} damaged files lie in {}; nothing reads them", folder.display())))
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn look_at_log(data: &Path, reader: &Reader, diagnosis: &mut Diagnosis) -> Result<()> {
    for fault in reader.read(faults_of_log)? {
        diagnosis.add("log", &data.join("state.db"), fault, MEND_STATE);
    }
    Ok(())
}

fn look_at_instance(data: &Path, reader: &Reader, diagnosis: &mut Diagnosis) -> Result<()> {
    let instance = reader.read(|tx| Instance::read(tx, data))?;
    if instance.as_ref().is_some_and(|instance| instance.is_copy) {
        let note = "this is a copy, or was restored: nothing is sent until `muster campaign take-over`";
        diagnosis.notes.push(note.to_owned());
    }
    diagnosis.instance = instance.map(|instance| instance.id);
    Ok(())
}

/// What every table holds; a table that cannot be read is a problem only if no file of it was one.
fn digests(workspace: &Workspace, diagnosis: &mut Diagnosis) -> Result<Option<BTreeMap<String, String>>> {
    let Some(snapshot) = workspace.open_reading()?.store.snapshot() else { return Ok(None) };
    let mut digests = BTreeMap::new();
    for table in snapshot.schemas().map(|schema| schema.name.clone()) {
        match snapshot.digest(&table) {
            Ok(digest) => drop(digests.insert(table, digest)),
            Err(_) if diagnosis.problems.iter().any(|problem| problem.kind == "file") => {}
            Err(error) => diagnosis.add("file", &workspace.data().join(BLOCKS), fault(error), MEND_FILE),
        }
    }
    Ok(Some(digests))
}

impl Diagnosis {
    fn add(&mut self, kind: &'static str, path: &Path, what: String, hint: &'static str) {
        self.problems.push(Problem { kind, path: path.to_owned(), table: None, what, hint });
    }
}

/// Moves damaged files away, or brings back what a backup has of them.
fn treat(data: &Path, wanted: &Doctor) -> Result<()> {
    let state = State::open(data, &migrations(), Mode::Existing).map_err(|error| holder::named(error.into()))?;
    let archive = wanted.mend.as_deref().map(Archive::open).transpose()?;
    let blocks = data.join(BLOCKS);
    let named: Vec<NamedFile> = state.read(NamedFile::all)?;
    for file in named.iter().filter(|file| file.verify_in(&blocks).is_err()) {
        let mended = archive.as_ref().map(|archive| mend(data, archive, file)).transpose()?.unwrap_or(false);
        if wanted.quarantine && !mended {
            put_away(data, file)?;
        }
    }
    Ok(())
}

/// Brings a file back, if the backup has it as the catalogue says it was; whether it had.
fn mend(data: &Path, archive: &Archive, file: &NamedFile) -> Result<bool> {
    let Some(entry) = archive.entry(&format!("data/{BLOCKS}/{}", file.name())) else { return Ok(false) };
    let (folder, blocks) = (data.join(MENDING), data.join(BLOCKS));
    for folder in [&folder, &blocks] {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let (from, to) = (folder.join(file.name()), blocks.join(file.name()));
    archive.extract(entry, &from)?;
    // Another load of the same number may have written a file of the same name.
    let is_it = file.verify_in(&folder).is_ok();
    if is_it {
        fs::rename(&from, &to).with_context(|| format!("cannot put {} in its place", to.display()))?;
        sync(&blocks)?;
    }
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(is_it)
}

fn put_away(data: &Path, file: &NamedFile) -> Result<()> {
    let (from, folder) = (data.join(BLOCKS).join(file.name()), data.join(QUARANTINE));
    if !from.exists() {
        return Ok(());
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::rename(&from, folder.join(file.name())).with_context(|| format!("cannot move {}", from.display()))?;
    sync(&folder)?;
    sync(&data.join(BLOCKS))
}

fn sync(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("cannot sync {}", folder.display()))
}
