//! What a destination can say under `settings` when it reads a forge's format: `settings` of a forge file.

use super::Forge;
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::file::members;
use crate::mapping::scope::Scope;
use crate::mapping::yaml::Yaml;
use serde_json::Value;

/// What a setting may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// One of these texts.
    OneOf(Vec<String>),
}

impl Forge {
    /// The names of the settings that the forge file declares.
    pub fn settings(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().map(|(name, _)| name.as_str())
    }

    /// What is wrong with the value of a setting; nothing where the forge file does not declare it.
    #[must_use]
    pub fn wrong_setting(&self, name: &str, value: &Value) -> Option<String> {
        let (_, kind) = self.settings.iter().find(|(own, _)| own == name)?;
        match (kind, value) {
            (Kind::Text, Value::String(_)) => None,
            (Kind::Text, _) => Some("expected a text".to_owned()),
            (Kind::OneOf(texts), Value::String(text)) if texts.contains(text) => None,
            (Kind::OneOf(texts), given) => {
                let suggestion = did_you_mean(given.as_str().unwrap_or_default(), texts.iter().map(String::as_str));
                Some(format!("expected {}{suggestion}", texts.join(" or ")))
            }
        }
    }
}

/// Reads `settings`, which a forge whose format needs none leaves out.
pub(super) fn read(root: &Yaml, scope: &mut Scope<'_>) -> Vec<(String, Kind)> {
    let mut settings = Vec::new();
    for (key, value) in members(root.get("settings"), "settings", scope) {
        let listed = value.list().and_then(|items| items.iter().map(|item| item.text().map(str::to_owned)).collect());
        match (value.text(), listed) {
            (Some("text"), _) => settings.push((key.name.clone(), Kind::Text)),
            (_, Some(texts)) => settings.push((key.name.clone(), Kind::OneOf(texts))),
            _ => scope.error(value.position, "expected `text`, or the list of the texts that it may be"),
        }
    }
    settings
}
