//! HTTPS with an authority of our own.

use super::*;
use crate::clock::ManualClock;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring, pki_types::PrivateKeyDer};

/// A server whose certificate for `name` was issued by an authority of its own: its port, and the
/// authority as PEM.
async fn secure_server(name: &str) -> (u16, String) {
    secure_server_for(params(name), None).await
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

/// The same for a certificate with these parameters; asks for a certificate of the authority
/// `clients` when there is one.
async fn secure_server_for(
    params: CertificateParams,
    clients: Option<RootCertStore>,
) -> (u16, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "an authority");
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (serving(certificate, key, clients).await, pem)
}

/// A server with a certificate that it signed itself: its port, and the certificate as PEM.
async fn self_signed_server(is_ca: IsCa) -> (u16, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = params("127.0.0.1");
    params.is_ca = is_ca;
    let certificate = params.self_signed(&key).unwrap();
    let pem = certificate.pem();
    (serving(certificate, key, None).await, pem)
}

/// A server with this certificate: its port.
async fn serving(certificate: Certificate, key: KeyPair, clients: Option<RootCertStore>) -> u16 {
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
    url.rsplit(':').next().unwrap().parse().unwrap()
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
fn each_thing_that_is_wrong_has_words_and_a_hint_of_its_own() {
    local(async {
        let (_, other) = secure_server("127.0.0.1").await;
        let (port, _) = secure_server("127.0.0.1").await;
        let (misnamed, misnamed_ca) = secure_server("otp.example").await;
        let over = |year| {
            let mut params = params("127.0.0.1");
            (params.not_before, params.not_after) =
                (date_time_ymd(year, 1, 1), date_time_ymd(year + 1, 1, 1));
            params
        };
        let (expired, expired_ca) = secure_server_for(over(2019), None).await;
        let (early, early_ca) = secure_server_for(over(2190), None).await;
        let (own, _) = self_signed_server(IsCa::NoCa).await;
        let (openssl, openssl_ca) =
            self_signed_server(IsCa::Ca(BasicConstraints::Unconstrained)).await;
        for (ca, port, words, hint) in [
            (
                &other,
                port,
                "no trusted authority issued",
                "--ca-file is not the one that issued it",
            ),
            (&misnamed_ca, misnamed, "for another name: otp.example", "subjectAltName"),
            (&expired_ca, expired, "expired at 2020-01-01", "renew the server's certificate"),
            (&early_ca, early, "not valid before 2190-01-01", "clock wrong"),
            (&other, own, "signed by itself", "--ca-file is another one"),
            (&openssl_ca, openssl, "that of an authority (CA:TRUE)", "basicConstraints"),
        ] {
            let transport = trusting(ca, &format!("https://127.0.0.1:{port}"));
            let performed = login(&transport).await;
            assert_eq!(performed.fault, Some(Fault::Tls), "{words}");
            let error = transport.preflight(&ManualClock::at(0)).await.unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.hint().contains(hint), "{words}: {}", error.hint());
            let trouble = transport.endpoint.troubles().join("\n");
            assert!(trouble.contains(words), "{trouble}");
            // What was refused can be looked at.
            assert_eq!(transport.endpoint.certificates().await.unwrap_err(), error);
            assert_eq!(transport.endpoint.refused_certificates().len(), 1, "{words}");
        }
    });
}

#[test]
fn plain_http_and_a_server_that_hangs_up_are_told_from_bad_certificates() {
    local(async {
        let (_, ca) = secure_server("127.0.0.1").await;
        // Does not wait for a request that will never be whole.
        let plain = server(|_, mut tcp| async move {
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad\r\n\r\n").await;
            while tcp.read(&mut [0; 512]).await.is_ok_and(|read| read > 0) {}
        })
        .await;
        let mute = server(|_, mut tcp| async move {
            let _ = tcp.read(&mut [0; 4096]).await;
        })
        .await;
        for (url, words, hint) in [
            (plain, "what the server says is no TLS", "write http:// in --url"),
            (mute, "closed the connection during the handshake", "one for TLS?"),
        ] {
            let transport = trusting(&ca, &url.replace("http://", "https://"));
            assert_eq!(login(&transport).await.fault, Some(Fault::Tls), "{words}");
            let error = transport.preflight(&ManualClock::at(0)).await.unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.hint().contains(hint), "{}", error.hint());
            assert!(transport.endpoint.refused_certificates().is_empty());
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
        let (port, ca) = secure_server_for(params("127.0.0.1"), Some(clients)).await;
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
        let bare = transport_with(target(""), &url, bare);
        let refused = login(&bare).await;
        assert_eq!((refused.verdict, refused.fault.is_some()), (Verdict::Error, true));
        let error = bare.preflight(&ManualClock::at(0)).await.unwrap_err();
        assert!(error.to_string().contains("wants a certificate of ours"), "{error}");
        assert!(error.hint().contains("--client-cert-file"), "{}", error.hint());
        // One that the server does not know.
        let (key, wrong) =
            (KeyPair::generate().unwrap(), CertificateParams::new(Vec::new()).unwrap());
        let wrong = file("wrong.pem", wrong.self_signed(&key).unwrap().pem());
        let identity =
            ClientIdentity { certificates: wrong, key: file("wrong-key.pem", key.serialize_pem()) };
        let wrong = EndpointOptions {
            ca_file: Some(ca_file.clone()),
            identity: Some(identity),
            ..Default::default()
        };
        let wrong = transport_with(target(""), &url, wrong);
        let error = wrong.preflight(&ManualClock::at(0)).await.unwrap_err();
        assert!(error.to_string().contains("refuses our certificate"), "{error}");
        assert!(error.hint().contains("none that the server trusts"), "{}", error.hint());
        for (key, expected) in
            [(&other, "not the key of the certificate"), (&pem, "no private key")]
        {
            let error = Endpoint::resolve(&url, options(key)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.is_input() && error.hint().contains("--client-key-file"));
        }
    });
}
