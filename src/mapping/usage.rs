//! What a file reads and names: noted while it is compiled, for the checks that its examples allow.

use super::program::{Expr, Place, Primary, Root, Segment, Step, Template};
use std::collections::HashSet;

/// The notes of one program.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    pub(crate) reads: Vec<Read>,
    /// The branches of `$case` and `$if`, where they stand.
    pub(crate) branches: Vec<Place>,
    /// The names that the files give.
    pub(crate) named: Vec<Named>,
    /// Where the names stand that something uses.
    pub(crate) used: HashSet<Place>,
}

/// One path as it is read at one place.
#[derive(Debug)]
pub(crate) struct Read {
    /// As written.
    pub(crate) text: String,
    pub(crate) place: Place,
    /// Where its value may come from; nothing where a filter hides it.
    pub(crate) origins: Option<Vec<Origin>>,
    /// Whether the path says more than a name whose own paths are read elsewhere.
    pub(crate) checked: bool,
    /// Whether the value is handed on with all that is in it; not where only its elements or its presence matter.
    pub(crate) whole: bool,
    /// Whether it decides between mappings, so that the examples of all of them show it.
    pub(crate) selects: bool,
}

/// A path from the top of the hook, or of what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) root: Root,
    pub(crate) parts: Vec<Part>,
}

/// One step of an [`Origin`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Key(String),
    /// Any element of a list.
    Element,
}

/// A name that a file gives.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) kind: NamedKind,
    pub(crate) name: String,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedKind {
    Let,
    Table,
    Block,
    Loop,
}

impl NamedKind {
    /// The word of the language.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Let => "let",
            Self::Table => "table",
            Self::Block => "block",
            Self::Loop => "loop variable",
        }
    }
}

impl Part {
    fn of(segment: &Segment) -> Self {
        match segment {
            Segment::Key(key) => Self::Key(key.clone()),
            Segment::Index(_) => Self::Element,
        }
    }
}

/// Parts as a path is written, `[]` for any element.
pub(crate) fn shown(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Key(key) if text.is_empty() => text.push_str(key),
            Part::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Part::Element => text.push_str("[]"),
        }
    }
    text
}

/// The origins of a path below those of what it begins with.
pub(crate) fn below(bases: Option<&Vec<Origin>>, segments: &[Segment]) -> Option<Vec<Origin>> {
    let grown = bases?.iter().map(|base| {
        let mut grown = base.clone();
        grown.parts.extend(segments.iter().map(Part::of));
        grown
    });
    Some(grown.collect())
}

fn elements(bases: Option<Vec<Origin>>) -> Option<Vec<Origin>> {
    let mut bases = bases?;
    for base in &mut bases {
        base.parts.push(Part::Element);
    }
    Some(bases)
}

fn either(one: Option<Vec<Origin>>, other: Option<Vec<Origin>>) -> Option<Vec<Origin>> {
    let mut all = one?;
    all.extend(other?);
    Some(all)
}

impl Usage {
    /// Forgets what only examples are held against: all but which settings are read.
    pub(crate) fn keep_settings(&mut self) {
        let mut reads = std::mem::take(&mut self.reads);
        let is_setting = |origin: &Origin| origin.root == Root::Settings;
        reads.retain(|read| read.origins.iter().flatten().any(is_setting));
        reads.shrink_to_fit();
        *self = Self { reads, ..Self::default() };
    }

    /// The settings of a destination that are read, by name; nothing stands for all of them at once.
    pub(crate) fn settings(&self) -> impl Iterator<Item = Option<&str>> {
        let origins = self.reads.iter().flat_map(|read| read.origins.iter().flatten());
        origins.filter(|origin| origin.root == Root::Settings).map(|origin| match origin.parts.first() {
            Some(Part::Key(name)) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Where the value of an expression may come from.
    pub(crate) fn origins(&self, expr: &Expr) -> Option<Vec<Origin>> {
        expr.steps.iter().fold(self.of_primary(&expr.first), |before, step| self.behind(before, step))
    }

    /// Where the elements of an expression's list may come from.
    pub(crate) fn element_origins(&self, expr: &Expr) -> Option<Vec<Origin>> {
        elements(self.origins(expr))
    }

    /// Where the value of a `let` may come from.
    pub(crate) fn let_origins(&self, template: &Template) -> Option<Vec<Origin>> {
        match template {
            Template::Hole(expr) => self.origins(expr),
            Template::Case(branches) => {
                branches.iter().try_fold(Vec::new(), |all, branch| either(Some(all), self.let_origins(&branch.then)))
            }
            _ => Some(Vec::new()),
        }
    }

    fn of_primary(&self, primary: &Primary) -> Option<Vec<Origin>> {
        match primary {
            Primary::Path(path) => self.reads.get(path.read)?.origins.clone(),
            Primary::Group(expr) => self.origins(expr),
            // A list that stands in the file has elements, but none with fields of the hook.
            Primary::Constant(_) | Primary::List(_) => Some(Vec::new()),
            Primary::Header(_) => None,
        }
    }

    fn behind(&self, before: Option<Vec<Origin>>, step: &Step) -> Option<Vec<Origin>> {
        match step {
            Step::Or(other) => either(before, self.of_primary(other)),
            Step::Table { .. } => Some(Vec::new()),
            Step::NullIf(_) => before,
            Step::Filter { filter, .. } => match filter.name {
                "null_if" => before,
                "find" | "first" | "last" => elements(before),
                _ => None,
            },
        }
    }

    /// Notes the fields that filters take out of the objects of a list by their names.
    pub(crate) fn note_fields(&mut self, expr: &Expr) {
        let mut before = self.of_primary(&expr.first);
        for step in &expr.steps {
            if let Step::Filter { filter, arguments, place } = step
                && matches!(filter.name, "pluck" | "find")
                && let Some(Primary::Constant(field)) = arguments.first()
                && let Some(field) = field.value().as_text()
            {
                self.note_field(before.clone(), &field, *place);
            }
            if matches!(step, Step::Filter { filter, .. } if matches!(filter.name, "pluck" | "find" | "count")) {
                self.not_whole(expr);
            }
            before = self.behind(before, step);
        }
    }

    fn note_field(&mut self, list: Option<Vec<Origin>>, field: &str, place: Place) {
        let origins = below(elements(list).as_ref(), &[Segment::Key(field.to_owned())]);
        let text = origins.iter().flatten().next().map(|origin| shown(&origin.parts)).unwrap_or_default();
        self.reads.push(Read { text, place, origins, checked: true, whole: true, selects: false });
    }

    /// Notes that an expression's value is looked at, but not handed on.
    pub(crate) fn not_whole(&mut self, expr: &Expr) {
        self.looked_at(&expr.first);
        for step in &expr.steps {
            if let Step::Or(other) = step {
                self.looked_at(other);
            }
        }
    }

    fn looked_at(&mut self, primary: &Primary) {
        match primary {
            Primary::Path(path) => self.reads.get_mut(path.read).into_iter().for_each(|read| read.whole = false),
            Primary::Group(inner) => self.not_whole(inner),
            _ => {}
        }
    }
}
