//! Entry: a segment's members become an audience that no longer changes, and the audience becomes planned decisions.
//!
//! Ten thousand profiles to a transaction. A crash in between leaves a run that is still entering: the next call goes on
//! with it where the audience is the same, and takes it back where it is not, since nothing of it can have left.

use muster_state::Tx;

use super::{Audience, Driver, Script, journey};
use crate::ledger::{self, NewRun, Run};
use crate::{Definition, Error, Secret, Shelved, Standing};

/// Large enough that a commit costs nothing per profile, small enough that others wait for a moment only.
const PROFILES_PER_COMMIT: usize = 10_000;

impl Driver<'_> {
    /// Lets those enter who are in the segment and never travelled; `None` where there is nobody.
    pub(super) fn enter(&self, campaign: &Shelved, secret: &Secret) -> Result<Option<Run>, Error> {
        if campaign.standing != Standing::Live {
            self.withdraw_other_than(None, campaign)?;
            return Ok(None);
        }
        let definition = campaign.definition()?;
        let audience = self.audience(&definition)?;
        let new = new_run(campaign, &definition, &audience);
        let left_behind = self.withdraw_other_than(Some(&new), campaign)?;
        let newcomers = self.state.read(|tx| ledger::newcomers(tx, &campaign.name, &audience.keys))?;
        let run = match left_behind {
            Some(run) => run,
            None if newcomers.is_empty() => return Ok(None),
            None => self.begin(&new)?,
        };
        let script = Script { run, definition, secret: secret.clone() };
        self.admit(&script, &newcomers)?;
        self.complete(script).map(Some)
    }

    fn audience(&self, definition: &Definition) -> Result<Audience, Error> {
        let segment = &definition.segment.name;
        self.audiences.audience(segment).map_err(|source| Error::Audience {
            campaign: definition.name.clone(),
            segment: segment.clone(),
            source,
        })
    }

    /// The run that a crash left behind while it was entering, if it froze what `new` would; any other is taken back.
    fn withdraw_other_than(&self, new: Option<&NewRun<'_>>, campaign: &Shelved) -> Result<Option<Run>, Error> {
        self.state.write(|tx| match ledger::entering(tx, &campaign.name)? {
            Some(run) if new.is_some_and(|new| new.is(&run)) => Ok(Some(run)),
            Some(other) => ledger::withdraw(tx, &other).map(|()| None),
            None => Ok(None),
        })
    }

    fn begin(&self, new: &NewRun<'_>) -> Result<Run, Error> {
        let now = self.clock.now();
        self.state.write(|tx| ledger::begin(tx, new, now))
    }

    fn admit(&self, script: &Script, newcomers: &[&str]) -> Result<(), Error> {
        for chunk in newcomers.chunks(PROFILES_PER_COMMIT) {
            let now = self.clock.now();
            let admit = |tx: &Tx<'_>| chunk.iter().try_for_each(|profile| journey::begin(tx, script, profile, now));
            self.state.write(admit)?;
        }
        Ok(())
    }

    fn complete(&self, script: Script) -> Result<Run, Error> {
        let now = self.clock.now();
        self.state.write(|tx| ledger::complete_entry(tx, &script.run, now))
    }
}

fn new_run<'a>(campaign: &'a Shelved, definition: &'a Definition, audience: &'a Audience) -> NewRun<'a> {
    NewRun {
        campaign: &campaign.name,
        version: campaign.version,
        segment: &definition.segment.name,
        definition: &audience.definition,
        snapshot: audience.snapshot,
        as_of: audience.as_of,
        audience: audience.keys.len() as u64,
    }
}
