//! Where each setting was said, so that its fault can be laid there.

use super::explained::Source;
use super::fields::first_of;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// The beginning of every environment variable of ours.
const PREFIX: &str = "HOOKGLOT_";
/// The settings of a sidecar: they stand for one route with one destination, and come from the environment alone.
pub(super) const SIDECAR: [&str; 9] =
    ["to", "to_file", "format", "secret", "secret_file", "signing_key", "signing_key_file", "token", "token_file"];

/// The flags, variables and file that settings come from.
#[derive(Debug)]
pub(super) struct Origins {
    /// The settings that flags say.
    pub(super) flags: Vec<&'static str>,
    /// The variable of each path: `HOOKGLOT_LIMITS__BODY` of `limits.body`.
    pub(super) variables: BTreeMap<String, String>,
    /// The variables that are empty.
    pub(super) empty: Vec<String>,
    /// The configuration file, readable or not.
    pub(super) file: Option<FileOrigin>,
}

/// What the configuration file is called and what stands at its top.
#[derive(Debug)]
pub(super) struct FileOrigin {
    /// The file as the user named it.
    pub(super) shown: String,
    /// What it says; `None` when it could not be read, so that nobody knows.
    pub(super) tree: Option<Value>,
}

impl Origins {
    /// How messages name the place of a setting: by its flag, its variable or its file, whichever is in force; one that
    /// is missing by the place where it would be expected.
    pub(super) fn name(&self, path: &str) -> String {
        let top = first_of(path);
        if self.flags.contains(&top) {
            return format!("--{}", path.replace('_', "-"));
        }
        if let Some(variable) = self.variables.get(path) {
            return variable.clone();
        }
        // A variable of a member takes the place of what the file says, unless that is a table, too.
        if !self.in_file(path).is_some_and(Value::is_object) {
            let below = format!("{path}.");
            let inner = self.variables.range(below.clone()..).next().filter(|(inner, _)| inner.starts_with(&below));
            if let Some((_, variable)) = inner {
                return variable.clone();
            }
        }
        match &self.file {
            Some(_) if !SIDECAR.contains(&top) || self.file_says(top) => self.name_in_file(path),
            _ => format!("{PREFIX}{}", path.replace('.', "__").to_ascii_uppercase()),
        }
    }

    /// Who says a setting, and by which flag, variable or file.
    pub(super) fn source(&self, path: &str) -> (Source, String) {
        if self.flags.contains(&first_of(path)) {
            return (Source::Flag, self.name(path));
        }
        if let Some(variable) = self.variables.get(path) {
            return (Source::Environment, variable.clone());
        }
        match &self.file {
            // What stands in lists stands in a file only.
            Some(file) if path.contains('[') || self.file_says(path) => (Source::File, file.shown.clone()),
            _ => (Source::Default, String::new()),
        }
    }

    /// How messages name a setting of the file, whatever goes over it.
    pub(super) fn name_in_file(&self, path: &str) -> String {
        self.file.as_ref().map_or_else(|| path.to_owned(), |file| format!("{}: {path}", file.shown))
    }

    /// Whether the file has something at a path, which may name members but not items of lists.
    pub(super) fn file_says(&self, path: &str) -> bool {
        self.in_file(path).is_some()
    }

    fn in_file(&self, path: &str) -> Option<&Value> {
        let tree = self.file.as_ref()?.tree.as_ref()?;
        path.split('.').try_fold(tree, |table, key| table.get(key))
    }

    /// Whether everything that was said is known: a file that cannot be read may say anything.
    pub(super) fn are_known(&self) -> bool {
        self.file.as_ref().is_none_or(|file| file.tree.is_some())
    }
}

/// The variable of each path.
pub(super) fn variables(ours: &HashMap<String, String>) -> BTreeMap<String, String> {
    let path = |name: &String| Some(name.strip_prefix(PREFIX)?.to_lowercase().replace("__", "."));
    ours.keys().filter_map(|name| Some((path(name)?, name.clone()))).collect()
}

/// Our variables. Kubernetes puts variables of the same beginning into every pod beside a Service whose name begins with
/// `hookglot`: those are not ours.
pub(super) fn ours(environment: &HashMap<String, String>) -> HashMap<String, String> {
    /// Variables of ours that are no settings.
    const NOT_SETTINGS: [&str; 2] = ["HOOKGLOT_CONFIG", "HOOKGLOT_ADMIN_URL"];
    environment
        .iter()
        .filter(|(name, _)| !NOT_SETTINGS.contains(&name.as_str()))
        .filter(|(name, _)| name.strip_prefix(PREFIX).is_some_and(|rest| !rest.is_empty()))
        .filter(|(name, value)| !is_of_kubernetes(name, value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether Kubernetes made a variable for a Service: `…_SERVICE_HOST`, `…_SERVICE_PORT`, `…_SERVICE_PORT_HTTP`, `…_PORT`,
/// `…_PORT_8080_TCP`, `…_PORT_8080_TCP_ADDR` and so on. `…_PORT` could be a mistyped setting, so its value must be of
/// Kubernetes' form, `tcp://10.96.7.7:8080`.
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];
    let is_protocol = |word: &str| PROTOCOLS.iter().any(|own| own.eq_ignore_ascii_case(word));
    let is_address = || value.split_once("://").is_some_and(|(scheme, _)| is_protocol(scheme));
    let is_port = |rest: &str| {
        let words: Vec<&str> = rest.split('_').collect();
        let [number, protocol, what @ ..] = words.as_slice() else { return false };
        number.parse::<u16>().is_ok() && is_protocol(protocol) && matches!(what, [] | ["PROTO" | "PORT" | "ADDR"])
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && is_address())
        || name.match_indices("_PORT_").any(|(at, mark)| name.get(at + mark.len()..).is_some_and(is_port))
}
