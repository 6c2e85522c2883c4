//! The mapping and forge files: those in the binary, and those of a `mappings_dir` over them.

use crate::mapping::Files;
use crate::mapping::diagnostic::Position;
use include_dir::{Dir, include_dir};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The files that come with hookglot.
static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/mappings");

/// The built-in files, as messages name them: below `mappings/`.
#[must_use]
pub fn built_in() -> Files {
    let mut files = Files::default();
    add_built_in(&BUILT_IN, &mut files);
    files
}

fn add_built_in(folder: &Dir<'_>, files: &mut Files) {
    for file in folder.files() {
        if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
            files.insert_built_in(path, &format!("mappings/{path}"), text.to_owned());
        }
    }
    for inner in folder.dirs() {
        add_built_in(inner, files);
    }
}

/// What in a `mappings_dir` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Unreadable(pub Vec<UnreadableFile>);

/// A file or folder that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct UnreadableFile {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// The built-in files with those of a folder over them: a file with the same path below it takes a built-in's place.
/// `.yml` is read as `.yaml`.
///
/// # Errors
/// When the folder or a file in it cannot be read, or when two files have the same path: each of them.
pub fn with_folder(folder: &Path) -> Result<Files, Unreadable> {
    let mut own = Own { top: folder, files: built_in(), paths: HashMap::new(), unreadable: Vec::new() };
    own.add_folder(folder);
    if own.unreadable.is_empty() { Ok(own.files) } else { Err(Unreadable(own.unreadable)) }
}

/// The built-in files, with those of a folder over them where one is given.
///
/// # Errors
/// As [`with_folder`].
pub fn read(folder: Option<&Path>) -> Result<Files, Unreadable> {
    folder.map_or_else(|| Ok(built_in()), with_folder)
}

/// A `mappings_dir` that is being read.
struct Own<'f> {
    top: &'f Path,
    files: Files,
    /// Which file of the folder stands for each path.
    paths: HashMap<String, PathBuf>,
    unreadable: Vec<UnreadableFile>,
}

impl Own<'_> {
    fn add_folder(&mut self, folder: &Path) {
        let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let mut paths = match entries {
            Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect::<Vec<_>>(),
            Err(source) => return self.unreadable.push(UnreadableFile { path: folder.to_owned(), source }),
        };
        paths.sort();
        for path in paths {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // A ConfigMap's `..data` and an editor's hidden files are not ours.
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                self.add_folder(&path);
            } else if is_read(name)
                && let Err(source) = self.add_file(&path)
            {
                self.unreadable.push(UnreadableFile { path, source });
            }
        }
    }

    fn add_file(&mut self, path: &Path) -> std::io::Result<()> {
        let bytes = std::fs::read(path)?;
        let below = path.strip_prefix(self.top).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let below = below.strip_suffix(".yml").map(|name| format!("{name}.yaml")).unwrap_or(below);
        if let Some(other) = self.paths.insert(below.clone(), path.to_owned()) {
            let other = other.display();
            return Err(std::io::Error::other(format!(
                "{other} is the same file by another name: keep one of the two"
            )));
        }
        let shown = path.to_string_lossy();
        match String::from_utf8(bytes) {
            Ok(text) => self.files.insert(&below, &shown, text),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                self.files.insert_no_text(&shown, end_of(error.as_bytes().get(..valid).unwrap_or_default()));
            }
        }
        Ok(())
    }
}

/// The place behind a text.
fn end_of(text: &[u8]) -> Position {
    let text = String::from_utf8_lossy(text);
    let lines = text.matches('\n').count();
    let last = text.rsplit('\n').next().unwrap_or_default().chars().count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
    Position { line: count(lines), column: count(last) }
}

fn is_read(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|own| extension == *own))
}

/// What a `mappings_dir` changes, one line for each of its files that it replaces or adds; of the others the checks warn.
#[must_use]
pub fn changes(files: &Files) -> Vec<String> {
    let built_in = built_in();
    let described = |folder: &str| files.get(&format!("{folder}/forge.yaml")).is_some();
    let own = files.all().filter(|(path, shown)| built_in.get(path).is_none_or(|(built_in, _)| built_in != *shown));
    own.filter_map(|(path, shown)| {
        let folder = path.split_once('/').map_or("", |(folder, _)| folder);
        let used = ["overlays", "lookups"].contains(&folder)
            || described(folder)
            || folder.split_once("-to-").is_some_and(|(from, to)| described(from) && described(to));
        if files.is_replaced(path) {
            Some(format!("{shown} replaces the built-in {path}"))
        } else {
            used.then(|| format!("{shown} is added as {path}"))
        }
    })
    .collect()
}
