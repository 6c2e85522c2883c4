//! What GitFlic's day must show in the GitLab hooks that it becomes, whatever the golden files say.

/// Who did it, and numbers that stay.
mod identity;
/// What was done, what changed, and when.
mod state;

use super::{gitlab_hooks, told};
use serde_json::Value;

/// A GitLab hook of the day.
struct Own {
    name: String,
    body: Value,
}

/// All of the day's GitLab hooks, in order.
struct Day(Vec<Own>);

impl Day {
    fn read() -> Self {
        let own: Vec<Own> = gitlab_hooks().into_iter().map(|(name, _, body)| Own { name, body }).collect();
        assert_eq!(own.len(), told("gitflic").len(), "every hook of the day becomes one");
        Self(own)
    }

    /// The hook whose file is named so, without its number.
    fn own(&self, name: &str) -> &Own {
        self.0.iter().find(|own| own.name[3..] == *name).unwrap_or_else(|| panic!("there is no {name}"))
    }

    fn body(&self, name: &str) -> &Value {
        &self.own(name).body
    }

    /// What the hook of a name holds at a pointer.
    fn at(&self, name: &str, pointer: &str) -> &Value {
        self.body(name).pointer(pointer).unwrap_or(&Value::Null)
    }

    /// When a hook came in, as GitLab writes times.
    fn time(&self, name: &str) -> String {
        time(&self.own(name).name)
    }

    /// The hooks of issues, or of merge requests.
    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Own> {
        self.0.iter().filter(move |own| own.body["object_kind"] == kind)
    }
}

/// When the hook of a file came in: every eight minutes one.
fn time(file: &str) -> String {
    let minutes = 8 * (file[..2].parse::<u32>().unwrap() - 1);
    format!("2026-03-02 {:02}:{:02}:00 UTC", 9 + minutes / 60, minutes % 60)
}

/// Everything that differs, at once.
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}
