//! Runs a compiled program over one input: values for conditions and headers, bytes for bodies.

mod condition;
pub(crate) mod explain;
mod output;
mod reach;
mod surroundings;

use self::reach::{child, descend, is_constant, source_of};
use super::failure::{Failure, Stop};
use super::filter::{Asking, Filter, MAX_TEXT};
use super::json::{Kind, Node};
use super::lookups::Lookups;
use super::program::{Constant, Expr, Need, Path, Piece, Place, Primary, Program, Root, Segment, Step, Template};
use super::shape::Found;
use super::value::{Text, Value};
use bumpalo::Bump;
use std::cell::{Cell, OnceCell, RefCell};

pub use surroundings::{HookFacts, Surroundings};

/// The largest body that a mapping may make, in bytes.
pub(crate) const MAX_OUTPUT: usize = 4 << 20;
/// How many bytes all texts and lists that filters and `let`s of one translation put together may have.
pub(crate) const MAX_TEXTS: usize = 64 << 20;
/// How many elements all `$each` of one translation may make together.
pub(crate) const MAX_ITEMS: usize = 10_000;

/// How long a text that is put together is at first taken to be.
const TEXT_LENGTH: usize = 64;

type Result<T> = std::result::Result<T, Stop>;

/// One run of a program over one input.
pub(crate) struct Run<'a> {
    program: &'a Program,
    input: Node<'a>,
    found: Found<'a>,
    beside: &'a Surroundings<'a>,
    /// Where nobody is known, nobody needs to be looked for.
    nobody_is_known: bool,
    /// Where everything lives that is made on the way: freed at once, with the translation.
    arena: &'a Bump,
    lets: &'a [OnceCell<Value<'a>>],
    /// The value of each loop variable.
    loops: &'a [Cell<Value<'a>>],
    items: usize,
    /// How many bytes more the texts that are put together may have.
    texts_left: Cell<usize>,
    missing: RefCell<Vec<usize>>,
    /// Where texts are put together before they are as long as they will be.
    scratch: RefCell<String>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(program: &'a Program, input: Node<'a>, beside: &'a Surroundings<'a>, arena: &'a Bump) -> Self {
        Self {
            program,
            input,
            found: Found::new(&program.shapes, arena),
            beside,
            nobody_is_known: beside.knowledge.knows_nobody() && beside.lookups.is_none_or(Lookups::is_empty),
            arena,
            lets: arena.alloc_slice_fill_with(program.lets.len(), |_| OnceCell::new()),
            loops: arena.alloc_slice_fill_with(program.loops, |_| Cell::new(Value::Null)),
            items: 0,
            texts_left: Cell::new(MAX_TEXTS),
            missing: RefCell::new(Vec::new()),
            scratch: RefCell::new(String::new()),
        }
    }

    /// The source paths that had no value and no default, each once.
    pub(crate) fn into_missing(self) -> Vec<&'a str> {
        let mut missing = self.missing.into_inner();
        missing.sort_unstable();
        missing.dedup();
        missing.into_iter().filter_map(|index| self.program.counted.get(index)).map(String::as_str).collect()
    }

    pub(crate) fn fail<T>(&self, place: Place, message: impl Into<String>) -> Result<T> {
        Err(Stop::Fail(Box::new(self.failure(place, message))))
    }

    /// What is wrong with the hook, and the place in the file that found it.
    pub(crate) fn failure(&self, place: Place, message: impl Into<String>) -> Failure {
        self.program.failure(place, message)
    }

    /// The value of an expression.
    pub(crate) fn expr(&self, expr: &'a Expr) -> Result<Value<'a>> {
        let mut value = Value::Null;
        self.put(expr, &mut value)?;
        Ok(value)
    }

    /// Works an expression out in the place where its value is wanted. Values are handed on by place, not returned:
    /// on their way up through a tree of small functions they would be copied at every step, which costs more than
    /// most of the steps.
    fn put(&self, expr: &'a Expr, value: &mut Value<'a>) -> Result<()> {
        self.primary(&expr.first, value)?;
        self.steps(expr, &expr.steps, value)
    }

    /// Does some of the steps of an expression, one after the other, to the value before them.
    #[inline]
    fn steps(&self, expr: &'a Expr, steps: &'a [Step], value: &mut Value<'a>) -> Result<()> {
        for step in steps {
            match step {
                Step::Or(other) if value.is_null() => self.primary(other, value)?,
                Step::Or(_) => {}
                Step::NullIf(constant) => {
                    if is_constant(value, constant) {
                        *value = Value::Null;
                    }
                }
                Step::Table { index } => match self.row(*index, value) {
                    Some(row) => row.put(value),
                    None => *value = Value::Null,
                },
                Step::Filter { filter, .. } if value.is_null() && filter.name != "count" => {}
                Step::Filter { filter, .. } if filter.keeps_texts && matches!(value, Value::Text(_)) => {}
                Step::Filter { filter, .. } if filter.looks_up && self.nobody_is_known && value.is_scalar() => {
                    *value = Value::Null;
                }
                Step::Filter { filter, arguments, place } => {
                    if let Err(message) = self.filtered(filter, arguments, value)? {
                        let source = source_of(expr).map(|path| format!("`{path}`: ")).unwrap_or_default();
                        return self.fail(*place, format!("{source}filter `{}` {message}", filter.name));
                    }
                    self.count_made(value, *place)?;
                }
            }
        }
        Ok(())
    }

    /// Runs a filter over a value in its place; gives what it says is wrong with the value.
    fn filtered(
        &self,
        filter: &Filter,
        arguments: &'a [Primary],
        value: &mut Value<'a>,
    ) -> Result<std::result::Result<(), String>> {
        let Surroundings { knowledge, instance, lookups, .. } = *self.beside;
        let asking = Asking { knowledge, instance, lookups, arena: self.arena };
        Ok(match arguments {
            [] => (filter.run)(value, &[], &asking),
            [Primary::Constant(one)] => {
                let mut given = Value::Null;
                one.put(&mut given);
                (filter.run)(value, std::slice::from_ref(&given), &asking)
            }
            [Primary::Constant(one), Primary::Constant(two)] => {
                (filter.run)(value, &[one.value(), two.value()], &asking)
            }
            [Primary::Constant(one), Primary::Constant(two), Primary::Constant(three)] => {
                (filter.run)(value, &[one.value(), two.value(), three.value()], &asking)
            }
            several => {
                let mut given = vec![Value::Null; several.len()];
                for (argument, place) in several.iter().zip(&mut given) {
                    self.primary(argument, place)?;
                }
                (filter.run)(value, &given, &asking)
            }
        })
    }

    /// Counts a text or a list that a filter may have put together against what one translation may make.
    #[inline]
    fn count_made(&self, value: &Value<'a>, place: Place) -> Result<()> {
        match value {
            Value::Text(Text::Written(text)) => self.count_text(text.len(), place),
            Value::List(items) => self.count(size_of_val(*items), place),
            _ => Ok(()),
        }
    }

    fn count_text(&self, length: usize, place: Place) -> Result<()> {
        if length > MAX_TEXT {
            return self.fail(place, format!("a text of more than {MAX_TEXT} bytes"));
        }
        self.count(length, place)
    }

    fn count(&self, bytes: usize, place: Place) -> Result<()> {
        let Some(left) = self.texts_left.get().checked_sub(bytes) else {
            return self
                .fail(place, format!("texts and lists of more than {MAX_TEXTS} bytes are put together for one hook"));
        };
        self.texts_left.set(left);
        Ok(())
    }

    fn row(&self, table: usize, value: &Value<'a>) -> Option<&'a Constant> {
        let table = self.program.tables.get(table)?;
        let row = if value.is_null() {
            table.rows.get("null")
        } else {
            value.as_text().and_then(|text| table.rows.get(&*text))
        };
        row.or(table.otherwise.as_ref())
    }

    #[inline]
    fn primary(&self, primary: &'a Primary, value: &mut Value<'a>) -> Result<()> {
        match primary {
            Primary::Path(path) => return self.path(path, value),
            Primary::Constant(constant) => constant.put(value),
            Primary::List(items) => {
                let list = self.arena.alloc_slice_fill_copy(items.len(), Value::Null);
                for (item, place) in items.iter().zip(&mut *list) {
                    self.primary(item, place)?;
                }
                *value = Value::List(list);
            }
            Primary::Group(expr) => return self.put(expr, value),
            Primary::Header(name) => *value = self.header(name),
        }
        Ok(())
    }

    fn header(&self, name: &str) -> Value<'a> {
        let found = self.beside.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map_or(Value::Null, |(_, value)| Value::Text(Text::Written(value)))
    }

    #[inline]
    fn path(&self, path: &'a Path, value: &mut Value<'a>) -> Result<()> {
        if path.spot.is_none() {
            match path.root {
                Root::Let(_) | Root::Loop(_) => return self.named(path, value),
                Root::Hook => return self.fact(path, value),
                _ => {}
            }
        }
        let node = self.node(path);
        match node {
            Some(node) if node.kind() != Kind::Null => {
                value.set(node);
                Ok(())
            }
            _ => self.absent(path, node.is_some(), value),
        }
    }

    /// What the hook itself knows; a fact has no fields of its own.
    fn fact(&self, path: &'a Path, value: &mut Value<'a>) -> Result<()> {
        let found = match (self.beside.hook, &*path.segments) {
            (Some(hook), [Segment::Key(name)]) => hook.get(name),
            _ => None,
        };
        match found {
            Some(text) => {
                *value = Value::Text(Text::Written(text));
                Ok(())
            }
            None => self.absent(path, self.beside.hook.is_some(), value),
        }
    }

    /// What stands at a path of the input, of an element, or of what stands beside the input.
    #[inline]
    pub(crate) fn node(&self, path: &'a Path) -> Option<Node<'a>> {
        let mut node = match (path.spot, path.root) {
            (Some(spot), _) => self.found.at(spot, self.input, self.loops),
            (None, Root::Input) => Some(self.input),
            (None, Root::Settings) => self.beside.settings,
            (None, Root::Delivery) => self.beside.delivery,
            (None, Root::Seen) => self.beside.seen,
            (None, Root::Hook | Root::Let(_) | Root::Loop(_)) => None,
        };
        for segment in &path.segments {
            node = child(node, segment);
        }
        node
    }

    /// The value of a `let` or of a whole element.
    fn named(&self, path: &'a Path, value: &mut Value<'a>) -> Result<()> {
        let whole = match path.root {
            Root::Let(index) => self.let_value(index)?,
            Root::Loop(slot) => self.loops.get(slot).map_or(Value::Null, Cell::get),
            _ => Value::Null,
        };
        *value = if path.segments.is_empty() { whole } else { descend(whole, &path.segments) };
        if value.is_null() { self.absent(path, true, value) } else { Ok(()) }
    }

    /// What a path without a value gives; `present` says whether a null stands there.
    fn absent(&self, path: &'a Path, present: bool, value: &mut Value<'a>) -> Result<()> {
        match path.need {
            Need::Required => {
                self.fail(path.place, format!("`{}` is required and the hook has no value for it", path.text))
            }
            Need::Optional => Err(Stop::Omit),
            Need::Lenient => {
                if let (false, Some(index)) = (present, path.missing) {
                    self.missing.borrow_mut().push(index);
                }
                *value = Value::Null;
                Ok(())
            }
        }
    }

    /// The value of a `let`, worked out when it is first asked for.
    pub(crate) fn let_value(&self, index: usize) -> Result<Value<'a>> {
        // Every `let` of the program has its cell: the index comes from the same list.
        let Some((cell, named)) = self.lets.get(index).zip(self.program.lets.get(index)) else {
            return Ok(Value::Null);
        };
        if let Some(known) = cell.get() {
            return Ok(*known);
        }
        let mut value = Value::Null;
        match self.put_template(&named.value, &mut value) {
            Err(Stop::Omit) => value = Value::Null,
            other => other?,
        }
        // Nobody else has set it: a `let` uses only those before it.
        let _ = cell.set(value);
        Ok(value)
    }

    /// The value of a template that makes a scalar (or hands on a container): `let`s, headers, names of events.
    pub(crate) fn value(&self, template: &'a Template) -> Result<Value<'a>> {
        let mut value = Value::Null;
        self.put_template(template, &mut value)?;
        Ok(value)
    }

    fn put_template(&self, template: &'a Template, value: &mut Value<'a>) -> Result<()> {
        match template {
            Template::Literal { constant: Some(constant), .. } => constant.put(value),
            Template::Hole(expr) => return self.put(expr, value),
            Template::Text(pieces) => *value = self.text(pieces)?,
            Template::Case(branches) => match self.branch(branches)? {
                Some(branch) => return self.put_template(&branch.then, value),
                None => return Err(Stop::Omit),
            },
            // The loader refuses all others where a single value is wanted.
            _ => *value = Value::Null,
        }
        Ok(())
    }

    fn text(&self, pieces: &'a [Piece]) -> Result<Value<'a>> {
        let mut made = self.scratch.take();
        made.clear();
        made.reserve(TEXT_LENGTH);
        for piece in pieces {
            match piece {
                Piece::Fixed { text, .. } => made.push_str(text),
                Piece::Hole(expr) => match self.expr(expr)? {
                    Value::Null => return Ok(Value::Null),
                    value => match value.as_text() {
                        Some(text) if made.len() + text.len() <= MAX_TEXT => made.push_str(&text),
                        Some(text) => self.count_text(made.len() + text.len(), expr.place)?,
                        None => {
                            return self.fail(expr.place, format!("{} cannot stand inside a text", value.describe()));
                        }
                    },
                },
            }
        }
        let value = Value::made(self.arena, &made);
        if let Some(Piece::Hole(Expr { place, .. })) = pieces.iter().find(|piece| matches!(piece, Piece::Hole(_))) {
            self.count_text(made.len(), *place)?;
        }
        self.scratch.replace(made);
        Ok(value)
    }
}
