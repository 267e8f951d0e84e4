//! A folder of files and a `muster.toml`, and the load of one table of it.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_cast::display::array_value_to_string;
use flate2::Compression;
use flate2::write::GzEncoder;
use muster_catalog::{Catalog, ColumnNames};
use muster_ingest::{Error, Intake, Observer, Reject, TableLoad, read, source_files};
use tempfile::TempDir;

/// A workspace in the making.
pub struct World {
    folder: TempDir,
    catalog: Catalog,
    pub known: Vec<ColumnNames>,
}

impl World {
    /// A workspace with these tables; `profiles` is added where it is missing.
    pub fn new(tables: &str) -> Self {
        let profiles = if tables.contains("[tables.profiles]") { "" } else { PROFILES };
        let text = format!(
            "[workspace]\nname = \"shop\"\ntime_zone = \"Europe/Amsterdam\"\ncurrency = \"EUR\"\n{profiles}\n{tables}"
        );
        Self::of(&text)
    }

    /// A workspace of which the whole `muster.toml` is written.
    pub fn of(text: &str) -> Self {
        let catalog = muster_catalog::parse("muster.toml", text).unwrap_or_else(|problems| panic!("{problems}"));
        Self { folder: TempDir::new().unwrap(), catalog, known: Vec::new() }
    }

    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// The load of a table and all of its rejects, as the observer heard them.
    pub fn load_watched(&self, table: &str) -> (Result<TableLoad, Error>, Vec<Reject>) {
        self.load_from(table, self.folder.path())
    }

    /// The same, with the files in another folder.
    pub fn load_from(&self, table: &str, folder: &Path) -> (Result<TableLoad, Error>, Vec<Reject>) {
        let table = self.catalog.table(table).unwrap();
        let intake = Intake { catalog: &self.catalog, table, known: &self.known };
        let mut heard = Heard::default();
        let load = source_files(folder, table).and_then(|files| read(&intake, &files, &mut heard));
        (load, heard.0)
    }

    #[track_caller]
    pub fn load(&self, table: &str) -> TableLoad {
        self.load_watched(table).0.unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    pub fn failure(&self, table: &str) -> Error {
        self.load_watched(table).0.map(|load| load.report).expect_err("the load must fail")
    }
}

const PROFILES: &str = "[tables.profiles]\nsource = \"customers.csv\"\nkey = \"customer_id\"\n";

#[derive(Default)]
struct Heard(Vec<Reject>);

impl Observer for Heard {
    fn rejected(&mut self, reject: &Reject) -> io::Result<()> {
        self.0.push(reject.clone());
        Ok(())
    }
}

/// A column as Arrow prints it; no value is empty.
pub fn column(load: &TableLoad, name: &str) -> Vec<String> {
    load.batches.iter().flat_map(|batch| column_of(batch, name)).collect()
}

fn column_of(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
    (0..column.len()).map(|row| array_value_to_string(column, row).unwrap()).collect()
}

/// `name type` of each column.
pub fn types(load: &TableLoad) -> Vec<String> {
    load.columns.iter().map(|column| format!("{} {}", column.name, column.column_type)).collect()
}

pub fn lines(rejects: &[Reject]) -> Vec<String> {
    rejects.iter().map(ToString::to_string).collect()
}

pub fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Every row has one fate.
#[track_caller]
pub fn assert_adds_up(load: &TableLoad) {
    let report = &load.report;
    assert_eq!(report.read, report.rows + report.merged + report.filtered_rows() + report.rejected_rows());
    assert_eq!(report.rows, load.batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>());
}
