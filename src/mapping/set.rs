//! The mappings of one direction, loaded together and used together.

use super::diagnostic::Diagnostics;
use super::eval::{Failure, Run, Stop, Surroundings};
use super::examples;
use super::file::{self, Mapping, Output};
use super::json::Node;
use super::selection;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Mapping and forge files by their path below `mappings/`, with the name that messages give them.
#[derive(Debug, Default, Clone)]
pub struct Files {
    by_path: BTreeMap<String, (String, String)>,
    /// The paths that took the place of others.
    replaced: BTreeSet<String>,
}

impl Files {
    /// Adds a file, or puts it in the place of one with the same path.
    pub fn insert(&mut self, path: &str, shown: &str, text: String) {
        if self.by_path.insert(path.to_owned(), (shown.to_owned(), text)).is_some() {
            self.replaced.insert(path.to_owned());
        }
    }

    /// The name in messages and the text of a file.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<(String, &str)> {
        self.by_path.get(path).map(|(shown, text)| (shown.clone(), text.as_str()))
    }

    /// The paths of the files directly in a folder.
    pub fn in_folder<'f>(&'f self, folder: &'f str) -> impl Iterator<Item = &'f str> {
        self.by_path
            .keys()
            .map(String::as_str)
            .filter(move |path| path.rsplit_once('/').is_some_and(|(own, _)| own == folder))
    }

    /// Whether a file took the place of another.
    #[must_use]
    pub fn is_replaced(&self, path: &str) -> bool {
        self.replaced.contains(path)
    }

    /// Every file: its path and its name in messages.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_path.iter().map(|(path, (shown, _))| (path.as_str(), shown.as_str()))
    }

    /// The folders directly below the top.
    #[must_use]
    pub fn folders(&self) -> Vec<&str> {
        let mut folders: Vec<&str> =
            self.by_path.keys().filter_map(|path| path.split_once('/')).map(|(folder, _)| folder).collect();
        folders.dedup();
        folders
    }
}

/// A hook as one forge sends it, made from a hook of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// The JSON body.
    pub body: Vec<u8>,
    /// The headers that the mapping sets, the event header among them.
    pub headers: Vec<(String, String)>,
    /// The name of the mapping.
    pub mapping: String,
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

/// An example and what its mapping makes of it.
#[derive(Debug, Clone)]
pub struct ExampleOutput {
    /// The mapping file that it stands in.
    pub file: String,
    /// Where in it.
    pub position: super::diagnostic::Position,
    /// Its name.
    pub name: String,
    /// Headers and body; nothing where the mapping ignores the event.
    pub output: Option<(Vec<(String, String)>, serde_json::Value)>,
}

/// Every mapping of one direction. Made by [`Mappings::load`] only, so a set in use has passed its checks.
#[derive(Debug)]
pub struct Mappings {
    mappings: Vec<Mapping>,
    by_event: HashMap<String, Vec<usize>>,
}

impl Mappings {
    /// Loads and compiles the mappings of a folder (`gitflic-to-gitlab`); with `run_examples`, their examples too.
    ///
    /// # Errors
    /// Every finding, when one of them is an error. Warnings alone are given beside the set.
    pub fn load(files: &Files, folder: &str, run_examples: bool) -> Result<(Self, Diagnostics), Diagnostics> {
        let mut faults = Diagnostics::default();
        let mut mappings = Vec::new();
        for path in files.in_folder(folder).filter(|path| is_mapping(path)) {
            mappings.extend(file::load(files, path, &mut faults));
        }
        selection::check_clashes(&mappings, &mut faults);
        let mut by_event: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, mapping) in mappings.iter().enumerate() {
            for event in &mapping.events {
                by_event.entry(event.clone()).or_default().push(index);
            }
        }
        for candidates in by_event.values_mut() {
            candidates.sort_by_key(|index| std::cmp::Reverse(mappings.get(*index).map_or(0, Mapping::specificity)));
        }
        let set = Self { mappings, by_event };
        if run_examples && !faults.has_errors() {
            examples::run(&set, &mut faults);
        }
        if faults.has_errors() { Err(faults) } else { Ok((set, faults)) }
    }

    /// How many mapping files the set holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.mappings.len()
    }

    /// Whether there is no mapping at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mappings.is_empty()
    }

    /// Every example with what its mapping makes of it; one that cannot be translated is not among them.
    pub fn examples(&self) -> impl Iterator<Item = ExampleOutput> {
        self.mappings.iter().flat_map(move |mapping| {
            mapping.examples.iter().filter_map(move |example| {
                let event = example.event.as_ref().or(mapping.events.first())?;
                let output = examples::translate(self, mapping, example, event).ok()?;
                Some(ExampleOutput {
                    file: mapping.file.to_string(),
                    position: example.position,
                    name: example.name.clone(),
                    output,
                })
            })
        })
    }

    /// The headers that the mappings set, with the file and the place of each mapping.
    pub fn headers(&self) -> impl Iterator<Item = (&str, super::diagnostic::Position, &str)> {
        self.mappings.iter().flat_map(|mapping| {
            mapping.headers.iter().map(|(name, _)| (&*mapping.file, mapping.position, name.as_str()))
        })
    }

    /// The mappings.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mapping> {
        self.mappings.iter()
    }

    /// The mappings for an event, the most specific first.
    pub(crate) fn for_event(&self, event: &str) -> impl Iterator<Item = &Mapping> {
        self.by_event.get(event).into_iter().flatten().filter_map(|index| self.mappings.get(*index))
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
        for mapping in self.for_event(event) {
            let mut run = Run::new(&mapping.program, input, beside);
            if selection::takes(mapping, &run).map_err(Untranslated::Failed)? {
                return translate_with(mapping, &mut run).map(|(body, headers)| Translated {
                    body,
                    headers,
                    mapping: mapping.name.clone(),
                    missing: run.into_missing().into_iter().map(str::to_owned).collect(),
                });
            }
        }
        Err(Untranslated::NoMapping { event: event.to_owned() })
    }
}

type Made = (Vec<u8>, Vec<(String, String)>);

fn translate_with<'a>(mapping: &'a Mapping, run: &mut Run<'a>) -> Result<Made, Untranslated> {
    let body = match &mapping.output {
        Output::Body(body) => body,
        Output::Ignore(reason) => {
            return Err(Untranslated::Ignored { mapping: mapping.name.clone(), reason: reason.clone() });
        }
    };
    let made = write_body(mapping, body, run);
    made.map_err(|stop| match stop {
        Stop::Fail(failure) => Untranslated::Failed(*failure),
        Stop::Omit => Untranslated::Ignored {
            mapping: mapping.name.clone(),
            reason: format!("{} makes no body of this hook", mapping.file),
        },
    })
}

fn write_body<'a>(mapping: &'a Mapping, body: &'a super::program::Template, run: &mut Run<'a>) -> Result<Made, Stop> {
    let mut out = Vec::with_capacity(8 << 10);
    run.write(body, &mut out)?;
    let mut headers = Vec::with_capacity(mapping.headers.len());
    for (name, value) in &mapping.headers {
        match run.value(value) {
            Ok(value) => headers.extend(value.as_text().map(|text| (name.clone(), text.into_owned()))),
            Err(Stop::Omit) => {}
            Err(fail) => return Err(fail),
        }
    }
    Ok((out, headers))
}

/// A file whose name begins with `_` is shared by others and never a mapping itself.
fn is_mapping(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(_, extension)| extension == "yaml") && !name.starts_with('_')
}
