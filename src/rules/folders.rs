//! What each file of a `mappings_dir` is for: which of them change something, and which nobody reads.

use super::folder;
use crate::forge::Forges;
use crate::mapping::diagnostic::{Position, did_you_mean};
use crate::mapping::files::is_yaml;
use crate::mapping::{Diagnostics, Files, lookups};

const OVERLAYS: &str = "overlays";
const LOOKUPS: &str = "lookups";

/// Warns of files that do nothing, while their author thinks that they do.
pub(super) fn check(files: &Files, faults: &mut Diagnostics) {
    let folders = Folders::of(files);
    for (path, shown) in files.all().filter(|(_, shown)| !files.is_built_in(shown)) {
        if let Some(why) = folders.passes_over(path) {
            faults.warning(shown, Position { line: 1, column: 1 }, why);
        }
    }
}

/// What a `mappings_dir` changes, one line for each of its files that it replaces or adds; of the others the checks warn.
#[must_use]
pub fn changes(files: &Files) -> Vec<String> {
    let folders = Folders::of(files);
    let own = files.all().filter(|(path, shown)| !files.is_built_in(shown) && path.contains('/'));
    let read = own.filter(|(path, _)| folders.passes_over(path).is_none());
    let changes = read.map(|(path, shown)| {
        let does = if files.is_replaced(path) { "replaces the built-in" } else { "is added as" };
        format!("{shown} {does} {path}")
    });
    changes.collect()
}

/// The folders that are read.
struct Folders {
    forges: Vec<String>,
    directions: Vec<String>,
}

impl Folders {
    fn of(files: &Files) -> Self {
        let forges: Vec<String> = Forges::names(files).map(str::to_owned).collect();
        let pairs = forges.iter().flat_map(|from| forges.iter().map(move |to| (from, to)));
        let directions = pairs.filter(|(from, to)| from != to).map(|(from, to)| folder(from, to)).collect();
        Self { forges, directions }
    }

    /// Why nobody reads a file, if so. JSON may stand anywhere in a folder: an example, a schema.
    fn passes_over(&self, path: &str) -> Option<String> {
        let Some((own, rest)) = path.split_once('/') else {
            // A schema for editors may stand at the top.
            return is_yaml(path).then(|| "is not used: files stand in folders such as gitflic-to-gitlab/".to_owned());
        };
        let is_of = |all: &[String]| all.iter().any(|folder| folder == own);
        match own {
            LOOKUPS if !is_yaml(path) => Some(lookups::OTHER_KIND.to_owned()),
            OVERLAYS if is_yaml(path) && rest.starts_with('_') => {
                Some("is not used: overlays share no files, and `_` at the beginning says that this is none".to_owned())
            }
            LOOKUPS => nested(path, "look-up tables"),
            OVERLAYS => nested(path, "overlays"),
            _ if is_of(&self.directions) => nested(path, "mappings"),
            _ if is_of(&self.forges) => (is_yaml(path) && rest != "forge.yaml")
                .then(|| format!("is not used: of {own}/ forge.yaml is read, and its schemas")),
            _ => Some(format!("is not used: nobody reads the folder `{own}`{}", self.suggestion(own))),
        }
    }

    fn suggestion(&self, own: &str) -> String {
        let known = self.forges.iter().chain(&self.directions).map(String::as_str);
        did_you_mean(own, known.chain([OVERLAYS, LOOKUPS]))
    }
}

/// What to say of a YAML file in a folder of the folder that it should stand in.
fn nested(path: &str, what: &str) -> Option<String> {
    let (own, rest) = path.split_once('/')?;
    (is_yaml(path) && rest.contains('/')).then(|| format!("is not used: {what} stand directly in {own}/"))
}
