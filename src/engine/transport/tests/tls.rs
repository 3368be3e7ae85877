//! HTTPS with an authority of our own.

use super::*;
use crate::clock::ManualClock;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring, pki_types::PrivateKeyDer};

/// A server whose certificate for `name` was issued by an authority of its own: its port, and the
/// authority as PEM.
async fn secure_server(name: &str) -> (u16, String) {
    secure_server_for(name, None).await
}

/// The same; asks for a certificate of the authority `clients` when there is one.
async fn secure_server_for(name: &str, clients: Option<RootCertStore>) -> (u16, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = match clients {
        None => config.with_no_client_auth(),
        Some(roots) => config.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(
                Arc::new(roots),
                Arc::new(ring::default_provider()),
            )
            .build()
            .unwrap(),
        ),
    };
    let mut config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let url = server(move |_, tcp| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut tls) = acceptor.accept(tcp).await else { return };
            assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
            while request(&mut tls).await.is_some() {
                tls.write_all(WELCOME.as_bytes()).await.unwrap();
                tls.flush().await.unwrap();
            }
        }
    })
    .await;
    (url.rsplit(':').next().unwrap().parse().unwrap(), authority.pem())
}

fn trusting(ca: &str, url: &str) -> Transport {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, ca).unwrap();
    let options = EndpointOptions { ca_file: Some(file), ..Default::default() };
    transport_with(target(""), url, options)
}

#[test]
fn a_trusted_server_is_spoken_to() {
    local(async {
        let (port, ca) = secure_server("127.0.0.1").await;
        let transport = trusting(&ca, &format!("https://127.0.0.1:{port}"));
        for _ in 0..3 {
            assert_eq!(login(&transport).await.verdict, Verdict::Accepted);
        }
        assert_eq!(transport.connections(), 1);
    });
}

#[test]
fn a_stranger_a_wrong_name_and_plain_http_are_told_apart_from_refusals() {
    local(async {
        let (_, other_ca) = secure_server("127.0.0.1").await;
        let (port, _) = secure_server("127.0.0.1").await;
        let (misnamed, misnamed_ca) = secure_server("otp.example").await;
        // Plain HTTP: does not wait for a request that will never be whole.
        let plain = server(|_, mut tcp| async move {
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad\r\n\r\n").await;
            while tcp.read(&mut [0; 512]).await.is_ok_and(|read| read > 0) {}
        })
        .await;
        let plain = plain.replace("http://", "https://");
        for (ca, url, expected) in [
            (&other_ca, format!("https://127.0.0.1:{port}"), "invalid peer certificate"),
            (&misnamed_ca, format!("https://127.0.0.1:{misnamed}"), "not valid for name"),
            (&other_ca, plain, "TLS failed"),
        ] {
            let transport = trusting(ca, &url);
            let performed = login(&transport).await;
            assert_eq!(performed.fault, Some(Fault::Tls), "{url}");
            let error = transport.preflight(&ManualClock::at(0)).await.unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint().contains("--ca-file"), "{}", error.hint());
        }
    });
}

#[test]
fn a_client_certificate_is_shown_to_a_server_that_asks() {
    local(async {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        let mut clients = RootCertStore::empty();
        clients.add(certificate.der().clone()).unwrap();
        let (port, ca) = secure_server_for("127.0.0.1", Some(clients)).await;
        let url = format!("https://127.0.0.1:{port}");
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (ca_file, pem) = (file("ca.pem", ca), file("cert.pem", certificate.pem()));
        let (own, other) = (
            file("key.pem", key.serialize_pem()),
            file("other.pem", KeyPair::generate().unwrap().serialize_pem()),
        );
        let options = |key: &std::path::Path| EndpointOptions {
            ca_file: Some(ca_file.clone()),
            identity: Some(ClientIdentity { certificates: pem.clone(), key: key.to_owned() }),
            ..Default::default()
        };
        let shown = transport_with(target(""), &url, options(&own));
        assert_eq!(login(&shown).await.verdict, Verdict::Accepted);
        assert_eq!(shown.endpoint.certificates().await.unwrap().len(), 1);
        let bare = EndpointOptions { ca_file: Some(ca_file.clone()), ..Default::default() };
        let refused = login(&transport_with(target(""), &url, bare)).await;
        assert_eq!((refused.verdict, refused.fault.is_some()), (Verdict::Error, true));
        for (key, expected) in
            [(&other, "not the key of the certificate"), (&pem, "no private key")]
        {
            let error = Endpoint::resolve(&url, options(key)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.is_input() && error.hint().contains("--client-key-file"));
        }
    });
}
