//! Where settings come from: file < environment < flags, put together by the `config` crate.

use super::fields::Collector;
use super::{Faults, Settings, read};
use config::{Config, Environment, File, FileFormat};
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;

/// The beginning of every environment variable of ours.
const PREFIX: &str = "HOOKGLOT_";
/// Variables of ours that are no settings.
const NOT_SETTINGS: [&str; 1] = ["HOOKGLOT_CONFIG"];

/// What was said on the command line.
#[derive(Debug, Default, Clone)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--listen`, `--data-dir` …: settings by name.
    pub settings: Vec<(&'static str, String)>,
}

/// Puts file, environment and flags together and checks the whole.
///
/// # Errors
/// Every fault, each with the file, variable or flag that it stands in.
pub fn load(flags: &Flags, environment: &HashMap<String, String>) -> Result<Settings, Faults> {
    let said = Said::of(flags, environment);
    match said.tree() {
        Ok((tree, file_keys)) => {
            let (settings, faults) = said.read(tree, file_keys.as_deref());
            match settings {
                Some(settings) if faults.is_empty() => Ok(settings),
                _ => Err(Faults(faults)),
            }
        }
        Err(message) => {
            // What the environment and the flags say can be checked all the same; what is missing may stand in the file.
            let rest = Said { file: None, ..said };
            let faults = rest.tree().map(|(tree, _)| rest.read(tree, Some(&[])).1).unwrap_or_default();
            let told = |fault: &String| fault.starts_with("--") || rest.ours.keys().any(|own| fault.starts_with(own));
            Err(Faults(std::iter::once(message).chain(faults.into_iter().filter(told)).collect()))
        }
    }
}

/// The folder of mapping files that the settings name, whatever else is wrong with them.
#[must_use]
pub fn mappings_dir(flags: &Flags, environment: &HashMap<String, String>) -> Option<PathBuf> {
    let said = Said::of(flags, environment);
    let tree = said.tree().or_else(|_| Said { file: None, ..said }.tree()).ok()?.0;
    tree.get("mappings_dir")?.as_str().map(PathBuf::from)
}

/// The configuration file that flags or environment name.
#[must_use]
pub fn file(flags: &Flags, environment: &HashMap<String, String>) -> Option<PathBuf> {
    let from_environment = || environment.get("HOOKGLOT_CONFIG").filter(|file| !file.is_empty()).map(PathBuf::from);
    flags.config.clone().or_else(from_environment)
}

/// Everything that settings are read from.
#[derive(Clone)]
struct Said<'s> {
    flags: &'s Flags,
    /// Our variables.
    ours: HashMap<String, String>,
    file: Option<PathBuf>,
}

impl<'s> Said<'s> {
    fn of(flags: &'s Flags, environment: &HashMap<String, String>) -> Self {
        Self { flags, ours: ours(environment), file: file(flags, environment) }
    }

    fn read(&self, mut tree: Value, file_keys: Option<&[String]>) -> (Option<Settings>, Vec<String>) {
        // What stands in the wrong place is refused there; it must not be taken for a variable as well.
        let misplaced = file_keys.unwrap_or_default().iter().filter(|key| read::SHORT.contains(&key.as_str()));
        for key in misplaced.filter(|key| !self.ours.contains_key(&format!("{PREFIX}{}", key.to_ascii_uppercase()))) {
            tree.as_object_mut().into_iter().for_each(|members| drop(members.remove(key)));
        }
        let origin = |path: &str| self.origin(path);
        let mut all = Collector { faults: Vec::new(), origin: &origin };
        let settings = read::settings(tree, file_keys, &mut all);
        (settings, all.faults)
    }

    /// The flag, the variable or the file in which the setting at a path stands, or would stand.
    fn origin(&self, path: &str) -> String {
        let variable = format!("{PREFIX}{}", path.replace('.', "__").to_ascii_uppercase());
        if self.flags.settings.iter().any(|(name, _)| *name == path) {
            return format!("--{}", path.replace('_', "-"));
        }
        let is_ours = !path.contains('[') && self.ours.contains_key(&variable);
        match &self.file {
            Some(file) if !is_ours && !read::SHORT.contains(&path) => format!("{}: {path}", file.display()),
            _ => variable,
        }
    }

    /// The settings put together, and the top-level keys of the file, if there is one.
    fn tree(&self) -> Result<(Value, Option<Vec<String>>), String> {
        let mut builder = Config::builder();
        let mut file_keys = None;
        if let Some(file) = &self.file {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            // Parsed by itself first: its faults then name the file and the line.
            let source = File::from_str(&text, FileFormat::Toml);
            let alone = Config::builder().add_source(source.clone()).build().and_then(Config::try_deserialize::<Value>);
            let alone = alone.map_err(|error| format!("{}: {}", file.display(), without_source(&error.to_string())))?;
            file_keys = Some(alone.as_object().into_iter().flat_map(|own| own.keys().cloned()).collect());
            builder = builder.add_source(source);
        }
        let environment = Environment::with_prefix("HOOKGLOT")
            .prefix_separator("_")
            .separator("__")
            .source(Some(self.ours.clone().into_iter().collect()));
        builder = builder.add_source(environment);
        for (name, value) in &self.flags.settings {
            builder = builder.set_override(*name, value.clone()).map_err(|error| error.to_string())?;
        }
        let tree = builder.build().and_then(Config::try_deserialize::<Value>).map_err(|error| error.to_string())?;
        Ok((tree, file_keys))
    }
}

/// Our variables. Kubernetes puts variables of the same beginning into every pod beside a Service whose name begins with
/// `hookglot` (`HOOKGLOT_PORT`, `HOOKGLOT_ADMIN_SERVICE_HOST`, `HOOKGLOT_PORT_8080_TCP` …): those are not ours.
fn ours(environment: &HashMap<String, String>) -> HashMap<String, String> {
    environment
        .iter()
        .filter(|(name, _)| !NOT_SETTINGS.contains(&name.as_str()))
        .filter(|(name, _)| name.strip_prefix(PREFIX).is_some_and(|rest| !rest.is_empty() && !is_of_kubernetes(rest)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether a name ends as Kubernetes names what it tells of a Service.
fn is_of_kubernetes(rest: &str) -> bool {
    let starts = std::iter::once(0).chain(rest.match_indices('_').map(|(at, _)| at + 1));
    starts.filter_map(|start| rest.get(start..)).any(|ending| {
        let port = ending.strip_prefix("PORT_").map(|rest| rest.trim_start_matches(|own: char| own.is_ascii_digit()));
        ending == "PORT"
            || ending == "SERVICE_HOST"
            || ending == "SERVICE_PORT"
            || ending.starts_with("SERVICE_PORT_")
            || port.is_some_and(|rest| ["_TCP", "_UDP", "_SCTP"].iter().any(|protocol| rest.starts_with(protocol)))
    })
}

/// The first and the last line of a message: place and fault. Between them stands the line of the file, which may hold a
/// secret.
fn without_source(message: &str) -> String {
    let mut lines = message.trim().lines().filter(|line| !line.contains('|'));
    let first = lines.next().unwrap_or_default();
    lines.next_back().map_or_else(|| first.to_owned(), |last| format!("{first}: {last}"))
}
