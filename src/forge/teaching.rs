//! What a hook teaches: `teaches` of a forge file. Hooks leave out what has not changed, and name people by their ids; the
//! next hook finds what those before it told: of its object as `seen`, of people and projects by `lookup`.

pub(super) mod example;
mod rows;
mod states;

use super::{Forge, Header};
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::eval::Run;
use crate::mapping::file::members;
use crate::mapping::json::Node;
use crate::mapping::lookups::TABLES;
use crate::mapping::scope::Scope;
use crate::mapping::yaml::Yaml;
use crate::mapping::{Failure, HookFacts, NoKnowledge, Surroundings};
use bumpalo::Bump;
use rows::Rows;
use serde_json::{Map, Value};
use states::Object;

/// How long the id of anything may be, in bytes.
const MOST_OF_AN_ID: usize = 255;

/// What a hook tells beyond itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lesson {
    /// The object that it is about, where something is remembered of its kind.
    pub object: Option<Told>,
    /// The people and projects that it names: each once in its table.
    pub rows: Vec<RowTold>,
}

impl Lesson {
    /// Whether the hook tells nothing and names nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.object.is_none() && self.rows.is_empty()
    }
}

/// What a hook tells of the object that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The kind of the object, as the forge file calls it.
    pub kind: String,
    /// Which one of its kind.
    pub id: String,
    /// What the hook tells of it; what it leaves out is not here.
    pub state: Map<String, Value>,
    /// What it tells that counts the first time only.
    pub first: Map<String, Value>,
    /// Members that say since when something is so: whether it is so now.
    pub since: Vec<(String, bool)>,
    /// Members of the state that keep one of these values once they have it.
    pub lasting: Vec<(String, Vec<Value>)>,
    /// What orders hooks about one object, where the forge says it.
    pub version: Option<i64>,
    /// Members of what is known that are ids of people.
    pub users: Vec<String>,
    /// Members that the hook tells and that are too long to be remembered.
    pub unkept: Vec<String>,
}

/// What a hook tells of somebody or of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowTold {
    /// The look-up table.
    pub table: &'static str,
    /// Who or which, as the hook names it.
    pub id: String,
    /// What it tells: columns of the table. None: it only names them.
    pub columns: Vec<(String, String)>,
}

/// What hooks of a forge teach.
#[derive(Debug, Default)]
pub(super) struct Teaching {
    rows: Vec<Rows>,
    states: Vec<Object>,
}

impl Forge {
    /// What a hook teaches.
    ///
    /// # Errors
    /// When the hook has a value where the forge file cannot read it, or tells too much, with the line that wanted it.
    pub fn lesson(&self, hook: HookFacts<'_>, body: Node<'_>, headers: &[Header]) -> Result<Lesson, Failure> {
        let beside = Surroundings { hook: Some(hook), headers, ..Surroundings::new(&NoKnowledge) };
        let arena = Bump::new();
        let mut run = Run::new(&self.program, body, &beside, &arena);
        let mut lesson = Lesson::default();
        for rows in &self.teaches.rows {
            rows.told(&mut run, &mut lesson.rows)?;
        }
        for state in &self.teaches.states {
            if let Some(told) = state.told(&mut run)? {
                lesson.object = Some(told);
                break;
            }
        }
        Ok(lesson)
    }
}

/// Reads `teaches`, which a forge whose hooks tell everything leaves out.
pub(super) fn read(root: &Yaml, scope: &mut Scope<'_>) -> Teaching {
    let mut teaching = Teaching::default();
    for (key, value) in members(root.get("teaches"), "teaches", scope) {
        match TABLES.iter().find(|(table, _)| *table == key.name) {
            Some((table, columns)) => teaching.rows.push(Rows::read(table, columns, value, scope)),
            None if key.name == "states" => {
                for (kind, state) in members(Some(value), "states", scope) {
                    teaching.states.extend(Object::read(kind, state, scope));
                }
            }
            None => {
                let known = TABLES.iter().map(|(table, _)| *table).chain(["states"]);
                let suggestion = did_you_mean(&key.name, known);
                scope.error(key.position, format!("unknown key `{}`{suggestion}", key.name));
            }
        }
    }
    teaching
}
