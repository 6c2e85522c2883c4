//! Examples for mappings, made of hooks that really came, and the hooks that are recorded to make them of.
//!
//! Who may look may make one: an example shows less than the hook, which they may read anyway.

use super::Desk;
use super::access::{Reader, Writer};
use super::bare::Bare;
use super::lists::found_hook;
use super::problem::{Problem, Refusal};
use super::shown::HeaderShown;
use crate::capture::{Captured, Original, capture};
use crate::forge::Header;
use crate::mapping::json::Document;
use crate::rules::{self, Rules};
use crate::store::Deed;
use crate::store::recordings::Recording;
use actix_web::web::{self, Bytes, Data, Json, Path, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// An example of a hook, in which what tells of somebody is replaced by something invented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExampleShown {
    /// The forge that sent the hook.
    pub forge: String,
    /// Its event, in the forge's words.
    pub event: String,
    /// The folder of the mappings for hooks of this forge: the example belongs into its `examples/`.
    pub folder: String,
    /// The installation that the example names, by host: `hook.instance` of the example.
    pub instance: Option<String>,
    /// Those of its headers that the event is known by.
    pub headers: Vec<HeaderShown>,
    /// The text of the file, with an end of line behind it.
    pub body: String,
    /// What was known of its object when it came: `seen` of the example.
    #[schema(value_type = Option<Object>)]
    pub seen: Option<Value>,
}

/// A recorded hook: the first of its event on a route with `record = true`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordingShown {
    /// The path of the route that it came in on.
    pub route: String,
    /// The forge that sent it.
    pub forge: String,
    /// Its event, in the forge's words.
    pub event: String,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
    /// How many bytes its body has.
    pub size: u64,
}

/// All recorded hooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordingsShown {
    /// By route, forge and event.
    pub items: Vec<RecordingShown>,
}

/// Which recorded hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskedRecording {
    /// The path of the route that it came in on.
    pub route: String,
    /// The forge that sent it.
    pub forge: String,
    /// Its event, in the forge's words.
    pub event: String,
}

impl From<Recording> for RecordingShown {
    fn from(recording: Recording) -> Self {
        let Recording { route, forge, event, recorded_at, size } = recording;
        Self { route, forge, event, recorded_at, size }
    }
}

/// What an example is made of.
struct Source {
    forge: String,
    event: String,
    headers: Vec<Header>,
    body: Bytes,
    seen: Option<String>,
}

/// Makes an example of a hook.
#[utoipa::path(
    get, path = "/api/v1/hooks/{id}/example", tag = "capture", params(("id" = Uuid, Path, description = "The hook")),
    responses(
        (status = 200, description = "The example", body = ExampleShown),
        (status = 404, description = "There is no such hook (any more)", body = Problem),
        (status = 409, description = "Its content was erased", body = Problem),
        (status = 422, description = "No example can be made of it", body = Problem),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn example(
    who: Reader,
    _: Bare,
    desk: Data<Desk>,
    id: Path<String>,
) -> Result<Json<ExampleShown>, Refusal> {
    let record = found_hook(&desk, &id).await?;
    if let Some(at) = record.row.erased_at {
        return Err(Refusal::conflict(format!("the content of hook {id} was erased at {at}: nothing is left to show")));
    }
    let (id, hook) = (record.row.id, &record.hook);
    let source = Source {
        forge: hook.forge.clone(),
        event: hook.event.clone(),
        headers: hook.headers.clone(),
        body: hook.body.clone(),
        seen: hook.seen.clone(),
    };
    let shown = made(&desk, source).await?;
    desk.note(&who.0, Deed::Capture, json!({"hook": id})).await;
    Ok(Json(shown))
}

/// The recorded hooks.
#[utoipa::path(
    get, path = "/api/v1/recordings", tag = "capture",
    responses(
        (status = 200, description = "All of them", body = RecordingsShown),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn recordings(_: Reader, _: Bare, desk: Data<Desk>) -> Result<Json<RecordingsShown>, Refusal> {
    let items = desk.store.recordings().await?.into_iter().map(Into::into).collect();
    Ok(Json(RecordingsShown { items }))
}

/// Makes an example of a recorded hook.
#[utoipa::path(
    get, path = "/api/v1/recordings/example", tag = "capture", params(AskedRecording),
    responses(
        (status = 200, description = "The example", body = ExampleShown),
        (status = 404, description = "No such hook is recorded", body = Problem),
        (status = 422, description = "No example can be made of it", body = Problem),
        (status = 503, description = "The store cannot be read", body = Problem),
    ),
)]
pub(super) async fn recorded_example(
    who: Reader,
    desk: Data<Desk>,
    asked: Query<AskedRecording>,
) -> Result<Json<ExampleShown>, Refusal> {
    let AskedRecording { route, forge, event } = &*asked;
    let found = desk.store.recording(route, forge, event).await?.ok_or_else(|| missing(&asked))?;
    let (forge, event) = (forge.clone(), event.clone());
    let shown = made(&desk, Source { forge, event, headers: found.headers, body: found.body, seen: None }).await?;
    desk.note(&who.0, Deed::Capture, json!({"recording": *asked})).await;
    Ok(Json(shown))
}

