//! Sending again, as JSON: what is asked for and what comes of it.

use super::asked::AskedFilter;
use super::shown::{DeliveryShown, OutgoingShown};
use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use utoipa::ToSchema;
use uuid::Uuid;

/// How a delivery is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The same bytes under the same key; what was never translated is translated by the mappings in force.
    #[default]
    AsSent,
    /// Translated anew by the mappings in force, from what the hook had learned; under a new key when the body differs.
    Anew,
}

/// Asks for one delivery to be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AskedResend {
    /// How.
    pub how: How,
    /// With `anew`: the SHA-256 of the body that was shown (`anew_sha256` of the difference). When the mappings have changed
    /// since and make another body, nothing is sent.
    pub expect: Option<String>,
}

/// Asks for a hook to be delivered, whatever became of it: a duplicate, or one that was ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AskedDelivery {
    /// To which destinations of its route; all of them where nothing is said.
    pub destinations: Option<Vec<String>>,
}

/// What became of one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// A new delivery waits in the queue.
    Queued,
    /// The delivery was waiting for its next attempt, which is due now.
    Hurried,
    /// Nothing is sent; the reason says why.
    Refused,
}

/// What became of a delivery that was asked to be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResentShown {
    /// The name of the destination.
    pub destination: String,
    /// What became of it.
    pub status: Fate,
    /// The delivery that is sent now.
    pub delivery: Option<Uuid>,
    /// Why nothing is sent.
    pub reason: Option<String>,
}

/// What became of a hook at each destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResentItems {
    /// One for each destination that was asked for.
    pub items: Vec<ResentShown>,
}

/// What a delivery sends, beside what today's mappings would make of its hook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// What it sends; none when it was never translated.
    pub as_sent: Option<OutgoingShown>,
    /// What the mappings in force make of the hook; none when they make nothing.
    pub anew: Option<OutgoingShown>,
    /// The SHA-256 of that body, to be expected of a resend.
    pub anew_sha256: Option<String>,
    /// Why they make nothing: the mapping's `file:line`, or why the event is ignored.
    pub refused: Option<String>,
    /// Whether both bodies are the same, byte for byte.
    pub same: bool,
    /// The fields that differ, in the order of the bodies.
    pub changes: Vec<Change>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// `commits[0].author.name`, or `header X-Gitlab-Event`.
    pub path: String,
    /// Its JSON text before; none when it was not there.
    pub before: Option<String>,
    /// Its JSON text now; none when it is gone.
    pub after: Option<String>,
}

/// Asks for all deliveries that fit a filter to be sent again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AskedResends {
    /// Which. One that names nothing is refused: it would be everything.
    pub filter: AskedFilter,
    /// How.
    pub how: How,
    /// Only say what would be sent.
    pub dry_run: bool,
    /// How many a second at most, from 1 to 1000; 10 where nothing is said.
    #[schema(minimum = 1, maximum = 1000)]
    #[serde(deserialize_with = "whole_number")]
    pub rate: Option<u16>,
    /// Also those that were sent again before.
    pub again: bool,
}

/// Reads a number; to JSON `10.0` is as whole as `10`.
fn whole_number<'d, D: Deserializer<'d>>(from: D) -> Result<Option<u16>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(from)? else { return Ok(None) };
    let text = number.to_string();
    let whole = text.strip_suffix(".0").unwrap_or(&text).parse();
    whole.map(Some).map_err(|_| Error::custom(format!("expected a whole number, got {text}")))
}

/// What sending again all that fit would do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct ResendPlan {
    /// How many would be sent.
    pub would_send: u64,
    /// Of those, how many would have another body (with `anew`).
    pub would_differ: u64,
    /// How many fit and would not be sent, by reason.
    pub would_refuse: Vec<Refused>,
    /// Whether all that fit were looked at; else these are the newest ones, and more would be sent.
    pub complete: bool,
    /// The newest of those that would be sent.
    pub sample: Vec<DeliveryShown>,
}

/// How many were not sent for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    /// The reason.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// How far sending again is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResendState {
    /// It goes on.
    Running,
    /// All are sent.
    Done,
    /// Somebody stopped it.
    Cancelled,
    /// It could not go on; `error` says why.
    Failed,
}

/// All deliveries that fit a filter, being sent again, the oldest first. It is known until the process ends: what was sent by
/// then is marked, so the same can be asked for once more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResendShown {
    /// Its id.
    pub id: Uuid,
    /// The name of the token that asked for it.
    pub who: String,
    /// What was asked for.
    pub asked: AskedResends,
    /// How far it is.
    pub state: ResendState,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// How many were found that fit.
    pub found: u64,
    /// How many were sent again.
    pub sent: u64,
    /// How many wait until there is room in the queue of their destination.
    #[serde(default)]
    pub waiting: u64,
    /// How many were not, by reason.
    pub refused: Vec<Refused>,
    /// Why it could not go on.
    pub error: Option<String>,
}

/// All calls that are remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResendList {
    /// The newest first.
    pub items: Vec<ResendShown>,
}
