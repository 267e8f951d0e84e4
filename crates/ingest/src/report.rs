//! What became of every row: the report of a load, and the rejects in it.
//!
//! The figures always add up: `read = rows + merged + filtered + rejected`.

use std::fmt;
use std::io;

use muster_catalog::{ColumnType, Timestamp};

use crate::error::shortened;
use crate::ndjson::JsonFault;
use crate::source::Digest;

/// What became of the rows of one table's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The files in the order in which they were read.
    pub files: Vec<FileReport>,
    /// Rows in the files.
    pub read: u64,
    /// Rows that are in the batches.
    pub rows: u64,
    /// Rows that went into another row of the same key (`one_row_per_key`).
    pub merged: u64,
    /// Rows that each condition of `where` left out, in its order; a row counts at the first that fails.
    pub filtered: Vec<ConditionCount>,
    /// Rows that were rejected, by kind, in the order of their names.
    pub rejected: Vec<KindCount>,
    /// The first rejects, in the order of the files; all of them went to the [`Observer`].
    pub rejects: Vec<Reject>,
    /// The columns of the table.
    pub columns: Vec<ColumnReport>,
    /// What is odd about rows that were taken all the same, where there are any.
    pub flags: Vec<FlagCount>,
    /// Keys of profiles and lookups that differ only by capitals, or were written in different ways; the first hundred.
    pub collisions: Vec<Collision>,
    /// Columns of the files that no column type takes, and what they hold.
    pub ignored: Vec<(String, String)>,
}

impl Report {
    /// Rows that were rejected, of any kind.
    pub fn rejected_rows(&self) -> u64 {
        self.rejected.iter().map(|count| count.rows).sum()
    }

    /// Rows that were left out on purpose, by any condition.
    pub fn filtered_rows(&self) -> u64 {
        self.filtered.iter().map(|count| count.rows).sum()
    }
}

/// What was read of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// The file as it was named.
    pub name: String,
    /// SHA-256 of its bytes as they lie on disk.
    pub digest: Digest,
    /// Its size on disk in bytes.
    pub bytes: u64,
    /// What separates its fields, declared or found by looking; a blank for runs of blanks, absent for Parquet.
    pub delimiter: Option<char>,
    /// Rows in it.
    pub read: u64,
    /// Rows of it that were left out by `where`.
    pub filtered: u64,
    /// Rows of it that were rejected.
    pub rejected: u64,
}

/// Rows that one condition left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionCount {
    /// The condition as it was written.
    pub condition: String,
    /// How many rows.
    pub rows: u64,
}

/// Rows that were rejected for one kind of reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindCount {
    /// [`Reason::kind`].
    pub kind: String,
    /// How many rows.
    pub rows: u64,
}

/// Rows that were taken though something is odd about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagCount {
    /// What is odd.
    pub flag: Flag,
    /// The column; absent where it is about the whole row.
    pub column: Option<String>,
    /// How many rows.
    pub rows: u64,
}

/// What can be odd about a row that is taken all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// A row of a history with a number below zero: a return, a refund, a correction.
    Return,
    /// A local time that the clocks skip; it moved forward by the gap.
    Gap,
    /// A local time that occurs twice; the first was taken.
    Fold,
    /// A key written with characters that nobody sees, or not in its composed form.
    NormalizedKey,
    /// A key that differs from another only by capitals, or is the same only since it was normalized.
    Collision,
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Return => "return",
            Self::Gap => "time in a gap",
            Self::Fold => "time that occurs twice",
            Self::NormalizedKey => "normalized key",
            Self::Collision => "key collision",
        })
    }
}

/// Two keys that may be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// The one that came first.
    pub first: String,
    /// The other one; the same text where they were written differently and are one since.
    pub second: String,
}

/// What is known of a column after a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub column_type: ColumnType,
    /// Where the type comes from.
    pub origin: Origin,
    /// Rows in the batches without a value.
    pub nulls: u64,
    /// Values that were declared to stand for "not known" and became no value.
    pub placeholders: u64,
}

/// Where the type of a column comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `muster.toml`.
    Declared,
    /// An earlier load.
    Known,
    /// What the column is for, or what it looks like; the text says why.
    Inferred(String),
}

/// A row that did not make it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The file as it was named.
    pub file: String,
    /// The line in which the row begins, from one; of a Parquet file the row, from one.
    pub line: u64,
    /// The column by its name in the file; absent where the row as a whole is wrong.
    pub column: Option<String>,
    /// The field, or the record where the row as a whole is wrong; at most 200 characters.
    pub value: String,
    /// What is wrong with it.
    pub reason: Reason,
    /// The type that was not declared but inferred, where the value does not fit it.
    pub inferred: Option<ColumnType>,
}

impl Reject {
    /// What can be done about it, where that is more than the reason says.
    pub fn hint(&self) -> Option<String> {
        let column = self.column.as_ref()?;
        let inferred = self.inferred?;
        let declaration = format!("{column} = {{ type = \"text\" }}");
        Some(format!("`{column}` was taken for {inferred} at the first load; to change that declare {declaration}"))
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.file, self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", {column}")?;
        }
        write!(f, ": \"{}\" {}", self.value, self.reason)
    }
}

