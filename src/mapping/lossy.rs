//! Declared loss: fields and values that have no home in the other forge, each with the reason.

use super::diagnostic::Position;
use super::scope::Scope;
use super::usage::Part;
use super::yaml::{Yaml, YamlValue};

/// One entry of `lossy`: what is lost, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The fields, of the hook or of the body that is made of it.
    pub fields: Vec<LostField>,
    /// Why.
    pub why: String,
    pub(crate) position: Position,
}

/// A field that is lost, or some of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostField {
    /// As written: `commits[].added`.
    pub path: String,
    /// The values that are lost; empty when the whole field is.
    pub values: Vec<String>,
    /// Whether it is a field of the other forge that the body does not even have: `no reviewers`.
    pub is_left_out: bool,
    pub(crate) parts: Vec<Part>,
}

/// Reads the entries of `lossy`: `fields: why`, a field being a path or `path = value`.
pub(crate) fn read(node: Option<&Yaml>, scope: &mut Scope<'_>) -> Vec<Loss> {
    let Some(node) = node else { return Vec::new() };
    let Some(items) = node.list() else {
        scope.error(node.position, "`lossy` is a list of `fields: why they are lost`");
        return Vec::new();
    };
    items.iter().filter_map(|item| entry(item, scope)).collect()
}

fn entry(item: &Yaml, scope: &mut Scope<'_>) -> Option<Loss> {
    let YamlValue::Map(members) = &item.value else {
        scope.error(item.position, "expected `fields: why they are lost`");
        return None;
    };
    let [(key, why)] = members.as_slice() else {
        scope.error(item.position, "expected `fields: why they are lost`, one such line for each reason");
        return None;
    };
    let why = why.text().unwrap_or_default().trim().to_owned();
    if why.is_empty() {
        scope.error(key.position, "says what is lost, but not why");
    }
    let mut fields: Vec<LostField> = Vec::new();
    for written in key.name.split(", ") {
        match field(written.trim()) {
            Some(field) => fields.push(field),
            None => scope.error(
                key.position,
                format!(
                    "`{written}` is no path: expected `commits[].added`, or `issue.status = COMPLETED` for a value"
                ),
            ),
        }
    }
    Some(Loss { fields, why, position: key.position })
}

/// A path, a path and a value, or `no` and a path.
fn field(written: &str) -> Option<LostField> {
    let (path, values, is_left_out) = match (written.split_once(" = "), written.strip_prefix("no ")) {
        (Some((path, value)), _) => (path, vec![value.to_owned()], false),
        (None, Some(path)) => (path, Vec::new(), true),
        (None, None) => (written, Vec::new(), false),
    };
    Some(LostField { path: path.to_owned(), values, is_left_out, parts: parts(path)? })
}

fn parts(path: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for segment in path.split('.') {
        let name = segment.trim_end_matches("[]");
        let is_name = |byte: u8| byte == b'_' || byte == b'-' || byte.is_ascii_alphanumeric();
        if name.is_empty() || !name.bytes().all(is_name) {
            return None;
        }
        parts.push(Part::Key(name.to_owned()));
        parts.extend(std::iter::repeat_n(Part::Element, (segment.len() - name.len()) / 2));
    }
    Some(parts)
}

impl LostField {
    /// The field as the file writes it: `issue.status = COMPLETED`, `no reviewers`.
    pub(crate) fn written(&self) -> String {
        let path = if self.is_left_out { format!("no {}", self.path) } else { self.path.clone() };
        self.values.iter().fold(path, |path, value| format!("{path} = {value}"))
    }

    /// Whether the field, or what it stands in, is at a path such as `commits[].added`.
    pub(crate) fn covers(&self, path: &[Part]) -> bool {
        path.starts_with(&self.parts)
    }
}
