//! A forge as its `forge.yaml` describes it: how a hook is recognised, proved, named, addressed and sent.
//!
//! Invariant: no name of a forge's field or header stands in this code; it all comes from `mappings/<forge>/forge.yaml`.

mod branch;
mod description;
mod naming;
pub mod private;
mod prove;
pub mod scheme;
mod settings;
pub mod signature;
mod teaching;

use crate::mapping::json::{Document, Node};
use crate::mapping::program::{Condition, Program, Root, Template};
use crate::mapping::usage::Part;
use crate::mapping::{Diagnostics, Failure, Files, HookFacts, NoKnowledge, Surroundings, eval::Run, failure::Stop};
use bumpalo::Bump;
use naming::Naming;
use scheme::Proof;
use signature::Signature;
use std::sync::Arc;
use teaching::Teaching;

pub use branch::FilterKind;
pub use teaching::{Lesson, RowTold, Told};

/// One dialect of hooks.
#[derive(Debug)]
pub struct Forge {
    name: String,
    program: Program,
    recognise: Vec<Condition>,
    event: Naming,
    event_header: Option<String>,
    disabled_after: Option<u32>,
    project: Naming,
    instance: Naming,
    delivery_key: Naming,
    prove: Vec<Proof>,
    signature: Option<Signature>,
    send: Vec<(String, Template)>,
    set_by_mappings: Vec<String>,
    pass: Vec<String>,
    never_pass: Vec<String>,
    events: Vec<(String, String)>,
    unlisted: Vec<(String, String)>,
    schemas: Vec<(String, String)>,
    branch_filters: Vec<branch::FilterRule>,
    teaches: Teaching,
    settings: Vec<(String, settings::Kind)>,
    private: private::Private,
}

/// What a forge file tells of one hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The event in the forge's own terms.
    pub event: String,
    /// What stands for the project: a number, a UUID or a path.
    pub project: Option<String>,
    /// The installation that sent it, by host.
    pub instance: Option<String>,
    /// The forge's own key of this delivery, where it sends one.
    pub delivery_key: Option<String>,
}

/// A header as a request carries it.
pub type Header = (String, String);

impl Forge {
    /// The forge's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header, in small letters, that names the event, where the forge has one.
    #[must_use]
    pub fn event_header(&self) -> Option<&str> {
        self.event_header.as_deref()
    }

    /// After how many failures in a row the forge disables its hook, where it does.
    #[must_use]
    pub fn disabled_after(&self) -> Option<u32> {
        self.disabled_after
    }

    /// The ways in which a request can prove by a secret that this forge sent it.
    #[must_use]
    pub fn proofs(&self) -> &[Proof] {
        &self.prove
    }

    /// How this forge signs its hooks, where it does.
    #[must_use]
    pub fn signature(&self) -> Option<&Signature> {
        self.signature.as_ref()
    }

    /// The headers, in small letters, that prove who is calling; they are never stored, logged or passed on.
    pub fn proving_headers(&self) -> impl Iterator<Item = &str> {
        self.prove.iter().map(Proof::header).chain(self.signature.as_ref().map(Signature::header))
    }

    /// The headers, in small letters, that a hook keeps when it passes through.
    #[must_use]
    pub fn passed(&self) -> &[String] {
        &self.pass
    }

    /// Whether a header belongs to the destination or the delivery, so that no mapping may set it.
    #[must_use]
    pub fn reserves(&self, header: &str) -> bool {
        let header = header.to_ascii_lowercase();
        let sent = self.send.iter().any(|(name, _)| name.eq_ignore_ascii_case(&header));
        let proves = self.prove.iter().any(|proof| proof.header() == header);
        let signs = self.signature.as_ref().is_some_and(|signature| signature.headers().contains(&header.as_str()));
        (sent || proves || signs) && !self.set_by_mappings.contains(&header)
    }

    /// Whether a header, in small letters, of a hook is not passed on even to a destination that asks for it: it proves a
    /// caller, is made anew for each delivery, or would make a tool take the hook for another forge's.
    #[must_use]
    pub fn keeps_back(&self, header: &str) -> bool {
        let named = |name: &String| match name.strip_suffix('*') {
            Some(beginning) => header.starts_with(beginning),
            None => header == name,
        };
        self.prove.iter().any(|proof| proof.header() == header)
            || self.send.iter().any(|(name, _)| name.eq_ignore_ascii_case(header))
            || self.never_pass.iter().any(named)
    }

    /// Every event that the forge is known to send, with what it tells.
    pub fn events(&self) -> impl Iterator<Item = (&str, &str)> {
        self.events.iter().map(|(event, doc)| (event.as_str(), doc.as_str()))
    }

    /// Why an event goes only to destinations that list it, when it does.
    #[must_use]
    pub fn unlisted(&self, event: &str) -> Option<&str> {
        self.unlisted.iter().find(|(own, _)| own == event).map(|(_, reason)| reason.as_str())
    }

    /// The path of the JSON Schema of an event's body, below `mappings/`.
    #[must_use]
    pub fn schema(&self, event: &str) -> Option<String> {
        let (_, file) = self.schemas.iter().find(|(own, _)| own == event)?;
        Some(format!("{}/schema/{file}", self.name))
    }

    /// The fields of a body that say whose hook it is and what it is called.
    pub(crate) fn reads(&self) -> Vec<Vec<Part>> {
        let origins = self.program.usage.reads.iter().flat_map(|read| read.origins.iter().flatten());
        origins.filter(|origin| origin.root == Root::Input).map(|origin| origin.parts.clone()).collect()
    }