/// What can be wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Fewer fields than columns.
    MissingColumns {
        /// Columns of the file.
        expected: usize,
        /// Fields of the record.
        found: usize,
    },
    /// More fields than columns.
    TooManyColumns {
        /// Columns of the file.
        expected: usize,
        /// Fields of the record.
        found: usize,
    },
    /// A quoted field that never ends; it swallows the rest of the file.
    UnclosedQuote {
        /// How many lines that is; each of them counts as a rejected row.
        lines: u64,
    },
    /// A quote inside a field that does not begin with one, or text after the closing quote.
    StrayQuote,
    /// Not UTF-8.
    Encoding {
        /// The first byte of the field that is wrong, from one.
        byte: usize,
    },
    /// Bytes that stand for no character in an encoding other than UTF-8.
    Undecodable {
        /// The encoding.
        encoding: &'static str,
    },
    /// A record longer than any real one.
    RecordTooLong {
        /// How many bytes a record may have.
        limit: usize,
    },
    /// A field longer than any real one.
    FieldTooLong {
        /// How many bytes a field may have.
        limit: usize,
    },
    /// Not a value of the column's type.
    NotA {
        /// The type.
        column_type: ColumnType,
        /// How values of it are written here.
        expected: String,
    },
    /// A number whose comma or point may stand before its fraction or between its thousands.
    Ambiguous {
        /// The number with a fraction.
        fraction: String,
        /// The number of thousands.
        group: String,
    },
    /// A number with a sign of money that its column does not allow.
    CurrencySign {
        /// The sign.
        found: String,
        /// Those that are allowed.
        allowed: Vec<String>,
    },
    /// An amount in another currency than the workspace's, or in none.
    OtherCurrency {
        /// The currency of the row; empty where it says none.
        found: String,
        /// The workspace's.
        expected: String,
    },
    /// A control character in a text or a key.
    ControlCharacter,
    /// A date or an instant that nobody means.
    Implausible {
        /// The first plausible instant.
        from: Timestamp,
        /// The last.
        to: Timestamp,
        /// What to do about it.
        hint: &'static str,
    },
    /// An id that a spreadsheet turned into a number of which only some digits are left.
    DamagedId,
    /// More digits after the point than the type has; they would be lost.
    TooManyDecimals {
        /// How many the type has.
        scale: i8,
    },
    /// A number or an instant past what the type holds.
    OutOfRange {
        /// The type.
        column_type: ColumnType,
    },
    /// A JSON value of a kind that the column does not take.
    Nested {
        /// The type of the column.
        column_type: ColumnType,
        /// The kind in words.
        found: &'static str,
    },
    /// A line of NDJSON that is no sound object.
    Json {
        /// The byte of the line at which it shows, from one.
        byte: usize,
        /// What is wrong.
        fault: JsonFault,
    },
    /// No value where the table is built on one.
    NoValue(Structure),
    /// A condition of `where` compares with a number, and the field is none.
    NotComparable {
        /// The condition as it was written.
        condition: String,
    },
}

/// Columns that a table is built on, in which every row has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// The row's own key.
    Key,
    /// The key of the row above.
    ParentKey,
    /// The instant of the row.
    Time,
}

impl Reason {
    /// How many rows are lost for it.
    pub fn rows(&self) -> u64 {
        match self {
            Self::UnclosedQuote { lines } => (*lines).max(1),
            _ => 1,
        }
    }

