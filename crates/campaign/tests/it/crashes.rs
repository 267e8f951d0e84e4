//! Crashes: at every point at which a run does something, then everything again in a new process.

use std::sync::atomic::{AtomicBool, Ordering};

use muster_campaign::{Error, Status};

use crate::shop::{LETTER, Shop};

const SERVICE: &str = "service";

/// Lets the sender of a run over `people` die at its 1st, 2nd, 3rd … deed until it gets through, and finishes it each
/// time. How many crashes that took, and how many messages became uncertain over all of them.
fn crash_everywhere(people: usize, connections: usize, text: &str, check: impl Fn(&Shop)) -> (i64, usize) {
    let mut uncertain = 0;
    for point in 0.. {
        let mut shop = Shop::of(people, connections);
        shop.publish("letter", text);
        if !shop.run_until_blown(point) {
            return (point, uncertain);
        }
        let summaries = shop.run_due().unwrap();
        assert!(summaries.len() <= 1);
        for summary in &summaries {
            summary.check_identity().unwrap();
            assert!(summary.is_finished(), "crash {point}: {summary:#?}");
        }
        let unknown = shop.ledger("letter").iter().filter(|entry| entry.status == Status::Uncertain).count();
        assert!(unknown <= connections, "crash {point}: {unknown} uncertain over {connections} connections");
        uncertain += unknown;
        assert_eq!(shop.ledger("letter").len(), people, "crash {point}");
        check(&shop);
    }
    unreachable!("the points are counted without end")
}

#[test]
fn a_crash_at_any_point_loses_nobody_and_sends_nothing_twice() {
    let (crashes, uncertain) = crash_everywhere(6, 1, LETTER, |shop| {
        shop.check_against_the_journal("letter");
        let ledger = shop.ledger("letter");
        let uncertain = ledger.iter().filter(|entry| entry.status == Status::Uncertain).count();
        let sent = ledger.iter().filter(|entry| entry.status == Status::Sent).count();
        assert_eq!(sent + uncertain, 6);
    });
    assert!(crashes > 20, "{crashes} points");
    assert!(
        uncertain >= 12,
        "both sides of each of six hand-overs are among the points, and leave it uncertain: {uncertain}"
    );
}

#[test]
fn so_does_a_crash_of_many_connections() {
    let (crashes, _) = crash_everywhere(12, 4, LETTER, |shop| shop.check_against_the_journal("letter"));
    assert!(crashes > 30, "{crashes} points");
}

#[test]
fn service_is_sent_again_after_a_crash_and_always_under_the_same_id() {
    let text = LETTER.replace("marketing", SERVICE);
    crash_everywhere(4, 1, &text, |shop| {
        let ledger = shop.ledger("letter");
        assert!(ledger.iter().all(|entry| entry.status == Status::Sent));
        let mut ids: Vec<String> = shop.accepted().into_iter().map(|(id, _)| id).collect();
        assert!(ids.len() <= 5, "one message at most is sent twice");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 4, "a message that was sent twice has one id");
    });
}

#[test]
fn crash_upon_crash_comes_to_an_end() {
    let mut shop = Shop::of(30, 2);
    shop.publish("letter", LETTER);
    let mut crashes: usize = 0;
    while shop.run_until_blown(12) {
        crashes += 1;
        assert!(crashes < 200, "no progress");
    }
    assert!(crashes > 5, "{crashes} crashes");
    shop.check_against_the_journal("letter");
    let ledger = shop.ledger("letter");
    assert!(ledger.len() == 30 && ledger.iter().all(|entry| entry.status.is_end()));
    let uncertain = ledger.iter().filter(|entry| entry.status == Status::Uncertain).count();
    assert!(uncertain <= 2 * crashes, "{uncertain} after {crashes} crashes of two connections");
}

#[test]
fn an_audience_that_changed_before_it_had_entered_enters_as_it_is_now() {
    let mut shop = Shop::of(5, 1);
    shop.publish("letter", LETTER);
    // The third reading of the clock comes when everyone is planned and nobody ready.
    assert!(shop.run_until_blown(2));
    assert_eq!(shop.fate("letter", "c00001"), "planned");
    shop.change("c00001", |person| person.is_gone = true);
    let summary = shop.run();
    assert_eq!((summary.run.audience, summary.count(Status::Sent)), (4, 4));
    assert_eq!(shop.fate("letter", "c00001"), "nothing");
}

#[test]
fn who_leaves_after_the_audience_was_frozen_is_skipped_as_not_eligible() {
    let mut shop = Shop::of(5, 1);
    shop.publish("letter", LETTER);
    shop.post_office_is_closed(true);
    shop.run();
    shop.post_office_is_closed(false);
    shop.change("c00004", |person| person.is_gone = true);
    let summaries = shop.run_due().unwrap();
    assert!(summaries[0].is_finished());
    assert_eq!(shop.fate("letter", "c00004"), "skipped: not eligible");
}

#[test]
fn a_process_that_was_paused_and_revived_cannot_commit_nor_send_on() {
    let shop = Shop::of(50, 1);
    shop.publish("letter", LETTER);
    let (state, is_overtaken) = (shop.shared_state(), AtomicBool::new(false));
    shop.meddle(move |_| {
        if !is_overtaken.swap(true, Ordering::SeqCst) {
            // What another process does when it opens the state that this one believes to hold.
            let overtake = state.write(|tx| tx.execute("UPDATE epoch SET number = number + 1", []));
            overtake.unwrap();
        }
    });
    let refused = shop.run_due().unwrap_err();
    assert!(matches!(refused, Error::State(muster_state::Error::Fenced { .. })), "{refused}");
    assert_eq!(shop.accepted().len(), 1, "nothing leaves after the one that was on its way");
    let sent = shop.ledger("letter").iter().filter(|entry| entry.status == Status::Sent).count();
    assert_eq!(sent, 0, "nor is anything written");
}
