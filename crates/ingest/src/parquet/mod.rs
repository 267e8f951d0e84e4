//! Parquet files: their columns, and the raw rows of one row group.
//!
//! Files come from strangers, and Arrow's reader has been seen to panic on damaged ones. So [`limits`] looks at what a
//! file declares before anything is built from it, [`pages`] at the counts of its pages before they are decoded, and
//! what touches its bytes after that runs guarded ([`guard`]). Texts that are not UTF-8 cost their rows only
//! ([`texts`]).

mod counts;
mod fault;
mod guard;
mod limits;
mod pages;
mod texts;
mod thrift;

use std::fs::File;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use muster_catalog::ColumnType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;

pub use fault::ParquetFault;
pub use guard::is_guarded;

use crate::error::{ColumnProblem, Error};
use crate::layout::check_names;
use crate::raw::{Lines, RawRows};
use crate::source::SourceFile;
use crate::stream::{damaged, unreadable};
use guard::guarded;

/// Rows that are typed together.
const BATCH_ROWS: usize = 1 << 16;

/// A Parquet file of which the footer was read.
pub(crate) struct ParquetFile {
    pub names: Vec<String>,
    /// Its size on disk.
    pub bytes: u64,
    footer: ArrowReaderMetadata,
}

impl ParquetFile {
    pub fn open(source: &SourceFile) -> Result<Self, Error> {
        let file = open(source)?;
        let bytes = file.metadata().map_err(|error| unreadable(&source.name, error))?.len();
        limits::check_footer(&file, bytes).map_err(|error| error.of(source))?;
        let footer = guarded(source, || footer(&file))?;
        limits::check_metadata(footer.metadata(), bytes).map_err(|fault| damaged(&source.name, fault.into()))?;
        let names: Vec<String> = footer.schema().fields().iter().map(|field| field.name().clone()).collect();
        check_names(&names).map_err(|problem| Error::Columns { file: source.name.clone(), problem })?;
        Ok(Self { names, bytes, footer })
    }

    /// How many row groups it has.
    pub fn groups(&self) -> usize {
        self.footer.metadata().num_row_groups()
    }

    /// The rows of one group, in batches; `wanted` are the numbers of columns, ascending.
    pub fn rows(&self, source: &SourceFile, group: usize, wanted: &[usize]) -> Result<Vec<RawRows>, Error> {
        self.check_pages(source, group, wanted)?;
        let failure = match self.batches(source, &self.footer, group, wanted) {
            Ok(batches) => return self.whole(source, group, batches),
            Err(failure) => failure,
        };
        // If the texts are what is wrong, their rows are; if not, the first failure says more than the second.
        match self.rows_with_bad_texts(source, group, wanted) {
            Ok(rows) if rows.iter().any(|rows| !rows.faults.is_empty()) => Ok(rows),
            _ => Err(failure),
        }
    }

    /// Fewer rows than the group says that it has would be rows that nobody misses.
    fn whole(&self, source: &SourceFile, group: usize, batches: Vec<RecordBatch>) -> Result<Vec<RawRows>, Error> {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if i64::try_from(rows) != Ok(self.footer.metadata().row_group(group).num_rows()) {
            return Err(damaged(&source.name, ParquetFault::Contradiction.into()));
        }
        Ok(batches.iter().map(|batch| raw_rows(batch.columns().to_vec(), batch.num_rows())).collect())
    }

    fn check_pages(&self, source: &SourceFile, group: usize, wanted: &[usize]) -> Result<(), Error> {
        let metadata = self.footer.metadata();
        let schema = self.footer.parquet_schema();
        let file = open(source)?;
        for (leaf, column) in metadata.row_group(group).columns().iter().enumerate() {
            if wanted.contains(&schema.get_column_root_idx(leaf)) {
                let counts_inside = pages::check(&file, column, group).map_err(|error| error.of(source))?;
                if counts_inside {
                    self.check_counts(source, group, column)?;
                }
            }
        }
        Ok(())
    }

    fn check_counts(&self, source: &SourceFile, group: usize, column: &ColumnChunkMetaData) -> Result<(), Error> {
        let file = open(source)?;
        let rows = usize::try_from(self.footer.metadata().row_group(group).num_rows()).unwrap_or(0);
        match guarded(source, || counts::first_unsound(file, column, rows))? {
            None => Ok(()),
            Some((page, problem)) => {
                let column = column.column_path().string();
                Err(damaged(
                    &source.name,
                    ParquetFault::Counts { page: page + 1, column, group: group + 1, problem }.into(),
                ))
            }
        }
    }

