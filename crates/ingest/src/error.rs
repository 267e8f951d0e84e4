//! Why a load of files cannot be had at all; a bad *row* is never an error but a [`Reject`](crate::Reject).

use std::fmt;
use std::io;

use arrow_schema::ArrowError;
use muster_catalog::Encoding;

use crate::gzip::CompressionFault;
use crate::parquet::ParquetFault;
use crate::report::{KindCount, Reject};

/// What went wrong, by what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The `source` of a table names no file: mend the pattern or bring the file.
    #[error("no file matches `{pattern}` in {folder}{}", advice(did_you_mean(.nearest)))]
    NoFiles {
        /// The pattern as it was written.
        pattern: String,
        /// The folder in which it was looked for.
        folder: String,
        /// The file there whose name is nearest.
        nearest: Option<String>,
    },

    /// The file is of a kind that is no source: convert it.
    #[error("{file}: {refusal}{}", advice(.refusal.hint()))]
    Refused {
        /// The file.
        file: String,
        /// Its kind.
        refusal: Refusal,
    },

    /// The file could not be opened or read.
    #[error("{file}: cannot be read")]
    Unreadable {
        /// The file.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },

    /// The file stops making sense at some point: get it again from where it came.
    #[error("{file}: {damage}")]
    Damaged {
        /// The file.
        file: String,
        /// What is broken in it.
        #[source]
        damage: Damage,
    },

    /// The columns of the file are not those of the table.
    #[error("{file}: {problem}{}", advice(.problem.hint()))]
    Columns {
        /// The file.
        file: String,
        /// What is wrong with them.
        problem: ColumnProblem,
    },

    /// The `format` of a column is not one that can be read.
    #[error("column `{column}` of {table}: `{format}` is no format of a date or time{}",
        advice(Some("write it like %d-%m-%Y or %Y-%m-%d %H:%M:%S".to_owned())))]
    Format {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its format.
        format: String,
    },

    /// The sum of a column over the rows of one key leaves the range of its type: give it a larger one.
    #[error("column `{column}` of {table}: the sum for key `{key}` does not fit its type {column_type}")]
    SumTooLarge {
        /// The table.
        table: String,
        /// The column with `pick = "sum"`.
        column: String,
        /// Its type.
        column_type: muster_catalog::ColumnType,
        /// The key whose rows were summed.
        key: String,
    },

    /// More rows were rejected than the error budget of the table bears. All of them went to the observer.
    #[error("{0}")]
    TooManyRejects(Box<Overrun>),

    /// The observer could not keep a reject.
    #[error("the rejects of {table} cannot be written")]
    RejectsUnwritable {
        /// The table.
        table: String,
        /// What the operating system said.
        source: io::Error,
    },

    /// Batches did not fit together: a fault of this crate, which no input may reach.
    #[error("the columns of {table} do not fit together; this is a fault of muster")]
    Inconsistent {
        /// The table.
        table: String,
        /// What Arrow said.
        source: ArrowError,
    },
}

/// Kinds of files that are no sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A kind that is known, and no source.
    Known {
        /// The kind.
        kind: &'static str,
        /// What to do with it.
        hint: &'static str,
    },
    /// An extension that says nothing.
    UnknownExtension,
    /// The first bytes are of another kind than the extension says.
    Disguised {
        /// What the extension says.
        named: &'static str,
        /// What the first bytes say.
        is: &'static str,
        /// What to do with it.
        hint: &'static str,
    },
    /// Zero bytes where text was expected.
    ZeroBytes {
        /// The encoding that they look like.
        likely: Option<Encoding>,
    },
    /// Declared as UTF-16, and no byte order mark says which.
    Unmarked,
    /// The byte order mark is of another encoding than the declared one.
    Contradicted {
        /// What is declared.
        declared: Encoding,
        /// What the mark says.
        marked: Encoding,
    },
}

impl Refusal {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Known { hint, .. } => Some((*hint).to_owned()),
            Self::UnknownExtension => {
                Some("sources are .csv, .txt, .tsv, .ndjson and .jsonl, each also with .gz, and .parquet".to_owned())
            }
            Self::Disguised { hint, .. } => Some((*hint).to_owned()),
            Self::ZeroBytes { likely: None } => Some("save the file as UTF-8".to_owned()),
            Self::ZeroBytes { likely: Some(likely) } => {
                Some(format!("save the file as UTF-8, or declare encoding = \"{}\"", likely.name()))
            }
            Self::Unmarked => Some("declare \"utf-16le\" or \"utf-16be\"".to_owned()),
            Self::Contradicted { .. } => Some("without `encoding` the mark decides".to_owned()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known { kind, .. } => write!(f, "{kind} is no source"),
            Self::UnknownExtension => f.write_str("the extension says nothing about what it holds"),
            Self::Disguised { named, is, .. } => write!(f, "named like {named}, but it begins like {is}"),
            Self::ZeroBytes { likely: None } => f.write_str("zero bytes where text was expected"),
            Self::ZeroBytes { likely: Some(likely) } => {
                write!(f, "zero bytes where text was expected; it looks like {} without a mark", likely.name())
            }
            Self::Unmarked => f.write_str("declared as utf-16, but it has no byte order mark"),
            Self::Contradicted { declared, marked } => {
                write!(f, "declared as {}, but its byte order mark says {}", declared.name(), marked.name())
            }
        }
    }
}

/// What can be broken in a file.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The compressed bytes end too early, do not fit their checksum, are followed by others, or mean harm.
    #[error(transparent)]
    Compression(CompressionFault),
    /// One record is longer than any real one, mostly because a quote is never closed.
    #[error("the record that begins in line {line} is longer than {limit} bytes; is a quote never closed?")]
    EndlessRecord {
        /// The line in which it begins.
        line: u64,
        /// How long a record may be.
        limit: usize,
    },
    /// Not the Parquet that it says it is.
    #[error(transparent)]
    Parquet(ParquetFault),
}

