//! Why there is no answer.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use super::Dropped;
use crate::radius;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The request could not be written: nothing was sent.
    #[error(transparent)]
    Request(#[from] radius::Error),
    /// The network brought the request back: nobody listens there, or no road leads there.
    #[error("no RADIUS server at {server} (UDP): {error}")]
    Refused {
        /// The server.
        server: SocketAddr,
        /// What the operating system said.
        error: io::ErrorKind,
        /// Transmissions before that one, of which nothing was heard.
        earlier: u32,
    },
    /// No genuine answer in time: whether the server acted is unknown.
    #[error(
        "no answer from the RADIUS server {server} to a request sent {transmissions} times{}",
        because(*dropped)
    )]
    Timeout {
        /// The server.
        server: SocketAddr,
        /// How often it was sent.
        transmissions: u32,
        /// When it was sent for the first time.
        sent: Instant,
        /// Why an answer was dropped, when one was.
        dropped: Option<Dropped>,
    },
    /// This machine could not open a socket or send (no descriptor, no port).
    #[error("cannot send to the RADIUS server {server}: {error}")]
    Local {
        /// The server.
        server: SocketAddr,
        /// What the operating system said.
        error: io::Error,
        /// Transmissions before that one, of which nothing was heard.
        earlier: u32,
    },
}

impl ExchangeError {
    /// Transmissions that may have reached the server, and been acted on.
    #[must_use]
    pub fn perhaps_received(&self) -> u32 {
        match self {
            Self::Request(_) => 0,
            Self::Timeout { transmissions, .. } => *transmissions,
            Self::Refused { earlier, .. } | Self::Local { earlier, .. } => *earlier,
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Request(error) => error.hint(),
            Self::Refused { .. } => {
                "start the server, or correct host and port in --url (radius://HOST:1812)"
            }
            Self::Timeout { dropped: Some(Dropped::NoMessageAuthenticator), .. } => {
                "update the server (CVE-2024-3596), or declare in the target that it sends none: \
                 require_message_authenticator = false"
            }
            Self::Timeout { dropped: Some(_), .. } => {
                "is the shared secret the one that the server has for this client?"
            }
            Self::Timeout { .. } => {
                "a server is silent towards clients it does not know: is this machine's address \
                 one of its clients, and the shared secret the same?"
            }
            Self::Local { .. } => "raise the limit of open files, or lower --max-connections",
        }
    }
}

fn because(dropped: Option<Dropped>) -> &'static str {
    match dropped {
        None => "",
        Some(Dropped::BadAuthenticator) => {
            "; an answer with a wrong Response Authenticator was dropped"
        }
        Some(Dropped::BadMessageAuthenticator) => {
            "; an answer with a wrong Message-Authenticator was dropped"
        }
        Some(Dropped::NoMessageAuthenticator) => {
            "; an answer without Message-Authenticator was dropped"
        }
    }
}
