//! Which trace a hook belongs to: that of the request that brought it, as the W3C's Trace Context has it, or one of its own
//! whose id is the hook's.

use super::Rules;
use opentelemetry::trace::TraceState;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::str::FromStr;
use std::time::SystemTime;
use uuid::Uuid;

/// In small letters.
const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";
/// The flag that says that a trace is exported.
const SAMPLED: u8 = 1;
/// The flags that are handed on: that, and the one that says that the id is random.
const KNOWN_FLAGS: u8 = 3;
/// How many characters of the list are handed on, as the W3C asks for; tools must have room for it in a head.
const LONGEST_LIST: usize = 512;

/// The trace of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub(super) id: [u8; 16],
    /// The span of the request that brought the hook: everything else of it is below.
    pub(super) request: [u8; 8],
    /// The span that the request itself named.
    pub(super) parent: Option<[u8; 8]>,
    pub(super) flags: u8,
    pub(super) state: String,
    is_malformed: bool,
}

/// A span that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    pub(super) id: [u8; 8],
    pub(super) at: SystemTime,
}

impl Begun {
    /// Begins a span.
    #[must_use]
    pub fn now() -> Self {
        Self::at(SystemTime::now())
    }

    /// A span that began at a time.
    #[must_use]
    pub fn at(at: SystemTime) -> Self {
        // The second half of a random UUID is never 0.
        let (_, random) = Uuid::new_v4().as_u64_pair();
        Self { id: random.to_be_bytes(), at }
    }
}

impl Trace {
    pub(super) fn of<'h>(id: Uuid, headers: impl Iterator<Item = (&'h str, &'h str)>, rules: Rules) -> Self {
        let (mut parents, mut states) = (Vec::new(), Vec::new());
        for (name, value) in headers.filter(|_| rules.accept) {
            match name {
                PARENT => parents.push(value),
                STATE => states.push(value),
                _ => {}
            }
        }
        let request = request(id);
        if let [parent] = parents.as_slice()
            && let Some(Parent { id, span, flags }) = Parent::read(parent)
        {
            return Self { id, request, parent: Some(span), flags, state: list(&states), is_malformed: false };
        }
        let flags = if is_chosen(id, rules.ratio) { SAMPLED } else { 0 };
        let is_malformed = !parents.is_empty();
        Self { id: id.into_bytes(), request, parent: None, flags, state: String::new(), is_malformed }
    }

    /// Its id, as logs and tools write it.
    #[must_use]
    pub fn name(&self) -> String {
        hex(&self.id)
    }

    /// Whether it is exported.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED > 0
    }

    /// Whether the request named a trace in a way that nobody understands.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        self.is_malformed
    }

    /// What a request that is a span of it says; a value that is none is not said.
    pub(super) fn headers(&self, begun: Begun) -> [(&'static str, Option<String>); 2] {
        let parent = format!("00-{}-{}-{:02x}", hex(&self.id), hex(&begun.id), self.flags);
        [(PARENT, Some(parent)), (STATE, (!self.state.is_empty()).then(|| self.state.clone()))]
    }
}

/// The id of the span of the request that brought a hook: the same whoever asks.
fn request(hook: Uuid) -> [u8; 8] {
    let hash = Sha256::new().chain_update(b"request ").chain_update(hook).finalize();
    let id = hash.first_chunk().copied().unwrap_or_default();
    // 0 is no id.
    if id == [0; 8] { [1; 8] } else { id }
}

/// Whether a trace that begins here is exported: by its last 56 bits, as OpenTelemetry has it, so that it is decided alike
/// each time.
fn is_chosen(id: Uuid, ratio: f64) -> bool {
    let (_, half) = id.as_u64_pair();
    let [high, low] =
        [(half >> 32) & 0x00ff_ffff, half & 0xffff_ffff].map(|part| u32::try_from(part).unwrap_or_default());
    let random = (f64::from(high) + f64::from(low) / 2_f64.powi(32)) / 2_f64.powi(24);
    ratio > 0.0 && random >= 1.0 - ratio
}

/// What `traceparent` says.
#[derive(Debug, PartialEq, Eq)]
struct Parent {
    id: [u8; 16],
    span: [u8; 8],
    flags: u8,
}

impl Parent {
    /// Reads it as the W3C has it: of a version that is not known, its beginning is as that of the first.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t']);
        let mut parts = text.splitn(5, '-');
        let [version, id, span, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let [version] = unhex(version)?;
        if version == 0xff || version == 0 && parts.next().is_some() {
            return None;
        }
        let ([flags], id, span) = (unhex(flags)?, unhex(id)?, unhex(span)?);
        (id != [0; 16] && span != [0; 8]).then_some(Self { id, span, flags: flags & KNOWN_FLAGS })
    }
}

/// What `tracestate` says: several headers of one name are one list. What is no list is left out, and the trace goes on all the
/// same; of a long one, what stands at its end.
fn list(values: &[&str]) -> String {
    let mut list = TraceState::from_str(&values.join(",")).map(|state| state.header()).unwrap_or_default();
    if !list.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return String::new();
    }
    while list.len() > LONGEST_LIST {
        list.truncate(list.rfind(',').unwrap_or_default());
    }
    list
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads bytes of two digits each, with small letters only.
fn unhex<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 2 * LENGTH || !text.bytes().all(is_digit) {
        return None;
    }
    let mut bytes = [0; LENGTH];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
