//! What hooks tell of the state of an object.

use super::super::text;
use super::{MOST_OF_AN_ID, Told};
use crate::mapping::Failure;
use crate::mapping::diagnostic::{Position, did_you_mean};
use crate::mapping::eval::Run;
use crate::mapping::failure::Stop;
use crate::mapping::file::{members, single};
use crate::mapping::program::{Place, Template};
use crate::mapping::scope::Scope;
use crate::mapping::template;
use crate::mapping::yaml::{Key, Yaml};
use serde_json::{Map, Value};

/// How large what is told of an object may be, in bytes of its JSON.
const MOST: usize = 256 << 10;
/// How long one text of it may be that is remembered, in bytes.
const MOST_OF_A_TEXT: usize = 64 << 10;
const KEYS: [&str; 7] = ["id", "state", "first", "since", "lasting", "version", "users"];

/// What hooks about one kind of object tell.
#[derive(Debug)]
pub(super) struct Object {
    kind: String,
    id: Template,
    state: Template,
    first: Option<Template>,
    since: Option<Template>,
    lasting: Vec<(String, Vec<Value>)>,
    version: Option<Template>,
    users: Vec<String>,
    place: Place,
}

impl Object {
    pub(super) fn read(kind: &Key, node: &Yaml, scope: &mut Scope<'_>) -> Option<Self> {
        for (key, _) in node.map().unwrap_or_default() {
            if !KEYS.contains(&key.name.as_str()) {
                let suggestion = did_you_mean(&key.name, KEYS);
                scope.error(key.position, format!("unknown key `{}`{suggestion}", key.name));
            }
        }
        let (Some(id), Some(state)) = (node.get("id"), node.get("state").filter(|state| state.map().is_some())) else {
            scope.error(
                node.position,
                "expected {id: …, state: {…}}: which object the hook is about, and what it tells of it",
            );
            return None;
        };
        let (lasting, users) = (lasting(node, scope), users(node, scope));
        let mut part = |name: &str| {
            let own = node.get(name)?;
            if own.map().is_none() {
                scope.error(own.position, format!("expected members: what `{name}` tells of the object"));
            }
            Some(template::compile(own, scope))
        };
        let (first, since) = (part("first"), part("since"));
        Some(Self {
            kind: kind.name.clone(),
            id: single(id, scope),
            state: template::compile(state, scope),
            first,
            since,
            lasting,
            version: node.get("version").map(|version| single(version, scope)),
            users,
            place: scope.place(kind.position),
        })
    }

    /// What a hook tells, where it is about an object of this kind.
    pub(super) fn told<'a>(&'a self, run: &mut Run<'a>) -> Result<Option<Told>, Failure> {
        let Some(id) = text(run, &self.id)? else { return Ok(None) };
        let (mut size, mut unkept) = (0, Vec::new());
        let mut object = |template: Option<&'a Template>| -> Result<Map<String, Value>, Failure> {
            let Some(template) = template else { return Ok(Map::new()) };
            let mut json = Vec::new();
            match run.write(template, &mut json) {
                Ok(()) | Err(Stop::Omit) => {}
                Err(Stop::Fail(failure)) => return Err(*failure),
            }
            // What the template wrote is an object; nothing is known where it is none.
            let mut members: Map<String, Value> = serde_json::from_slice(&json).unwrap_or_default();
            members.retain(|name, value| {
                let is_long = value.as_str().is_some_and(|text| text.len() > MOST_OF_A_TEXT);
                if is_long {
                    unkept.push(name.clone());
                }
                !value.is_null() && !is_long
            });
            // What is left out does not count, nor how it was written.
            size += if json.len() > MOST {
                serde_json::to_vec(&members).map_or(MOST, |kept| kept.len())
            } else {
                json.len()
            };
            Ok(members)
        };
        let (state, first) = (object(Some(&self.state))?, object(self.first.as_ref())?);
        let since = object(self.since.as_ref())?;
        let since = since.into_iter().filter_map(|(name, value)| Some((name, value.as_bool()?))).collect();
        if id.len() > MOST_OF_AN_ID || size > MOST {
            let length = id.len();
            let message = format!(
                "the id of the {} has {length} bytes and may have {MOST_OF_AN_ID}, what is told of it {size} and may have {MOST}",
                self.kind
            );
            return Err(run.failure(self.place, message));
        }
        let version = self.version.as_ref().map(|version| text(run, version)).transpose()?.flatten();
        Ok(Some(Told {
            kind: self.kind.clone(),
            id,
            state,
            first,
            since,
            lasting: self.lasting.clone(),
            version: version.and_then(|version| version.parse().ok()),
            users: self.users.clone(),
            unkept,
        }))
    }
}

/// Reads `lasting`: members of the state, and the values that they keep.
fn lasting(node: &Yaml, scope: &mut Scope<'_>) -> Vec<(String, Vec<Value>)> {
    let mut all = Vec::new();
    for (key, values) in members(node.get("lasting"), "lasting", scope) {
        check_member(node, &key.name, key.position, &["state"], scope);
        let listed: Option<Vec<Value>> = values.list().map(|values| values.iter().map(Yaml::to_json).collect());
        if listed.as_ref().is_none_or(Vec::is_empty) {
            scope.error(values.position, "expected a list of values that stay once the member has one of them");
        }
        all.push((key.name.clone(), listed.unwrap_or_default()));
    }
    all
}

/// Reads `users`: members that are ids of people.
fn users(node: &Yaml, scope: &mut Scope<'_>) -> Vec<String> {
    let Some(list) = node.get("users") else { return Vec::new() };
    let mut all = Vec::new();
    for item in list.list().unwrap_or_default() {
        let name = item.text().unwrap_or_default();
        check_member(node, name, item.position, &["state", "first"], scope);
        all.push(name.to_owned());
    }
    if list.list().is_none() {
        scope.error(list.position, "expected a list: the members of the object that are ids of people");
    }
    all
}

/// A member that no part of an object has is a misspelt one.
fn check_member(node: &Yaml, name: &str, at: Position, parts: &[&str], scope: &mut Scope<'_>) {
    let parts = parts.iter().filter_map(|part| node.get(part)).filter_map(Yaml::map);
    let known: Vec<&str> = parts.flatten().map(|(key, _)| key.name.as_str()).collect();
    if !known.contains(&name) {
        let suggestion = did_you_mean(name, known.iter().copied());
        scope.error(at, format!("no member `{name}` is told of the object{suggestion}"));
    }
}
