//! A server: its address resolved once and pinned, its TLS settings, and what went wrong there.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::Uri;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{TransportError, radius, tls};
use crate::radius::SharedSecret;
use crate::secret::Secret;
use crate::target::{RADIUS_SECRET, Site, Target};

/// Deadline of one exchange when none is given.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Troubles kept for messages: the first ones tell most.
const TROUBLES: usize = 20;

/// How to reach the server.
#[derive(Debug, Clone, Default)]
pub struct EndpointOptions {
    /// Deadline of one exchange, connecting included; 30 s when zero.
    pub timeout: Duration,
    /// PEM file with the certificate authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// What to show to a server that asks who we are.
    pub identity: Option<ClientIdentity>,
    /// Values of the credentials that the target names (`auth = { bearer = "NAME" }`).
    pub credentials: BTreeMap<String, Secret>,
}

/// A client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// PEM file with the certificate, then its chain.
    pub certificates: PathBuf,
    /// PEM file with its private key.
    pub key: PathBuf,
}

/// A server, its name resolved once, shared by all workers.
pub struct Endpoint {
    pub(super) site: Site,
    /// `HOST` or `HOST:PORT`, as the `Host` header wants it.
    pub(super) host: String,
    /// Host and port, for messages.
    pub(super) address: String,
    addresses: Vec<SocketAddr>,
    /// Index of the address that answered last.
    good: AtomicUsize,
    pub(super) tls: Option<tls::Tls>,
    pub(super) timeout: Duration,
    pub(super) credentials: BTreeMap<String, Secret>,
    scheme: Scheme,
    seen: AtomicUsize,
    troubles: Mutex<Vec<String>>,
    radius: Mutex<radius::Counters>,
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    Radius,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Radius => "radius",
        }
    }

    /// The port when the URL names none.
    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Radius => 1812,
        }
    }
}

impl Endpoint {
    /// Parses `url` (scheme, host, port, base path) and resolves its host. Blocks.
    ///
    /// # Errors
    /// [`TransportError`] when the URL is no HTTP URL, its host unknown, or the CA file unusable.
    pub fn resolve(url: &str, options: EndpointOptions) -> Result<Self, TransportError> {
        let EndpointOptions { timeout, ca_file, identity, credentials } = options;
        let (uri, scheme) = parse(url).map_err(|message| TransportError::Url {
            // What stands before an @ may be a password.
            url: url
                .rsplit_once('@')
                .map_or_else(|| url.to_owned(), |(_, rest)| format!("…@{rest}")),
            message,
        })?;
        // A host is the same in any case; browsers say it in lower case.
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let host = host.as_str();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let usual = scheme.port();
        let port = uri.port_u16().unwrap_or(usual);
        let unknown = |message: String| TransportError::Resolve { host: host.to_owned(), message };
        let addresses: Vec<SocketAddr> =
            (bare, port).to_socket_addrs().map_err(|error| unknown(error.to_string()))?.collect();
        if addresses.is_empty() {
            return Err(unknown("it has no address".to_owned()));
        }
        let tls = match scheme {
            Scheme::Http | Scheme::Radius => None,
            Scheme::Https => {
                let name = ServerName::try_from(bare.to_owned()).map_err(|error| {
                    TransportError::Url { url: url.to_owned(), message: error.to_string() }
                })?;
                Some(tls::Tls::new(name, ca_file.as_deref(), identity.as_ref())?)
            }
        };
        let authority = if port == usual { host.to_owned() } else { format!("{host}:{port}") };
        Ok(Self {
            site: Site {
                origin: format!("{}://{authority}", scheme.name()),
                base: uri.path().trim_end_matches('/').to_owned(),
            },
            host: authority,
            address: format!("{host}:{port}"),
            addresses,
            good: AtomicUsize::new(0),
            tls,
            timeout: if timeout.is_zero() { TIMEOUT } else { timeout },
            credentials,
            scheme,
            seen: AtomicUsize::new(0),
            troubles: Mutex::new(Vec::new()),
            radius: Mutex::default(),
        })
    }

