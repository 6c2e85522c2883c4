//! The mapping and forge files: those in the binary, and those of a `mappings_dir` over them.

use crate::mapping::diagnostic::Position;
use crate::mapping::files::in_long_form;
use crate::mapping::{Files, lookups};
use include_dir::{Dir, include_dir};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
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

fn add_built_in(folder: &'static Dir<'static>, files: &mut Files) {
    for file in folder.files() {
        if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
            files.insert_built_in(path, &format!("mappings/{path}"), text);
        }
    }
    for inner in folder.dirs() {
        add_built_in(inner, files);
    }
}

/// The folders of a `mappings_dir` that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Unreadable(pub Vec<UnreadableFolder>);

/// A folder that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct UnreadableFolder {
    /// The folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// The built-in files with those of a folder over them: a file with the same path below it takes a built-in's place.
/// `.yml` is read as `.yaml`, whatever letters are capitals. A file that cannot be read is a finding like others.
///
/// # Errors
/// When the folder or one below it cannot be read: each of them.
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
    unreadable: Vec<UnreadableFolder>,
}

impl Own<'_> {
    fn add_folder(&mut self, folder: &Path) {
        let paths = match own_in(folder) {
            Ok(paths) => paths,
            Err(source) => return self.unreadable.push(UnreadableFolder { path: folder.to_owned(), source }),
        };
        for path in paths {
            if path.is_dir() {
                self.add_folder(&path);
            } else if is_read(name(&path)) {
                self.add_file(&path);
            } else if is_table(name(&path)) && self.below(&path).starts_with("lookups/") {
                self.files.insert_unread(&path.to_string_lossy(), lookups::OTHER_KIND);
            }
        }
    }

    /// The path of a file below the top.
    fn below(&self, path: &Path) -> String {
        path.strip_prefix(self.top).unwrap_or(path).to_string_lossy().replace('\\', "/")
    }

    fn add_file(&mut self, path: &Path) {
        let shown = path.to_string_lossy();
        let below = in_long_form(&self.below(path));
        if let Some(other) = self.paths.get(&below) {
            let message = format!("{} is the same file by another name: keep one of the two", other.display());
            return self.files.insert_faulty(&shown, Position { line: 1, column: 1 }, &message);
        }
        self.paths.insert(below.clone(), path.to_owned());
        let mut bytes = Vec::new();
        if let Err(error) = open(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            return self.files.insert_unreadable(&shown, &error.to_string());
        }
        match String::from_utf8(bytes) {
            Ok(text) => self.files.insert(&below, &shown, text),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let place = end_of(error.as_bytes().get(..valid).unwrap_or_default());
                self.files.insert_faulty(&shown, place, "not UTF-8: save the file in that encoding");
            }
        }
    }
}

/// Names every file and folder below a folder that [`with_folder`] may look at, as far as folders can be read.
pub fn walk(folder: &Path, each: &mut impl FnMut(&Path)) {
    for path in own_in(folder).unwrap_or_default() {
        let is_folder = path.is_dir();
        if is_folder || is_read(name(&path)) || is_table(name(&path)) {
            each(&path);
        }
        if is_folder {
            walk(&path, each);
        }
    }
}

/// What is in a folder, sorted. A `ConfigMap`'s `..data` and an editor's hidden files are not ours.
fn own_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| !name(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

/// The name of a file; empty where it is no text.
fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Opens a file, and nothing else that has a name: a pipe would wait for somebody who writes.
///
/// # Errors
/// When it cannot be opened, or is no file.
pub fn open(path: &Path) -> std::io::Result<File> {
    if std::fs::metadata(path)?.is_file() { File::open(path) } else { Err(std::io::Error::other("this is no file")) }
}

/// The place behind a text.
fn end_of(text: &[u8]) -> Position {
    let text = String::from_utf8_lossy(text);
    let lines = text.matches('\n').count();
    let last = text.rsplit('\n').next().unwrap_or_default().chars().count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
    Position { line: count(lines), column: count(last) }
}

/// Whether mappings, or what they name, are in files of this name.
fn is_read(name: &str) -> bool {
    ends_in(name, &["yaml", "yml", "json"])
}

/// Whether it looks like a table of another program.
fn is_table(name: &str) -> bool {
    ends_in(name, &["csv", "tsv", "toml", "txt", "xlsx", "ods"])
}

fn ends_in(name: &str, known: &[&str]) -> bool {
    Path::new(name).extension().is_some_and(|extension| known.iter().any(|own| extension.eq_ignore_ascii_case(own)))
}
