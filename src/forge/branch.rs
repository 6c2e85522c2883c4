//! Which hooks a destination's branch filter decides on, and the name that it looks at: `branch_filters` of a forge file.

use super::{Forge, Header, text};
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::eval::Run;
use crate::mapping::file::{members, single};
use crate::mapping::json::Node;
use crate::mapping::program::Template;
use crate::mapping::scope::Scope;
use crate::mapping::yaml::Yaml;
use crate::mapping::{Failure, NoKnowledge, Surroundings};
use bumpalo::Bump;

/// How a branch filter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterKind {
    /// One pattern in which `*` stands for any characters.
    Wildcard,
    /// A regular expression that is found anywhere in the name.
    Regex,
    /// Patterns between `:`.
    List,
}

impl FilterKind {
    /// Every kind, with its word.
    pub const ALL: [(&str, Self); 3] = [("wildcard", Self::Wildcard), ("regex", Self::Regex), ("list", Self::List)];

    /// The kind of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(own, _)| *own == word).map(|(_, kind)| kind)
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        // Every kind is in the table.
        Self::ALL.into_iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// What filters of one kind decide on.
#[derive(Debug)]
pub(super) struct FilterRule {
    kind: FilterKind,
    events: Vec<String>,
    name: Template,
}

impl Forge {
    /// The name of the branch or tag that filters of a kind look at; nothing where they do not decide on the hook.
    ///
    /// # Errors
    /// When the hook has a value where the forge file cannot read it, with the line that wanted it.
    pub fn filtered_name(
        &self,
        kind: FilterKind,
        event: &str,
        body: Node<'_>,
        headers: &[Header],
    ) -> Result<Option<String>, Failure> {
        let Some(rule) = self.filter_rule(kind).filter(|rule| rule.events.iter().any(|own| own == event)) else {
            return Ok(None);
        };
        let beside = Surroundings { headers, ..Surroundings::new(&NoKnowledge) };
        text(&Run::new(&self.program, body, &beside, &Bump::new()), &rule.name)
    }

    /// The events that filters of a kind decide on.
    #[must_use]
    pub fn filtered_events(&self, kind: FilterKind) -> &[String] {
        self.filter_rule(kind).map(|rule| rule.events.as_slice()).unwrap_or_default()
    }

    fn filter_rule(&self, kind: FilterKind) -> Option<&FilterRule> {
        self.branch_filters.iter().find(|rule| rule.kind == kind)
    }
}

const RULE_KEYS: [&str; 2] = ["events", "name"];

/// Reads `branch_filters`, which a forge without branches leaves out.
pub(super) fn read(root: &Yaml, known: &[(String, String)], scope: &mut Scope<'_>) -> Vec<FilterRule> {
    let mut rules = Vec::new();
    for (key, value) in members(root.get("branch_filters"), "branch_filters", scope) {
        let Some(kind) = FilterKind::named(&key.name) else {
            let words = FilterKind::ALL.map(|(word, _)| word);
            let suggestion = did_you_mean(&key.name, words);
            let message =
                format!("unknown kind of branch filter `{}`: expected {}{suggestion}", key.name, words.join(", "));
            scope.error(key.position, message);
            continue;
        };
        for (key, _) in value.map().unwrap_or_default() {
            if !RULE_KEYS.contains(&key.name.as_str()) {
                let suggestion = did_you_mean(&key.name, RULE_KEYS);
                scope.error(key.position, format!("unknown key `{}`{suggestion}", key.name));
            }
        }
        let (Some(events), Some(name)) = (value.get("events").and_then(Yaml::list), value.get("name")) else {
            scope.error(value.position, "expected {events: […], name: …}: what it decides on, and what it looks at");
            continue;
        };
        let events = events.iter().filter_map(|event| known_event(event, known, scope)).collect();
        rules.push(FilterRule { kind, events, name: single(name, scope) });
    }
    rules
}

fn known_event(node: &Yaml, known: &[(String, String)], scope: &mut Scope<'_>) -> Option<String> {
    let event = node.text().unwrap_or_default();
    if known.iter().any(|(own, _)| own == event) {
        return Some(event.to_owned());
    }
    let suggestion = did_you_mean(event, known.iter().map(|(own, _)| own.as_str()));
    scope.error(node.position, format!("`{event}` is not among `events`{suggestion}"));
    None
}
