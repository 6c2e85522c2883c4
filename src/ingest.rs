//! Takes hooks in: receive, authenticate, identify, store, answer.
//!
//! Invariant: an answer of 200 `stored` means that the store has the hook and every delivery of it.

mod answer;
mod body;
mod branch;
mod bucket;
mod connection;
mod failures;
mod farewell;
mod frames;
mod front;
mod gate;
mod head;
mod server;
mod signed;
mod written;

use crate::config::{Access, Destination, Format, Limits};
use crate::doorbell::Doorbells;
use crate::forge::{Forge, Forges, Header};
use crate::loop_guard::{HOPS_HEADER, MAX_HOPS};
use crate::mapping::json::Document;
use crate::metrics::Metrics;
use crate::rules::{LiveRules, Rules};
use crate::store::{Hook, Store};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

pub use answer::Answer;
pub use gate::Gate;
pub use server::serve;

/// A route as `ingest` uses it.
#[derive(Debug)]
pub struct Route {
    /// Its path.
    pub path: String,
    /// The forges whose hooks it takes.
    pub accept: Vec<String>,
    /// What opens it.
    pub access: Access,
    /// Who may send to it beside that, and how often.
    pub gate: Gate,
    /// Its destinations.
    pub to: Vec<Arc<Destination>>,
}

/// Everything that taking a hook in needs.
pub struct Ingest {
    /// The routes by path.
    pub routes: HashMap<String, Route>,
    /// The rules in force.
    pub rules: LiveRules,
    /// Where hooks are kept.
    pub store: Arc<dyn Store>,
    /// The workers' bells.
    pub doorbells: Doorbells,
    /// The numbers that are counted.
    pub metrics: Metrics,
    /// What may come in.
    pub limits: Limits,
}

/// A request that is known to come from somebody who may send hooks.
pub(crate) struct Received {
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Vec<u8>,
}

impl Ingest {
    /// Whether a request's headers have a secret of a route, if one is asked for.
    pub(crate) fn is_authentic<'h>(rules: &Rules, route: &Route, header: impl Fn(&str) -> Vec<&'h [u8]>) -> bool {
        let Some(secrets) = &route.access.secrets else { return true };
        // Every proof is looked at, whichever fits first, so that the time tells nothing.
        let forges = rules.forges.iter().filter(|forge| route.accept.iter().any(|name| name == forge.name()));
        forges.flat_map(|forge| forge.proofs()).fold(false, |opened, proof| {
            header(proof.header()).into_iter().fold(opened, |opened, value| opened | proof.accepts(value, secrets))
        })
    }

    /// Identifies and stores a hook; the answer says what became of it.
    pub(crate) async fn take(&self, rules: &Rules, route: &Route, mut received: Received) -> Answer {
        let id = Uuid::now_v7();
        if received.body.is_empty() {
            return Answer::bad_request("the body is empty; a hook is a JSON object");
        }
        let planned = {
            let document = match Document::parse(&received.body) {
                Ok(document) if document.root().is_object() => document,
                Ok(_) => return Answer::bad_request("the body is JSON, but not an object; a hook is a JSON object"),
                Err(error) if error.is_too_deep => return Answer::too_deep(error.line, error.column),
                Err(error) => return Answer::bad_request(format!("the body is not JSON: {error}")),
            };
            plan(rules, route, &document, &received.headers)
        };
        let (forge, identity, hops, destinations) = match planned {
            Ok(plan) => plan,
            Err(ignored) => return self.ignore(id, ignored),
        };
        self.metrics.hooks.with_label_values(&[&*route.path, forge.name()]).inc();
        let (wanted, refused): (Vec<_>, Vec<_>) = destinations.into_iter().partition(|(_, refusal)| refusal.is_none());
        for (destination, refusal) in &refused {
            self.count_ignored(destination, refusal.as_ref());
            let reason = refusal.as_ref().map_or("", |refusal| refusal.text.as_str());
            tracing::info!(hook = id.to_string(), destination, event = identity.event, reason, "ignored");
        }
        if wanted.is_empty() {
            let reason =
                refused.into_iter().find_map(|(_, refusal)| refusal).map_or_else(String::new, |refusal| refusal.text);
            let answer = Answer::ignored(id, reason);
            return answer.about(forge.name(), &identity.event);
        }
        received.headers.retain(|(name, _)| !is_proof(&rules.forges, name));
        let event = identity.event.clone();
        let hook = Hook {
            id,
            route: route.path.clone(),
            forge: forge.name().to_owned(),
            event: identity.event,
            project: identity.project,
            instance: identity.instance,
            delivery_key: identity.delivery_key,
            hops,
            received_at: Timestamp::now(),
            headers: received.headers,
            body: received.body,
        };
        let names: Vec<String> = wanted.into_iter().map(|(name, _)| name).collect();
        let bells: Vec<Arc<Notify>> = names.iter().filter_map(|name| self.doorbells.get(name).cloned()).collect();
        match self.store.append(hook, names).await {
            Ok(()) => {
                for bell in bells {
                    bell.notify_one();
                }
                Answer::stored(id).about(forge.name(), &event)
            }
            Err(error) => Answer::unavailable(format!("the hook cannot be stored: {error}")),
        }
    }

    fn ignore(&self, id: Uuid, refusal: Refusal) -> Answer {
        self.count_ignored("", Some(&refusal));
        Answer::ignored(id, refusal.text)
    }

    fn count_ignored(&self, destination: &str, refusal: Option<&Refusal>) {
        if let Some(refusal) = refusal {
            self.metrics.ignored.with_label_values(&[destination, refusal.kind]).inc();
            if !destination.is_empty() {
                self.metrics.deliveries.with_label_values(&[destination, "ignored"]).inc();
            }
        }
    }
}