    /// Whether a request is a hook of this forge.
    #[must_use]
    pub fn recognises(&self, body: Node<'_>, headers: &[Header]) -> bool {
        let beside = Surroundings { headers, ..Surroundings::new(&NoKnowledge) };
        let arena = Bump::new();
        let run = Run::new(&self.program, body, &beside, &arena);
        body.is_object() && self.recognise.iter().any(|condition| run.holds(condition).unwrap_or(false))
    }

    /// Names a hook's event, project, instance and delivery key.
    ///
    /// # Errors
    /// When the hook has a value where the forge file cannot read it, or a name that is too long, with the line that wanted it.
    pub fn identify(&self, body: Node<'_>, headers: &[Header]) -> Result<Identity, Failure> {
        let beside = Surroundings { headers, ..Surroundings::new(&NoKnowledge) };
        let arena = Bump::new();
        let run = Run::new(&self.program, body, &beside, &arena);
        Ok(Identity {
            event: self.event.event(&run)?,
            project: self.project.name(&run)?,
            instance: self.instance.name(&run)?,
            delivery_key: self.delivery_key.name(&run)?,
        })
    }

    /// Refuses a hook that does not say which event it is; `translate` is told by its user instead.
    ///
    /// # Errors
    /// When it does not, with the line that wanted it.
    pub fn check_event(&self, identity: &Identity) -> Result<(), Failure> {
        if identity.event.is_empty() { Err(self.event.is_missing(&self.program)) } else { Ok(()) }
    }

    /// The headers that every request in this forge's form carries, as they are for one attempt.
    ///
    /// # Errors
    /// When a value cannot be read, with the line that wanted it.
    pub fn sent(&self, hook: HookFacts<'_>, settings: Node<'_>, delivery: Node<'_>) -> Result<Vec<Header>, Failure> {
        let beside = Surroundings {
            hook: Some(hook),
            settings: Some(settings),
            delivery: Some(delivery),
            ..Surroundings::new(&NoKnowledge)
        };
        // No header is made of the body.
        let nothing = Document::empty();
        let arena = Bump::new();
        let run = Run::new(&self.program, nothing.root(), &beside, &arena);
        let mut headers = Vec::with_capacity(self.send.len());
        for (name, value) in &self.send {
            headers.extend(text(&run, value)?.map(|value| (name.clone(), value)));
        }
        Ok(headers)
    }
}

/// The text of a template; nothing when it is null or left out.
fn text<'a>(run: &Run<'a>, template: &'a Template) -> Result<Option<String>, Failure> {
    match run.value(template) {
        Ok(value) => Ok(value.as_text().map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty())),
        Err(Stop::Omit) => Ok(None),
        Err(Stop::Fail(failure)) => Err(*failure),
    }
}

/// The forges that are known.
#[derive(Debug, Clone)]
pub struct Forges(Vec<Arc<Forge>>);

impl Forges {
    /// Loads every forge that has a `forge.yaml`.
    ///
    /// # Errors
    /// Every finding in every file.
    pub fn load(files: &Files) -> Result<Self, Diagnostics> {
        let (forges, found) = Self::read(files);
        forges.ok_or(found)
    }

    /// The forges, where none of their files has errors, and every finding in them.
    pub(crate) fn read(files: &Files) -> (Option<Self>, Diagnostics) {
        let (mut forges, mut found) = (Vec::new(), Diagnostics::default());
        for name in Self::names(files) {
            let (forge, own) = description::load(files, name);
            forges.extend(forge.map(Arc::new));
            found.extend(own);
        }
        if found.has_errors() { (None, found) } else { (Some(Self(forges)), found) }
    }

    /// The names of the forges that the files describe, readable or not.
    pub fn names(files: &Files) -> impl Iterator<Item = &str> {
        files.folders().into_iter().filter(|folder| files.get(&format!("{folder}/forge.yaml")).is_some())
    }

    /// The names of the forges whose files can be read and say how they sign.
    pub fn signing(files: &Files) -> impl Iterator<Item = &str> {
        Self::names(files).filter(|name| prove::signs(files, name))
    }

    /// The forges, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Forge>> {
        self.0.iter()
    }

    /// The forge of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<Forge>> {
        self.0.iter().find(|forge| forge.name == name)
    }

    /// The forge that is not the named one.
    #[must_use]
    pub fn other(&self, name: &str) -> Option<&Arc<Forge>> {
        self.0.iter().find(|forge| forge.name != name)
    }

    /// Whether some forge keeps a header, in small letters, from being passed on.
    #[must_use]
    pub fn keep_back(&self, header: &str) -> bool {
        // Some tools read an underscore or a point as a hyphen.
        let header = header.replace(['_', '.'], "-");
        self.0.iter().any(|forge| forge.keeps_back(&header))
    }

    /// The first of the accepted forges that recognises a request as its hook.
    #[must_use]
    pub fn recognise(&self, accepted: &[String], body: Node<'_>, headers: &[Header]) -> Option<&Arc<Forge>> {
        self.0.iter().filter(|forge| accepted.contains(&forge.name)).find(|forge| forge.recognises(body, headers))
    }
}

/// Reads a JSON text that this program made itself.
pub(crate) fn own_json(text: &str) -> Document<'_> {
    // The text comes out of serde_json, so it parses; an empty object stands in rather than a panic.
    Document::parse(text.as_bytes()).unwrap_or_else(|_| Document::empty())
}
