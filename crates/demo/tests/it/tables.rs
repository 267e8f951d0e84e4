//! Reading the shop's files back, as text and by digest.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, NaiveDate};
use flate2::read::GzDecoder;
use muster_demo::shop::{Format, Shop, Summary};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A written shop.
pub struct Written {
    pub folder: TempDir,
    pub summary: Summary,
}

impl Written {
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub fn table(&self, name: &str) -> Table {
        Table::of_csv(&self.path(&format!("{name}.csv")))
    }
}

pub fn write(shop: Shop, format: Format) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let summary = shop.write(folder.path(), format, &|_| ()).unwrap();
    Written { folder, summary }
}

/// A table as text: the first row has the names, absent values are empty.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn of_csv(path: &Path) -> Table {
        let text = text(path);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
        Table { rows: rows.collect() }
    }

    pub fn of_parquet(path: &Path) -> Table {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        let names = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
        let mut rows = vec![names];
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            rows.extend(
                (0..batch.num_rows()).map(|row| batch.columns().iter().map(|column| cell(column, row)).collect()),
            );
        }
        Table { rows }
    }

    pub fn len(&self) -> usize {
        self.rows.len() - 1
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> &[String] {
        &self.rows[0]
    }

    /// One column's values, from top to bottom.
    pub fn column(&self, name: &str) -> Vec<&str> {
        let position = self.rows[0].iter().position(|column| column == name).expect(name);
        self.rows[1..].iter().map(|row| row[position].as_str()).collect()
    }

    /// Each value of a column with the number of its rows.
    pub fn counts(&self, name: &str) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        self.column(name).into_iter().for_each(|value| *counts.entry(value).or_insert(0) += 1);
        counts
    }
}

/// What a file holds, unpacked.
pub fn text(path: &Path) -> String {
    let bytes = fs::read(path).unwrap();
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut text = String::new();
        GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        return text;
    }
    String::from_utf8(bytes).unwrap()
}

/// The first eight bytes of the file's SHA-256.
pub fn digest(path: &Path) -> String {
    let digest = Sha256::digest(fs::read(path).unwrap());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Cents of an amount with two decimals.
pub fn cents(amount: &str) -> i64 {
    let (euros, cents) = amount.split_once('.').expect("two decimals");
    assert_eq!(cents.len(), 2, "{amount}");
    euros.parse::<i64>().unwrap() * 100 + cents.parse::<i64>().unwrap()
}

/// A value of a Parquet file as the CSV has it.
fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return String::new();
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => format!("{:.5}", column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(12, 2) => {
            let cents = column.as_primitive::<Decimal128Type>().value(row);
            format!("{}.{:02}", cents / 100, cents % 100)
        }
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().value(row);
            NaiveDate::from_epoch_days(days).unwrap().to_string()
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            DateTime::from_timestamp_micros(micros).unwrap().format("%Y-%m-%dT%H:%M:%S").to_string()
        }
        other => panic!("no column of the shop is {other}"),
    }
}
