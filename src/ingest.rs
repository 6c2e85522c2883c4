//! Takes hooks in: receive, authenticate, identify, store, answer.
//!
//! Invariant: an answer of 200 `stored` means that the store has the hook and every delivery of it.

mod answer;
mod arrival;
mod body;
mod branch;
mod budget;
mod caller;
mod connection;
mod exchange;
mod failures;
mod farewell;
mod frames;
mod front;
mod gate;
mod head;
mod heads;
mod patience;
mod plan;
mod server;
mod signed;
mod tls;
mod traced;
mod wire;
mod written;

use crate::acks::{Acks, Awaited};
use crate::clock::Clock;
use crate::config::{Access, Ack, Destination, Duplicates, Forwarding, Limits};
use crate::doorbell::Doorbells;
use crate::feed::{Feed, Happening};
use crate::forge::{Header, Lesson};
use crate::mapping::Failure;
use crate::mapping::json::Document;
use crate::metrics::{Metrics, Outcome};
use crate::rules::{LiveRules, Rules};
use crate::store::{Appended, Arrival, Hook, Store};
use crate::traces::Traces;
use arc_swap::ArcSwap;
use arrival::Stamp;
use plan::{Destined, Planned, Refusal, plan};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use traced::Traced;
use uuid::Uuid;

pub use answer::Answer;
// For the fuzzer, as what follows.
#[doc(hidden)]
pub use caller::address as caller_address;
#[doc(hidden)]
pub use frames::Frames;
pub use gate::Gate;
pub use heads::Heads;
pub use patience::Patience;
pub use server::serve;
pub use tls::{Acceptor, Certificate};

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
    /// When the forge gets its answer.
    pub ack: Ack,
    /// Which hooks count as the same.
    pub duplicates: Duplicates,
    /// For how long after its delivery a hook makes others duplicates.
    pub duplicate_window: Duration,
    /// Whether it keeps the first hook of each event.
    pub records: bool,
    /// Its destinations.
    pub to: Vec<Arc<Destination>>,
}

/// How long a forge is kept waiting for what the tools say: GitLab gives up after 10 s.
const ACK_PATIENCE: Duration = Duration::from_secs(8);

/// The routes in force, by path.
pub type Routes = Arc<ArcSwap<HashMap<String, Arc<Route>>>>;

