//! Two bodies beside each other, a field a line, each line of the second one with the line of the mapping that made it.

mod pretty;

use super::super::screen::{Colour, Screen, harmless};
use crate::admin::shown::Content;
pub(super) use pretty::pretty;
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt::Write as _;

/// From this width on, bodies stand beside each other.
const WIDE: usize = 120;
/// The narrowest column for the body that was sent.
const NARROWEST: usize = 30;
/// What separates the columns.
const GAP: &str = " │ ";

/// How a delivery's body came about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Explanation {
    /// Whether the files that made it are in force.
    pub(super) same_mapping: Option<bool>,
    /// Why nothing is explained.
    pub(super) refused: Option<String>,
    body: Vec<MadeField>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MadeField {
    path: String,
    json: String,
    file: String,
    line: u32,
}

/// A line of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// As it is shown.
    pub(super) text: String,
    /// The field that ends on it, and its JSON text.
    pub(super) field: Option<(String, String)>,
}

impl Explanation {
    /// Of each field, its JSON text and the line that made it.
    fn origins(&self) -> Origins<'_> {
        let origin = |field: &MadeField| harmless(&format!("{}:{}", field.file, field.line));
        self.body.iter().map(|field| (field.path.as_str(), (field.json.as_str(), origin(field)))).collect()
    }
}

type Origins<'e> = HashMap<&'e str, (&'e str, String)>;

/// The hook as it came beside the body as sent; one under the other where they have no room.
pub(super) fn lay(came: &Content, sent: &Content, explanation: &Explanation, screen: Screen) -> String {
    let origins = explanation.origins();
    let (left, right) = (pretty(came), pretty(sent));
    let right: Vec<(String, &str)> =
        right.into_iter().map(|Line { text, field }| (text, origin(&origins, field.as_ref()))).collect();
    let longest = right.iter().map(|(_, origin)| origin.chars().count()).max().unwrap_or(0);
    match screen.width.filter(|width| *width >= WIDE).map(|width| Columns::of(width, longest)) {
        Some(columns) if columns.right >= NARROWEST => columns.lay(&left, &right, screen),
        _ => below(&left, &right, screen),
    }
}

/// The line that made a field; nothing where none is known, or where the field has another value by now, as another mapping
/// made it.
fn origin<'o>(origins: &'o Origins<'_>, field: Option<&(String, String)>) -> &'o str {
    let made = field.and_then(|(path, json)| origins.get(path.as_str()).filter(|(own, _)| own == json));
    made.map(|(_, origin)| origin.as_str()).unwrap_or_default()
}

/// How wide each column is.
struct Columns {
    left: usize,
    right: usize,
}

impl Columns {
    fn of(width: usize, origin: usize) -> Self {
        let gap = GAP.chars().count();
        let left = width.saturating_sub(gap) * 2 / 5;
        Self { left, right: width.saturating_sub(left + gap + origin + 2) }
    }

    fn lay(&self, left: &[Line], right: &[(String, &str)], screen: Screen) -> String {
        let left: Vec<String> = left.iter().flat_map(|line| wrapped(&line.text, self.left)).collect();
        let right: Vec<(String, &str)> = right
            .iter()
            .flat_map(|(text, origin)| {
                let origins = std::iter::once(*origin).chain(std::iter::repeat(""));
                wrapped(text, self.right).into_iter().zip(origins)
            })
            .collect();
        let mut all = format!("{}\n", self.line("the hook as it came", "the body as sent", "", screen));
        for row in 0..left.len().max(right.len()) {
            let (text, origin) = right.get(row).map_or(("", ""), |(text, origin)| (text.as_str(), *origin));
            all.push_str(&self.line(left.get(row).map(String::as_str).unwrap_or_default(), text, origin, screen));
            all.push('\n');
        }
        all
    }

    fn line(&self, left: &str, right: &str, origin: &str, screen: Screen) -> String {
        let line = format!("{}{GAP}{}  ", filled(left, self.left), filled(right, self.right));
        if origin.is_empty() { line.trim_end().to_owned() } else { line + &screen.paint(origin, Some(Colour::Faint)) }
    }
}

fn below(left: &[Line], right: &[(String, &str)], screen: Screen) -> String {
    // A long text moves no line's origin but its own.
    const MOST: usize = 60;
    let lengths = right.iter().map(|(text, _)| text.chars().count());
    let width = lengths.filter(|length| *length <= MOST).max().unwrap_or(0);
    let title = |text: &str| screen.paint(text, Some(Colour::Strong));
    let mut all = format!("{}\n", title("the hook as it came"));
    all.extend(left.iter().flat_map(|line| [line.text.as_str(), "\n"]));
    // Writing into a String cannot fail.
    let _ = write!(all, "\n{}\n", title("the body as sent"));
    for (text, origin) in right {
        if origin.is_empty() {
            all.extend([text, "\n"]);
        } else {
            let _ = writeln!(all, "{}  {}", filled(text, width), screen.paint(origin, Some(Colour::Faint)));
        }
    }
    all
}

/// A text with blanks up to a width.
fn filled(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

/// A line in pieces of a width; what is indented stays so.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let indent: String =
        text.chars().take_while(|character| *character == ' ').take(width / 2).chain("  ".chars()).collect();
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for character in text.chars() {
        if used == width {
            used = indent.len();
            pieces.push(indent.clone());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(character);
        }
        used += 1;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> Content {
        Content { text: Some(text.to_owned()), base64: None, size: text.len() as u64 }
    }

    fn laid(screen: Screen) -> String {
        let explanation = serde_json::from_str(
            r#"{"body": [{"path": "b.c[0]", "json": "\"x\"", "file": "to/tide.yaml", "line": 3, "column": 1},
                {"path": "d", "json": "2", "file": "to/tide.yaml", "line": 4, "column": 1}]}"#,
        );
        let (came, sent) = (content(r#"{"a":1}"#), content(r#"{"b":{"c":["x"]},"d":12345678901234567890}"#));
        lay(&came, &sent, &explanation.unwrap(), screen)
    }

    #[test]
    fn each_field_has_the_line_that_made_it_unless_that_makes_another_by_now() {
        let below = laid(Screen::plain(None));
        let expected = "\
the hook as it came
{
  \"a\": 1
}

the body as sent
{
  \"b\": {
    \"c\": [
      \"x\"                    to/tide.yaml:3
    ]
  },
  \"d\": 12345678901234567890
}
";
        assert_eq!(below, expected);
    }

    #[test]
    fn bodies_stand_beside_each_other_where_there_is_room() {
        let beside = laid(Screen::plain(Some(130)));
        let line = beside.lines().find(|line| line.contains("tide.yaml:3")).unwrap();
        assert!(line.starts_with("    ") && line.contains(" │       \"x\" "), "{beside}");
        assert!(beside.lines().all(|line| line.chars().count() <= 130), "{beside}");
        assert!(!laid(Screen::plain(Some(80))).contains('│'));
    }

    #[test]
    fn a_long_line_goes_on_below_itself() {
        assert_eq!(wrapped("  abcdef", 6), ["  abcd", "    ef"]);
        assert_eq!(wrapped("", 6), [""]);
    }
}
