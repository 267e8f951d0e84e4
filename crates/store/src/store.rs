//! The snapshots of a workspace: the newest one, the way to the next, and the way back.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use muster_catalog::{Catalog, Timestamp};
use muster_state::Tx;

use crate::catalogue::{self, Kept, KnownFile, LoadRecord, LoadedSource, LogEntry, Manifest};
use crate::disk::{Disk, FileDisk};
use crate::files::{ColumnFile, Folder};
use crate::incoming::{Incoming, Ready, TableInput};
use crate::publish::{Making, Prepared};
use crate::report::PublishReport;
use crate::{Error, Snapshot, log};

/// When small changes become part of the blocks, and how far back loads can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upkeep {
    /// A load whose rows are more than this share of a table's, in percent, makes the table anew.
    pub remake_percent: u64,
    /// A block whose overlay is more than this share of its rows, in percent, is folded.
    pub fold_percent: u64,
    /// So many of the blocks are folded at once, in percent, at least one.
    pub fold_at_once_percent: u64,
    /// So many of the newest loads can be taken back.
    pub undo_loads: u32,
    /// What is kept for that is not more than this share of the snapshot's bytes, in percent; the newest load can be taken
    /// back in any case.
    pub undo_percent: u64,
}

impl Default for Upkeep {
    fn default() -> Self {
        Self { remake_percent: 20, fold_percent: 12, fold_at_once_percent: 13, undo_loads: 30, undo_percent: 100 }
    }
}

impl Upkeep {
    pub(crate) fn is_little(&self, rows: u64, of: u64) -> bool {
        rows * 100 <= of * self.remake_percent
    }

    pub(crate) fn is_due(&self, overlay: u64, of: u64) -> bool {
        overlay * 100 > of * self.fold_percent
    }

    pub(crate) fn folds_at_once(&self, blocks: usize) -> usize {
        ((blocks as u64 * self.fold_at_once_percent / 100) as usize).max(1)
    }
}

/// A snapshot of a few rows more, in memory, that no commit has made true yet.
#[derive(Debug)]
pub struct PreparedRows {
    snapshot: Arc<Snapshot>,
    entries: Vec<LogEntry>,
    report: PublishReport,
}

impl PreparedRows {
    /// What became of the rows.
    pub fn report(&self) -> &PublishReport {
        &self.report
    }

    /// The snapshot, readable already.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Writes the rows into the log: true from the commit of `tx` on.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub fn commit(&self, tx: &Tx<'_>) -> Result<(), Error> {
        catalogue::append(tx, self.snapshot.number(), self.snapshot.at(), &self.entries)
    }
}

/// The snapshots of a workspace, and the way to the next one.
#[derive(Debug)]
pub struct Store {
    folder: Folder,
    upkeep: Upkeep,
    current: RwLock<Option<Arc<Snapshot>>>,
}