/// Everything that taking a hook in needs.
pub struct Ingest {
    /// The routes by path; a reload of the configuration puts others in their place.
    pub routes: Routes,
    /// The rules in force.
    pub rules: LiveRules,
    /// Where hooks are kept.
    pub store: Arc<dyn Store>,
    /// What the time of all deliveries is read from.
    pub clock: Clock,
    /// Who waits for first attempts.
    pub acks: Acks,
    /// What the forges were told last.
    pub patience: Patience,
    /// The heads that are on their way, which a stop waits for.
    pub heads: Heads,
    /// The workers' bells.
    pub doorbells: Doorbells,
    /// The numbers that are counted.
    pub metrics: Metrics,
    /// Where it is told what happens.
    pub feed: Feed,
    /// Where spans are told.
    pub traces: Traces,
    /// What may come in.
    pub limits: Limits,
    /// Whether it is remembered what hooks teach.
    pub learns: bool,
    /// Whose word is taken for where a request came from; a reload of the configuration puts another in its place.
    pub forwarding: Arc<ArcSwap<Forwarding>>,
    /// What speaks TLS with those who come; without it nobody does.
    pub tls: Option<Acceptor>,
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
            let values = header(proof.header());
            // One request is one try.
            let given = values.first().filter(|first| values.iter().all(|value| value == *first));
            opened | given.is_some_and(|value| proof.accepts(value, secrets))
        })
    }

    /// Identifies and stores a hook; the answer says what became of it.
    pub(crate) async fn take(&self, rules: &Rules, route: &Route, received: Received) -> Answer {
        if received.body.is_empty() {
            return Answer::bad_request("the body is empty; a hook is a JSON object");
        }
        let stamp = Stamp::now();
        let planned = {
            let document = match Document::parse(&received.body) {
                Ok(document) if document.root().is_object() => document,
                Ok(_) => return Answer::bad_request("the body is JSON, but not an object; a hook is a JSON object"),
                Err(error) if error.is_too_deep => return Answer::too_deep(error.line, error.column),
                Err(error) => return Answer::bad_request(format!("the body is not JSON: {error}")),
            };
            plan(rules, route, stamp, self.learns, &document, &received.headers)
        };
        let hook = arrival::hook(rules, route, stamp, received, planned.as_ref().ok());
        let mut traced = Traced::of(&self.traces, &hook);
        let mut answer = match planned {
            Ok(planned) => self.deliver(route, hook, planned, traced.as_deref_mut()).await,
            Err(ignored) => self.ignore(route, hook, ignored, traced.as_deref()).await,
        };
        answer.traced = traced;
        answer
    }

    /// Stores a hook for its destinations.
    async fn deliver(&self, route: &Route, hook: Hook, planned: Planned, traced: Option<&mut Traced>) -> Answer {
        let Planned { destinations, lesson, .. } = planned;
        let lesson = self.lesson(&hook, lesson);
        let (id, forge, event) = (hook.id, hook.forge.clone(), hook.event.clone());
        let project = hook.project.clone();
        let about = About { id, forge: &forge, event: &event, project: project.as_deref() };
        let plans = arrival::plans(&destinations);
        let names: Vec<&str> =
            destinations.iter().filter(|(_, refusal)| refusal.is_none()).map(|(to, _)| to.name.as_str()).collect();
        let awaited = (route.ack == Ack::Delivered && !names.is_empty())
            .then(|| self.acks.expect(id, names.iter().map(|name| (*name).to_owned())));
        let arrival = arrival::arrival(hook, route, plans, lesson, self.clock.now());
        let stored = match self.store_traced(arrival, traced.as_deref()).await {
            Err(refused) if !names.is_empty() => return refused,
            stored => stored,
        };
        self.metrics.hooks.with_label_values(&[&*route.path, &forge]).inc();
        let trace = traced.as_deref().map(Traced::name);
        if let (Some(traced), Ok(Appended::Stored { queue_full })) = (traced, &stored) {
            traced.note(&destinations, queue_full);
        }
        let answer = match stored {
            Ok(Appended::Duplicate { of }) => {
                self.metrics.duplicates.with_label_values(&[&route.path]).inc();
                self.tell(route, &about, "duplicate", Some(&format!("a duplicate of {of}")));
                Answer::duplicate(id, of)
            }
            Ok(Appended::Stored { queue_full }) if !names.is_empty() => {
                self.count_refusals(id, &event, &destinations, trace.as_deref());
                self.tell(route, &about, "stored", None);
                self.tell_full(id, &event, &queue_full, trace.as_deref());
                for name in names {
                    self.doorbells.ring(name);
                }
                self.when_acknowledged(id, awaited).await
            }
            // Nobody gets it. That it could not be recorded is told and counted; the forge could do nothing about it.
            Ok(Appended::Stored { .. }) | Err(_) => {
                let answer = self.nobodys(id, &event, &destinations, trace.as_deref());
                self.tell(route, &about, "ignored", first_reason(&destinations));
                answer
            }
        };
        answer.about(&forge, &event)
    }

    /// What a hook teaches. One from which nothing can be learned is delivered all the same.
    fn lesson(&self, hook: &Hook, lesson: Result<Lesson, Failure>) -> Option<Lesson> {
        let (id, event, route) = (hook.id.to_string(), &hook.event, &hook.route);
        let unlearned = || self.metrics.unlearned.with_label_values(&[&*hook.route, &hook.forge]).inc();
        match lesson {
            Ok(lesson) => {
                let unkept = lesson.object.as_ref().map(|told| told.unkept.join(", ")).unwrap_or_default();
                if !unkept.is_empty() {
                    unlearned();
                    tracing::warn!(
                        hook = id,
                        route,
                        event,
                        unkept,
                        "too long to be remembered: what changes in it is not told"
                    );
                }
                (!lesson.is_empty()).then_some(lesson)
            }
            Err(failure) => {
                unlearned();
                tracing::warn!(hook = id, route, event, %failure, "nothing is learned of this hook");
                None
            }
        }
    }

    /// The answer when the hook is stored, or when each destination was tried once.
    async fn when_acknowledged(&self, id: Uuid, awaited: Option<Awaited>) -> Answer {
        let Some(mut awaited) = awaited else { return Answer::stored(id) };
        match tokio::time::timeout(ACK_PATIENCE, awaited.worst()).await {
            Ok(Some(first)) if first.status == 200 => Answer::delivered(id),
            Ok(Some(first)) => Answer::not_delivered(id, first.status, first.message),
            // Nobody knows yet.
            Ok(None) | Err(_) => Answer::stored(id),
        }
    }

    /// A hook that no destination gets.
    fn nobodys(&self, id: Uuid, event: &str, destinations: &[Destined], trace: Option<&str>) -> Answer {
        self.count_refusals(id, event, destinations, trace);
        Answer::ignored(id, first_reason(destinations).unwrap_or_default())
    }

    /// Tells those who watch that a hook came in.
    fn tell(&self, route: &Route, about: &About<'_>, status: &str, reason: Option<&str>) {
        self.feed.tell(|| Happening::Hook {
            hook: about.id,
            route: route.path.clone(),
            forge: about.forge.to_owned(),
            event: about.event.to_owned(),
            project: about.project.map(str::to_owned),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
        });
    }

    fn count_refusals(&self, id: Uuid, event: &str, destinations: &[Destined], trace: Option<&str>) {
        for (to, refusal) in destinations {
            let Some(refusal) = refusal else { continue };
            self.count_ignored(&to.name, refusal);
            let (destination, reason) = (&to.name, &refusal.text);
            tracing::info!(hook = id.to_string(), destination, event, reason, trace, "ignored");
        }
    }

    /// Says which deliveries ended at once because their queue is full.
    fn tell_full(&self, id: Uuid, event: &str, queue_full: &[String], trace: Option<&str>) {
        for destination in queue_full {
            self.acks.tell(id, destination, || crate::acks::FirstAttempt {
                status: 503,
                message: format!("{destination}: queue full"),
            });
            self.metrics.deliveries.with_label_values(&[destination.as_str(), Outcome::Failed.word()]).inc();
            self.metrics.failing.with_label_values(&[destination]).set(1);
            let (hook, reason) = (id.to_string(), "queue full");
            tracing::error!(hook, destination, event, reason, trace, "failed");
            self.feed.tell(|| Happening::Ended {
                hook: id,
                delivery: None,
                destination: destination.clone(),
                event: event.to_owned(),
                state: "failed".to_owned(),
                reason: Some(reason.to_owned()),
            });
        }
    }

    /// Records a hook that no destination was asked about. What is ignored needs no room: the forge is told in any case.
    async fn ignore(&self, route: &Route, hook: Hook, refusal: Refusal, traced: Option<&Traced>) -> Answer {
        let id = hook.id;
        self.count_ignored("", &refusal);
        let about = About { id, forge: &hook.forge, event: &hook.event, project: None };
        self.tell(route, &about, "ignored", Some(&refusal.text));
        // An error is told and counted where it comes up.
        let _ = self.store_traced(arrival::ignored(hook, &refusal.text, self.clock.now()), traced).await;
        Answer::ignored(id, refusal.text)
    }

    /// Has the store keep something; the answer says so when it cannot.
    async fn store(&self, arrival: Arrival) -> Result<Appended, Answer> {
        let appended = self.store.append(arrival).await;
        if appended.is_ok() {
            self.metrics.store_down.set(0);
        } else if let Err(error) = &appended {
            let is_known = self.metrics.store_down.get() > 0;
            self.metrics.count_store_error(error);
            if !is_known {
                tracing::error!(%error, "the store takes no hooks: each gets a 503 until it does again");
            }
        }
        appended.map_err(|error| Answer::unavailable(format!("the hook cannot be stored: {error}")))
    }

    fn count_ignored(&self, destination: &str, refusal: &Refusal) {
        self.metrics.ignored.with_label_values(&[destination, refusal.kind.word()]).inc();
        if !destination.is_empty() {
            self.metrics.deliveries.with_label_values(&[destination, Outcome::Ignored.word()]).inc();
        }
    }
}

/// What is told of a hook.
struct About<'h> {
    id: Uuid,
    forge: &'h str,
    event: &'h str,
    project: Option<&'h str>,
}

/// Why the first of the destinations that do not get a hook does not.
fn first_reason(destinations: &[Destined]) -> Option<&str> {
    destinations.iter().find_map(|(_, refusal)| refusal.as_ref()).map(|refusal| refusal.text.as_str())
}
