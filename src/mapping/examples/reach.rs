//! What the examples of a set reach: every path that a file reads must be in one, every branch should be taken by one,
//! and every name should be used. This is how a misspelt name is found before a hook comes.

use super::Example;
use crate::mapping::diagnostic::{Diagnostics, Position, near};
use crate::mapping::files::Files;
use crate::mapping::program::{Place, Program, Root};
use crate::mapping::usage::{NamedKind, Origin, Part, Read, shown};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A program, the hooks that its examples show, and the branches that they took.
pub(crate) struct Reached<'s> {
    pub(crate) files: &'s Files,
    pub(crate) program: &'s Program,
    pub(crate) samples: Vec<Sample<'s>>,
    pub(crate) taken: HashSet<Place>,
    /// Whether every example could be run; one that could not took no branch.
    pub(crate) all_ran: bool,
}

/// What one example shows.
#[derive(Clone, Copy)]
pub(crate) struct Sample<'s> {
    pub(crate) input: &'s Value,
    pub(crate) settings: &'s Value,
    pub(crate) seen: &'s Value,
}

impl<'s> From<&'s Example> for Sample<'s> {
    fn from(example: &'s Example) -> Self {
        Self { input: &example.input, settings: &example.settings, seen: &example.seen }
    }
}

/// A place that is the same for every program that a shared file is part of.
type Spot<'s> = (&'s Arc<str>, Position);

fn spot(program: &Program, place: Place) -> Option<Spot<'_>> {
    program.files.get(place.file).map(|file| (file, place.position))
}

