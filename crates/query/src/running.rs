//! An answer on its way: its rows as they come.

use std::panic::resume_unwind;
use std::sync::mpsc::Receiver;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::engine::Answer;
use crate::patience::Patience;
use crate::{Error, Masks};

/// What the engine's threads send.
pub(crate) enum Part {
    /// First, once.
    Columns(SchemaRef),
    /// Then, in order.
    Rows(RecordBatch),
}

/// The rows of an answer in their order, as they come; after an error none come any more.
///
/// The engine goes on while the caller does something with what came. The time that a query may take ends the waiting
/// for rows, not what the caller does between them. Dropped, it stops the query.
pub struct Running {
    schema: SchemaRef,
    masked: Vec<String>,
    rest: Rest,
}

struct Rest {
    parts: Receiver<Result<Part, Error>>,
    patience: Patience,
    runtime: Handle,
    /// None once it has ended.
    task: Option<JoinHandle<()>>,
}

impl Running {
    /// Waits for the columns of what `task` sends.
    pub(crate) fn begun(
        parts: Receiver<Result<Part, Error>>,
        patience: Patience,
        runtime: Handle,
        task: JoinHandle<()>,
        masks: &Masks,
    ) -> Result<Self, Error> {
        let mut rest = Rest { parts, patience, runtime, task: Some(task) };
        match rest.next() {
            // The columns come when the plan is there, and with it what it reads.
            Some(Ok(Part::Columns(schema))) => Ok(Self { schema, masked: masks.read(), rest }),
            Some(Err(error)) => Err(error),
            Some(Ok(Part::Rows(_))) | None => unreachable!("an answer has columns before it has rows, or it ends"),
        }
    }

    /// Its columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The masked columns that it reads, as `table.column`: their values are NULL in it.
    pub fn masked(&self) -> &[String] {
        &self.masked
    }

    /// All of it.
    ///
    /// # Errors
    /// The first error that comes.
    pub fn collected(self) -> Result<Answer, Error> {
        let schema = SchemaRef::clone(&self.schema);
        Ok(Answer { schema, batches: self.collect::<Result<_, _>>()? })
    }
}

impl Iterator for Running {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest.next().map(|part| match part? {
            Part::Rows(batch) => Ok(batch),
            Part::Columns(_) => unreachable!("the columns come once"),
        })
    }
}

impl Rest {
    fn next(&mut self) -> Option<Result<Part, Error>> {
        self.task.as_ref()?;
        match self.patience.next(&self.parts) {
            Ok(Some(Ok(part))) => Some(Ok(part)),
            Ok(Some(Err(error))) | Err(error) => {
                self.stop();
                Some(Err(error))
            }
            Ok(None) => {
                self.end();
                None
            }
        }
    }

    /// The task is over; its panic is the caller's.
    fn end(&mut self) {
        let Some(task) = self.task.take() else { return };
        match self.runtime.block_on(task) {
            Err(broken) if broken.is_panic() => resume_unwind(broken.into_panic()),
            _ => {}
        }
    }

    fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.stop();
    }
}
