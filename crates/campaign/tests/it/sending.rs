//! Sending: everyone is accounted for, the rules hold, and nobody is written to twice.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use muster_campaign::consent::{Statement, record};
use muster_campaign::ledger::{RunStatus, run_after};
use muster_campaign::{AddressKey, Error, Reason, Secret, Status, halt, pause, release, resume, stop, suppression};
use muster_catalog::{Clock, Timestamp};
use proptest::prelude::*;

use crate::shop::{LETTER, Shop};

#[test]
fn everyone_in_the_segment_is_written_to_once() {
    let shop = Shop::of(1_200, 4);
    shop.publish("letter", LETTER);
    let summary = shop.run();
    assert!(summary.is_finished() && summary.run.status == RunStatus::Finished);
    assert_eq!((summary.run.audience, summary.count(Status::Sent)), (1_200, 1_200));
    let everyone: Vec<String> = (0..1_200).map(|number| format!("c{number:05}@people.example")).collect();
    assert_eq!(shop.accepted_addresses(), everyone);
    shop.check_against_the_journal("letter");
}

#[test]
fn a_run_used_the_snapshot_of_its_audience_those_before_and_whatever_came_while_it_sent() {
    let shop = Shop::of(3, 2);
    shop.publish("letter", LETTER);
    let (far, first) = (Timestamp::from_micros(i64::MAX), Timestamp::from_micros(0));
    let used = |snapshot, since| shop.state().read(|tx| run_after(tx, snapshot, since)).unwrap().map(|run| run.id);
    assert_eq!(used(0, first), None);
    let run = shop.run().run;
    assert_eq!(
        [1, run.snapshot, run.snapshot + 1].map(|snapshot| used(snapshot, far)),
        [Some(run.id), Some(run.id), None]
    );
    assert_eq!(used(run.snapshot + 1, first), Some(run.id));
}

#[test]
fn running_again_writes_only_to_those_who_never_travelled() {
    let mut shop = Shop::of(3, 2);
    shop.publish("letter", LETTER);
    shop.run();
    assert!(shop.run_due().unwrap().is_empty(), "nobody is new");
    shop.change("c00003", |_| {});
    let summary = shop.run();
    assert_eq!((summary.run.audience, summary.run.travelled, summary.count(Status::Sent)), (4, 3, 1));
    assert_eq!(shop.accepted().len(), 4);
    shop.check_against_the_journal("letter");
}

#[test]
fn a_new_version_is_not_a_second_message() {
    let shop = Shop::of(3, 2);
    shop.publish("letter", LETTER);
    shop.run();
    assert_eq!(shop.publish("letter", &format!("{LETTER}# better\n")), 2);
    assert!(shop.run_due().unwrap().is_empty());
    assert_eq!(shop.accepted().len(), 3);
}

#[test]
fn who_is_not_written_to_is_skipped_by_the_rule_that_says_so() {
    let mut shop = Shop::with_people(["ann", "bob", "dee", "eva", "fay", "gus", "hal", "ida"].map(str::to_owned), 3);
    shop.change("bob", |bob| bob.consents = Some(false));
    shop.change("dee", |dee| dee.address = None);
    shop.change("eva", |eva| eva.address = Some("not an address".to_owned()));
    shop.change("fay", |fay| fay.address = Some("Ann@people.example".to_owned()));
    shop.change("gus", |gus| gus.first_name = serde_json::Value::Null);
    shop.change("hal", |hal| hal.address = Some("hål@people.example".to_owned()));
    let secret = shop.state().read(Secret::read).unwrap();
    let ida = AddressKey::of(&secret, "email", "ida@people.example");
    shop.state().write(|tx| suppression::suppress(tx, "email", &ida, "complained", shop.clock.now())).unwrap();
    shop.publish("letter", LETTER);
    let summary = shop.run();
    let fates = ["ann", "bob", "dee", "eva", "fay", "gus", "hal", "ida"].map(|key| shop.fate("letter", key));
    assert_eq!(
        fates,
        [
            "sent",
            "skipped: no consent",
            "skipped: no address",
            "skipped: invalid address",
            "skipped: duplicate address",
            "skipped: render",
            "skipped: eai",
            "skipped: suppressed",
        ]
    );
    assert!(summary.is_finished());
    assert_eq!(shop.accepted_addresses()[0], "ann@people.example");
}

