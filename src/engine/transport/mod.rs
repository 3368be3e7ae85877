//! Over what an attempt travels: performs the exchanges of a [`Target`] against a live server, on
//! one worker thread's own connections. Knows nothing of schedules, keys or people.
//!
//! | what happens | verdict | fault |
//! |---|---|---|
//! | a rule matches | the rule's | none, but `answer` for `error` (`server` at 5xx) |
//! | no rule matches | the target's `otherwise` | the same |
//! | 5xx that no rule names | error | `server` |
//! | a value to take is missing, over 1 MiB, no HTTP, redirected away or in a circle | error | `answer` |
//! | refused, unreachable, or not connected by the deadline: never sent | error | `connect`, `tls` |
//! | no descriptor or port left on this machine: never sent | error | `generator` |
//! | RADIUS: the network brought it back, no server has answered yet | error | `connect` |
//! | given up with the connection (408 and close), which had been used before | that of the second sending, counted in `resent` | |
//! | any other 408 | as the rules say | |
//! | RADIUS: transmitted again | that of the answer that came, the others counted in `resent` | |
//! | sent, then broken off or not answered by the deadline: outcome unknown | error | `reset`, `timeout` |

mod connection;
mod cookies;
mod endpoint;
mod error;
mod perform;
mod pool;
mod preflight;
mod prepared;
pub mod radius;
mod session;
mod stage;
mod tls;
mod trace;

pub use endpoint::{ClientIdentity, Endpoint, EndpointOptions};
pub use error::TransportError;
pub use preflight::Preflight;
pub use session::Session;
pub use tls::TlsFault;
pub use trace::{Exchanged, Hop};

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::recorder::{Fault, Verdict};
use crate::target::{Inputs, Operation, Phase, Target};
use pool::Pool;
use prepared::Prepared;
use stage::Stage;

/// How an operation went.
#[derive(Debug, Clone, Copy)]
pub struct Performed {
    /// What the answer means; [`Verdict::Accepted`] for a page opened as it should be.
    pub verdict: Verdict,
    /// HTTP status or RADIUS packet code of the deciding answer; 0 when none came.
    pub status: u16,
    /// Why there was no usable answer; set exactly when the verdict is [`Verdict::Error`].
    pub fault: Option<Fault>,
    /// Whether anything of it was sent: when not, the server cannot have acted. Of several
    /// exchanges or redirects, a later one may fail to connect after an earlier one was answered.
    pub reached: bool,
    /// Sendings of its requests before the last one, on each of which the server may have acted all
    /// the same: over HTTP, it had given up the connection and said that it had not read the request
    /// (408); over RADIUS, nothing was heard.
    pub resent: u32,
    /// When the first exchange began on the wire: a connection was free, or began to be made.
    pub sent: Instant,
    /// When the last answer was complete, or given up.
    pub answered: Instant,
}

/// One worker thread's connections to the server. Futures are not `Send`; dropping one gives up
/// its exchange and closes its connection.
pub struct Transport {
    target: Arc<Target>,
    endpoint: Arc<Endpoint>,
    prepared: Prepared,
    pool: Pool,
    /// When the target is spoken to over RADIUS; nothing goes over `pool` then.
    radius: Option<radius::Client>,
    /// What goes over the wire, when somebody watches.
    watched: Option<trace::Watched>,
}

impl Transport {
    /// At most `max_connections` at a time (at least one); who finds none free waits in turn, and
    /// the wait counts as lateness.
    #[must_use]
    pub fn new(target: Arc<Target>, endpoint: Arc<Endpoint>, max_connections: usize) -> Self {
        let prepared = Prepared::new(&target, &endpoint);
        let radius = endpoint.radius_options(&target, max_connections);
        let radius = radius.map(|(server, options)| radius::Client::new(server, options));
        let pool = Pool::new(max_connections);
        Self { target, endpoint, prepared, pool, radius, watched: None }
    }

    /// Opens the page of `operation` (its `open` exchanges; none is no work and a success).
    pub async fn open(&self, session: &mut Session, operation: Operation) -> Performed {
        self.perform(session, operation, Phase::Open, &Inputs::default()).await
    }

    /// Sends what the person typed (the `submit` exchanges of `operation`).
    pub async fn submit(
        &self,
        session: &mut Session,
        operation: Operation,
        inputs: &Inputs<'_>,
    ) -> Performed {
        self.perform(session, operation, Phase::Submit, inputs).await
    }

    /// Connections opened so far; over RADIUS, sockets.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.pool.opened() + self.radius.as_ref().map_or(0, radius::Client::sockets)
    }

    /// Requests sent a second time over HTTP so far, as [`Performed::resent`] has it. What RADIUS
    /// transmits again is counted apart, in [`radius::Counters`].
    #[must_use]
    pub fn resent(&self) -> u64 {
        self.pool.resent()
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        if let Some(client) = &self.radius {
            self.endpoint.add_radius(client.counters());
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transport({} to {})", self.target.name, self.endpoint.address())
    }
}

#[cfg(test)]
mod tests;
