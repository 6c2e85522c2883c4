//! The texts that everything is loaded from, by their paths.

use super::diagnostic::{Diagnostics, Position};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Where a finding about a file as a whole stands.
const START: Position = Position { line: 1, column: 1 };

/// Mapping and forge files by their path below `mappings/`, with the name that messages give them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Files {
    by_path: BTreeMap<String, (String, Cow<'static, str>)>,
    /// The paths that took the place of others.
    replaced: BTreeSet<String>,
    /// The files, as messages name them, that come with the program: its own tests have held them strictly.
    built_in: BTreeSet<String>,
    /// Whether there is one that does not.
    is_altered: bool,
    /// What is wrong with the files before they are read as anything.
    faults: Diagnostics,
    /// The files, as messages name them, that are there and cannot be read.
    unreadable: BTreeSet<String>,
}

impl Files {
    /// Adds a file, or puts it in the place of one with the same path.
    pub fn insert(&mut self, path: &str, shown: &str, text: impl Into<Cow<'static, str>>) {
        self.built_in.remove(shown);
        self.is_altered = true;
        self.put(path, shown, text.into());
    }

    fn put(&mut self, path: &str, shown: &str, text: Cow<'static, str>) {
        if self.by_path.insert(path.to_owned(), (shown.to_owned(), text)).is_some() {
            self.replaced.insert(path.to_owned());
        }
    }

    /// Adds a file that comes with the program.
    pub fn insert_built_in(&mut self, path: &str, shown: &str, text: impl Into<Cow<'static, str>>) {
        self.put(path, shown, text.into());
        self.built_in.insert(shown.to_owned());
    }

    /// Notes a file of which nothing can be made, and why; `place` is where that shows.
    pub fn insert_faulty(&mut self, shown: &str, place: Position, why: &str) {
        self.faults.error(shown, place, why);
    }

    /// Notes a file that is there and cannot be read.
    pub fn insert_unreadable(&mut self, shown: &str, why: &str) {
        self.faults.error(shown, START, format!("cannot be read: {why}"));
        self.unreadable.insert(shown.to_owned());
    }

    /// Notes a file that its author may take for one of ours.
    pub fn insert_unread(&mut self, shown: &str, why: &str) {
        self.faults.warning(shown, START, why);
    }

    /// What is wrong with the files before they are read as anything.
    #[must_use]
    pub fn faults(&self) -> Diagnostics {
        self.faults.clone()
    }

    /// Whether a file, as messages name it, is there and cannot be read.
    #[must_use]
    pub fn is_unreadable(&self, shown: &str) -> bool {
        self.unreadable.contains(shown)
    }

    /// Whether a file, as messages name it, comes with the program.
    #[must_use]
    pub fn is_built_in(&self, shown: &str) -> bool {
        self.built_in.contains(shown)
    }

    /// Whether there is a file that does not come with the program.
    #[must_use]
    pub fn is_altered(&self) -> bool {
        self.is_altered
    }

    /// The name in messages and the text of a file.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<(String, &str)> {
        self.by_path.get(path).map(|(shown, text)| (shown.clone(), text.as_ref()))
    }

    /// The text of a file by its name in messages.
    #[must_use]
    pub fn shown_as(&self, shown: &str) -> Option<&str> {
        self.by_path.values().find(|(own, _)| own == shown).map(|(_, text)| text.as_ref())
    }

    /// The paths of the files directly in a folder.
    pub fn in_folder<'f>(&'f self, folder: &'f str) -> impl Iterator<Item = &'f str> {
        self.by_path
            .keys()
            .map(String::as_str)
            .filter(move |path| path.rsplit_once('/').is_some_and(|(own, _)| own == folder))
    }

    /// Whether a file took the place of another.
    #[must_use]
    pub fn is_replaced(&self, path: &str) -> bool {
        self.replaced.contains(path)
    }

    /// Every file: its path and its name in messages.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_path.iter().map(|(path, (shown, _))| (path.as_str(), shown.as_str()))
    }

    /// The folders directly below the top.
    #[must_use]
    pub fn folders(&self) -> Vec<&str> {
        let mut folders: Vec<&str> =
            self.by_path.keys().filter_map(|path| path.split_once('/')).map(|(folder, _)| folder).collect();
        folders.dedup();
        folders
    }
}

/// A file whose name begins with `_` is shared by others and never a mapping itself.
pub(crate) fn is_mapping(path: &str) -> bool {
    is_yaml(path) && !path.rsplit('/').next().unwrap_or(path).starts_with('_')
}

/// A path whose YAML ending is written out and small: `.yml` and `.YAML` are `.yaml`. Other files are named as they are.
#[must_use]
pub(crate) fn in_long_form(path: &str) -> String {
    match path.rsplit_once('.') {
        Some((name, end)) if end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml") => {
            format!("{name}.yaml")
        }
        _ => path.to_owned(),
    }
}

/// Whether a path is that of a YAML file; in the form of [`in_long_form`].
pub(crate) fn is_yaml(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension == "yaml")
}
