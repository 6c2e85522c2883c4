//! Reads `prove:` of a forge file: the ways in which its hooks prove who sent them.

use super::scheme::Proof;
use super::signature::Signature;
use crate::mapping::Files;
use crate::mapping::diagnostic::{Diagnostics, did_you_mean};
use crate::mapping::scope::Scope;
use crate::mapping::yaml::{self, Yaml};

/// The scheme that signs; it needs the headers of all its parts.
const SIGNING: &str = "standard_webhooks";
/// The header of a signature, and those of what is signed beside the body.
const PARTS: [&str; 3] = ["header", "id", "timestamp"];

/// The proofs by a secret, and how hooks are signed.
pub(super) fn read(node: Option<&Yaml>, scope: &mut Scope<'_>) -> (Vec<Proof>, Option<Signature>) {
    let (mut proofs, mut signature) = (Vec::new(), None);
    for item in node.and_then(Yaml::list).unwrap_or_default() {
        let scheme = field(item, "scheme");
        if scheme == SIGNING {
            if signature.is_some() {
                scope.error(item.position, format!("the scheme {SIGNING} is there twice: a forge signs in one way"));
            }
            signature = read_signature(item, scope);
        } else if let Some(proof) = Proof::new(scheme, field(item, "header")) {
            check_keys(item, &["scheme", "header"], scope);
            proofs.push(proof);
        } else {
            let known = Proof::SCHEMES.into_iter().chain([SIGNING]);
            let suggestion = did_you_mean(scheme, known.clone());
            let known = known.collect::<Vec<_>>().join(", ");
            scope.error(
                item.position,
                format!("expected {{scheme: …, header: …}} with one of the schemes {known}{suggestion}"),
            );
        }
    }
    (proofs, signature)
}

/// Whether a forge's file says how it signs. One that cannot be read does not.
pub(super) fn signs(files: &Files, name: &str) -> bool {
    let file = files.get(&format!("{name}/forge.yaml"));
    // What is wrong with the file is said where it is loaded.
    let root = file.and_then(|(file, text)| yaml::parse(&file, text, &mut Diagnostics::default()));
    let proofs = root.as_ref().and_then(|root| root.get("prove")).and_then(Yaml::list).unwrap_or_default();
    proofs.iter().any(|item| field(item, "scheme") == SIGNING)
}

fn read_signature(item: &Yaml, scope: &mut Scope<'_>) -> Option<Signature> {
    check_keys(item, &["scheme", "header", "id", "timestamp"], scope);
    let [header, id, timestamp] = PARTS.map(|part| field(item, part));
    if [header, id, timestamp].contains(&"") {
        let message = "{scheme: standard_webhooks, header: …, id: …, timestamp: …} names the headers of the signature, of \
                       the id and of the time that it signs";
        scope.error(item.position, format!("expected {message}"));
        return None;
    }
    let signature = Signature::new(header, id, timestamp);
    let [header, id, timestamp] = signature.headers();
    if header == id || header == timestamp || id == timestamp {
        scope.error(item.position, "`header`, `id` and `timestamp` name three different headers");
    }
    Some(signature)
}

fn check_keys(item: &Yaml, known: &[&str], scope: &mut Scope<'_>) {
    for (key, _) in item.map().unwrap_or_default() {
        if !known.contains(&key.name.as_str()) {
            let suggestion = did_you_mean(&key.name, known.iter().copied());
            scope.error(key.position, format!("unknown key `{}`{suggestion}", key.name));
        }
    }
}

fn field<'y>(item: &'y Yaml, key: &str) -> &'y str {
    item.get(key).and_then(Yaml::text).unwrap_or_default()
}
