//! `livez`, `readyz` and everything that is neither, without a socket.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use muster_server::{Limits, Standing, app};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::desk::Counting;

struct Machine {
    desk: Arc<Counting>,
    standing: Arc<Standing>,
    app: axum::Router,
}

fn machine() -> Machine {
    let (desk, standing) = (Arc::new(Counting::default()), Arc::new(Standing::default()));
    let limits = Limits { readiness_age: Duration::ZERO, ..Limits::default() };
    let app = app(Arc::clone(&desk) as Arc<_>, Arc::clone(&standing), limits);
    Machine { desk, standing, app }
}

impl Machine {
    fn ask(&self, request: Request<Body>) -> (Response<()>, Value) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (head, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
            let body = to_bytes(body, 1 << 20).await.unwrap();
            let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
            (Response::from_parts(head, ()), body)
        })
    }

    fn call(&self, method: &str, path: &str) -> (u16, Value) {
        let (head, body) = self.ask(Request::builder().method(method).uri(path).body(Body::empty()).unwrap());
        (head.status().as_u16(), body)
    }

    #[track_caller]
    fn check_not_ready(&self, check: &str, problem: &str) {
        let (status, body) = self.call("GET", "/readyz");
        assert_eq!((status, &body["status"]), (503, &json!("not ready")), "{body}");
        let failing: Vec<&Value> =
            body["checks"].as_array().unwrap().iter().filter(|check| !check["problem"].is_null()).collect();
        assert_eq!(failing, [&json!({"check": check, "problem": problem})]);
    }
}

#[test]
fn a_process_that_answers_lives() {
    let machine = machine();
    assert_eq!(machine.call("GET", "/livez"), (200, json!({"status": "live"})));
    *machine.desk.broken.lock().unwrap() = Some("no space".to_owned());
    assert_eq!(machine.call("GET", "/livez").0, 200);
}

#[test]
fn it_is_ready_when_every_check_holds_and_names_the_one_that_does_not() {
    let machine = machine();
    let (status, body) = machine.call("GET", "/readyz");
    let checks = ["running", "last_write", "disk"].map(|check| json!({"check": check, "problem": null}));
    assert_eq!((status, body), (200, json!({"status": "ready", "checks": checks})));
    *machine.desk.broken.lock().unwrap() = Some("no space".to_owned());
    machine.check_not_ready("disk", "no space");
    *machine.desk.broken.lock().unwrap() = None;
    assert_eq!(machine.call("GET", "/readyz").0, 200);
    machine.standing.stop();
    machine.check_not_ready("running", "it was asked to end");
    machine.standing.fail("a sync failed");
    machine.check_not_ready("running", "a sync failed");
}

#[test]
fn head_is_answered_without_a_body() {
    assert_eq!(machine().call("HEAD", "/livez"), (200, Value::Null));
    assert_eq!(machine().call("HEAD", "/readyz"), (200, Value::Null));
}

#[test]
fn other_methods_and_other_paths_are_told_what_there_is() {
    let machine = machine();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let (head, body) = machine.ask(Request::builder().method(method).uri("/readyz").body(Body::empty()).unwrap());
        assert_eq!((head.status().as_u16(), &head.headers()["allow"]), (405, &"GET, HEAD".parse().unwrap()));
        assert_eq!((&body["status"], &body["title"]), (&json!(405), &json!("Method not allowed")));
    }
    for path in ["/", "/livez/", "/livez/x", "//livez", "/v1/tables", "/%2e%2e/livez", "/LIVEZ", "/livez%00"] {
        let (head, body) = machine.ask(Request::builder().uri(path).body(Body::empty()).unwrap());
        assert_eq!((head.status().as_u16(), &body["status"]), (404, &json!(404)), "{path}");
        assert_eq!(head.headers()["content-type"], "application/problem+json");
    }
}

#[test]
fn row_66_a_request_that_says_its_body_is_large_is_refused() {
    let machine = machine();
    let with_length = |length: &str| {
        let request = Request::builder().uri("/livez").header("content-length", length).body(Body::empty()).unwrap();
        machine.ask(request).0.status().as_u16()
    };
    assert_eq!([with_length("65536"), with_length("65537"), with_length("99999999999")], [200, 413, 413]);
}
