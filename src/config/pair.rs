//! A certificate and its key (PEM), read from one or two files: those by which a destination knows us, and those that the
//! public port shows.

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Where a pair stands. Without a file of its own the key is in that of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairFiles {
    /// The certificate, with those that it was issued by.
    pub cert_file: PathBuf,
    /// The key, in the clear.
    pub key_file: Option<PathBuf>,
    /// The setting that names the file of the key, as messages name it.
    pub key_setting: &'static str,
}

/// What the files of a pair hold at one moment. It does not show, as a key is in it.
pub struct PairBytes {
    certificate: Vec<u8>,
    key: Option<Vec<u8>>,
}

/// What is wrong with a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairFault {
    /// Whether it is about the key, and that has a file of its own.
    pub is_of_key_file: bool,
    /// What it is, with the file.
    pub message: String,
}

impl PairFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// Each file that cannot be read.
    pub fn read(&self) -> Result<PairBytes, Vec<PairFault>> {
        let fault = |is_of_key_file| move |message| PairFault { is_of_key_file, message };
        let certificate = contents(&self.cert_file).map_err(fault(false));
        let key = self.key_file.as_deref().map(contents).transpose().map_err(fault(true));
        match (certificate, key) {
            (Ok(certificate), Ok(key)) => Ok(PairBytes { certificate, key }),
            (certificate, key) => Err(certificate.err().into_iter().chain(key.err()).collect()),
        }
    }

    /// Makes of what was read what a connection needs.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn pair(&self, bytes: &PairBytes) -> Result<CertifiedKey, Vec<PairFault>> {
        let has_own = self.key_file.is_some();
        let fault = |is_of_key_file| move |message| PairFault { is_of_key_file, message };
        let certificates = certificates_in(&self.cert_file, &bytes.certificate).map_err(fault(false));
        let key_file = self.key_file.as_deref().unwrap_or(&self.cert_file);
        let key_text = bytes.key.as_deref().unwrap_or(&bytes.certificate);
        let key = key(key_file, key_text, (!has_own).then_some(self.key_setting)).map_err(fault(has_own));
        let (certificates, key) = match (certificates, key) {
            (Ok(certificates), Ok(key)) => (certificates, key),
            (certificates, key) => return Err(certificates.err().into_iter().chain(key.err()).collect()),
        };
        let pair = CertifiedKey::from_der(certificates, key, &rustls::crypto::ring::default_provider());
        pair.map_err(|error| {
            let message = match error {
                rustls::Error::InconsistentKeys(_) => {
                    format!("the key does not belong to the first certificate of {}", self.cert_file.display())
                }
                other => format!("the certificate and its key cannot be used: {other}"),
            };
            vec![fault(has_own)(message)]
        })
    }
}

impl PairBytes {
    /// By what it is known again.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let key = self.key.as_deref().unwrap_or_default();
        let length = self.certificate.len().to_le_bytes();
        Sha256::new().chain_update(length).chain_update(&self.certificate).chain_update(key).finalize().into()
    }
}

fn contents(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The certificates of a file.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    certificates_in(file, &contents(file)?)
}

fn certificates_in(file: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    match CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if certificates.is_empty() => {
            Err(format!("{}: there is no certificate (-----BEGIN CERTIFICATE-----) in it", file.display()))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

/// The key of a file; beside its certificate, where the setting of a file of its own is named.
fn key(file: &Path, text: &[u8], other: Option<&str>) -> Result<PrivateKeyDer<'static>, String> {
    let shown = file.display();
    if is_encrypted(text) {
        return Err(format!(
            "{shown}: the key is encrypted, and nobody is there to be asked for its password: \
             `openssl pkey -in {shown}` writes it in the clear"
        ));
    }
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match (error, other) {
        (pem::Error::NoItemsFound, None) => {
            format!("{shown}: there is no private key (-----BEGIN PRIVATE KEY-----) in it")
        }
        (pem::Error::NoItemsFound, Some(other)) => {
            format!("{shown}: there is no private key in it, and {other} does not say where it is")
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
