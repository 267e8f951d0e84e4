//! An answer on its way: its rows as they come.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, channel};

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
    has_ended: bool,
    /// What sends the parts, and where it runs; none where all of them were sent before.
    task: Option<(Handle, JoinHandle<()>)>,
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
        Self::of(Rest { parts, patience, has_ended: false, task: Some((runtime, task)) }, masks)
    }

    /// An answer that is there already.
    pub(crate) fn of_one(batch: RecordBatch, patience: Patience, masks: &Masks) -> Result<Self, Error> {
        let (send, parts) = channel();
        for part in [Part::Columns(batch.schema()), Part::Rows(batch)] {
            send.send(Ok(part)).expect("its other end is here");
        }
        Self::of(Rest { parts, patience, has_ended: false, task: None }, masks)
    }

    fn of(mut rest: Rest, masks: &Masks) -> Result<Self, Error> {
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
        if self.has_ended {
            return None;
        }
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
        self.has_ended = true;
        let Some((runtime, task)) = self.task.take() else { return };
        match runtime.block_on(task) {
            Err(broken) if broken.is_panic() => resume_unwind(broken.into_panic()),
            _ => {}
        }
    }

    fn stop(&mut self) {
        self.has_ended = true;
        if let Some((_, task)) = self.task.take() {
            task.abort();
        }
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.stop();
    }
}
