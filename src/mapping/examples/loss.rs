//! Holds `lossy` against the examples: what it names must exist, and what a mapping leaves unread must be named in it.

use super::run::Ran;
use crate::mapping::diagnostic::{Diagnostics, near};
use crate::mapping::file::{Mapping, Output};
use crate::mapping::program::Root;
use crate::mapping::usage::{Part, Read, shown};
use serde_json::Value;
use std::collections::BTreeSet;

/// A field that `lossy` names is one of the hook or of the body, or it is a misspelt one; one that is left out is neither's.
pub(crate) fn unknown(mapping: &Mapping, ran: &[Ran<'_>], faults: &mut Diagnostics) {
    let mut known = BTreeSet::new();
    for ran in ran {
        all_paths(&ran.example.input, &mut Vec::new(), &mut known);
        if let Some((_, body)) = &ran.made {
            all_paths(body, &mut Vec::new(), &mut known);
        }
    }
    unshown_values(mapping, ran, faults);
    for loss in &mapping.lossy {
        for field in &loss.fields {
            let is_known = known.contains(&shown(&field.parts));
            if field.is_left_out && is_known {
                let message = format!("`{}`: an example has it; what it has is lost without `no`", field.written());
                faults.error(&mapping.file, loss.position, message);
            }
            if field.is_left_out || is_known {
                continue;
            }
            let suggestion = near(&field.path, known.iter().map(String::as_str));
            let suggestion = suggestion.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            let message = format!(
                "unknown field `{}`: neither the hook nor the body of an example has it{suggestion}",
                field.path
            );
            faults.error(&mapping.file, loss.position, message);
        }
    }
}

/// A value that `lossy` names must stand in the hook or the body of an example, and nothing is named twice.
fn unshown_values(mapping: &Mapping, ran: &[Ran<'_>], faults: &mut Diagnostics) {
    let mut named = BTreeSet::new();
    for (loss, field) in mapping.lossy.iter().flat_map(|loss| loss.fields.iter().map(move |field| (loss, field))) {
        if !named.insert((field.path.as_str(), field.values.as_slice())) {
            faults.warning(&mapping.file, loss.position, format!("`{}` is declared already", field.written()));
        }
        let shows = |value: &Value| field.values.iter().any(|own| *own == written(value));
        let is_shown = ran.iter().any(|ran| {
            let at = |value: &Value| values_at(value, &field.parts).into_iter().any(shows);
            at(&ran.example.input) || ran.made.as_ref().is_some_and(|(_, body)| at(body))
        });
        // What is empty is lost in the same way wherever it stands.
        let is_empty = field.values.iter().all(|value| matches!(value.as_str(), "''" | "null" | "[]" | "{}"));
        if !is_empty && !is_shown {
            let message = format!("no example has the value `{}`", field.written());
            faults.warning(&mapping.file, loss.position, message);
        }
    }
}

/// A value as `lossy` writes it.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "''".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn values_at<'v>(value: &'v Value, parts: &[Part]) -> Vec<&'v Value> {
    match parts.split_first() {
        None => vec![value],
        Some((Part::Key(key), rest)) => value.get(key).map(|inner| values_at(inner, rest)).unwrap_or_default(),
        Some((Part::Element, rest)) => {
            value.as_array().into_iter().flatten().flat_map(|inner| values_at(inner, rest)).collect()
        }
    }
}

fn all_paths(value: &Value, at: &mut Vec<Part>, known: &mut BTreeSet<String>) {
    if !at.is_empty() {
        known.insert(shown(at));
    }
    each_inner(value, at, &mut |inner, at| all_paths(inner, at, known));
}

fn each_inner(value: &Value, at: &mut Vec<Part>, then: &mut dyn FnMut(&Value, &mut Vec<Part>)) {
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                at.push(Part::Key(key.clone()));
                then(inner, at);
                at.pop();
            }
        }
        Value::Array(items) => {
            for inner in items {
                at.push(Part::Element);
                then(inner, at);
                at.pop();
            }
        }
        _ => {}
    }
}

/// Fields of an example's hook that the mapping neither reads nor names in `lossy`, and that nobody reads elsewhere.
pub(crate) fn undeclared(mapping: &Mapping, read_elsewhere: &[Vec<Part>], faults: &mut Diagnostics) {
    if !matches!(mapping.output, Output::Body(_)) {
        return;
    }
    let mut unread = BTreeSet::new();
    for example in &mapping.examples {
        leaves(&example.input, &mut Vec::new(), &mut |at| {
            let declared = mapping.lossy.iter().flat_map(|loss| &loss.fields);
            let declared = declared.filter(|field| field.values.is_empty()).any(|field| field.covers(at));
            let elsewhere = read_elsewhere.iter().any(|read| at.starts_with(read));
            if !at.is_empty()
                && !declared
                && !elsewhere
                && !mapping.program.usage.reads.iter().any(|read| covers(read, at))
            {
                unread.insert(shown(at));
            }
        });
    }
    for path in unread {
        let message = format!("the hook's `{path}` is neither read nor declared in `lossy`: say what becomes of it");
        faults.warning(&mapping.file, mapping.position, message);
    }
}

fn leaves(value: &Value, at: &mut Vec<Part>, found: &mut dyn FnMut(&[Part])) {
    let is_leaf = match value {
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    };
    if is_leaf {
        found(at);
    }
    each_inner(value, at, &mut |inner, at| leaves(inner, at, found));
}

/// Whether a read takes what stands at a path: the value itself, all that it stands in, or (of what is empty) a part.
fn covers(read: &Read, at: &[Part]) -> bool {
    let origins = read.origins.iter().flatten().filter(|origin| origin.root == Root::Input);
    origins
        .map(|origin| origin.parts.as_slice())
        .any(|parts| parts.starts_with(at) || read.whole && at.starts_with(parts))
}