impl Store {
    /// The store in the data directory `dir`, at its newest snapshot.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub fn open(dir: &Path, tx: &Tx<'_>) -> Result<Self, Error> {
        Self::open_on(Arc::new(FileDisk::at(&dir.join("blocks"))), Upkeep::default(), tx)
    }

    /// The store whose files lie on `disk`, at its newest snapshot.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub fn open_on(disk: Arc<dyn Disk>, upkeep: Upkeep, tx: &Tx<'_>) -> Result<Self, Error> {
        let folder = Folder::on(disk);
        let snapshot = catalogue::latest(tx)?.map(|kept| Arc::new(Snapshot::open(&folder, kept, None)));
        Ok(Self { folder, upkeep, current: RwLock::new(snapshot) })
    }

    /// The newest snapshot; none before the first load.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the files of the next snapshot: the present one with `inputs` merged into it.
    ///
    /// # Errors
    /// If rows do not fit the stored columns, or a file cannot be written. Nothing has changed then.
    pub fn prepare(&self, catalog: &Catalog, inputs: Vec<TableInput>, at: Timestamp) -> Result<Prepared, Error> {
        self.prepare_from(catalog, &mut Ready::of(inputs), at)
    }

    /// The same with rows that come table by table, so that only one table's are in memory.
    ///
    /// # Errors
    /// As [`Store::prepare`], and [`Error::Incoming`] if the rows do not come.
    pub fn prepare_from(
        &self,
        catalog: &Catalog,
        incoming: &mut dyn Incoming,
        at: Timestamp,
    ) -> Result<Prepared, Error> {
        let before = self.snapshot();
        let (number, applied) = before.as_ref().map_or((0, 0), |before| (before.number(), before.applied()));
        let mut making =
            Making::new((catalog, &self.folder, self.upkeep), before.as_deref(), (number + 1, at), incoming);
        making.make()?;
        making.prepared(applied)
    }

    /// Makes the next snapshot in memory: the present one with a few rows merged into it. Their rows go into the log at
    /// the commit; files are made of them later ([`Store::prepare`] makes files of everything, also without inputs).
    ///
    /// # Errors
    /// If rows do not fit the stored columns. Nothing has changed then.
    pub fn prepare_rows(&self, catalog: &Catalog, inputs: &[TableInput], at: Timestamp) -> Result<PreparedRows, Error> {
        let before = self.snapshot().unwrap_or_else(|| Arc::new(Snapshot::empty(at)));
        let (number, applied) = (before.number(), before.applied());
        let entries = log::entries(inputs, applied, number + 1, at)?;
        let applied = entries.last().map_or(applied, |entry| entry.seq);
        let mut ready = Ready::of(inputs.to_vec());
        let mut making = Making::new((catalog, &self.folder, self.upkeep), Some(&before), (number + 1, at), &mut ready);
        making.make_in_memory()?;
        let (snapshot, report) = making.in_memory(applied);
        Ok(PreparedRows { snapshot: Arc::new(snapshot), entries, report })
    }

    /// Makes a committed snapshot of rows the present one.
    pub fn adopt_rows(&self, prepared: PreparedRows) -> Arc<Snapshot> {
        self.put(prepared.snapshot)
    }

    /// Brings in what the log has beyond the files: after opening, for readers and writers alike.
    ///
    /// # Errors
    /// If the log cannot be read, or does not fit the tables.
    pub fn catch_up(&self, catalog: &Catalog, tx: &Tx<'_>) -> Result<(), Error> {
        let present = self.snapshot().unwrap_or_else(|| Arc::new(Snapshot::empty(Timestamp::from_micros(0))));
        let entries = catalogue::log_after(tx, present.applied())?;
        if let Some(newest) = self.replayed(catalog, present, &entries)? {
            self.put(newest);
        }
        Ok(())
    }

    /// Whether nothing was published or logged since this store was opened: what a reader that stays asks before it goes on.
    ///
    /// # Errors
    /// If the catalogue or the log cannot be read.
    pub fn is_newest(&self, tx: &Tx<'_>) -> Result<bool, Error> {
        let (latest, last) = (catalogue::latest_number(tx)?, catalogue::last_in_log(tx)?);
        let Some(present) = self.snapshot() else { return Ok(latest.is_none() && last.is_none()) };
        let has_all_files = latest.unwrap_or(0) == present.filed();
        Ok(has_all_files && last.is_none_or(|last| last <= present.applied()))
    }

    /// A snapshot with these entries brought in, group after group as they came; `None` where there are none.
    fn replayed(
        &self,
        catalog: &Catalog,
        from: Arc<Snapshot>,
        entries: &[LogEntry],
    ) -> Result<Option<Arc<Snapshot>>, Error> {
        let mut newest = None;
        for group in entries.chunk_by(|a, b| a.snapshot == b.snapshot) {
            let before = newest.as_ref().unwrap_or(&from);
            let (number, at) = (group[0].snapshot.max(before.number() + 1), group[0].at);
            let mut ready = Ready::of(log::inputs(catalog, before, group)?);
            let mut making = Making::new((catalog, &self.folder, self.upkeep), Some(before), (number, at), &mut ready);
            making.make_in_memory()?;
            let applied = group[group.len() - 1].seq;
            newest = Some(Arc::new(making.in_memory(applied).0));
        }
        Ok(newest)
    }

    /// How many rows stand in memory and in the log only.
    pub fn unwritten_rows(&self) -> u64 {
        self.snapshot().map_or(0, |snapshot| snapshot.tables().iter().map(|table| table.unwritten().rows()).sum())
    }

    /// Makes the next snapshot as it was before the newest load: the load is taken back. Rows that came since stay.
    ///
    /// # Errors
    /// [`Error::NothingToUndo`] without a load; [`Error::TooLateToUndo`] when its files, or rows since, are gone.
    pub fn prepare_undo(&self, catalog: &Catalog, tx: &Tx<'_>, at: Timestamp) -> Result<(LoadRecord, Prepared), Error> {
        let load = catalogue::latest_load(tx)?.ok_or(Error::NothingToUndo)?;
        let present = self.snapshot();
        let (number, applied) = present.map_or((0, 0), |present| (present.number(), present.applied()));
        let before = match load.before {
            0 => Kept { number, at, manifest: Manifest::default(), files: Vec::new(), applied: 0 },
            before => catalogue::snapshot(tx, before)?.ok_or(Error::TooLateToUndo { load: load.at })?,
        };
        if before.applied < applied && before.applied < catalogue::trimmed_up_to(tx)? {
            return Err(Error::TooLateToUndo { load: load.at });
        }
        let entries = catalogue::log_after(tx, before.applied)?;
        let kept = Kept { number: number + 1, at, ..before };
        if entries.is_empty() {
            return Ok((load, Prepared::again(&self.folder, kept, number)));
        }
        let was = Arc::new(Snapshot::open(&self.folder, Kept { number, ..kept }, None));
        let again = self.replayed(catalog, Arc::clone(&was), &entries)?.unwrap_or(was);
        let mut nothing = Ready::of(Vec::new());
        let mut making =
            Making::new((catalog, &self.folder, self.upkeep), Some(&again), (number + 1, at), &mut nothing);
        making.make()?;
        Ok((load, making.prepared(again.applied())?))
    }

    /// Makes it true that rows stand in files now, which changes nothing that a reader sees.
    ///
    /// # Errors
    /// If the catalogue cannot be written.
    pub fn commit_files(&self, tx: &Tx<'_>, prepared: &Prepared) -> Result<(), Error> {
        prepared.commit_files(tx)
    }

    /// Makes it true that a load is taken back.
    ///
    /// # Errors
    /// If the catalogue cannot be written.
    pub fn commit_undo(&self, tx: &Tx<'_>, load: &LoadRecord, prepared: &Prepared) -> Result<(), Error> {
        prepared.commit_files(tx)?;
        catalogue::undo_load(tx, load.id, prepared.snapshot().at())
    }

    /// Makes a committed snapshot the present one.
    pub fn adopt(&self, prepared: Prepared) -> Arc<Snapshot> {
        self.put(Arc::clone(prepared.snapshot()))
    }

    fn put(&self, snapshot: Arc<Snapshot>) -> Arc<Snapshot> {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// Removes the files that nobody needs any more: those of snapshots to which no load can be taken back, and what an
    /// interrupted load left behind. Readers of the last snapshot but one are not disturbed.
    ///
    /// # Errors
    /// If the catalogue or the folder cannot be read or changed.
    pub fn collect_garbage(&self, tx: &Tx<'_>) -> Result<(), Error> {
        // A file goes only after the commit that forgets it: what is forgotten here goes with the next collection. Else a
        // process that ends in between leaves rows of the catalogue without their files.
        let known = catalogue::file_names(tx)?;
        let names = self.folder.names()?;
        names.iter().filter(|name| !known.contains(*name)).try_for_each(|name| self.folder.remove(name))?;
        let needed = self.needed_snapshots(tx)?;
        for number in catalogue::kept_snapshots(tx)?.into_iter().filter(|number| !needed.contains(number)) {
            catalogue::forget_snapshot(tx, number)?;
        }
        catalogue::forget_files(tx)?;
        catalogue::trim_log(tx)
    }

    /// The newest two, and those that an undo would bring back.
    fn needed_snapshots(&self, tx: &Tx<'_>) -> Result<HashSet<u64>, Error> {
        let kept = catalogue::kept_snapshots(tx)?;
        let mut needed: HashSet<u64> = kept.iter().take(2).copied().collect();
        let mut names: HashSet<String> = HashSet::new();
        for number in kept.iter().take(1) {
            names.extend(catalogue::file_sizes(tx, *number)?.into_iter().map(|(name, _)| name));
        }
        let budget: u64 =
            kept.first().map_or(Ok(0), |newest| total_bytes(tx, *newest))?.saturating_mul(self.upkeep.undo_percent)
                / 100;
        let mut spent = 0;
        for (place, number) in catalogue::undo_points(tx, self.upkeep.undo_loads)?.into_iter().enumerate() {
            let files = catalogue::file_sizes(tx, number)?;
            spent += files.iter().filter(|(name, _)| !names.contains(name)).map(|(_, bytes)| bytes).sum::<u64>();
            if place > 0 && spent > budget {
                break;
            }
            names.extend(files.into_iter().map(|(name, _)| name));
            needed.insert(number);
        }
        Ok(needed)
    }

    /// Checks every byte of every file that the catalogue names; what is wrong, file by file.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub fn verify(&self, tx: &Tx<'_>) -> Result<Vec<Error>, Error> {
        let files = catalogue::all_files(tx)?;
        Ok(files.into_iter().filter_map(|record| ColumnFile::new(&self.folder, record.file).verify().err()).collect())
    }

    /// The digests of the files that went into `table` while it was defined as `definition` (a digest, too).
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub fn known_sources(tx: &Tx<'_>, table: &str, definition: &str) -> Result<HashSet<String>, Error> {
        catalogue::known_sources(tx, table, definition)
    }

    /// How source files looked when their digests were taken, by what users call them.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub fn looks(tx: &Tx<'_>) -> Result<BTreeMap<String, KnownFile>, Error> {
        catalogue::looks(tx)
    }

    /// Keeps other looks at source files than those that were kept before.
    ///
    /// # Errors
    /// If the catalogue cannot be written.
    pub fn keep_looks(
        tx: &Tx<'_>,
        before: &BTreeMap<String, KnownFile>,
        now: &BTreeMap<String, KnownFile>,
    ) -> Result<(), Error> {
        catalogue::keep_looks(tx, before, now)
    }

    /// The files that the loads that stand were the first to read, since the one that made snapshot `oldest`: by snapshot,
    /// table and name.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub fn sources(tx: &Tx<'_>, oldest: u64) -> Result<Vec<LoadedSource>, Error> {
        catalogue::sources(tx, oldest)
    }

    /// The newest `most` loads, the newest first; those that were taken back among them.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub fn loads(tx: &Tx<'_>, most: u32) -> Result<Vec<LoadRecord>, Error> {
        catalogue::loads(tx, most)
    }
}

fn total_bytes(tx: &Tx<'_>, snapshot: u64) -> Result<u64, Error> {
    Ok(catalogue::file_sizes(tx, snapshot)?.into_iter().map(|(_, bytes)| bytes).sum())
}
