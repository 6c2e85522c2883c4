//! A secret that cannot be printed, and a comparison that does not tell how far it got.

use sha2::{Digest, Sha256};
use std::fmt;
use subtle::{Choice, ConstantTimeEq};

/// A token or password. It has no `Display`; its `Debug` says only that it is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret; line breaks at its end (as files have them) are not part of it. `None` when nothing is left.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim_end_matches(['\r', '\n']);
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Takes a secret as it is, whatever characters it has. `None` when it is empty.
    #[must_use]
    pub fn whole(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The secret itself, for the one place that sends it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// The secrets that open a route; any of them does, so that they can be rotated.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    digests: Vec<Digest32>,
    shortest: usize,
}

#[derive(Clone)]
struct Digest32([u8; 32]);

impl fmt::Debug for Digest32 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

impl Secrets {
    /// Keeps the hashes of secrets.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let (mut digests, mut shortest) = (Vec::new(), usize::MAX);
        for Secret(secret) in secrets {
            digests.push(Digest32(Sha256::digest(secret.as_bytes()).into()));
            shortest = shortest.min(secret.len());
        }
        Self { digests, shortest }
    }

    /// How many bytes the shortest of them has.
    #[must_use]
    pub fn shortest(&self) -> usize {
        self.shortest
    }

    /// Whether a text is one of the secrets. Hashes are compared, all of them and to their ends, so that neither a
    /// length nor a common beginning shows in the time it takes.
    #[must_use]
    pub fn contain(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        self.digests.iter().fold(Choice::from(0), |found, own| found | own.0.ct_eq(&given)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows() {
        let secret = Secret::new("correct horse\n").expect("not empty");
        assert_eq!(secret.reveal(), "correct horse");
        let secrets = Secrets::new([&secret]);
        assert_eq!(format!("{secret:?} {secrets:?}"), "[secret] Secrets { digests: [[secret]], shortest: 13 }");
        assert_eq!(Secret::new("\n"), None);
    }

    #[test]
    fn any_of_several_opens() {
        let (old, new) = (Secret::new("old").expect("some"), Secret::new("new").expect("some"));
        let secrets = Secrets::new([&old, &new]);
        assert!(secrets.contain(b"old") && secrets.contain(b"new"));
        assert!(!secrets.contain(b"ol") && !secrets.contain(b"") && !Secrets::default().contain(b""));
    }
}
