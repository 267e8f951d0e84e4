//! The load of one table: waves of pieces are read and shaped side by side, and their results put together in order.
//!
//! While one wave is shaped the next is read from disk, so memory holds two waves and no more of the files. A result
//! never depends on how many threads there are or where pieces were cut.

use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};
use muster_catalog::ColumnNames;
use rayon::prelude::*;

use crate::Intake;
use crate::collisions::collisions;
use crate::error::{Error, Overrun};
use crate::feed::{Feed, Piece, Sizes};
use crate::file::{Content, OpenFile};
use crate::flags::Flags;
use crate::growing::GrowingRows;
use crate::merge::one_row_per_key;
use crate::plan::Plan;
use crate::raw::Fault;
use crate::report::{ColumnReport, ConditionCount, FileReport, KindCount, Observer, Reject, Report};
use crate::shape::{FileShape, Shaped, TableShape};
use crate::source::{Digest, SourceFile};

/// Large enough to keep the threads busy, small enough that two waves of it are nothing beside the table.
const SIZES: Sizes = Sizes { chunk: 8 << 20, record: 32 << 20 };
/// Pieces in a wave, for each thread.
const PIECES_PER_THREAD: usize = 2;
/// Rejects that are kept in memory; all of them go to the observer.
const KEPT_REJECTS: usize = 100;
/// Rejects that every load bears, however small.
const LEAST_BUDGET: u64 = 1_000;

/// The rows of one table, typed, with the report of what became of every row of its files.
#[derive(Debug, Clone)]
pub struct TableLoad {
    /// The table.
    pub table: String,
    /// Its columns, in the order of `schema`: those of an earlier load first, then as the files have them.
    pub columns: Vec<ColumnNames>,
    /// The Arrow schema of the batches: [`ColumnType::arrow`](muster_catalog::ColumnType::arrow) of each column,
    /// nullable.
    pub schema: SchemaRef,
    /// The rows in the order of the files; with `one_row_per_key` in the order in which the keys first appear. One batch,
    /// or none where there are no rows.
    pub batches: Vec<RecordBatch>,
    /// What became of every row.
    pub report: Report,
}

/// Reads all files of a table.
///
/// # Errors
/// See [`Error`]; a bad row is none of them, only too many are.
pub fn read(intake: &Intake<'_>, files: &[SourceFile], observer: &mut dyn Observer) -> Result<TableLoad, Error> {
    read_in(SIZES, intake, files, observer)
}

pub(crate) fn read_in(
    sizes: Sizes,
    intake: &Intake<'_>,
    files: &[SourceFile],
    observer: &mut dyn Observer,
) -> Result<TableLoad, Error> {
    let opened = files.iter().map(|file| OpenFile::look_at(file, intake.table)).collect::<Result<Vec<_>, _>>()?;
    let plan = Plan::of(intake, &opened)?;
    let shape = TableShape::new(intake, &plan)?;
    let file_shapes = opened.iter().map(|file| FileShape::new(intake, &plan, file)).collect::<Result<Vec<_>, _>>()?;
    let bench = Bench { intake, shape: &shape, files: &file_shapes };
    let mut tally = Tally::new(intake, &plan, &shape, &opened);
    bench.run(Feed::new(&opened, sizes), &mut tally, observer)?;
    tally.check_budget()?;
    let inconsistent = |source| Error::Inconsistent { table: intake.table.name.clone(), source };
    let rows = std::mem::replace(&mut tally.rows, GrowingRows::of(shape.schema.clone())).finish();
    let mut batches: Vec<RecordBatch> = rows.map_err(inconsistent)?.into_iter().collect();
    if intake.table.one_row_per_key {
        batches = vec![one_row_per_key(intake.table, &plan, &shape, &batches)?];
    }
    let report = tally.report(&plan, &batches);
    Ok(TableLoad { table: intake.table.name.clone(), columns: plan.names(), schema: shape.schema, batches, report })
}

/// Where pieces are worked on.
struct Bench<'a> {
    intake: &'a Intake<'a>,
    shape: &'a TableShape<'a>,
    files: &'a [FileShape<'a>],
}

