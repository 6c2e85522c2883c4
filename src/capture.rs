//! Makes an example of a hook that really came: everything that tells of somebody is replaced by something invented.
//!
//! Invariant: what stays of a text is declared harmless by the forge file, or has the shape of a time or a short number.
//! Whatever else there is becomes something that is counted, not computed from it: nobody can find out what stood there. The
//! same becomes the same everywhere in one hook.

mod invented;
mod names;
mod shapes;
mod texts;
mod written;

use crate::forge::{Forge, Header};
use crate::mapping::json::{Document, SyntaxError};
use texts::Replacing;

/// A hook as an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// Its event, which is that of the hook.
    pub event: String,
    /// The installation that the example names, where the hook names one.
    pub instance: Option<String>,
    /// Those of its headers, in small letters, that an event is known by.
    pub headers: Vec<Header>,
    /// The text of a file in `examples/`: the body, with an end of line behind it.
    pub body: String,
    /// What was known before of its object, a JSON object: `seen` of an example.
    pub seen: Option<String>,
}

/// Why no example can be made of a hook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncaptured {
    /// It cannot be read.
    #[error("the hook is not JSON: {0}")]
    Unreadable(#[from] SyntaxError),
    /// What names its event is something that is replaced.
    #[error(
        "with what is private replaced it is no hook of the event `{event}` any more: declare the field that names the event \
         under `plain` in `private` of {forge}/forge.yaml"
    )]
    OtherEvent {
        /// The forge that sent it.
        forge: String,
        /// The event of the hook.
        event: String,
    },
}

/// A hook of which an example is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Original<'h> {
    /// The forge that sent it.
    pub forge: &'h Forge,
    /// Its event.
    pub event: &'h str,
    /// The installation that sent it, by host.
    pub instance: Option<&'h str>,
    /// Its headers, names in small letters.
    pub headers: &'h [Header],
    /// Its body.
    pub body: &'h [u8],
    /// What was known of its object before it, a JSON object.
    pub seen: Option<&'h str>,
}

/// Makes an example of a hook.
///
/// # Errors
/// When the hook cannot be read, or its event could not be told any more.
pub fn capture(original: &Original<'_>) -> Result<Captured, Uncaptured> {
    let Original { forge, event, .. } = *original;
    let document = Document::parse(original.body)?;
    let seen = original.seen.map(|seen| Document::parse(seen.as_bytes())).transpose()?;
    let mut replacing = Replacing::new(forge.private(), original.instance);
    // Twice: what only the end of a hook tells to be a name is one at its beginning, too.
    let _ = written::pretty(document.root(), &mut replacing);
    let mut body = written::pretty(document.root(), &mut replacing);
    body.push('\n');
    let seen = seen.map(|seen| written::pretty(seen.root(), &mut replacing));
    let of_event = |(name, _): &&Header| Some(name.as_str()) == forge.event_header();
    let headers = original.headers.iter().filter(of_event).cloned().collect();
    let captured = Captured { event: event.to_owned(), instance: None, headers, body, seen };
    named_as_before(captured, forge)
}

/// The example, with what the forge file reads in it, when that is the event of the hook.
fn named_as_before(captured: Captured, forge: &Forge) -> Result<Captured, Uncaptured> {
    let document = Document::parse(captured.body.as_bytes())?;
    let recognised = forge.recognises(document.root(), &captured.headers);
    let identity = forge.identify(document.root(), &captured.headers).ok();
    match identity.filter(|identity| recognised && identity.event == captured.event) {
        Some(identity) => Ok(Captured { instance: identity.instance, ..captured }),
        None => Err(Uncaptured::OtherEvent { forge: forge.name().to_owned(), event: captured.event }),
    }
}

#[cfg(test)]
mod tests;
