//! What the server asks of the workspace behind it, and the values in which it asks.

use std::ops::Range;

use crate::Client;

/// The workspace, as the server sees it: commands, rows, and how it stands. Called from many threads at once.
pub trait Desk: Send + Sync + 'static {
    /// The names of the commands that may be handed over: `load`, `apply`.
    fn commands(&self) -> &'static [&'static str];

    /// Does what a command line would do here, and says what it would have printed. What only `client` wanted may end when
    /// it leaves.
    ///
    /// # Errors
    /// Only if it cannot be tried; a command that was tried and failed is a [`Report`] with its exit code.
    fn run(&self, command: &Command, client: &Client) -> Result<Report, Failure>;

    /// Keeps the rows of all batches with one commit and returns after it is on disk; one answer for each batch, in
    /// their order.
    ///
    /// A bad row is no error and holds up no other: its batch's answer names it.
    ///
    /// # Errors
    /// If nothing of all this could be kept.
    fn append(&self, batches: &[Batch]) -> Result<Vec<Result<Appended, Refusal>>, Failure>;

    /// Counts the rows that each condition of a definition leaves. A newer request of the same editor takes the place of one
    /// that is not answered yet; `turn` says which is newer, since threads may call in another order than requests came.
    ///
    /// # Errors
    /// [`Failure::Superseded`] then; [`Failure::Refused`] where the definition is not in order.
    fn preview(&self, wanted: PreviewRequest, turn: u64) -> Result<Previewed, Failure>;

    /// Everything that must hold for writes to succeed.
    fn checks(&self) -> Vec<Check>;
}

/// A command that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its name, one of [`Desk::commands`].
    pub name: String,
    /// Its arguments: a JSON object, checked for form only.
    pub arguments: String,
    /// The instant that `now()` means to the caller, as the caller wrote it.
    pub as_of: Option<String>,
    /// Whether the caller wants one JSON document.
    pub json: bool,
}

/// What a command printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// The exit code.
    pub exit: u8,
    /// What it printed on stdout.
    pub stdout: String,
    /// What it said on stderr.
    pub stderr: String,
}

/// Rows of one table, as they came: each one a JSON object on a single line, checked for form only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The table that the sender names.
    pub table: String,
    line: String,
    rows: Vec<Range<usize>>,
}

impl Batch {
    /// The rows that stand at `rows` in `line`.
    pub(crate) fn cut(table: String, line: String, rows: Vec<Range<usize>>) -> Self {
        Self { table, line, rows }
    }

    /// Rows that are at hand one by one.
    pub fn of<'a>(table: &str, rows: impl IntoIterator<Item = &'a str>) -> Self {
        let mut batch = Self { table: table.to_owned(), line: String::new(), rows: Vec::new() };
        for row in rows {
            let start = batch.line.len();
            batch.line.push_str(row);
            batch.rows.push(start..batch.line.len());
        }
        batch
    }

    /// The rows, in the sender's order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &str> {
        self.rows.iter().map(|row| &self.line[row.clone()])
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        self.line.len()
    }
}

/// What became of a batch whose table took it. Rows = committed + filtered + rejected.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Appended {
    /// Rows that the commit covers, those that were there already included.
    pub committed: u64,
    /// Rows that the table's `where` leaves out.
    pub filtered: u64,
    /// Rows that were not kept, in order.
    pub rejected: Vec<RejectedRow>,
    /// The first snapshot that has the rows.
    pub snapshot: Option<u64>,
}

/// A row that was not kept, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RejectedRow {
    /// Its place in the batch, from 0.
    pub row: u64,
    /// The column at fault; none where it is the whole row.
    pub column: Option<String>,
    /// What stands there.
    pub value: Option<String>,
    /// What is wrong with it.
    pub reason: String,
    /// What would help.
    pub hint: Option<String>,
}

/// A definition that somebody is writing, to be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewRequest {
    /// Who is writing: of one editor only the last request counts.
    pub editor: String,
    /// `WHERE condition`, or `SELECT … FROM … WHERE condition`.
    pub definition: String,
    /// The instant as of which it is counted, as the caller wrote it; without, the present.
    pub as_of: Option<String>,
}

/// A definition, counted condition by condition.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Previewed {
    /// The snapshot in which all was counted.
    pub snapshot: u64,
    /// The instant as of which all was counted.
    pub as_of: String,
    /// All rows that the conditions choose among.
    pub rows: u64,
    /// The conditions that are joined by AND, in their order.
    pub conditions: Vec<PreviewedCondition>,
    /// What chooses among the rows that meet all of them, where something does.
    pub choice: Option<String>,
    /// The rows that the definition selects.
    pub selected: u64,
}

/// What one condition does to the rows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PreviewedCondition {
    /// As it is written.
    pub condition: String,
    /// The rows for which it is TRUE.
    pub alone: u64,
    /// The rows for which it and all those before it are TRUE.
    pub remain: u64,
}

/// A request that will not be done, whatever the machine's state: the sender must change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// What would help.
    pub hint: Option<String>,
}

impl Refusal {
    /// Without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The request is at fault.
    Refused(Refusal),
    /// A newer request took its place.
    Superseded,
    /// The machine is at fault, and it may pass: a full disk, a folder that cannot be written.
    Unavailable(String),
    /// A commit failed or another process took over: nothing more is accepted here, and the process must end.
    Fatal(String),
}

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// What is checked: `state`, `disk`.
    pub check: &'static str,
    /// What is wrong; none where it holds.
    pub problem: Option<String>,
}

impl Check {
    /// Holds where there is no problem.
    pub fn of(check: &'static str, outcome: Result<(), String>) -> Self {
        Self { check, problem: outcome.err() }
    }
}
