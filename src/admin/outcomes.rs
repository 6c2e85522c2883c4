//! What became of a hook, in sum, as a list of hooks shows it.

use super::shown::HookShown;
use crate::store::Outcomes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A hook in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedHook {
    /// The hook.
    #[serde(flatten)]
    pub hook: HookShown,
    /// What became of it.
    pub outcomes: OutcomesShown,
}

/// How many deliveries of a hook there are of each state; what was sent again counts as it was sent last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutcomesShown {
    /// Those that wait or are under way.
    pub pending: u64,
    /// Those that their destination has.
    pub delivered: u64,
    /// Those that were not for their destination.
    pub ignored: u64,
    /// Those that were given up.
    pub failed: u64,
    /// Why some were ignored, each reason once.
    pub ignored_because: Vec<String>,
}

impl From<Outcomes> for OutcomesShown {
    fn from(Outcomes { counts, ignored_because }: Outcomes) -> Self {
        let (pending, delivered) = (counts.pending, counts.delivered);
        Self { pending, delivered, ignored: counts.ignored, failed: counts.failed, ignored_because }
    }
}
