//! The routes and destinations in force, and how they do.

use super::Desk;
use super::access::Reader;
use super::bare::Bare;
use super::problem::{Problem, Refusal};
use crate::config::{Ack, Destination, Format};
use crate::ingest::Route;
use crate::metrics::Outcome;
use crate::store::QueueState;
use actix_web::web::{Data, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A path on which hooks come in, and where they go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteShown {
    /// The path.
    pub path: String,
    /// The forges whose hooks are taken.
    pub accept: Vec<String>,
    /// When a forge gets its answer: `stored` or `delivered`.
    pub ack: String,
    /// Whether anybody may send: it asks for no secret and no signature.
    pub open: bool,
    /// Whether it asks for a signature.
    pub signed: bool,
    /// Where its hooks go.
    pub destinations: Vec<DestinationShown>,
}

/// How a destination does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthShown {
    /// The latest attempt arrived.
    Ok,
    /// The latest attempt failed.
    Failing,
    /// It does not answer: its breaker is open, and it is only probed.
    Down,
}

/// A destination, and how it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DestinationShown {
    /// Its name.
    pub name: String,
    /// Where it is, without secrets.
    pub url: String,
    /// The forge whose format it is sent, or `other`.
    pub format: String,
    /// The events that it wants; null where it lists none.
    pub events: Option<Vec<String>>,
    /// The branches and tags that it wants to hear of; null where it wants all.
    pub branch_filter: Option<String>,
    /// The overlays that are laid over what it is sent.
    pub overlays: Vec<String>,
    /// Whether the hooks of a project are delivered one after another (`project`) or not (`free`).
    pub order: String,
    /// How it does; null while nothing was sent to it since the start.
    pub health: Option<HealthShown>,
    /// Whether it is only probed.
    pub breaker_open: bool,
    /// How many deliveries wait or are under way.
    pub pending: u64,
    /// For how long the oldest of them has waited; null when there is none.
    pub oldest_pending_seconds: Option<f64>,
    /// When the latest attempt that arrived was made, since the start.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_delivered_at: Option<Timestamp>,
    /// When the latest attempt that failed was made, since the start.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_failed_at: Option<Timestamp>,
    /// What that one met.
    pub last_error: Option<String>,
    /// What came of deliveries since the start.
    pub since_start: TotalsShown,
}

/// How many there were since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TotalsShown {
    /// Deliveries that arrived.
    pub delivered: u64,
    /// Deliveries that were given up.
    pub failed: u64,
    /// Deliveries that were not for it.
    pub ignored: u64,
    /// Attempts that were followed by another.
    pub retried: u64,
}

/// The routes in force with their destinations, and how those do.
#[utoipa::path(
    get, path = "/api/v1/routes", tag = "state",
    responses(
        (status = 200, description = "The routes, by path", body = Vec<RouteShown>),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn routes(_: Reader, _: Bare, desk: Data<Desk>) -> Result<Json<Vec<RouteShown>>, Refusal> {
    let queues = desk.store.queues().await?;
    let routes = desk.routes.load();
    let mut shown: Vec<RouteShown> = routes.values().map(|route| of_route(&desk, route, &queues)).collect();
    shown.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(Json(shown))
}

fn of_route(desk: &Desk, route: &Route, queues: &[QueueState]) -> RouteShown {
    let ack = match route.ack {
        Ack::Stored => "stored",
        Ack::Delivered => "delivered",
    };
    RouteShown {
        path: route.path.clone(),
        accept: route.accept.clone(),
        ack: ack.to_owned(),
        open: route.access.is_open(),
        signed: !route.access.signing_keys.is_empty(),
        destinations: route.to.iter().map(|to| of_destination(desk, to, queues)).collect(),
    }
}

fn of_destination(desk: &Desk, to: &Destination, queues: &[QueueState]) -> DestinationShown {
    let (latest, breaker_open) = (desk.health.of(to), breaker_is_open(desk, &to.name));
    let queue = queues.iter().find(|queue| queue.destination == to.name);
    let oldest = queue.and_then(|queue| queue.oldest);
    let age = oldest.map(|oldest| desk.clock.now().duration_since(oldest).as_secs_f64().max(0.0));
    let format = match &to.format {
        Format::Forge(name) => name,
        Format::Other => "other",
    };
    let health = match latest.has_failed {
        _ if breaker_open => Some(HealthShown::Down),
        Some(true) => Some(HealthShown::Failing),
        Some(false) => Some(HealthShown::Ok),
        None => None,
    };
    DestinationShown {
        name: to.name.clone(),
        url: to.url.to_string(),
        format: format.to_owned(),
        events: to.events.clone(),
        branch_filter: to.branch_filter.as_ref().map(ToString::to_string),
        overlays: to.overlays.clone(),
        order: if to.queueing.in_order { "project" } else { "free" }.to_owned(),
        health,
        breaker_open,
        pending: queue.map_or(0, |queue| queue.pending),
        oldest_pending_seconds: age,
        last_delivered_at: latest.delivered_at,
        last_failed_at: latest.failed_at,
        last_error: latest.error,
        since_start: totals(desk, &to.name),
    }
}

fn breaker_is_open(desk: &Desk, name: &str) -> bool {
    desk.metrics.breaker_open.with_label_values(&[name]).get() > 0
}

fn totals(desk: &Desk, name: &str) -> TotalsShown {
    let ended = |outcome: Outcome| desk.metrics.deliveries.with_label_values(&[name, outcome.word()]).get();
    TotalsShown {
        delivered: ended(Outcome::Delivered),
        failed: ended(Outcome::Failed),
        ignored: ended(Outcome::Ignored),
        retried: desk.metrics.retries.with_label_values(&[name]).get(),
    }
}
