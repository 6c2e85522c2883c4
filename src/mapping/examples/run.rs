//! Runs examples and compares what comes out with what they say.

use super::{Example, Wanted};
use crate::mapping::diagnostic::{Diagnostics, Position, Severity};
use crate::mapping::eval::explain::Trace;
use crate::mapping::eval::{HookFacts, Run, Surroundings};
use crate::mapping::explain::shown;
use crate::mapping::failure::Failure;
use crate::mapping::file::{Mapping, Output};
use crate::mapping::json::{Document, Node};
use crate::mapping::knowledge::NoKnowledge;
use crate::mapping::lookups::Lookups;
use crate::mapping::selection;
use crate::mapping::set::{Mappings, Untranslated};
use bumpalo::Bump;
use serde_json::Value;
use std::cmp::Ordering;

/// What came of an example that could be run.
pub(crate) struct Ran<'s> {
    pub(crate) mapping: &'s Mapping,
    pub(crate) example: &'s Example,
    /// Headers and body; nothing when the mapping ignores the event.
    pub(crate) made: Option<(Vec<(String, String)>, Value)>,
    pub(crate) trace: Trace,
}

/// What is wrong with an example.
pub(crate) struct Failed<'s> {
    pub(crate) file: &'s str,
    pub(crate) position: Position,
    pub(crate) message: String,
    /// What stopped the translation.
    pub(crate) stopped: Option<Failure>,
}

impl Failed<'_> {
    /// Whether the translation stopped at a place of which something is said already.
    pub(crate) fn is_about(&self, said: &Diagnostics) -> bool {
        self.stopped.as_ref().is_some_and(|stopped| {
            let at = Position { line: stopped.line, column: stopped.column };
            said.sorted().into_iter().any(|finding| {
                finding.severity == Severity::Error && finding.file == stopped.file && finding.position == at
            })
        })
    }

    pub(crate) fn note(self, faults: &mut Diagnostics) {
        faults.error(self.file, self.position, self.message);
    }
}

/// Runs every example of a set: those that could be run, and what is wrong with those whose mapping makes something else
/// or nothing of them.
pub(crate) fn run(set: &Mappings) -> (Vec<Ran<'_>>, Vec<Failed<'_>>) {
    let (mut clashes, mut all, mut failed) = (Clashes::default(), Vec::new(), Vec::new());
    for mapping in set.iter() {
        let (ran, wrong) = run_those_of(set, mapping, &mut clashes);
        all.extend(ran);
        failed.extend(wrong);
    }
    (all, failed)
}

/// The pairs of files of which it is said that both are for the same hook.
pub(crate) type Clashes<'s> = Vec<(&'s str, &'s str)>;

/// Runs the examples of one mapping, as [`run`] does: what came of all at once takes a lot of room.
pub(crate) fn run_those_of<'s>(
    set: &'s Mappings,
    mapping: &'s Mapping,
    clashes: &mut Clashes<'s>,
) -> (Vec<Ran<'s>>, Vec<Failed<'s>>) {
    let (mut all, mut failed) = (Vec::new(), Vec::new());
    for example in &mapping.examples {
        let wrong = |position, message, stopped| Failed { file: &mapping.file, position, message, stopped };
        match run_one(set, mapping, example) {
            Ok(ran) => {
                let made = ran.made.as_ref().map(|(headers, body)| (headers.as_slice(), body));
                if let Err(message) = compare(example, made, &|path| made_by(&ran, path)) {
                    failed.push(wrong(example.position, said(example, &message), None));
                }
                all.push(ran);
            }
            Err(Wrong::Example(message)) => failed.push(wrong(example.position, said(example, &message), None)),
            Err(Wrong::Stopped(failure)) => {
                failed.push(wrong(example.position, said(example, &failure.to_string()), Some(failure)));
            }
            // Said already: the two can never be told apart.
            Err(Wrong::Clash(other)) if selection::are_alike(mapping, other) => {}
            // Said once of two files, whichever of their examples shows it.
            Err(Wrong::Clash(other)) if clashes.contains(&(&*other.file, &*mapping.file)) => {}
            Err(Wrong::Clash(other)) if clashes.contains(&(&*mapping.file, &*other.file)) => {}
            Err(Wrong::Clash(other)) => {
                let (file, at) = (&other.file, other.position);
                let message = format!(
                    "matches the same event as {file}:{}:{} (example \"{}\")",
                    at.line, at.column, example.name
                );
                failed.push(wrong(mapping.position, message, None));
                clashes.push((&*mapping.file, &*other.file));
            }
        }
    }
    (all, failed)
}

/// A message about an example.
pub(crate) fn said(example: &Example, message: &str) -> String {
    format!("example \"{}\": {message}", example.name)
}