/// Checks the names of every program of a set together: what a shared file reads, some example of some file that uses it
/// must show. Where the set `is_part` of one whose other files cannot be run, those may show what the rest does not.
pub(crate) fn check(all: &[Reached<'_>], is_part: bool, faults: &mut Diagnostics) {
    hidden_fields(all, faults);
    unknown_fields(all, is_part, faults);
    branches(all, is_part, faults);
    unused_names(all, is_part, faults);
}

/// A `let` or loop variable with the name of a field would make a reader guess which of the two is meant.
fn hidden_fields(all: &[Reached<'_>], faults: &mut Diagnostics) {
    for reached in all {
        for named in &reached.program.usage.named {
            let hides = matches!(named.kind, NamedKind::Let | NamedKind::Loop)
                && reached.samples.iter().any(|sample| sample.input.get(&named.name).is_some());
            if let (true, Some((file, position))) = (hides, spot(reached.program, named.place)) {
                let message = format!(
                    "the {} `{}` hides input field `{}`: give it another name",
                    named.kind.word(),
                    named.name,
                    named.name
                );
                faults.error(file, position, message);
            }
        }
    }
}

/// One path as it is written at one spot, and what the programs that it is part of say of it.
struct Seen<'s> {
    read: &'s Read,
    is_known: bool,
    by: Vec<&'s Reached<'s>>,
}

fn unknown_fields(all: &[Reached<'_>], is_part: bool, faults: &mut Diagnostics) {
    let mut found: BTreeMap<(Spot<'_>, &str), Seen<'_>> = BTreeMap::new();
    for reached in all {
        for ((spot, text), (read, known)) in known_reads(reached, all) {
            let is_known = known || reached.forgives(spot.0, is_part) || read.selects && is_part;
            let seen = found.entry((spot, text)).or_insert_with(|| Seen { read, is_known, by: Vec::new() });
            if !is_known && !seen.is_known {
                seen.read = read;
            }
            seen.is_known |= is_known;
            seen.by.push(reached);
        }
    }
    let unknown: Vec<(Spot<'_>, Seen<'_>)> =
        found.into_iter().filter(|(_, seen)| !seen.is_known).map(|((spot, _), seen)| (spot, seen)).collect();
    for ((file, position), seen) in &unknown {
        if !unknown.iter().any(|(_, other)| follows(seen.read, other.read)) {
            let suggestion = suggestion(seen.read, &seen.by);
            let message = format!("unknown field `{}`: no example has it{suggestion}", seen.read.text);
            faults.error(file, *position, message);
        }
    }
}

/// What a program reads, and whether its examples show it. A block that stands in several places reads another field in
/// each: all of them must be shown.
fn known_reads<'s>(reached: &'s Reached<'s>, all: &[Reached<'_>]) -> BTreeMap<(Spot<'s>, &'s str), (&'s Read, bool)> {
    let mut reads: BTreeMap<(Spot<'s>, &'s str), (&'s Read, bool)> = BTreeMap::new();
    for read in reached.program.usage.reads.iter().filter(|read| read.checked) {
        let Some(origins) = read.origins.as_ref().filter(|origins| !origins.is_empty()) else { continue };
        let Some(spot) = spot(reached.program, read.place) else { continue };
        let known = if read.selects { all.iter().any(|any| any.shows(origins)) } else { reached.shows(origins) };
        let entry = reads.entry((spot, &read.text)).or_insert((read, known));
        if entry.1 && !known {
            *entry = (read, false);
        }
    }
    reads
}

/// Whether a path goes on, by the name of a loop or a `let`, from another that is unknown itself.
fn follows(read: &Read, other: &Read) -> bool {
    let (Some(own), Some(before)) = (&read.origins, &other.origins) else { return false };
    let goes_on = |origin: &Origin| {
        read.text != shown(&origin.parts)
            && before.iter().any(|before| {
                before.root == origin.root
                    && before.parts.len() < origin.parts.len()
                    && origin.parts.starts_with(&before.parts)
            })
    };
    own.iter().all(goes_on)
}

impl Reached<'_> {
    /// Whether the examples that show what a file does may be missing through no fault of that file: it comes with the
    /// program and others stand over its neighbours, whose authors cannot bring back what the program's own tests hold
    /// it against; or it is shared, and others that use it cannot be run.
    fn forgives(&self, file: &str, is_part: bool) -> bool {
        let is_shared = self.program.files.first().is_some_and(|own| **own != *file);
        self.files.is_built_in(file) && self.files.is_altered() || is_part && is_shared
    }

    /// Whether an example has something at one of these paths.
    fn shows(&self, origins: &[Origin]) -> bool {
        origins.iter().any(|origin| match origin.root {
            Root::Input | Root::Settings | Root::Seen => {
                self.samples.iter().any(|sample| has(top(*sample, origin.root), &origin.parts))
            }
            // What else stands beside the input has fixed names, which were checked when they were read.
            _ => true,
        })
    }
}

fn top(sample: Sample<'_>, root: Root) -> &Value {
    match root {
        Root::Settings => sample.settings,
        Root::Seen => sample.seen,
        _ => sample.input,
    }
}

/// Whether a value has something at a path, be it null.
fn has(value: &Value, parts: &[Part]) -> bool {
    match parts.split_first() {
        None => true,
        Some((Part::Key(key), rest)) => value.get(key).is_some_and(|inner| has(inner, rest)),
        Some((Part::Element, rest)) => value.as_array().is_some_and(|items| items.iter().any(|item| has(item, rest))),
    }
}

/// `; did you mean …?`: the path with its first unknown part replaced by the nearest field that an example has there.
fn suggestion(read: &Read, shown_by: &[&Reached<'_>]) -> String {
    let Some(origin) = read.origins.iter().flatten().next() else { return String::new() };
    let samples: Vec<Sample<'_>> = shown_by.iter().flat_map(|reached| reached.samples.iter().copied()).collect();
    for (position, part) in origin.parts.iter().enumerate() {
        let (before, rest) = origin.parts.split_at(position);
        let at = origin.parts.get(..=position).unwrap_or_default();
        let Part::Key(wrong) = part else { continue };
        if samples.iter().any(|sample| has(top(*sample, origin.root), at)) {
            continue;
        }
        let mut known: Vec<&str> = Vec::new();
        for sample in &samples {
            keys_at(top(*sample, origin.root), before, &mut known);
        }
        if position == 0 && origin.root == Root::Input {
            let named = shown_by.iter().flat_map(|reached| &reached.program.usage.named);
            known.extend(named.filter(|named| named.kind == NamedKind::Let).map(|named| named.name.as_str()));
        }
        let Some(name) = near(wrong, known) else { return String::new() };
        let meant: Vec<Part> =
            before.iter().cloned().chain([Part::Key(name.to_owned())]).chain(rest.iter().skip(1).cloned()).collect();
        let meant = as_written(read, &meant);
        return if meant == read.text { String::new() } else { format!("; did you mean `{meant}`?") };
    }
    String::new()
}

/// A meant path with the beginning that the file gives it: a loop variable, a `let`, `settings`.
fn as_written(read: &Read, meant: &[Part]) -> String {
    let name = read.text.split(['.', '[']).next().unwrap_or_default();
    let behind_name = read.text.matches(['.', '[']).count();
    match meant.len().checked_sub(behind_name) {
        // The whole path stands in the file.
        None | Some(1) => shown(meant),
        Some(base) => format!("{name}.{}", shown(meant.get(base..).unwrap_or_default())),
    }
}

fn keys_at<'v>(value: &'v Value, parts: &[Part], known: &mut Vec<&'v str>) {
    match parts.split_first() {
        None => known.extend(value.as_object().into_iter().flat_map(|members| members.keys().map(String::as_str))),
        Some((Part::Key(key), rest)) => {
            if let Some(inner) = value.get(key) {
                keys_at(inner, rest, known);
            }
        }
        Some((Part::Element, rest)) => {
            value.as_array().into_iter().flatten().for_each(|item| keys_at(item, rest, known));
        }
    }
}

fn branches(all: &[Reached<'_>], is_part: bool, faults: &mut Diagnostics) {
    let mut found: BTreeMap<Spot<'_>, bool> = BTreeMap::new();
    for reached in all {
        for place in &reached.program.usage.branches {
            if let Some(spot) = spot(reached.program, *place) {
                let taken = reached.taken.contains(place) || !reached.all_ran;
                *found.entry(spot).or_default() |= taken || reached.forgives(spot.0, is_part);
            }
        }
    }
    for ((file, position), _) in found.into_iter().filter(|(_, taken)| !taken) {
        // What is wrong in a file may be why its branches are not taken.
        if !faults.has_errors_in(file) {
            faults.warning(file, position, "no example takes this branch");
        }
    }
}

fn unused_names(all: &[Reached<'_>], is_part: bool, faults: &mut Diagnostics) {
    let mut found: BTreeMap<Spot<'_>, (bool, NamedKind, &str)> = BTreeMap::new();
    for reached in all {
        let usage = &reached.program.usage;
        for named in usage.named.iter().filter(|named| named.kind != NamedKind::Loop) {
            if let Some(spot) = spot(reached.program, named.place) {
                let entry = found.entry(spot).or_insert((false, named.kind, &named.name));
                entry.0 |= usage.used.contains(&named.place) || reached.forgives(spot.0, is_part);
            }
        }
    }
    for ((file, position), (_, kind, name)) in found.into_iter().filter(|(_, (used, ..))| !used) {
        faults.warning(file, position, format!("nothing uses the {} `{name}`", kind.word()));
    }
}
