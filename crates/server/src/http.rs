//! Connections of HTTP, with the limits that `axum::serve` does not set: header time and size, and how many.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::Limits;
use crate::standing::reach;

/// How long to wait when no connection can be accepted, usually for want of file descriptors.
const BREATHER: Duration = Duration::from_millis(50);

/// Answers clients until `over` is true, then lets those that are being answered finish.
pub(crate) async fn serve(listener: TcpListener, app: Router, limits: Limits, mut over: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(limits.http_connections));
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = reach(&mut over, |over| *over) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    tokio::time::sleep(BREATHER).await;
                    continue;
                }
            },
        };
        while connections.try_join_next().is_some() {}
        // Over the limit the connection is closed unheard: whoever holds many must not slow down the others.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let connection = answer(stream, app.clone(), limits, over.clone());
        connections.spawn(async move {
            connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ =
        tokio::time::timeout(limits.farewell_time, async { while connections.join_next().await.is_some() {} }).await;
}

async fn answer(stream: TcpStream, app: Router, limits: Limits, mut over: watch::Receiver<bool>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.header_time).max_header_size(limits.header_bytes);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = reach(&mut over, |over| *over) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of HTTP broke off");
    }
}