#[test]
fn the_first_of_those_who_share_an_address_is_the_same_whoever_sends() {
    for connections in [1, 2, 7] {
        let keys = (0..40).map(|number| format!("c{number:02}"));
        let mut shop = Shop::with_people(keys, connections);
        for number in 0..40 {
            shop.change(&format!("c{number:02}"), |person| {
                person.address = Some(format!("home{}@people.example", number % 10))
            });
        }
        // The first of the household does not want to be written to, so the second is.
        shop.change("c03", |person| person.consents = Some(false));
        shop.publish("letter", LETTER);
        shop.run();
        let sent: Vec<String> = shop
            .ledger("letter")
            .into_iter()
            .filter(|entry| entry.status == Status::Sent)
            .map(|entry| entry.profile_key)
            .collect();
        assert_eq!(
            sent,
            ["c00", "c01", "c02", "c04", "c05", "c06", "c07", "c08", "c09", "c13"],
            "{connections} connections"
        );
    }
}

#[test]
fn an_opt_out_between_the_plan_and_the_claim_wins() {
    let shop = Shop::with_people(["ann", "bob"].map(str::to_owned), 1);
    shop.publish("letter", LETTER);
    let state = shop.shared_state();
    // Ann's message is on its way when Bob, whose decision was taken up already, unsubscribes.
    shop.meddle(move |message| {
        if message.to().to_string() == "ann@people.example" {
            state.write(|tx| record(tx, &BOB_UNSUBSCRIBES)).unwrap();
        }
    });
    shop.run();
    assert_eq!(shop.fate("letter", "ann"), "sent");
    assert_eq!(shop.fate("letter", "bob"), "skipped: no consent");
    assert_eq!(shop.accepted_addresses(), ["ann@people.example"]);
}

const BOB_UNSUBSCRIBES: Statement<'_> = Statement {
    profile_key: "bob",
    channel: "email",
    topic: None,
    agreed: false,
    at: Timestamp::from_micros(1_750_000_001_000_000),
    source: "unsubscribe",
    wording: None,
};

#[test]
fn the_control_group_is_recorded_with_its_probability_and_never_written_to() {
    let shop = Shop::of(2_000, 4);
    shop.publish("letter", &LETTER.replace("[[steps]]", "control = { share = 0.1, seed = \"letter\" }\n[[steps]]"));
    let summary = shop.run();
    let control = summary.count(Status::Control);
    assert!((150..250).contains(&control), "{control} of 2,000");
    assert_eq!(summary.count(Status::Sent) + control, 2_000);
    let reached: BTreeSet<String> = shop.accepted_addresses().into_iter().collect();
    for entry in shop.ledger("letter") {
        let is_control = entry.status == Status::Control;
        assert_eq!((entry.variant == "control", entry.probability), (is_control, if is_control { 0.1 } else { 0.9 }));
        assert_eq!(reached.contains(&format!("{}@people.example", entry.profile_key)), !is_control);
    }
}

#[test]
fn two_steps_are_two_messages_to_each_and_both_add_up() {
    let shop = Shop::of(30, 3);
    let second = "\n[[steps]]\nid = \"again\"\nsend = { email = \"second\" }\n";
    shop.publish("letter", &format!("{LETTER}{second}"));
    let summary = shop.run();
    let sent: Vec<u64> = summary.steps.iter().map(|step| step.count(Status::Sent)).collect();
    assert_eq!(sent, [30, 30]);
    assert!(summary.is_finished());
    shop.check_against_the_journal("letter");
}

