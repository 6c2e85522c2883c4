//! The mappings of one direction, loaded together and used together.

use super::diagnostic::{Diagnostics, Position};
use super::eval::{Run, Surroundings};
use super::examples::loss;
use super::examples::reach::{self, Reached};
use super::examples::run::{self, Ran};
use super::explain::{self, ExplainedField};
use super::failure::{Failure, Stop};
use super::file::{self, Mapping, Output};
use super::files::{Files, is_mapping};
use super::headers;
use super::json::Node;
use super::lookups::Lookups;
use super::lossy::Loss;
use super::selection;
use super::shared;
use super::usage::Part;
use bumpalo::Bump;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A hook as one forge sends it, made from a hook of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// The JSON body.
    pub body: Vec<u8>,
    /// The headers that the mapping sets, the event header among them.
    pub headers: Vec<(Arc<str>, String)>,
    /// The name of the mapping.
    pub mapping: Arc<str>,
    /// The SHA-256 of the mapping's files, in hexadecimal digits.
    pub sha256: Arc<str>,
    /// The source paths that had no value and no default.
    pub missing: Vec<String>,
}

/// Why a hook has no translation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untranslated {
    /// A mapping says that this event has no counterpart.
    #[error("{reason}")]
    Ignored {
        /// The mapping that says so.
        mapping: String,
        /// Its reason.
        reason: String,
    },
    /// No mapping is for this event.
    #[error("no mapping for the event `{event}`")]
    NoMapping {
        /// The event.
        event: String,
    },
    /// The mapping could not be run on this hook.
    #[error("{0}")]
    Failed(Failure),
}

/// What a mapping says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Description<'m> {
    /// Its file, as messages name it.
    pub file: &'m str,
    /// Where its events stand.
    pub position: Position,
    /// What logs and metrics call it.
    pub name: &'m str,
    /// What it is for.
    pub doc: &'m str,
    /// The SHA-256 of its files.
    pub sha256: &'m str,
    /// The events that it is for.
    pub events: &'m [String],
    /// Why the events have no counterpart, where they have none.
    pub ignored: Option<&'m str>,
    /// What is lost.
    pub lossy: &'m [Loss],
}

/// An example that does not say which of the events of its file its hook is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnsaidEvent<'m> {
    pub(crate) file: &'m str,
    pub(crate) position: Position,
    /// Its name.
    pub(crate) name: &'m str,
    pub(crate) input: &'m serde_json::Value,
    /// The events of the file.
    pub(crate) events: &'m [String],
    /// The first of them.
    pub(crate) ran_as: &'m str,
}

/// An example and what its mapping makes of it.
#[derive(Debug, Clone)]
pub struct ExampleOutput {
    /// The event that it is an example of.
    pub event: String,
    /// The mapping file that it stands in.
    pub file: String,
    /// Where in it.
    pub position: Position,
    /// Its name.
    pub name: String,
    /// The hook.
    pub input: serde_json::Value,
    /// Whether the hook alone decides what comes out: no settings, no state seen before, no tables, no facts of its own.
    pub stands_alone: bool,
    /// Headers and body; nothing where the mapping ignores the event.
    pub output: Option<(Vec<(String, String)>, serde_json::Value)>,
    /// How each field of the body came about.
    pub fields: Vec<ExplainedField>,
    /// The path, the file and the place of each field that holds others.
    pub around: Vec<(String, String, Position)>,
}

/// Every mapping of one direction. Made by [`Mappings::load`] only, so a set in use has passed its checks.
#[derive(Debug)]
pub struct Mappings {
    all: Vec<Mapping>,
    by_event: HashMap<String, Vec<usize>>,
    lookups: Lookups,
}

/// What becomes of the examples of a set that is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Examples {
    /// They are run, and what they reach is looked at.
    Run,
    /// They are read.
    Read,
    /// They are passed over: the same files have passed their checks.
    Left,
}

impl Mappings {
    /// Loads and compiles the mappings of a folder (`gitflic-to-gitlab`); with `run_examples`, their examples too.
    ///
    /// # Errors
    /// Every finding, when one of them is an error. Warnings alone are given beside the set.
    pub fn load(files: &Files, folder: &str, run_examples: bool) -> Result<(Self, Diagnostics), Diagnostics> {
        let (set, found) = Self::read(files, folder, if run_examples { Examples::Run } else { Examples::Read });
        if found.has_errors() { Err(found) } else { Ok((set, found)) }
    }