/// Whether a header proves who is calling, so that it is not kept.
fn is_proof(forges: &Forges, header: &str) -> bool {
    header == "authorization"
        || header == "cookie"
        || forges.iter().any(|forge| forge.proving_headers().any(|own| own == header))
}

type Plan = (Arc<Forge>, crate::forge::Identity, u32, Vec<(String, Option<Refusal>)>);

/// Whose hook it is, what it is called, and which destinations get it.
fn plan(rules: &Rules, route: &Route, document: &Document<'_>, headers: &[Header]) -> Result<Plan, Refusal> {
    let Some(forge) = rules.forges.recognise(&route.accept, document.root(), headers) else {
        return Err(Refusal::new("unrecognised", format!("not a hook of {}", route.accept.join(" or "))));
    };
    let identity = forge
        .identify(document.root(), headers)
        .map_err(|failure| Refusal::new("unreadable", format!("the hook cannot be read: {failure}")))?;
    let hops = hops(headers)?;
    if hops >= MAX_HOPS {
        let text = format!("it has passed {hops} hookglots and goes in a circle: a destination leads back to a route");
        return Err(Refusal::new("loop", text));
    }
    let destinations = route
        .to
        .iter()
        .map(|to| {
            let held_back = || branch::held_back(to, forge, &identity.event, document.root(), headers);
            (to.name.clone(), refusal(to, forge, &identity.event, identity.project.is_some(), held_back))
        })
        .collect();
    Ok((Arc::clone(forge), identity, hops, destinations))
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
        Refusal::new("bad_hops", text.to_owned())
    })
}

/// Why a hook is ignored: a word for the metric and a sentence for the person.
#[derive(Debug)]
struct Refusal {
    kind: &'static str,
    text: String,
}

impl Refusal {
    fn new(kind: &'static str, text: String) -> Self {
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
                "not_listed",
                format!("the destination {} does not list the event {event}", to.name),
            ));
        }
    } else if let Some(reason) = forge.unlisted(event) {
        return Some(Refusal::new("unlisted", reason.to_owned()));
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
            "no_project",
            format!("the {event} names no project, and the destination's format wants one"),
        ));
    }
    None
}
