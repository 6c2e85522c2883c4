//! What becomes of each event of each forge: mapped, ignored and why, and what is lost on the way.

use crate::forge::{Forge, Header};
use crate::mapping::json::Document;
use crate::mapping::{Description, ExampleOutput, LostField, Mappings};
use crate::rules::Rules;
use serde::Serialize;
use std::fmt::Write as _;
use utoipa::ToSchema;

/// One direction: from one forge into the format of another.
#[derive(Debug, Serialize, ToSchema)]
pub struct Direction {
    /// The forge that sends the hooks.
    pub from: String,
    /// The forge whose format they get.
    pub to: String,
    /// Every event, in the order of the forge file.
    pub events: Vec<Event>,
}

/// One event and what becomes of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// Its name.
    pub event: String,
    /// What it tells.
    pub tells: String,
    /// What becomes of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Why only destinations that list it get it, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<String>,
    /// What is lost or made up.
    pub lossy: Vec<Lossy>,
    /// Why some hooks of an event that is translated are ignored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partly_ignored: Vec<String>,
}

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is translated.
    Mapped {
        /// The files that do it.
        files: Vec<String>,
        /// The events that it becomes, as the examples show them.
        becomes: Vec<String>,
    },
    /// It has no counterpart.
    Ignored {
        /// The file that says so.
        file: String,
        /// Its reason.
        reason: String,
    },
    /// No file is for it: it is ignored with that as the reason.
    Unmapped,
}

/// Fields that are lost, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Lossy {
    /// Paths, or `path = value`.
    pub fields: Vec<String>,
    /// Why.
    pub why: String,
}

/// The whole table, by the names of the forges.
#[must_use]
pub fn coverage(rules: &Rules) -> Vec<Direction> {
    let Rules { forges, directions, .. } = rules;
    let mut all = Vec::new();
    for from in forges.iter() {
        for to in forges.iter().filter(|to| to.name() != from.name()) {
            if let Some(set) = directions.get(&(from.name().to_owned(), to.name().to_owned())) {
                let examples = set.examples();
                let events = from.events().map(|(event, tells)| of_event(event, tells, from, to, set, &examples));
                all.push(Direction {
                    from: from.name().to_owned(),
                    to: to.name().to_owned(),
                    events: events.collect(),
                });
            }
        }
    }
    all
}

fn of_event(event: &str, tells: &str, from: &Forge, to: &Forge, set: &Mappings, examples: &[ExampleOutput]) -> Event {
    let own: Vec<Description<'_>> =
        set.descriptions().filter(|mapping| mapping.events.iter().any(|own| own == event)).collect();
    let files: Vec<String> =
        own.iter().filter(|mapping| mapping.ignored.is_none()).map(|mapping| mapping.file.to_owned()).collect();
    let outcome = match own.iter().find_map(|mapping| mapping.ignored.map(|reason| (mapping.file, reason))) {
        _ if !files.is_empty() => Outcome::Mapped { files, becomes: becomes(event, to, examples) },
        Some((file, reason)) => Outcome::Ignored { file: file.to_owned(), reason: reason.to_owned() },
        None => Outcome::Unmapped,
    };
    let mut lossy: Vec<Lossy> = Vec::new();
    for loss in own.iter().flat_map(|mapping| mapping.lossy) {
        let loss = Lossy { fields: loss.fields.iter().map(LostField::written).collect(), why: loss.why.clone() };
        if !lossy.contains(&loss) {
            lossy.push(loss);
        }
    }
    let unlisted = from.unlisted(event).map(str::to_owned);
    let reasons = own.iter().filter_map(|mapping| mapping.ignored).map(str::to_owned);
    let partly_ignored = if matches!(outcome, Outcome::Mapped { .. }) { reasons.collect() } else { Vec::new() };
    Event { event: event.to_owned(), tells: tells.to_owned(), outcome, unlisted, lossy, partly_ignored }
}

/// The events that the examples of an event become, each once.
fn becomes(event: &str, to: &Forge, examples: &[ExampleOutput]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for (headers, body) in
        examples.iter().filter(|example| example.event == event).filter_map(|own| own.output.as_ref())
    {
        let text = body.to_string();
        let headers: Vec<Header> =
            headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        let identity = Document::parse(text.as_bytes()).ok().and_then(|body| to.identify(body.root(), &headers).ok());
        all.extend(identity.map(|identity| identity.event).filter(|event| !all.contains(event)));
    }
    all
}

