//! The mapping and forge files: those in the binary, and those of a `mappings_dir` over them.

use crate::mapping::Files;
use include_dir::{Dir, include_dir};
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

/// Why a `mappings_dir` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct Unreadable {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// The built-in files with those of a folder over them: a file with the same path below it takes a built-in's place.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn with_folder(folder: &Path) -> Result<Files, Unreadable> {
    let mut files = built_in();
    add_folder(folder, folder, &mut files)?;
    Ok(files)
}

/// The built-in files, with those of a folder over them where one is given.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn read(folder: Option<&Path>) -> Result<Files, Unreadable> {
    folder.map_or_else(|| Ok(built_in()), with_folder)
}

fn add_folder(top: &Path, folder: &Path, files: &mut Files) -> Result<(), Unreadable> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| Unreadable { path, source }
    };
    let entries = std::fs::read_dir(folder).map_err(unreadable(folder))?;
    for entry in entries {
        let path = entry.map_err(unreadable(folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // A ConfigMap's `..data` and an editor's hidden files are not ours.
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            add_folder(top, &path, files)?;
        } else if is_read(name) {
            let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
            let below = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            // Both endings are YAML's; the built-in files have the longer one.
            let below = below.strip_suffix(".yml").map_or(below.clone(), |name| format!("{name}.yaml"));
            files.insert(&below, &path.to_string_lossy(), text);
        }
    }
    Ok(())
}

fn is_read(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
}

/// What a `mappings_dir` changes, one line for each of its files: which it replaces, adds, or holds for nothing.
#[must_use]
pub fn changes(files: &Files) -> Vec<String> {
    let built_in = built_in();
    let described = |folder: &str| files.get(&format!("{folder}/forge.yaml")).is_some();
    let own = files.all().filter(|(path, shown)| built_in.get(path).is_none_or(|(built_in, _)| built_in != *shown));
    own.map(|(path, shown)| {
        let folder = path.split_once('/').map_or("", |(folder, _)| folder);
        let used =
            described(folder) || folder.split_once("-to-").is_some_and(|(from, to)| described(from) && described(to));
        if files.is_replaced(path) {
            format!("{shown} replaces the built-in {path}")
        } else if used {
            format!("{shown} is added as {path}")
        } else {
            format!("{shown} is not used: files stand in folders such as gitflic-to-gitlab/")
        }
    })
    .collect()
}