enum Wrong<'s> {
    Example(String),
    /// The hook could not be translated.
    Stopped(Failure),
    /// This other mapping is for the hook as well.
    Clash(&'s Mapping),
}

/// Runs an example, after making sure that its mapping and no other is the one for it.
fn run_one<'s>(set: &'s Mappings, mapping: &'s Mapping, example: &'s Example) -> Result<Ran<'s>, Wrong<'s>> {
    let event = example.event_of(mapping);
    let Some(closeness) = mapping.closeness(event) else {
        return Err(Wrong::Example(format!("this file is not for the event `{event}`")));
    };
    let texts = Texts::of(example, event);
    let documents = texts.parse().map_err(Wrong::Example)?;
    let beside = documents.beside(&example.lookups);
    let input = documents.input.root();
    only_one(set, mapping, (event, closeness), input, &beside)?;
    let made = match set.translate(event, input, &beside) {
        Ok(made) => {
            let body = serde_json::from_slice(&made.body)
                .map_err(|error| Wrong::Example(format!("the body is not JSON: {error}")))?;
            Some((made.headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect(), body))
        }
        Err(Untranslated::Ignored { .. }) => None,
        Err(Untranslated::Failed(failure)) => return Err(Wrong::Stopped(failure)),
        Err(other) => return Err(Wrong::Example(other.to_string())),
    };
    Ok(Ran { mapping, example, made, trace: trace(mapping, input, &beside) })
}

/// The texts of an example that a run reads.
pub(crate) struct Texts<'e> {
    hook: HookFacts<'e>,
    input: String,
    settings: String,
    seen: String,
}

/// The texts, parsed.
pub(crate) struct Documents<'t> {
    pub(crate) input: Document<'t>,
    hook: HookFacts<'t>,
    settings: Document<'t>,
    seen: Document<'t>,
}

impl<'e> Texts<'e> {
    /// The hook of an example, as one of an event, and what stands beside it.
    pub(crate) fn of(example: &'e Example, event: &'e str) -> Self {
        let fact = |name| example.hook.get(name).and_then(Value::as_str);
        let hook = HookFacts {
            id: fact("id").unwrap_or_default(),
            received_at: fact("received_at").unwrap_or_default(),
            event,
            instance: fact("instance"),
        };
        let [input, settings, seen] = [&example.input, &example.settings, &example.seen].map(Value::to_string);
        Self { hook, input, settings, seen }
    }

    pub(crate) fn parse(&self) -> Result<Documents<'_>, String> {
        Ok(Documents {
            input: document(&self.input)?,
            hook: self.hook,
            settings: document(&self.settings)?,
            seen: document(&self.seen)?,
        })
    }
}

fn document(text: &str) -> Result<Document<'_>, String> {
    Document::parse(text.as_bytes()).map_err(|error| error.to_string())
}

impl Documents<'_> {
    pub(crate) fn beside<'d>(&'d self, lookups: &'d Lookups) -> Surroundings<'d> {
        let given = |document: &'d Document<'_>| Some(document.root()).filter(|node| node.is_object());
        Surroundings {
            hook: Some(self.hook),
            settings: given(&self.settings),
            seen: given(&self.seen),
            instance: self.hook.instance.unwrap_or_default(),
            lookups: Some(lookups),
            ..Surroundings::new(&NoKnowledge)
        }
    }
}

/// Refuses an example that another mapping takes as well and is no less close to.
fn only_one<'s>(
    set: &'s Mappings,
    mapping: &Mapping,
    (event, closeness): (&str, (bool, usize)),
    input: Node<'_>,
    beside: &Surroundings<'_>,
) -> Result<(), Wrong<'s>> {
    for other in set.for_event(event).filter(|other| !std::ptr::eq(*other, mapping)) {
        let taken = selection::takes(other, &Run::new(&other.program, input, beside, &Bump::new()))
            .map_err(|failure| Wrong::Example(failure.to_string()))?;
        match other.closeness(event).cmp(&Some(closeness)) {
            Ordering::Greater if taken => {
                let (file, at) = (&other.file, other.position);
                let message = format!("{file}:{}:{} is more specific and takes it", at.line, at.column);
                return Err(Wrong::Example(message));
            }
            Ordering::Equal if taken => return Err(Wrong::Clash(other)),
            _ => {}
        }
    }
    let own = selection::takes(mapping, &Run::new(&mapping.program, input, beside, &Bump::new()));
    match own {
        Ok(true) => Ok(()),
        Ok(false) => Err(Wrong::Example("this file's `match` does not take the hook".to_owned())),
        Err(failure) => Err(Wrong::Example(failure.to_string())),
    }
}

