//! The embedded reference server: the three-step initialisation and the logins of the leaflet, as
//! pages for people and as JSON for programs.
//!
//! It is written to be read, lowest first: [`Defect`], `pin`, `verifier` (the rules), `store`
//! (what survives), `worker` (the one writer), `session`, `service` (the four operations), and over
//! it the wires: `http` (connections), `web` (pages), `api` (JSON) and `radius`. Nothing of it is shared with the fleet's oracle:
//! the two meet only in the codes that a key shows.

mod api;
mod defect;
mod http;
mod lang;
mod pages;
mod pin;
mod radius;
mod service;
mod session;
mod setup;
mod store;
mod verifier;
mod web;
mod worker;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

pub use defect::Defect;
pub use radius::RadiusConfig;
pub use service::Stats;
pub use store::{HandedOn, KeyFault, StoreError};
pub use verifier::Policy;

use service::Service;

use crate::clock::Clock;
use crate::counted::plural;
use crate::serial::Serial;
use crate::token::Token;

/// How long requests under way may take to end once the portal is told to stop.
const GRACE: Duration = Duration::from_secs(1);

/// What a portal is to be.
#[derive(Debug)]
pub struct PortalConfig {
    /// Address to listen on; port 0 takes a free one, see [`RunningPortal::addr`].
    pub listen: SocketAddr,
    /// RADIUS on the same accounts; `None` for HTTP alone.
    pub radius: Option<RadiusConfig>,
    /// User ids, each with the key that this person holds; TOTP or HOTP.
    pub tokens: Vec<(String, Token)>,
    /// SQLite file for what must survive; its PIN key is kept beside it as `STORE.key`. `None`
    /// keeps everything in memory.
    pub store: Option<PathBuf>,
    /// Whether keys may have other holders than the store knows: their PINs are forgotten then.
    pub reassign: bool,
    /// Whether the cookies of the pages are marked `Secure` (RFC 6265 §4.1.2.5).
    pub secure_cookies: bool,
    /// The hour by which codes are judged.
    pub clock: Arc<dyn Clock>,
    /// Window, drift and lock.
    pub policy: Policy,
    /// A fault to plant.
    pub defect: Option<Defect>,
    /// How long a request may take to come; who is slower is cut off.
    pub patience: Duration,
}

impl PortalConfig {
    /// A sound portal on a free port of the loopback, in memory, with the default policy.
    #[must_use]
    pub fn new(tokens: Vec<(String, Token)>, clock: Arc<dyn Clock>) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            radius: None,
            tokens,
            store: None,
            reassign: false,
            secure_cookies: false,
            clock,
            policy: Policy::default(),
            defect: None,
            patience: http::PATIENCE,
        }
    }
}

/// Why a portal could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PortalError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The address cannot be listened on for RADIUS.
    #[error("cannot listen for RADIUS on {addr} (UDP): {source}")]
    Radius {
        /// The address.
        addr: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is nobody to serve.
    #[error("there is no key to serve")]
    NoTokens,
    /// A user id is empty or longer than 256 octets.
    #[error("user id of key {0} is empty or longer than 256 octets")]
    UserId(Serial),
    /// One user id has two keys.
    #[error("user {0:?} has more than one key")]
    DuplicateUser(String),
    /// One key has two users.
    #[error("key {0} has more than one user")]
    DuplicateSerial(Serial),
    /// A key of an algorithm that the portal does not verify.
    #[error("key {0} is neither TOTP nor HOTP")]
    Algorithm(Serial),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store knows codes of the future: every login would be refused as a replay.
    #[error(
        "the store has accepted a code of key {serial} that lies {ahead} s ahead of key time now"
    )]
    StoreAhead {
        /// The key.
        serial: Serial,
        /// By how much, seconds.
        ahead: u64,
    },
    /// The roster gives keys, with the PINs of their holders, to other people.
    #[error(
        "the roster hands {pins} initialised {keys} to other people than the store {store} knows: \
         key {serial} was {before}'s and is to be {after}'s", keys = plural(*pins, "key", "keys"),
        store = store.display()
    )]
    HandedOn {
        /// The store.
        store: PathBuf,
        /// How many keys that have a PIN would lose it.
        pins: u64,
        /// The first of them.
        serial: String,
        /// Its holder until now.
        before: String,
        /// Its holder by the roster.
        after: String,
    },
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The operating system has no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    Entropy(getrandom::Error),
}

impl PortalError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                "another program listens there: stop it, or choose another port with --listen"
            }
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "ports below 1024 need privileges: choose a higher one with --listen"
            }
            Self::Listen { .. } => "choose an address of this machine with --listen",
            Self::Radius { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                "another program listens there: stop it, or choose another port with --radius"
            }
            Self::Radius { .. } => "choose an address of this machine with --radius",
            Self::NoTokens => "check that the roster names at least one key of the batch",
            Self::UserId(_) | Self::DuplicateUser(_) | Self::DuplicateSerial(_) => {
                "correct the roster: one user, one key"
            }
            Self::Algorithm(_) => "leave this key out of the roster",
            Self::Store(error) => error.hint(),
            Self::StoreAhead { .. } => {
                "the store was used with a faster clock: give the same --clock-origin and \
                 --clock-rate again, or name a new store"
            }
            Self::HandedOn { .. } => {
                "if that is meant, add --reassign: their PINs are forgotten and the new holders \
                 choose their own; otherwise give the roster of this store, or another --store"
            }
            Self::Thread(_) => "check the limit on processes (ulimit -u)",
            Self::Entropy(_) => "check that /dev/urandom or getrandom(2) is available",
        }
    }
}

/// Starts portals.
#[derive(Debug)]
pub struct Portal;

impl Portal {
    /// Opens the store, listens, and serves on threads of its own (the caller needs no runtime):
    /// one that writes, one per core for the connections, four at most.
    ///
    /// When this returns, the address is being listened on.
    ///
    /// # Errors
    /// [`PortalError`]; nothing is left running.
    pub fn start(config: PortalConfig) -> Result<RunningPortal, PortalError> {
        setup::start(config)
    }
}

/// A portal at work; dropping it stops it.
pub struct RunningPortal {
    addr: SocketAddr,
    radius_addr: Option<SocketAddr>,
    handed_on: HandedOn,
    service: Arc<Service>,
    stop: Option<oneshot::Sender<()>>,
    stopped: Option<oneshot::Receiver<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl RunningPortal {
    /// The address listened on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The UDP address listened on for RADIUS.
    #[must_use]
    pub fn radius_addr(&self) -> Option<SocketAddr> {
        self.radius_addr
    }

    /// How many keys had another holder before, by the store.
    #[must_use]
    pub fn handed_on(&self) -> HandedOn {
        self.handed_on
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.service.stats()
    }

    /// Stops listening, lets requests under way end (for at most a second), writes everything and
    /// closes the store.
    pub async fn shutdown(mut self) -> Stats {
        self.tell();
        if let Some(stopped) = self.stopped.take() {
            let _ = stopped.await;
        }
        self.service.stats()
    }

    /// The same for callers without a runtime; blocks.
    pub fn stop(mut self) -> Stats {
        self.join();
        self.service.stats()
    }

    fn tell(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    fn join(&mut self) {
        self.tell();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for RunningPortal {
    fn drop(&mut self) {
        self.tell();
    }
}

impl fmt::Debug for RunningPortal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningPortal").field("addr", &self.addr).finish_non_exhaustive()
    }
}
