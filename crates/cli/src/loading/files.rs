//! Which files a load reads: those of the wanted tables that are whole, and whose content did not go in before.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use muster_catalog::{Mode, Owner, Table, nearest};
use muster_ingest::{Error as IngestError, SourceFile, Unfinished, look, source_files, unfinished};
use muster_store::{LoadRecord, Store};
use sha2::{Digest, Sha256};

use super::known::KnownFiles;
use super::report::{Full, TableReport};
use crate::arguments::Load;
use crate::workspace::{Opened, Workspace, is_young};

/// A file that did not change for so long is taken for whole.
const SETTLED: Duration = Duration::from_secs(3);
/// Between two looks at a younger one: programs that write do so more often.
const PAUSE: Duration = Duration::from_millis(300);

/// A table with the files that are to be read into it.
pub(super) struct Work<'a> {
    pub table: &'a Table,
    pub files: Vec<SourceFile>,
    pub known_files: usize,
    /// Files that are left for the next load, and why.
    pub unfinished: Vec<(String, String)>,
    /// Digest of how the table is defined.
    pub definition: String,
    /// Of a table that is replaced: digest of all that its files hold.
    pub content: Option<String>,
    /// Of such a table: what it was replaced with last.
    pub last_full: Option<Full>,
}

/// Looks for the files of a load.
pub(super) struct Search<'a> {
    pub workspace: &'a Workspace,
    pub opened: &'a Opened,
    pub arguments: &'a Load,
}

/// The files of a table, whatever their state.
struct Found<'a> {
    table: &'a Table,
    files: Vec<SourceFile>,
}

impl<'a> Search<'a> {
    /// What there is to read, table by table, parents first; and by what files will be known again.
    ///
    /// # Errors
    /// If a table is not there, no file is, or one cannot be read.
    pub fn work(&self) -> Result<(Vec<Work<'a>>, KnownFiles)> {
        let mut found = Vec::new();
        for table in self.tables()? {
            found.extend(self.find(table)?);
        }
        if found.is_empty() {
            bail!("no table's `source` matches {}", self.only().unwrap_or(Path::new("")).display());
        }
        let unfinished = unfinished_among(&found)?;
        let mut known = KnownFiles::of(&self.opened.state, found.iter().flat_map(|found| &found.files))?;
        let work = found.into_iter().map(|found| self.work_on(found, &unfinished, &mut known));
        Ok((work.collect::<Result<_>>()?, known))
    }

    fn only(&self) -> Option<&Path> {
        self.arguments.file.as_deref()
    }

    fn tables(&self) -> Result<Vec<&'a Table>> {
        let known = || self.workspace.catalog.tables.iter().map(|table| table.name.as_str());
        let wanted = &self.arguments.tables;
        if let Some(name) = wanted.iter().find(|name| !known().any(|table| table == **name)) {
            let hint = nearest(name, known()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            bail!("there is no table `{name}` in muster.toml{hint}");
        }
        let tables = self.workspace.catalog.parents_first().into_iter();
        Ok(tables.filter(|table| wanted.is_empty() || wanted.contains(&table.name)).collect())
    }

    fn find(&self, table: &'a Table) -> Result<Option<Found<'a>>> {
        let files = source_files(&self.workspace.dir, table);
        let Some(only) = self.only() else { return Ok(Some(Found { table, files: files? })) };
        let only = fs::canonicalize(only).with_context(|| format!("cannot read {}", only.display()))?;
        let mut files = match files {
            Err(IngestError::NoFiles { .. }) => return Ok(None),
            files => files?,
        };
        files.retain(|file| fs::canonicalize(&file.path).is_ok_and(|path| path == only));
        Ok((!files.is_empty()).then_some(Found { table, files }))
    }

    fn work_on(
        &self,
        found: Found<'a>,
        unfinished: &BTreeMap<PathBuf, Unfinished>,
        digests: &mut KnownFiles,
    ) -> Result<Work<'a>> {
        let Found { table, files } = found;
        let why = |file: &SourceFile| unfinished.get(&file.path).map(|why| (file.name.clone(), why.to_string()));
        let left: Vec<(String, String)> = files.iter().filter_map(why).collect();
        let whole: Vec<SourceFile> = files.into_iter().filter(|file| !unfinished.contains_key(&file.path)).collect();
        let work = Work {
            table,
            files: Vec::new(),
            known_files: 0,
            definition: definition_digest(self.workspace, table),
            content: None,
            last_full: None,
            unfinished: left,
        };
        match table.mode {
            // Without the file that is still being written, its rows would go.
            Mode::Replace if !work.unfinished.is_empty() => Ok(work),
            Mode::Replace => self.with_all_or_none(work, whole, digests),
            Mode::Merge | Mode::ReplaceByParent => self.with_fresh(work, whole, digests),
        }
    }

