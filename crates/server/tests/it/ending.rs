//! How the process ends: in order, at once, or because it must.

use std::net::Shutdown;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use muster_server::{Error, Limits, connect};

use crate::served::{line, rows, served, until};

#[test]
fn what_was_accepted_is_finished_before_the_process_ends() {
    let mut served = served(Limits::default());
    served.desk.close();
    let (mut writer, mut commander) = (served.client(), served.client());
    writer.send(&rows("{}"));
    commander.send(&line("{\"wait\":{}}"));
    // Both are under way when it is asked to end.
    until(|| served.desk.waiting.load(Ordering::SeqCst) == 2);
    served.standing.stop();
    until(|| served.exchange("GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").contains(" 503 "));
    assert!(!served.has_ended());
    served.desk.open();
    assert_eq!(writer.answer().unwrap()["answer"]["rows"]["committed"], 1);
    assert_eq!(commander.answer().unwrap()["answer"]["wait"]["stdout"], "waited");
    assert_eq!((writer.answer(), commander.answer()), (None, None));
    served.ended().unwrap();
    assert!(connect(served.data.path()).unwrap().is_none());
    assert_eq!(std::fs::read_dir(served.data.path()).unwrap().count(), 0);
}

#[test]
fn asked_twice_it_does_not_wait() {
    let mut served = served(Limits::default());
    served.desk.close();
    let mut client = served.client();
    client.send(&rows("{}"));
    until(|| served.desk.waiting.load(Ordering::SeqCst) == 1);
    served.standing.stop();
    served.standing.stop();
    assert!(matches!(served.ended(), Err(Error::Abandoned)));
    assert_eq!(served.desk.commit_count(), 0);
}

#[test]
fn after_a_failed_commit_nothing_is_acknowledged_and_the_process_ends() {
    for request in [rows("{\"x\":\"lost\"}"), line("{\"fail\":{}}")] {
        let mut served = served(Limits::default());
        let mut client = served.client();
        assert_eq!(client.ask(&request)["error"]["kind"], "failed");
        assert!(matches!(served.ended(), Err(Error::Fatal(_))));
        assert_eq!(client.answer(), None);
        assert_eq!(served.desk.commit_count(), 0);
    }
}

#[test]
fn row_117_a_full_disk_is_told_and_writing_resumes_when_there_is_space() {
    let served = served(Limits { readiness_age: Duration::ZERO, ..Limits::default() });
    let ready = || served.exchange("GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let mut client = served.client();
    let refused = client.ask(&rows("{\"x\":\"full\"}"));
    assert_eq!(
        (&refused["error"]["kind"], &refused["error"]["message"]),
        (&"unavailable".into(), &"the disk is full".into())
    );
    let told = ready();
    assert!(
        told.starts_with("HTTP/1.1 503 ")
            && told.contains("{\"check\":\"last_write\",\"problem\":\"the disk is full\"}"),
        "{told}"
    );
    assert_eq!(client.ask(&rows("{}"))["answer"]["rows"]["committed"], 1);
    assert!(ready().starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_client_that_vanishes_is_noticed_within_a_second_while_its_command_runs() {
    let served = served(Limits::default());
    let mut client = served.client();
    client.send(&line("{\"stay\":{}}"));
    until(|| served.desk.waiting.load(Ordering::SeqCst) == 1);
    let start = Instant::now();
    drop(client);
    until(|| !served.desk.left.lock().unwrap().is_empty());
    assert!(start.elapsed() < Duration::from_secs(1), "it took {:?}", start.elapsed());
    assert_eq!(*served.desk.left.lock().unwrap(), [true]);
}

#[test]
fn a_client_that_has_said_everything_and_listens_has_not_vanished() {
    let served = served(Limits::default());
    let mut client = served.client();
    client.send(&line("{\"stay\":{}}"));
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.answer().unwrap()["answer"]["stay"]["stdout"], "stayed");
    assert_eq!(*served.desk.left.lock().unwrap(), [false]);
}
