//! What was found in a hook, and what each stands for now.

use super::{invented, shapes};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The host of the installation that sent a hook.
const FORGE: &str = "forge.example.org";

/// Counts what it has not seen before. Capital letters make no difference.
#[derive(Debug, Default)]
struct Counted(HashMap<String, usize>);

impl Counted {
    fn of(&mut self, text: &str) -> usize {
        let next = self.0.len();
        *self.0.entry(text.to_lowercase()).or_insert(next)
    }

    fn knows(&self, text: &str) -> bool {
        self.0.contains_key(&text.to_lowercase())
    }
}

/// Everything private that one hook has shown so far.
#[derive(Debug, Default)]
pub(super) struct Known {
    names: Counted,
    people: Counted,
    mails: Counted,
    hosts: Counted,
    secrets: Counted,
    numbers: Counted,
    lines: Counted,
    uuids: Counted,
    hexes: BTreeMap<String, usize>,
    /// Of the names, those that stood in a field of names, not only in an address.
    given: HashSet<String>,
    /// The host of the installation, without its port.
    forge: String,
}

impl Known {
    pub(super) fn new(instance: Option<&str>) -> Self {
        let instance = instance.unwrap_or_default().to_lowercase();
        let forge = instance.rsplit_once(':').filter(|(_, port)| shapes::is_number(port, 5)).map(|(host, _)| host);
        Self { forge: forge.unwrap_or(&instance).to_owned(), ..Self::default() }
    }

    pub(super) fn knows_name(&self, text: &str) -> bool {
        self.names.knows(text) || self.people.knows(text)
    }

    pub(super) fn knows_person(&self, text: &str) -> bool {
        self.people.knows(text)
    }

    /// Notes that a field says so.
    pub(super) fn give(&mut self, name: &str) {
        self.given.insert(name.to_lowercase());
    }

    /// Whether a field says so.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.given.contains(&name.to_lowercase())
    }

    /// The name of something; that of somebody where it is known to be one. Its letters are as large as they were.
    pub(super) fn name(&mut self, text: &str) -> String {
        if self.people.knows(text) {
            return self.person(text);
        }
        let name = invented::name(self.names.of(text));
        let has = |kind: fn(char) -> bool| text.chars().any(kind);
        match name.split_at_checked(1).filter(|_| has(char::is_uppercase)) {
            Some((first, rest)) if has(char::is_lowercase) => first.to_uppercase() + rest,
            Some(_) => name.to_uppercase(),
            None => name,
        }
    }

    pub(super) fn person(&mut self, text: &str) -> String {
        invented::person(self.people.of(text))
    }

    pub(super) fn mail(&mut self, text: &str) -> String {
        format!("person-{}@example.org", self.mails.of(text) + 1)
    }

    pub(super) fn secret(&mut self, text: &str) -> String {
        format!("secret-{}", self.secrets.of(text) + 1)
    }

    pub(super) fn number(&mut self, text: &str) -> String {
        (self.numbers.of(text) + 1).to_string()
    }

    pub(super) fn line(&mut self, text: &str) -> String {
        format!("Text {}", self.lines.of(text) + 1)
    }

    /// Whether a host is that of the installation that sent the hook.
    pub(super) fn is_forge(&self, host: &str) -> bool {
        host.to_lowercase() == self.forge
    }

    pub(super) fn host(&mut self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        if self.is_forge(text) {
            return FORGE.to_owned();
        }
        format!("other-{}.example.org", self.hosts.of(text) + 1)
    }

    pub(super) fn uuid(&mut self, text: &str) -> String {
        let uuid = invented::uuid(self.uuids.of(text)).to_string();
        if text.contains(char::is_uppercase) { uuid.to_uppercase() } else { uuid }
    }

    /// Other digits, of a beginning those of what it is the beginning of; zeros stay.
    pub(super) fn hex(&mut self, text: &str) -> String {
        if text.bytes().all(|byte| byte == b'0') {
            return text.to_owned();
        }
        let own = text.to_ascii_lowercase();
        // As a hook may show as many beginnings as it likes, only so many are looked at.
        let beginning = self.hexes.range(own.clone()..).take(16).take_while(|(other, _)| other.starts_with(&own));
        let longest = beginning.max_by_key(|(other, _)| other.len());
        let count = longest.map(|(_, count)| *count);
        let count = count.unwrap_or_else(|| {
            let next = self.hexes.len();
            self.hexes.insert(own, next);
            next
        });
        invented::hex(count, text.len())
    }
}
