//! Statements that are answered in this process: a page of them is tried without starting the binary for each.

use std::fs;
use std::path::Path;

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use muster_catalog::{Catalog, FixedClock};
use muster_language::{parse_piece, split_statements};
use muster_query::{Answer, Engine, Limits};
use muster_segment::{Access, Classes, KeptInputs, Outcome, Scoring, Session, Workbench};
use muster_state::{Mode, Reader, State};
use muster_store::Store;

use crate::world::migrations;

/// A loaded workspace whose `muster.toml` says an `as_of`.
pub struct Answers {
    catalog: Catalog,
    opened: Opened,
    store: Store,
    engine: Engine,
}

enum Opened {
    Reading(Reader),
    Writing(State),
}

/// What a statement printed: the names of the columns, and the values of each row. Text is one column of lines.
#[derive(Debug, Default)]
pub struct Printed {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Answers {
    /// Of the workspace in `dir`, beside whoever else reads it.
    pub fn reading(dir: &Path) -> Self {
        let reader = State::read_only(&dir.join("data"), &migrations()).unwrap();
        let store = reader.read(|tx| Store::open(&dir.join("data"), tx)).unwrap();
        Self::of(dir, Opened::Reading(reader), store)
    }

    /// Of the workspace in `dir`, as the only one that has it.
    pub fn writing(dir: &Path) -> Self {
        let state = State::open(&dir.join("data"), &migrations(), Mode::Existing).unwrap();
        let store = state.read(|tx| Store::open(&dir.join("data"), tx)).unwrap();
        Self::of(dir, Opened::Writing(state), store)
    }

    fn of(dir: &Path, opened: Opened, store: Store) -> Self {
        let definition = fs::read_to_string(dir.join("muster.toml")).unwrap();
        let catalog = muster_catalog::parse("muster.toml", &definition).unwrap();
        let engine = Engine::new(Limits { threads: 2, ..Limits::default() }).unwrap();
        Self { catalog, opened, store, engine }
    }

    /// What the last of the statements printed; the whole message of the first that is refused.
    pub fn of_statements(&self, text: &str) -> Result<Printed, String> {
        let as_of = self.catalog.workspace.as_of.unwrap();
        let access = match &self.opened {
            Opened::Reading(reader) => Access::Read(reader),
            Opened::Writing(state) => Access::Write(state),
        };
        let (zone, clock) = (self.catalog.workspace.time_zone, FixedClock(as_of));
        let scoring = Scoring::of(&self.catalog).unwrap();
        let (store, engine, inputs) = (&self.store, &self.engine, &KeptInputs::default());
        let bench = Workbench { store, access, engine, clock: &clock, zone, scoring: &scoring, inputs };
        let session = Session::new(bench, Some(as_of)).map_err(|error| error.to_string())?;
        let mut session = session.with_classes(Classes::declared(&self.catalog));
        let mut printed = Printed::default();
        for piece in split_statements(text) {
            let statement = parse_piece(&piece).map_err(|error| error.to_string())?;
            printed =
                session.execute(statement).map(|outcome| Printed::of(&outcome)).map_err(|error| error.to_string())?;
        }
        Ok(printed)
    }
}

impl Printed {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Answer(answer) => Self::of_answer(answer),
            Outcome::Text(text) => Self {
                columns: vec!["text".to_owned()],
                rows: text.lines().map(|line| vec![line.to_owned()]).collect(),
            },
            _ => Self::default(),
        }
    }

    fn of_answer(answer: &Answer) -> Self {
        let columns = answer.schema.fields().iter().map(|field| field.name().clone()).collect();
        let options = FormatOptions::default().with_null("NULL");
        let mut rows = Vec::new();
        for batch in &answer.batches {
            let cells: Vec<ArrayFormatter<'_>> =
                batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
            let row = |row: usize| cells.iter().map(|cell| shown(cell.value(row).to_string())).collect();
            rows.extend((0..batch.num_rows()).map(row));
        }
        Self { columns, rows }
    }

    /// Its rows, each with blanks between the values.
    pub fn lines(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.join(" ")).collect()
    }
}

/// An empty text is shown as sqllogictest does.
fn shown(value: String) -> String {
    if value.is_empty() { "(empty)".to_owned() } else { value }
}
