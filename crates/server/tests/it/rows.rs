//! Rows: which are kept, which are named, and how they share commits.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use muster_server::Limits;
use serde_json::{Value, json};

use crate::served::{Served, line, rows, served, until};

#[test]
fn row_65_good_rows_are_kept_in_one_commit_and_bad_ones_named_by_index() {
    let served = served(Limits::default());
    let sent: Vec<String> = (0..500).map(|row| format!("{{\"id\":{row}}}")).collect();
    let sent = sent.join(",").replace("{\"id\":17}", "{\"id\":\"bad\"}");
    let answer = served.client().ask(&rows(&sent));
    let answer = &answer["answer"]["rows"];
    assert_eq!((&answer["committed"], &answer["snapshot"]), (&json!(499), &json!(1)));
    assert_eq!(answer["rejected"].as_array().unwrap().len(), 1);
    assert_eq!((&answer["rejected"][0]["row"], &answer["rejected"][0]["reason"]), (&json!(17), &json!("is bad")));
    assert_eq!(served.desk.commit_count(), 1);
}

#[test]
fn rows_reach_the_desk_as_they_were_written() {
    let served = served(Limits::default());
    let row = r#"{"total": 0.10000000000000000000000001, "name":"\u00e9"}"#;
    served.client().ask(&rows(row));
    assert_eq!(*served.desk.commits.lock().unwrap(), [[row]]);
}

/// Sends so many rows from as many connections to a closed desk, and opens it when `busy` of them were turned away. How
/// many were kept.
fn send_at_once(served: &Served, senders: usize, busy: usize) -> usize {
    served.desk.close();
    let turned_away = AtomicUsize::new(0);
    let send = |sender: usize| {
        let answer = served.client().ask(&rows(&format!("{{\"n\":{sender}}}")));
        turned_away.fetch_add(usize::from(answer["error"]["kind"] == "busy"), Ordering::SeqCst);
        answer["answer"]["rows"]["committed"] == 1
    };
    let send = &send;
    let kept = thread::scope(|scope| {
        let senders: Vec<_> = (0..senders).map(|sender| scope.spawn(move || send(sender))).collect();
        until(|| turned_away.load(Ordering::SeqCst) >= busy);
        served.desk.open();
        senders.into_iter().filter_map(|sender| sender.join().ok()).filter(|kept| *kept).count()
    });
    assert!(kept + turned_away.into_inner() == senders, "{kept} of {senders} were kept");
    kept
}

#[test]
fn rows_that_come_while_a_commit_is_under_way_share_the_next_one() {
    let served = served(Limits { queue_rows: 10, ..Limits::default() });
    // Somebody was turned away, so ten rows waited.
    let kept = send_at_once(&served, 30, 1);
    let commits: Vec<usize> = served.desk.commits.lock().unwrap().iter().map(Vec::len).collect();
    assert!(commits.iter().any(|rows| *rows >= 10), "{commits:?}");
    assert_eq!(commits.iter().sum::<usize>(), kept);
}

#[test]
fn a_full_queue_says_busy_and_loses_nothing_that_it_took() {
    let served = served(Limits { queue_rows: 4, group_rows: 4, ..Limits::default() });
    // At most four are at the desk and four wait for it.
    let kept = send_at_once(&served, 20, 12);
    assert!((4..=8).contains(&kept), "{kept} rows were kept");
    let commits = served.desk.commits.lock().unwrap();
    let distinct: BTreeSet<&String> = commits.iter().flatten().collect();
    assert_eq!((commits.iter().flatten().count(), distinct.len()), (kept, kept));
}

#[test]
fn rows_are_kept_though_their_sender_has_gone() {
    let served = served(Limits::default());
    served.desk.close();
    let mut client = served.client();
    client.send(&rows("{},{}"));
    until(|| served.desk.waiting.load(Ordering::SeqCst) == 1);
    drop(client);
    served.desk.open();
    until(|| served.desk.commits.lock().unwrap().iter().flatten().count() == 2);
}

#[test]
fn answers_come_in_the_order_of_the_lines() {
    let served = served(Limits::default());
    served.desk.close();
    let mut client = served.client();
    for id in 0..10 {
        let request = if id % 2 == 0 { rows("{}") } else { line("{\"ping\":{}}") };
        client.send(&request.replacen("{", &format!("{{\"id\":{id},"), 1));
    }
    served.desk.open();
    let ids: Vec<u64> = (0..10).map(|_| client.answer().unwrap()["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..10).collect::<Vec<_>>());
}

#[test]
fn a_command_sees_the_rows_that_were_sent_before_it() {
    let served = served(Limits::default());
    let mut client = served.client();
    for _ in 0..5 {
        client.send(&rows("{},{}"));
    }
    client.send(&line("{\"count\":{}}"));
    let answers: Vec<Value> = (0..6).map(|_| client.answer().unwrap()).collect();
    assert_eq!(answers[5]["answer"]["count"], json!({"exit": 3, "stdout": "10", "stderr": ""}));
}

#[test]
fn a_batch_that_is_refused_does_not_hold_up_the_others_of_its_commit() {
    let served = served(Limits::default());
    let mut client = served.client();
    client.send(&rows("{}").replace("orders", "ordres"));
    client.send(&rows("{}"));
    let refused = client.answer().unwrap();
    assert_eq!(refused["error"], json!({"kind": "refused", "message": "no such table", "hint": "orders"}));
    assert_eq!(client.answer().unwrap()["answer"]["rows"]["committed"], 1);
}

#[test]
fn a_panic_is_an_answer_and_the_next_rows_are_kept() {
    let served = served(Limits::default());
    let mut client = served.client();
    assert_eq!(client.ask(&rows("{\"x\":\"panic\"}"))["error"]["kind"], "unavailable");
    assert_eq!(client.request("{\"panic\":{}}")["error"]["kind"], "unavailable");
    assert_eq!(client.ask(&rows("{}"))["answer"]["rows"]["committed"], 1);
}
