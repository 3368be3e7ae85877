//! The same operations as JSON, for programs. A request that is no such JSON is answered with
//! a 4xx that says why and decides nothing.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Json, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::pin::PinFault;
use super::service::{Choice, Confirmation, Login, NextCode};
use super::session::SessionId;
use super::web::Site;
use crate::clock::{UnixMicros, system_micros};
use crate::secret::Secret;

/// The routes under `/api/v1`.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/api/v1/login", post(login))
        .route("/api/v1/new-pin", post(new_pin))
        .route("/api/v1/confirm", post(confirm))
        .route("/api/v1/next-code", post(next_code))
        .route("/api/v1/logout", post(logout))
        .route("/api/v1/clock", get(clock))
}

#[derive(Deserialize)]
struct LoginBody {
    user: String,
    passcode: String,
}

#[derive(Deserialize)]
struct NewPinBody {
    transaction: String,
    pin: String,
    pin2: String,
}

#[derive(Deserialize)]
struct ConfirmBody {
    transaction: String,
    passcode: String,
}

#[derive(Deserialize)]
struct NextCodeBody {
    transaction: String,
    code: String,
}

#[derive(Deserialize)]
struct LogoutBody {
    session: String,
}

type Body<T> = Result<Json<T>, JsonRejection>;

async fn login(State(site): State<Arc<Site>>, body: Body<LoginBody>) -> Response {
    let Json(body) = match body {
        Ok(body) => body,
        Err(rejection) => return malformed(&rejection),
    };
    match site.service.login(&body.user, Secret::new(body.passcode.into_bytes())).await {
        Ok(login) => received(login),
        Err(_) => unavailable(),
    }
}

fn received(login: Login) -> Response {
    let (result, id) = match login {
        Login::Accepted(id) => return accepted(id),
        Login::Rejected => return rejected(),
        Login::NewPin(id) => ("new-pin", id),
        Login::NextCode(id) => ("next-code", id),
    };
    answer(StatusCode::OK, json!({ "result": result, "transaction": id.text() }))
}

async fn next_code(State(site): State<Arc<Site>>, body: Body<NextCodeBody>) -> Response {
    let Json(body) = match body {
        Ok(body) => body,
        Err(rejection) => return malformed(&rejection),
    };
    let Some(id) = SessionId::parse(&body.transaction) else { return out_of_order() };
    match site.service.next_code(id, Secret::new(body.code.into_bytes())).await {
        Ok(NextCode::Taken(login)) => received(login),
        Ok(NextCode::Rejected) => rejected(),
        Ok(NextCode::OutOfOrder) => out_of_order(),
        Err(_) => unavailable(),
    }
}

async fn new_pin(State(site): State<Arc<Site>>, body: Body<NewPinBody>) -> Response {
    let Json(body) = match body {
        Ok(body) => body,
        Err(rejection) => return malformed(&rejection),
    };
    let Some(id) = SessionId::parse(&body.transaction) else { return out_of_order() };
    match site.service.new_pin(id, Zeroizing::new(body.pin), &Zeroizing::new(body.pin2)) {
        Ok(Choice::Confirm(new)) => {
            answer(StatusCode::OK, json!({ "result": "confirm", "transaction": new.text() }))
        }
        Ok(Choice::Bad(fault)) => {
            let reason = match fault {
                PinFault::Length => "length",
                PinFault::Character => "character",
                PinFault::Differ => "differ",
            };
            answer(
                StatusCode::UNPROCESSABLE_ENTITY,
                json!({ "result": "bad-pin", "reason": reason, "transaction": id.text() }),
            )
        }
        Ok(Choice::OutOfOrder) => out_of_order(),
        Err(_) => unavailable(),
    }
}

async fn confirm(State(site): State<Arc<Site>>, body: Body<ConfirmBody>) -> Response {
    let Json(body) = match body {
        Ok(body) => body,
        Err(rejection) => return malformed(&rejection),
    };
    let Some(id) = SessionId::parse(&body.transaction) else { return out_of_order() };
    match site.service.confirm(id, Secret::new(body.passcode.into_bytes())).await {
        Ok(Confirmation::Accepted(id)) => accepted(id),
        Ok(Confirmation::Rejected) => rejected(),
        Ok(Confirmation::OutOfOrder) => out_of_order(),
        Err(_) => unavailable(),
    }
}

async fn logout(State(site): State<Arc<Site>>, body: Body<LogoutBody>) -> Response {
    let Json(body) = match body {
        Ok(body) => body,
        Err(rejection) => return malformed(&rejection),
    };
    match SessionId::parse(&body.session) {
        Some(id) if site.service.logout(id) => {
            answer(StatusCode::OK, json!({ "result": "logged-out" }))
        }
        _ => out_of_order(),
    }
}

/// Key time now, its rate, and the instant at which it and wall time agree: all that a client
/// needs to build the same clock.
async fn clock(State(site): State<Arc<Site>>) -> Response {
    let (now, rate) = (site.service.now(), site.service.rate());
    let origin = origin(now, system_micros(), rate);
    answer(StatusCode::OK, json!({ "key_time_us": now, "rate": rate, "origin_us": origin }))
}

/// Solves `key = origin + rate × (wall − origin)`; at rate 1 any instant will do.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn origin(key: UnixMicros, wall: UnixMicros, rate: f64) -> UnixMicros {
    let ahead = (i128::from(key) - i128::from(wall)) as f64;
    if (rate - 1.0).abs() < f64::EPSILON {
        return wall;
    }
    (i128::from(wall) - (ahead / (rate - 1.0)) as i128).max(0) as UnixMicros
}

fn answer(status: StatusCode, body: serde_json::Value) -> Response {
    (status, Json(body)).into_response()
}

fn accepted(id: SessionId) -> Response {
    answer(StatusCode::OK, json!({ "result": "accepted", "session": id.text() }))
}

fn rejected() -> Response {
    answer(StatusCode::UNAUTHORIZED, json!({ "result": "rejected" }))
}

fn out_of_order() -> Response {
    answer(StatusCode::CONFLICT, json!({ "result": "out-of-order" }))
}

fn unavailable() -> Response {
    answer(StatusCode::SERVICE_UNAVAILABLE, json!({ "result": "unavailable" }))
}

/// The reason by kind only: the parser's own words may quote what was sent.
fn malformed(rejection: &JsonRejection) -> Response {
    let (status, reason) = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => (StatusCode::PAYLOAD_TOO_LARGE, "longer than 16 KiB"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content type is not application/json")
        }
        StatusCode::UNPROCESSABLE_ENTITY => {
            (StatusCode::BAD_REQUEST, "a field is missing or not a string")
        }
        _ => (StatusCode::BAD_REQUEST, "not JSON"),
    };
    answer(status, json!({ "result": "malformed", "reason": reason }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    #[test]
    fn the_origin_is_found_again() {
        let (origin_us, rate) = (1_700_000_000 * SECOND, 60.0);
        let wall = origin_us + 100 * SECOND;
        let key = origin_us + 6000 * SECOND;
        assert_eq!(origin(key, wall, rate), origin_us);
        assert_eq!(origin(wall, wall, 1.0), wall);
    }
}
