//! What the admin API answers with, as JSON.

use crate::store::{Attempt, Counts, DeliveryRecord, DeliveryRow, HookRecord, HookRow, MadeBy, Outgoing, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::masked;

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateShown {
    /// It waits, or is under way.
    Pending,
    /// The destination has it.
    Delivered,
    /// It is not for the destination.
    Ignored,
    /// It was given up.
    Failed,
}

impl From<State> for StateShown {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Delivered => Self::Delivered,
            State::Ignored => Self::Ignored,
            State::Failed => Self::Failed,
        }
    }
}

impl From<StateShown> for State {
    fn from(state: StateShown) -> Self {
        match state {
            StateShown::Pending => Self::Pending,
            StateShown::Delivered => Self::Delivered,
            StateShown::Ignored => Self::Ignored,
            StateShown::Failed => Self::Failed,
        }
    }
}

/// A header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeaderShown {
    /// Its name.
    pub name: String,
    /// Its value; `[hidden]` where it may be a secret.
    pub value: String,
}

fn headers(headers: &[(String, String)]) -> Vec<HeaderShown> {
    headers.iter().map(|(name, value)| HeaderShown { name: name.clone(), value: value.clone() }).collect()
}

/// Headers of an attempt, their names as they stand on the wire: `X-Gitlab-Event`.
fn on_the_wire(of: &[(String, String)]) -> Vec<HeaderShown> {
    // What is hidden in the hook is hidden where it was passed on, too.
    masked::headers(of).into_iter().map(|(name, value)| HeaderShown { name: titled(&name), value }).collect()
}

fn titled(name: &str) -> String {
    let mut is_first = true;
    let letter = |character: char| {
        let shown = if is_first { character.to_ascii_uppercase() } else { character };
        is_first = character == '-';
        shown
    };
    name.chars().map(letter).collect()
}

/// Bytes: as a text where they are one, else in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Content {
    /// The text, byte for byte.
    pub text: Option<String>,
    /// The bytes in base64, where they are no text in UTF-8.
    pub base64: Option<String>,
    /// How many bytes it has.
    pub size: u64,
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).ok().map(str::to_owned);
        let base64 = text.is_none().then(|| STANDARD.encode(bytes));
        Self { text, base64, size: bytes.len() as u64 }
    }
}

/// A hook without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HookShown {
    /// Its id.
    pub id: Uuid,
    /// The path of the route that it came in on.
    pub route: String,
    /// The forge that sent it; empty when none is recognised.
    pub forge: String,
    /// The event, in the forge's words.
    pub event: String,
    /// What stands for the project.
    pub project: Option<String>,
    /// The installation that sent it, by host.
    pub instance: Option<String>,
    /// The forge's own key of the delivery.
    pub delivery_key: Option<String>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// How many bytes its body has.
    pub size: u64,
    /// The hook that it is a duplicate of.
    pub duplicate_of: Option<Uuid>,
    /// Why no destination was asked.
    pub ignored: Option<String>,
    /// When its content was erased.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub erased_at: Option<Timestamp>,
}

impl From<HookRow> for HookShown {
    fn from(row: HookRow) -> Self {
        let HookRow { id, route, forge, event, project, instance, delivery_key, received_at, size, .. } = row;
        let HookRow { duplicate_of, ignored, erased_at, .. } = row;
        Self {
            id,
            route,
            forge,
            event,
            project,
            instance,
            delivery_key,
            received_at,
            size,
            duplicate_of,
            ignored,
            erased_at,
        }
    }
}

/// A delivery without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryShown {
    /// Its id.
    pub id: Uuid,
    /// Its hook.
    pub hook: HookShown,
    /// The name of the destination.
    pub destination: String,
    /// How far it is.
    pub state: StateShown,
    /// Why it was ignored or given up.
    pub reason: Option<String>,
    /// How many attempts counted.
    pub attempts: u32,
    /// How many only probed whether the destination is back.
    pub probes: u32,
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    pub accepted_at: Timestamp,
    /// When it is tried next; none when it has ended, or waits for the one before it of its project.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Whether it was parked, as it kept others of its project waiting.
    pub parked: bool,
    /// The delivery that it repeats.
    pub resend_of: Option<Uuid>,
    /// The latest delivery that repeats it.
    pub resent_as: Option<Uuid>,
    /// The key under which it is sent.
    pub key: String,
    /// The status that its latest attempt brought.
    pub last_status: Option<u16>,
    /// What its latest attempt met; empty when it went well.
    pub last_error: Option<String>,
}

impl From<DeliveryRow> for DeliveryShown {
    fn from(row: DeliveryRow) -> Self {
        let (last_status, last_error) = row.last.map_or((None, None), |(status, error)| (status, Some(error)));
        Self {
            id: row.id,
            hook: row.hook.into(),
            destination: row.destination,
            state: row.state.into(),
            reason: row.reason,
            attempts: row.attempts,
            probes: row.probes,
            accepted_at: row.accepted_at,
            due: row.due,
            ended_at: row.ended_at,
            parked: row.is_parked,
            resend_of: row.resend_of,
            resent_as: row.resent_as,
            key: row.key,
            last_status,
            last_error,
        }
    }
}

