//! The one that takes groups of rows to the desk, and brings the answers back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::protocol::Wrong;
use crate::queue::{Outcome, Queue, Waiting};
use crate::{Appended, Batch, Desk, Failure, Refusal, Standing};

/// Takes group after group until the queue is closed and empty. After a fatal failure every group is refused: nothing
/// may be acknowledged any more.
pub(crate) fn write(queue: &Queue, desk: &dyn Desk, standing: &Standing) {
    let mut fatal: Option<Failure> = None;
    while let Some(group) = queue.next_group() {
        let (batches, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|Waiting { batch, answer }| (batch, answer)).unzip();
        let outcomes = match &fatal {
            Some(failure) => Err(failure.clone()),
            None => append(desk, &batches),
        };
        note(&outcomes, standing);
        fatal = fatal.or_else(|| outcomes.as_ref().err().filter(|error| is_fatal(error)).cloned());
        for (place, answer) in answers.into_iter().enumerate() {
            // Who sent the rows may be gone; they are kept all the same.
            let _ = answer.send(outcome(&outcomes, place));
        }
    }
}

type Outcomes = Result<Vec<Result<Appended, Refusal>>, Failure>;

/// A panic while rows are kept is an answer to those who sent them, not the end of the others' service.
fn append(desk: &dyn Desk, batches: &[Batch]) -> Outcomes {
    let outcomes = catch_unwind(AssertUnwindSafe(|| desk.append(batches)))
        .unwrap_or_else(|_| Err(Failure::Unavailable("keeping the rows broke off".to_owned())))?;
    if outcomes.len() == batches.len() {
        return Ok(outcomes);
    }
    Err(Failure::Fatal(format!("{} batches have {} answers", batches.len(), outcomes.len())))
}

/// Tells the rest of the process how a write went.
pub(crate) fn note<T>(outcome: &Result<T, Failure>, standing: &Standing) {
    match outcome {
        Ok(_) => standing.write_succeeded(),
        Err(Failure::Refused(_) | Failure::Superseded) => {}
        Err(Failure::Unavailable(reason)) => standing.write_failed(reason),
        Err(Failure::Fatal(reason)) => standing.fail(reason),
    }
}

fn is_fatal(failure: &Failure) -> bool {
    matches!(failure, Failure::Fatal(_))
}

fn outcome(outcomes: &Outcomes, place: usize) -> Outcome {
    match outcomes {
        Ok(outcomes) => outcomes[place].clone().map_err(Wrong::from),
        Err(failure) => Err(failure.clone().into()),
    }
}