impl Bench<'_> {
    fn run(&self, mut feed: Feed<'_>, tally: &mut Tally<'_>, observer: &mut dyn Observer) -> Result<(), Error> {
        let count = PIECES_PER_THREAD * rayon::current_num_threads();
        let all_bytes: u64 = tally.opened.iter().map(OpenFile::bytes_on_disk).sum();
        let mut wave = feed.take(count)?;
        while !wave.is_empty() {
            let (results, next) = rayon::join(|| self.shape_all(&wave), || feed.take(count));
            let mut batches = Vec::new();
            for (piece, shaped) in wave.iter().zip(results?) {
                batches.extend(tally.add(piece, shaped, observer)?);
            }
            let bytes: u64 = wave.iter().map(|piece| piece.bytes).sum();
            tally.rows.append(&batches, bytes as f64 / all_bytes.max(1) as f64);
            wave = next?;
        }
        Ok(())
    }

    fn shape_all(&self, wave: &[Piece]) -> Result<Vec<Vec<Shaped>>, Error> {
        // Collected before it is looked through, so that of several failures it is the first that is told.
        let results: Vec<Result<Vec<Shaped>, Error>> = wave.par_iter().map(|piece| self.shape_one(piece)).collect();
        results.into_iter().collect()
    }

    fn shape_one(&self, piece: &Piece) -> Result<Vec<Shaped>, Error> {
        let file = &self.files[piece.file];
        let raw = file.raw_rows(&piece.part)?;
        let shaped = raw.into_iter().map(|raw| self.shape.shape(file, raw)).collect::<Result<Vec<_>, ArrowError>>();
        shaped.map_err(|source| Error::Inconsistent { table: self.intake.table.name.clone(), source })
    }
}

/// Puts results together, in the order of the files.
struct Tally<'a> {
    intake: &'a Intake<'a>,
    opened: &'a [OpenFile],
    rows: GrowingRows,
    files: Vec<FileReport>,
    filtered: Vec<u64>,
    rejected: Vec<KindCount>,
    rejects: Vec<Reject>,
    placeholders: Vec<u64>,
    flags: Flags,
    /// Lines of the file that is read now, before the next piece.
    lines: u64,
}

impl<'a> Tally<'a> {
    fn new(intake: &'a Intake<'a>, plan: &Plan, shape: &TableShape<'_>, opened: &'a [OpenFile]) -> Self {
        Self {
            intake,
            opened,
            rows: GrowingRows::of(shape.schema.clone()),
            files: Vec::new(),
            filtered: vec![0; intake.table.conditions.len()],
            rejected: Vec::new(),
            rejects: Vec::new(),
            placeholders: vec![0; plan.columns.len()],
            flags: Flags::of(plan),
            lines: 0,
        }
    }

