//! Retries: what was provably not accepted comes again, what may have arrived does so only where that is promised.

use muster_campaign::{Reason, Status};

use crate::shop::{LETTER, Shop};

fn service() -> String {
    LETTER.replace("marketing", "service")
}

fn person(address: &str, text: &str) -> Shop {
    let mut shop = Shop::with_people(["ann".to_owned()], 1);
    shop.change("ann", |ann| ann.address = Some(address.to_owned()));
    shop.publish("letter", text);
    shop
}

#[test]
fn a_deferred_message_comes_again_when_it_is_due_and_not_before() {
    let shop = person("busytwice@people.example", LETTER);
    let summary = shop.run();
    assert_eq!((summary.count(Status::Deferred), summary.is_finished()), (1, false));
    assert_eq!(shop.run().count(Status::Deferred), 1, "it is not due yet");
    assert_eq!(shop.ledger("letter")[0].attempts, 1);
    for _ in 0..2 {
        shop.clock.advance(3_600);
        shop.run();
    }
    let entry = &shop.ledger("letter")[0];
    assert_eq!((entry.status, entry.attempts), (Status::Sent, 3));
    assert_eq!(shop.accepted(), [(entry.message_id.clone().unwrap(), "busytwice@people.example".to_owned())]);
    assert!(shop.run_due().unwrap().is_empty(), "the run is finished");
}

#[test]
fn where_the_clock_stands_still_the_next_process_tries_again() {
    let mut shop = person("busytwice@people.example", LETTER);
    shop.clock.stop();
    for _ in 0..2 {
        assert_eq!(shop.run().count(Status::Deferred), 1);
        assert_eq!(shop.run().count(Status::Deferred), 1, "the same process does not");
        shop.open();
    }
    assert_eq!(shop.run().count(Status::Sent), 1);
}

#[test]
fn what_a_campaign_had_deferred_when_it_ended_is_skipped_at_once() {
    let shop = person("busy@people.example", LETTER);
    shop.run();
    shop.state().write(|tx| muster_campaign::stop(tx, "letter")).unwrap();
    assert!(shop.run().is_finished());
    assert_eq!(shop.fate("letter", "ann"), "skipped: halted");
}

#[test]
fn after_eight_attempts_it_has_failed() {
    let shop = person("busy@people.example", LETTER);
    for _ in 0..8 {
        assert_eq!(shop.run().run.finished_at.is_some(), shop.ledger("letter")[0].attempts == 8);
        shop.clock.advance(8 * 3_600);
    }
    let entry = &shop.ledger("letter")[0];
    assert_eq!((entry.status, entry.reason, entry.attempts), (Status::Failed, Some(Reason::GaveUp), 8));
    assert_eq!(entry.detail.as_deref(), Some("after 8 attempts: sending the message: the server hung up"));
}

#[test]
fn marketing_that_may_have_arrived_is_uncertain_and_never_sent_again() {
    let shop = person("silent@people.example", LETTER);
    assert_eq!(shop.run().count(Status::Uncertain), 1);
    shop.clock.advance(8 * 3_600);
    assert!(shop.run_due().unwrap().is_empty());
    assert_eq!(shop.ledger("letter")[0].attempts, 1);
}

#[test]
fn service_that_may_not_have_arrived_is_sent_again_under_the_same_id() {
    let shop = person("silent@people.example", &service());
    let mut ids = Vec::new();
    for _ in 0..8 {
        shop.run();
        ids.push(shop.ledger("letter")[0].message_id.clone().unwrap());
        shop.clock.advance(8 * 3_600);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let entry = &shop.ledger("letter")[0];
    assert_eq!((entry.status, entry.attempts), (Status::Uncertain, 8));
}

#[test]
fn service_needs_no_consent() {
    let mut shop = Shop::with_people(["ann".to_owned()], 1);
    shop.change("ann", |ann| ann.consents = Some(false));
    shop.publish("letter", &service());
    assert_eq!(shop.run().count(Status::Sent), 1);
}

#[test]
fn a_server_that_nobody_can_reach_is_not_asked_for_everyone() {
    let shop = Shop::of(100, 2);
    shop.publish("letter", LETTER);
    shop.post_office_is_closed(true);
    let summary = shop.run();
    assert_eq!(summary.stopped.as_deref(), Some("connecting: the server hung up"));
    assert_eq!((summary.count(Status::Ready), summary.count(Status::Deferred)), (100, 0));
    let tried = shop.ledger("letter").iter().filter(|entry| entry.attempts > 0).count();
    assert!((1..=2).contains(&tried), "one hand-over per connection at most: {tried}");
    shop.post_office_is_closed(false);
    assert_eq!(shop.run().count(Status::Sent), 100);
    shop.check_against_the_journal("letter");
}

#[test]
fn a_server_that_fails_everyone_is_given_a_rest() {
    let mut shop = Shop::of(100, 2);
    for number in 0..100 {
        shop.change(&format!("c{number:05}"), |person| person.address = Some(format!("busy-{number}@people.example")));
    }
    shop.publish("letter", LETTER);
    let summary = shop.run();
    let why = "6 hand-overs in a row failed, the last with: sending the message: the server hung up";
    assert_eq!(summary.stopped.as_deref(), Some(why));
    assert!((6..=7).contains(&summary.count(Status::Deferred)), "{summary:?}");
}
