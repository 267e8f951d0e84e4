//! What a Parquet file declares, held against what any real file has, before Arrow believes a word of it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::fault::ParquetFault;
use super::thrift::{Walk, kind};
use crate::error::Error;
use crate::source::SourceFile;
use crate::stream::{damaged, unreadable};

const MOST_FOOTER_BYTES: u64 = 64 << 20;
/// Writers number row groups in 15 bits.
const MOST_ROW_GROUPS: u64 = 1 << 15;
/// Leaves of nested columns and the groups above them count as well.
const MOST_SCHEMA_NODES: u64 = 1 << 16;
const DEEPEST_SCHEMA: u64 = 32;
/// What old writers put into one group at most; a group is read as a whole.
const MOST_GROUP_ROWS: u64 = 1 << 26;
const MOST_COLUMN_BYTES: u64 = 16 << 30;

/// The mark and the length of the footer behind it, and the mark at the beginning.
const FRAME: u64 = 12;

/// Why a file is not handed on: it is not sound, or it cannot be read.
pub(super) enum CheckError {
    Fault(ParquetFault),
    Io(io::Error),
}

impl CheckError {
    pub fn of(self, source: &SourceFile) -> Error {
        match self {
            Self::Fault(fault) => damaged(&source.name, fault.into()),
            Self::Io(error) => unreadable(&source.name, error),
        }
    }
}

impl From<io::Error> for CheckError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ParquetFault> for CheckError {
    fn from(fault: ParquetFault) -> Self {
        Self::Fault(fault)
    }
}

/// Checks the footer of a file of `bytes` bytes, without building anything from it.
pub(super) fn check_footer(file: &File, bytes: u64) -> Result<(), CheckError> {
    let length = footer_length(file, bytes)?;
    let start = bytes - 8 - length;
    let footer = bytes_at(file, start, length)?;
    let mut walk = Walk::over(&footer);
    let shape = footer_shape(&mut walk).ok_or(ParquetFault::Footer { byte: start + walk.at as u64 + 1 })?;
    at_most("row groups", shape.row_groups, MOST_ROW_GROUPS)?;
    at_most("columns, nested ones counted", shape.schema_nodes, MOST_SCHEMA_NODES)?;
    at_most("columns in one another", shape.schema_depth, DEEPEST_SCHEMA)?;
    Ok(())
}

/// How long the footer says that it is; never more than fits into the file.
fn footer_length(file: &File, bytes: u64) -> Result<u64, CheckError> {
    if bytes < FRAME {
        return Err(ParquetFault::NoMark.into());
    }
    let end = bytes_at(file, bytes - 8, 8)?;
    let Some((length, mark)) = end.split_first_chunk::<4>() else { return Err(ParquetFault::NoMark.into()) };
    match mark {
        b"PAR1" => {}
        b"PARE" => return Err(ParquetFault::Encrypted.into()),
        _ => return Err(ParquetFault::NoMark.into()),
    }
    let length = u64::from(u32::from_le_bytes(*length));
    if length > bytes - FRAME {
        return Err(ParquetFault::FooterTooLong { length, file: bytes }.into());
    }
    at_most("bytes of footer", length, MOST_FOOTER_BYTES)?;
    Ok(length)
}

fn bytes_at(mut file: &File, start: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn at_most(what: &'static str, found: u64, limit: u64) -> Result<(), ParquetFault> {
    if found > limit { Err(ParquetFault::TooMuch { what, found, limit }) } else { Ok(()) }
}

/// How large the footer's lists are.
#[derive(Debug, Default)]
struct FooterShape {
    row_groups: u64,
    schema_nodes: u64,
    schema_depth: u64,
}

fn footer_shape(walk: &mut Walk<'_>) -> Option<FooterShape> {
    const SCHEMA: i16 = 2;
    const ROW_GROUPS: i16 = 4;
    let mut shape = FooterShape::default();
    walk.fields(|walk, field| match (field.id, field.kind) {
        (SCHEMA, kind::LIST) => {
            (shape.schema_nodes, shape.schema_depth) = schema_shape(walk)?;
            Some(true)
        }
        (ROW_GROUPS, kind::LIST) => {
            let count = walk.elements(kind::STRUCT, |walk| walk.fields(|_, _| Some(false)))?;
            shape.row_groups = count as u64;
            Some(true)
        }
        _ => Some(false),
    })?;
    Some(shape)
}

/// How many nodes the schema has, and how deep they stand in one another. They are written depth first, each with the
/// number of its children.
fn schema_shape(walk: &mut Walk<'_>) -> Option<(u64, u64)> {
    // Children that are still to come, of each open node.
    let mut open: Vec<u64> = Vec::new();
    let mut deepest = 0;
    let count = walk.elements(kind::STRUCT, |walk| {
        let children = children(walk)?;
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if children > 0 {
            open.push(children);
            deepest = deepest.max(open.len() as u64);
        }
        while open.last() == Some(&0) {
            open.pop();
        }
        Some(())
    })?;
    Some((count as u64, deepest))
}

fn children(walk: &mut Walk<'_>) -> Option<u64> {
    const NUM_CHILDREN: i16 = 5;
    let mut children = 0;
    walk.fields(|walk, field| {
        if (field.id, field.kind) != (NUM_CHILDREN, kind::I32) {
            return Some(false);
        }
        children = u64::try_from(walk.number()?).ok()?;
        Some(true)
    })?;
    Some(children)
}

/// Checks what the metadata say of rows and places: nothing is negative, and everything lies in the file.
pub(super) fn check_metadata(metadata: &ParquetMetaData, bytes: u64) -> Result<(), ParquetFault> {
    for (group, found) in metadata.row_groups().iter().enumerate() {
        at_most("rows in one row group", counted(found.num_rows()), MOST_GROUP_ROWS)?;
        for column in found.columns() {
            let problem = column_problem(column, bytes);
            if let Some(problem) = problem {
                return Err(ParquetFault::Column { column: column.column_path().string(), group: group + 1, problem });
            }
            at_most("bytes in one column", counted(column.uncompressed_size()), MOST_COLUMN_BYTES)?;
        }
    }
    Ok(())
}

/// A negative count is as good as a huge one.
fn counted(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn column_problem(column: &ColumnChunkMetaData, bytes: u64) -> Option<&'static str> {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let numbers =
        [start, column.data_page_offset(), column.compressed_size(), column.uncompressed_size(), column.num_values()];
    if numbers.iter().any(|number| *number < 0) {
        return Some("has a negative place, size or count");
    }
    let ends_in_file =
        |start: i64| counted(start).checked_add(counted(column.compressed_size())).is_some_and(|end| end <= bytes);
    let ends =
        [start, column.data_page_offset()].iter().all(|start| *start <= bytes.cast_signed()) && ends_in_file(start);
    (!ends).then_some("reaches past the end of the file")
}