    /// Loads what can be loaded: the files of a folder that can be compiled, and every finding in all of them. With
    /// errors among the findings the set is good for looking further, not for use.
    pub(crate) fn read(files: &Files, folder: &str, examples: Examples) -> (Self, Diagnostics) {
        let mut found = files.faults();
        let (mut all, mut faulty, mut is_whole) = (Vec::new(), HashSet::new(), true);
        for path in files.in_folder(folder).filter(|path| is_mapping(path)) {
            let mut own = Diagnostics::default();
            let mapping = file::load(files, path, examples == Examples::Left, &mut own);
            if own.has_errors() {
                faulty.extend(files.get(path).map(|(shown, _)| shown));
            }
            is_whole &= mapping.is_some();
            all.extend(mapping);
            found.extend(own);
        }
        shared::check_unused(files, folder, &all, is_whole, &mut found);
        selection::give_way(&mut all, files);
        selection::check_names(&all, &mut found);
        selection::check_clashes(&all, files, &mut found);
        all.retain(|mapping| !faulty.contains(&*mapping.file));
        let lookups = Lookups::load(files, &mut found);
        let set = Self { by_event: by_event(&all), all, lookups };
        if examples == Examples::Run {
            set.check_examples(files, !faulty.is_empty(), &mut found);
        }
        (set, found)
    }

    /// Runs the examples and looks at what they reach; `is_part` says that other files of the folder cannot be run.
    fn check_examples(&self, files: &Files, is_part: bool, found: &mut Diagnostics) {
        let (mut clashes, mut failed, mut reached) = (run::Clashes::default(), Vec::new(), Vec::new());
        let mut of_losses = Diagnostics::default();
        for mapping in &self.all {
            let (ran, wrong) = run::run_those_of(self, mapping, &mut clashes);
            // Without all of its bodies nobody knows what fields there are.
            if ran.len() == mapping.examples.len() {
                loss::unknown(mapping, &ran, &mut of_losses);
            }
            reached.push(reached_by(mapping, &ran, files));
            failed.extend(wrong);
        }
        reach::check(&reached, is_part, found);
        // A misspelt `!` fails every example: what is wrong is said already, and once.
        let failed: Vec<run::Failed<'_>> = failed.into_iter().filter(|failed| !failed.is_about(found)).collect();
        for failed in failed {
            failed.note(found);
        }
        found.extend(of_losses);
    }

    /// How many mapping files the set holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is no mapping at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Every example with what its mapping makes of it; one that cannot be translated is not among them.
    #[must_use]
    pub fn examples(&self) -> Vec<ExampleOutput> {
        let (ran, _) = run::run(self);
        let outputs = ran.into_iter().map(|Ran { mapping, example, made, trace }| ExampleOutput {
            event: example.event_of(mapping).to_owned(),
            file: mapping.file.to_string(),
            position: example.position,
            name: example.name.clone(),
            input: example.input.clone(),
            stands_alone: example.stands_alone(),
            output: made,
            around: explain::around(&trace, &mapping.program),
            fields: explain::fields(trace, &mapping.program),
        });
        outputs.collect()
    }

    /// Warns of every field of a hook that a mapping neither reads nor declares to be lost. `read_elsewhere` are the
    /// fields that say whose hook it is and what it is called.
    pub(crate) fn undeclared(&self, read_elsewhere: &[Vec<Part>]) -> Diagnostics {
        let mut found = Diagnostics::default();
        self.all.iter().for_each(|mapping| loss::undeclared(mapping, read_elsewhere, &mut found));
        found
    }

