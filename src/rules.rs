//! Everything that the mapping files say, loaded and checked together: what one translation sees.

pub mod folders;

use crate::forge::{Forge, Forges};
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::file::ANY_OTHER;
use crate::mapping::json::Document;
use crate::mapping::overlay::Overlays;
use crate::mapping::set::Examples;
use crate::mapping::{Diagnostics, Files, Mappings};
use arc_swap::ArcSwap;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};

/// The mappings of every pair of forges, by the forge that a hook comes from and the one whose format it gets.
pub type Directions = HashMap<(String, String), Mappings>;

/// The name of the folder with the mappings from one forge to another.
#[must_use]
pub fn folder(from: &str, to: &str) -> String {
    format!("{from}-to-{to}")
}

/// The rules in force. A reload puts others in their place; who has taken them keeps the ones that it took.
pub type LiveRules = Arc<ArcSwap<Rules>>;

/// Forges, mappings and overlays that fit together. Made by [`Rules::load`], so what is in force has passed its checks.
#[derive(Debug)]
pub struct Rules {
    /// The known forges.
    pub forges: Forges,
    /// The mappings between them.
    pub directions: Directions,
    /// The overlays that a destination can name.
    pub overlays: Overlays,
    /// The files, as messages name them, that do not come with the program.
    pub own_files: BTreeSet<String>,
    /// What is odd about the files, a line each.
    pub warnings: Vec<String>,
    /// What they were loaded from.
    files: Files,
}

impl Rules {
    /// What one translation by hand needs: parts that were loaded by themselves.
    #[must_use]
    pub fn of(forges: Forges, directions: Directions, overlays: Overlays) -> Self {
        let (own_files, warnings, files) = (BTreeSet::new(), Vec::new(), Files::default());
        Self { forges, directions, overlays, own_files, warnings, files }
    }

    /// Loads every forge, every mapping and every overlay, and runs their examples; gives the warnings beside them.
    ///
    /// # Errors
    /// Every finding in every file.
    pub fn load(files: &Files) -> Result<(Self, Diagnostics), Diagnostics> {
        match Self::read(files, Examples::Run) {
            (Some(rules), found) if !found.has_errors() => {
                let warnings = found.sorted().into_iter().map(ToString::to_string).collect();
                Ok((Self { warnings, ..rules }, found))
            }
            (_, found) => Err(found),
        }
    }

    /// Loads what hooks are translated with: as [`Rules::load`], and when all is sound once more without the examples, which
    /// no hook needs and which take as much room as all the rest.
    ///
    /// # Errors
    /// Every finding in every file.
    pub fn load_for_hooks(files: &Files) -> Result<(Self, Diagnostics), Diagnostics> {
        // Beside each other: it is ready sooner, and what the checks took does not lie scattered between what stays.
        let (checked, rules) = thread::scope(|scope| {
            let checked = scope.spawn(|| Self::load(files).map(|(checked, found)| (checked.warnings, found)));
            let rules = Self::read(files, Examples::Left);
            (done(checked), rules)
        });
        let (warnings, found) = checked?;
        match rules {
            (Some(rules), own) if !own.has_errors() => Ok((Self { warnings, ..rules }, found)),
            (_, own) => Err(own),
        }
    }

    /// What can be loaded, where the forges can, and every finding in all files. With errors among the findings the rules
    /// are good for looking further, not for use.
    pub(crate) fn read(files: &Files, examples: Examples) -> (Option<Self>, Diagnostics) {
        let mut found = files.faults();
        let mut directions = Directions::new();
        for (pair, (mappings, own)) in read_directions(files, examples) {
            found.extend(own);
            directions.insert(pair, mappings);
        }
        let (mut overlays, own) = Overlays::read(files);
        if examples == Examples::Left {
            overlays.forget_examples();
        }
        found.extend(own);
        folders::check(files, &mut found);
        let (forges, own) = Forges::read(files);
        found.extend(own);
        let Some(forges) = forges else { return (None, found) };
        check_against(&forges, &directions, &mut found);
        check_overlays(&overlays, &forges, &mut found);
        let own_files = files.all().map(|(_, shown)| shown).filter(|shown| !files.is_built_in(shown));
        let (own_files, warnings) = (own_files.map(str::to_owned).collect(), Vec::new());
        (Some(Self { forges, directions, overlays, own_files, warnings, files: files.clone() }), found)
    }

