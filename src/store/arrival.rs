//! A hook on its way into the store, and what becomes of it there.

use super::Lesson;
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// One request that a forge sent, as it came: without the headers that proved it, which are never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its id, ordered by time.
    pub id: Uuid,
    /// The path of the route that it came in on.
    pub route: String,
    /// The forge that sent it; empty when none is recognised.
    pub forge: String,
    /// The event in the forge's own terms.
    pub event: String,
    /// What stands for the project, where the hook names one.
    pub project: Option<String>,
    /// The installation that sent it, by host.
    pub instance: Option<String>,
    /// The forge's own key of the delivery.
    pub delivery_key: Option<String>,
    /// How often it has passed a hookglot before.
    pub hops: u32,
    /// When it came, by the system's clock.
    pub received_at: Timestamp,
    /// Its headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Its body, byte for byte.
    pub body: Bytes,
    /// What was known of the object that it is about when it came, a JSON object; none where nothing was. The store fills it.
    pub seen: Option<String>,
    /// What was known, when it had taught, of the people and projects that it names: a JSON object of look-up tables, ids and
    /// columns; none where nothing was. The store fills it.
    pub known: Option<String>,
}

impl Hook {
    /// The project, told apart from one of the same name in another installation.
    #[must_use]
    pub fn project_of_instance(&self) -> Option<String> {
        let instance = self.instance.as_deref().unwrap_or_default();
        self.project.as_ref().map(|project| format!("{} {instance} {project}", self.forge))
    }
}

/// A hook on its way into the store.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The hook.
    pub hook: Arc<Hook>,
    /// Who gets it, and who does not.
    pub plans: Vec<Plan>,
    /// Why nobody gets it, where no destination was even asked.
    pub ignored: Option<String>,
    /// By what the same hook is found that came before on the route.
    pub same: Option<Same>,
    /// What it teaches.
    pub lesson: Option<Lesson>,
    /// Whether it is recorded, where it is the first of its event on the route.
    pub records: bool,
    /// The time now: its deliveries are due at once.
    pub now: Timestamp,
}

/// By what a hook that came before is found to be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Same {
    /// What both have: the forge's key, or the hash of their bodies.
    pub key: String,
    /// How long after it was delivered the one before still counts; it does anyhow while it is on its way.
    pub window: Duration,
}

/// What is planned for a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The name of the destination.
    pub destination: String,
    /// Whether it gets the hook.
    pub fate: Fate,
}

/// Whether a destination gets a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It does, in its queue.
    Deliver {
        /// How many deliveries of the destination may wait; beyond that it ends as failed, `queue full`.
        most_pending: u64,
        /// Whether hooks of one project are delivered one after another.
        in_order: bool,
    },
    /// It does not, for the reason given.
    Ignore(String),
}

/// What became of an arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is stored.
    Stored {
        /// The destinations whose queue is full: their delivery ended as failed.
        queue_full: Vec<String>,
    },
    /// It is recorded as a duplicate and goes nowhere.
    Duplicate {
        /// The hook that came before.
        of: Uuid,
    },
}