    /// The examples of files for several events that do not say which of them their hook is.
    pub(crate) fn unsaid_events(&self) -> impl Iterator<Item = UnsaidEvent<'_>> {
        self.all.iter().flat_map(|mapping| {
            let ran_as = mapping.events.first().map(String::as_str).unwrap_or_default();
            let unsaid = mapping.examples.iter().filter(|example| example.event.is_none() && mapping.events.len() > 1);
            unsaid.map(move |example| UnsaidEvent {
                file: &mapping.file,
                position: example.position,
                name: &example.name,
                input: &example.input,
                events: &mapping.events,
                ran_as,
            })
        })
    }

    /// The settings of a destination that the mappings read, by name; nothing stands for all of them at once.
    pub fn settings(&self) -> impl Iterator<Item = Option<&str>> {
        self.all.iter().flat_map(|mapping| mapping.program.usage.settings())
    }

    /// The headers that the mappings set, with the file and the place of each.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Position, &str)> {
        self.all.iter().flat_map(|mapping| {
            mapping.headers.iter().map(|(name, place, _)| (&*mapping.file, place.position, &**name))
        })
    }

    /// What the mappings say of themselves, by the order of their files.
    pub fn descriptions(&self) -> impl Iterator<Item = Description<'_>> {
        self.all.iter().map(|mapping| Description {
            file: &mapping.file,
            position: mapping.position,
            name: &mapping.name,
            doc: &mapping.doc,
            sha256: &mapping.sha256,
            events: &mapping.events,
            ignored: match &mapping.output {
                Output::Ignore(reason) => Some(reason.as_str()),
                Output::Body(_) => None,
            },
            lossy: &mapping.lossy,
        })
    }

    /// The mappings.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mapping> {
        self.all.iter()
    }

    /// The mappings for an event: those that name it, then those for any other, the most specific first.
    pub(crate) fn for_event(&self, event: &str) -> impl Iterator<Item = &Mapping> {
        let found = [event, file::ANY_OTHER].map(|name| self.by_event.get(name));
        found.into_iter().flatten().flatten().filter_map(|index| self.all.get(*index))
    }

    /// Translates one hook.
    ///
    /// # Errors
    /// Says why there is no translation: ignored on purpose, no mapping, or what in the hook stopped it.
    pub fn translate(
        &self,
        event: &str,
        input: Node<'_>,
        beside: &Surroundings<'_>,
    ) -> Result<Translated, Untranslated> {
        let beside = self.with_lookups(beside);
        let mapping = self.taking(event, input, &beside)?;
        let arena = Bump::with_capacity(ARENA);
        let mut run = Run::new(&mapping.program, input, &beside, &arena);
        translate_with(mapping, &mut run).map(|(body, headers)| Translated {
            body,
            headers,
            mapping: Arc::clone(&mapping.name),
            sha256: Arc::clone(&mapping.sha256),
            missing: run.into_missing().into_iter().map(str::to_owned).collect(),
        })
    }

    /// The look-up tables that came with the mappings, unless others are given.
    pub(crate) fn with_lookups<'a>(&'a self, beside: &Surroundings<'a>) -> Surroundings<'a> {
        Surroundings { lookups: beside.lookups.or(Some(&self.lookups)), ..*beside }
    }

    /// The mapping that is for a hook.
    pub(crate) fn taking(
        &self,
        event: &str,
        input: Node<'_>,
        beside: &Surroundings<'_>,
    ) -> Result<&Mapping, Untranslated> {
        for mapping in self.for_event(event) {
            if mapping.specificity() == 0
                || selection::takes(mapping, &Run::new(&mapping.program, input, beside, &Bump::new()))
                    .map_err(Untranslated::Failed)?
            {
                return Ok(mapping);
            }
        }
        Err(Untranslated::NoMapping { event: event.to_owned() })
    }
}

/// What the examples of a mapping reach in it.
fn reached_by<'s>(mapping: &'s Mapping, ran: &[Ran<'s>], files: &'s Files) -> Reached<'s> {
    Reached {
        files,
        program: &mapping.program,
        samples: mapping.examples.iter().map(Into::into).collect(),
        taken: ran.iter().flat_map(|ran| &ran.trace.taken).copied().collect(),
        all_ran: ran.len() == mapping.examples.len(),
    }
}

/// The mappings of each event, by their place in the list, the most specific first.
fn by_event(all: &[Mapping]) -> HashMap<String, Vec<usize>> {
    let mut by_event: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, mapping) in all.iter().enumerate() {
        for event in &mapping.events {
            by_event.entry(event.clone()).or_default().push(index);
        }
    }
    for candidates in by_event.values_mut() {
        candidates.sort_by_key(|index| std::cmp::Reverse(all.get(*index).map_or(0, Mapping::specificity)));
    }
    by_event
}

/// How much is set aside for what one translation makes on the way, in bytes: enough for most.
const ARENA: usize = 4 << 10;

type Made = (Vec<u8>, Vec<(Arc<str>, String)>);

fn translate_with<'a>(mapping: &'a Mapping, run: &mut Run<'a>) -> Result<Made, Untranslated> {
    let body = match &mapping.output {
        Output::Body(body) => body,
        Output::Ignore(reason) => {
            return Err(Untranslated::Ignored { mapping: mapping.name.to_string(), reason: reason.clone() });
        }
    };
    let made = write_body(mapping, body, run);
    made.map_err(|stop| match stop {
        Stop::Fail(failure) => Untranslated::Failed(*failure),
        Stop::Omit => makes_no_body(mapping),
    })
}

/// A body that is left out as a whole.
pub(crate) fn makes_no_body(mapping: &Mapping) -> Untranslated {
    let reason = format!("{} makes no body of this hook", mapping.file);
    Untranslated::Ignored { mapping: mapping.name.to_string(), reason }
}

fn write_body<'a>(mapping: &'a Mapping, body: &'a super::program::Template, run: &mut Run<'a>) -> Result<Made, Stop> {
    let mut out = Vec::with_capacity(8 << 10);
    run.write(body, &mut out)?;
    let headers = headers::made(&mapping.headers, run)?;
    Ok((out, headers))
}
