//! A JSON text read once into a flat list of spans, so that translating copies bytes instead of building values.
//!
//! Invariant: every [`Document`] holds valid JSON, so a scalar's bytes can be written into an output as they stand.
//! Duplicate keys: the last one wins, for look-ups and for copies alike, as `serde_json` and browsers decide.

mod parser;
pub(crate) mod write;

use std::borrow::Cow;

pub use parser::SyntaxError;

/// How deep objects and arrays may be nested: what `serde_json` allows, and more than any forge sends.
pub const MAX_DEPTH: usize = 128;

/// How many values and keys a text may hold. A hook of 25 MiB with lists of files stays below; without a bound, a body of
/// empty objects would take eight times its size in memory.
pub const MAX_VALUES: usize = 2_000_000;

/// What a value is, as far as its first byte tells; the two kinds of text spare a look for escapes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    /// A text without escapes: its bytes are what it says.
    PlainText,
    /// A text with escapes.
    EscapedText,
    /// A text whose escapes name half a surrogate pair: no receiver would read it, so it is written anew.
    BrokenText,
    Array,
    Object,
}

/// One value (or key) of a document. `start..end` are its bytes, for a text those between the quotes;
/// `next` is the entry behind the last one inside it.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: Kind,
    start: u32,
    end: u32,
    next: u32,
}

/// A parsed JSON text that borrows its bytes.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    entries: Vec<Entry>,
}

impl<'a> Document<'a> {
    /// Reads a JSON text.
    ///
    /// # Errors
    /// Says what is wrong and at which line and column, when the bytes are not UTF-8, not JSON, nested deeper than
    /// [`MAX_DEPTH`] or larger than 4 GiB.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SyntaxError> {
        parser::parse(bytes).map(|(text, entries)| Self { text, entries })
    }

    /// An empty object.
    #[must_use]
    pub fn empty() -> Self {
        Self { text: "{}", entries: vec![Entry { kind: Kind::Object, start: 0, end: 2, next: 1 }] }
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        Node { document: self, index: 0 }
    }

    fn entry(&self, index: u32) -> Entry {
        // A node is only ever made for an entry that exists; null stands in so that no index can panic.
        self.entries.get(index as usize).copied().unwrap_or(Entry {
            kind: Kind::Null,
            start: 0,
            end: 0,
            next: index + 1,
        })
    }

    fn slice(&self, entry: Entry) -> &str {
        self.text.get(entry.start as usize..entry.end as usize).unwrap_or_default()
    }

    /// The bytes of an entry: cheaper than its text, since no character boundaries are looked for.
    fn bytes(&self, entry: Entry) -> &[u8] {
        self.text.as_bytes().get(entry.start as usize..entry.end as usize).unwrap_or_default()
    }
}

/// One value inside a [`Document`].
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document<'a>,
    index: u32,
}

impl<'a> Node<'a> {
    pub(crate) fn kind(self) -> Kind {
        self.document.entry(self.index).kind
    }

    /// Whether this is a JSON object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// The bytes of a scalar as they stand in the text (a text without its quotes), of a container with its brackets.
    pub(crate) fn raw(self) -> &'a str {
        self.document.slice(self.document.entry(self.index))
    }

    /// The bytes of [`Node::raw`].
    pub(super) fn bytes(self) -> &'a [u8] {
        self.document.bytes(self.document.entry(self.index))
    }

    /// The bytes of a text with its quotes.
    fn quoted(self) -> &'a [u8] {
        let entry = self.document.entry(self.index);
        let span = (entry.start as usize).wrapping_sub(1)..entry.end as usize + 1;
        self.document.text.as_bytes().get(span).unwrap_or(b"\"\"")
    }

    /// What a text says, escapes undone; `None` for any other value.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self.kind() {
            Kind::PlainText => Some(Cow::Borrowed(self.raw())),
            Kind::EscapedText | Kind::BrokenText => Some(Cow::Owned(write::unescape(self.raw()))),
            _ => None,
        }
    }

    /// The value under a key of an object; the last one when the key stands there twice.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        let mut found = None;
        for (name, value) in self.members() {
            if name.says(key) {
                found = Some(value);
            }
        }
        found
    }

    /// The element of an array at a position from 0.
    #[must_use]
    pub fn at(self, position: usize) -> Option<Node<'a>> {
        self.elements().nth(position)
    }

    /// The bytes of a text without escapes.
    pub(super) fn plain(self) -> Option<&'a [u8]> {
        let entry = self.document.entry(self.index);
        (entry.kind == Kind::PlainText).then(|| self.document.bytes(entry))
    }

    /// Whether this is a text that says so.
    pub(crate) fn says(self, text: &str) -> bool {
        let entry = self.document.entry(self.index);
        match entry.kind {
            Kind::PlainText => self.document.bytes(entry) == text.as_bytes(),
            Kind::EscapedText | Kind::BrokenText => write::says(self.raw(), text),
            _ => false,
        }
    }

    /// The keys and values of an object in order, duplicates included; nothing for any other value.
    pub fn members(self) -> impl Iterator<Item = (Node<'a>, Node<'a>)> {
        let mut inside = self.inside(Kind::Object);
        std::iter::from_fn(move || Some((inside.next()?, inside.next()?)))
    }

    /// The values of an array in order; nothing for any other value.
    pub fn elements(self) -> impl Iterator<Item = Node<'a>> {
        self.inside(Kind::Array)
    }

    fn inside(self, kind: Kind) -> Inside<'a> {
        let own = self.document.entry(self.index);
        let end = if own.kind == kind { own.next } else { 0 };
        Inside { document: self.document, next: self.index + 1, end }
    }
}

/// Walks over the entries directly inside a container.
struct Inside<'a> {
    document: &'a Document<'a>,
    next: u32,
    end: u32,
}

impl<'a> Iterator for Inside<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        if self.next >= self.end {
            return None;
        }
        let node = Node { document: self.document, index: self.next };
        self.next = self.document.entry(self.next).next;
        Some(node)
    }
}

#[cfg(test)]
mod tests;
