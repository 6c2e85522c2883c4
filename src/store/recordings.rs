//! The first hook of each event of a route that records: what came, to make an example of.

use super::Answer;
use bytes::Bytes;
use jiff::Timestamp;

/// Which hook is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The path of the route that it came in on.
    pub route: String,
    /// The forge that sent it.
    pub forge: String,
    /// The event in the forge's own terms.
    pub event: String,
    /// When it came, by the system's clock.
    pub recorded_at: Timestamp,
    /// How many bytes its body has.
    pub size: u64,
}

/// What is kept of a recorded hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// When it came, by the system's clock.
    pub recorded_at: Timestamp,
    /// Its headers, names in small letters; never those that proved it.
    pub headers: Vec<(String, String)>,
    /// Its body, byte for byte.
    pub body: Bytes,
}

/// What is recorded stays until somebody has it forgotten, whatever becomes of the hook and however old it is. It is written
/// in the step that stores the hook ([`super::Arrival::records`]), unless there is room for the hook alone.
pub trait Recordings {
    /// All that is recorded, by route, forge and event.
    fn recordings(&self) -> Answer<'_, Vec<Recording>>;

    /// The recorded hook of an event, where there is one.
    fn recording<'a>(&'a self, route: &'a str, forge: &'a str, event: &'a str) -> Answer<'a, Option<Recorded>>;

    /// Forgets the recorded hook of an event, so that the next one is recorded; says whether there was one.
    fn forget_recording<'a>(&'a self, route: &'a str, forge: &'a str, event: &'a str) -> Answer<'a, bool>;
}