fn trace(mapping: &Mapping, input: Node<'_>, beside: &Surroundings<'_>) -> Trace {
    let mut trace = Trace::default();
    let arena = Bump::new();
    let mut run = Run::new(&mapping.program, input, beside, &arena);
    if let Output::Body(body) = &mapping.output {
        // What stops a trace has stopped the translation, which said so.
        let _ = run.trace(body, mapping.body_place(), &mut trace);
    }
    for (_, place, value) in &mapping.headers {
        // Only the branches that are taken count here: the values belong to no field of the body.
        let values = trace.values.len();
        let _ = run.trace(value, *place, &mut trace);
        trace.values.truncate(values);
    }
    trace
}

/// Holds what came out against everything that an example says of it; gives the first difference.
pub(crate) fn compare(
    example: &Example,
    made: Option<(&[(String, String)], &Value)>,
    made_by: &dyn Fn(&[String]) -> String,
) -> Result<(), String> {
    example.wanted.iter().try_for_each(|wanted| check(wanted, made, made_by))
}

fn check(
    wanted: &Wanted,
    made: Option<(&[(String, String)], &Value)>,
    made_by: &dyn Fn(&[String]) -> String,
) -> Result<(), String> {
    let (headers, body) = match (wanted, made) {
        (Wanted::Ignored, None) => return Ok(()),
        (Wanted::Ignored, Some(_)) => {
            return Err("expected the hook to be ignored, but it was translated".to_owned());
        }
        (_, None) => return Err("the hook is ignored".to_owned()),
        (_, Some(made)) => made,
    };
    let found = match wanted {
        Wanted::Output(output) => difference(output, body, false, &mut Vec::new()),
        Wanted::Expect(expect) => difference(expect, body, true, &mut Vec::new()),
        Wanted::Headers(expect) => {
            let headers = headers.iter().map(|(name, value)| (spelt_as(name, expect), value.clone().into()));
            let headers = headers.collect::<serde_json::Map<_, _>>().into();
            let found = difference(expect, &headers, true, &mut Vec::new());
            return found.map_or(Ok(()), |found| Err(found.to_string()));
        }
        Wanted::Ignored => None,
    };
    found.map_or(Ok(()), |found| Err(format!("{found}{}", made_by(&found.path))))
}

/// The name of a header as an example writes it, which may use other capital and small letters.
fn spelt_as(name: &str, example: &Value) -> String {
    let own = example.as_object().and_then(|own| own.keys().find(|key| key.eq_ignore_ascii_case(name)));
    own.map_or_else(|| name.to_owned(), Clone::clone)
}

/// The line that made what stands at a path, or the first thing in it.
fn made_by(ran: &Ran<'_>, path: &[String]) -> String {
    let Some(place) = ran.trace.maker(path) else { return String::new() };
    let file = ran.mapping.program.files.get(place.file).filter(|file| **file != ran.mapping.file);
    let file = file.map_or_else(String::new, |file| format!("{file} "));
    format!(" (made by {file}line {})", place.position.line)
}

/// The first path at which two values differ.
struct Difference {
    path: Vec<String>,
    expected: Option<Value>,
    got: Option<Value>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |value: &Option<Value>| {
            value.as_ref().map_or_else(|| "nothing".to_owned(), |value| shortened(&value.to_string()))
        };
        let path = if self.path.is_empty() { "the body".to_owned() } else { shown(&self.path) };
        write!(formatter, "{path}: expected {}, got {}", show(&self.expected), show(&self.got))
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn difference(expected: &Value, got: &Value, subset: bool, path: &mut Vec<String>) -> Option<Difference> {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            let added = got.keys().filter(|key| !subset && !expected.contains_key(*key));
            expected.keys().chain(added).find_map(|key| inside(key, expected.get(key), got.get(key), subset, path))
        }
        (Value::Array(expected), Value::Array(got)) => (0..expected.len().max(got.len()))
            .find_map(|at| inside(&at.to_string(), expected.get(at), got.get(at), subset, path)),
        (expected, got) if expected == got => None,
        (expected, got) => {
            Some(Difference { path: path.clone(), expected: Some(expected.clone()), got: Some(got.clone()) })
        }
    }
}

/// The first difference in a member or an element, which one of the two may lack.
fn inside(
    part: &str,
    expected: Option<&Value>,
    got: Option<&Value>,
    subset: bool,
    path: &mut Vec<String>,
) -> Option<Difference> {
    path.push(part.to_owned());
    let found = match (expected, got) {
        (Some(expected), Some(got)) => difference(expected, got, subset, path),
        (expected, got) => Some(Difference { path: path.clone(), expected: expected.cloned(), got: got.cloned() }),
    };
    path.pop();
    found
}
