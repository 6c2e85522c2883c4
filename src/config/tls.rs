//! `[tls]`: the certificate that the public port shows.

use super::fields::{Collector, Fields};
use super::pair::PairFiles;
use std::path::PathBuf;

/// Reads `cert_file` and `key_file`; where the second is not set, the first holds both. They are tried out here, so that a
/// start tells of what is wrong with them beside all else.
pub(super) fn read(mut table: Fields, all: &mut Collector<'_>) -> Option<PairFiles> {
    let (cert_path, key_path) = (table.path_of("cert_file"), table.path_of("key_file"));
    let cert_file = table.text("cert_file", all).map(PathBuf::from);
    let key_file = table.text("key_file", all).map(PathBuf::from);
    table.end(all);
    let Some(cert_file) = cert_file else {
        if key_file.is_some() && !all.is_wrong(&cert_path) {
            all.fault(&key_path, "tls.cert_file is missing: the certificate of the key");
        }
        return None;
    };
    let files = PairFiles { cert_file, key_file, key_setting: "tls.key_file" };
    for fault in files.read().and_then(|bytes| files.pair(&bytes)).err().unwrap_or_default() {
        all.fault(if fault.is_of_key_file { &key_path } else { &cert_path }, fault.message);
    }
    Some(files)
}