    /// The rules, ready to be put in force and replaced.
    #[must_use]
    pub fn live(self) -> LiveRules {
        Arc::new(ArcSwap::from_pointee(self))
    }

    /// The same rules with their examples, loaded once more.
    ///
    /// # Errors
    /// As [`Rules::load`]: for rules that were loaded from the same files, none.
    pub fn with_examples(&self) -> Result<Self, Diagnostics> {
        Self::load(&self.files).map(|(rules, _)| rules)
    }
}

/// The mappings of each direction, with what is found in them; where examples are run, all directions beside each other.
fn read_directions(files: &Files, examples: Examples) -> Vec<((String, String), (Mappings, Diagnostics))> {
    let names: Vec<&str> = Forges::names(files).collect();
    let pairs = names.iter().flat_map(|from| names.iter().filter(move |to| *to != from).map(move |to| (*from, *to)));
    let read = |(from, to): (&str, &str)| {
        ((from.to_owned(), to.to_owned()), Mappings::read(files, &folder(from, to), examples))
    };
    if examples != Examples::Run {
        return pairs.map(read).collect();
    }
    thread::scope(|scope| {
        let begun: Vec<_> = pairs.map(|pair| scope.spawn(move || read(pair))).collect();
        begun.into_iter().map(done).collect()
    })
}

/// What a thread has made. It does not panic on any file; if it did, that goes on here.
fn done<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// An overlay for an event that no forge sends is never laid.
fn check_overlays(overlays: &Overlays, forges: &Forges, faults: &mut Diagnostics) {
    let known: Vec<&str> = forges.iter().flat_map(|forge| forge.events()).map(|(event, _)| event).collect();
    for (_, overlay) in overlays.iter() {
        for event in overlay.events.iter().filter(|event| !known.contains(&event.as_str())) {
            let suggestion = did_you_mean(event, known.iter().copied());
            let message = format!("no forge is known to send an event `{event}`{suggestion}");
            faults.warning(overlay.file(), overlay.position, message);
        }
    }
}

/// What can be said only with the forges at hand.
fn check_against(forges: &Forges, directions: &Directions, faults: &mut Diagnostics) {
    for ((from, to), mappings) in directions {
        if let Some(from) = forges.named(from) {
            faults.extend(mappings.undeclared(&from.reads()));
            check_events(mappings, from, faults);
            check_examples(mappings, from, faults);
        }
        if let Some(to) = forges.named(to) {
            check_headers(mappings, to, faults);
        }
    }
}

/// A mapping for an event that its forge is not known to send never runs, if its name is misspelt.
fn check_events(mappings: &Mappings, from: &Forge, faults: &mut Diagnostics) {
    for mapping in mappings.descriptions() {
        let is_known = |event: &str| event == ANY_OTHER || from.events().any(|(known, _)| known == event);
        for event in mapping.events.iter().filter(|event| !is_known(event)) {
            let suggestion = did_you_mean(event, from.events().map(|(known, _)| known));
            let message = format!("{} is not known to send an event `{event}`{suggestion}", from.name());
            faults.warning(mapping.file, mapping.position, message);
        }
    }
}

/// An example of a file for several events runs as the first of them unless it says otherwise; if its hook is another
/// of them, it shows something that never happens.
fn check_examples(mappings: &Mappings, from: &Forge, faults: &mut Diagnostics) {
    for unsaid in mappings.unsaid_events() {
        let text = unsaid.input.to_string();
        let Ok(document) = Document::parse(text.as_bytes()) else { continue };
        let Ok(identity) = from.identify(document.root(), &[]) else { continue };
        let event = identity.event;
        if event != unsaid.ran_as && unsaid.events.contains(&event) {
            let message = format!(
                "example \"{}\": its hook is the event `{event}`, but it runs as `{}`: add `event: {event}`",
                unsaid.name, unsaid.ran_as
            );
            faults.warning(unsaid.file, unsaid.position, message);
        }
    }
}

/// No mapping may take the place of a destination's secret or a delivery's key.
fn check_headers(mappings: &Mappings, to: &Forge, faults: &mut Diagnostics) {
    for (file, position, header) in mappings.headers() {
        if to.reserves(header) {
            let message =
                format!("the header {header} belongs to the destination or the delivery: a mapping cannot set it");
            faults.error(file, position, message);
        }
    }
}
