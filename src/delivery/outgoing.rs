//! Makes what a destination is sent of a hook: translated, or passed through as it came.

use crate::config::{Destination, Format};
use crate::forge::signature::SigningKeys;
use crate::forge::{Forge, Forges, Header, own_json};
use crate::mapping::json::Document;
use crate::mapping::overlay::Overlay;
use crate::mapping::{Explained, Failure, HookFacts, Knowledge, Mappings, Surroundings, Untranslated};
use crate::rules::Rules;
use crate::store::{Hook, MadeBy, Outgoing};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Why there is nothing to send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The event has no counterpart; the reason says why.
    #[error("{0}")]
    Ignored(String),
    /// The hook cannot be translated; says which line of which mapping wanted what.
    #[error("{0}")]
    Failed(String),
}

/// What a destination wants to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'d> {
    /// In which format.
    pub format: &'d Format,
    /// What mappings read under `settings`.
    pub settings: &'d Map<String, Value>,
    /// The overlays that are laid over a translated body, in their order.
    pub overlays: &'d [String],
}

impl<'d> Wanted<'d> {
    /// What a destination of the configuration wants.
    #[must_use]
    pub fn by(destination: &'d Destination) -> Self {
        Self { format: &destination.format, settings: &destination.settings, overlays: &destination.overlays }
    }
}

/// What is sent of a hook, and the source paths that were missing.
///
/// # Errors
/// When the event has no counterpart, or the hook cannot be translated.
pub fn outgoing(
    hook: &Hook,
    wanted: Wanted<'_>,
    rules: &Rules,
    knowledge: &dyn Knowledge,
) -> Result<(Outgoing, Vec<String>), Refused> {
    let target = target(wanted.format, &hook.forge, &rules.forges)?;
    if target.name() == hook.forge {
        return Ok((passed_through(hook, target), Vec::new()));
    }
    let mappings = mappings(hook, target, rules)?;
    let texts = Texts::of(hook, wanted);
    let documents = texts.parse()?;
    let beside = documents.beside(knowledge);
    let made = mappings.translate(&hook.event, documents.body.root(), &beside).map_err(refused)?;
    let mut made_by = MadeBy { name: made.mapping.to_string(), sha256: made.sha256.to_string() };
    let headers: Vec<Header> = made.headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    let body = lay(made.body, &headers, wanted, target, rules, &beside, &mut |overlay, _| {
        made_by.name = format!("{} + {}", made_by.name, overlay.file());
        made_by.sha256 = format!("{} + {}", made_by.sha256, overlay.sha256);
        Ok(())
    })?;
    let forge = Some(target.name().to_owned());
    Ok((Outgoing { body: Bytes::from(body), headers, forge, mapping: Some(made_by) }, made.missing))
}

/// How the fields come about of what is sent of a hook, overlays included.
///
/// # Errors
/// As [`outgoing`]; a hook that passes through as it came has nothing to explain.
pub fn explain(
    hook: &Hook,
    wanted: Wanted<'_>,
    rules: &Rules,
    knowledge: &dyn Knowledge,
) -> Result<Explained, Refused> {
    let target = target(wanted.format, &hook.forge, &rules.forges)?;
    if target.name() == hook.forge {
        return Err(Refused::Failed(format!(
            "a hook of {} passes through as it came: no mapping makes it",
            hook.forge
        )));
    }
    let mappings = mappings(hook, target, rules)?;
    let texts = Texts::of(hook, wanted);
    let documents = texts.parse()?;
    let beside = documents.beside(knowledge);
    let mut explained = mappings.explain(&hook.event, documents.body.root(), &beside).map_err(refused)?;
    let made = mappings.translate(&hook.event, documents.body.root(), &beside).map_err(refused)?;
    let headers: Vec<Header> = made.headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    lay(made.body, &headers, wanted, target, rules, &beside, &mut |overlay, document| {
        explained.lay(overlay.explain(document, &beside)?);
        Ok(())
    })?;
    Ok(explained)
}

fn refused(untranslated: Untranslated) -> Refused {
    match untranslated {
        Untranslated::Failed(failure) => Refused::Failed(failure.to_string()),
        ignored => Refused::Ignored(ignored.to_string()),
    }
}

fn mappings<'r>(hook: &Hook, target: &Forge, rules: &'r Rules) -> Result<&'r Mappings, Refused> {
    let key = (hook.forge.clone(), target.name().to_owned());
    let found = rules.directions.get(&key);
    found.ok_or_else(|| Refused::Failed(format!("there are no mappings from {} to {}", key.0, key.1)))
}

