//! Who waits for the first attempts of a hook: routes whose forge wants to hear what the tools say.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use uuid::Uuid;

/// What came of the first attempt at one destination, and of several the worst.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirstAttempt {
    /// The HTTP status that says it: 200, that of the tool, 502 without an answer, 504 without one in time.
    pub status: u16,
    /// What there is to say of it; empty when it went well.
    pub message: String,
}

impl FirstAttempt {
    /// One that went well, or that nothing had to be sent for.
    #[must_use]
    pub fn well() -> Self {
        Self { status: 200, message: String::new() }
    }
}

/// The hooks whose first attempts somebody waits for.
#[derive(Debug, Clone, Default)]
pub struct Acks(Arc<Mutex<HashMap<Uuid, Waiting>>>);

#[derive(Debug)]
struct Waiting {
    /// The destinations at which nothing was attempted yet.
    left: BTreeSet<String>,
    worst: FirstAttempt,
    tell: oneshot::Sender<FirstAttempt>,
}

/// Waits for the first attempts of a hook; who drops it waits no more.
#[derive(Debug)]
pub struct Awaited {
    hook: Uuid,
    acks: Acks,
    told: oneshot::Receiver<FirstAttempt>,
}

impl Acks {
    fn waiting(&self) -> MutexGuard<'_, HashMap<Uuid, Waiting>> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// Waits from now on for the first attempts at some destinations.
    #[must_use]
    pub fn expect(&self, hook: Uuid, destinations: impl IntoIterator<Item = String>) -> Awaited {
        let (tell, told) = oneshot::channel();
        self.waiting()
            .insert(hook, Waiting { left: destinations.into_iter().collect(), worst: FirstAttempt::well(), tell });
        Awaited { hook, acks: self.clone(), told }
    }

    /// Tells what came of the first attempt at a destination.
    pub fn tell(&self, hook: Uuid, destination: &str, attempt: impl FnOnce() -> FirstAttempt) {
        let mut waiting = self.waiting();
        let Some(own) = waiting.get_mut(&hook) else { return };
        if !own.left.remove(destination) {
            return;
        }
        let attempt = attempt();
        if attempt > own.worst {
            own.worst = attempt;
        }
        if own.left.is_empty()
            && let Some(own) = waiting.remove(&hook)
        {
            // Who waited may have gone.
            let _ = own.tell.send(own.worst);
        }
    }
}

impl Awaited {
    /// The worst of the first attempts; `None` when nobody will tell.
    pub async fn worst(&mut self) -> Option<FirstAttempt> {
        (&mut self.told).await.ok()
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.acks.waiting().remove(&self.hook);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_worst_is_told_when_all_are_there() {
        let acks = Acks::default();
        let hook = Uuid::now_v7();
        let mut awaited = acks.expect(hook, ["a", "b", "c"].map(str::to_owned));
        let failed = |status| FirstAttempt { status, message: format!("answered {status}") };
        acks.tell(hook, "a", FirstAttempt::well);
        acks.tell(hook, "a", || failed(599));
        acks.tell(Uuid::now_v7(), "b", || failed(599));
        acks.tell(hook, "b", || failed(503));
        acks.tell(hook, "c", || failed(404));
        assert_eq!(awaited.worst().await, Some(failed(503)));
        acks.tell(hook, "c", || failed(500));
        drop(acks.expect(hook, ["a".to_owned()]));
        assert!(acks.waiting().is_empty());
    }
}
