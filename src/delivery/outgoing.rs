//! Makes what a destination is sent of a hook: translated, or passed through as it came.

use super::Directions;
use crate::config::Format;
use crate::forge::{Forge, Forges, hook_facts, own_json};
use crate::mapping::json::Document;
use crate::mapping::{Failure, NoKnowledge, Surroundings, Untranslated};
use crate::store::{Hook, Outgoing};
use jiff::Timestamp;

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

/// The body and headers for a format, and the source paths that were missing.
///
/// # Errors
/// When the event has no counterpart, or the hook cannot be translated.
pub fn outgoing(
    hook: &Hook,
    format: &Format,
    settings: &serde_json::Map<String, serde_json::Value>,
    forges: &Forges,
    directions: &Directions,
) -> Result<(Outgoing, Vec<String>), Refused> {
    let target = target(format, &hook.forge, forges)?;
    if target.name() == hook.forge {
        return Ok((passed_through(hook, target), Vec::new()));
    }
    let key = (hook.forge.clone(), target.name().to_owned());
    let Some(mappings) = directions.get(&key) else {
        return Err(Refused::Failed(format!("there are no mappings from {} to {}", key.0, key.1)));
    };
    let body = Document::parse(&hook.body)
        .map_err(|error| Refused::Failed(format!("the stored body is not JSON: {error}")))?;
    let facts = facts(hook);
    let facts = own_json(&facts);
    let settings_text = serde_json::Value::Object(settings.clone()).to_string();
    let settings = own_json(&settings_text);
    let beside = Surroundings {
        hook: Some(facts.root()),
        settings: Some(settings.root()),
        headers: &hook.headers,
        instance: hook.instance.as_deref().unwrap_or_default(),
        ..Surroundings::new(&NoKnowledge)
    };
    match mappings.translate(&hook.event, body.root(), &beside) {
        Ok(made) => {
            Ok((Outgoing { body: made.body, headers: made.headers, mapping: Some(made.mapping) }, made.missing))
        }
        Err(Untranslated::Failed(failure)) => Err(Refused::Failed(failure.to_string())),
        Err(ignored) => Err(Refused::Ignored(ignored.to_string())),
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
    Outgoing { body: hook.body.clone(), headers, mapping: None }
}

/// What a hook knows of itself, for mappings and forge files.
pub(super) fn facts(hook: &Hook) -> String {
    // Forges write whole seconds.
    let seconds = Timestamp::from_second(hook.received_at.as_second()).unwrap_or(hook.received_at);
    hook_facts(&hook.id.to_string(), &seconds.to_string(), &hook.event, hook.instance.as_deref())
}

/// The headers that the target's forge file makes for one attempt.
pub(super) fn sent(
    target: &Forge,
    hook: &Hook,
    settings: &str,
    delivery: &str,
) -> Result<Vec<(String, String)>, Failure> {
    let facts = facts(hook);
    target.sent(own_json(&facts).root(), own_json(settings).root(), own_json(delivery).root())
}
