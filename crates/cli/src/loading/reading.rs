//! One table's files as typed rows, and a report of what became of each row.

use std::{fs, io};

use anyhow::Result;
use indicatif::ProgressBar;
use muster_catalog::{Catalog, ColumnNames, Kind, Mode, Table};
use muster_ingest::{ColumnProblem, Error as IngestError, Intake, Need, Observer, Reject, Report, TableLoad, read};
use muster_store::{Snapshot, SourceRecord, TableInput};

use super::batches::{input, source_records};
use super::files::Work;
use super::guards;
use super::rejects::Rejects;
use super::report::Full;
use crate::arguments::Guard;
use crate::{phases, progress};

/// What was read of a table.
pub(super) struct Reading<'w> {
    pub work: &'w Work<'w>,
    /// What became of the rows; none where there was no file to read.
    pub report: Option<Report>,
    /// The rows for the store, until it takes them.
    pub input: Option<TableInput>,
    /// Columns that the store has and the files no longer have, which was accepted.
    pub vanished: Vec<String>,
    /// Whether an empty file would have replaced the table.
    pub stays: bool,
}

impl<'w> Reading<'w> {
    /// Reads what there is to read of a table.
    ///
    /// # Errors
    /// If a file cannot be read, or has too many rejects; where it lacks a column that `before` has, and nobody accepted
    /// that.
    pub fn of(
        work: &'w Work<'w>,
        catalog: &Catalog,
        before: Option<&Snapshot>,
        rejects: &mut Rejects,
        accepted: &[Guard],
    ) -> Result<Self> {
        let nothing = Self { work, report: None, input: None, vanished: Vec::new(), stays: false };
        if work.files.is_empty() {
            return Ok(nothing);
        }
        let schema = before.and_then(|snapshot| snapshot.schema(&work.table.name));
        let known = schema.map(|schema| schema.names().columns).unwrap_or_default();
        phases::reading(&work.table.name);
        let (load, vanished) = read_known(work, catalog, known, rejects, accepted)?;
        let names = vanished.iter().map(|column| column.name.clone()).collect();
        let (input, report) = input(load, vanished);
        tracing::info!(
            table = work.table.name,
            files = report.files.len(),
            read = report.read,
            kept = report.rows,
            "read"
        );
        let stays = work.table.mode == Mode::Replace && holds_nothing(work.table, &report) && !work.table.allow_empty;
        Ok(Self { input: (!stays).then_some(input), report: Some(report), vanished: names, stays, ..nothing })
    }

    /// Whether it has rows for the store, or says that there are none.
    pub fn comes(&self) -> bool {
        self.report.is_some() && !self.stays
    }

    /// The files that were read, to know them again.
    pub fn sources(&self) -> Vec<SourceRecord> {
        let kept = self.report.as_ref().filter(|_| !self.stays);
        kept.map(|report| source_records(self.work, report)).unwrap_or_default()
    }

    /// Whether the files have no rows at all.
    pub fn is_empty(&self) -> bool {
        self.report.as_ref().is_none_or(|report| report.read == 0)
    }

    /// What a table was replaced with.
    pub fn full(&self) -> Option<Full> {
        let report = self.report.as_ref().filter(|_| !self.stays)?;
        Some(Full { content: self.work.content.clone()?, rows: report.rows })
    }
}

/// Whether there is nothing to replace a table with. Of a list whose keys were all rejected there is not: of one that nobody
/// is on `NOT lists.stop` would be everybody.
fn holds_nothing(table: &Table, report: &Report) -> bool {
    report.read == 0 || table.kind == Kind::List && report.rows == 0
}

/// Reads the files with the columns that are `known`; those that they no longer have, where that is accepted.
fn read_known(
    work: &Work<'_>,
    catalog: &Catalog,
    mut known: Vec<ColumnNames>,
    rejects: &mut Rejects,
    accepted: &[Guard],
) -> Result<(TableLoad, Vec<ColumnNames>)> {
    let mut vanished = Vec::new();
    loop {
        let intake = Intake { catalog, table: work.table, known: &known };
        match read_once(&intake, work, rejects) {
            Ok(load) => return Ok((load, vanished)),
            Err(error) => match vanished_column(work, &known, &error) {
                Some(Vanished { place, declared: false }) if accepted.contains(&Guard::Columns) => {
                    vanished.push(known.remove(place));
                }
                Some(Vanished { place, declared }) => {
                    return Err(guards::vanished(work.table, &known[place].name, declared, &error));
                }
                None => return Err(error.into()),
            },
        }
    }
}

fn read_once(intake: &Intake<'_>, work: &Work<'_>, rejects: &mut Rejects) -> Result<TableLoad, IngestError> {
    let bytes = work.files.iter().filter_map(|file| fs::metadata(&file.path).ok()).map(|file| file.len()).sum();
    let mut watch = Watch { bar: progress::bytes(&work.table.name, bytes), rejects };
    let load = read(intake, &work.files, &mut watch);
    watch.bar.finish_and_clear();
    load
}

/// A column that the store has and a file no longer has.
struct Vanished {
    /// Its place among the known ones.
    place: usize,
    /// Whether muster.toml asks for it.
    declared: bool,
}

fn vanished_column(work: &Work<'_>, known: &[ColumnNames], error: &IngestError) -> Option<Vanished> {
    let IngestError::Columns { problem: ColumnProblem::Missing { column, needed, .. }, .. } = error else {
        return None;
    };
    let declared = match needed {
        Need::Declared => true,
        Need::Before => false,
        Need::Structure | Need::Condition | Need::Currency => return None,
    };
    // The file's name for it; the store has it by the table's.
    let name = work.table.columns.iter().find(|declared| declared.from == *column).map_or(column, |known| &known.name);
    if work.table.key_parts.contains(name) {
        return None;
    }
    let place = known.iter().position(|known| known.name == *name)?;
    Some(Vanished { place, declared })
}

/// Moves the bar, and keeps the rejects.
struct Watch<'a> {
    bar: ProgressBar,
    rejects: &'a mut Rejects,
}

impl Observer for Watch<'_> {
    fn advanced(&mut self, _file: &str, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn rejected(&mut self, reject: &Reject) -> io::Result<()> {
        self.rejects.write(reject)
    }
}
