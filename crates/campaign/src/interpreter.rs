//! The interpreter: what happens next to one profile, as a pure function.
//!
//! `(definition, state, event) → (state, actions)`. It opens no socket, reads no clock and writes no row; the driver
//! keeps the state, carries out the actions, and reports back what became of them as events. The same events give the
//! same actions, live, in a test, and over last year's history. An event that does not fit the state (a report that
//! comes twice) changes nothing.

use crate::Definition;
use crate::definition::Next;

/// Where a journey stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JourneyState {
    /// The profile has not entered yet.
    Outside,
    /// At a step, counted from 0, whose action is under way.
    At(usize),
    /// Over.
    Ended(End),
}

/// How a journey ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// After its last step, whatever became of it.
    Completed,
    /// At its entry: the profile is held out for comparison.
    Control,
}

/// What happened to a journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The profile entered, and is written to.
    Entered,
    /// The profile entered, and is held out.
    HeldOut,
    /// What the step at this place was to send came to an end.
    Settled {
        /// The step, counted from 0.
        step: usize,
        /// Which end.
        fate: Fate,
    },
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The other side took it.
    Sent,
    /// A rule held it back.
    Skipped,
    /// It cannot be delivered.
    Failed,
    /// It may or may not have arrived.
    Uncertain,
}

/// What the driver is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send what this step says.
    Send {
        /// The step, counted from 0.
        step: usize,
    },
    /// Record that this step is not sent, because the profile is held out.
    HoldOut {
        /// The step, counted from 0.
        step: usize,
    },
}

/// What follows from `event` for a journey in `state`.
///
/// A journey goes on after every fate of a message: the next step has its own channel and its own checks.
///
/// # Panics
/// If `state` is at a step that `definition` does not have.
pub fn step(definition: &Definition, state: JourneyState, event: Event) -> (JourneyState, Vec<Action>) {
    match (state, event) {
        (JourneyState::Outside, Event::Entered) => arrive(Next::Step(0)),
        (JourneyState::Outside, Event::HeldOut) => {
            (JourneyState::Ended(End::Control), vec![Action::HoldOut { step: 0 }])
        }
        (JourneyState::At(at), Event::Settled { step, .. }) if at == step => arrive(definition.steps[at].then),
        _ => (state, Vec::new()),
    }
}

fn arrive(next: Next) -> (JourneyState, Vec<Action>) {
    match next {
        Next::Step(step) => (JourneyState::At(step), vec![Action::Send { step }]),
        Next::End => (JourneyState::Ended(End::Completed), Vec::new()),
    }
}
