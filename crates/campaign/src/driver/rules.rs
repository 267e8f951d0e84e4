//! The rules that hold a message back, asked when a decision is taken up and again in the transaction that claims it:
//! an opt-out that was committed before the claim always wins.

use muster_state::Tx;

use super::Script;
use super::journey::Visit;
use crate::ledger::{self, Reason};
use crate::{AddressKey, Error, Purpose, Standing, consent, publishing, suppression};

/// One message that may go out.
pub(super) struct Question<'a> {
    pub(super) script: &'a Script,
    pub(super) visit: &'a Visit,
    /// The role of the channel's addresses.
    pub(super) role: &'a str,
}

/// The rule that binds the profile, whatever its address.
pub(super) fn refusal_of_profile(tx: &Tx<'_>, question: &Question<'_>) -> Result<Option<Reason>, Error> {
    if publishing::standing(tx, &question.script.run.campaign)? == Standing::Ended {
        return Ok(Some(Reason::Halted));
    }
    Ok((!has_consent(tx, question)?).then_some(Reason::NoConsent))
}

/// The rule that binds the address.
pub(super) fn refusal_of_address(
    tx: &Tx<'_>,
    question: &Question<'_>,
    address: &AddressKey,
) -> Result<Option<Reason>, Error> {
    if suppression::is_suppressed(tx, question.role, address)? {
        return Ok(Some(Reason::Suppressed));
    }
    let Question { script, visit, .. } = question;
    let step = &script.definition.steps[visit.step].id;
    let taken = ledger::is_address_taken(tx, &script.run, step, visit.decision, address)?;
    Ok(taken.then_some(Reason::DuplicateAddress))
}

fn has_consent(tx: &Tx<'_>, question: &Question<'_>) -> Result<bool, Error> {
    let Question { script, visit, role } = question;
    match script.definition.purpose {
        Purpose::Service => Ok(true),
        Purpose::Marketing => {
            let topic = script.definition.steps[visit.step].send.topic.as_deref();
            consent::allows(tx, &visit.traveller.profile_key, role, topic)
        }
    }
}