impl Outcome {
    fn shown(&self) -> String {
        match self {
            Self::Mapped { becomes, .. } => becomes.join(", "),
            Self::Ignored { reason, .. } => format!("ignored: {reason}"),
            Self::Unmapped => "not mapped yet: ignored".to_owned(),
        }
    }
}

/// What is lost and what is ignored, each kind once; an event refers to its kind by number.
#[derive(Default)]
struct Notes<'c>(Vec<Note<'c>>);

/// What is lost of an event, and why some of its hooks are ignored.
type Note<'c> = (&'c [Lossy], &'c [String]);

impl<'c> Notes<'c> {
    /// ` (1)`; nothing for an event that loses nothing.
    fn mark(&mut self, event: &'c Event) -> String {
        let note = (event.lossy.as_slice(), event.partly_ignored.as_slice());
        if note.0.is_empty() && note.1.is_empty() {
            return String::new();
        }
        let known = self.0.iter().position(|own| *own == note);
        let number = known.unwrap_or_else(|| {
            self.0.push(note);
            self.0.len() - 1
        });
        format!(" ({})", number + 1)
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, Note<'c>)> {
        self.0.iter().enumerate().map(|(number, note)| (number + 1, *note))
    }
}

/// The table for a terminal.
#[must_use]
pub fn text(all: &[Direction]) -> String {
    let mut text = String::new();
    for direction in all {
        let mapped = direction.events.iter().filter(|event| matches!(event.outcome, Outcome::Mapped { .. })).count();
        let ignored = direction.events.iter().filter(|event| matches!(event.outcome, Outcome::Ignored { .. })).count();
        let width = direction.events.iter().map(|event| event.event.chars().count()).max().unwrap_or_default();
        let (from, to, count) = (&direction.from, &direction.to, direction.events.len());
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{from} -> {to}: {mapped} of {count} events mapped, {ignored} ignored on purpose");
        let mut notes = Notes::default();
        for event in &direction.events {
            let unlisted = if event.unlisted.is_some() { ", only to destinations that list it" } else { "" };
            let mark = notes.mark(event);
            let _ = writeln!(text, "  {:width$}  {}{unlisted}{mark}", event.event, event.outcome.shown());
        }
        for (number, (lossy, reasons)) in notes.numbered() {
            let _ = writeln!(text, "  ({number}) lost, made up or ignored:");
            for loss in lossy {
                let _ = writeln!(text, "      {}: {}", loss.fields.join(", "), loss.why);
            }
            for reason in reasons {
                let _ = writeln!(text, "      some are ignored: {reason}");
            }
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

/// The page of the documentation.
#[must_use]
pub fn markdown(all: &[Direction]) -> String {
    let mut text = String::from(
        "# What becomes of each event\n\n\
         Made by `hookglot coverage --format markdown`. What stands under *lost* has no home in the other forge, is \
         made up because the hook does not say it, or is a hook of the event that is ignored.\n",
    );
    for direction in all {
        let (from, to) = (&direction.from, &direction.to);
        let _ = write!(text, "\n## {from} to {to}\n\n| event | tells | becomes | lost |\n|---|---|---|---|\n");
        let mut notes = Notes::default();
        for event in &direction.events {
            let unlisted = if event.unlisted.is_some() { " (only to destinations that list it)" } else { "" };
            let (tells, becomes) = (cell(&event.tells), cell(&event.outcome.shown()));
            let mark = notes.mark(event);
            let _ = writeln!(text, "| `{}` | {tells} | {becomes}{unlisted} |{mark} |", event.event);
        }
        for (number, (lossy, reasons)) in notes.numbered() {
            let _ = write!(text, "\n({number}):\n\n");
            for loss in lossy {
                let fields: Vec<String> = loss.fields.iter().map(|field| format!("`{field}`")).collect();
                let _ = writeln!(text, "- {}: {}", fields.join(", "), loss.why);
            }
            for reason in reasons {
                let _ = writeln!(text, "- some are ignored: {reason}");
            }
        }
    }
    text
}

/// A text as a table's cell holds it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
