//! How a run stands, in numbers, and whether they add up.

use std::collections::BTreeMap;

use muster_state::{Tx, params};

use super::{Reason, Run, RunStatus, Status};
use crate::{Error, publishing};

/// A run in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The run.
    pub run: Run,
    /// One per step of its definition, in that order.
    pub steps: Vec<StepSummary>,
    /// Why it stopped before its end, where it did: in words, for a person.
    pub stopped: Option<String>,
}

/// The decisions of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepSummary {
    /// The step.
    pub step: String,
    /// The channel that it sends over.
    pub channel: String,
    /// How many decisions have which status, and why.
    pub counts: BTreeMap<(Status, Option<Reason>), u64>,
}

impl StepSummary {
    /// Decisions of this status, whatever the reason.
    pub fn count(&self, status: Status) -> u64 {
        self.counts.iter().filter(|((counted, _), _)| *counted == status).map(|(_, count)| count).sum()
    }

    /// Journeys that came to this step.
    pub fn reached(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Decisions that have not come to their end.
    pub fn open(&self) -> u64 {
        self.counts.iter().filter(|((status, _), _)| !status.is_end()).map(|(_, count)| count).sum()
    }
}

impl Summary {
    /// Counts the decisions of `run`.
    ///
    /// # Errors
    /// [`Error::State`] where the state fails.
    pub fn of(tx: &Tx<'_>, run: &Run) -> Result<Self, Error> {
        let definition = publishing::version(tx, &run.campaign, run.version)?;
        let mut steps: Vec<StepSummary> = definition.steps.iter().map(nothing_yet).collect();
        let counts = tx.all(
            "SELECT step, status, reason, count(*) FROM decisions WHERE run = ? GROUP BY step, status, reason",
            params![run.id],
            |row| Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?), row.get::<_, i64>(3)?)),
        )?;
        for (step, key, count) in counts {
            let step = definition.step(&step).and_then(|index| steps.get_mut(index));
            step.map(|step| step.counts.insert(key, count.cast_unsigned()));
        }
        Ok(Summary { run: run.clone(), steps, stopped: None })
    }

    /// Decisions of this status over all steps. In a campaign that sends once, these add up to the audience.
    pub fn count(&self, status: Status) -> u64 {
        self.steps.iter().map(|step| step.count(status)).sum()
    }

    /// Decisions that have not come to their end.
    pub fn open(&self) -> u64 {
        self.steps.iter().map(StepSummary::open).sum()
    }

    /// True once every decision came to its end.
    pub fn is_finished(&self) -> bool {
        self.run.status != RunStatus::Entering && self.open() == 0
    }

    /// Checks, of a run whose audience has entered, that everyone in it is accounted for: at its first step exactly one
    /// decision for everyone who had not travelled before, and at any other no more than at the first.
    ///
    /// Together with [`Summary::is_finished`] this is the identity
    /// audience = sent + skipped + failed + uncertain + control + travelled before.
    ///
    /// # Errors
    /// [`Error::Identity`] with both sides where they differ.
    pub fn check_identity(&self) -> Result<(), Error> {
        let entered = self.run.audience.saturating_sub(self.run.travelled);
        let first = self.steps.first().map_or(0, StepSummary::reached);
        if first != entered {
            return Err(self.broken(format!("{entered} entered, and {first} decisions were made")));
        }
        match self.steps.iter().find(|step| step.reached() > entered) {
            Some(step) => {
                Err(self.broken(format!("{entered} entered, and {} reached step {}", step.reached(), step.step)))
            }
            None => Ok(()),
        }
    }

    fn broken(&self, detail: String) -> Error {
        Error::Identity { run: self.run.id, campaign: self.run.campaign.clone(), detail }
    }
}

fn nothing_yet(step: &crate::definition::Step) -> StepSummary {
    StepSummary { step: step.id.clone(), channel: step.send.channel.name.clone(), counts: BTreeMap::new() }
}
