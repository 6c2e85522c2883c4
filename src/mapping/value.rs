//! A value on its way from a source document through filters into an output.

use super::json::{Kind, Node, write};
use bumpalo::Bump;
use std::borrow::Cow;

/// A value. Scalars of a document stay spans of it, so that nothing is copied before it is written; what is made lies in
/// the arena of the translation and goes with it, so that a value is copied and dropped for nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// A number as a document writes it.
    Number(&'a str),
    Text(Text<'a>),
    /// An object or array of a document.
    Container(Node<'a>),
    List(&'a [Value<'a>]),
}

/// A text, and whether it needs escaping.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Text<'a> {
    /// Nothing in it needs an escape.
    Clean(&'a str),
    /// A document's text that holds escapes: its raw bytes, and whether one of them is half a surrogate pair.
    Escaped { raw: &'a str, broken: bool },
    /// Any text: of the mapping file, or made by a filter.
    Written(&'a str),
}

impl<'a> Text<'a> {
    pub(crate) fn read(self) -> Cow<'a, str> {
        match self {
            Self::Clean(text) | Self::Written(text) => Cow::Borrowed(text),
            Self::Escaped { raw, .. } => Cow::Owned(write::unescape(raw)),
        }
    }

    /// Leaves a part of this text: `pick` cuts a slice out of what it says.
    pub(crate) fn cut(&mut self, arena: &'a Bump, pick: impl FnOnce(&str) -> &str) {
        match self {
            Self::Clean(text) | Self::Written(text) => *text = within(text, pick(text)),
            Self::Escaped { raw, .. } => *self = Self::Written(arena.alloc_str(pick(&write::unescape(raw)))),
        }
    }

    /// Leaves the text up to its first line break; escapes are stepped over, not undone.
    pub(crate) fn first_line(&mut self, arena: &'a Bump) {
        match self {
            Self::Escaped { raw, .. } => *raw = write::first_line(raw),
            plain => plain.cut(arena, |text| text.split(['\n', '\r']).next().unwrap_or_default()),
        }
    }

    /// Writes the text without quotes.
    pub(crate) fn write_inside(self, out: &mut Vec<u8>) {
        match self {
            Self::Clean(text) => out.extend_from_slice(text.as_bytes()),
            Self::Written(text) => write::escaped(out, text),
            Self::Escaped { raw, broken: false } => out.extend_from_slice(raw.as_bytes()),
            Self::Escaped { raw, broken: true } => write::escaped(out, &write::unescape(raw)),
        }
    }
}

/// A slice of `part`, found again inside `whole` with the longer life of `whole`.
fn within<'a>(whole: &'a str, part: &str) -> &'a str {
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    whole.get(start..start.wrapping_add(part.len())).unwrap_or(if part.is_empty() { "" } else { whole })
}

impl<'a> Value<'a> {
    pub(crate) fn of(node: Node<'a>) -> Self {
        let mut value = Self::Null;
        value.set(node);
        value
    }

    /// Puts what a node says into this place. Each arm writes the place itself: a value that is made first and moved then
    /// is read back before its parts have been stored, and the processor waits for them.
    #[inline]
    pub(crate) fn set(&mut self, node: Node<'a>) {
        *self = Self::Null;
        match node.kind() {
            Kind::Null => {}
            Kind::True => *self = Self::Bool(true),
            Kind::False => *self = Self::Bool(false),
            Kind::Number => *self = Self::Number(node.raw()),
            Kind::PlainText => *self = Self::Text(Text::Clean(node.raw())),
            Kind::EscapedText => *self = Self::Text(Text::Escaped { raw: node.raw(), broken: false }),
            Kind::BrokenText => *self = Self::Text(Text::Escaped { raw: node.raw(), broken: true }),
            Kind::Array | Kind::Object => *self = Self::Container(node),
        }
    }

    /// A text that was made, in the arena of the translation.
    pub(crate) fn made(arena: &'a Bump, text: &str) -> Self {
        Self::Text(Text::Written(arena.alloc_str(text)))
    }

    /// Whether it is neither an object nor a list.
    pub(crate) fn is_scalar(&self) -> bool {
        !matches!(self, Self::Container(_) | Self::List(_))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// What a text hole says: a text itself, a number or boolean its JSON text; `None` for null and containers.
    pub(crate) fn as_text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text.read()),
            Self::Bool(true) => Some(Cow::Borrowed("true")),
            Self::Bool(false) => Some(Cow::Borrowed("false")),
            Self::Int(number) => Some(Cow::Owned(number.to_string())),
            Self::Number(number) => Some(Cow::Borrowed(number)),
            Self::Null | Self::Container(_) | Self::List(_) => None,
        }
    }

    /// The value as a text, for filters that take numbers and booleans for their JSON text.
    pub(crate) fn into_text(self, arena: &'a Bump) -> Result<Text<'a>, Self> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Number(number) => Ok(Text::Clean(number)),
            Self::Bool(_) | Self::Int(_) => Ok(Text::Written(arena.alloc_str(&self.as_text().unwrap_or_default()))),
            other => Err(other),
        }
    }

    /// The elements of a list; `None` for anything else.
    pub(crate) fn elements(&self) -> Option<Vec<Value<'a>>> {
        match self {
            Self::List(items) => Some(items.to_vec()),
            Self::Container(node) if node.kind() == Kind::Array => Some(node.elements().map(Value::of).collect()),
            _ => None,
        }
    }

    /// The value under a key of an object.
    pub(crate) fn field(&self, key: &str) -> Option<Value<'a>> {
        match self {
            Self::Container(node) => node.get(key).map(Value::of),
            _ => None,
        }
    }

    /// What kind of value this is, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Container(node) if node.is_object() => "an object",
            Self::Container(_) | Self::List(_) => "a list",
        }
    }

    /// Whether two values are the same JSON value; numbers compare by what they count, containers by their text.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(two)) => one == two,
            (Self::Text(Text::Clean(one)), Self::Text(Text::Clean(two) | Text::Written(two))) => one == two,
            (Self::Text(one), Self::Text(two)) => one.read() == two.read(),
            (Self::Int(_) | Self::Number(_), Self::Int(_) | Self::Number(_)) => {
                let (one, two) = (self.as_text().unwrap_or_default(), other.as_text().unwrap_or_default());
                one == two
                    || matches!((one.parse::<f64>(), two.parse::<f64>()), (Ok(one), Ok(two)) if one.total_cmp(&two).is_eq())
            }
            (Self::List(_) | Self::Container(_), Self::List(_) | Self::Container(_)) => {
                let (mut one, mut two) = (Vec::new(), Vec::new());
                self.write(&mut one);
                other.write(&mut two);
                one == two
            }
            _ => false,
        }
    }

    /// Writes the value as JSON.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Int(number) => write::integer(out, *number),
            Self::Number(number) => out.extend_from_slice(number.as_bytes()),
            Self::Text(text) => {
                out.push(b'"');
                text.write_inside(out);
                out.push(b'"');
            }
            Self::Container(node) => write::node(out, *node),
            Self::List(items) => {
                out.push(b'[');
                for item in *items {
                    item.write(out);
                    out.push(b',');
                }
                write::end(out, b']');
            }
        }
    }
}
