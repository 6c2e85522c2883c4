//! The certificate by which a destination knows us: read and checked when the configuration is read.

use super::HiddenUrl;
use super::fields::{Collector, Fields};
use super::pair::PairFiles;
use rustls::sign::SingleCertAndKey;
use std::fmt;
use std::path::PathBuf;
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
    let files = PairFiles { cert_file: file, key_file, key_setting: "client_key_file" };
    match files.read().and_then(|bytes| files.pair(&bytes)) {
        Ok(pair) => Some(ClientCertificate { file: files.cert_file, pair: Arc::new(SingleCertAndKey::from(pair)) }),
        Err(faults) => {
            for fault in faults {
                all.fault(if fault.is_of_key_file { &key_path } else { &cert_path }, fault.message);
            }
            None
        }
    }
}
