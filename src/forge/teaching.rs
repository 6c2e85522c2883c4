//! What a hook teaches of an object: `teaches` of a forge file. Hooks leave out what has not changed; the next hook about the
//! object finds what those before it told as `seen`.

use super::{Forge, Header, text};
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::eval::Run;
use crate::mapping::failure::Stop;
use crate::mapping::file::{members, single};
use crate::mapping::json::Node;
use crate::mapping::program::{Place, Template};
use crate::mapping::scope::Scope;
use crate::mapping::yaml::Yaml;
use crate::mapping::{Failure, NoKnowledge, Surroundings, template};
use bumpalo::Bump;
use serde_json::{Map, Value};

/// How long an object's id may be, in bytes.
const MOST_OF_AN_ID: usize = 255;
/// How large a state may be, in bytes of its JSON.
const MOST: usize = 256 << 10;

/// What a hook tells of the state of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// The kind of the object, as the forge file calls it.
    pub kind: String,
    /// Which one of its kind.
    pub id: String,
    /// What the hook tells of it; what it leaves out is not here.
    pub state: Map<String, Value>,
}

/// What hooks about one kind of object teach.
#[derive(Debug)]
pub(super) struct Teaching {
    kind: String,
    id: Template,
    state: Template,
    place: Place,
}

impl Forge {
    /// What a hook teaches, where it is about an object of which something is remembered.
    ///
    /// # Errors
    /// When the hook has a value where the forge file cannot read it, or tells too much, with the line that wanted it.
    pub fn lesson(&self, body: Node<'_>, headers: &[Header]) -> Result<Option<Lesson>, Failure> {
        let beside = Surroundings { headers, ..Surroundings::new(&NoKnowledge) };
        let arena = Bump::new();
        let mut run = Run::new(&self.program, body, &beside, &arena);
        for teaching in &self.teaches {
            if let Some(id) = text(&run, &teaching.id)? {
                return teaching.lesson(id, &mut run).map(Some);
            }
        }
        Ok(None)
    }
}

impl Teaching {
    fn lesson<'a>(&'a self, id: String, run: &mut Run<'a>) -> Result<Lesson, Failure> {
        let mut json = Vec::new();
        match run.write(&self.state, &mut json) {
            Ok(()) | Err(Stop::Omit) => {}
            Err(Stop::Fail(failure)) => return Err(*failure),
        }
        if id.len() > MOST_OF_AN_ID || json.len() > MOST {
            let (length, size) = (id.len(), json.len());
            let message = format!(
                "the id of the {} has {length} bytes and may have {MOST_OF_AN_ID}, what is told of it {size} and may have {MOST}",
                self.kind
            );
            return Err(run.failure(self.place, message));
        }
        // What the template wrote is an object; nothing is known where it is none.
        let mut state: Map<String, Value> = serde_json::from_slice(&json).unwrap_or_default();
        state.retain(|_, value| !value.is_null());
        Ok(Lesson { kind: self.kind.clone(), id, state })
    }
}

const TEACHING_KEYS: [&str; 2] = ["id", "state"];

/// Reads `teaches`, which a forge whose hooks tell everything leaves out.
pub(super) fn read(root: &Yaml, scope: &mut Scope<'_>) -> Vec<Teaching> {
    let mut all = Vec::new();
    for (key, value) in members(root.get("teaches"), "teaches", scope) {
        for (key, _) in value.map().unwrap_or_default() {
            if !TEACHING_KEYS.contains(&key.name.as_str()) {
                let suggestion = did_you_mean(&key.name, TEACHING_KEYS);
                scope.error(key.position, format!("unknown key `{}`{suggestion}", key.name));
            }
        }
        let (Some(id), Some(state)) = (value.get("id"), value.get("state").filter(|state| state.map().is_some()))
        else {
            scope.error(
                value.position,
                "expected {id: …, state: {…}}: which object the hook is about, and what it tells of it",
            );
            continue;
        };
        let (kind, place) = (key.name.clone(), scope.place(key.position));
        all.push(Teaching { kind, id: single(id, scope), state: template::compile(state, scope), place });
    }
    all
}
