//! Runs a compiled program over one input: values for conditions and headers, bytes for bodies.

pub(crate) mod explain;
mod output;

use super::filter::Asking;
use super::json::{Kind, Node};
use super::knowledge::Knowledge;
use super::lookups::Lookups;
use super::program::{
    Branch, Condition, Constant, Expr, Need, Path, Piece, Place, Primary, Program, Root, Segment, Step, Template,
};
use super::shape::Found;
use super::value::{Text, Value};
use std::cell::{OnceCell, RefCell};

/// The largest body that a mapping may make, in bytes.
pub(crate) const MAX_OUTPUT: usize = 4 << 20;
/// How many elements all `$each` of one translation may make together.
pub(crate) const MAX_ITEMS: usize = 10_000;

/// What stands beside the input while a hook is translated.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// What the stored hook itself knows: `id`, `received_at`, `event`, `instance`.
    pub hook: Option<Node<'a>>,
    /// The settings of the destination.
    pub settings: Option<Node<'a>>,
    /// The delivery: `key` (the idempotency key) and `attempted_at`.
    pub delivery: Option<Node<'a>>,
    /// The last seen state of the object that the hook is about; none the first time.
    pub seen: Option<Node<'a>>,
    /// The headers that the hook came with, by name in small letters.
    pub headers: &'a [(String, String)],
    /// The instance that the hook came from; part of every UUID that is made.
    pub instance: &'a str,
    /// Remembered numbers and UUIDs.
    pub knowledge: &'a dyn Knowledge,
    /// Look-up tables in the place of those that come with the mappings.
    pub lookups: Option<&'a Lookups>,
}

impl<'a> Surroundings<'a> {
    /// Nothing beside the input but a memory.
    pub fn new(knowledge: &'a dyn Knowledge) -> Self {
        Self {
            hook: None,
            settings: None,
            delivery: None,
            seen: None,
            headers: &[],
            instance: "",
            knowledge,
            lookups: None,
        }
    }
}

/// Why a translation failed, and which line of which file asked for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Failure {
    /// The mapping file.
    pub file: String,
    /// Line from 1.
    pub line: u32,
    /// Column from 1.
    pub column: u32,
    /// What is wrong with the hook.
    pub message: String,
}

/// Why an evaluation stops before it has a value.
pub(crate) enum Stop {
    /// A `?` path has no value: the field is left out.
    Omit,
    Fail(Box<Failure>),
}

type Result<T> = std::result::Result<T, Stop>;

