//! A client that speaks TLS, with the bytes that a test wants to send.

use super::DEADLINE;
use super::wire::{Answer, connect, read_answer};
use rcgen::{CertifiedIssuer, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned};
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;

/// A connection with TLS.
pub struct TlsClient {
    stream: StreamOwned<ClientConnection, TcpStream>,
}

/// A client that trusts an authority.
pub fn trusting(
    authority: &CertifiedIssuer<'static, KeyPair>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    config.with_root_certificates(roots).with_no_client_auth()
}

impl TlsClient {
    /// Connects; the handshake is over afterwards.
    pub fn try_connect(address: &str, config: ClientConfig) -> std::io::Result<Self> {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(connection, connect(address));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self { stream })
    }

    /// Connects to what must be there.
    pub fn connect(address: &str, authority: &CertifiedIssuer<'static, KeyPair>) -> Self {
        Self::try_connect(address, trusting(authority, rustls::DEFAULT_VERSIONS)).unwrap()
    }

    /// The certificate that was shown, in DER.
    pub fn shown(&self) -> Vec<u8> {
        self.stream.conn.peer_certificates().unwrap()[0].to_vec()
    }

    /// What both sides have settled on.
    pub fn settled(&self) -> (Option<ProtocolVersion>, Option<&[u8]>) {
        (self.stream.conn.protocol_version(), self.stream.conn.alpn_protocol())
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).unwrap();
    }

    /// Sends bytes where the other side may be gone.
    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    pub fn read_answer(&mut self) -> Answer {
        read_answer(&mut self.stream)
    }

    /// Sends a hook on a connection that stays open.
    pub fn post(&mut self, path: &str, headers: &str, body: &str) -> Answer {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        self.send(format!("{head}{body}").as_bytes());
        self.read_answer()
    }

    /// Waits for the end of the connection: what came before it.
    pub fn read_to_end(&mut self) -> String {
        self.stream.sock.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut self.stream, &mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
