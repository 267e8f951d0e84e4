//! The ledger: every run, every journey, every decision, and what became of it.
//!
//! A decision is committed as *dispatching* before it is handed over, and its end after. A run is finished when its
//! decisions add up: audience = sent + skipped + failed + uncertain + control (and those who had travelled before).
//! Here are the rows and what they may become; when they do is the [`Driver`](crate::Driver)'s.

mod status;
pub use status::{Reason, Status};

mod run;
pub(crate) use run::{NewRun, begin, complete_entry, entering, finish, unfinished, withdraw};
pub use run::{Run, RunStatus, run_after, runs};

mod journey;
pub(crate) use journey::{Traveller, enter_journey, move_journey, newcomers};

mod decision;
pub(crate) use decision::{
    Attempt, NewDecision, Waiting, defer, end_decision, expect_address, has_ready, insert_decision, is_address_taken,
    make_ready, mark_dispatching, orphans, ready, revive, revive_all,
};

mod summary;
pub use summary::{StepSummary, Summary};

mod listing;
pub use listing::{Entry, each_decision};
