//! What can be wrong with a Parquet file as a whole.

use parquet::errors::ParquetError;

/// Why a Parquet file cannot be read, with the byte of the file, counted from one, where there is one.
#[derive(Debug, thiserror::Error)]
pub enum ParquetFault {
    /// The last bytes are not Parquet's.
    #[error("damaged Parquet: it does not end with the mark PAR1; is it cut off?")]
    NoMark,
    /// The footer is encrypted.
    #[error("encrypted Parquet cannot be read")]
    Encrypted,
    /// The footer says that it is longer than the file.
    #[error("damaged Parquet: its footer of {length} bytes would begin before the file, which has {file}")]
    FooterTooLong {
        /// What it says.
        length: u64,
        /// Bytes of the file.
        file: u64,
    },
    /// The footer breaks the grammar of its format.
    #[error("damaged Parquet: its footer makes no sense at byte {byte}")]
    Footer {
        /// Where.
        byte: u64,
    },
    /// More of something than any real file has.
    #[error("it declares {found} {what}; at most {limit} are read")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much.
        found: u64,
        /// How much is accepted.
        limit: u64,
    },
    /// A column lies outside the file, or counts what cannot be.
    #[error("damaged Parquet: column `{column}` of row group {group} {problem}")]
    Column {
        /// The path of the column.
        column: String,
        /// The row group, from one.
        group: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A page contradicts itself or its column.
    #[error("damaged Parquet: the page at byte {byte}, column `{column}` of row group {group}, {problem}")]
    Page {
        /// Where it begins.
        byte: u64,
        /// The path of the column.
        column: String,
        /// The row group, from one.
        group: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A page counts what it does not hold.
    #[error("damaged Parquet: page {page} of column `{column}` of row group {group} {problem}")]
    Counts {
        /// The page, from one, a dictionary counted.
        page: usize,
        /// The path of the column.
        column: String,
        /// The row group, from one.
        group: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// Arrow's reader cannot read it.
    #[error("damaged Parquet")]
    Unreadable(#[source] ParquetError),
    /// Arrow's reader gave up on it.
    #[error("damaged Parquet: its pages contradict themselves")]
    Contradiction,
}