/// One run of a program over one input.
pub(crate) struct Run<'a> {
    program: &'a Program,
    input: Node<'a>,
    found: Found<'a>,
    beside: &'a Surroundings<'a>,
    lets: Vec<OnceCell<Value<'a>>>,
    null: Value<'a>,
    loops: Vec<Value<'a>>,
    items: usize,
    missing: RefCell<Vec<usize>>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(program: &'a Program, input: Node<'a>, beside: &'a Surroundings<'a>) -> Self {
        Self {
            program,
            input,
            found: Found::new(&program.shapes),
            beside,
            null: Value::Null,
            lets: vec![OnceCell::new(); program.lets.len()],
            loops: Vec::with_capacity(program.loops),
            items: 0,
            missing: RefCell::new(Vec::new()),
        }
    }

    /// The source paths that had no value and no default, each once.
    pub(crate) fn into_missing(self) -> Vec<&'a str> {
        let mut missing = self.missing.into_inner();
        missing.sort_unstable();
        missing.dedup();
        missing.into_iter().filter_map(|index| self.program.counted.get(index)).map(String::as_str).collect()
    }

    fn fail<T>(&self, place: Place, message: impl Into<String>) -> Result<T> {
        let file = self.program.files.get(place.file).map(std::string::ToString::to_string).unwrap_or_default();
        let (line, column) = (place.position.line, place.position.column);
        Err(Stop::Fail(Box::new(Failure { file, line, column, message: message.into() })))
    }

    pub(crate) fn expr(&self, expr: &'a Expr) -> Result<Value<'a>> {
        let mut value = self.primary(&expr.first)?;
        for step in &expr.steps {
            value = self.step(expr, step, value)?;
        }
        Ok(value)
    }

    /// What one step of an expression makes of the value before it.
    #[inline]
    fn step(&self, expr: &'a Expr, step: &'a Step, value: Value<'a>) -> Result<Value<'a>> {
        match step {
            Step::Or(other) if value.is_null() => self.primary(other),
            Step::Or(_) => Ok(value),
            Step::Table { index } => Ok(self.row(*index, &value)),
            Step::Filter { filter, .. } if value.is_null() && filter.name != "count" => Ok(value),
            Step::Filter { filter, arguments, place } => {
                let Surroundings { knowledge, instance, lookups, .. } = *self.beside;
                let asking = Asking { knowledge, instance, lookups };
                let made = match arguments.as_slice() {
                    [] => (filter.run)(value, &[], &asking),
                    [one] => (filter.run)(value, &[self.primary(one)?], &asking),
                    several => {
                        let given =
                            several.iter().map(|argument| self.primary(argument)).collect::<Result<Vec<_>>>()?;
                        (filter.run)(value, &given, &asking)
                    }
                };
                made.or_else(|message| {
                    let source = source_of(expr).map(|path| format!("`{path}`: ")).unwrap_or_default();
                    self.fail(*place, format!("{source}filter `{}` {message}", filter.name))
                })
            }
        }
    }

    fn row(&self, table: usize, value: &Value<'a>) -> Value<'a> {
        let Some(table) = self.program.tables.get(table) else { return Value::Null };
        let row = if value.is_null() {
            table.rows.get("null")
        } else {
            value.as_text().and_then(|text| table.rows.get(&*text))
        };
        row.or(table.otherwise.as_ref()).map_or(Value::Null, Constant::value)
    }

    #[inline]
    fn primary(&self, primary: &'a Primary) -> Result<Value<'a>> {
        match primary {
            Primary::Path(path) => self.path(path),
            Primary::Constant(constant) => Ok(constant.value()),
            Primary::List(items) => items.iter().map(|item| self.primary(item)).collect::<Result<_>>().map(Value::List),
            Primary::Group(expr) => self.expr(expr),
            Primary::Header(name) => Ok(self.header(name)),
        }
    }

    fn header(&self, name: &str) -> Value<'a> {
        let found = self.beside.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map_or(Value::Null, |(_, value)| Value::Text(Text::Written(value)))
    }

    #[inline]
    fn path(&self, path: &'a Path) -> Result<Value<'a>> {
        if path.spot.is_none() && matches!(path.root, Root::Let(_) | Root::Loop(_)) {
            return self.named(path);
        }
        let node = self.node(path);
        match node {
            Some(node) if node.kind() != Kind::Null => Ok(Value::of(node)),
            _ => self.absent(path, node.is_some()),
        }
    }

    /// What stands at a path of the input, of an element, or of what stands beside the input.
    #[inline]
    pub(crate) fn node(&self, path: &'a Path) -> Option<Node<'a>> {
        let mut node = match (path.spot, path.root) {
            (Some(spot), _) => self.found.at(spot, self.input, &self.loops),
            (None, Root::Input) => Some(self.input),
            (None, Root::Hook) => self.beside.hook,
            (None, Root::Settings) => self.beside.settings,
            (None, Root::Delivery) => self.beside.delivery,
            (None, Root::Seen) => self.beside.seen,
            (None, Root::Let(_) | Root::Loop(_)) => None,
        };
        for segment in &path.segments {
            node = child(node, segment);
        }
        node
    }

    /// The value of a `let` or of a whole element.
    fn named(&self, path: &'a Path) -> Result<Value<'a>> {
        let whole = match path.root {
            Root::Let(index) => self.let_value(index)?.clone(),
            Root::Loop(slot) => self.loops.get(slot).cloned().unwrap_or(Value::Null),
            _ => Value::Null,
        };
        let value = if path.segments.is_empty() { whole } else { descend(whole, &path.segments) };
        if value.is_null() { self.absent(path, true) } else { Ok(value) }
    }

    /// What a path without a value gives; `present` says whether a null stands there.
    fn absent(&self, path: &'a Path, present: bool) -> Result<Value<'a>> {
        match path.need {
            Need::Required => {
                self.fail(path.place, format!("`{}` is required and the hook has no value for it", path.text))
            }
            Need::Optional => Err(Stop::Omit),
            Need::Lenient => {
                if let (false, Some(index)) = (present, path.missing) {
                    self.missing.borrow_mut().push(index);
                }
                Ok(Value::Null)
            }
        }
    }

    /// The value of a `let`, worked out when it is first asked for.
    pub(crate) fn let_value(&self, index: usize) -> Result<&Value<'a>> {
        // Every `let` of the program has its cell: the index comes from the same list.
        let Some((cell, named)) = self.lets.get(index).zip(self.program.lets.get(index)) else { return Ok(&self.null) };
        if let Some(known) = cell.get() {
            return Ok(known);
        }
        let value = match self.value(&named.value) {
            Err(Stop::Omit) => Value::Null,
            other => other?,
        };
        Ok(cell.get_or_init(|| value))
    }

    /// The value of a template that makes a scalar (or hands on a container): `let`s, headers, names of events.
    pub(crate) fn value(&self, template: &'a Template) -> Result<Value<'a>> {
        match template {
            Template::Literal { constant: Some(constant), .. } => Ok(constant.value()),
            Template::Hole(expr) => self.expr(expr),
            Template::Text(pieces) => self.text(pieces),
            Template::Case(branches) => match self.branch(branches)? {
                Some(branch) => self.value(&branch.then),
                None => Err(Stop::Omit),
            },
            // The loader refuses all others where a single value is wanted.
            _ => Ok(Value::Null),
        }
    }

    fn text(&self, pieces: &'a [Piece]) -> Result<Value<'a>> {
        let mut made = String::new();
        for piece in pieces {
            match piece {
                Piece::Fixed { text, .. } => made.push_str(text),
                Piece::Hole(expr) => match self.expr(expr)? {
                    Value::Null => return Ok(Value::Null),
                    value => match value.as_text() {
                        Some(text) => made.push_str(&text),
                        None => {
                            return self.fail(expr.place, format!("{} cannot stand inside a text", value.describe()));
                        }
                    },
                },
            }
        }
        Ok(Value::made(made))
    }

    /// The first branch whose condition holds.
    fn branch(&self, branches: &'a [Branch]) -> Result<Option<&'a Branch>> {
        for branch in branches {
            if branch.when.as_ref().map_or(Ok(true), |when| self.holds(when))? {
                return Ok(Some(branch));
            }
        }
        Ok(None)
    }

    pub(crate) fn holds(&self, condition: &'a Condition) -> Result<bool> {
        match condition {
            Condition::Or(any) => {
                any.iter().try_fold(false, |held, next| if held { Ok(true) } else { self.holds(next) })
            }
            Condition::And(all) => {
                all.iter().try_fold(true, |held, next| if held { self.holds(next) } else { Ok(false) })
            }
            Condition::Not(inner) => self.holds(inner).map(|held| !held),
            Condition::Exists(expr) => self.tested(expr).map(|value| !value.is_null()),
            Condition::Same(left, right) => Ok(self.tested(left)?.same(&self.tested(right)?)),
            Condition::Differ(left, right) => Ok(!self.tested(left)?.same(&self.tested(right)?)),
            Condition::In(left, right) => {
                let value = self.tested(left)?;
                let list = self.tested(right)?;
                if list.is_null() {
                    return Ok(false);
                }
                match list.elements() {
                    Some(elements) => Ok(elements.iter().any(|element| element.same(&value))),
                    None => self.fail(right.place, format!("`in` wants a list, got {}", list.describe())),
                }
            }
            Condition::True(expr) => match self.tested(expr)? {
                Value::Bool(truth) => Ok(truth),
                Value::Null => Ok(false),
                other => self.fail(expr.place, format!("a condition wants true or false, got {}", other.describe())),
            },
        }
    }

    /// The value of an expression in a condition, where leaving out means null.
    fn tested(&self, expr: &'a Expr) -> Result<Value<'a>> {
        match self.expr(expr) {
            Err(Stop::Omit) => Ok(Value::Null),
            other => other,
        }
    }
}

fn child<'a>(node: Option<Node<'a>>, segment: &Segment) -> Option<Node<'a>> {
    match segment {
        Segment::Key(key) => node?.get(key),
        Segment::Index(position) => node?.at(*position),
    }
}

/// The path that an expression begins with.
fn source_of(expr: &Expr) -> Option<&str> {
    match &expr.first {
        Primary::Path(path) => Some(&path.text),
        Primary::Group(inner) => source_of(inner),
        _ => None,
    }
}

/// The value at a path inside a value; null where there is none.
fn descend<'a>(mut value: Value<'a>, segments: &[Segment]) -> Value<'a> {
    for segment in segments {
        value = match segment {
            Segment::Key(key) => value.field(key),
            Segment::Index(position) => value.elements().and_then(|elements| elements.into_iter().nth(*position)),
        }
        .unwrap_or(Value::Null);
    }
    value
}
