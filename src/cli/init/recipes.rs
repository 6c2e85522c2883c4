//! What `init` knows of tools and of the forms of forges: the files of `recipes/`, one for each.

use config::{Config, File, FileFormat};
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

static FORGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/recipes/forges");
static TOOLS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/recipes/tools");

/// What a tool needs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tool {
    /// What people call it.
    pub(super) title: String,
    /// What its destination is called, where that is not the name of the file.
    pub(super) name: Option<String>,
    /// An address, so that it is seen what is asked for.
    pub(super) example: String,
    /// The format that it reads; asked for where it may be any.
    pub(super) format: Option<String>,
    /// What stands behind its address where it takes hooks; `{project}` is asked for.
    pub(super) endpoint: Option<String>,
    /// What `{project}` is.
    pub(super) project: Option<String>,
    /// Where its own secret is set.
    pub(super) token: String,
    /// The events that it acts on, by forge.
    pub(super) events: BTreeMap<String, Vec<String>>,
    /// Whether it refuses others, so that the destination must not get them.
    #[serde(default)]
    pub(super) only_these_events: bool,
    /// Lines of the destination.
    #[serde(default)]
    pub(super) lines: String,
    /// What occurs in addresses that look like its own and take no hooks …
    pub(super) not_at: Option<String>,
    /// … and what to do instead.
    pub(super) instead: Option<String>,
    /// What else to see to in the tool.
    pub(super) note: Option<String>,
}

/// What is typed into the form of a forge.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    /// What people call the forge.
    pub(super) title: String,
    /// Where it is.
    #[serde(rename = "form")]
    pub(super) place: String,
    /// The field for the URL.
    pub(super) url: String,
    /// The field for the secret.
    pub(super) secret: String,
    /// Events, and what stands beside their boxes.
    pub(super) events: Vec<(String, String)>,
    /// What else to see to in the forge.
    pub(super) note: String,
    /// Lines of the settings of a destination with another format.
    pub(super) settings: String,
}

/// The names of the forges.
pub(super) fn forges() -> Vec<&'static str> {
    names(&FORGES)
}

/// The names of the tools; the one that stands for all others is the last.
pub(super) fn tools() -> Vec<&'static str> {
    let mut names = names(&TOOLS);
    names.sort_by_key(|name| *name == "other");
    names
}

fn names(folder: &'static Dir<'static>) -> Vec<&'static str> {
    folder.files().filter_map(|file| file.path().file_stem()?.to_str()).collect()
}

/// The tool of a name.
pub(super) fn tool(name: &str) -> Result<Tool, String> {
    read(&TOOLS, name)
}

/// The form of a forge.
pub(super) fn form(name: &str) -> Result<Form, String> {
    read(&FORGES, name)
}

fn read<T: DeserializeOwned>(folder: &Dir<'_>, name: &str) -> Result<T, String> {
    let file = folder.get_file(format!("{name}.toml")).and_then(include_dir::File::contents_utf8);
    let text = file.ok_or_else(|| format!("there is no recipe for {name}"))?;
    let source = File::from_str(text, FileFormat::Toml);
    let read = Config::builder().add_source(source).build().and_then(Config::try_deserialize);
    read.map_err(|error| format!("the recipe for {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping_files;
    use crate::rules::Rules;

    #[test]
    fn every_recipe_is_whole_and_names_events_that_its_forge_sends() {
        let (rules, _) = Rules::load(&mapping_files::built_in()).expect("sound");
        let forms: BTreeMap<&str, Form> =
            forges().into_iter().map(|name| (name, form(name).expect("a form"))).collect();
        for (name, form) in &forms {
            let forge = rules.forges.named(name).expect("a forge");
            for (event, _) in &form.events {
                assert!(forge.events().any(|(known, _)| known == event), "{name}: {event}");
            }
        }
        assert_eq!(tools().last(), Some(&"other"));
        for name in tools() {
            let tool = tool(name).unwrap_or_else(|message| panic!("{message}"));
            assert_eq!(tool.events.keys().map(String::as_str).collect::<Vec<_>>(), forges(), "{name}");
            for (forge, events) in &tool.events {
                for event in events {
                    let boxes = &forms[forge.as_str()].events;
                    assert!(boxes.iter().any(|(known, _)| known == event), "{name}: {forge} has no box for {event}");
                }
            }
            assert_eq!(tool.not_at.is_some(), tool.instead.is_some(), "{name}");
            let asks = tool.endpoint.as_deref().is_some_and(|endpoint| endpoint.contains("{project}"));
            assert_eq!(asks, tool.project.is_some(), "{name}");
        }
    }
}
