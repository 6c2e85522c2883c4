//! Numbers for texts and UUIDs for numbers, where nothing is remembered: pure hashes, the same on every machine.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use uuid::Uuid;

/// The kinds of things that have a number in one forge and a UUID in the other.
pub const KINDS: [&str; 9] = ["project", "user", "group", "issue", "merge_request", "note", "pipeline", "job", "label"];

/// The namespace of every `UUIDv5` that hookglot makes. It never changes: tools keep the UUIDs that came of it.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x3f1d_7c52_9b0e_4a68_8e57_c2a4_61d0_b93a);

/// The number of a text: the first 31 bits of SHA-256(`kind:text`), never 0.
///
/// 31 bits because Jenkins' GitLab plugin keeps project and user numbers in a 32-bit signed integer.
#[must_use]
pub fn number(kind: &str, text: &str) -> u32 {
    keyed(kind, text).0
}

/// The number of a text, as [`number`] gives it, and 128 bits of the same hash, by which the text can be known.
#[must_use]
pub fn keyed(kind: &str, text: &str) -> (u32, u128) {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    hash.update(b":");
    hash.update(text.as_bytes());
    let hash = hash.finalize();
    let first = hash.first_chunk().copied().unwrap_or([0; 4]);
    let key = hash.last_chunk().copied().unwrap_or([0; 16]);
    ((u32::from_be_bytes(first) >> 1).max(1), u128::from_be_bytes(key))
}

/// The SHA-256 of a text, in hexadecimal digits.
#[must_use]
pub fn sha256(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

/// The UUID of a number (or, where there is none, of a path): UUIDv5 of `instance/kind/number`.
#[must_use]
pub fn uuid(instance: &str, kind: &str, number: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{instance}/{kind}/{number}").as_bytes())
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_first_31_bits_of_the_hash() {
        // printf 'project:a34c945a-0000-4000-8000-78e5ae992ef4' | sha256sum
        let hash = Sha256::digest(b"project:a34c945a-0000-4000-8000-78e5ae992ef4");
        let expected = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) >> 1;
        assert_eq!(number("project", "a34c945a-0000-4000-8000-78e5ae992ef4"), expected);
        assert_ne!(number("user", "x"), number("project", "x"));
    }

    #[test]
    fn uuids_tell_instances_and_kinds_apart() {
        let one = uuid("git.example.org", "project", "15");
        assert_eq!(one.get_version_num(), 5);
        assert_eq!(one, uuid("git.example.org", "project", "15"));
        assert_ne!(one, uuid("gitlab.com", "project", "15"));
        assert_ne!(one, uuid("git.example.org", "user", "15"));
    }

    proptest::proptest! {
        #[test]
        fn every_number_is_positive_and_below_2_to_the_31(text in ".*") {
            let number = number("user", &text);
            proptest::prop_assert!(number > 0 && number < 1 << 31);
        }
    }
}
