//! How the process ends: 0 done, 1 failed, 2 usage, 3 done with rejects, 4 refused.

use std::fmt;
use std::process::ExitCode;

use muster_segment::Error as SegmentError;
use muster_state::Error as StateError;
use muster_store::Error as StoreError;

use crate::pointing;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// Problems were found and listed.
    Problems,
    /// It was done, and some rows were rejected.
    Rejects,
    /// Another process did it, and said how it ended.
    Elsewhere(u8),
}

impl Exit {
    /// The number that a script sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Problems => 1,
            Exit::Rejects => 3,
            Exit::Elsewhere(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// A command that would do harm here, and so does nothing.
#[derive(Debug)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Says on stderr what went wrong, cause by cause, and how the process ends.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let (text, code) = told(error);
    eprint!("{text}");
    ExitCode::from(code)
}

/// What went wrong, a line for each cause, and the code to end with.
pub fn told(error: &anyhow::Error) -> (String, u8) {
    let mut text = format!("error: {}\n", pointing::told(error));
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !said.contains(&cause) {
            text.push_str(&format!("  because: {cause}\n"));
        }
        said = cause;
    }
    (text, if is_refusal(error) { 4 } else { 1 })
}

/// Whether the process can commit nothing more and must end.
pub fn is_fatal(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref::<StateError>(), Some(StateError::Fatal { .. } | StateError::Fenced { .. }))
    })
}

/// A guard, a limit or a conflict: nothing is broken, and nothing was done.
fn is_refusal(error: &anyhow::Error) -> bool {
    let segment = error.downcast_ref::<SegmentError>();
    let conflict =
        segment.is_some_and(|error| matches!(error, SegmentError::Exists { .. } | SegmentError::InUse { .. }));
    let limit = segment.is_some_and(|error| matches!(error, SegmentError::Query(error) if is_limit(error)));
    let locked = error.chain().any(|cause| {
        matches!(cause.downcast_ref::<StateError>(), Some(StateError::Locked { .. } | StateError::Copied { .. }))
    });
    let harmful = error.chain().any(|cause| cause.is::<Refused>());
    let over_budget = error.chain().any(|cause| {
        matches!(cause.downcast_ref::<muster_ingest::Error>(), Some(muster_ingest::Error::TooManyRejects(_)))
    });
    let halted = error.chain().any(|cause| {
        matches!(cause.downcast_ref::<muster_campaign::Error>(), Some(muster_campaign::Error::Halted { .. }))
    });
    let gone = error.chain().any(|cause| {
        matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::NothingToUndo | StoreError::TooLateToUndo { .. }))
    });
    conflict || limit || locked || harmful || over_budget || halted || gone
}

fn is_limit(error: &muster_query::Error) -> bool {
    use muster_query::Error::{Bytes, Masked, Memory, Rows, Time};
    matches!(error, Time { .. } | Rows { .. } | Bytes { .. } | Memory { .. } | Masked { .. })
}
