//! Why the server cannot be talked to at all: found before the run, with what to do.

use super::TlsFault;

/// Why the server cannot be talked to at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The address is none.
    #[error("--url {url:?}: {message}")]
    Url {
        /// As given.
        url: String,
        /// What is wrong.
        message: String,
    },
    /// The address is of another kind than the target.
    #[error("{url}: the target {target} is spoken to over {spoken}")]
    Kind {
        /// The address.
        url: String,
        /// Name of the target.
        target: String,
        /// Scheme it needs.
        spoken: &'static str,
    },
    /// No usable answer over RADIUS.
    #[error("{message}")]
    Radius {
        /// What is wrong, and where.
        message: String,
        /// What the user can do about it.
        hint: &'static str,
    },
    /// The host has no address.
    #[error("{host}: the name cannot be resolved: {message}")]
    Resolve {
        /// The host of the URL.
        host: String,
        /// What the resolver said.
        message: String,
    },
    /// The trusted authorities cannot be loaded.
    #[error("{place}: {message}")]
    Authorities {
        /// The file, or `system certificates`.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// The client certificate or its key cannot be used.
    #[error("{file}: {message}")]
    Identity {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// The target names a credential that was not given.
    #[error("the target needs the credential {name:?}, which was not given")]
    Credential {
        /// Its name.
        name: String,
    },
    /// No connection.
    #[error("{address}: cannot connect: {message}")]
    Connect {
        /// Host and port.
        address: String,
        /// What the operating system said.
        message: String,
    },
    /// No TLS.
    #[error("{address}: TLS failed: {fault}")]
    Tls {
        /// Host and port.
        address: String,
        /// What was wrong.
        fault: TlsFault,
        /// What the user can do about it.
        hint: &'static str,
    },
    /// Connected, but no usable answer.
    #[error("{address}: no usable answer to GET {path}: {message}")]
    Answer {
        /// Host and port.
        address: String,
        /// What was asked for.
        path: String,
        /// What came instead.
        message: String,
    },
}

impl TransportError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let hint = match self {
            Self::Url { .. } => "write http://HOST:PORT or https://HOST:PORT/BASE",
            Self::Kind { spoken: "radius", .. } => "write radius://HOST:1812",
            Self::Kind { .. } => "write http://HOST:PORT or https://HOST:PORT/BASE",
            Self::Radius { hint, .. } | Self::Tls { hint, .. } => hint,
            Self::Resolve { .. } => "check the host in --url, or give its IP address",
            Self::Authorities { .. } => {
                "give a readable PEM file with the server's certificate authority by --ca-file"
            }
            Self::Identity { .. } => {
                "give the certificate by --client-cert-file and its unencrypted private key by \
                 --client-key-file, both PEM"
            }
            Self::Credential { name } if name == crate::target::RADIUS_SECRET => {
                "give the shared secret by --radius-secret-file FILE"
            }
            Self::Credential { .. } => "give a file with its value: --credential NAME=FILE",
            Self::Connect { .. } => {
                "check that the server runs and listens there, and that no firewall is in between; \
                 `trousseau serve` starts the embedded one"
            }
            Self::Answer { .. } => {
                "check that --url leads to the kind of server that --target names, and look at the \
                 server's log"
            }
        };
        hint.to_owned()
    }

    /// Whether the input is at fault, rather than the server or the way to it.
    #[must_use]
    pub fn is_input(&self) -> bool {
        matches!(
            self,
            Self::Url { .. }
                | Self::Kind { .. }
                | Self::Authorities { .. }
                | Self::Identity { .. }
                | Self::Credential { .. }
        )
    }
}
