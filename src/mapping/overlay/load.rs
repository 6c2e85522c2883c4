//! Reads overlay files and runs their examples.

use super::{FOLDER, Overlay, Overlays, Set};
use crate::mapping::diagnostic::Diagnostics;
use crate::mapping::eval::Run;
use crate::mapping::eval::explain::Trace;
use crate::mapping::examples::reach::{self, Reached};
use crate::mapping::examples::run::{Failed, Texts, compare, said};
use crate::mapping::examples::{self, Example};
use crate::mapping::failure::Failure;
use crate::mapping::file::{check_header, members, read_events, read_names};
use crate::mapping::files::{Files, is_mapping};
use crate::mapping::identity;
use crate::mapping::json::Document;
use crate::mapping::scope::Scope;
use crate::mapping::template;
use crate::mapping::yaml::{self, Yaml};
use bumpalo::Bump;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const KEYS: [&str; 8] = ["overlay", "doc", "event", "tables", "let", "blocks", "set", "examples"];

/// The name of an overlay: that of its file.
pub(super) fn name(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.rsplit_once('.').map_or(file, |(name, _)| name)
}

/// Every overlay that can be compiled, and every finding in all of them.
pub(super) fn all(files: &Files) -> (Overlays, Diagnostics) {
    let (mut overlays, mut found) = (Overlays::default(), Diagnostics::default());
    for path in files.in_folder(FOLDER).filter(|path| is_mapping(path)) {
        let mut own = Diagnostics::default();
        if let Some(overlay) = read(files, path, &mut own).filter(|_| !own.has_errors()) {
            run_examples(&overlay, files, &mut own);
            overlays.0.insert(name(path).to_owned(), overlay);
        }
        found.extend(own);
    }
    (overlays, found)
}

fn read(files: &Files, path: &str, faults: &mut Diagnostics) -> Option<Overlay> {
    let (file, text) = files.get(path)?;
    let root = yaml::parse(&file, text, faults)?;
    let mut scope = Scope::new(&file, false, faults);
    check_header(&root, &KEYS, &mut scope);
    root.map()?;
    read_names(&root, &mut scope);
    let events = read_events(&root, &mut scope);
    let sets = read_sets(&root, &mut scope);
    let examples = examples::read(files, path, root.get("examples"), &mut scope);
    let doc = root.get("doc").and_then(Yaml::text).unwrap_or_default().trim().to_owned();
    let sha256 = identity::hexadecimal(&Sha256::digest(text));
    let position = root.get("event").map_or(root.position, |event| event.position);
    Some(Overlay { file: Arc::from(file), doc, events, position, sha256, program: scope.program, sets, examples })
}

fn read_sets(root: &Yaml, scope: &mut Scope<'_>) -> Vec<Set> {
    let listed = members(root.get("set"), "set", scope);
    if listed.is_empty() {
        scope.error(root.position, "`set` is missing: the fields that the overlay changes or adds");
    }
    let mut sets: Vec<Set> = Vec::new();
    for (key, value) in listed {
        let path: Vec<String> = key.name.split('.').map(str::to_owned).collect();
        if path.iter().any(|part| part.is_empty() || part.contains(['[', ']', '$'])) {
            scope.error(key.position, format!("`{}` is no path of keys such as `project.web_url`", key.name));
        }
        if let Some(other) = sets.iter().find(|other| other.path.starts_with(&path) || path.starts_with(&other.path)) {
            let message = format!("`{}` and `{}` set the same field", key.name, other.path.join("."));
            scope.error(key.position, message);
        }
        let place = scope.place(key.position);
        sets.push(Set { path, place, value: template::compile(value, scope) });
    }
    sets
}

fn run_examples(overlay: &Overlay, files: &Files, faults: &mut Diagnostics) {
    let mut reached = Reached {
        files,
        program: &overlay.program,
        samples: overlay.examples.iter().map(Into::into).collect(),
        taken: std::collections::HashSet::new(),
        all_ran: true,
    };
    let mut failed = Vec::new();
    for example in &overlay.examples {
        match run(overlay, example) {
            Ok(trace) => reached.taken.extend(trace.taken),
            Err((message, stopped)) => {
                let (file, position) = (&*overlay.file, example.position);
                failed.push(Failed { file, position, message: said(example, &message), stopped });
                reached.all_ran = false;
            }
        }
    }
    reach::check(&[reached], false, faults);
    let failed: Vec<Failed<'_>> = failed.into_iter().filter(|failed| !failed.is_about(faults)).collect();
    for failed in failed {
        failed.note(faults);
    }
}

/// What the overlay did, or what is wrong with the example and where the overlay stopped at it.
fn run(overlay: &Overlay, example: &Example) -> Result<Trace, (String, Option<Failure>)> {
    let wrong = |message: String| (message, None);
    let event = example.event.as_ref().or(overlay.events.first()).cloned().unwrap_or_default();
    if !overlay.is_for(&event) {
        return Err(wrong(format!("this file is not for the event `{event}`")));
    }
    let texts = Texts::of(example, &event);
    let documents = texts.parse().map_err(wrong)?;
    let beside = documents.beside(&example.lookups);
    let laid = overlay.lay(&documents.input, &beside).map_err(|failure| (failure.to_string(), Some(failure)))?;
    let body: Value = serde_json::from_slice(&laid).map_err(|error| wrong(format!("the body is not JSON: {error}")))?;
    let trace = trace(overlay, &documents.input, &beside);
    let made_by = |path: &[String]| match trace.maker(path) {
        Some(place) => format!(" (made by line {})", place.position.line),
        None => " (as it came)".to_owned(),
    };
    compare(example, Some((&[], &body)), &made_by).map_err(wrong)?;
    Ok(trace)
}

fn trace(overlay: &Overlay, body: &Document<'_>, beside: &crate::mapping::Surroundings<'_>) -> Trace {
    let mut trace = Trace::default();
    let arena = Bump::new();
    let mut run = Run::new(&overlay.program, body.root(), beside, &arena);
    for set in &overlay.sets {
        trace.path.clone_from(&set.path);
        // What stops a trace has stopped the laying, which said so, or leaves the field as it is.
        let _ = run.trace(&set.value, set.place, &mut trace);
    }
    trace
}
