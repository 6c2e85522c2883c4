//! The playground: what would become of a hook. Nothing is stored or sent.

use super::Desk;
use super::access::Reader;
use super::bare::Bare;
use super::explain::Explanation;
use super::problem::{Problem, Refusal};
use super::shown::HeaderShown;
use crate::config::{Destination, Format};
use crate::delivery::{self, Refused, Wanted};
use crate::handmade::{self, HandMade};
use crate::known::{Asking, How, TOO_DEEP};
use crate::mapping::diagnostic::did_you_mean;
use crate::rules::Rules;
use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// A hook to be translated.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedTranslation {
    /// Its body, which is taken byte for byte: a JSON object, or its text.
    #[schema(value_type = HookBody)]
    pub body: Box<RawValue>,
    /// The forge that sent it, where its body does not tell.
    #[serde(default)]
    pub from: Option<String>,
    /// The forge whose format to translate into, or `other`; the destination's, or `other`, where nothing is said.
    #[serde(default)]
    pub to: Option<String>,
    /// What the header says that names the event, where the body does not tell.
    #[serde(default)]
    pub event: Option<String>,
    /// Its other headers, by name.
    #[serde(default)]
    pub headers: HashMap<String, String>,
    /// The overlays to lay over the body; the destination's where nothing is said.
    #[serde(default)]
    pub overlays: Option<Vec<String>>,
    /// What mappings read under `settings`; the destination's where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<HashMap<String, Value>>)]
    pub settings: Option<Map<String, Value>>,
    /// A destination of the configuration, to translate as for it.
    #[serde(default)]
    pub destination: Option<String>,
    /// Whether to say which line made each field.
    #[serde(default)]
    pub explain: bool,
}

/// The body of a hook.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum HookBody {
    /// As JSON.
    Json(HashMap<String, Value>),
    /// As a text.
    Text(String),
}

/// What would become of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BecomesShown {
    /// A mapping makes something of it.
    Translated,
    /// It is sent as it came.
    PassedThrough,
    /// It has no counterpart.
    Ignored,
    /// Nothing can be made of it.
    #[default]
    Failed,
}

/// What a hook is, and what would be sent of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct TranslationShown {
    /// What would become of it.
    pub status: BecomesShown,
    /// The forge that sends such hooks; null when none is recognised.
    pub forge: Option<String>,
    /// The event, in the forge's words.
    pub event: Option<String>,
    /// The mapping that makes the body, with its overlays.
    pub mapping: Option<String>,
    /// The SHA-256 of their files.
    pub sha256: Option<String>,
    /// The headers that name the event, and those that pass through.
    pub headers: Vec<HeaderShown>,
    /// The body that would be sent.
    pub body: Option<String>,
    /// Why nothing would be sent.
    pub reason: Option<String>,
    /// What a mapping wanted of the hook and did not find.
    pub missing: Vec<String>,
    /// Which line made each field, when asked for.
    pub explanation: Option<Explanation>,
}

/// Translates a hook that no forge has sent. Nothing is stored or sent.
#[utoipa::path(
    post, path = "/api/v1/translate", tag = "playground", request_body = AskedTranslation,
    responses(
        (status = 200, description = "What would become of it", body = TranslationShown),
        (status = 422, description = "It names a forge, an overlay or a destination that there is not", body = Problem),
        (status = 503, description = "The server is stopping", body = Problem),
    ),
)]
pub(super) async fn translate(
    _: Reader,
    _: Bare,
    desk: Data<Desk>,
    asked: Json<AskedTranslation>,
) -> Result<Json<TranslationShown>, Refusal> {
    let asked = asked.into_inner();
    let to = asked.destination.as_deref().map(|name| known_destination(&desk, name)).transpose()?;
    let rules = desk.rules.load_full();
    let shown = desk.known.settled(How::Look, move |asking| translated(&asked, to.as_deref(), &rules, asking));
    Ok(Json(shown.await?.unwrap_or_else(|| Err(Refusal::unfit(TOO_DEEP)))?))
}

fn known_destination(desk: &Desk, name: &str) -> Result<Arc<Destination>, Refusal> {
    let found = desk.destination(name).map(|(_, to)| to);
    found.ok_or_else(|| {
        let routes = desk.routes.load();
        let known = routes.values().flat_map(|route| &route.to).map(|to| to.name.as_str());
        Refusal::unfit(format!("destination: there is no destination `{name}`{}", did_you_mean(name, known)))
    })
}

