//! Definitions that are counted while they are being written.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use muster_server::Limits;
use serde_json::{Value, json};

use crate::served::{line, served};

fn preview(editor: &str, definition: &str) -> String {
    line(&json!({"preview": {"editor": editor, "definition": definition}}).to_string())
}

#[test]
fn a_newer_preview_is_heard_while_an_older_one_is_counted() {
    let served = served(Limits::default());
    served.desk.close();
    let mut client = served.client();
    // The desk lets the first one go when the second comes, which never would if the connection waited for the first.
    client.send(&preview("ann", "wait"));
    client.send(&preview("ann", "WHERE TRUE"));
    let answers: Vec<Value> = (0..2).map(|_| client.answer().unwrap()).collect();
    assert_eq!(answers[0]["error"]["kind"], "superseded", "{answers:?}");
    let counted = json!({"snapshot": 1, "as_of": "", "rows": 0, "conditions": [], "choice": null, "selected": 0});
    assert_eq!(answers[1]["answer"]["preview"], counted);
}

#[test]
fn a_definition_that_is_not_in_order_is_refused() {
    let served = served(Limits::default());
    let answer = served.client().ask(&preview("ann", "bad"));
    assert_eq!(answer["error"], json!({"kind": "refused", "message": "is bad"}));
}

#[test]
fn one_preview_too_many_is_told_to_come_back() {
    let served = served(Limits { previews: 1, ..Limits::default() });
    served.desk.close();
    let mut first = served.client();
    first.send(&preview("ann", "wait"));
    while served.desk.waiting.load(Ordering::SeqCst) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(served.client().ask(&preview("bo", "WHERE TRUE"))["error"]["kind"], "busy");
    served.desk.open();
    assert_eq!(first.answer().unwrap()["error"]["kind"], "superseded");
}
