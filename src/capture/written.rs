//! Writes a hook as a person writes an example: one member a line, in the order in which they came.

use super::texts::Replacing;
use crate::mapping::json::write::{quoted, unique};
use crate::mapping::json::{Kind, Node};

/// The text of a value with what is private replaced.
pub(super) fn pretty(root: Node<'_>, replacing: &mut Replacing<'_>) -> String {
    let mut writing = Writing { out: Vec::new(), path: Vec::new(), depth: 0, replacing };
    writing.value(root);
    // What is written are texts, and numbers of a JSON text.
    String::from_utf8(writing.out).unwrap_or_default()
}

struct Writing<'w, 'p> {
    out: Vec<u8>,
    /// The names of the fields around, those of lists left out.
    path: Vec<String>,
    depth: usize,
    replacing: &'w mut Replacing<'p>,
}

impl Writing<'_, '_> {
    fn value(&mut self, node: Node<'_>) {
        match node.kind() {
            Kind::Null | Kind::True | Kind::False => self.out.extend_from_slice(node.raw().as_bytes()),
            Kind::Number => {
                let number = self.replacing.number(&self.path, node.raw());
                self.out.extend_from_slice(number.as_bytes());
            }
            Kind::Array => {
                let elements: Vec<Node<'_>> = node.elements().collect();
                self.lines(*b"[]", elements, Self::value);
            }
            Kind::Object => self.lines(*b"{}", unique(node), |own, (key, value)| own.member(key, value)),
            Kind::PlainText | Kind::EscapedText | Kind::BrokenText => {
                let text = self.replacing.text(&self.path, &node.text().unwrap_or_default());
                quoted(&mut self.out, &text);
            }
        }
    }

    fn member(&mut self, key: Node<'_>, value: Node<'_>) {
        let key = key.text().unwrap_or_default();
        let shown = self.replacing.key(&key);
        quoted(&mut self.out, &shown);
        self.out.extend_from_slice(b": ");
        self.path.push(key.into_owned());
        self.value(value);
        self.path.pop();
    }

    fn lines<T>(&mut self, brackets: [u8; 2], items: Vec<T>, mut write: impl FnMut(&mut Self, T)) {
        let [open, close] = brackets;
        self.out.push(open);
        let is_empty = items.is_empty();
        self.depth += 1;
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                self.out.push(b',');
            }
            self.line();
            write(self, item);
        }
        self.depth -= 1;
        if !is_empty {
            self.line();
        }
        self.out.push(close);
    }

    fn line(&mut self) {
        self.out.push(b'\n');
        self.out.resize(self.out.len() + self.depth * 2, b' ');
    }
}
