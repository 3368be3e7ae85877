//! Connections: taken, served with patience that ends, and told to close at the end.
//!
//! A client that sends its request a byte at a time holds a connection and its memory: a few
//! thousand of them are enough to lock everybody else out (the attack has names, Slowloris and
//! R.U.D.Y.). So the head of a request has [`PATIENCE`] to come, and so has everything after it.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::GRACE;

/// How long the head of a request may take to come, counted from the end of the answer before it;
/// and again its body together with the answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Serves until told to stop; then requests under way have [`GRACE`] to end.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Duration,
    mut stopping: oneshot::Receiver<()>,
) {
    let router = router.layer(from_fn_with_state(patience, hasten));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(patience);
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopping => break,
        };
        let Ok((stream, _)) = accepted else {
            // No descriptor is free, most likely: some will be soon.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        // Answers are short and awaited: Nagle's algorithm would only hold them back.
        let _ = stream.set_nodelay(true);
        let site = TowerToHyperService::new(router.clone());
        let connection = connections.watch(server.serve_connection(TokioIo::new(stream), site));
        // It ends in an error when the client leaves in the middle or is too slow: its own affair.
        tokio::spawn(async move { drop(connection.await) });
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, connections.shutdown()).await;
}

/// Answers 408 and closes when the body does not come.
async fn hasten(State(patience): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => {
            let close = [(CONNECTION, HeaderValue::from_static("close"))];
            (StatusCode::REQUEST_TIMEOUT, close).into_response()
        }
    }
}
