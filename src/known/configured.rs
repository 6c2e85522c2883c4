//! What the configuration says of people, projects and numbers. It wins over what hooks tell. Pure data, asked for each
//! hook: whatever is looked for is found by one or two looks into a map that was made once.
//!
//! It is about people: nothing here shows what it holds, not even to a debugger's print.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

/// What is said of somebody or something with an id.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// What it is, of the kinds that have numbers.
    pub kind: &'static str,
    /// Its id, as its forge names it.
    pub id: String,
    /// The instance that the id is of; `None` for any.
    pub instance: Option<String>,
    /// What is known of it, by column.
    pub columns: BTreeMap<&'static str, String>,
    /// Its number, which tools of the other forge's format know.
    pub number: Option<u32>,
    /// The instance that gave the number, whose hooks with it mean this id; `None` for any.
    pub number_instance: Option<String>,
}

/// A number that belongs to a text before any number is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved<'c> {
    /// The kind in which it is the number.
    pub kind: &'static str,
    /// Whose number it is.
    pub text: &'c str,
    /// The number.
    pub number: u32,
    /// The instance that gave it; `None` where that is not said.
    pub instance: Option<&'c str>,
}

/// The entries of one kind that something leads to: of a certain instance first, then those of any.
type Places<K> = HashMap<&'static str, HashMap<K, Vec<usize>>>;

/// All that the configuration says.
#[derive(Default)]
pub struct Configured {
    /// In the order of the file.
    entries: Vec<Entry>,
    by_id: Places<String>,
    by_number: Places<u32>,
}

impl Configured {
    /// Makes the maps.
    #[must_use]
    pub fn new(mut entries: Vec<Entry>) -> Self {
        for entry in &mut entries {
            // Forges write UUIDs in small letters.
            if is_uuid(&entry.id) {
                entry.id.make_ascii_lowercase();
            }
        }
        let (mut by_id, mut by_number): (Places<String>, Places<u32>) = Default::default();
        for (place, entry) in entries.iter().enumerate() {
            by_id.entry(entry.kind).or_default().entry(entry.id.clone()).or_default().push(place);
            if let Some(number) = entry.number {
                by_number.entry(entry.kind).or_default().entry(number).or_default().push(place);
            }
        }
        let is_of_any = |place: &usize, of: fn(&Entry) -> bool| entries.get(*place).is_some_and(of);
        for places in by_id.values_mut().flat_map(HashMap::values_mut) {
            places.sort_by_key(|place| is_of_any(place, |entry| entry.instance.is_none()));
        }
        for places in by_number.values_mut().flat_map(HashMap::values_mut) {
            places.sort_by_key(|place| is_of_any(place, |entry| entry.number_instance.is_none()));
        }
        Self { entries, by_id, by_number }
    }

    /// Whether nothing is said of anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is said in a column of a table of whom a hook of an instance names, by an id or by a number.
    #[must_use]
    pub fn lookup(&self, instance: &str, table: &str, id: &str, column: &str) -> Option<&str> {
        let kind = kind_of(table)?;
        let by_id = self.of_id(kind, id).filter(|entry| fits(entry.instance.as_deref(), instance));
        // Behind a number is an id of another instance: what is said of that holds, wherever its id is from.
        let by_number = self.of_number(instance, kind, id);
        let behind = by_number.flat_map(|entry| std::iter::once(entry).chain(self.of_id(kind, &entry.id)));
        by_id.chain(behind).find_map(|entry| entry.columns.get(column)).map(String::as_str)
    }

    /// The text of a number that a hook of an instance names.
    #[must_use]
    pub fn text(&self, instance: &str, kind: &str, number: &str) -> Option<&str> {
        self.of_number(instance, kind, number).map(|entry| entry.id.as_str()).next()
    }

    /// What is said of those of a table: each entry that has columns, in the order of the file.
    pub fn rows(&self, table: &str) -> impl Iterator<Item = &Entry> {
        let kind = kind_of(table);
        self.entries.iter().filter(move |entry| Some(entry.kind) == kind && !entry.columns.is_empty())
    }

    /// Every number that is taken, once for each text, in the order of the file.
    pub fn numbers(&self) -> impl Iterator<Item = Reserved<'_>> {
        let mut seen = HashSet::new();
        self.entries.iter().filter_map(move |entry| {
            let number = entry.number.filter(|_| seen.insert((entry.kind, entry.id.as_str())))?;
            let instance = entry.number_instance.as_deref();
            Some(Reserved { kind: entry.kind, text: &entry.id, number, instance })
        })
    }

    fn of_id(&self, kind: &str, id: &str) -> impl Iterator<Item = &Entry> {
        self.at(self.by_id.get(kind).and_then(|of_kind| of_kind.get(id)))
    }

    fn of_number(&self, instance: &str, kind: &str, number: &str) -> impl Iterator<Item = &Entry> {
        let of_kind = self.by_number.get(kind);
        let places = of_kind.and_then(|of_kind| of_kind.get(&written(number)?));
        self.at(places).filter(move |entry| fits(entry.number_instance.as_deref(), instance))
    }

    fn at(&self, places: Option<&Vec<usize>>) -> impl Iterator<Item = &Entry> {
        places.map(Vec::as_slice).unwrap_or_default().iter().filter_map(|place| self.entries.get(*place))
    }
}

/// Counts alone: what it holds is about people.
impl fmt::Debug for Configured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Configured").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

/// Of what kind those are whom a table is about.
/// Whether a text is a UUID as it is written out.
fn is_uuid(text: &str) -> bool {
    let is_place =
        |(at, byte): (usize, u8)| if [8, 13, 18, 23].contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() == 36 && text.bytes().enumerate().all(is_place)
}

fn kind_of(table: &str) -> Option<&'static str> {
    match table {
        "users" => Some("user"),
        "projects" => Some("project"),
        _ => None,
    }
}

/// Whether what is said of one instance, or of any, holds for this one. Names of hosts have no case.
fn fits(said: Option<&str>, instance: &str) -> bool {
    said.is_none_or(|said| said.eq_ignore_ascii_case(instance))
}

/// A number as hooks have it: other texts with digits, `007` or `+7`, are no numbers.
fn written(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