/// Lays the overlays of a destination over a translated body; each is told of with the body as it finds it.
fn lay(
    mut body: Vec<u8>,
    headers: &[Header],
    wanted: Wanted<'_>,
    target: &Forge,
    rules: &Rules,
    beside: &Surroundings<'_>,
    tell: &mut dyn FnMut(&Overlay, &Document<'_>) -> Result<(), Failure>,
) -> Result<Vec<u8>, Refused> {
    if wanted.overlays.is_empty() {
        return Ok(body);
    }
    let event = event_of(&body, headers, target)?;
    for overlay in chosen(wanted, &event, rules)? {
        let document = own_body(&body)?;
        let laid = tell(overlay, &document).and_then(|()| overlay.lay(&document, beside));
        body = laid.map_err(|failure| Refused::Failed(failure.to_string()))?;
    }
    Ok(body)
}

/// The overlays that a destination names and that are for an event.
fn chosen<'r>(wanted: Wanted<'_>, event: &str, rules: &'r Rules) -> Result<Vec<&'r Overlay>, Refused> {
    let named = wanted
        .overlays
        .iter()
        .map(|name| rules.overlays.named(name).ok_or_else(|| Refused::Failed(format!("there is no overlay `{name}`"))));
    let named: Vec<&Overlay> = named.collect::<Result<_, _>>()?;
    Ok(named.into_iter().filter(|overlay| overlay.is_for(event)).collect())
}

/// The event of a translated body, in the words of the forge whose format it has.
fn event_of(body: &[u8], headers: &[Header], target: &Forge) -> Result<String, Refused> {
    let document = own_body(body)?;
    let headers: Vec<Header> = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    let identity = target.identify(document.root(), &headers);
    identity.map(|identity| identity.event).map_err(|failure| Refused::Failed(failure.to_string()))
}

fn own_body(body: &[u8]) -> Result<Document<'_>, Refused> {
    Document::parse(body).map_err(|error| Refused::Failed(format!("the translated body is not JSON: {error}")))
}

/// The texts that a translation reads.
struct Texts<'h> {
    hook: &'h Hook,
    facts: Facts,
    settings: String,
}

/// The texts, parsed.
struct Documents<'t> {
    hook: &'t Hook,
    body: Document<'t>,
    facts: HookFacts<'t>,
    settings: Document<'t>,
    seen: Option<Document<'t>>,
}

impl<'h> Texts<'h> {
    fn of(hook: &'h Hook, wanted: Wanted<'_>) -> Self {
        Self { hook, facts: Facts::of(hook), settings: Value::Object(wanted.settings.clone()).to_string() }
    }

    fn parse(&self) -> Result<Documents<'_>, Refused> {
        let body = Document::parse(&self.hook.body)
            .map_err(|error| Refused::Failed(format!("the stored body is not JSON: {error}")))?;
        let facts = self.facts.about(self.hook);
        let seen = self.hook.seen.as_deref().map(own_json);
        Ok(Documents { hook: self.hook, body, facts, settings: own_json(&self.settings), seen })
    }
}

impl Documents<'_> {
    fn beside<'a>(&'a self, knowledge: &'a dyn Knowledge) -> Surroundings<'a> {
        let hook = self.hook;
        Surroundings {
            hook: Some(self.facts),
            settings: Some(self.settings.root()),
            seen: self.seen.as_ref().map(Document::root),
            headers: &hook.headers,
            instance: hook.instance.as_deref().unwrap_or_default(),
            ..Surroundings::new(knowledge)
        }
    }
}

/// The forge whose format a destination gets for a hook of another.
///
/// # Errors
/// When there is no such forge.
pub(super) fn target<'f>(format: &Format, from: &str, forges: &'f Forges) -> Result<&'f Forge, Refused> {
    let found = match format {
        Format::Forge(name) => forges.named(name),
        Format::Other => forges.other(from),
    };
    found.map(AsRef::as_ref).ok_or_else(|| Refused::Failed("there is no forge with this format".to_owned()))
}

/// The body byte for byte, and the headers that name the event.
fn passed_through(hook: &Hook, forge: &Forge) -> Outgoing {
    let headers = hook.headers.iter().filter(|(name, _)| forge.passed().contains(name)).cloned().collect();
    Outgoing { body: hook.body.clone(), headers, forge: Some(forge.name().to_owned()), mapping: None }
}

/// The texts of what a hook knows of itself.
struct Facts {
    id: String,
    received_at: String,
}

impl Facts {
    fn of(hook: &Hook) -> Self {
        // Forges write whole seconds.
        let seconds = Timestamp::from_second(hook.received_at.as_second()).unwrap_or(hook.received_at);
        Self { id: hook.id.to_string(), received_at: seconds.to_string() }
    }

    fn about<'f>(&'f self, hook: &'f Hook) -> HookFacts<'f> {
        let (event, instance) = (hook.event.as_str(), hook.instance.as_deref());
        HookFacts { id: &self.id, received_at: &self.received_at, event, instance }
    }
}

/// The headers that the target's forge file makes for one attempt.
pub(super) fn sent(
    target: &Forge,
    hook: &Hook,
    settings: &str,
    delivery: &str,
) -> Result<Vec<(String, String)>, Failure> {
    let facts = Facts::of(hook);
    target.sent(facts.about(hook), own_json(settings).root(), own_json(delivery).root())
}

/// The headers that sign one attempt, where the destination has signing keys.
pub(super) fn signed(
    target: &Forge,
    keys: &SigningKeys,
    key: &str,
    at: Timestamp,
    body: &[u8],
) -> Result<Vec<Header>, String> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    // The configuration was checked against the forge files of the start; these may be others.
    let signature = target.signature().ok_or_else(|| {
        format!(
            "a hook in the format {0} cannot be signed: `prove` of {0}/forge.yaml names no signature",
            target.name()
        )
    })?;
    Ok(signature.sign(keys, key, at.as_second(), body))
}
