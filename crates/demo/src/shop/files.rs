//! The files of a shop: one per table, in one format, written chapter by chapter.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression as PageCompression;
use parquet::file::properties::WriterProperties;

use super::table::Record;
use super::{Format, csv_file, parquet_file};
use crate::Error;

/// Rows in the form in which they go to a file.
pub(super) enum Encoded {
    Text { lines: Vec<u8>, rows: u64 },
    Batch(RecordBatch),
}

impl Encoded {
    pub(super) fn new<R: Record>(format: Format, records: &[R]) -> Encoded {
        match format {
            Format::Csv | Format::CsvGz => {
                Encoded::Text { lines: csv_file::lines(records), rows: records.len() as u64 }
            }
            Format::Parquet => Encoded::Batch(parquet_file::batch(records)),
        }
    }
}

/// One table's file while it is written.
pub(super) struct TableFile {
    path: PathBuf,
    pub rows: u64,
    form: Form,
}

enum Form {
    Csv(BufWriter<File>),
    CsvGz(GzEncoder<File>),
    Parquet(Box<ArrowWriter<File>>),
}

impl TableFile {
    /// Creates `<folder>/<table>.<ending>`, or replaces it.
    pub(super) fn create<R: Record>(folder: &Path, table: &str, format: Format) -> Result<TableFile, Error> {
        let path = folder.join(format!("{table}.{}", format.ending()));
        let file = File::create(&path).map_err(Error::file("create", &path))?;
        let form = match format {
            Format::Csv => Form::Csv(BufWriter::with_capacity(1 << 20, file)),
            Format::CsvGz => Form::CsvGz(gzip(file)),
            Format::Parquet => Form::Parquet(Box::new(parquet::<R>(file).map_err(Error::parquet(&path))?)),
        };
        let mut table = TableFile { path, rows: 0, form };
        table.write_text(&csv_file::header::<R>())?;
        Ok(table)
    }

    pub(super) fn append(&mut self, rows: &Encoded) -> Result<(), Error> {
        match (&mut self.form, rows) {
            (Form::Parquet(file), Encoded::Batch(batch)) => {
                self.rows += batch.num_rows() as u64;
                file.write(batch).map_err(Error::parquet(&self.path))
            }
            (_, Encoded::Text { lines, rows }) => {
                self.rows += rows;
                self.write_text(lines)
            }
            (_, Encoded::Batch(_)) => unreachable!("rows are encoded for the format of their file"),
        }
    }

    fn write_text(&mut self, text: &[u8]) -> Result<(), Error> {
        let written = match &mut self.form {
            Form::Csv(file) => file.write_all(text),
            Form::CsvGz(file) => file.write_all(text),
            // A Parquet file says the names of its columns itself.
            Form::Parquet(_) => Ok(()),
        };
        written.map_err(Error::file("write", &self.path))
    }

    /// Writes what is still to be written; how many rows the file has comes back.
    pub(super) fn finish(self) -> Result<u64, Error> {
        let TableFile { path, rows, form } = self;
        match form {
            Form::Csv(mut file) => file.flush().map_err(Error::file("write", &path))?,
            Form::CsvGz(file) => drop(file.finish().map_err(Error::file("write", &path))?),
            Form::Parquet(file) => drop(file.close().map_err(Error::parquet(&path))?),
        }
        Ok(rows)
    }
}

/// Without a time of modification, so that the same rows are the same bytes.
fn gzip(file: File) -> GzEncoder<File> {
    GzBuilder::new().mtime(0).write(file, Compression::best())
}

fn parquet<R: Record>(file: File) -> Result<ArrowWriter<File>, parquet::errors::ParquetError> {
    let properties = WriterProperties::builder().set_compression(PageCompression::SNAPPY).build();
    ArrowWriter::try_new(file, parquet_file::schema::<R>(), Some(properties))
}