/// Forgets a recorded hook, so that the next one of its event is recorded.
#[utoipa::path(
    delete, path = "/api/v1/recordings", tag = "capture", params(AskedRecording),
    responses(
        (status = 200, description = "It is forgotten", body = AskedRecording),
        (status = 404, description = "No such hook is recorded", body = Problem),
        (status = 503, description = "The store cannot be written", body = Problem),
    ),
)]
pub(super) async fn forget_recording(
    Writer(who): Writer,
    desk: Data<Desk>,
    asked: Query<AskedRecording>,
) -> Result<Json<AskedRecording>, Refusal> {
    let AskedRecording { route, forge, event } = &*asked;
    if !desk.store.forget_recording(route, forge, event).await? {
        return Err(missing(&asked));
    }
    desk.note(&who, Deed::Erase, json!({"recording": *asked})).await;
    Ok(Json(asked.into_inner()))
}

fn missing(asked: &AskedRecording) -> Refusal {
    let AskedRecording { route, forge, event } = asked;
    Refusal::not_found(format!(
        "no hook of the event `{event}` of {forge} on {route} is recorded: `record = true` on a route keeps the first of each"
    ))
}

/// Makes an example where it keeps nobody else waiting: a hook may be large.
async fn made(desk: &Desk, source: Source) -> Result<ExampleShown, Refusal> {
    let rules = desk.rules.load_full();
    web::block(move || shown(&source, &rules)).await?
}

fn shown(source: &Source, rules: &Rules) -> Result<ExampleShown, Refusal> {
    let Source { forge: name, event, headers, body, seen } = source;
    let known = rules.forges.named(name).zip(rules.forges.other(name));
    let Some((forge, other)) = known.filter(|_| !event.is_empty()) else {
        let error = "no example can be made of it: no forge that the mapping files know sends such hooks";
        return Err(Refusal::unfit(error));
    };
    let instance = Document::parse(body).ok().and_then(|body| forge.identify(body.root(), headers).ok()?.instance);
    let seen = seen.as_deref();
    let original = Original { forge, event, instance: instance.as_deref(), headers, body, seen };
    let made = capture(&original).map_err(|why| Refusal::unfit(format!("no example can be made of it: {why}")))?;
    let Captured { event, instance, headers, body, seen } = made;
    Ok(ExampleShown {
        forge: forge.name().to_owned(),
        event,
        folder: rules::folder(forge.name(), other.name()),
        instance,
        headers: headers.into_iter().map(|(name, value)| HeaderShown { name, value }).collect(),
        body,
        seen: seen.and_then(|seen| serde_json::from_str(&seen).ok()),
    })
}
