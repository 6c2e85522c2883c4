//! Wakes a destination's worker as soon as there is something for it, so that nobody has to ask again and again.

use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// The bell of each destination, by its name.
pub type Doorbells = HashMap<String, Arc<Notify>>;
