//! The headers of a column's pages, walked before any page is decoded: what they count must fit into their bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use parquet::basic::Type as PhysicalType;
use parquet::file::metadata::ColumnChunkMetaData;

use super::fault::ParquetFault;
use super::limits::CheckError;
use super::thrift::{Field, Walk, kind};

/// Writers cut pages at one mebibyte or a few.
const MOST_PAGE_BYTES: i64 = 256 << 20;
/// Most headers are shorter than the first; those with long statistics are read with the second.
const HEADER_LOOKS: [u64; 2] = [4 << 10, 8 << 20];

const PLAIN: i64 = 0;
const DELTA_BINARY_PACKED: i64 = 5;
const DELTA_LENGTH_BYTE_ARRAY: i64 = 6;
const DELTA_BYTE_ARRAY: i64 = 7;
const BYTE_STREAM_SPLIT: i64 = 9;

/// What the header of a page says.
#[derive(Debug, Default)]
struct PageHeader {
    uncompressed: i64,
    compressed: i64,
    values: i64,
    nulls: i64,
    encoding: i64,
    is_data: bool,
}

/// Checks the pages of one column of row group number `group`, from zero. Whether any page has an encoding whose
/// counts stand inside of it.
pub(super) fn check(mut file: &File, column: &ColumnChunkMetaData, group: usize) -> Result<bool, CheckError> {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset()).cast_unsigned();
    let end = start + column.compressed_size().cast_unsigned();
    let fault =
        |byte: u64, problem| ParquetFault::Page { byte: byte + 1, column: path(column), group: group + 1, problem };
    let (mut at, mut values, mut counts_inside) = (start, 0, false);
    while values < column.num_values() {
        let Some((header, length)) = header_at(&mut file, at, end)? else {
            return Err(fault(at, "has a header that makes no sense").into());
        };
        if let Some(problem) = problem(&header, column, end - at - length) {
            return Err(fault(at, problem).into());
        }
        if header.is_data {
            values += header.values;
            counts_inside |= has_counts_inside(header.encoding);
        }
        at += length + header.compressed.cast_unsigned();
    }
    if values > column.num_values() {
        return Err(fault(start, "begins a column whose pages count more values than the column has").into());
    }
    Ok(counts_inside)
}

pub(super) fn path(column: &ColumnChunkMetaData) -> String {
    column.column_path().string()
}

fn has_counts_inside(encoding: i64) -> bool {
    matches!(encoding, DELTA_BINARY_PACKED | DELTA_LENGTH_BYTE_ARRAY | DELTA_BYTE_ARRAY | BYTE_STREAM_SPLIT)
}

fn problem(header: &PageHeader, column: &ColumnChunkMetaData, left: u64) -> Option<&'static str> {
    let PageHeader { uncompressed, compressed, values, nulls, encoding, is_data } = *header;
    if uncompressed < 0 || compressed < 0 || values < 0 || nulls < 0 || nulls > values {
        Some("has a negative size or count")
    } else if compressed.cast_unsigned() > left {
        Some("reaches past the end of its column")
    } else if uncompressed > MOST_PAGE_BYTES {
        Some("is larger than 256 MiB")
    } else if is_data && values > column.num_values() {
        Some("counts more values than the column has")
    } else if let Some(width) = width(column)
        && (!is_data || (is_whole(column) && matches!(encoding, PLAIN | BYTE_STREAM_SPLIT)))
        && (values - nulls).saturating_mul(width) > uncompressed
    {
        Some("counts more values than its bytes hold")
    } else {
        None
    }
}

/// Whether every value stands in the page: nothing is optional, nothing repeated.
fn is_whole(column: &ColumnChunkMetaData) -> bool {
    column.column_descr().max_def_level() == 0
}

/// The fewest bytes that a plain value takes.
fn width(column: &ColumnChunkMetaData) -> Option<i64> {
    match column.column_type() {
        PhysicalType::BOOLEAN => None,
        PhysicalType::INT32 | PhysicalType::FLOAT | PhysicalType::BYTE_ARRAY => Some(4),
        PhysicalType::INT64 | PhysicalType::DOUBLE => Some(8),
        PhysicalType::INT96 => Some(12),
        PhysicalType::FIXED_LEN_BYTE_ARRAY => Some(column.column_descr().type_length().into()),
    }
}

/// The header at `at` and its length; `None` if it makes no sense.
fn header_at(file: &mut &File, at: u64, end: u64) -> io::Result<Option<(PageHeader, u64)>> {
    for look in HEADER_LOOKS {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(at))?;
        file.take(look.min(end.saturating_sub(at))).read_to_end(&mut bytes)?;
        let mut walk = Walk::over(&bytes);
        if let Some(header) = header(&mut walk) {
            return Ok(Some((header, walk.at as u64)));
        }
    }
    Ok(None)
}

fn header(walk: &mut Walk<'_>) -> Option<PageHeader> {
    const DATA_PAGE: i16 = 5;
    const DICTIONARY_PAGE: i16 = 7;
    const DATA_PAGE_V2: i16 = 8;
    let mut header = PageHeader::default();
    walk.fields(|walk, field| match field {
        Field { id: 2, kind: kind::I32 } => read(walk, &mut header.uncompressed),
        Field { id: 3, kind: kind::I32 } => read(walk, &mut header.compressed),
        Field { id: DICTIONARY_PAGE, kind: kind::STRUCT } => counts(walk, &mut header, [1, 2, -1]),
        Field { id: DATA_PAGE, kind: kind::STRUCT } => {
            header.is_data = true;
            counts(walk, &mut header, [1, 2, -1])
        }
        Field { id: DATA_PAGE_V2, kind: kind::STRUCT } => {
            header.is_data = true;
            counts(walk, &mut header, [1, 4, 2])
        }
        _ => Some(false),
    })?;
    Some(header)
}

/// The counts in the part of a header that belongs to one kind of page; `ids` are those of its fields for the values,
/// the encoding and the nulls.
fn counts(walk: &mut Walk<'_>, header: &mut PageHeader, ids: [i16; 3]) -> Option<bool> {
    let [values, encoding, nulls] = ids;
    walk.fields(|walk, Field { id, kind }| match kind {
        kind::I32 if id == values => read(walk, &mut header.values),
        kind::I32 if id == encoding => read(walk, &mut header.encoding),
        kind::I32 if id == nulls => read(walk, &mut header.nulls),
        _ => Some(false),
    })?;
    Some(true)
}

fn read(walk: &mut Walk<'_>, into: &mut i64) -> Option<bool> {
    *into = walk.number()?;
    Some(true)
}
