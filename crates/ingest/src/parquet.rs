//! Parquet files: their columns, and the raw rows of one row group.
//!
//! Files come from strangers, and Arrow's reader has been seen to panic on damaged ones: everything that touches
//! their bytes runs guarded, and a panic is a damaged file like any other.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use muster_catalog::ColumnType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use crate::error::{ColumnProblem, Damage, Error};
use crate::layout::check_names;
use crate::raw::{Lines, RawRows};
use crate::source::SourceFile;
use crate::stream::{damaged, unreadable};

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
        let file = File::open(&source.path).map_err(|error| unreadable(&source.name, error))?;
        let bytes = file.metadata().map_err(|error| unreadable(&source.name, error))?.len();
        let footer = guarded(source, || ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))?;
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
        let file = File::open(&source.path).map_err(|error| unreadable(&source.name, error))?;
        let batches = guarded(source, || {
            self.reader(file, group, wanted)?
                .map(|batch| batch.map_err(ParquetError::from))
                .collect::<Result<Vec<_>, _>>()
        })?;
        Ok(batches.iter().map(raw_rows).collect())
    }

    fn reader(&self, file: File, group: usize, wanted: &[usize]) -> Result<ParquetRecordBatchReader, ParquetError> {
        let columns = ProjectionMask::roots(self.footer.parquet_schema(), wanted.iter().copied());
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.footer.clone())
            .with_projection(columns)
            .with_row_groups(vec![group])
            .with_batch_size(BATCH_ROWS)
            .build()
    }

    /// The type that a column has by itself; `Err` with the kind in Arrow's words where none takes it.
    pub fn column_type(&self, column: usize) -> Result<ColumnType, String> {
        let kind = self.schema().field(column).data_type();
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

    fn schema(&self) -> &SchemaRef {
        self.footer.schema()
    }
}

fn raw_rows(batch: &RecordBatch) -> RawRows {
    RawRows {
        fields: batch.columns().to_vec(),
        count: batch.num_rows(),
        lines: Lines::From(0),
        line_ends: batch.num_rows() as u64,
        faults: Vec::new(),
    }
}

fn guarded<T>(source: &SourceFile, read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(|error| damaged(&source.name, Damage::Parquet(error))),
        Err(_) => Err(damaged(&source.name, Damage::ParquetPages)),
    }
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
            if *precision <= 38 && *scale >= 0 =>
        {
            ColumnType::Decimal { precision: *precision, scale: *scale }
        }
        DataType::Date32 | DataType::Date64 => ColumnType::Date,
        DataType::Timestamp(..) => ColumnType::Timestamp,
        DataType::List(member) | DataType::LargeList(member) if is_text(member.data_type()) => ColumnType::Set,
        DataType::Null => ColumnType::Text,
        _ if is_text(kind) => ColumnType::Text,
        _ => return None,
    })
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}
