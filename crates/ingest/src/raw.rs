//! Rows whose fields are still as the file has them, and what is wrong with a row.

use arrow_array::ArrayRef;
use muster_catalog::ColumnType;

use crate::report::{Reason, excerpt};

/// Rows before anything was typed.
pub(crate) struct RawRows {
    /// The wanted columns of the file, in its order. Of a text file: string views, null where a field was empty.
    pub fields: Vec<ArrayRef>,
    pub count: usize,
    pub lines: Lines,
    /// How many lines (of Parquet: rows) these bytes hold, records and all.
    pub line_ends: u64,
    /// Records that did not become rows.
    pub faults: Vec<Fault>,
}

/// In which line each row begins, counted from the first line of the piece, which is 0.
pub(crate) enum Lines {
    /// One row a line, without gap, from this line on.
    From(u64),
    /// As listed.
    Listed(Vec<u64>),
}

impl Lines {
    pub fn of(&self, row: usize) -> u64 {
        match self {
            Self::From(first) => first + row as u64,
            Self::Listed(lines) => lines[row],
        }
    }
}

/// A row that is rejected; becomes a reject once the file and the lines before the piece are known.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Counted from the first line of the piece, which is 0.
    pub line: u64,
    /// The name of the column in the file.
    pub column: Option<String>,
    pub value: String,
    pub reason: Reason,
    pub inferred: Option<ColumnType>,
}

impl Fault {
    pub fn of_record(line: u64, column: Option<&str>, value: &str, reason: Reason) -> Self {
        Self { line, column: column.map(str::to_owned), value: excerpt(value), reason, inferred: None }
    }
}
