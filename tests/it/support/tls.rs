//! A tool behind TLS, with an authority of its own that is made for the test.

use super::wait_for;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A tool that takes everything over TLS and keeps what it got.
pub struct TlsReceiver {
    pub url: String,
    /// The certificate of the authority (PEM).
    pub ca: String,
    got: Arc<Mutex<String>>,
}

/// An authority that is made for the test.
pub fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Harbour Authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key (PEM).
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

/// A certificate for a client, by an authority.
fn pair(authority: &CertifiedIssuer<'static, KeyPair>) -> Pair {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "hookglot of the harbour");
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    Pair { certificate: params.signed_by(&key, authority).unwrap().pem(), key: key.serialize_pem() }
}

/// A certificate for a server on this machine, by an authority.
pub fn server_pair(authority: &CertifiedIssuer<'static, KeyPair>) -> Pair {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2097, 5, 17);
    Pair { certificate: params.signed_by(&key, authority).unwrap().pem(), key: key.serialize_pem() }
}

/// A certificate that no tool here trusts.
pub fn stray_pair() -> Pair {
    pair(&authority())
}

impl TlsReceiver {
    pub fn start() -> Self {
        Self::with(&authority(), WebPkiClientVerifier::no_client_auth())
    }

    /// A tool that talks only to who has a certificate of its authority; and such a one.
    pub fn demanding() -> (Self, Pair) {
        let authority = authority();
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        (Self::with(&authority, verifier), pair(&authority))
    }

    fn with(authority: &CertifiedIssuer<'static, KeyPair>, verifier: Arc<dyn ClientCertVerifier>) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, authority).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let url = format!("https://localhost:{}/tool", listener.local_addr().unwrap().port());
        let got = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let (mut tls, got) = (StreamOwned::new(connection, stream), Arc::clone(&shared));
                std::thread::spawn(move || {
                    let mut chunk = [0; 8192];
                    while let Ok(read @ 1..) = tls.read(&mut chunk) {
                        got.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..read]));
                        if got.lock().unwrap().contains("\r\n\r\n") {
                            let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                        }
                    }
                });
            }
        });
        Self { url, ca: authority.pem(), got }
    }

    /// How many requests have come.
    pub fn requests(&self) -> usize {
        self.got.lock().unwrap().matches("POST /tool").count()
    }

    /// The head of the first request.
    pub fn wait_for_request(&self) -> String {
        wait_for("a request over TLS", || {
            let text = self.got.lock().unwrap().clone();
            text.contains("POST /tool").then_some(text)
        })
    }
}
