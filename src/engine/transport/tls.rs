//! TLS: whom to trust, and what to show to a server that asks who we are.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use zeroize::Zeroizing;

use super::endpoint::{ClientIdentity, Endpoint};
use super::{TransportError, connection};

/// Settings of a TLS client.
///
/// # Errors
/// [`TransportError::Authorities`], [`TransportError::Identity`].
pub(super) fn config(
    ca_file: Option<&Path>,
    identity: Option<&ClientIdentity>,
) -> Result<ClientConfig, TransportError> {
    let roots = match ca_file {
        Some(file) => roots_of(file)?,
        None => system_roots()?,
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TransportError::Authorities {
            place: "TLS".to_owned(),
            message: error.to_string(),
        })?;
    let config = config.with_root_certificates(roots);
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
    Ok(config)
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
        let Some((connector, name)) = &self.tls else { return Ok(Vec::new()) };
        let address = self.address().to_owned();
        let shaken = async {
            let tcp = connection::connect(self).await.map_err(|broken| {
                let message = broken.message.trim_start_matches("cannot connect: ").to_owned();
                TransportError::Connect { address: address.clone(), message }
            })?;
            let tls = connector.connect(name.clone(), tcp).await.map_err(|error| {
                TransportError::Tls { address: address.clone(), message: error.to_string() }
            })?;
            let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
            Ok(chain.iter().map(|certificate| certificate.to_vec()).collect())
        };
        tokio::time::timeout(self.timeout, shaken).await.unwrap_or_else(|_| {
            let message = format!("no TLS within {} s", self.timeout.as_secs_f64());
            Err(TransportError::Tls { address: address.clone(), message })
        })
    }
}