    /// The files whose content did not go into the table before.
    fn with_fresh(&self, work: Work<'a>, files: Vec<SourceFile>, digests: &mut KnownFiles) -> Result<Work<'a>> {
        let known = self.known(&work)?;
        if known.is_empty() {
            return Ok(Work { files, ..work });
        }
        let found = files.len();
        let mut fresh = Vec::new();
        for file in files {
            if !known.contains(&digests.digest(&file)?) {
                fresh.push(file);
            }
        }
        Ok(Work { known_files: found - fresh.len(), files: fresh, ..work })
    }

    fn known(&self, work: &Work<'_>) -> Result<HashSet<String>> {
        Ok(self.opened.state.read(|tx| Store::known_sources(tx, &work.table.name, &work.definition))?)
    }

    /// A table that is replaced is what all of its files say together: if one of them is another than last time, all are
    /// read again, also those that went in before.
    fn with_all_or_none(&self, work: Work<'a>, files: Vec<SourceFile>, digests: &mut KnownFiles) -> Result<Work<'a>> {
        let mut contents = files.iter().map(|file| digests.digest(file)).collect::<Result<Vec<String>>>()?;
        contents.sort_unstable();
        let content = hexadecimal(&format!("{} {}", work.definition, contents.join(" ")));
        let last_full = self.last_full(&work.table.name)?;
        let is_known = last_full.as_ref().is_some_and(|full| full.content == content);
        let (files, known_files) = if is_known { (Vec::new(), files.len()) } else { (files, 0) };
        Ok(Work { files, known_files, content: Some(content), last_full, ..work })
    }

    /// What a table was replaced with by the newest load that did so and stands.
    fn last_full(&self, table: &str) -> Result<Option<Full>> {
        // Mostly it is among the newest.
        for most in [64, 4_096, u32::MAX] {
            let loads = self.opened.state.read(|tx| Store::loads(tx, most))?;
            let standing = loads.iter().filter(|load| load.undone.is_none());
            if let Some(full) = standing.filter_map(|load| full_of(load, table)).next() {
                return Ok(Some(full));
            }
            if loads.len() < most as usize {
                return Ok(None);
            }
        }
        Ok(None)
    }
}

fn full_of(load: &LoadRecord, table: &str) -> Option<Full> {
    let tables: Vec<TableReport> = serde_json::from_str(&load.report).ok()?;
    tables.into_iter().find(|kept| kept.table == table)?.full
}

/// The files that are still being written, and how that shows. Only if one changed just now, it is waited for a moment.
fn unfinished_among(found: &[Found<'_>]) -> Result<BTreeMap<PathBuf, Unfinished>> {
    let files: BTreeMap<&Path, &SourceFile> =
        found.iter().flat_map(|found| &found.files).map(|file| (file.path.as_path(), file)).collect();
    let looks = files.values().map(|file| Ok((*file, look(file)?))).collect::<Result<Vec<_>>>()?;
    if looks.iter().any(|(_, look)| look.changed.is_none_or(|changed| is_young(changed, SETTLED))) {
        thread::sleep(PAUSE);
    }
    let mut left = BTreeMap::new();
    for (file, before) in looks {
        left.extend(unfinished(file, before)?.map(|why| (file.path.clone(), why)));
    }
    Ok(left)
}

/// Another definition may read the same file otherwise, so a file is known only together with it. Who owns a field is not
/// about reading: a file that was known stays so when it changes, and does not come again as the latest word.
fn definition_digest(workspace: &Workspace, table: &Table) -> String {
    let mut read = table.clone();
    let of_sources = read.sources.iter_mut().flat_map(|source| &mut source.columns);
    read.columns.iter_mut().chain(of_sources).for_each(|column| column.owner = Owner::default());
    hexadecimal(&format!("{} {read:?}", workspace.catalog.workspace.time_zone))
}

fn hexadecimal(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
