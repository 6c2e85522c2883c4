//! The headers that a mapping sets: read and checked with its file, and worked out for a hook.

use super::eval::Run;
use super::failure::Stop;
use super::file::{members, single};
use super::program::{Constant, Piece, Place, Template};
use super::scope::Scope;
use super::yaml::Yaml;
use std::sync::Arc;

/// A header that a mapping sets: its name, where it stands, its value.
pub(crate) type Header = (Arc<str>, Place, Template);

/// Reads `headers`.
pub(crate) fn read(node: Option<&Yaml>, scope: &mut Scope<'_>) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    for (key, value) in members(node, "headers", scope) {
        if !key.name.to_ascii_lowercase().starts_with("x-") {
            scope.error(
                key.position,
                "a mapping sets the event header and other `X-…` headers; hookglot makes the rest",
            );
        } else if !key.name.bytes().all(|byte| byte == b'-' || byte == b'_' || byte.is_ascii_alphanumeric()) {
            scope.error(key.position, "a header's name is made of letters, digits, `-` and `_`");
        }
        let same = |(name, _, _): &&Header| name.eq_ignore_ascii_case(&key.name);
        if let Some((name, place, _)) = headers.iter().find(same) {
            let line = place.position.line;
            let message =
                format!("`{name}` in line {line} is the same header: capital and small letters are alike in it");
            scope.error(key.position, message);
        }
        let template = single(value, scope);
        if let Some(wrong) = unsendable_in(&template) {
            scope.error(value.position, no_header_has(wrong));
        }
        headers.push((Arc::from(key.name.as_str()), scope.place(key.position), template));
    }
    headers
}

/// Works out the headers of a mapping; one without a value, or that is left out, is not among them.
pub(crate) fn made<'a>(headers: &'a [Header], run: &Run<'a>) -> Result<Vec<(Arc<str>, String)>, Stop> {
    let mut made = Vec::with_capacity(headers.len());
    for (name, place, template) in headers {
        let value = match run.value(template) {
            Ok(value) if value.is_null() => continue,
            Ok(value) => value,
            Err(Stop::Omit) => continue,
            Err(fail) => return Err(fail),
        };
        let place = maker(template).unwrap_or(*place);
        let Some(text) = value.as_text() else {
            return run.fail(place, format!("the header {name} is a text, got {}", value.describe()));
        };
        if let Some(wrong) = unsendable(&text) {
            return run.fail(place, format!("the header {name}: {}", no_header_has(wrong)));
        }
        made.push((Arc::clone(name), text.into_owned()));
    }
    Ok(made)
}

/// The first character that cannot be sent in a header: all but the visible ones of ASCII, blanks and tabs.
fn unsendable(text: &str) -> Option<char> {
    text.chars().find(|character| !matches!(character, ' '..='~' | '\t'))
}

fn no_header_has(wrong: char) -> String {
    format!("no header can have the character {wrong:?}: its value is ASCII, and one line")
}

/// What cannot be sent in the texts that stand in the file.
fn unsendable_in(template: &Template) -> Option<char> {
    match template {
        Template::Literal { constant: Some(Constant::Text(text) | Constant::Clean(text)), .. } => unsendable(text),
        Template::Text(pieces) => pieces.iter().find_map(|piece| match piece {
            Piece::Fixed { text, .. } => unsendable(text),
            Piece::Hole(_) => None,
        }),
        Template::Case(branches) => branches.iter().find_map(|branch| unsendable_in(&branch.then)),
        _ => None,
    }
}

/// The place of the hole that makes a value.
fn maker(template: &Template) -> Option<Place> {
    match template {
        Template::Hole(expr) => Some(expr.place),
        Template::Text(pieces) => pieces.iter().find_map(|piece| match piece {
            Piece::Hole(expr) => Some(expr.place),
            Piece::Fixed { .. } => None,
        }),
        _ => None,
    }
}