/// A page of a list, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PageShown<T> {
    /// What was found.
    pub items: Vec<T>,
    /// What to ask for as `before` to go on; null at the end. A page may be short, or empty, and still go on: it ends after
    /// a second of looking.
    pub next: Option<i64>,
}

/// A part of a list, in the order of ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedShown<T> {
    /// What was found.
    pub items: Vec<T>,
    /// What to ask for as `after` to go on; null at the end. A part may be short, or empty, and still go on.
    pub next: Option<String>,
}

/// How many deliveries there are of each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CountsShown {
    /// Those that wait or are under way.
    pub pending: u64,
    /// Those that their destination has.
    pub delivered: u64,
    /// Those that were not for their destination.
    pub ignored: u64,
    /// Those that were given up.
    pub failed: u64,
    /// What to ask for as `before` to count the rest; null when all are counted.
    pub next: Option<i64>,
}

impl From<Counts> for CountsShown {
    fn from(counts: Counts) -> Self {
        let Counts { pending, delivered, ignored, failed, next } = counts;
        Self { pending, delivered, ignored, failed, next }
    }
}

/// A hook with its content and its deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WholeHook {
    /// The hook.
    #[serde(flatten)]
    pub hook: HookShown,
    /// How often it has passed a hookglot before.
    pub hops: u32,
    /// Its headers, without those that proved it, which are never kept.
    pub headers: Vec<HeaderShown>,
    /// Its body as it came.
    pub body: Content,
    /// What was known of the object that it is about when it came, a JSON object.
    pub seen: Option<String>,
    /// Its deliveries, in the order in which they were made.
    pub deliveries: Vec<DeliveryShown>,
}

impl From<HookRecord> for WholeHook {
    fn from(record: HookRecord) -> Self {
        let HookRecord { hook, row, deliveries } = record;
        Self {
            hook: row.into(),
            hops: hook.hops,
            headers: headers(&masked::headers(&hook.headers)),
            body: Content::from(&hook.body[..]),
            seen: hook.seen.clone(),
            deliveries: deliveries.into_iter().map(Into::into).collect(),
        }
    }
}

/// What a delivery sends: the same bytes with each attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutgoingShown {
    /// The mapping that made it, with its overlays; none when the hook passes through as it came.
    pub mapping: Option<String>,
    /// The SHA-256 of their files.
    pub mapping_sha256: Option<String>,
    /// The headers that name the event, and those that pass through.
    pub headers: Vec<HeaderShown>,
    /// The body.
    pub body: Content,
}

impl From<&Outgoing> for OutgoingShown {
    fn from(outgoing: &Outgoing) -> Self {
        let made_by = outgoing.mapping.clone().map(|MadeBy { name, sha256 }| (name, sha256));
        let (mapping, mapping_sha256) = made_by.unzip();
        let headers = headers(&outgoing.headers);
        Self { mapping, mapping_sha256, headers, body: Content::from(&outgoing.body[..]) }
    }
}

/// A request that was sent, and what came back. The body of the request is the delivery's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AttemptShown {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub elapsed_ms: f64,
    /// The status that came back.
    pub status: Option<u16>,
    /// Why it did not go well; empty when it did.
    pub error: String,
    /// Whether it only probed, and spent none of the retries.
    pub probe: bool,
    /// The headers that were sent; the destination's secrets are hidden.
    pub request_headers: Vec<HeaderShown>,
    /// The headers that came back.
    pub response_headers: Vec<HeaderShown>,
    /// The beginning of the body that came back (`limits.kept_answer`).
    pub response_body: Content,
    /// Whether there was more of it.
    pub response_cut: bool,
}

impl From<Attempt> for AttemptShown {
    fn from(attempt: Attempt) -> Self {
        let exchange = attempt.exchange;
        Self {
            at: attempt.at,
            elapsed_ms: attempt.took.as_secs_f64() * 1000.0,
            status: attempt.status,
            error: attempt.error,
            probe: attempt.is_probe,
            request_headers: on_the_wire(&exchange.request_headers),
            response_headers: on_the_wire(&exchange.response_headers),
            response_body: Content::from(&exchange.response_body[..]),
            response_cut: exchange.response_is_cut,
        }
    }
}

/// A delivery with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WholeDelivery {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: DeliveryShown,
    /// The address that it goes to, without secrets; none when the destination is gone.
    pub url: Option<String>,
    /// The headers of the hook as it came, without those that proved it.
    pub hook_headers: Vec<HeaderShown>,
    /// The body of the hook as it came.
    pub hook_body: Content,
    /// What it sends; none while it is not translated.
    pub outgoing: Option<OutgoingShown>,
    /// Its attempts, the first one first.
    pub attempt_list: Vec<AttemptShown>,
}

impl WholeDelivery {
    /// A delivery that goes to an address.
    #[must_use]
    pub fn of(record: DeliveryRecord, url: Option<String>) -> Self {
        Self {
            url,
            hook_headers: headers(&masked::headers(&record.hook.headers)),
            hook_body: Content::from(&record.hook.body[..]),
            outgoing: record.outgoing.as_deref().map(Into::into),
            attempt_list: record.attempts.into_iter().map(Into::into).collect(),
            delivery: record.row.into(),
        }
    }
}