#[test]
fn a_halt_stops_every_send_and_its_release_lets_the_rest_go() {
    let shop = Shop::of(40, 1);
    shop.publish("letter", LETTER);
    let (state, taken) = (shop.shared_state(), AtomicUsize::new(0));
    shop.meddle(move |_| {
        if taken.fetch_add(1, Ordering::SeqCst) == 9 {
            state.write(|tx| halt(tx, Timestamp::from_micros(1_750_000_000_000_000))).unwrap();
        }
    });
    let summary = shop.run();
    assert_eq!(summary.stopped.as_deref(), Some("every send was halted"));
    assert_eq!((summary.count(Status::Sent), summary.count(Status::Ready)), (10, 30));
    assert!(matches!(shop.run_due(), Err(Error::Halted { .. })));
    shop.state().write(release).unwrap();
    assert_eq!(shop.run().count(Status::Sent), 40);
    shop.check_against_the_journal("letter");
}

#[test]
fn a_paused_campaign_waits_and_an_ended_one_skips_the_rest_as_halted() {
    let shop = Shop::of(5, 1);
    shop.publish("letter", LETTER);
    shop.post_office_is_closed(true);
    assert!(shop.run().stopped.is_some());
    shop.post_office_is_closed(false);
    shop.state().write(|tx| pause(tx, "letter")).unwrap();
    assert!(shop.run_due().unwrap().is_empty());
    shop.state().write(|tx| resume(tx, "letter")).unwrap();
    shop.state().write(|tx| stop(tx, "letter")).unwrap();
    let summary = shop.run();
    let halted = summary.steps[0].counts.get(&(Status::Skipped, Some(Reason::Halted)));
    assert_eq!((halted, summary.is_finished()), (Some(&5), true));
    assert!(shop.accepted().is_empty());
}

#[test]
fn campaigns_of_a_higher_priority_go_first() {
    let shop = Shop::of(2, 1);
    shop.publish("a-letter", LETTER);
    shop.publish("b-letter", &format!("priority = 1\n{LETTER}"));
    let order: Vec<String> = shop.run_due().unwrap().into_iter().map(|summary| summary.run.campaign).collect();
    assert_eq!(order, ["b-letter", "a-letter"]);
}

#[test]
fn a_message_id_is_the_same_in_every_workspace_of_the_same_secret() {
    let ids = || {
        let shop = Shop::of(3, 1);
        shop.publish("letter", LETTER);
        shop.run();
        shop.accepted()
    };
    let first = ids();
    assert_eq!(first, ids());
    assert!(first[0].0.ends_with("@shop.example"), "{first:?}");
}

#[test]
fn ten_thousand_decisions_take_seconds_even_unoptimised() {
    let shop = Shop::of(10_000, 16);
    shop.publish("letter", LETTER);
    let began = Instant::now();
    let summary = shop.run();
    let took = began.elapsed();
    assert_eq!(summary.count(Status::Sent), 10_000);
    assert!(took.as_secs() < 60, "{took:?}");
    println!("10,000 decisions in {took:?}, {} commits", shop.state().commit_count());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_parts_add_up_to_the_audience_whatever_the_people(
        people in prop::collection::vec((0..8_u8, 0..12_u8), 0..60),
        connections in 1..5_usize,
        share in prop::sample::select(vec![0.05, 0.5]),
    ) {
        let kinds = ["ann", "busytwice", "busy", "silent", "", "no address", "ann", "ann"];
        let keys = (0..people.len()).map(|number| format!("c{number:03}"));
        let mut shop = Shop::with_people(keys, connections);
        for (number, (kind, house)) in people.iter().enumerate() {
            shop.change(&format!("c{number:03}"), |person| {
                person.address = Some(format!("{}-{house}@people.example", kinds[usize::from(*kind)]));
                person.consents = [Some(true), Some(true), Some(false), None][usize::from(*house % 4)];
            });
        }
        shop.publish("letter", &LETTER.replace("[[steps]]", &format!("control = {{ share = {share} }}\n[[steps]]")));
        let mut rounds = 0;
        while shop.carries_on() {
            rounds += 1;
            prop_assert!(rounds < 400, "the run does not come to its end");
            shop.clock.advance(8 * 3_600);
        }
        let ledger = shop.ledger("letter");
        let ended = ledger.iter().filter(|entry| entry.status.is_end()).count();
        prop_assert_eq!(ended, people.len());
        shop.check_against_the_journal("letter");
    }
}
