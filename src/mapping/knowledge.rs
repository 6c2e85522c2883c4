//! What the engine may ask of a memory outside it. A store gives answers that it keeps; without one they are pure.

use super::identity;

/// Answers that are the same every time: the number that stands for a text, the UUID that stands for a number.
pub trait Knowledge: Send + Sync {
    /// The number of a text of one kind ([`identity::KINDS`]) that a hook of an instance names, positive and below 2^31.
    fn number(&self, instance: &str, kind: &str, text: &str) -> u32;

    /// The UUID of a number of one kind at an instance, as text.
    fn uuid(&self, instance: &str, kind: &str, number: &str) -> String;

    /// What is remembered in a column of a table ([`super::lookups::TABLES`]) of somebody or something with an id.
    fn lookup(&self, instance: &str, table: &str, id: &str, column: &str) -> Option<String>;

    /// Whether [`Knowledge::lookup`] never has an answer, so that it need not be asked.
    fn knows_nobody(&self) -> bool {
        false
    }
}

/// No memory: numbers and UUIDs are the pure hashes of [`identity`]. Examples run with it, so golden ids are stable.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKnowledge;

impl Knowledge for NoKnowledge {
    fn number(&self, _: &str, kind: &str, text: &str) -> u32 {
        identity::number(kind, text)
    }

    fn uuid(&self, instance: &str, kind: &str, number: &str) -> String {
        identity::uuid(instance, kind, number).to_string()
    }

    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Option<String> {
        None
    }

    fn knows_nobody(&self) -> bool {
        true
    }
}
