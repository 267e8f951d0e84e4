//! The queue: ready decisions in the order in which they were made, with their profiles, some hundreds at a time.
//!
//! What one look at the data decides is decided here, for everyone in that order and in one transaction: whether the
//! profile is still there, agreed and has an address, and who of several with the same address is written to. So the
//! answer does not depend on which sender comes first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use muster_catalog::Timestamp;
use muster_channel::Channel;
use muster_state::Tx;

use super::journey::{Ending, Visit};
use super::rules::{self, Question};
use super::{Driver, Recipient, Script, journey};
use crate::ledger::{self, Reason, Waiting};
use crate::{AddressKey, DedupeKey, Error};

/// Decisions that are taken up at once: enough to make fetching their profiles cheap per profile.
const TAKEN_UP_AT_ONCE: u32 = 500;

/// A decision that no rule holds back, and whom it concerns.
pub(super) struct Candidate {
    pub(super) visit: Visit,
    pub(super) dedupe: DedupeKey,
    pub(super) attempts: u32,
    pub(super) message_id: Option<String>,
    pub(super) decided_at: Timestamp,
    pub(super) address: AddressKey,
    pub(super) recipient: Recipient,
}

/// The decisions of one run over one channel, shared by its senders.
pub(super) struct Queue<'a> {
    driver: &'a Driver<'a>,
    script: &'a Script,
    channel: &'a dyn Channel,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    candidates: VecDeque<Candidate>,
    last: i64,
    is_exhausted: bool,
}

impl<'a> Queue<'a> {
    pub(super) fn new(driver: &'a Driver<'a>, script: &'a Script, channel: &'a dyn Channel) -> Self {
        Queue { driver, script, channel, taken: Mutex::default() }
    }

    /// The next decision to compose a message for; `None` once there is none.
    pub(super) fn next(&self) -> Result<Option<Candidate>, Error> {
        let mut taken = self.lock();
        while taken.candidates.is_empty() && !taken.is_exhausted {
            self.take_up(&mut taken)?;
        }
        Ok(taken.candidates.pop_front())
    }

    /// Whether [`Queue::next`] will have to fetch, or to wait for a sender that does.
    pub(super) fn is_slow_now(&self) -> bool {
        match self.taken.try_lock() {
            Ok(taken) => taken.candidates.is_empty() && !taken.is_exhausted,
            Err(_) => true,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // A sender that panicked here left the queue as it was before or after a whole batch.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_up(&self, taken: &mut Taken) -> Result<(), Error> {
        let Driver { state, clock, .. } = self.driver;
        let run = &self.script.run;
        let waiting = state.read(|tx| ledger::ready(tx, run, self.channel.name(), taken.last, TAKEN_UP_AT_ONCE))?;
        let Some(last) = waiting.last() else {
            taken.is_exhausted = true;
            return Ok(());
        };
        taken.last = last.id;
        let recipients = self.recipients(&waiting)?;
        let now = clock.now();
        let candidates = state.write(|tx| {
            let each = waiting.into_iter().zip(recipients);
            each.filter_map(|(waiting, recipient)| self.candidate(tx, waiting, recipient, now).transpose()).collect()
        });
        taken.candidates = candidates?;
        Ok(())
    }

    fn recipients(&self, waiting: &[Waiting]) -> Result<Vec<Option<Recipient>>, Error> {
        let keys: Vec<&str> = waiting.iter().map(|waiting| waiting.traveller.profile_key.as_str()).collect();
        let recipients = self.driver.profiles.fetch(self.channel.kind().role(), &keys).map_err(Error::Profiles)?;
        assert_eq!(recipients.len(), keys.len(), "Profiles::fetch gives one answer per key");
        Ok(recipients)
    }

    /// A candidate, or `None` where a rule skipped it.
    fn candidate(
        &self,
        tx: &Tx<'_>,
        waiting: Waiting,
        recipient: Option<Recipient>,
        now: Timestamp,
    ) -> Result<Option<Candidate>, Error> {
        let Some(step) = self.script.definition.step(&waiting.step) else {
            unreachable!("the ledger refuses to change the text of a version");
        };
        let Waiting { id: decision, traveller, dedupe, attempts, message_id, decided_at, .. } = waiting;
        let visit = Visit { decision, step, traveller };
        match self.examine(tx, &visit, recipient)? {
            Ok((recipient, address)) => {
                ledger::expect_address(tx, decision, &address)?;
                Ok(Some(Candidate { visit, dedupe, attempts, message_id, decided_at, address, recipient }))
            }
            Err(reason) => {
                journey::settle(tx, self.script, &visit, &Ending::Skipped(reason, None), now)?;
                Ok(None)
            }
        }
    }

    fn examine(
        &self,
        tx: &Tx<'_>,
        visit: &Visit,
        recipient: Option<Recipient>,
    ) -> Result<Result<(Recipient, AddressKey), Reason>, Error> {
        let question = Question { script: self.script, visit, role: self.channel.kind().role() };
        let Some(recipient) = recipient else { return Ok(Err(Reason::NotEligible)) };
        if let Some(reason) = rules::refusal_of_profile(tx, &question)? {
            return Ok(Err(reason));
        }
        let Some(address) = recipient.address.as_deref().filter(|address| !address.trim().is_empty()) else {
            return Ok(Err(Reason::NoAddress));
        };
        let address = AddressKey::of(&self.script.secret, question.role, address);
        let refusal = rules::refusal_of_address(tx, &question, &address)?;
        Ok(refusal.map_or(Ok((recipient, address)), Err))
    }
}
