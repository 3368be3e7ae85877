//! Over what an attempt travels: performs the exchanges of a [`Target`] against a live server, on
//! one worker thread's own connections. Knows nothing of schedules, keys or people.

pub mod radius;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::recorder::{Fault, Verdict};
use crate::secret::Secret;
use crate::target::{Inputs, Operation, Target};

/// How to reach the server.
#[derive(Debug, Clone, Default)]
pub struct EndpointOptions {
    /// Deadline of one exchange, connecting included; 30 s when zero.
    pub timeout: Duration,
    /// PEM file with the certificate authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Values of the credentials that the target names (`auth = { bearer = "NAME" }`).
    pub credentials: BTreeMap<String, Secret>,
}

/// A server, its name resolved once, shared by all workers.
#[derive(Debug)]
pub struct Endpoint {}

/// Why the server cannot be talked to at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[error("{message}")]
pub struct TransportError {
    message: String,
}

impl TransportError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        todo!("lands in a moment")
    }
}

impl Endpoint {
    /// Parses `url` (scheme, host, port, base path) and resolves its host. Blocks.
    ///
    /// # Errors
    /// [`TransportError`] when the URL is no HTTP URL, its host unknown, or the CA file unusable.
    pub fn resolve(_url: &str, _options: EndpointOptions) -> Result<Self, TransportError> {
        todo!("lands in a moment")
    }

    /// What went wrong with the first attempts that failed, secrets masked, oldest first.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        todo!("lands in a moment")
    }
}

/// What one person's browser remembers: cookies and values taken from answers.
#[derive(Debug, Clone, Default)]
pub struct Session {}

/// How an operation went.
#[derive(Debug, Clone, Copy)]
pub struct Performed {
    /// What the answer means; [`Verdict::Accepted`] for a page opened as it should be.
    pub verdict: Verdict,
    /// HTTP status of the deciding answer; 0 when none came.
    pub status: u16,
    /// Why there was no usable answer; set exactly when the verdict is [`Verdict::Error`].
    pub fault: Option<Fault>,
    /// When the first exchange began on the wire: a connection was free, or began to be made.
    pub sent: Instant,
    /// When the last answer was complete, or given up.
    pub answered: Instant,
}

/// What was found out before the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preflight {
    /// Server's clock minus `clock`, µs of key time; `None` when it shows none.
    pub server_clock_offset: Option<i64>,
    /// How far off that figure may be, µs of key time.
    pub offset_uncertainty: u64,
    /// Seconds of key time per real second at the server, when it says so.
    pub server_rate: Option<f64>,
    /// From connecting to the end of the answer.
    pub round_trip: Duration,
}

/// One worker thread's connections to the server. Futures are not `Send`; dropping one gives up
/// its exchange and closes its connection.
#[derive(Debug)]
pub struct Transport {}

impl Transport {
    /// At most `max_connections` at a time; who finds none free waits, and the wait counts as
    /// lateness.
    #[must_use]
    pub fn new(_target: Arc<Target>, _endpoint: Arc<Endpoint>, _max_connections: usize) -> Self {
        todo!("lands in a moment")
    }

    /// Connects, asks for the clock, and closes nothing: the connection serves the run.
    ///
    /// # Errors
    /// [`TransportError`] naming host, port, cause and remedy.
    pub async fn preflight(&self, _clock: &dyn Clock) -> Result<Preflight, TransportError> {
        todo!("lands in a moment")
    }

    /// Opens the page of `operation` (its `open` exchanges).
    pub async fn open(&self, _session: &mut Session, _operation: Operation) -> Performed {
        todo!("lands in a moment")
    }

    /// Sends what the person typed (the `submit` exchanges of `operation`).
    pub async fn submit(
        &self,
        _session: &mut Session,
        _operation: Operation,
        _inputs: &Inputs<'_>,
    ) -> Performed {
        todo!("lands in a moment")
    }

    /// Connections opened so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        todo!("lands in a moment")
    }
}
