//! A body as lines: JSON with a field a line, any other text as it is. Numbers and texts keep their spelling.

use super::super::super::screen::harmless;
use super::Line;
use crate::admin::shown::Content;
use crate::mapping::json::{Document, Node, write};
use crate::mapping::shown;

/// The lines of a body, harmless for a terminal.
pub(in super::super) fn pretty(content: &Content) -> Vec<Line> {
    let Some(text) = &content.text else {
        return vec![Line { text: format!("({} bytes that are no text; --json has them)", content.size), field: None }];
    };
    match Document::parse(text.as_bytes()) {
        Ok(document) => {
            let mut lines = Lines { path: Vec::new(), done: Vec::new() };
            lines.value(document.root(), "", "");
            lines.done
        }
        Err(_) => text.lines().map(|line| Line { text: harmless(line), field: None }).collect(),
    }
}

struct Lines {
    /// Keys and positions.
    path: Vec<String>,
    done: Vec<Line>,
}

impl Lines {
    /// Writes a value; `before` is its key, `after` a comma.
    fn value(&mut self, node: Node<'_>, before: &str, after: &str) {
        let mut json = Vec::new();
        if let Some(members) = members(node) {
            self.container(
                before,
                after,
                ['{', '}'],
                members.into_iter().map(|(key, value)| {
                    let mut name = Vec::new();
                    write::text(&mut name, key);
                    (key.text().unwrap_or_default().into_owned(), format!("{}: ", utf8(&name)), value)
                }),
            );
        } else if node.elements().next().is_some() {
            let elements = node.elements().enumerate();
            self.container(
                before,
                after,
                ['[', ']'],
                elements.map(|(number, value)| (number.to_string(), String::new(), value)),
            );
        } else {
            write::node(&mut json, node);
            let json = utf8(&json);
            self.line(&format!("{before}{json}{after}"), Some((shown(&self.path), json)));
        }
    }

    fn container<'a>(
        &mut self,
        before: &str,
        after: &str,
        [open, close]: [char; 2],
        fields: impl Iterator<Item = (String, String, Node<'a>)>,
    ) {
        // The brackets stand as far left as the container.
        self.line(&format!("{before}{open}"), None);
        let mut fields = fields.peekable();
        while let Some((part, before, value)) = fields.next() {
            self.path.push(part);
            self.value(value, &before, if fields.peek().is_some() { "," } else { "" });
            self.path.pop();
        }
        self.line(&format!("{close}{after}"), None);
    }

    fn line(&mut self, text: &str, field: Option<(String, String)>) {
        let text = format!("{}{}", "  ".repeat(self.path.len()), harmless(text));
        self.done.push(Line { text, field });
    }
}

/// The fields of an object that has any.
fn members(node: Node<'_>) -> Option<Vec<(Node<'_>, Node<'_>)>> {
    (node.is_object() && node.members().next().is_some()).then(|| write::unique(node))
}

fn utf8(json: &[u8]) -> String {
    String::from_utf8_lossy(json).into_owned()
}