/// What can be wrong with the columns of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnProblem {
    /// A column that the table needs is not there.
    Missing {
        /// Its name in the file.
        column: String,
        /// Why it is needed.
        needed: Need,
        /// The column of the file whose name is nearest.
        nearest: Option<String>,
        /// All columns of the file.
        found: Vec<String>,
    },
    /// Names that are equal but for capitals and blanks.
    Duplicates(Vec<String>),
    /// A column without a name, counted from one.
    Unnamed(usize),
    /// More columns than any real file has.
    TooMany {
        /// How many.
        found: usize,
        /// How many are accepted.
        limit: usize,
    },
    /// A file without header has another number of columns than `names`.
    Names {
        /// How many names there are.
        names: usize,
        /// How many columns.
        found: usize,
    },
    /// The header is no clean record of text.
    Header,
    /// A file that is declared to have no header begins with the declared names.
    HeaderAfterAll,
    /// A name with a control character, shown with escapes.
    Control(String),
    /// None of the table's sources has such a header.
    NoSource {
        /// The columns of the file.
        found: Vec<String>,
    },
    /// A column of a kind that no column type takes.
    Unsupported {
        /// Its name.
        column: String,
        /// The kind, in the file's words.
        kind: String,
    },
}

/// Why a column must be in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It is declared.
    Declared,
    /// It is the key, the parent's key, the time, or when a row changed.
    Structure,
    /// A condition asks for it.
    Condition,
    /// It holds the currency of an amount.
    Currency,
    /// An earlier load or an earlier file had it.
    Before,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Declared => "which is declared",
            Self::Structure => "which the table is built on",
            Self::Condition => "which `where` asks for",
            Self::Currency => "which `currency_from` names",
            Self::Before => "which was there before",
        })
    }
}

impl ColumnProblem {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { nearest: nearest @ Some(_), .. } => did_you_mean(nearest),
            Self::Missing { found, .. } if found.len() == 1 => Some(format!(
                "the whole header was read as one column, `{}`; declare the `delimiter`",
                shortened(&found[0], 60)
            )),
            Self::Missing { found, .. } if looks_like_data(found) => Some(format!(
                "its first line looks like a row: {}; declare header = false and `names`",
                shortened(&found.join(", "), 200)
            )),
            Self::Missing { found, .. } => Some(format!("its columns: {}", shortened(&found.join(", "), 400))),
            Self::Duplicates(_) | Self::Unnamed(_) => Some("rename the columns in the file".to_owned()),
            Self::Names { .. } => Some("`names` lists every column of the file, in order".to_owned()),
            Self::Unsupported { .. } => Some("flatten it where the file is made".to_owned()),
            Self::HeaderAfterAll => Some("leave `header` and `names` out".to_owned()),
            Self::Control(_) => Some("rename the column in the file".to_owned()),
            Self::NoSource { found } => {
                Some(format!("its columns: {}; a source without `match` takes any", shortened(&found.join(", "), 400)))
            }
            Self::TooMany { .. } | Self::Header => None,
        }
    }
}

impl fmt::Display for ColumnProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { column, needed, .. } => write!(f, "no column `{column}`, {needed}"),
            Self::Duplicates(names) => {
                write!(f, "columns of the same name (capitals and blanks aside): {}", names.join(", "))
            }
            Self::Unnamed(position) => write!(f, "column {position} has no name"),
            Self::TooMany { found, limit } => write!(f, "{found} columns; at most {limit} are read"),
            Self::Names { names, found } => write!(f, "{found} columns, but `names` has {names}"),
            Self::Header => f.write_str("the first line is no header; expected names of columns in UTF-8"),
            Self::HeaderAfterAll => {
                f.write_str("declared to have no header, but its first line has the declared names")
            }
            Self::Control(name) => write!(f, "the column name \"{name}\" holds a control character"),
            Self::NoSource { .. } => f.write_str("none of the table's sources matches its header"),
            Self::Unsupported { column, kind } => write!(f, "column `{column}` holds {kind}, which no type takes"),
        }
    }
}

/// Whether names of columns look like the values of a row: a number, a date or an address is none that people give.
fn looks_like_data(names: &[String]) -> bool {
    let is_value = |name: &String| {
        let number = name.parse::<f64>().is_ok() && !name.starts_with(|c: char| c.is_alphabetic());
        number || name.contains('@') || muster_catalog::parse_local(name, chrono_tz::Tz::UTC).is_ok()
    };
    names.iter().any(is_value)
}

/// A load that rejected too much.
#[derive(Debug)]
pub struct Overrun {
    /// The table.
    pub table: String,
    /// Rows that were read.
    pub read: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// How many could have been.
    pub budget: u64,
    /// How many of each kind.
    pub by_kind: Vec<KindCount>,
    /// The first of them.
    pub first: Vec<Reject>,
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, read, rejected, budget, .. } = self;
        write!(f, "{table}: {rejected} of {read} rows were rejected; the error budget is {budget}")?;
        for KindCount { kind, rows } in &self.by_kind {
            write!(f, "\n  {rows} × {kind}")?;
        }
        for reject in self.first.iter().take(3) {
            write!(f, "\n  {reject}")?;
        }
        Ok(())
    }
}

/// At most `limit` characters of `text`.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn did_you_mean(nearest: &Option<String>) -> Option<String> {
    nearest.as_ref().map(|near| format!("did you mean `{near}`?"))
}

/// A hint stands on a line of its own, below what is wrong.
fn advice(hint: Option<String>) -> String {
    hint.map(|hint| format!("\n  hint: {hint}")).unwrap_or_default()
}
