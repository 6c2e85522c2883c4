//! What a mapping file is compiled to: a tree with every name resolved, ready to be run any number of times.

use super::diagnostic::Position;
use super::failure::Failure;
use super::filter::Filter;
use super::shape::{Shapes, Spot};
use super::usage::{Origin, Usage};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A place in one of a program's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// Index into [`Program::files`].
    pub(crate) file: usize,
    pub(crate) position: Position,
}

/// What the templates of one file share: names, tables and the files that they came from.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) files: Vec<Arc<str>>,
    pub(crate) lets: Vec<Let>,
    pub(crate) tables: Vec<Table>,
    /// How many loop variables are alive at once at most.
    pub(crate) loops: usize,
    /// The objects of the input that are read.
    pub(crate) shapes: Shapes,
    /// The source paths whose absence is counted, by [`Path::missing`].
    pub(crate) counted: Vec<String>,
    /// What the file names and reads, for the checks that its examples allow.
    pub(crate) usage: Usage,
}

impl Program {
    /// What is wrong with a hook, and the place in the file that found it.
    pub(crate) fn failure(&self, place: Place, message: impl Into<String>) -> Failure {
        let file = self.files.get(place.file).map(ToString::to_string).unwrap_or_default();
        let (line, column) = (place.position.line, place.position.column);
        Failure { file, line, column, message: message.into() }
    }
}

#[derive(Debug)]
pub(crate) struct Let {
    pub(crate) name: String,
    pub(crate) place: Place,
    /// Where its value may come from.
    pub(crate) origins: Option<Vec<Origin>>,
    pub(crate) value: Template,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) rows: BTreeMap<String, Constant>,
    pub(crate) otherwise: Option<Constant>,
}

/// A scalar that stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Null,
    Bool(bool),
    Int(i64),
    Number(String),
    /// A text that needs no escapes.
    Clean(String),
    Text(String),
}

/// One value of the output.
#[derive(Debug)]
pub(crate) enum Template {
    /// A value without holes: its JSON bytes, and itself where it is a scalar.
    Literal {
        json: Box<[u8]>,
        constant: Option<Constant>,
    },
    Hole(Expr),
    /// A text with holes in it.
    Text(Vec<Piece>),
    Object(Vec<Field>),
    List(Vec<Template>),
    Each(Box<Each>),
    /// The first branch whose condition holds; none: left out.
    Case(Vec<Branch>),
    Merge(Vec<Template>),
}

#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) place: Place,
    /// No condition: taken whenever those before it were not.
    pub(crate) when: Option<Condition>,
    pub(crate) then: Template,
}

#[derive(Debug)]
pub(crate) enum Piece {
    /// Text of the file, escaped already.
    Fixed {
        json: String,
        text: String,
    },
    Hole(Expr),
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) key: String,
    /// `"key":`
    pub(crate) json: Box<[u8]>,
    pub(crate) place: Place,
    pub(crate) value: Template,
    pub(crate) ready: Ready,
}

/// The row of fields without holes that begins with a field, as `"key":value,"key":value,`.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    /// How many fields that are; 0 at a field that has holes or does not begin a row.
    pub(crate) fields: usize,
    pub(crate) json: Box<[u8]>,
}

#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) slot: usize,
    pub(crate) list: Expr,
    pub(crate) item: Template,
}

/// `first ?? … | …`, read left to right.
#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) place: Place,
    pub(crate) first: Primary,
    pub(crate) steps: Vec<Step>,
    pub(crate) alone: Alone,
}

/// What an expression is when it is one thing alone: then its value is written without being made first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alone {
    /// A `let`. One without a value is null, whatever is asked of it.
    Let(usize),
    /// A path.
    Path,
    /// A path, where only a text is written as it stands.
    Text,
    /// More than that.
    No,
}

#[derive(Debug)]
pub(crate) enum Primary {
    Path(Path),
    Constant(Constant),
    List(Vec<Primary>),
    Group(Box<Expr>),
    /// A header of the request that brought the hook.
    Header(String),
}

#[derive(Debug)]
pub(crate) enum Step {
    /// `?? other`
    Or(Primary),
    Filter {
        filter: &'static Filter,
        arguments: Vec<Primary>,
        place: Place,
    },
    Table {
        index: usize,
    },
    /// `| null_if('x')`, by far the most frequent filter, with a constant.
    NullIf(Constant),
}

#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) root: Root,
    /// Where the beginning of the path is found, if it is one of keys in the input or an element.
    pub(crate) spot: Option<Spot>,
    /// What is left to be walked behind the spot.
    pub(crate) segments: Box<[Segment]>,
    pub(crate) need: Need,
    /// As written, for messages and metrics.
    pub(crate) text: String,
    /// Index into [`Program::counted`] when absence counts as missing; not where a `??` stands behind.
    pub(crate) missing: Option<usize>,
    pub(crate) place: Place,
    /// Index into [`Usage::reads`].
    pub(crate) read: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    Input,
    Hook,
    Settings,
    Seen,
    Delivery,
    Let(usize),
    Loop(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

/// What happens when a path has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Null.
    Lenient,
    /// `!`: the translation fails.
    Required,
    /// `?`: the field is left out.
    Optional,
}

#[derive(Debug)]
pub(crate) enum Condition {
    Or(Vec<Condition>),
    And(Vec<Condition>),
    Not(Box<Condition>),
    Exists(Expr),
    Same(Expr, Expr),
    Differ(Expr, Expr),
    In(Expr, Expr),
    True(Expr),
}

impl Expr {
    pub(crate) fn new(place: Place, first: Primary, steps: Vec<Step>) -> Self {
        let alone = match (&first, steps.as_slice()) {
            (Primary::Path(Path { root: Root::Let(index), segments, need: Need::Lenient, .. }), [])
                if segments.is_empty() =>
            {
                Alone::Let(*index)
            }
            (Primary::Path(_), []) => Alone::Path,
            (Primary::Path(_), [Step::Filter { filter, .. }]) if filter.keeps_texts => Alone::Text,
            _ => Alone::No,
        };
        Self { place, first, steps, alone }
    }
}

impl Constant {
    pub(crate) fn text(text: String) -> Self {
        if text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)) {
            Self::Text(text)
        } else {
            Self::Clean(text)
        }
    }
}

impl Ready {
    /// The row at the beginning of these fields.
    fn of(fields: &[Field]) -> Self {
        let (mut count, mut row) = (0, Vec::new());
        for field in fields {
            let Template::Literal { json, .. } = &field.value else { break };
            row.extend_from_slice(&field.json);
            row.extend_from_slice(json);
            row.push(b',');
            count += 1;
        }
        Self { fields: count, json: row.into() }
    }
}

impl Template {
    /// An object of fields, those without holes made ready to be written together.
    pub(crate) fn object(mut fields: Vec<Field>) -> Self {
        let mut at = 0;
        while at < fields.len() {
            let ready = Ready::of(fields.get(at..).unwrap_or_default());
            let next = at + ready.fields.max(1);
            if let Some(field) = fields.get_mut(at) {
                field.ready = ready;
            }
            at = next;
        }
        Self::Object(fields)
    }
}
