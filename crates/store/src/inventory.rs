//! The files that the catalogue names, one by one: for whoever copies, checks, moves or brings back files.

use std::path::Path;
use std::sync::Arc;

use muster_state::Tx;

use crate::catalogue::LogEntry;
use crate::disk::FileDisk;
use crate::files::{ColumnFile, Folder, Written};
use crate::{Error, catalogue, log};

/// The folder of the files within the data directory.
pub const BLOCKS: &str = "blocks";

/// A file that the catalogue names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// Whose rows or texts it holds.
    pub table: String,
    written: Written,
}

impl NamedFile {
    /// All files of all snapshots that are kept, by name.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub fn all(tx: &Tx<'_>) -> Result<Vec<Self>, Error> {
        let records = catalogue::all_files(tx)?.into_iter();
        Ok(records.map(|record| Self { table: record.table, written: record.file }).collect())
    }

    /// Its name within the folder of the files.
    pub fn name(&self) -> &str {
        &self.written.name
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> u64 {
        self.written.bytes
    }

    /// Checks every byte of the file of this name in `folder`.
    ///
    /// # Errors
    /// If it is not there, cannot be read, or does not hold what was written.
    pub fn verify_in(&self, folder: &Path) -> Result<(), Error> {
        let folder = Folder::on(Arc::new(FileDisk::at(folder)));
        ColumnFile::new(&folder, self.written.clone()).verify()
    }
}

/// What is wrong with the log of record, a line for each fault: entries that are missing between the first and the last,
/// and entries that hold no rows.
///
/// # Errors
/// If the log cannot be read.
pub fn faults_of_log(tx: &Tx<'_>) -> Result<Vec<String>, Error> {
    let mut faults = Vec::new();
    let mut last: Option<i64> = None;
    for LogEntry { seq, table, rows, .. } in catalogue::log_after(tx, 0)? {
        if let Some(last) = last.filter(|last| seq != last + 1) {
            faults.push(format!("entries {} to {} of the log are missing", last + 1, seq - 1));
        }
        if let Err(error) = log::read(&rows) {
            faults.push(format!("entry {seq} of the log, rows of {table}, cannot be read: {error}"));
        }
        last = Some(seq);
    }
    Ok(faults)
}
