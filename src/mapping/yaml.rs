//! YAML with positions: the raw tree that mapping and forge files are read from.
//!
//! Block-style YAML 1.2 as the JSON schema reads it; anchors, aliases, merge keys and tags are refused, because a
//! reader would have to look elsewhere to know what stands here.

use super::diagnostic::{Diagnostics, Position};
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// The largest file that is read, in bytes.
pub(crate) const MAX_FILE: usize = 1 << 20;
/// How deep a file may be nested.
pub(crate) const MAX_DEPTH: usize = 32;

/// How a hole begins.
const HOLE: &str = "${";

/// What trips most who write a hole that YAML reads for something else.
const HOLE_HINT: &str = ": quote a value whose hole holds `: ` or ` #`, or that stands in {…} or […]";

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Yaml {
    pub(crate) position: Position,
    pub(crate) value: YamlValue,
}

#[derive(Debug, Clone)]
pub(crate) enum YamlValue {
    Scalar(Scalar),
    List(Vec<Yaml>),
    Map(Vec<(Key, Yaml)>),
}

#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) position: Position,
}

/// A scalar as written. `inner` is where its text begins: behind the quote, if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) plain: bool,
    pub(crate) inner: Position,
    /// Whether characters of the text stand one by one behind `inner`, so that a column inside it can be told.
    exact: bool,
    /// Where they do not (escapes, several lines): the places of its holes.
    holes: Vec<Position>,
}

impl Scalar {
    /// The place of the character at an offset into the text; where escapes or line breaks hide it, it is counted from
    /// the beginning of the hole that it stands in, else it is the scalar's own.
    pub(crate) fn position_of(&self, byte: usize) -> Position {
        let before = self.text.get(..byte).unwrap_or_default();
        if self.exact {
            return behind(self.inner, before);
        }
        let hole = self.text.get(..byte + 2).unwrap_or(before).rfind(HOLE);
        let number = hole.map_or(0, |hole| before.get(..hole).unwrap_or_default().matches(HOLE).count());
        match (hole, self.holes.get(number)) {
            (Some(hole), Some(place)) => behind(*place, before.get(hole..).unwrap_or_default()),
            _ => self.inner,
        }
    }
}

/// The place behind a text that begins at another.
fn behind(start: Position, text: &str) -> Position {
    let characters = text.chars().count();
    Position { line: start.line, column: start.column + u32::try_from(characters).unwrap_or(0) }
}

impl Yaml {
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            YamlValue::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.text.as_str())
    }

    pub(crate) fn list(&self) -> Option<&[Yaml]> {
        match &self.value {
            YamlValue::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn map(&self) -> Option<&[(Key, Yaml)]> {
        match &self.value {
            YamlValue::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The value under a key of a map.
    pub(crate) fn get(&self, name: &str) -> Option<&Yaml> {
        self.map()?.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    /// The value as JSON, holes left as text; what examples are written in.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            YamlValue::Scalar(scalar) => scalar_json(scalar),
            YamlValue::List(items) => items.iter().map(Yaml::to_json).collect(),
            YamlValue::Map(members) => members
                .iter()
                .map(|(key, value)| (key.name.clone(), value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// What a scalar is by YAML's JSON schema: a plain null, boolean or number is one, all else is a text.
pub(crate) fn scalar_json(scalar: &Scalar) -> serde_json::Value {
    if !scalar.plain {
        return scalar.text.clone().into();
    }
    match scalar.text.as_str() {
        "" | "~" | "null" => serde_json::Value::Null,
        "true" => true.into(),
        "false" => false.into(),
        text if is_number(text) => text.parse().unwrap_or_else(|_| text.into()),
        text => text.into(),
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && serde_json::from_str::<serde_json::Number>(text).is_ok()
}

/// Reads one file; `None` when it has faults, which are then in `faults`.
pub(crate) fn parse(file: &str, text: &str, faults: &mut Diagnostics) -> Option<Yaml> {
    if text.len() > MAX_FILE {
        faults.error(file, Position { line: 1, column: 1 }, format!("larger than {MAX_FILE} bytes"));
        return None;
    }
    let before = faults.errors();
    let lines: Vec<&str> = text.lines().collect();
    let mut builder = Builder { file, lines: &lines, faults, open: Vec::new(), root: None, too_deep: false };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let place = position(error.marker().line(), error.marker().col());
                let line = usize::try_from(place.line).ok().and_then(|line| text.lines().nth(line.checked_sub(1)?));
                let hint = if line.is_some_and(|line| line.contains("${")) { HOLE_HINT } else { "" };
                builder.faults.error(file, place, format!("not YAML: {}{hint}", error.info()));
                return None;
            }
        }
    }
    let root = builder.root.take();
    if faults.errors() > before {
        return None;
    }
    if root.is_none() {
        faults.error(file, Position { line: 1, column: 1 }, "the file is empty");
    }
    root
}

fn position(line: usize, column: usize) -> Position {
    Position {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1),
    }
}

/// A container that is not closed yet.
struct Open {
    position: Position,
    is_map: bool,
    items: Vec<Yaml>,
    members: Vec<(Key, Yaml)>,
    key: Option<Key>,
}

struct Builder<'a> {
    file: &'a str,
    lines: &'a [&'a str],
    faults: &'a mut Diagnostics,
    open: Vec<Open>,
    root: Option<Yaml>,
    too_deep: bool,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) {
        let place = position(span.start.line(), span.start.col());
        match event {
            Event::Alias(_) => self.faults.error(self.file, place, "YAML aliases are not read: use `$block`"),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(place, anchor, tag.is_some());
                self.add(scalar(&text, style, span, self.lines));
            }
            Event::SequenceStart(anchor, tag) => self.start(place, false, anchor, tag.is_some()),
            Event::MappingStart(anchor, tag) => self.start(place, true, anchor, tag.is_some()),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::DocumentStart(_) if self.root.is_some() => {
                self.faults.error(self.file, place, "a second YAML document in one file is not read");
            }
            _ => {}
        }
    }

    fn refuse(&mut self, place: Position, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.faults.error(self.file, place, "YAML anchors are not read: use `$block`");
        }
        if tagged {
            self.faults.error(
                self.file,
                place,
                "YAML tags are not read: a quoted value is a text, a plain one what it looks like",
            );
        }
    }

    fn start(&mut self, place: Position, is_map: bool, anchor: usize, tagged: bool) {
        self.refuse(place, anchor, tagged);
        // Said once, of the first that is too deep.
        if self.open.len() == MAX_DEPTH && !self.too_deep {
            self.too_deep = true;
            self.faults.error(self.file, place, format!("nested deeper than {MAX_DEPTH} levels"));
        }
        self.open.push(Open { position: place, is_map, items: Vec::new(), members: Vec::new(), key: None });
    }

    fn end(&mut self) {
        if let Some(open) = self.open.pop() {
            let value = if open.is_map { YamlValue::Map(open.members) } else { YamlValue::List(open.items) };
            self.add(Yaml { position: open.position, value });
        }
    }

    fn add(&mut self, value: Yaml) {
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(value);
            return;
        };
        if !open.is_map {
            open.items.push(value);
        } else if let Some(key) = open.key.take() {
            if let Some((first, _)) = open.members.iter().find(|(other, _)| other.name == key.name) {
                let message = format!("`{}` stands here twice, first in line {}", key.name, first.position.line);
                self.faults.error(self.file, key.position, message);
            }
            if key.name == "<<" {
                self.faults.error(self.file, key.position, "YAML merge keys are not read: use `$merge`");
            }
            open.members.push((key, value));
        } else if let Some(name) = value.text() {
            open.key = Some(Key { name: name.to_owned(), position: value.position });
        } else {
            open.key = Some(Key { name: String::new(), position: value.position });
            self.faults.error(self.file, value.position, "a key is a text, not a list or a map");
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, span: Span, lines: &[&str]) -> Yaml {
    let place = position(span.start.line(), span.start.col());
    let quotes = match style {
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => 1,
        _ => 0,
    };
    let width = span.end.col().saturating_sub(span.start.col());
    let exact = span.start.line() == span.end.line() && width == text.chars().count() + 2 * quotes;
    let column = if exact { place.column + u32::try_from(quotes).unwrap_or(0) } else { place.column };
    let inner = Position { line: place.line, column };
    let plain = matches!(style, ScalarStyle::Plain);
    let holes = if exact { Vec::new() } else { holes(lines, span) };
    Yaml { position: place, value: YamlValue::Scalar(Scalar { text: text.to_owned(), plain, inner, exact, holes }) }
}

