//! Recovery: what a sender was handing over when it died.
//!
//! Nobody can know whether such a message left. For marketing it is uncertain, for ever, and shown; for service it is
//! sent again under the same id.

use super::journey::{Ending, Visit, settle};
use super::{Driver, Script};
use crate::ledger::{self, Waiting};
use crate::{Error, Purpose, Standing, publishing};

const DIED: &str = "the sender died while handing it over";

impl Driver<'_> {
    /// Settles what earlier openings of the state left behind, and makes ready what is due.
    pub(super) fn recover(&self, script: &Script) -> Result<(), Error> {
        let (epoch, now) = (self.state.epoch(), self.clock.now());
        self.state.write(|tx| {
            for Waiting { id: decision, traveller, step, .. } in ledger::orphans(tx, &script.run, epoch)? {
                match (script.definition.purpose, script.definition.step(&step)) {
                    (Purpose::Marketing, Some(step)) => {
                        let visit = Visit { decision, step, traveller };
                        settle(tx, script, &visit, &Ending::Uncertain(DIED.to_owned()), now)?;
                    }
                    _ => ledger::make_ready(tx, decision, DIED, now)?,
                }
            }
            match publishing::standing(tx, &script.run.campaign)? {
                Standing::Ended => ledger::revive_all(tx, &script.run),
                _ => ledger::revive(tx, &script.run, epoch, now),
            }
        })
    }
}