fn translated(
    asked: &AskedTranslation,
    to: Option<&Destination>,
    rules: &Rules,
    asking: &Asking<'_>,
) -> Result<TranslationShown, Refusal> {
    let format = format(asked, to, rules)?;
    if let Some(from) = &asked.from {
        handmade::named(&rules.forges, "from", from).map_err(Refusal::unfit)?;
    }
    let overlays = asked.overlays.clone().or_else(|| to.map(|to| to.overlays.clone())).unwrap_or_default();
    if let Some(name) = overlays.iter().find(|name| rules.overlays.named(name).is_none()) {
        let suggestion = did_you_mean(name, rules.overlays.iter().map(|(known, _)| known));
        return Err(Refusal::unfit(format!("overlays: there is no overlay `{name}`{suggestion}")));
    }
    let settings = asked.settings.clone().or_else(|| to.map(|to| to.settings.clone())).unwrap_or_default();
    let wanted = Wanted { format: &format, settings: &settings, overlays: &overlays };
    let (from, event) = (asked.from.as_deref(), asked.event.as_deref());
    let (body, headers) = (body(&asked.body)?, in_small_letters(&asked.headers));
    let made = HandMade { body, headers, from, event, body_is: "body", from_is: "`from`" };
    let hook = match made.hook(&rules.forges) {
        Ok(hook) => hook,
        Err(reason) => return Ok(TranslationShown { reason: Some(reason), ..TranslationShown::default() }),
    };
    let knowledge = asking.of(&hook);
    let (forge, event) = (Some(hook.forge.clone()), Some(hook.event.clone()));
    let of_hook = TranslationShown { forge, event, ..TranslationShown::default() };
    let (made, missing) = match delivery::outgoing(&hook, wanted, rules, &knowledge) {
        Ok(made) => made,
        Err(refused) => {
            let status = match refused {
                Refused::Ignored(_) => BecomesShown::Ignored,
                Refused::Failed(_) => BecomesShown::Failed,
            };
            return Ok(TranslationShown { status, reason: Some(refused.to_string()), ..of_hook });
        }
    };
    // What passes through has nothing to explain.
    let explains = asked.explain && made.mapping.is_some();
    let explanation =
        if explains { delivery::explain(&hook, wanted, rules, &knowledge).ok().map(Into::into) } else { None };
    let status = if made.mapping.is_some() { BecomesShown::Translated } else { BecomesShown::PassedThrough };
    let (mapping, sha256) = made.mapping.map(|made_by| (made_by.name, made_by.sha256)).unzip();
    let headers = made.headers.into_iter().map(|(name, value)| HeaderShown { name, value }).collect();
    let body = Some(String::from_utf8_lossy(&made.body).into_owned());
    Ok(TranslationShown { status, mapping, sha256, headers, body, missing, explanation, ..of_hook })
}

/// The format that is asked for.
fn format(asked: &AskedTranslation, to: Option<&Destination>, rules: &Rules) -> Result<Format, Refusal> {
    match asked.to.as_deref() {
        None => Ok(to.map_or(Format::Other, |to| to.format.clone())),
        Some("other") => Ok(Format::Other),
        Some(name) => {
            let forge = handmade::named(&rules.forges, "to", name).map_err(Refusal::unfit)?;
            Ok(Format::Forge(forge.name().to_owned()))
        }
    }
}

/// The bytes of a body: those that stand there, or those of the text.
fn body(given: &RawValue) -> Result<Vec<u8>, Refusal> {
    match given.get() {
        object if object.starts_with('{') => Ok(object.as_bytes().to_vec()),
        text if text.starts_with('"') => {
            let text: String =
                serde_json::from_str(text).map_err(|error| Refusal::bad_request(format!("body: {error}")))?;
            Ok(text.into_bytes())
        }
        _ => Err(Refusal::bad_request("body: expected a JSON object, or the text of one")),
    }
}

fn in_small_letters(headers: &HashMap<String, String>) -> Vec<(String, String)> {
    let mut all: Vec<_> = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    all.sort();
    all
}
