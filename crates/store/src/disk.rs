//! The files of the store: written so that a crash leaves either the whole file or garbage that no catalogue names.
//!
//! Temp name, write, sync, rename, sync of the folder; the caller's commit then makes the file true.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema};
use arrow_select::concat::concat;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};

use crate::Error;

/// The folder of the store's files.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// A file that is on disk, and what the catalogue says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    /// SHA-256 of the whole file, in hexadecimal.
    pub(crate) digest: String,
}

/// The parent of each row, as its place among the parents of the block: grows slowly, so its differences are tiny.
pub(crate) const PARENT_COLUMN: &str = "__parent";

impl Folder {
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        fs::create_dir_all(&path).map_err(Error::file("create", &path))?;
        Ok(Self(path))
    }

    /// The folder, which may not be there yet: for readers.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes the columns as the Parquet file `name`; durable only after [`Folder::sync`].
    pub(crate) fn write(&self, name: &str, columns: &[(&str, ArrayRef)], rows: usize) -> Result<Written, Error> {
        let temporary = self.path(&format!("{name}.tmp"));
        let (bytes, digest) = write_parquet(&temporary, columns, rows)?;
        let path = self.path(name);
        fs::rename(&temporary, &path).map_err(Error::file("rename", &path))?;
        Ok(Written { name: name.to_owned(), bytes, rows: rows as u64, digest })
    }

    /// Makes every rename so far durable.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(Error::file("sync", &self.0))
    }

    /// Removes a file that no catalogue names any more; one that is gone already is fine.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    /// The names of all files; none before the first is written.
    pub(crate) fn names(&self) -> Result<Vec<String>, Error> {
        if !self.0.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&self.0).map_err(Error::file("list", &self.0))?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        names.collect::<io::Result<_>>().map_err(Error::file("list", &self.0))
    }
}

fn write_parquet(path: &Path, columns: &[(&str, ArrayRef)], rows: usize) -> Result<(u64, String), Error> {
    let file = File::create(path).map_err(Error::file("create", path))?;
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.iter().map(|(_, column)| Arc::clone(column)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)?;
    let counted = Counted { file: BufWriter::with_capacity(1 << 20, file), bytes: 0, digest: Sha256::new() };
    let mut writer = ArrowWriter::try_new(counted, schema, Some(properties())).map_err(Error::unreadable(path))?;
    writer.write(&batch).map_err(Error::unreadable(path))?;
    let Counted { file, bytes, digest } = writer.into_inner().map_err(Error::unreadable(path))?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error).map_err(Error::file("write", path))?;
    file.sync_all().map_err(Error::file("sync", path))?;
    Ok((bytes, hexadecimal(&digest.finalize())))
}

/// Plain pages: codes have done a dictionary's work already, and building a second one took half of the write.
fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_compression(Compression::LZ4_RAW)
        .set_column_encoding(ColumnPath::from(PARENT_COLUMN), Encoding::DELTA_BINARY_PACKED)
        .set_max_row_group_row_count(Some(1 << 22))
        .build()
}

struct Counted {
    file: BufWriter<File>,
    bytes: u64,
    digest: Sha256,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads the column `name` of the file at `path`, which has `rows` rows.
pub(crate) fn read_column(path: &Path, name: &str, rows: usize) -> Result<ArrayRef, Error> {
    let file = File::open(path).map_err(Error::file("open", path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(Error::unreadable(path))?;
    let place =
        builder.schema().index_of(name).map_err(|_| Error::damaged(path, format!("it has no column {name}")))?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), [place]);
    let reader = builder.with_projection(mask).with_batch_size(rows.max(1)).build().map_err(Error::unreadable(path))?;
    let batches = reader.map(|batch| batch.map(|batch| Arc::clone(batch.column(0))));
    let batches =
        batches.collect::<Result<Vec<ArrayRef>, _>>().map_err(ParquetError::from).map_err(Error::unreadable(path))?;
    let column = joined(batches)?.ok_or_else(|| Error::damaged(path, "it is empty"))?;
    if column.len() == rows {
        Ok(column)
    } else {
        Err(Error::damaged(path, format!("it has {} rows where the catalogue says {rows}", column.len())))
    }
}

fn joined(mut batches: Vec<ArrayRef>) -> Result<Option<ArrayRef>, Error> {
    if batches.len() <= 1 {
        return Ok(batches.pop());
    }
    let parts: Vec<&dyn Array> = batches.iter().map(AsRef::as_ref).collect();
    Ok(Some(concat(&parts)?))
}
