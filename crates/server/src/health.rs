//! `livez` and `readyz`: whether the process answers, and whether it can do its work.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde::Serialize;
use tokio::sync::Mutex;

use crate::{Check, Desk, Limits, Standing};

/// The routes, to be served or to be called in a test.
pub fn app(desk: Arc<dyn Desk>, standing: Arc<Standing>, limits: Limits) -> Router {
    let health = Arc::new(Health { desk, standing, limits, seen: Mutex::new(None) });
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(limits.body_bytes, refuse_large_bodies))
        .with_state(health)
}

struct Health {
    desk: Arc<dyn Desk>,
    standing: Arc<Standing>,
    limits: Limits,
    /// The desk's checks and when they were made, so that a flood of questions is one look at the disk.
    seen: Mutex<Option<(Instant, Vec<Check>)>>,
}

#[derive(Serialize)]
struct Life {
    status: &'static str,
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    checks: Vec<Check>,
}

/// An error as RFC 9457 has it.
#[derive(Serialize)]
struct Problem {
    title: &'static str,
    status: u16,
    detail: &'static str,
}

async fn live() -> Json<Life> {
    Json(Life { status: "live" })
}

async fn ready(State(health): State<Arc<Health>>) -> Response {
    let checks: Vec<Check> = health.standing.checks().into_iter().chain(health.desk_checks().await).collect();
    let is_ready = checks.iter().all(|check| check.problem.is_none());
    let (code, status) =
        if is_ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    (code, [NO_STORE], Json(Readiness { status, checks })).into_response()
}

const NO_STORE: (HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

impl Health {
    /// One look at a time, and a young answer is given again.
    async fn desk_checks(&self) -> Vec<Check> {
        let mut seen = self.seen.lock().await;
        if let Some((_, checks)) = seen.as_ref().filter(|(at, _)| at.elapsed() < self.limits.readiness_age) {
            return checks.clone();
        }
        let desk = Arc::clone(&self.desk);
        let looked = tokio::task::spawn_blocking(move || desk.checks()).await;
        let checks = looked.unwrap_or_else(|_| vec![Check::of("checks", Err("they broke off".to_owned()))]);
        *seen = Some((Instant::now(), checks.clone()));
        checks
    }
}

async fn nothing_here() -> Response {
    problem(StatusCode::NOT_FOUND, "Not found", "there is nothing here; /livez and /readyz are")
}

async fn other_method() -> Response {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", "this is only read: GET or HEAD");
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
    response
}

/// No body is read here; one that says it is large is refused before anyone would send it.
async fn refuse_large_bodies(State(most): State<u64>, request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > most) {
        let mut refused = problem(StatusCode::PAYLOAD_TOO_LARGE, "Content too large", "no request here has a body");
        refused.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        return refused;
    }
    next.run(request).await
}

fn problem(status: StatusCode, title: &'static str, detail: &'static str) -> Response {
    let body = Json(Problem { title, status: status.as_u16(), detail });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}