    /// Host and port, as in messages.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The addresses that the host was resolved to.
    #[must_use]
    pub fn resolved(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What went wrong with the first attempts that failed, secrets masked, oldest first.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a trouble when it is one of the first; `describe` is not called otherwise.
    pub(super) fn trouble(&self, describe: impl FnOnce() -> String) {
        // A counter that only grows needs no lock once it is past the limit.
        if self.seen.load(Ordering::Relaxed) < TROUBLES
            && self.seen.fetch_add(1, Ordering::Relaxed) < TROUBLES
        {
            let text = describe();
            self.troubles.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
    }

    /// RADIUS datagrams by kind, of the transports that have ended.
    #[must_use]
    pub fn radius_counters(&self) -> radius::Counters {
        *self.radius.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_radius(&self, counters: radius::Counters) {
        *self.radius.lock().unwrap_or_else(PoisonError::into_inner) += counters;
    }

    /// Where and how `target` is spoken to over RADIUS; `None` when it is not, or when the shared
    /// secret is missing (which [`Endpoint::check`] tells).
    pub(super) fn radius_options(
        &self,
        target: &Target,
        in_flight: usize,
    ) -> Option<(SocketAddr, radius::Options)> {
        let settings = target.radius?;
        let secret = SharedSecret::new(self.credentials.get(RADIUS_SECRET)?.clone())?;
        let retransmission =
            radius::Retransmission { duration: self.timeout, ..Default::default() };
        let options = radius::Options {
            secret,
            require_message_authenticator: settings.require_message_authenticator,
            in_flight,
            retransmission,
        };
        self.addresses.first().map(|server| (*server, options))
    }

    /// Whether the address is one for `target`, and every credential that it needs was given.
    ///
    /// # Errors
    /// [`TransportError::Kind`], [`TransportError::Credential`].
    pub fn check(&self, target: &Target) -> Result<(), TransportError> {
        if target.radius.is_some() != (self.scheme == Scheme::Radius) {
            let spoken = if target.radius.is_some() { "radius" } else { "http" };
            return Err(TransportError::Kind {
                url: format!("{}{}", self.site.origin, self.site.base),
                target: target.name.clone(),
                spoken,
            });
        }
        match target.credentials().into_iter().find(|name| !self.credentials.contains_key(*name)) {
            Some(name) => Err(TransportError::Credential { name: name.to_owned() }),
            None => Ok(()),
        }
    }

    /// The pinned addresses, the one that answered last first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (usize, SocketAddr)> {
        let (count, good) = (self.addresses.len(), self.good.load(Ordering::Relaxed));
        (0..count)
            .map(move |index| (good + index) % count)
            .map(|index| (index, self.addresses[index]))
    }

    pub(super) fn answered(&self, index: usize) {
        self.good.store(index, Ordering::Relaxed);
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({}{})", self.site.origin, self.site.base)
    }
}

fn parse(url: &str) -> Result<(Uri, Scheme), String> {
    let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
    let scheme = match uri.scheme_str() {
        Some("http") => Scheme::Http,
        Some("https") => Scheme::Https,
        Some("radius") => Scheme::Radius,
        Some(other) => {
            return Err(format!("{other}:// is not spoken, only http://, https:// and radius://"));
        }
        None => return Err("the scheme is missing".to_owned()),
    };
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("a user or password in an address would be seen by all: remove it".to_owned());
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err("the host is missing".to_owned());
    }
    if uri.query().is_some() {
        return Err("paths and queries are the target's: leave the query out".to_owned());
    }
    if scheme == Scheme::Radius && !matches!(uri.path(), "" | "/") {
        return Err("RADIUS knows no paths: leave it out".to_owned());
    }
    Ok((uri, scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(url: &str) -> Result<Endpoint, TransportError> {
        Endpoint::resolve(url, EndpointOptions::default())
    }

    #[test]
    fn the_address_is_taken_apart() {
        let endpoint = resolve("http://127.0.0.1:8080/app/").unwrap();
        assert_eq!(endpoint.site.origin, "http://127.0.0.1:8080");
        assert_eq!(endpoint.site.base, "/app");
        assert_eq!(endpoint.host, "127.0.0.1:8080");
        let endpoint = resolve("HTTP://LocalHost:80").unwrap();
        assert_eq!(
            (endpoint.site.origin.as_str(), &*endpoint.host),
            ("http://localhost", "localhost")
        );
        let endpoint = resolve("http://[::1]").unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.address()), ("[::1]", "[::1]:80"));
        assert_eq!(endpoint.timeout, TIMEOUT);
    }

    #[test]
    fn bad_addresses_are_refused_and_passwords_not_repeated() {
        for (url, expected) in [
            ("127.0.0.1:8080", "the scheme is missing"),
            ("ftp://h/", "ftp:// is not spoken, only http://, https:// and radius://"),
            ("http://h/?a=b", "paths and queries are the target's: leave the query out"),
            ("http://u:secret@h/", "would be seen by all: remove it"),
            ("http://", "--url \"http://\""),
        ] {
            let error = resolve(url).unwrap_err();
            let message = error.to_string();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("secret"), "{message}");
            assert!(error.is_input());
        }
    }

    #[test]
    fn only_the_first_troubles_are_kept_and_made() {
        let endpoint = resolve("http://127.0.0.1").unwrap();
        let mut made = 0;
        for number in 0..100 {
            endpoint.trouble(|| {
                made += 1;
                number.to_string()
            });
        }
        assert_eq!((endpoint.troubles().len(), made), (TROUBLES, TROUBLES));
    }

    #[test]
    fn an_unusable_ca_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "no pem").unwrap();
        for path in [file.clone(), folder.path().join("absent.pem")] {
            let options = EndpointOptions { ca_file: Some(path.clone()), ..Default::default() };
            let error = Endpoint::resolve("https://127.0.0.1", options).unwrap_err();
            assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        }
    }
}
