//! TLS: whom to trust, what to show to a server that asks who we are, and what was wrong.

mod fault;
mod witness;

use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use zeroize::Zeroizing;

use super::endpoint::{ClientIdentity, Endpoint};
use super::{TransportError, connection};
pub use fault::TlsFault;
use witness::Witness;

/// A TLS client of one server.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
    witness: Arc<Witness>,
    /// Whether authorities were given, and a certificate of ours.
    given: (bool, bool),
}

impl Tls {
    /// A client of the server `name`.
    ///
    /// # Errors
    /// [`TransportError::Authorities`], [`TransportError::Identity`].
    pub(super) fn new(
        name: ServerName<'static>,
        ca_file: Option<&Path>,
        identity: Option<&ClientIdentity>,
    ) -> Result<Self, TransportError> {
        let roots = match ca_file {
            Some(file) => roots_of(file)?,
            None => system_roots()?,
        };
        let (config, witness) = config(roots, identity)?;
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self { connector, name, witness, given: (ca_file.is_some(), identity.is_some()) })
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// What was wrong.
    pub(super) async fn connect(&self, tcp: TcpStream) -> Result<TlsStream<TcpStream>, TlsFault> {
        let shaken = self.connector.connect(self.name.clone(), tcp).await;
        shaken.map_err(|error| TlsFault::of_handshake(&error, &self.witness.refused()))
    }
}

fn config(
    roots: RootCertStore,
    identity: Option<&ClientIdentity>,
) -> Result<(ClientConfig, Arc<Witness>), TransportError> {
    let unusable =
        |message: String| TransportError::Authorities { place: "TLS".to_owned(), message };
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| unusable(error.to_string()))?;
    let witness = Arc::new(Witness::new(verifier));
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        // No danger: it asks the very verifier that would stand here otherwise.
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&witness) as _);
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = loaded(identity)?;
            config.with_client_auth_cert(chain, key).map_err(|error| TransportError::Identity {
                file: identity.key.display().to_string(),
                message: format!("not the key of the certificate: {error}"),
            })?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((config, witness))
}

fn loaded(
    identity: &ClientIdentity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TransportError> {
    let fault = |file: &Path, message: String| TransportError::Identity {
        file: file.display().to_string(),
        message,
    };
    let pem = std::fs::read(&identity.certificates)
        .map_err(|error| fault(&identity.certificates, error.to_string()))?;
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| fault(&identity.certificates, format!("no PEM: {error}")))?;
    if chain.is_empty() {
        let message = "it holds no certificate (-----BEGIN CERTIFICATE-----)".to_owned();
        return Err(fault(&identity.certificates, message));
    }
    let pem = std::fs::read(&identity.key).map(Zeroizing::new);
    let pem = pem.map_err(|error| fault(&identity.key, error.to_string()))?;
    // The reason is left out: it might repeat a line of the file.
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        fault(&identity.key, "it holds no private key (-----BEGIN PRIVATE KEY-----)".to_owned())
    })?;
    Ok((chain, key))
}

fn roots_of(file: &Path) -> Result<RootCertStore, TransportError> {
    let fault = |message: String| TransportError::Authorities {
        place: file.display().to_string(),
        message,
    };
    let pem = std::fs::read(file).map_err(|error| fault(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| fault(format!("no PEM: {error}")))?;
        roots.add(certificate).map_err(|error| fault(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(fault("it holds no certificate (-----BEGIN CERTIFICATE-----)".to_owned()));
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, TransportError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(TransportError::Authorities {
            place: "system certificates".to_owned(),
            message: found
                .errors
                .first()
                .map_or_else(|| "this machine has none".to_owned(), ToString::to_string),
        });
    }
    Ok(roots)
}

impl Endpoint {
    /// The certificates that the server shows, DER, its own first; none where TLS is not spoken.
    ///
    /// # Errors
    /// [`TransportError::Connect`], [`TransportError::Tls`].
    pub async fn certificates(&self) -> Result<Vec<Vec<u8>>, TransportError> {
        let Some(tls) = &self.tls else { return Ok(Vec::new()) };
        let address = self.address().to_owned();
        let shaken = async {
            let tcp = connection::connect(self).await.map_err(|broken| {
                let message = broken.message.trim_start_matches("cannot connect: ").to_owned();
                TransportError::Connect { address: address.clone(), message }
            })?;
            let shaken = tls.connect(tcp).await.map_err(|fault| self.tls_error(fault))?;
            let chain = shaken.get_ref().1.peer_certificates().unwrap_or_default();
            Ok(chain.iter().map(|certificate| certificate.to_vec()).collect())
        };
        tokio::time::timeout(self.timeout, shaken).await.unwrap_or_else(|_| {
            let message = format!("no TLS within {} s", self.timeout.as_secs_f64());
            Err(self.tls_error(TlsFault::Other(message)))
        })
    }

    /// The certificates that the server showed when they were refused last, as [`certificates`] would
    /// have given them.
    ///
    /// [`certificates`]: Endpoint::certificates
    #[must_use]
    pub fn refused_certificates(&self) -> Vec<Vec<u8>> {
        self.tls.as_ref().map(|tls| tls.witness.refused()).unwrap_or_default()
    }

    pub(super) fn tls_error(&self, fault: TlsFault) -> TransportError {
        let (ca_file, identity) = self.tls.as_ref().map_or((false, false), |tls| tls.given);
        let hint = fault.hint(ca_file, identity);
        TransportError::Tls { address: self.address().to_owned(), fault, hint }
    }
}
