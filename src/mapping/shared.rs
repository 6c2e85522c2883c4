//! Files of names that mappings share: taken by `use`, and checked where no mapping takes them.

use super::diagnostic::{Diagnostics, Position};
use super::file::{Mapping, check_header, members, read_names};
use super::files::{Files, in_long_form, is_yaml};
use super::scope::Scope;
use super::template;
use super::yaml::{self, Yaml};
use std::sync::Arc;

const KEYS: [&str; 5] = ["mapping", "doc", "tables", "let", "blocks"];

/// The file that `use` names, as messages show it, and its text.
pub(super) fn file_of<'f>(files: &'f Files, path: &str, shared: &Yaml) -> Option<(String, &'f str)> {
    let name = shared.text().filter(|name| name.starts_with('_'))?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    files.get(&in_long_form(&format!("{folder}/{name}")))
}

/// Takes the tables, `let`s and blocks of a file beside this one whose name begins with `_`.
pub(super) fn take(files: &Files, path: &str, shared: &Yaml, scope: &mut Scope<'_>) {
    let Some((file, text)) = file_of(files, path, shared) else {
        let message = match shared.text().filter(|name| !name.is_empty()) {
            Some(name) => format!("`use` names a file beside this one that begins with `_`: there is no `{name}`"),
            None => "`use` is the name of one file beside this one, such as `_shared.yaml`".to_owned(),
        };
        scope.error(shared.position, message);
        scope.lacks_names = true;
        return;
    };
    let Some(root) = yaml::parse(&file, text, scope.faults) else {
        scope.lacks_names = true;
        return;
    };
    scope.program.files.push(Arc::from(file));
    let user = std::mem::replace(&mut scope.file, scope.program.files.len() - 1);
    check_header(&root, &KEYS, scope);
    read_names(&root, scope);
    scope.file = user;
}

/// Checks the files of a folder that no mapping uses as those are that one uses, and warns of them. `is_whole` says that
/// every mapping could be read; otherwise nobody knows what the others use.
pub(super) fn check_unused(
    files: &Files,
    folder: &str,
    mappings: &[Mapping],
    is_whole: bool,
    faults: &mut Diagnostics,
) {
    let is_used = |shown: &str| mappings.iter().any(|mapping| mapping.program.files.iter().any(|own| &**own == shown));
    let shared = files.in_folder(folder).filter(|path| is_yaml(path) && !super::files::is_mapping(path));
    for (file, text) in shared.filter_map(|path| files.get(path)) {
        if files.is_built_in(&file) || is_used(&file) {
            continue;
        }
        if is_whole {
            faults.warning(&file, Position { line: 1, column: 1 }, "no mapping uses this file");
        }
        check(&file, text, faults);
    }
}

/// Finds what is wrong with a file without one that uses it.
fn check(file: &str, text: &str, faults: &mut Diagnostics) {
    let Some(root) = yaml::parse(file, text, faults) else { return };
    let mut scope = Scope::new(file, false, faults);
    check_header(&root, &KEYS, &mut scope);
    read_names(&root, &mut scope);
    if root.get("blocks").is_some_and(|blocks| blocks.map().is_some()) {
        // Else a block is compiled where it is used.
        for (_, body) in members(root.get("blocks"), "blocks", &mut scope) {
            template::compile(body, &mut scope);
        }
    }
}
