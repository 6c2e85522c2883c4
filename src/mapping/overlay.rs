//! Overlays: small files that change or add a few fields of a translated body, for a tool that wants them otherwise.

mod lay;
mod load;

use super::diagnostic::{Diagnostics, Position};
use super::eval::explain::Trace;
use super::eval::{Run, Surroundings};
use super::examples::Example;
use super::explain::{self, ExplainedField};
use super::failure::{Failure, Stop};
use super::files::{Files, is_mapping};
use super::json::Document;
use super::program::{Place, Program, Template};
use bumpalo::Bump;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The folder of the files, below `mappings/`.
const FOLDER: &str = "overlays";

/// One overlay. It names events of the format that it is laid over, and reads the translated body.
#[derive(Debug)]
pub struct Overlay {
    file: Arc<str>,
    /// What it is for.
    pub doc: String,
    /// The events that it is for, in the words of the forge whose format the body has.
    pub events: Vec<String>,
    /// Where they stand in its file.
    pub position: Position,
    /// The SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    program: Program,
    sets: Vec<Set>,
    examples: Vec<Example>,
}

/// One field that is set.
#[derive(Debug)]
struct Set {
    path: Vec<String>,
    place: Place,
    value: Template,
}

/// The overlays that there are, by name: that of the file.
#[derive(Debug, Default)]
pub struct Overlays(BTreeMap<String, Overlay>);

impl Overlays {
    /// Loads the files of the folder and runs their examples.
    ///
    /// # Errors
    /// Every finding, when one of them is an error. Warnings alone are given beside the overlays.
    pub fn load(files: &Files) -> Result<(Self, Diagnostics), Diagnostics> {
        let (overlays, found) = load::all(files);
        if found.has_errors() { Err(found) } else { Ok((overlays, found)) }
    }

    /// The overlays that can be compiled, and every finding in all of them. With errors among the findings they are good
    /// for looking further, not for use.
    pub(crate) fn read(files: &Files) -> (Self, Diagnostics) {
        load::all(files)
    }

    /// The names of the overlays that the files hold, read or not.
    pub fn names(files: &Files) -> impl Iterator<Item = &str> {
        files.in_folder(FOLDER).filter(|path| is_mapping(path)).map(load::name)
    }

    /// Forgets the examples, and what only they are held against.
    pub(crate) fn forget_examples(&mut self) {
        for overlay in self.0.values_mut() {
            overlay.examples = Vec::new();
            overlay.program.usage.keep_settings();
        }
    }

    /// The overlay of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Overlay> {
        self.0.get(name)
    }

    /// The overlays, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Overlay)> {
        self.0.iter().map(|(name, overlay)| (name.as_str(), overlay))
    }
}

impl Overlay {
    /// Its file, as messages name it.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The settings of a destination that it reads, by name; nothing stands for all of them at once.
    pub fn settings(&self) -> impl Iterator<Item = Option<&str>> {
        self.program.usage.settings()
    }

    /// Whether it is for an event.
    #[must_use]
    pub fn is_for(&self, event: &str) -> bool {
        self.events.iter().any(|own| own == event)
    }

    /// A body with the fields of the overlay set. What a field becomes is worked out on the body as it came, so that the
    /// order of the fields in the file plays no part; a field whose value is left out stays as it is.
    ///
    /// # Errors
    /// When a value cannot be worked out, or what should hold a field is no object; says which line wanted it.
    pub fn lay(&self, body: &Document<'_>, beside: &Surroundings<'_>) -> Result<Vec<u8>, Failure> {
        let arena = Bump::new();
        let mut run = Run::new(&self.program, body.root(), beside, &arena);
        let mut fields = Vec::with_capacity(self.sets.len());
        for set in &self.sets {
            let mut json = Vec::new();
            match run.write(&set.value, &mut json) {
                Ok(()) => fields.push(lay::Laid { path: &set.path, json, place: set.place }),
                Err(Stop::Omit) => {}
                Err(Stop::Fail(failure)) => return Err(*failure),
            }
        }
        lay::over(body.root(), &fields).map_err(|refused| {
            let position = refused.place.position;
            let (line, column) = (position.line, position.column);
            Failure { file: self.file.to_string(), line, column, message: refused.message }
        })
    }

    /// How the fields that it sets come about; their sources are fields of the translated body.
    ///
    /// # Errors
    /// As [`Overlay::lay`].
    pub fn explain(&self, body: &Document<'_>, beside: &Surroundings<'_>) -> Result<Vec<ExplainedField>, Failure> {
        let arena = Bump::new();
        let mut run = Run::new(&self.program, body.root(), beside, &arena);
        let mut fields = Vec::new();
        for set in &self.sets {
            let mut trace = Trace::at(&set.path);
            match run.trace(&set.value, set.place, &mut trace) {
                Ok(()) => fields.extend(explain::fields(trace, &self.program)),
                Err(Stop::Omit) => {}
                Err(Stop::Fail(failure)) => return Err(*failure),
            }
        }
        for source in fields.iter_mut().flat_map(|field| field.sources.iter_mut().chain(&mut field.decided_by)) {
            source.path = format!("{} (of the translated body)", source.path);
        }
        Ok(fields)
    }
}
