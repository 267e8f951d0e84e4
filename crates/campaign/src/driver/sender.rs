//! The senders: one thread per open connection, one message at a time.
//!
//! Each turn has one transaction: it writes the outcome of the message before, asks the rules again, and marks the next
//! one as dispatching. The commits of all senders are shared, so a commit marks at most one message per connection, just
//! before its hand-over: that is how many are uncertain after a crash, and no more.

use std::panic::resume_unwind;
use std::thread;

use muster_catalog::Timestamp;
use muster_channel::{Channel, ComposeError, Connection, Context, Draft, Message, MessageId, Skip};
use muster_state::Tx;
use serde_json::{Map, Value, json};

use super::circuit::Circuit;
use super::journey::{Ending, settle};
use super::outcome::{self, HandedOver};
use super::queue::{Candidate, Queue};
use super::rules::{self, Question};
use super::{Driver, LinkRequest, Script};
use crate::ledger::{self, Attempt, Reason};
use crate::{Error, Standing, publishing};

/// Sends what a run has ready over `channel`; why it stopped before that was all, where it did.
pub(super) fn send_all(driver: &Driver<'_>, script: &Script, channel: &dyn Channel) -> Result<Option<String>, Error> {
    let connections = channel.connections();
    let queue = Queue::new(driver, script, channel);
    let circuit = Circuit::new(connections);
    let send = || Sender { driver, script, channel, queue: &queue, circuit: &circuit, last: None }.send_until_done();
    let ends: Vec<Result<(), Error>> = thread::scope(|scope| {
        let senders: Vec<_> = (0..connections).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|sender| sender.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    ends.into_iter().collect::<Result<(), Error>>()?;
    Ok(circuit.opened())
}

/// One thread with its connection.
struct Sender<'a> {
    driver: &'a Driver<'a>,
    script: &'a Script,
    channel: &'a dyn Channel,
    queue: &'a Queue<'a>,
    circuit: &'a Circuit,
    /// Handed over, and not in the ledger yet.
    last: Option<HandedOver>,
}

/// What the rules say to a message at the moment of its claim.
enum Claim {
    /// It is marked as dispatching and must be handed over now.
    Granted,
    /// It came to an end, or another sender has it.
    Gone,
    /// Nothing may leave at present; it stays ready.
    Held(&'static str),
}

impl Sender<'_> {
    fn send_until_done(mut self) -> Result<(), Error> {
        let mut connection = self.channel.open();
        let sent = self.send_each(connection.as_mut());
        // Whatever stopped it, what left must be in the ledger.
        let settled = self.settle_last();
        connection.close();
        sent.and(settled)
    }

    fn send_each(&mut self, connection: &mut dyn Connection) -> Result<(), Error> {
        while let Some(candidate) = self.next()? {
            let id = self.message_id(&candidate);
            match self.compose(&candidate, &id) {
                Ok(message) => self.claim_and_hand_over(candidate, &id, &message, connection)?,
                Err(ComposeError::Skip(skip)) => self.skip(&candidate, &skip)?,
                Err(ComposeError::Stop(error)) => self.circuit.open(error.to_string()),
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Candidate>, Error> {
        if self.circuit.opened().is_some() {
            return Ok(None);
        }
        if self.queue.is_slow_now() {
            // A crash during the wait would leave a message uncertain whose fate is known here.
            self.settle_last()?;
        }
        self.queue.next()
    }

    /// The id of the first attempt, or, before it, one that follows from the dedupe key.
    fn message_id(&self, candidate: &Candidate) -> MessageId {
        let domain = match candidate.message_id.as_deref().and_then(|id| id.split_once('@')) {
            Some((_, domain)) => domain,
            None => self.channel.domain(),
        };
        let id = MessageId::new(&candidate.dedupe.message_key(), domain);
        id.expect("hexadecimal digits and the domain of an address make a message id")
    }

    /// Before the claim, so that a message that cannot be written is never marked as leaving.
    fn compose(&self, candidate: &Candidate, id: &MessageId) -> Result<Message, ComposeError> {
        let recipient = &candidate.recipient;
        self.channel.compose(&Draft {
            template: &self.script.definition.steps[candidate.visit.step].send.template.name,
            language: recipient.language.as_deref(),
            address: recipient.address.as_deref(),
            id,
            date: candidate.decided_at,
            context: &self.context(candidate, id),
        })
    }

    fn context(&self, candidate: &Candidate, id: &MessageId) -> Context {
        let traveller = &candidate.visit.traveller;
        let campaign = &self.script.run.campaign;
        let request = LinkRequest { campaign, profile_key: &traveller.profile_key, message: id };
        Context {
            profile: candidate.recipient.fields.clone(),
            journey: fields(json!({ "number": traveller.number, "entered_at": traveller.entered_at.to_string() })),
            campaign: fields(json!({ "name": campaign, "version": self.script.run.version })),
            links: self.driver.links.links(&request),
        }
    }

    fn claim_and_hand_over(
        &mut self,
        candidate: Candidate,
        id: &MessageId,
        message: &Message,
        connection: &mut dyn Connection,
    ) -> Result<(), Error> {
        match self.settle_last_and(|sender, tx, now| sender.claim(tx, &candidate, id, now))? {
            Claim::Granted => self.hand_over(candidate, connection.send(message)),
            Claim::Gone => {}
            Claim::Held(why) => self.circuit.open(why.to_owned()),
        }
        Ok(())
    }

    fn hand_over(&mut self, candidate: Candidate, outcome: muster_channel::Outcome) {
        self.circuit.note(&outcome);
        let Candidate { visit, dedupe, attempts, address, .. } = candidate;
        self.last = Some(HandedOver { visit, dedupe, address, attempts: attempts + 1, outcome });
    }

    fn skip(&mut self, candidate: &Candidate, skip: &Skip) -> Result<(), Error> {
        let ending = Ending::Skipped(rule(skip), Some(skip.to_string()));
        self.settle_last_and(|sender, tx, now| settle(tx, sender.script, &candidate.visit, &ending, now))
    }

    fn settle_last(&mut self) -> Result<(), Error> {
        if self.last.is_none() { Ok(()) } else { self.settle_last_and(|_, _, _| Ok(())) }
    }

    /// Writes the outcome of the message before, and does `more`, in one transaction.
    fn settle_last_and<T>(
        &mut self,
        more: impl FnOnce(&Self, &Tx<'_>, Timestamp) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let now = self.driver.clock.now();
        let done = self.driver.state.write(|tx| {
            if let Some(last) = &self.last {
                outcome::record(tx, self.script, self.channel, last, now)?;
            }
            more(self, tx, now)
        })?;
        self.last = None;
        Ok(done)
    }

    fn claim(&self, tx: &Tx<'_>, candidate: &Candidate, id: &MessageId, now: Timestamp) -> Result<Claim, Error> {
        if let Some(why) = self.held(tx)? {
            return Ok(Claim::Held(why));
        }
        if let Some(reason) = self.refusal(tx, candidate)? {
            settle(tx, self.script, &candidate.visit, &Ending::Skipped(reason, None), now)?;
            return Ok(Claim::Gone);
        }
        let decision = candidate.visit.decision;
        let attempt = Attempt { decision, epoch: self.driver.state.epoch(), message_id: id.as_str() };
        let granted = ledger::mark_dispatching(tx, &attempt, now)?;
        Ok(if granted { Claim::Granted } else { Claim::Gone })
    }

    fn held(&self, tx: &Tx<'_>) -> Result<Option<&'static str>, Error> {
        if publishing::halted_since(tx)?.is_some() {
            return Ok(Some("every send was halted"));
        }
        let paused = publishing::standing(tx, &self.script.run.campaign)? == Standing::Paused;
        Ok(paused.then_some("the campaign was paused"))
    }

    fn refusal(&self, tx: &Tx<'_>, candidate: &Candidate) -> Result<Option<Reason>, Error> {
        let question = Question { script: self.script, visit: &candidate.visit, role: self.channel.kind().role() };
        match rules::refusal_of_profile(tx, &question)? {
            Some(reason) => Ok(Some(reason)),
            None => rules::refusal_of_address(tx, &question, &candidate.address),
        }
    }
}

fn rule(skip: &Skip) -> Reason {
    match skip {
        Skip::NoAddress => Reason::NoAddress,
        Skip::Address(_) if skip.rule() == Reason::InternationalAddress.as_str() => Reason::InternationalAddress,
        Skip::Address(_) => Reason::InvalidAddress,
        Skip::Language(_) => Reason::Language,
        Skip::Render(_) | Skip::Subject(_) => Reason::Render,
    }
}

fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
