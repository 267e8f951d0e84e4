//! The driver: carries out what the interpreter decides, so that a crash at any moment costs nothing but time.
//!
//! For each campaign, in the order of priority:
//!
//! 1. `recovery.rs` settles what a sender left behind when it died;
//! 2. `entry.rs` freezes the audience into planned decisions, and makes them ready when everyone is in;
//! 3. `queue.rs` takes ready decisions in order, fetches their profiles, and applies the rules (`rules.rs`);
//! 4. `sender.rs`, one thread per open connection: composes a message, and in one transaction writes the outcome of its
//!    last message and claims this one; only when that is on disk it hands over;
//! 5. `outcome.rs` says what follows from how a hand-over ended.
//!
//! Every journey moves through `journey.rs`, the one caller of the interpreter.

mod given;
pub use given::{Audience, Audiences, GivenError, LinkRequest, Links, Profiles, Recipient};

mod script;
use script::Script;

mod recovery;

mod entry;

mod queue;

mod rules;

mod sender;

mod outcome;

mod circuit;

mod journey;

use std::cmp::Reverse;

use muster_catalog::Clock;
use muster_channel::Channel;
use muster_state::State;

use crate::ledger::{self, Run, Summary};
use crate::{Definition, Error, Secret, Shelved, Standing, publishing};

/// Everything that is needed to carry campaigns out. One at a time per state.
pub struct Driver<'a> {
    /// Where the ledger is.
    pub state: &'a State,
    /// The ways out, by their names in campaigns.
    pub channels: &'a [Box<dyn Channel>],
    /// Who is in a segment.
    pub audiences: &'a dyn Audiences,
    /// What is known of them.
    pub profiles: &'a dyn Profiles,
    /// Where links lead.
    pub links: &'a dyn Links,
    /// What time it is.
    pub clock: &'a dyn Clock,
}

impl Driver<'_> {
    /// Does what is due and returns: finishes the runs that are open, and lets those enter every live campaign who are in
    /// its segment and never travelled. Campaigns of a higher priority go first, then by name.
    ///
    /// One summary per run that was open or begun. A run that was interrupted anywhere is finished by the next call;
    /// nobody is written to twice. A deferred message whose time has not come leaves its run open.
    ///
    /// # Errors
    /// [`Error::Halted`] while every send is stopped; [`Error::NoChannel`], [`Error::Audience`], [`Error::Profiles`]
    /// where the workspace does not fit; [`Error::State`] where the ledger fails, after which the process must end.
    pub fn run_due(&mut self) -> Result<Vec<Summary>, Error> {
        let campaigns = self.state.read(publishing::list)?;
        let mut campaigns = campaigns
            .into_iter()
            .map(|campaign| Ok((campaign.definition()?.priority, campaign)))
            .collect::<Result<Vec<_>, Error>>()?;
        campaigns.sort_by_key(|(priority, _)| Reverse(*priority));
        self.run_each(campaigns.iter().map(|(_, campaign)| campaign))
    }

    /// The same for one campaign.
    ///
    /// # Errors
    /// As [`Driver::run_due`], and [`Error::Unpublished`].
    pub fn run_one(&mut self, campaign: &str) -> Result<Vec<Summary>, Error> {
        let campaign = self.state.read(|tx| publishing::get(tx, campaign))?;
        self.run_each([&campaign])
    }

    fn run_each<'c>(&self, campaigns: impl IntoIterator<Item = &'c Shelved>) -> Result<Vec<Summary>, Error> {
        if let Some(since) = self.state.read(publishing::halted_since)? {
            return Err(Error::Halted { since });
        }
        let secret = self.state.read(Secret::read)?;
        let mut summaries = Vec::new();
        for campaign in campaigns.into_iter().filter(|campaign| campaign.standing != Standing::Paused) {
            // A halt that comes while this runs ends it, with what was done so far.
            if self.state.read(publishing::halted_since)?.is_none() {
                summaries.extend(self.run_campaign(campaign, &secret)?);
            }
        }
        Ok(summaries)
    }

    fn run_campaign(&self, campaign: &Shelved, secret: &Secret) -> Result<Vec<Summary>, Error> {
        let runs = self.state.read(|tx| ledger::unfinished(tx, &campaign.name))?;
        let mut summaries = Vec::new();
        for run in runs {
            summaries.push(self.carry_out(run, secret)?);
        }
        // What stopped the open runs would stop another one too.
        if summaries.iter().all(|summary| summary.stopped.is_none()) {
            let run = self.enter(campaign, secret)?;
            summaries.extend(run.map(|run| self.carry_out(run, secret)).transpose()?);
        }
        Ok(summaries)
    }

    /// Sends what a run has ready, and closes it where nothing is left open.
    fn carry_out(&self, run: Run, secret: &Secret) -> Result<Summary, Error> {
        let script = Script::load(self.state, run, secret)?;
        self.recover(&script)?;
        let stopped = self.dispatch(&script)?;
        let mut summary = self.state.read(|tx| Summary::of(tx, &script.run))?;
        summary.check_identity()?;
        if summary.is_finished() {
            summary.run = self.close(summary.run)?;
        }
        summary.stopped = stopped;
        Ok(summary)
    }

    /// Sends until nothing is ready; why it stopped before that, where it did.
    fn dispatch(&self, script: &Script) -> Result<Option<String>, Error> {
        let channels = self.channels_of(script)?;
        // A message over one channel can make the next step's ready over another, so all are asked again.
        while let Some(channel) = self.first_with_ready(script, &channels)? {
            if let Some(why) = sender::send_all(self, script, channel)? {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    fn first_with_ready<'c>(
        &self,
        script: &Script,
        channels: &[&'c dyn Channel],
    ) -> Result<Option<&'c dyn Channel>, Error> {
        self.state.read(|tx| {
            for channel in channels {
                if ledger::has_ready(tx, &script.run, channel.name())? {
                    return Ok(Some(*channel));
                }
            }
            Ok(None)
        })
    }

    fn channels_of(&self, script: &Script) -> Result<Vec<&dyn Channel>, Error> {
        script.definition.channels().into_iter().map(|name| self.channel(&script.definition, name)).collect()
    }

    fn channel(&self, definition: &Definition, name: &str) -> Result<&dyn Channel, Error> {
        let found = self.channels.iter().find(|channel| channel.name() == name);
        found.map(|channel| channel.as_ref()).ok_or_else(|| Error::NoChannel {
            campaign: definition.name.clone(),
            step: definition
                .steps
                .iter()
                .find(|step| step.send.channel.name == name)
                .map_or_else(String::new, |step| step.id.clone()),
            channel: name.to_owned(),
            known: self.channels.iter().map(|channel| channel.name().to_owned()).collect(),
        })
    }

    fn close(&self, run: Run) -> Result<Run, Error> {
        let now = self.clock.now();
        self.state.write(|tx| ledger::finish(tx, run.id, now))?;
        Ok(Run { status: ledger::RunStatus::Finished, finished_at: Some(now), ..run })
    }
}
