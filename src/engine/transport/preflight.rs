//! Before the run: can the server be reached, and what time does it think it is?

use std::time::{Duration, Instant};

use hyper::header::DATE;
use serde_json::Value;

use super::connection::Broken;
use super::cookies::date;
use super::perform::Whole;
use super::{Session, Stage, TlsFault, Transport, TransportError};
use crate::clock::{Clock, SECOND};
use crate::recorder::Fault;
use crate::target::{ClockSource, Operation, Phase};

/// What was found out before the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preflight {
    /// Server's clock minus `clock`, µs of key time; `None` when it shows none.
    pub server_clock_offset: Option<i64>,
    /// How far off that figure may be, µs of key time.
    pub offset_uncertainty: u64,
    /// Seconds of key time per real second at the server, when it says so.
    pub server_rate: Option<f64>,
    /// From asking (connected before) to the end of the answer.
    pub round_trip: Duration,
}

/// A server's time as read from an answer: key time in µs, and how fine it is.
struct Shown {
    time: u64,
    resolution: u64,
    rate: Option<f64>,
}

impl Transport {
    /// Connects, asks for the clock, and closes nothing: the connection serves the run.
    ///
    /// # Errors
    /// [`TransportError`] naming host, port, cause and remedy.
    pub async fn preflight(&self, clock: &dyn Clock) -> Result<Preflight, TransportError> {
        self.endpoint.check(&self.target)?;
        if let Some(settings) = self.target.radius {
            return self.meet_over_radius(settings).await;
        }
        let source = self.target.policy.clock.as_ref();
        let path = source.map_or_else(|| self.first_page(), |source| source.path.as_str());
        // The first answer pays for connecting; the second tells the time.
        self.ask(path).await?;
        let (asked, asked_key) = (Instant::now(), clock.now());
        let whole = self.ask(path).await?;
        let (round_trip, answered_key) = (asked.elapsed(), clock.now());
        let shown = match source {
            Some(source) => {
                Some(read(source, &whole).map_err(|message| TransportError::Answer {
                    address: self.endpoint.address.clone(),
                    path: path.to_owned(),
                    message,
                })?)
            }
            None => whole
                .headers
                .get(DATE)
                .and_then(|value| date(value.to_str().ok()?))
                .and_then(|date| u64::try_from(date.as_microsecond()).ok())
                .map(|time| Shown { time, resolution: SECOND, rate: None }),
        };
        let Some(Shown { time, resolution, rate }) = shown else {
            return Ok(Preflight {
                server_clock_offset: None,
                offset_uncertainty: 0,
                server_rate: None,
                round_trip,
            });
        };
        // What is shown is cut down to its resolution, and was true some time in between.
        let middle = asked_key.midpoint(answered_key);
        let offset = i128::from(time) + i128::from(resolution / 2) - i128::from(middle);
        Ok(Preflight {
            server_clock_offset: i64::try_from(offset).ok(),
            offset_uncertainty: resolution / 2 + answered_key.saturating_sub(asked_key) / 2,
            server_rate: rate,
            round_trip,
        })
    }

    /// A page that is there in any case: the one before the login.
    fn first_page(&self) -> &str {
        let open = self.target.exchanges(Operation::Login, Phase::Open).first();
        open.and_then(|exchange| exchange.http()?.constant_path()).unwrap_or("/")
    }

    async fn ask(&self, path: &str) -> Result<Whole, TransportError> {
        let address = || self.endpoint.address.clone();
        let unusable = |message: String| TransportError::Answer {
            address: address(),
            path: path.to_owned(),
            message,
        };
        let draft = self
            .prepared
            .get(&self.endpoint, path)
            .ok_or_else(|| unusable("this is no path".to_owned()))?;
        let _permit = self.pool.wait().await;
        let stage = Stage::default();
        let answer = self.exchange(&mut Session::default(), draft, false, &stage).await;
        answer.map_err(|Broken { fault, message, tls, .. }| match (fault, tls) {
            (_, Some(tls)) => self.endpoint.tls_error(*tls),
            (Fault::Connect | Fault::Generator, _) => TransportError::Connect {
                address: address(),
                message: message.trim_start_matches("cannot connect: ").to_owned(),
            },
            (Fault::Tls, _) => {
                let message = message.trim_start_matches("TLS failed: ").to_owned();
                self.endpoint.tls_error(TlsFault::Other(message))
            }
            _ => unusable(message),
        })
    }
}

fn read(source: &ClockSource, whole: &Whole) -> Result<Shown, String> {
    if !whole.status.is_success() {
        return Err(format!("HTTP {}, where the target declares the server's clock", whole.status));
    }
    let json: Value = serde_json::from_slice(&whole.body)
        .map_err(|_| "no JSON, where the target declares the server's clock".to_owned())?;
    let number = |pointer: &str| {
        json.pointer(pointer)
            .and_then(Value::as_f64)
            .ok_or_else(|| format!("the JSON holds no number at {pointer}"))
    };
    let whole_time = json.pointer(&source.time).and_then(Value::as_u64);
    let time = match whole_time {
        Some(time) => time.checked_mul(source.unit),
        None => micros(number(&source.time)?, source.unit),
    };
    let time = time.ok_or_else(|| format!("the number at {} is no time", source.time))?;
    let rate = source.rate.as_deref().map(number).transpose()?;
    // A fraction is as fine as it is written; milliseconds will do.
    let resolution = if whole_time.is_some() { source.unit } else { source.unit.min(1000) };
    Ok(Shown { time, resolution, rate })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn micros(time: f64, unit: u64) -> Option<u64> {
    let micros = time * unit as f64;
    (0.0..1e18).contains(&micros).then_some(micros as u64)
}
