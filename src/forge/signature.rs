//! Signatures as Standard Webhooks has them: `v1,<base64>` of HMAC-SHA256 over `{id}.{timestamp}.{body}`.

use super::Header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use subtle::{Choice, ConstantTimeEq};

/// What every signing key begins with; base64 follows.
const KEY_PREFIX: &str = "whsec_";
/// What a signature of the only known version begins with.
const VERSION: &[u8] = b"v1,";
/// The shortest and the longest key, in bytes: those that Standard Webhooks allows.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// How far the clock of the forge may be from ours, in seconds, before and behind.
const TOLERANCE: i64 = 5 * 60;

/// A key that hooks are signed with. It cannot be printed, and its text is not kept.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

/// Why a text is no signing key; nothing of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// It is something else.
    #[error("not a signing key: it begins with whsec_")]
    Prefix,
    /// What follows is not base64.
    #[error("not a signing key: behind whsec_ stands base64 (with its =, if any), and nothing else")]
    Base64,
    /// It could be guessed, or is no key at all.
    #[error("not a signing key: behind whsec_ stand 24 to 64 bytes in base64, GitLab's have 32; these are {0}")]
    Length(usize),
}

impl SigningKey {
    /// Reads a key as the forge shows it; line breaks at its end (as files have them) are not part of it.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(text: &str) -> Result<Self, KeyFault> {
        let encoded = text.trim_end_matches(['\r', '\n']).strip_prefix(KEY_PREFIX).ok_or(KeyFault::Prefix)?;
        let key = STANDARD.decode(encoded).map_err(|_| KeyFault::Base64)?;
        if !KEY_BYTES.contains(&key.len()) {
            return Err(KeyFault::Length(key.len()));
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| KeyFault::Length(key.len()))
    }

    fn sign(&self, id: &[u8], timestamp: &[u8], body: &[u8]) -> String {
        let mut mac = self.0.clone();
        for part in [id, b".", timestamp, b".", body] {
            mac.update(part);
        }
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// The keys of a route, any of which does, or of a destination, all of which sign; so that they can be rotated.
#[derive(Debug, Clone, Default)]
pub struct SigningKeys(Vec<SigningKey>);

impl SigningKeys {
    /// Takes keys in their order.
    #[must_use]
    pub fn new(keys: Vec<SigningKey>) -> Self {
        Self(keys)
    }

    /// Whether there is none: then nothing is signed, and no signature is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The headers, in small letters, in which a forge sends a signature and what it signs beside the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    header: String,
    id: String,
    timestamp: String,
}

/// Why a hook does not prove by its signature who sent it. Says nothing of what would have fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// No signature of a known version.
    #[error("the signature of the hook is missing: the header {0} has none that begins with `v1,`")]
    Missing(String),
    /// A header that is signed with the body is not there.
    #[error("the hook is signed, but the header {0} is missing, which belongs to its signature")]
    MissingPart(String),
    /// A header that is signed with the body says two things.
    #[error("the header {0} stands there twice with different values: one of them was not signed")]
    Twice(String),
    /// The time is none.
    #[error("the header {0} is no time: it must be the seconds since 1970")]
    NoTime(String),
    /// Sent long ago, or by a clock that is late.
    #[error(
        "the timestamp of the hook is too old: {0} s behind the clock here, and no more than {TOLERANCE} s are taken: \
         check both clocks, and whether something holds hooks back or sends them again"
    )]
    TooOld(i64),
    /// Sent by a clock that is early.
    #[error(
        "the timestamp of the hook is too new: {0} s before the clock here, and no more than {TOLERANCE} s are taken: \
         check both clocks"
    )]
    TooNew(i64),
    /// Signed with another key, or changed afterwards.
    #[error(
        "the signature of the hook is wrong: it was made with another signing key than the route has, or something \
         changed the body on its way"
    )]
    Wrong,
    /// Nobody says any more how the forge signs.
    #[error("no signature can be checked: no forge.yaml of the forges that the route accepts says how it signs")]
    NoScheme,
}

/// What a request says of its signature, known before its body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<'h> {
    id: &'h [u8],
    timestamp: &'h [u8],
    /// Those of the known version, without it.
    signatures: Vec<&'h [u8]>,
}

impl Signature {
    /// A signature by the names of its headers.
    #[must_use]
    pub fn new(header: &str, id: &str, timestamp: &str) -> Self {
        let [header, id, timestamp] = [header, id, timestamp].map(str::to_ascii_lowercase);
        Self { header, id, timestamp }
    }

    /// The header with the signature, in small letters; it is never stored, logged or passed on.
    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }

    /// All of its headers, in small letters.
    #[must_use]
    pub fn headers(&self) -> [&str; 3] {
        [&self.header, &self.id, &self.timestamp]
    }

    /// Reads what a request says of its signature, and whether it is of now: `now` in seconds since 1970.
    ///
    /// # Errors
    /// When a part is missing or says two things, or the clocks differ too much.
    pub fn read<'h>(&self, header: impl Fn(&str) -> Vec<&'h [u8]>, now: i64) -> Result<Signed<'h>, Unsigned> {
        let listed = header(&self.header).into_iter().flat_map(|list| list.split(u8::is_ascii_whitespace));
        let signatures: Vec<&[u8]> = listed.filter_map(|one| one.strip_prefix(VERSION)).collect();
        if signatures.is_empty() {
            return Err(Unsigned::Missing(self.header.clone()));
        }
        let id = one(&self.id, header(&self.id))?;
        let timestamp = one(&self.timestamp, header(&self.timestamp))?;
        let behind = now.saturating_sub(seconds(timestamp).ok_or_else(|| Unsigned::NoTime(self.timestamp.clone()))?);
        if behind > TOLERANCE {
            return Err(Unsigned::TooOld(behind));
        }
        if behind < -TOLERANCE {
            return Err(Unsigned::TooNew(behind.saturating_neg()));
        }
        Ok(Signed { id, timestamp, signatures })
    }

    /// The headers that sign a body, with a signature of each key.
    #[must_use]
    pub fn sign(&self, keys: &SigningKeys, id: &str, seconds: i64, body: &[u8]) -> Vec<Header> {
        let timestamp = seconds.to_string();
        let signatures = keys.0.iter().map(|key| format!("v1,{}", key.sign(id.as_bytes(), timestamp.as_bytes(), body)));
        let signatures = signatures.collect::<Vec<_>>().join(" ");
        vec![(self.id.clone(), id.to_owned()), (self.timestamp.clone(), timestamp), (self.header.clone(), signatures)]
    }
}

impl Signed<'_> {
    /// Whether one of the signatures was made with one of the keys over this body. All are compared, and to their ends.
    #[must_use]
    pub fn fits(&self, keys: &SigningKeys, body: &[u8]) -> bool {
        let made = keys.0.iter().map(|key| key.sign(self.id, self.timestamp, body));
        made.fold(Choice::from(0), |fits, own| {
            self.signatures.iter().fold(fits, |fits, given| fits | own.as_bytes().ct_eq(given))
        })
        .into()
    }
}

/// The one value of a header, however often it stands there.
fn one<'h>(name: &str, values: Vec<&'h [u8]>) -> Result<&'h [u8], Unsigned> {
    let mut values = values.into_iter();
    let first = values.next().filter(|first| !first.is_empty());
    let first = first.ok_or_else(|| Unsigned::MissingPart(name.to_owned()))?;
    if values.all(|other| other == first) { Ok(first) } else { Err(Unsigned::Twice(name.to_owned())) }
}

/// Digits alone: what else a number may be written like was never signed by a forge.
fn seconds(text: &[u8]) -> Option<i64> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