/// Where the holes of a scalar begin in the file.
fn holes(lines: &[&str], span: Span) -> Vec<Position> {
    let first = span.start.line().saturating_sub(1);
    let last = span.end.line();
    let own = lines.iter().enumerate().take(last).skip(first);
    own.flat_map(|(number, line)| {
        let from = if number == first { span.start.col() } else { 0 };
        line.match_indices(HOLE).map(move |(at, _)| (number, line.get(..at).unwrap_or_default().chars().count(), from))
    })
    .filter(|(_, column, from)| column >= from)
    .map(|(number, column, _)| position(number + 1, column))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Yaml, String> {
        let mut faults = Diagnostics::default();
        parse("f.yaml", text, &mut faults).ok_or_else(|| faults.to_string())
    }

    #[test]
    fn knows_where_things_stand() {
        let file = read("a: 1\nb:\n  - x: ${y}\n    'z': \"q\"\n").expect("valid");
        let item = &file.get("b").and_then(Yaml::list).expect("a list")[0];
        let x = item.get("x").and_then(Yaml::scalar).expect("a scalar");
        assert_eq!(x.position_of(2), Position { line: 3, column: 10 });
        let z = item.get("z").and_then(Yaml::scalar).expect("a scalar");
        assert_eq!(z.position_of(0), Position { line: 4, column: 11 });
    }

    #[test]
    fn plain_scalars_are_typed_and_quoted_ones_are_texts() {
        let file = read("[1, -2.5, true, null, ~, '1', yes, 0x10, 007]").expect("valid");
        let expected: serde_json::Value = serde_json::json!([1, -2.5, true, null, null, "1", "yes", "0x10", "007"]);
        assert_eq!(file.to_json(), expected);
    }

    #[test]
    fn what_would_surprise_is_refused_with_its_place() {
        for (text, expected) in [
            ("a: 1\na: 2\n", "f.yaml:2:1: `a` stands here twice, first in line 1"),
            (
                "a: &x 1\nb: *x\n",
                "f.yaml:1:4: YAML anchors are not read: use `$block`\nf.yaml:2:4: YAML aliases are not read: use `$block`",
            ),
            (
                "a: !!str 1\n",
                "f.yaml:1:4: YAML tags are not read: a quoted value is a text, a plain one what it looks like",
            ),
            ("", "f.yaml:1:1: the file is empty"),
            ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second YAML document in one file is not read"),
        ] {
            assert_eq!(read(text).expect_err(text), expected);
        }
        assert!(read("a: [1\nb: 2").expect_err("unclosed").starts_with("f.yaml:2:2: not YAML:"));
    }
}
