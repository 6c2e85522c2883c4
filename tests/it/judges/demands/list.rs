//! Reads `tests/receivers/demands.txt`; what its lines mean stands in its head.

use std::collections::HashMap;
use std::iter::Peekable;

pub const FILE: &str = "tests/receivers/demands.txt";

/// An event and what its hooks must have.
pub struct Event {
    pub name: String,
    pub headers: Vec<String>,
    pub fields: Vec<Field>,
}

/// A field, and the fields in it or in each of its elements.
pub struct Field {
    pub name: String,
    pub is_list: bool,
    pub nullable: bool,
    /// The tools that demand it; none for one that may be missing.
    pub tools: String,
    /// The texts that it may have; none for any.
    pub words: Vec<String>,
    pub fields: Vec<Field>,
    pub line: usize,
}

struct Line<'t> {
    number: usize,
    depth: usize,
    text: &'t str,
}

impl Line<'_> {
    fn wrong(&self, why: &str) -> ! {
        panic!("{FILE}:{}: {why}: {}", self.number, self.text)
    }
}

/// Reads the list; panics with the line that it does not understand.
pub fn read() -> Vec<Event> {
    let text = crate::support::project_file(FILE);
    let lines = text.lines().enumerate().map(|(index, line)| {
        let text = line.trim();
        Line { number: index + 1, depth: line.find(text).unwrap_or_default(), text }
    });
    let mut lines = lines.filter(|line| !line.text.is_empty() && !line.text.starts_with('#')).peekable();
    let (mut events, mut words) = (Vec::new(), HashMap::<String, Vec<String>>::new());
    while let Some(line) = lines.next() {
        if let Some((name, list)) = line.text.split_once(" = ").filter(|(name, _)| name.starts_with('<')) {
            words.entry(name.to_owned()).or_default().extend(list.split(' ').map(str::to_owned));
        } else {
            let Some((name, headers)) = line.text.split_once(": ").filter(|_| line.depth == 0) else {
                line.wrong("no event")
            };
            let headers = headers.split(", ").map(str::to_owned).collect();
            events.push(Event { name: name.to_owned(), headers, fields: fields(&mut lines, 2, &words) });
        }
    }
    events
}

fn fields<'t>(
    lines: &mut Peekable<impl Iterator<Item = Line<'t>>>,
    depth: usize,
    words: &HashMap<String, Vec<String>>,
) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    while let Some(line) = lines.next_if(|line| line.depth >= depth) {
        if line.depth != depth {
            line.wrong("indented too far");
        }
        if let Some(exempt) = line.text.strip_prefix("- ") {
            // Held to by nobody; what it says is why.
            if exempt.split_once("; ").is_none_or(|(what, _)| !what.contains(": ")) {
                line.wrong("says no field, no tools or no reason");
            }
            continue;
        }
        let (text, wanted) = line.text.split_once(" = ").unwrap_or((line.text, ""));
        let Some((names, tools)) = text.split_once(':') else { line.wrong("no `:`") };
        let wanted: Vec<String> = wanted
            .split_whitespace()
            .flat_map(|word| words.get(word).cloned().unwrap_or_else(|| vec![word.to_owned()]))
            .collect();
        let names: Vec<&str> = names.split(' ').collect();
        let mut inner = self::fields(lines, depth + 2, words);
        if names.len() > 1 && !inner.is_empty() {
            line.wrong("one field alone has fields below it");
        }
        fields.extend(names.into_iter().map(|name| Field {
            name: name.trim_end_matches('?').trim_end_matches("[]").to_owned(),
            is_list: name.contains("[]"),
            nullable: name.ends_with('?'),
            tools: tools.trim().to_owned(),
            words: wanted.clone(),
            fields: std::mem::take(&mut inner),
            line: line.number,
        }));
    }
    fields
}
