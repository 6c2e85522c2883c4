//! What happens, told while it happens to whoever listens: to those who watch, and to the alerts. It is kept nowhere; the log
//! and the store have it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::broadcast;
use utoipa::ToSchema;
use uuid::Uuid;

/// How many happenings a slow listener may be behind before the oldest are lost to it.
const MOST_BEHIND: usize = 1024;

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Told {
    /// By the system's clock.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub happening: Happening,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// A hook came in and was answered with 200.
    Hook {
        /// Its id.
        hook: Uuid,
        /// The path of the route.
        route: String,
        /// The forge that sent it; empty when none is recognised.
        forge: String,
        /// The event in the forge's words; empty when it is not known.
        event: String,
        /// What stands for the project.
        project: Option<String>,
        /// `stored`, `ignored` or `duplicate`.
        status: String,
        /// Why nobody gets it.
        reason: Option<String>,
    },
    /// A request was sent to a destination.
    Attempt {
        /// The hook.
        hook: Uuid,
        /// The delivery.
        delivery: Uuid,
        /// The destination.
        destination: String,
        /// The event in the forge's words.
        event: String,
        /// Which of the delivery's attempts that count it is, from 1.
        attempt: u32,
        /// The HTTP status that came back.
        status: Option<u16>,
        /// `delivered`, `again`, `failed` or `probe failed`.
        outcome: String,
        /// Why it did not go well; empty when it did.
        error: String,
        /// How long it took, in milliseconds.
        elapsed_ms: f64,
    },
    /// A delivery came to its end.
    Ended {
        /// The hook.
        hook: Uuid,
        /// The delivery; none for one that ended before it was given an id.
        delivery: Option<Uuid>,
        /// The destination.
        destination: String,
        /// The event in the forge's words.
        event: String,
        /// `delivered`, `ignored` or `failed`.
        state: String,
        /// Why it was not delivered.
        reason: Option<String>,
    },
    /// The breaker of a destination opened or closed.
    Breaker {
        /// The destination.
        destination: String,
        /// Whether it is open now.
        is_open: bool,
        /// What the last attempt met; empty when it closed.
        error: String,
    },
    /// The disk of the store is nearly full, or no longer.
    Disk {
        /// Whether it is now.
        is_short: bool,
        /// How many bytes are free.
        free_bytes: u64,
        /// How many bytes it has.
        total_bytes: u64,
        /// With less than that it is nearly full.
        least_bytes: u64,
    },
    /// The store takes nothing, or takes hooks again.
    Store {
        /// Whether it takes nothing now.
        is_down: bool,
        /// `full` or `broken`.
        reason: String,
    },
    /// Changed files were read again.
    Reload {
        /// `mappings` or `configuration`.
        what: String,
        /// What is wrong with them, a line each; empty when they are in force.
        faults: Vec<String>,
    },
}

/// Where happenings are told.
#[derive(Debug, Clone)]
pub struct Feed(broadcast::Sender<Arc<Told>>);

impl Default for Feed {
    fn default() -> Self {
        Self(broadcast::Sender::new(MOST_BEHIND))
    }
}

impl Feed {
    /// Tells what happened; it is worked out only where somebody listens.
    pub fn tell(&self, happening: impl FnOnce() -> Happening) {
        if self.0.receiver_count() > 0 {
            // Whoever listened a moment ago may be gone.
            let _ = self.0.send(Arc::new(Told { at: Timestamp::now(), happening: happening() }));
        }
    }

    /// Everything that is told from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Arc<Told>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_worked_out_for_nobody() {
        Feed::default().tell(|| panic!("nobody listens"));
    }

    #[tokio::test]
    async fn who_listens_is_told() {
        let feed = Feed::default();
        let mut listener = feed.listen();
        feed.tell(|| Happening::Reload { what: "mappings".to_owned(), faults: Vec::new() });
        let told = listener.recv().await.expect("told");
        let shown = serde_json::to_value(&*told).expect("shown");
        assert_eq!((&shown["kind"], &shown["what"]), (&"reload".into(), &"mappings".into()), "{shown}");
    }
}