    fn batches(
        &self,
        source: &SourceFile,
        footer: &ArrowReaderMetadata,
        group: usize,
        wanted: &[usize],
    ) -> Result<Vec<RecordBatch>, Error> {
        let file = open(source)?;
        guarded(source, move || {
            let columns = ProjectionMask::roots(footer.parquet_schema(), wanted.iter().copied());
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer.clone())
                .with_projection(columns)
                .with_row_groups(vec![group])
                .with_batch_size(BATCH_ROWS)
                .build()?
                .map(|batch| batch.map_err(ParquetError::from))
                .collect()
        })
    }

    /// The same rows, without those whose texts are none.
    fn rows_with_bad_texts(&self, source: &SourceFile, group: usize, wanted: &[usize]) -> Result<Vec<RawRows>, Error> {
        let (texts, others): (Vec<usize>, Vec<usize>) =
            wanted.iter().partition(|column| holds_text(self.footer.schema().field(**column).data_type()));
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = guarded(source, || texts::with_texts_as_bytes(self.footer.metadata()))?;
        let texts_read = self.batches(source, &bytes, group, &texts)?;
        let others_read = self.batches(source, &self.footer, group, &others)?;
        let pairs = texts_read.iter().enumerate().map(|(number, texts_read)| {
            self.put_together(wanted, &texts, texts_read, others_read.get(number))
                .map_err(|error| damaged(&source.name, ParquetFault::Unreadable(error.into()).into()))
        });
        pairs.collect()
    }

    fn put_together(
        &self,
        wanted: &[usize],
        texts: &[usize],
        texts_read: &RecordBatch,
        others_read: Option<&RecordBatch>,
    ) -> Result<RawRows, arrow_schema::ArrowError> {
        let mut others = others_read.map(|batch| batch.columns().iter()).into_iter().flatten();
        let (mut fields, mut bad) = (Vec::with_capacity(wanted.len()), Vec::new());
        for column in wanted {
            match texts.binary_search(column) {
                Ok(place) => {
                    let decoded = texts::decode(texts_read.column(place))?;
                    bad.extend(decoded.bad.into_iter().map(|bad| (self.names[*column].clone(), bad)));
                    fields.push(decoded.array);
                }
                Err(_) => fields.extend(others.next().cloned()),
            }
        }
        texts::without_bad(fields, texts_read.num_rows(), bad)
    }

    /// The type that a column has by itself; `Err` with the kind in Arrow's words where none takes it.
    pub fn column_type(&self, column: usize) -> Result<ColumnType, String> {
        let kind = self.footer.schema().field(column).data_type();
        column_type(kind).ok_or_else(|| kind.to_string())
    }

    /// Fails if a wanted column is of a kind that no type takes.
    pub fn check_kind(&self, source: &SourceFile, column: usize) -> Result<(), Error> {
        let kind = self.column_type(column).err();
        kind.map_or(Ok(()), |kind| {
            let problem = ColumnProblem::Unsupported { column: self.names[column].clone(), kind };
            Err(Error::Columns { file: source.name.clone(), problem })
        })
    }
}

fn open(source: &SourceFile) -> Result<File, Error> {
    File::open(&source.path).map_err(|error| unreadable(&source.name, error))
}

/// The footer, with kinds of columns that are read better another way than Arrow's own.
fn footer(file: &File) -> Result<ArrowReaderMetadata, ParquetError> {
    let footer = ArrowReaderMetadata::load(file, ArrowReaderOptions::new())?;
    let roots = footer.parquet_schema().root_schema().get_fields();
    let is_int96 =
        |column: usize| roots[column].is_primitive() && roots[column].get_physical_type() == PhysicalType::INT96;
    let fields = footer.schema().fields().iter().enumerate();
    let fields: Vec<Field> = fields
        .map(|(column, field)| Field::clone(field).with_data_type(read_as(field.data_type(), is_int96(column))))
        .collect();
    let schema = Schema::new_with_metadata(fields, footer.schema().metadata().clone());
    if schema == **footer.schema() {
        return Ok(footer);
    }
    ArrowReaderMetadata::try_new(footer.metadata().clone(), ArrowReaderOptions::new().with_schema(Arc::new(schema)))
}

/// The kind that a column is read as: texts as views into its pages, which copies none; instants of 96 bits as
/// microseconds: as nanoseconds, which is Arrow's way, those after 2262 would come out as others.
fn read_as(kind: &DataType, is_int96: bool) -> DataType {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Timestamp(_, zone) if is_int96 => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        other => other.clone(),
    }
}

fn raw_rows(fields: Vec<ArrayRef>, count: usize) -> RawRows {
    RawRows { fields, count, lines: Lines::From(0), line_ends: count as u64, faults: Vec::new() }
}

fn column_type(kind: &DataType) -> Option<ColumnType> {
    Some(match kind {
        DataType::Boolean => ColumnType::Bool,
        DataType::UInt64 => ColumnType::Decimal { precision: 20, scale: 0 },
        _ if kind.is_integer() => ColumnType::Int,
        _ if kind.is_floating() => ColumnType::Float,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale)
            if (0..=38).contains(scale) =>
        {
            // Of wider ones what fits is kept, and what does not is rejected.
            ColumnType::Decimal { precision: (*precision).min(38), scale: *scale }
        }
        DataType::Date32 | DataType::Date64 => ColumnType::Date,
        DataType::Timestamp(..) => ColumnType::Timestamp,
        _ if is_text_list(kind) => ColumnType::Set,
        DataType::Null => ColumnType::Text,
        _ if is_text(kind) => ColumnType::Text,
        _ => return None,
    })
}

fn holds_text(kind: &DataType) -> bool {
    is_text(kind) || is_text_list(kind)
}

fn is_text_list(kind: &DataType) -> bool {
    matches!(kind, DataType::List(member) | DataType::LargeList(member) if is_text(member.data_type()))
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}
