//! The certificate by which a destination knows us: read and checked when the configuration is read.

use super::HiddenUrl;
use super::fields::{Collector, Fields};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A certificate with its key, which does not show.
#[derive(Clone)]
pub struct ClientCertificate {
    file: PathBuf,
    pair: Arc<SingleCertAndKey>,
}

impl ClientCertificate {
    /// Both, as a connection needs them.
    #[must_use]
    pub fn pair(&self) -> Arc<SingleCertAndKey> {
        Arc::clone(&self.pair)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ClientCertificate").field(&self.file).finish()
    }
}

/// Reads `client_cert_file` and `client_key_file`; where the second is not set, the first holds both.
pub(super) fn read(table: &mut Fields, url: Option<&HiddenUrl>, all: &mut Collector<'_>) -> Option<ClientCertificate> {
    let (cert_path, key_path) = (table.path_of("client_cert_file"), table.path_of("client_key_file"));
    let file = table.text("client_cert_file", all).map(PathBuf::from);
    let key_file = table.text("client_key_file", all).map(PathBuf::from);
    for file in file.iter().chain(&key_file) {
        all.read_files.note(file);
    }
    let Some(file) = file else {
        if key_file.is_some() && !all.is_wrong(&cert_path) {
            all.fault(&key_path, "client_cert_file is missing: the certificate of the key");
        }
        return None;
    };
    if url.is_some_and(|url| url.reveal().scheme() != "https") {
        all.fault(&cert_path, "the url is no https:// URL: a certificate is shown over TLS only");
    }
    let certificates = certificates(&file).map_err(|message| all.fault(&cert_path, message));
    let place = if key_file.is_some() { &key_path } else { &cert_path };
    let key =
        key(key_file.as_deref().unwrap_or(&file), key_file.is_some()).map_err(|message| all.fault(place, message));
    let (Ok(certificates), Ok(key)) = (certificates, key) else { return None };
    let pair = CertifiedKey::from_der(certificates, key, &rustls::crypto::ring::default_provider());
    let pair = pair.map_err(|error| {
        let message = match error {
            rustls::Error::InconsistentKeys(_) => {
                format!("the key does not belong to the first certificate of {}", file.display())
            }
            other => format!("the certificate and its key cannot be used: {other}"),
        };
        all.fault(place, message);
    });
    Some(ClientCertificate { file, pair: Arc::new(SingleCertAndKey::from(pair.ok()?)) })
}

fn contents(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The certificates of a file.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    match CertificateDer::pem_slice_iter(&contents(file)?).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if certificates.is_empty() => {
            Err(format!("{}: there is no certificate (-----BEGIN CERTIFICATE-----) in it", file.display()))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

fn key(file: &Path, is_its_own: bool) -> Result<PrivateKeyDer<'static>, String> {
    let (shown, text) = (file.display(), contents(file)?);
    if is_encrypted(&text) {
        return Err(format!(
            "{shown}: the key is encrypted, and nobody is there to be asked for its password: \
             `openssl pkey -in {shown}` writes it in the clear"
        ));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound if is_its_own => {
            format!("{shown}: there is no private key (-----BEGIN PRIVATE KEY-----) in it")
        }
        pem::Error::NoItemsFound => {
            format!("{shown}: there is no private key in it, and client_key_file does not say where it is")
        }
        // The message of a PEM reader may repeat what it could not read.
        _ => format!("{shown}: the private key in it is broken"),
    })
}

/// Whether a PEM text has an encrypted key, of today's form or of the one before.
fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED")
}
