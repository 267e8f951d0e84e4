//! What one run follows: its version of the campaign's text, and the secret that keys its messages.

use muster_state::State;

use crate::ledger::Run;
use crate::{Definition, Error, Secret, publishing};

/// A run with the definition that its journeys keep.
pub(super) struct Script {
    pub(super) run: Run,
    pub(super) definition: Definition,
    pub(super) secret: Secret,
}

impl Script {
    /// Reads the version of `run` from the ledger.
    pub(super) fn load(state: &State, run: Run, secret: &Secret) -> Result<Self, Error> {
        let definition = state.read(|tx| publishing::version(tx, &run.campaign, run.version))?;
        Ok(Script { run, definition, secret: secret.clone() })
    }
}
