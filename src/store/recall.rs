//! What is remembered of objects, people and projects, for those who ask.

use super::Answer;
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

/// Which hook told something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its event.
    pub event: String,
    /// Its id.
    pub hook: Uuid,
    /// When it came, by the system's clock.
    pub at: Timestamp,
}

/// What is remembered of somebody or of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRow {
    /// The installation that named it, by host; empty where the hook did not tell.
    pub instance: String,
    /// Its id there.
    pub id: String,
    /// Each column that was told, its text, and which hook told it last.
    pub columns: Vec<(String, String, Option<Origin>)>,
    /// When a hook named it last, to the day.
    pub seen_at: Timestamp,
}

/// What is remembered of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    /// The path of the route.
    pub route: String,
    /// The forge, the installation and the project.
    pub project: ProjectOfInstance,
    /// The kind of the object, as the forge file calls it.
    pub kind: String,
    /// Which one of its kind.
    pub id: String,
    /// What is known of it.
    pub state: Map<String, Value>,
    /// When a hook told of it first.
    pub first_at: Option<Timestamp>,
    /// When a hook told of it last.
    pub seen_at: Timestamp,
    /// The event and the id of that hook.
    pub hook: Option<(String, Uuid)>,
}

/// A project, told apart from one of the same name in another installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectOfInstance {
    /// The forge.
    pub forge: String,
    /// The installation, by host.
    pub instance: String,
    /// What stands for the project there.
    pub project: String,
}

impl ProjectOfInstance {
    /// As [`super::Hook::project_of_instance`] writes it; an empty text is of no project.
    pub(super) fn of(text: &str) -> Self {
        let mut parts = text.splitn(3, ' ');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        Self { forge: next(), instance: next(), project: next() }
    }

    /// As it stands in the store.
    pub(super) fn key(&self) -> String {
        let Self { forge, instance, project } = self;
        if forge.is_empty() { String::new() } else { format!("{forge} {instance} {project}") }
    }
}

/// Which people or projects are meant: those to which everything applies that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFilter {
    /// The look-up table.
    pub table: String,
    /// The installation.
    pub instance: Option<String>,
    /// The id, whole.
    pub id: Option<String>,
    /// A text that occurs in the id or in what is known; in capital letters or not.
    pub text: Option<String>,
}

/// Which objects are meant: those to which everything applies that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateFilter {
    /// The path of the route.
    pub route: Option<String>,
    /// What stands for the project.
    pub project: Option<String>,
    /// The kind.
    pub kind: Option<String>,
    /// The id, whole.
    pub id: Option<String>,
    /// A text that occurs in what is known; in capital letters or not.
    pub text: Option<String>,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Only what stands behind this place, which the part before gave.
    pub after: Option<String>,
    /// How many are wanted at most.
    pub limit: usize,
}

/// A part of a list, in the order of ids, so that what changes meanwhile is neither left out nor told twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What fits. There may be few or none, and more behind them.
    pub items: Vec<T>,
    /// The place from which to go on; none when everything was looked at.
    pub next: Option<String>,
}

/// What can be asked of what is remembered.
pub trait Recall {
    /// The people or projects that fit.
    ///
    /// # Errors
    /// When the store cannot be read. A place that none of its parts gave counts as the beginning.
    fn known(&self, filter: KnownFilter, part: Part) -> Answer<'_, Listed<KnownRow>>;

    /// The objects that fit.
    ///
    /// # Errors
    /// As of [`Recall::known`].
    fn states(&self, filter: StateFilter, part: Part) -> Answer<'_, Listed<StateRow>>;

    /// Forgets what was told of people or projects that fit; the next hook that tells of them teaches it anew. What hooks
    /// have learned already stays with them. Says how many there were.
    fn forget_known(&self, filter: KnownFilter) -> Answer<'_, u64>;

    /// Forgets the objects that fit, in the same way.
    fn forget_states(&self, filter: StateFilter) -> Answer<'_, u64>;
}
