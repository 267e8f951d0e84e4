//! What a statement did, where it is to be seen: on a terminal, in a pipe, in a file.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use muster_language::Statement;
use muster_query::Answer;
use muster_segment::{Outcome, Session};
use rustyline::DefaultEditor;

use super::waiting::Waiting;
use super::{table, timing};
use crate::arguments::RowFormat;
use crate::commands::load::thousands;
use crate::output::{self, Rows};
use crate::workspace::Workspace;

/// How the rows of statements are shown.
#[derive(Debug, Clone, Copy)]
pub struct Showing {
    /// In which format.
    pub format: RowFormat,
    /// Whether somebody may look on: then a table fits the terminal, and what takes long gives a sign.
    is_watched: bool,
    /// Whether each statement is followed by how long it took.
    is_timed: bool,
}

/// What became of a statement.
pub enum Shown {
    /// So many rows were written.
    Rows(u64),
    /// Something else.
    Other(Outcome),
}

impl Showing {
    /// In this process, whose terminal somebody may look at.
    pub fn here(format: RowFormat) -> Self {
        Self { format, is_watched: true, is_timed: false }
    }

    /// For whoever asked for it.
    pub fn plain(format: RowFormat) -> Self {
        Self { format, is_watched: false, is_timed: false }
    }

    /// The same, which tells the times of statements if it is to.
    pub fn timed(self, is_timed: bool) -> Self {
        Self { is_timed, ..self }
    }

    /// Says how long a statement took, where that is wanted.
    pub fn tell_time(&self, shown: &Shown, taken: Duration) {
        if self.is_timed {
            eprintln!("{}", timing::told(Some(shown), taken));
        }
    }

    /// Executes a statement and shows what it did; rows as they come.
    ///
    /// # Errors
    /// If it is not in order or fails, or what it did cannot be printed.
    pub fn statement(&self, session: &mut Session<'_>, statement: Statement, workspace: &Workspace) -> Result<Shown> {
        let mut waiting = self.is_watched.then(Waiting::begin);
        if let Statement::Query { as_of, query } = statement {
            let running = session.begin(as_of, &query)?;
            self.tell_masked(running.masked());
            let rows = Rows::coming(running);
            let is_beside = io::stdout().is_terminal();
            return self.counted(rows, |rows| self.print(rows), waiting, is_beside);
        }
        let outcome = session.execute(statement);
        waiting.iter_mut().for_each(Waiting::end);
        let outcome = outcome?;
        self.outcome(&outcome, workspace)?;
        Ok(Shown::Other(outcome))
    }

    /// Writes the rows of a query into a file, as they come.
    ///
    /// # Errors
    /// If the query fails, or the file cannot be written; then it is not there.
    pub fn write_to(&self, session: &Session<'_>, statement: Statement, file: &Path) -> Result<Shown> {
        let Statement::Query { as_of, query } = statement else { unreachable!("only queries go into files") };
        let waiting = self.is_watched.then(Waiting::begin);
        let running = session.begin(as_of, &query)?;
        self.tell_masked(running.masked());
        let rows = Rows::coming(running);
        self.counted(rows, |rows| output::file_as(rows, self.format, file), waiting, false)
    }

    /// Writes rows and says how many there were. The sign that something goes on goes before what is `beside` it.
    fn counted(
        &self,
        rows: Rows<'_>,
        written: impl FnOnce(Rows<'_>) -> Result<()>,
        mut waiting: Option<Waiting>,
        is_beside: bool,
    ) -> Result<Shown> {
        let mut count = 0;
        let is_as_it_comes = self.format != RowFormat::Table;
        written(rows.looked_at(|batch| {
            let came = batch.map_or(0, |batch| batch.num_rows());
            count += came as u64;
            waiting.iter().for_each(|waiting| waiting.came(came));
            if batch.is_none() || (is_beside && is_as_it_comes) {
                waiting = None;
            }
        }))?;
        Ok(Shown::Rows(count))
    }

    /// Says of which columns the values are not shown: they look as if there were none.
    fn tell_masked(&self, columns: &[String]) {
        if self.is_watched && !columns.is_empty() {
            eprintln!("masked, so NULL here: {}", columns.join(", "));
        }
    }

    fn print(&self, rows: Rows<'_>) -> Result<()> {
        match self.terminal() {
            Some(columns) => {
                let answer = rows.collected()?;
                output::with_stdout(|target| table::write(&answer, columns, target))
            }
            None => output::print(rows, self.format),
        }
    }

    /// Shows rows that are there.
    ///
    /// # Errors
    /// If they cannot be printed.
    pub fn answer(&self, answer: &Answer) -> Result<()> {
        self.print(Rows::of(answer))
    }

    /// The columns of the terminal that a table is to fit.
    fn terminal(&self) -> Option<usize> {
        if !self.is_watched || self.format != RowFormat::Table || !io::stdout().is_terminal() {
            return None;
        }
        let (columns, _) = DefaultEditor::new().ok()?.dimensions()?;
        (columns > 0).then_some(columns.into())
    }

    /// Shows what a statement did.
    ///
    /// # Errors
    /// If it cannot be printed.
    pub fn outcome(&self, outcome: &Outcome, workspace: &Workspace) -> Result<()> {
        let zone = workspace.catalog.workspace.time_zone;
        match outcome {
            Outcome::Answer(answer) => self.answer(answer),
            Outcome::Text(text) => output::text(text),
            Outcome::Defined { audience, before, changed } => {
                let count = thousands(audience.rows.len());
                let before = before.map(|before| format!(", before {}", thousands(before))).unwrap_or_default();
                let what = if *changed { "defined" } else { "unchanged" };
                output::text(&format!("{}: {what}, {count} profiles{before}", audience.segment))
            }
            Outcome::Refreshed(audience) => {
                let (count, as_of) = (thousands(audience.rows.len()), audience.as_of.rfc3339(zone));
                output::text(&format!("{}: {count} profiles as of {as_of}", audience.segment))
            }
            Outcome::DefinedVariable { variable, changed } => {
                let what = if *changed { "defined" } else { "unchanged" };
                output::text(&format!("{}: {what}, a variable of type {}", variable.name(), variable.holds))
            }
            Outcome::Dropped(item) => output::text(&format!("{}: dropped", item.name())),
            Outcome::AsOf(instant) => output::text(&format!("as of {}", instant.rfc3339(zone))),
        }
    }
}
