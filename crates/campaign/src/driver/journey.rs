//! Journeys, moved: the one place that asks the interpreter, and writes what it answers.

use muster_catalog::Timestamp;
use muster_state::Tx;

use super::Script;
use crate::identity::is_held_out;
use crate::interpreter::{self, Action, Event, Fate, JourneyState};
use crate::ledger::{self, NewDecision, Reason, Status, Traveller};
use crate::{DedupeKey, Error};

/// How a decision ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// The other side took it; what it said.
    Sent(String),
    /// A rule held it back; where, in words.
    Skipped(Reason, Option<String>),
    /// It cannot be delivered; what the other side said.
    Failed(Reason, String),
    /// Its fate is unknown; what broke.
    Uncertain(String),
}

impl Ending {
    fn fate(&self) -> Fate {
        match self {
            Self::Sent(_) => Fate::Sent,
            Self::Skipped(..) => Fate::Skipped,
            Self::Failed(..) => Fate::Failed,
            Self::Uncertain(_) => Fate::Uncertain,
        }
    }

    fn row(&self) -> (Status, Option<Reason>, Option<&str>) {
        match self {
            Self::Sent(reply) => (Status::Sent, None, Some(reply)),
            Self::Skipped(rule, detail) => (Status::Skipped, Some(*rule), detail.as_deref()),
            Self::Failed(class, reply) => (Status::Failed, Some(*class), Some(reply)),
            Self::Uncertain(lost) => (Status::Uncertain, None, Some(lost)),
        }
    }
}

/// A decision that is being carried out, and whose.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) decision: i64,
    pub(super) step: usize,
    pub(super) traveller: Traveller,
}

/// Lets one profile enter, or holds it out. One that has travelled before stays where it is.
pub(super) fn begin(tx: &Tx<'_>, script: &Script, profile: &str, now: Timestamp) -> Result<(), Error> {
    let definition = &script.definition;
    let Some(traveller) = ledger::enter_journey(tx, &script.run, profile, &definition.steps[0].id, now)? else {
        return Ok(());
    };
    let held_out =
        definition.control.as_ref().is_some_and(|control| is_held_out(&control.seed, profile, control.share));
    let event = if held_out { Event::HeldOut } else { Event::Entered };
    advance(tx, script, &traveller, (JourneyState::Outside, event), now)
}

/// Brings a decision to its end, and its journey to what follows. One that had ended before changes nothing.
pub(super) fn settle(
    tx: &Tx<'_>,
    script: &Script,
    visit: &Visit,
    ending: &Ending,
    now: Timestamp,
) -> Result<(), Error> {
    if !ledger::end_decision(tx, visit.decision, ending.row(), now)? {
        return Ok(());
    }
    let event = Event::Settled { step: visit.step, fate: ending.fate() };
    advance(tx, script, &visit.traveller, (JourneyState::At(visit.step), event), now)
}

fn advance(
    tx: &Tx<'_>,
    script: &Script,
    traveller: &Traveller,
    (state, event): (JourneyState, Event),
    now: Timestamp,
) -> Result<(), Error> {
    let (next, actions) = interpreter::step(&script.definition, state, event);
    for action in actions {
        decide(tx, script, traveller, (state, action), now)?;
    }
    ledger::move_journey(tx, traveller.journey, next, |step| &script.definition.steps[step].id, now)
}

/// Writes the decision that an action of the interpreter stands for. Of a journey that enters it is planned, until the
/// whole audience is in; of one on its way it is ready at once.
fn decide(
    tx: &Tx<'_>,
    script: &Script,
    traveller: &Traveller,
    (state, action): (JourneyState, Action),
    now: Timestamp,
) -> Result<(), Error> {
    let share = script.definition.control.as_ref().map_or(0.0, |control| control.share);
    let (step, status, probability) = match action {
        Action::HoldOut { step } => (step, Status::Control, share),
        Action::Send { step } if state == JourneyState::Outside => (step, Status::Planned, 1.0 - share),
        Action::Send { step } => (step, Status::Ready, 1.0 - share),
    };
    let step = &script.definition.steps[step];
    let (campaign, profile, channel) = (&script.run.campaign, &traveller.profile_key, &step.send.channel.name);
    let decision = NewDecision {
        run: script.run.id,
        journey: traveller.journey,
        step: &step.id,
        channel,
        dedupe: DedupeKey::of(&script.secret, campaign, &step.id, profile, traveller.number, channel),
        status,
        probability,
    };
    ledger::insert_decision(tx, &decision, now)
}
