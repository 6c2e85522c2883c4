//! Finds out of a hook what it is, who gets it and what it teaches.

use super::arrival::{Stamp, whole_seconds};
use super::{Route, branch};
use crate::config::{Destination, Format};
use crate::forge::{Forge, Header, Identity, Lesson};
use crate::loop_guard::{HOPS_HEADER, MAX_HOPS};
use crate::mapping::json::Document;
use crate::mapping::{Failure, HookFacts};
use crate::metrics::Ignored;
use crate::rules::Rules;
use std::sync::Arc;

/// A destination, and why it does not get a hook, when it does not.
pub(super) type Destined = (Arc<Destination>, Option<Refusal>);

/// Whose hook it is, what it is called, which destinations get it, and what it teaches.
pub(super) struct Planned {
    pub(super) forge: Arc<Forge>,
    pub(super) identity: Identity,
    pub(super) hops: u32,
    pub(super) destinations: Vec<Destined>,
    pub(super) lesson: Result<Lesson, Failure>,
}

/// Finds it out.
pub(super) fn plan(
    rules: &Rules,
    route: &Route,
    stamp: Stamp,
    learns: bool,
    document: &Document<'_>,
    headers: &[Header],
) -> Result<Planned, Refusal> {
    let Some(forge) = rules.forges.recognise(&route.accept, document.root(), headers) else {
        return Err(Refusal::new(Ignored::Unrecognised, format!("not a hook of {}", route.accept.join(" or "))));
    };
    let identity = forge
        .identify(document.root(), headers)
        .and_then(|identity| forge.check_event(&identity).map(|()| identity))
        .map_err(|failure| Refusal::new(Ignored::Unreadable, format!("the hook cannot be read: {failure}")))?;
    let hops = hops(headers)?;
    if hops >= MAX_HOPS {
        let text = format!("it has passed {hops} hookglots and goes in a circle: a destination leads back to a route");
        return Err(Refusal::new(Ignored::Loop, text));
    }
    let destinations = route
        .to
        .iter()
        .map(|to| {
            let held_back = || branch::held_back(to, forge, &identity.event, document.root(), headers);
            (Arc::clone(to), refusal(to, forge, &identity.event, identity.project.is_some(), held_back))
        })
        .collect();
    let lesson = if learns { lesson(forge, &identity, stamp, document, headers) } else { Ok(Lesson::default()) };
    Ok(Planned { forge: Arc::clone(forge), identity, hops, destinations, lesson })
}

/// What a hook teaches those that come after it.
fn lesson(
    forge: &Forge,
    identity: &Identity,
    stamp: Stamp,
    document: &Document<'_>,
    headers: &[Header],
) -> Result<Lesson, Failure> {
    let (id, received_at) = (stamp.id.to_string(), whole_seconds(stamp.received_at).to_string());
    let (event, instance) = (&*identity.event, identity.instance.as_deref());
    forge.lesson(HookFacts { id: &id, received_at: &received_at, event, instance }, document.root(), headers)
}

/// How many hookglots a hook has passed. A count that cannot be read ends the hook: taken for none, it would let a hook go in
/// a circle for ever. Nobody but a hookglot sends it.
fn hops(headers: &[Header]) -> Result<u32, Refusal> {
    let counts = headers.iter().filter(|(name, _)| name == HOPS_HEADER).map(|(_, value)| {
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than a count can have are a large number, too.
        if is_number { Ok(value.parse().unwrap_or(u32::MAX)) } else { Err(()) }
    });
    let most = counts.reduce(|one, other| Ok(one?.max(other?))).unwrap_or(Ok(0));
    most.map_err(|()| {
        let text = "the header Hookglot-Hops is not a number, so nobody knows whether the hook goes in a circle: only a \
                    hookglot sends it; look at what stands between the two";
        Refusal::new(Ignored::BadHops, text.to_owned())
    })
}

/// Why a hook is ignored: a word for the metric and a sentence for the person.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) kind: Ignored,
    pub(super) text: String,
}

impl Refusal {
    pub(super) fn new(kind: Ignored, text: String) -> Self {
        Self { kind, text }
    }
}

/// Why a destination does not get an event, when it does not.
fn refusal(
    to: &Destination,
    forge: &Forge,
    event: &str,
    has_project: bool,
    held_back: impl FnOnce() -> Option<Refusal>,
) -> Option<Refusal> {
    if let Some(events) = &to.events {
        if !events.iter().any(|own| own == event) {
            return Some(Refusal::new(
                Ignored::NotListed,
                format!("the destination {} does not list the event {event}", to.name),
            ));
        }
    } else if let Some(reason) = forge.unlisted(event) {
        return Some(Refusal::new(Ignored::Unlisted, reason.to_owned()));
    }
    if let Some(refusal) = held_back() {
        return Some(refusal);
    }
    let translated = match &to.format {
        Format::Forge(name) => name != forge.name(),
        Format::Other => true,
    };
    if translated && !has_project {
        return Some(Refusal::new(
            Ignored::NoProject,
            format!("the {event} names no project, and the destination's format wants one"),
        ));
    }
    None
}
