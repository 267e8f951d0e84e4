//! How the process ends: 0 done, 1 failed, 2 usage, 3 done with rejects, 4 refused.

use std::process::ExitCode;

use muster_segment::Error as SegmentError;
use muster_state::Error as StateError;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// Problems were found and listed.
    Problems,
    /// It was done, and some rows were rejected.
    Rejects,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Problems => 1,
            Exit::Rejects => 3,
        })
    }
}

/// Says on stderr what went wrong, cause by cause, and how the process ends.
pub fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error}");
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !said.contains(&cause) {
            eprintln!("  because: {cause}");
        }
        said = cause;
    }
    ExitCode::from(if is_refusal(error) { 4 } else { 1 })
}

/// A guard, a limit or a conflict: nothing is broken, and nothing was done.
fn is_refusal(error: &anyhow::Error) -> bool {
    let segment = error.downcast_ref::<SegmentError>();
    let conflict =
        segment.is_some_and(|error| matches!(error, SegmentError::Exists { .. } | SegmentError::InUse { .. }));
    let limit = matches!(
        segment,
        Some(SegmentError::Query(
            muster_query::Error::Time { .. } | muster_query::Error::Rows { .. } | muster_query::Error::Memory { .. }
        ))
    );
    let locked =
        error.chain().any(|cause| matches!(cause.downcast_ref::<StateError>(), Some(StateError::Locked { .. })));
    let over_budget = error.chain().any(|cause| {
        matches!(cause.downcast_ref::<muster_ingest::Error>(), Some(muster_ingest::Error::TooManyRejects(_)))
    });
    let halted = error.chain().any(|cause| {
        matches!(cause.downcast_ref::<muster_campaign::Error>(), Some(muster_campaign::Error::Halted { .. }))
    });
    conflict || limit || locked || over_budget || halted
}