    /// Counts what became of a piece; its rows come back.
    fn add(
        &mut self,
        piece: &Piece,
        results: Vec<Shaped>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<RecordBatch>, Error> {
        if self.files.len() == piece.file {
            self.begin_file(piece.file);
        }
        let rows = results.into_iter().map(|shaped| self.add_rows(shaped, observer)).collect::<Result<_, _>>()?;
        let file = &mut self.files[piece.file];
        observer.advanced(&file.name, piece.bytes);
        if let Some(identity) = piece.ended {
            (file.digest, file.bytes) = (identity.digest, identity.bytes);
        }
        Ok(rows)
    }

    fn begin_file(&mut self, number: usize) {
        let OpenFile { source, content, .. } = &self.opened[number];
        let (lines, delimiter) = match content {
            Content::Text { layout, .. } => (layout.skip_lines, Some(layout.marks.separator.character())),
            Content::Json(_) | Content::Parquet(_) => (0, None),
        };
        self.lines = lines;
        let (name, digest) = (source.name.clone(), Digest([0; 32]));
        self.files.push(FileReport { name, digest, bytes: 0, delimiter, read: 0, filtered: 0, rejected: 0 });
    }

    fn add_rows(&mut self, shaped: Shaped, observer: &mut dyn Observer) -> Result<RecordBatch, Error> {
        if let Some(file) = self.files.last_mut() {
            file.read += shaped.read;
            file.filtered += shaped.filtered.iter().sum::<u64>();
            file.rejected += shaped.faults.iter().map(|fault| fault.reason.rows()).sum::<u64>();
        }
        add_each(&mut self.filtered, &shaped.filtered);
        add_each(&mut self.placeholders, &shaped.placeholders);
        self.flags.add(&shaped);
        for fault in shaped.faults {
            self.reject(fault, observer)?;
        }
        self.lines += shaped.line_ends;
        Ok(shaped.batch)
    }

    fn reject(&mut self, fault: Fault, observer: &mut dyn Observer) -> Result<(), Error> {
        let Fault { line, column, value, reason, inferred } = fault;
        let file = self.files.last().map(|file| file.name.clone()).unwrap_or_default();
        let reject = Reject { file, line: self.lines + line + 1, column, value, reason, inferred };
        self.count(reject.reason.kind(), reject.reason.rows());
        let unwritable = |source| Error::RejectsUnwritable { table: self.intake.table.name.clone(), source };
        observer.rejected(&reject).map_err(unwritable)?;
        if self.rejects.len() < KEPT_REJECTS {
            self.rejects.push(reject);
        }
        Ok(())
    }

    fn count(&mut self, kind: String, rows: u64) {
        match self.rejected.binary_search_by(|count| count.kind.cmp(&kind)) {
            Ok(at) => self.rejected[at].rows += rows,
            Err(at) => self.rejected.insert(at, KindCount { kind, rows }),
        }
    }

    fn read(&self) -> u64 {
        self.files.iter().map(|file| file.read).sum()
    }

    fn check_budget(&self) -> Result<(), Error> {
        let (read, rejected) = (self.read(), self.rejected.iter().map(|count| count.rows).sum());
        let budget = self.intake.table.error_budget.unwrap_or((read / 100).max(LEAST_BUDGET));
        if rejected <= budget {
            return Ok(());
        }
        Err(Error::TooManyRejects(Box::new(Overrun {
            table: self.intake.table.name.clone(),
            read,
            rejected,
            budget,
            by_kind: self.rejected.clone(),
            first: self.rejects.clone(),
        })))
    }

    fn report(self, plan: &Plan, batches: &[RecordBatch]) -> Report {
        let read = self.read();
        let rows: u64 = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        let gone = self.filtered.iter().sum::<u64>() + self.rejected.iter().map(|count| count.rows).sum::<u64>();
        let conditions = self.intake.table.conditions.iter().zip(&self.filtered);
        let (collided, collisions) = collisions(self.intake.table, batches);
        Report {
            files: self.files,
            read,
            rows,
            merged: read - gone - rows,
            filtered: conditions
                .map(|(part, rows)| ConditionCount { condition: part.text.clone(), rows: *rows })
                .collect(),
            rejected: self.rejected,
            rejects: self.rejects,
            columns: column_reports(plan, batches, &self.placeholders),
            flags: self.flags.counts(plan, collided),
            collisions,
            ignored: plan.ignored.clone(),
        }
    }
}

fn add_each(totals: &mut [u64], counts: &[u64]) {
    totals.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
}

fn column_reports(plan: &Plan, batches: &[RecordBatch], placeholders: &[u64]) -> Vec<ColumnReport> {
    let nulls = |column: usize| batches.iter().map(|batch| batch.column(column).null_count() as u64).sum();
    let columns = plan.columns.iter().zip(placeholders).enumerate().map(|(at, (planned, placeholders))| ColumnReport {
        name: planned.column.name.clone(),
        column_type: planned.column_type,
        origin: planned.origin.clone(),
        nulls: nulls(at),
        placeholders: *placeholders,
    });
    columns.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use arrow_select::concat::concat_batches;
    use muster_catalog::parse;
    use tempfile::TempDir;

    use super::*;
    use crate::expand_sources;

    const CATALOG: &str = r#"
        [workspace]
        name = "shop"
        time_zone = "Europe/Amsterdam"
        currency = "EUR"
        [tables.profiles]
        source = "*.csv"
        key = "id"
        where = "status <> 'test'"
    "#;

    /// Quotes, line ends inside them, stray quotes, ragged rows, other types, filtered rows.
    fn messy() -> String {
        let rows = (0..500).map(|row| match row % 10 {
            3 => format!("{row},\"a \"\"quoted\"\"\r\ntext\",{row},new\n"),
            5 => format!("{row},5\" disk,{row},new\n"),
            6 => format!("{row},short\n"),
            7 => format!("{row},text,seven,new\r\n"),
            8 => format!("{row},text,{row},test\n"),
            9 => format!(",text,{row},new\n"),
            _ => format!("{row},text,{row},new\n"),
        });
        "id,text,number,status\n".to_owned() + &rows.collect::<String>()
    }

    fn load(folder: &TempDir, chunk: usize, threads: usize) -> (RecordBatch, Report) {
        let catalog = parse("muster.toml", CATALOG).unwrap();
        let known = [ColumnNames { name: "number".into(), column_type: muster_catalog::ColumnType::Int, role: None }];
        let intake = Intake { catalog: &catalog, table: catalog.root(), known: &known };
        let files = expand_sources(folder.path(), "*.csv").unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let sizes = Sizes { chunk, record: 1 << 20 };
        let load = pool.install(|| read_in(sizes, &intake, &files, &mut ())).unwrap();
        (concat_batches(&load.schema, &load.batches).unwrap(), load.report)
    }

    #[test]
    fn neither_the_size_of_chunks_nor_the_number_of_threads_shows() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("1.csv"), messy()).unwrap();
        fs::write(folder.path().join("2.csv"), messy()).unwrap();
        let whole = load(&folder, 1 << 20, 1);
        assert_eq!(
            (whole.1.read, whole.1.rows, whole.1.filtered_rows(), whole.1.rejected_rows()),
            (1_000, 500, 100, 400)
        );
        for (chunk, threads) in [(1, 1), (7, 3), (64, 2), (1000, 4)] {
            assert_eq!(load(&folder, chunk, threads), whole, "chunks of {chunk} bytes, {threads} threads");
        }
    }

    const PLAIN: &str = "[workspace]\nname = \"shop\"\n[tables.profiles]\nsource = \"*.csv\"\nkey = \"id\"\n";

    #[track_caller]
    fn check_overlong(content: &str, ids: &[&str], rejects: &[&str]) {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("1.csv"), content).unwrap();
        let catalog = parse("muster.toml", PLAIN).unwrap();
        let intake = Intake { catalog: &catalog, table: catalog.root(), known: &[] };
        let files = expand_sources(folder.path(), "*.csv").unwrap();
        let sizes = Sizes { chunk: 16, record: 1 << 20 };
        let load = read_in(sizes, &intake, &files, &mut ()).unwrap();
        let rows = concat_batches(&load.schema, &load.batches).unwrap();
        assert_eq!(crate::typing::as_texts(rows.column(0)).unwrap().iter().flatten().collect::<Vec<_>>(), ids);
        let told = load.report.rejects.iter().map(|reject| format!("{} {}", reject.line, reject.reason));
        assert_eq!(told.collect::<Vec<_>>(), rejects);
        assert_eq!(load.report.read, load.report.rows + load.report.rejected_rows());
    }

    #[test]
    fn row_14_a_quote_that_never_closes_is_rejected_from_its_line_on_in_bounded_memory() {
        let endless = format!("id,text\na,1\nb,\"{}", "x\n".repeat(1 << 20));
        let lost = "3 opens a quote that is never closed; the 1048576 lines up to the end of the file are lost";
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("1.csv"), &endless).unwrap();
        let catalog = parse("muster.toml", PLAIN).unwrap();
        let intake = Intake { catalog: &catalog, table: catalog.root(), known: &[] };
        let files = expand_sources(folder.path(), "*.csv").unwrap();
        let error = read_in(Sizes { chunk: 16, record: 1 << 20 }, &intake, &files, &mut ()).unwrap_err();
        let Error::TooManyRejects(overrun) = error else { panic!("{error}") };
        assert_eq!((overrun.read, overrun.rejected), (1_048_577, 1_048_576), "what is lost counts line by line");
        assert_eq!(format!("{} {}", overrun.first[0].line, overrun.first[0].reason), lost);
    }

    #[test]
    fn row_18_a_field_without_measure_is_passed_over_and_the_rows_behind_it_are_read() {
        let long = "x".repeat(3 << 20);
        let content = format!("id,text\na,1\nb,\"{long}\r\n{long}\"\nc,{long}\r\nd,4\n");
        let told = ["3 begins a record of more than 1048576 bytes", "5 begins a record of more than 1048576 bytes"];
        check_overlong(&content, &["a", "d"], &told);
        let fits = "x".repeat(1 << 10);
        check_overlong(&format!("id,text\na,1\nb,\"{fits}\r\n{fits}\"\nc,3\n"), &["a", "b", "c"], &[]);
    }
}
