//! Standard Webhooks by hand: HMAC from its definition (RFC 2104), so that no code of hookglot judges itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

/// A signing key as a forge shows it, of 32 bytes that grow from a first one.
pub fn key(first: u8) -> String {
    format!("whsec_{}", STANDARD.encode((first..first + 32).collect::<Vec<u8>>()))
}

/// The seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// `v1,…` of a message with a key.
pub fn sign(key: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut block = STANDARD.decode(key.strip_prefix("whsec_").unwrap()).unwrap();
    assert!(block.len() <= 64);
    block.resize(64, 0);
    let padded = |pad: u8| block.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
    let message = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let inner = Sha256::digest([padded(0x36), message].concat());
    format!("v1,{}", STANDARD.encode(Sha256::digest([padded(0x5c), inner.to_vec()].concat())))
}

#[test]
fn a_signature_is_the_one_that_python_and_openssl_compute() {
    let id = "7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5";
    let body = r#"{"object_kind":"push","note":"Лоция"}"#;
    let made = sign(&key(0), id, "1764000000", body.as_bytes());
    assert_eq!(made, "v1,/8oaHsClQ4zMIVLXhKek/IW96M3qKY5oBcJ/Fs6tmF0=");
}
