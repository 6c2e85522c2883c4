//! What stands beside the input while a hook is translated.

use crate::mapping::json::Node;
use crate::mapping::knowledge::Knowledge;
use crate::mapping::lookups::Lookups;

/// What a stored hook itself knows.
#[derive(Debug, Clone, Copy)]
pub struct HookFacts<'a> {
    /// Our own id of it.
    pub id: &'a str,
    /// When it came in, in the form of RFC 3339.
    pub received_at: &'a str,
    /// Its event in its forge's own terms.
    pub event: &'a str,
    /// The installation that sent it, where that is known.
    pub instance: Option<&'a str>,
}

impl<'a> HookFacts<'a> {
    /// The names of the facts.
    pub(crate) const NAMES: [&'static str; 4] = ["id", "received_at", "event", "instance"];

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        match name {
            "id" => Some(self.id),
            "received_at" => Some(self.received_at),
            "event" => Some(self.event),
            "instance" => self.instance,
            _ => None,
        }
    }
}

/// What stands beside the input while a hook is translated.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// What the stored hook itself knows: `id`, `received_at`, `event`, `instance`.
    pub hook: Option<HookFacts<'a>>,
    /// The settings of the destination.
    pub settings: Option<Node<'a>>,
    /// The delivery: `key` (the idempotency key) and `attempted_at`.
    pub delivery: Option<Node<'a>>,
    /// The last seen state of the object that the hook is about; none the first time.
    pub seen: Option<Node<'a>>,
    /// The headers that the hook came with, by name in small letters.
    pub headers: &'a [(String, String)],
    /// The instance that the hook came from; part of every UUID that is made.
    pub instance: &'a str,
    /// Remembered numbers and UUIDs.
    pub knowledge: &'a dyn Knowledge,
    /// Look-up tables in the place of those that come with the mappings.
    pub lookups: Option<&'a Lookups>,
}

impl<'a> Surroundings<'a> {
    /// Nothing beside the input but a memory.
    pub fn new(knowledge: &'a dyn Knowledge) -> Self {
        Self {
            hook: None,
            settings: None,
            delivery: None,
            seen: None,
            headers: &[],
            instance: "",
            knowledge,
            lookups: None,
        }
    }
}
