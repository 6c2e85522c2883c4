//! What stands beside the hook of an example: `hook`, `settings`, `seen` and `lookups`.

use super::{Reader, steady_hook};
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::lookups::Lookups;
use crate::mapping::yaml::{Key, Yaml};
use serde_json::Value;

/// The facts that an example can give; the event is a key of its own.
const FACTS: [&str; 3] = ["id", "received_at", "instance"];

impl Reader<'_, '_, '_> {
    /// The members of the map under a key of an example; says so when something else stands there.
    pub(super) fn map_under<'y>(&mut self, item: &'y Yaml, key: &str) -> &'y [(Key, Yaml)] {
        let Some(node) = item.get(key) else { return &[] };
        node.map().unwrap_or_else(|| {
            self.scope.error(node.position, format!("`{key}` is a map"));
            &[]
        })
    }

    /// What `hook` says: an id, an instance and a time that never change, or what the example gives.
    pub(super) fn hook(&mut self, item: &Yaml) -> Value {
        let mut hook = steady_hook();
        for (key, value) in self.map_under(item, "hook") {
            let name = key.name.as_str();
            match value.to_json() {
                _ if name == "event" => {
                    self.scope.error(key.position, "`event` stands beside `hook`, not in it: as a key of the example");
                }
                _ if !FACTS.contains(&name) => {
                    let (known, suggestion) = (FACTS.join(", "), did_you_mean(name, FACTS));
                    let message = format!("unknown key `{name}`: `hook` has {known}{suggestion}");
                    self.scope.error(key.position, message);
                }
                // A hook whose instance nobody knows.
                fact if fact.is_string() || fact.is_null() && name == "instance" => {
                    super::set(&mut hook, name, fact);
                }
                _ => self.scope.error(value.position, format!("`{name}` is a text: quote it")),
            }
        }
        hook
    }

    /// A map that templates read under a key; null where there is none.
    pub(super) fn object(&mut self, item: &Yaml, key: &str) -> Value {
        match item.get(key).map(Yaml::to_json) {
            None | Some(Value::Null) => Value::Null,
            Some(value) => {
                self.map_under(item, key);
                value
            }
        }
    }

    pub(super) fn lookups(&mut self, item: &Yaml) -> Lookups {
        let mut lookups = Lookups::default();
        for (name, rows) in self.map_under(item, "lookups") {
            lookups.read_table(&name.name, name.position, rows, self.scope.faults, &self.file);
        }
        lookups
    }
}
