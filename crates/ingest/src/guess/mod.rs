//! What a folder of files could be as a workspace: tables, types, keys, parents, links, times, roles, each with the reason
//! and with how sure it is.
//!
//! [`candidates`] says which files could be tables, [`guess`] reads them from end to end (`pass`) and judges by the
//! values (`looks`, `sketch`) first and by names (`words`) second. [`Guess::definition`] is the `muster.toml` of it: what is
//! less sure than [`TAKEN_FROM`] stands there as a comment, and [`Guess::doubts`] lists what a person should look at.
//! [`Examination`] is for a workspace that has a definition already.
//!
//! Counts of distinct values are exact up to 131,072 of a column; beyond that they are estimated from as many values, chosen
//! by hash.

mod candidates;
pub use candidates::{Candidate, LeftOut, candidates};

mod sketch;

mod looks;

mod words;

mod pass;

mod columns;

mod roles;

mod places;

mod keys;

mod references;

mod tree;

mod times;

mod doubts;

mod definition;

mod confirm;

mod declare;
pub use declare::{Declaration, declare};

mod examination;
pub use examination::Examination;

use muster_catalog::{ColumnType, Role, Timestamp};
use rayon::prelude::*;

use crate::error::Error;

/// What is less sure is written as a comment, and never silently taken.
pub const TAKEN_FROM: f64 = 0.6;
/// What is less sure is listed as doubtful.
pub const SURE_FROM: f64 = 0.8;

/// A guess, why it was made, and how sure it is: from 0, a word, to 1, a fact.
#[derive(Debug, Clone, PartialEq)]
pub struct Said<T> {
    /// What is guessed.
    pub value: T,
    /// One sentence with figures.
    pub why: String,
    /// How sure, 0 to 1.
    pub sure: f64,
}

impl<T> Said<T> {
    pub(crate) fn new(value: T, sure: f64, why: impl Into<String>) -> Self {
        Self { value, why: why.into(), sure }
    }

    /// Whether it is sure enough to be written as more than a comment.
    pub fn is_taken(&self) -> bool {
        self.sure >= TAKEN_FROM
    }
}

/// What the rows of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// One row per profile.
    Root,
    /// Many rows per row of a parent.
    History,
    /// One row per key, shared by many rows.
    Lookup,
    /// Neither: nothing leads from it to a profile, and nothing to it.
    Unplaced,
}

impl TableKind {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::History => "history",
            Self::Lookup => "lookup",
            Self::Unplaced => "none",
        }
    }
}

/// The table above a history, and the column with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// The table's name.
    pub table: String,
    /// The column.
    pub on: String,
    /// Rows whose parent has no row of its own.
    pub orphans: u64,
}

/// A column with the key of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkGuess {
    /// The name in queries.
    pub name: String,
    /// The table whose rows hold the key.
    pub from_table: String,
    /// The column that holds it.
    pub from_column: String,
}

/// What is guessed of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnGuess {
    /// Its name in the file.
    pub name: String,
    /// What it holds.
    pub column_type: Said<ColumnType>,
    /// How days or instants are written; absent: ISO 8601.
    pub format: Option<String>,
    /// The words for true and for false.
    pub words: Option<(String, String)>,
    /// What separates the members of a set.
    pub separator: Option<char>,
    /// Whether ids are written as `17850.0`.
    pub integral: bool,
    /// What stands before the fraction and between groups of three digits, where that is a comma and a point.
    pub comma: Option<bool>,
    /// Texts that mean "no value".
    pub null: Vec<String>,
    /// Values that stand for "not known".
    pub placeholder: Vec<String>,
    /// What it means to muster.
    pub role: Option<Said<Role>>,
    /// Rows that will be rejected for their value here, with the first such values.
    pub misfits: Option<(u64, Vec<String>)>,
}

/// What is guessed of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableGuess {
    /// Its name in queries.
    pub name: String,
    /// Its files' name, before it got one for queries.
    pub file: String,
    /// The `source`.
    pub pattern: String,
    /// How many files there are.
    pub files: usize,
    /// How many rows they have.
    pub rows: u64,
    /// Records that are no rows.
    pub misshapen: u64,
    /// What its rows are.
    pub kind: Said<TableKind>,
    /// The columns that identify a row.
    pub key: Option<Said<Vec<String>>>,
    /// The table above.
    pub parent: Option<Said<Parent>>,
    /// When a row happened; of the root: when a profile began.
    pub time: Option<Said<String>>,
    /// When a row last changed.
    pub updated_at: Option<Said<String>>,
    /// The links that lead here, of a lookup.
    pub links: Vec<Said<LinkGuess>>,
    /// Rows that are left out because they have no value there.
    pub needs: Option<Said<String>>,
    /// Whether fields are separated by runs of blanks.
    pub blanks: bool,
    /// Whether it is a reading of a flat file: one row per distinct key.
    pub one_row_per_key: bool,
    /// Its columns, in the order of the files.
    pub columns: Vec<ColumnGuess>,
}

impl TableGuess {
    /// The guess of a column.
    pub fn column(&self, name: &str) -> Option<&ColumnGuess> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Something that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The table.
    pub table: String,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// What is doubtful, with figures.
    pub text: String,
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.column {
            Some(column) => write!(f, "{}.{column}: {}", self.table, self.text),
            None => write!(f, "{}: {}", self.table, self.text),
        }
    }
}

/// A workspace, guessed.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The tables: the root, histories with parents before children, lookups, and those that are neither.
    pub tables: Vec<TableGuess>,
    /// What the root was chosen from, in words.
    pub root: String,
    /// The last instant in the columns that are times.
    pub last: Option<Timestamp>,
    /// What a person should look at.
    pub doubts: Vec<Doubt>,
}

impl Guess {
    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&TableGuess> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Whether there is a table, or a column of one, that could be the profiles; if not, `root` says what was looked at.
    pub fn has_root(&self) -> bool {
        self.tables.iter().any(|table| table.kind.value == TableKind::Root)
    }

    /// The table that is read from files of this name.
    pub fn table_of_file(&self, file: &str) -> Option<&TableGuess> {
        self.tables.iter().find(|table| table.file == file && !table.one_row_per_key)
    }

    /// The text of a `muster.toml` that says all this, with the reasons.
    pub fn definition(&self, workspace: &str, time_zone: &str) -> String {
        definition::text(self, workspace, time_zone)
    }

    /// Lists the doubts anew, after guesses were confirmed.
    pub fn doubt_again(&mut self, now: Timestamp) {
        self.doubts = doubts::of(self, now);
    }
}

/// Reads the files of all candidates and says what they could be. `now` is the present: instants after it are doubtful.
///
/// # Errors
/// If a file cannot be read. That no table could be the root is none: see [`Guess::has_root`].
pub fn guess(candidates: &[Candidate], now: Timestamp) -> Result<Guess, Error> {
    let facts = candidates.par_iter().map(pass::facts).collect::<Result<Vec<_>, _>>()?;
    let mut tables = columns::tables(&facts);
    roles::guess(&facts, &mut tables);
    let references = references::find(&facts, &tables);
    keys::guess(&facts, &references, &mut tables)?;
    let (mut tables, root) = tree::arrange(&facts, &references, tables);
    roles::keep_of_people(&mut tables);
    let last = times::guess(&facts, &mut tables);
    let mut guess = Guess { tables, root, last, doubts: Vec::new() };
    guess.doubts = doubts::of(&guess, now);
    Ok(guess)
}
