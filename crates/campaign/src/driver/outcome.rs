//! What follows from how a hand-over ended: an end, another attempt later, or a suppressed address.

use muster_catalog::Timestamp;
use muster_channel::{Channel, Concern, Outcome, Pace};
use muster_state::Tx;

use super::Script;
use super::journey::{Ending, Visit, settle};
use crate::ledger::{self, Reason};
use crate::{AddressKey, DedupeKey, Error, Purpose, suppression};

/// Hand-overs of one message before it has failed: with the waits below they span about eight hours.
const MOST_ATTEMPTS: u32 = 8;
/// Microseconds.
const SECOND: i64 = 1_000_000;
/// The wait after the first attempt; it doubles with each further one.
const FIRST_WAIT: i64 = 120 * SECOND;
/// The longest wait.
const LONGEST_WAIT: i64 = 4 * 3_600 * SECOND;

/// A message that was handed over, and how that ended.
pub(super) struct HandedOver {
    pub(super) visit: Visit,
    pub(super) dedupe: DedupeKey,
    pub(super) address: AddressKey,
    /// With this one.
    pub(super) attempts: u32,
    pub(super) outcome: Outcome,
}

/// Writes what follows from a hand-over.
pub(super) fn record(
    tx: &Tx<'_>,
    script: &Script,
    channel: &dyn Channel,
    handed: &HandedOver,
    now: Timestamp,
) -> Result<(), Error> {
    let end = |ending: Ending| settle(tx, script, &handed.visit, &ending, now);
    match &handed.outcome {
        Outcome::Sent { reply } => end(Ending::Sent(reply.to_string())),
        Outcome::Refused { reply, concerns, .. } => {
            if *concerns == Concern::Address {
                suppression::suppress(tx, channel.kind().role(), &handed.address, &reply.to_string(), now)?;
            }
            end(Ending::Failed(reason(*concerns), reply.to_string()))
        }
        Outcome::Deferred { trouble, pace: Pace::Halt } => {
            ledger::make_ready(tx, handed.visit.decision, &trouble.to_string(), now)
        }
        Outcome::Deferred { trouble, .. } if handed.attempts >= MOST_ATTEMPTS => {
            end(Ending::Failed(Reason::GaveUp, format!("after {} attempts: {trouble}", handed.attempts)))
        }
        Outcome::Deferred { trouble, pace } => defer(tx, handed, (*pace, &trouble.to_string()), now),
        Outcome::Uncertain { lost } if is_sent_again(script, handed) => {
            defer(tx, handed, (Pace::BackOff, &lost.to_string()), now)
        }
        Outcome::Uncertain { lost } => end(Ending::Uncertain(lost.to_string())),
    }
}

/// Service is at least once, under the same id; marketing at most once.
fn is_sent_again(script: &Script, handed: &HandedOver) -> bool {
    script.definition.purpose == Purpose::Service && handed.attempts < MOST_ATTEMPTS
}

fn defer(tx: &Tx<'_>, handed: &HandedOver, (pace, detail): (Pace, &str), now: Timestamp) -> Result<(), Error> {
    let due = Timestamp::from_micros(now.micros() + wait(handed.attempts, pace, &handed.dedupe));
    ledger::defer(tx, handed.visit.decision, due, detail, now)
}

/// Microseconds: they double with each attempt, from twice as many where the destination asks for patience, and are up to
/// a quarter more by the message's key, so that those who failed together do not come back together.
fn wait(attempts: u32, pace: Pace, dedupe: &DedupeKey) -> i64 {
    let first = if pace == Pace::SlowDown { 2 * FIRST_WAIT } else { FIRST_WAIT };
    let wait = (first << attempts.saturating_sub(1).min(16)).min(LONGEST_WAIT);
    wait + dedupe.spread(wait / 4)
}

const fn reason(concerns: Concern) -> Reason {
    match concerns {
        Concern::Address => Reason::AddressRefused,
        Concern::Us => Reason::SenderRefused,
        Concern::Content => Reason::ContentRefused,
        Concern::Unsaid => Reason::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn waits_double_up_to_four_hours_and_no_two_messages_wait_alike() {
        let secret: Secret = Secret::fixed([7; 32]);
        let key = |profile| DedupeKey::of(&secret, "lapsed", "remind", profile, 1, "email");
        for (attempts, pace, least) in [
            (1, Pace::BackOff, 120),
            (1, Pace::SlowDown, 240),
            (2, Pace::BackOff, 240),
            (5, Pace::BackOff, 1_920),
            (30, Pace::BackOff, 14_400),
        ] {
            let waits = ["C1", "C2", "C3"].map(|profile| wait(attempts, pace, &key(profile)));
            let least = least * SECOND;
            assert!(waits.iter().all(|wait| (least..least + least / 4).contains(wait)), "{attempts}: {waits:?}");
            assert_ne!(waits[0], waits[1]);
            assert_eq!(waits[0], wait(attempts, pace, &key("C1")));
        }
    }
}
