//! What a campaign is: its text, read once into a form that cannot be wrong.
//!
//! `read.rs` turns the text of `campaigns/<name>.toml` into a [`Definition`], `check.rs` holds it against the workspace.
//! What happens because of it is the [`interpreter`](crate::interpreter)'s.

use muster_catalog::Place;

mod read;

mod fields;

mod check;
pub use check::{KnownChannel, Surroundings};

/// A campaign as its author wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The file's name without its ending; what the ledger calls it.
    pub name: String,
    /// What it is for.
    pub objective: Objective,
    /// Which rules bind it.
    pub purpose: Purpose,
    /// Campaigns with a higher one go first; 0 where the text says nothing.
    pub priority: i64,
    /// The segment whose members enter.
    pub segment: Mention,
    /// The share that is held out, if any.
    pub control: Option<Control>,
    /// Never empty. Every step can be reached from the first, and none twice.
    pub steps: Vec<Step>,
}

impl Definition {
    /// The step with this id.
    pub fn step(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.id == id)
    }

    /// The names of the channels that it sends over, sorted, each once.
    pub fn channels(&self) -> Vec<&str> {
        let mut channels: Vec<&str> = self.steps.iter().map(|step| step.send.channel.name.as_str()).collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }
}

/// What a campaign is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// Win new customers.
    Acquire,
    /// Keep the promises of a purchase.
    Protect,
    /// Make more of a good relation.
    Nurture,
    /// Keep those who would leave.
    Retain,
}

/// Which rules bind a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Needs consent; at most once: what may have arrived is never sent again.
    Marketing,
    /// Needs no consent; at least once: what may not have arrived is sent again under the same id. Suppression binds.
    Service,
}

/// A name that the text mentions, and where it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
}

/// The share of an audience that is never written to, for comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Above 0 and below 1.
    pub share: f64,
    /// Campaigns with the same seed hold out the same profiles; the campaign's name where the text says nothing.
    pub seed: String,
}

/// One thing that happens on a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Unique in the campaign, and the same in all its versions.
    pub id: String,
    /// What it sends.
    pub send: Send,
    /// Where the journey goes afterwards.
    pub then: Next,
}

/// A template over a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// The channel, by its name in `muster.toml`.
    pub channel: Mention,
    /// The template, without language and kind.
    pub template: Mention,
    /// The topic that consent is asked for, where it is not for the channel as a whole.
    pub topic: Option<String>,
}

/// Where a journey goes after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// To this step, counted from 0.
    Step(usize),
    /// The journey is over.
    End,
}
