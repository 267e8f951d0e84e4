//! The write socket's limits: long lines, slow lines, silence, many connections, and lines that are no requests.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use muster_server::Limits;
use serde_json::json;

use crate::served::{line, rows, served, until};

#[test]
fn a_ping_says_which_process_answers() {
    let served = served(Limits::default());
    let mut client = served.client();
    let answer = client.ask("{\"muster\":1,\"id\":\"é\",\"request\":{\"ping\":{}}}");
    let version = env!("CARGO_PKG_VERSION");
    let pong = json!({"process": std::process::id(), "version": version});
    assert_eq!(answer, json!({"muster": 1, "id": "é", "answer": {"ping": pong}}));
}

#[test]
fn a_command_is_done_with_its_arguments_and_says_how_it_ended() {
    let served = served(Limits::default());
    let answer = served.client().request("{\"echo\":{\"a\": [1]}}");
    assert_eq!(answer["answer"]["echo"], json!({"exit": 3, "stdout": "{\"a\": [1]}", "stderr": ""}));
}

#[test]
fn what_is_no_request_is_told_with_its_place_and_the_connection_goes_on() {
    let served = served(Limits::default());
    let mut client = served.client();
    for (text, kind, place) in [
        ("nonsense", "malformed", json!("line 1 column 1")),
        ("{\"muster\":1,\"request\":{\"ping\":{},\"ping\":{}}}", "malformed", json!("line 2 column 34")),
        ("{\"muster\":9,\"request\":{\"ping\":{}}}", "newer", json!(null)),
        ("{\"muster\":1,\"request\":{\"pong\":{}}}", "unknown", json!(null)),
    ] {
        let error = &client.ask(text)["error"];
        assert_eq!((&error["kind"], &error["place"]), (&json!(kind), &place), "{text}: {error}");
    }
    // An empty line is none, and asks for nothing.
    client.send("");
    assert_eq!(client.request("{\"ping\":{}}")["answer"]["ping"]["process"], std::process::id());
}

#[test]
fn row_66_a_line_over_the_limit_is_refused_and_the_connection_closed() {
    let served = served(Limits { line_bytes: 1000, ..Limits::default() });
    let mut client = served.client();
    let fits = rows(&format!("{{\"x\":\"{}\"}}", "y".repeat(1000 - rows("{\"x\":\"\"}").len())));
    assert_eq!(fits.len(), 1000);
    assert_eq!(client.ask(&fits)["answer"]["rows"]["committed"], 1);
    // It never ends, and is not read to its end.
    client.stream.write_all(&[b' '; 1001]).unwrap();
    let refused = client.answer().unwrap();
    assert_eq!(refused["error"]["message"], "a line is longer than 1000 bytes");
    assert_eq!(client.answer(), None);
}

#[test]
fn a_long_line_is_read_like_a_short_one() {
    let served = served(Limits::default());
    let row = format!("{{\"x\":\"{}\"}}", "y".repeat(100));
    let many = vec![row.as_str(); 20_000].join(",");
    let answer = served.client().ask(&rows(&many));
    assert_eq!(answer["answer"]["rows"]["committed"], 20_000);
    assert_eq!(served.desk.commit_count(), 1);
}

#[test]
fn row_69_a_line_that_drips_is_closed_however_often_a_byte_comes() {
    let served = served(Limits { line_time: Duration::from_millis(100), ..Limits::default() });
    let mut client = served.client();
    let dripping = std::iter::from_fn(|| {
        std::thread::sleep(Duration::from_millis(10));
        client.stream.write_all(b" ").ok()
    });
    assert!(dripping.take(3000).count() < 3000);
    let error = client.answer().unwrap();
    assert_eq!(error["error"]["message"], "a line took longer than 100ms");
    assert_eq!(client.answer(), None);
}

#[test]
fn silence_ends_a_connection_but_not_one_that_waits_for_its_answer() {
    let served = served(Limits { idle_time: Duration::from_millis(50), ..Limits::default() });
    let mut silent = served.client();
    let mut waiting = served.client();
    served.desk.close();
    waiting.send(&rows("{}"));
    assert_eq!(silent.answer().unwrap()["error"]["message"], "nothing came for 50ms");
    assert_eq!(silent.answer(), None);
    served.desk.open();
    assert_eq!(waiting.answer().unwrap()["answer"]["rows"]["committed"], 1);
}

#[test]
fn one_connection_too_many_is_told_so_and_a_place_that_is_left_is_given_again() {
    let served = served(Limits { socket_connections: 2, ..Limits::default() });
    let (mut first, mut second) = (served.client(), served.client());
    for client in [&mut first, &mut second] {
        assert!(client.request("{\"ping\":{}}")["answer"].is_object());
    }
    let mut third = served.client();
    assert_eq!(third.answer().unwrap()["error"]["message"], "too many connections");
    assert_eq!(third.answer(), None);
    drop(first);
    let mut is_in = false;
    while !is_in {
        let mut next = served.client();
        // One that is turned away may be closed before it has said anything.
        let _ = next.stream.write_all(format!("{}\n", line("{\"ping\":{}}")).as_bytes());
        is_in = next.answer().is_some_and(|answer| answer["answer"].is_object());
    }
}

#[test]
fn commands_have_a_limit_of_their_own() {
    let served = served(Limits { commands: 1, ..Limits::default() });
    served.desk.close();
    let mut first = served.client();
    first.send(&line("{\"wait\":{}}"));
    until(|| served.desk.waiting.load(Ordering::SeqCst) == 1);
    let answer = served.client().request("{\"echo\":{}}");
    assert_eq!(answer["error"]["message"], "too many commands are under way");
    served.desk.open();
    assert_eq!(first.answer().unwrap()["answer"]["wait"]["stdout"], "waited");
}