    /// The kind of reason in a few stable words, for counts.
    pub fn kind(&self) -> String {
        match self {
            Self::MissingColumns { .. } => "missing columns".to_owned(),
            Self::TooManyColumns { .. } => "too many columns".to_owned(),
            Self::UnclosedQuote { .. } => "unclosed quote".to_owned(),
            Self::StrayQuote => "stray quote".to_owned(),
            Self::Encoding { .. } | Self::Undecodable { .. } => "encoding".to_owned(),
            Self::RecordTooLong { .. } => "record too long".to_owned(),
            Self::FieldTooLong { .. } => "field too long".to_owned(),
            Self::NotA { column_type, .. } => format!("not {}", with_article(*column_type)),
            Self::Ambiguous { .. } => "ambiguous number".to_owned(),
            Self::CurrencySign { .. } => "currency sign".to_owned(),
            Self::OtherCurrency { .. } => "other currency".to_owned(),
            Self::ControlCharacter => "control character".to_owned(),
            Self::Implausible { .. } => "implausible".to_owned(),
            Self::DamagedId => "damaged id".to_owned(),
            Self::TooManyDecimals { .. } => "too many decimals".to_owned(),
            Self::OutOfRange { .. } => "out of range".to_owned(),
            Self::Nested { .. } => "nested value".to_owned(),
            Self::Json { fault, .. } => fault.kind().to_owned(),
            Self::NoValue(structure) => format!("no {structure}"),
            Self::NotComparable { .. } => "not comparable".to_owned(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingColumns { expected, found } => {
                write!(f, "has {found} fields; expected {expected}, one for each column")
            }
            Self::TooManyColumns { expected, found } => {
                write!(f, "has {found} fields; expected {expected}; is a delimiter inside a field not quoted?")
            }
            Self::UnclosedQuote { lines: 0 | 1 } => f.write_str("opens a quote that is never closed"),
            Self::UnclosedQuote { lines } => {
                write!(f, "opens a quote that is never closed; the {lines} lines up to the end of the file are lost")
            }
            Self::StrayQuote => {
                f.write_str("has a quote inside; expected the whole field in quotes and inner quotes doubled")
            }
            Self::Encoding { byte } => write!(f, "is not UTF-8 at byte {byte} of the field"),
            Self::Undecodable { encoding } => write!(f, "holds bytes that are no character in {encoding}"),
            Self::RecordTooLong { limit } => write!(f, "begins a record of more than {limit} bytes"),
            Self::FieldTooLong { limit } => write!(f, "is longer than {limit} bytes"),
            Self::NotA { column_type, expected } => {
                write!(f, "is not {}; expected {expected}", with_article(*column_type))
            }
            Self::Ambiguous { fraction, group } => {
                write!(f, "may mean {fraction} or {group}; declare `decimal` or `thousands`")
            }
            Self::CurrencySign { found, allowed } if allowed.is_empty() => {
                write!(f, "holds the currency sign {found}; `currency` of the column allows it")
            }
            Self::CurrencySign { found, allowed } => {
                write!(f, "holds the currency sign {found}; expected {}", allowed.join(" or "))
            }
            Self::OtherCurrency { found, expected } if found.is_empty() => {
                write!(f, "is an amount without currency; expected {expected}")
            }
            Self::OtherCurrency { found, expected } => write!(f, "is an amount in {found}; expected {expected}"),
            Self::ControlCharacter => f.write_str("holds a control character"),
            Self::Implausible { from, to, hint } => {
                let (from, to) = (from.utc().date_naive(), to.utc().date_naive());
                write!(f, "lies outside of {from} to {to}; {hint}")
            }
            Self::DamagedId => f.write_str("is a damaged id: a spreadsheet cut digits off; export the column as text"),
            Self::TooManyDecimals { scale } => write!(f, "has more than {scale} digits after the point"),
            Self::OutOfRange { column_type } => write!(f, "is out of the range of {column_type}"),
            Self::Nested { column_type, found } => write!(f, "is {found}; expected {}", with_article(*column_type)),
            Self::Json { byte, fault } => write!(f, "{fault} at byte {byte} of the line"),
            Self::NoValue(structure) => write!(f, "is no {structure}; every row needs one"),
            Self::NotComparable { condition } => write!(f, "is no number, but `where` asks for {condition}"),
        }
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::ParentKey => "parent key",
            Self::Time => "time",
        })
    }
}

fn with_article(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Id => "an id".to_owned(),
        ColumnType::Text => "text".to_owned(),
        ColumnType::Int => "a whole number".to_owned(),
        ColumnType::Decimal { .. } => "a decimal number".to_owned(),
        ColumnType::Float => "a number".to_owned(),
        ColumnType::Bool => "true or false".to_owned(),
        ColumnType::Date => "a date".to_owned(),
        ColumnType::Timestamp => "an instant".to_owned(),
        ColumnType::Set => "a set".to_owned(),
    }
}

/// The value of a reject: enough to find it, not so much that a broken file floods the report.
pub(crate) fn excerpt(value: &str) -> String {
    const LONGEST: usize = 200;
    shortened(value, LONGEST)
}

/// Whoever watches a load: a progress bar, a reject file, a test. Watches nothing by default.
pub trait Observer {
    /// So many bytes more were read from `file` as they lie on disk.
    fn advanced(&mut self, file: &str, bytes: u64) {
        let _ = (file, bytes);
    }

    /// A row was rejected. Called for every one, in the order of files and lines.
    ///
    /// # Errors
    /// Whatever keeps it from being kept; the load ends with it.
    fn rejected(&mut self, reject: &Reject) -> io::Result<()> {
        let _ = reject;
        Ok(())
    }
}

impl Observer for () {}

/// Writes rejects as CSV: `file,line,column,value,reason,hint`.
pub struct RejectFile<W: io::Write> {
    writer: csv::Writer<W>,
}

impl<W: io::Write> RejectFile<W> {
    /// A reject file with its header.
    ///
    /// # Errors
    /// If `target` cannot be written.
    pub fn new(target: W) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(target);
        writer.write_record(["file", "line", "column", "value", "reason", "hint"]).map_err(io::Error::from)?;
        Ok(Self { writer })
    }

    /// Appends one line.
    ///
    /// # Errors
    /// If the target cannot be written.
    pub fn write(&mut self, reject: &Reject) -> io::Result<()> {
        let (line, reason) = (reject.line.to_string(), reject.reason.to_string());
        let (column, hint) = (reject.column.as_deref().unwrap_or(""), reject.hint().unwrap_or_default());
        let record = [&reject.file, &line, column, &reject.value, &reason, &hint];
        self.writer.write_record(record).map_err(io::Error::from)
    }

    /// Hands the last bytes to the target.
    ///
    /// # Errors
    /// If the target cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
