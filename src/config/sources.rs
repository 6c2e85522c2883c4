//! Where settings come from: file < environment < flags, put together by the `config` crate.

use super::fields::Collector;
use super::{Faults, Settings, read};
use config::{Config, Environment, File, FileFormat};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

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
    let file = flags
        .config
        .clone()
        .or_else(|| environment.get("HOOKGLOT_CONFIG").filter(|file| !file.is_empty()).map(PathBuf::from));
    let ours = ours(environment);
    let tree = tree(flags, &ours, file.as_deref()).map_err(|message| Faults(vec![message]))?;
    let origin = |key: &str| {
        let variable = format!("{PREFIX}{}", key.to_ascii_uppercase());
        if flags.settings.iter().any(|(name, _)| *name == key) {
            format!("--{}", key.replace('_', "-"))
        } else if ours.keys().any(|name| *name == variable || name.starts_with(&format!("{variable}__"))) {
            variable
        } else {
            file.as_deref().map_or_else(|| variable, |file| format!("{}: {key}", file.display()))
        }
    };
    let mut all = Collector { faults: Vec::new(), origin: &origin };
    let settings = read::settings(tree, file.is_some(), &mut all);
    match settings {
        Some(settings) if all.faults.is_empty() => Ok(settings),
        _ => Err(Faults(all.faults)),
    }
}

/// Our variables. Kubernetes puts variables of the same beginning into every pod beside a Service named `hookglot`
/// (`HOOKGLOT_PORT`, `HOOKGLOT_SERVICE_HOST`, `HOOKGLOT_PORT_8080_TCP` …): those are not ours.
fn ours(environment: &HashMap<String, String>) -> HashMap<String, String> {
    let kubernetes = |name: &str| {
        name == "PORT"
            || name.starts_with("SERVICE_")
            || name.strip_prefix("PORT_").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    environment
        .iter()
        .filter(|(name, _)| !NOT_SETTINGS.contains(&name.as_str()))
        .filter(|(name, _)| name.strip_prefix(PREFIX).is_some_and(|rest| !rest.is_empty() && !kubernetes(rest)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The first and the last line of a message: place and fault. Between them stands the line of the file, which may hold a
/// secret.
fn without_source(message: &str) -> String {
    let mut lines = message.trim().lines().filter(|line| !line.contains('|'));
    let first = lines.next().unwrap_or_default();
    lines.next_back().map_or_else(|| first.to_owned(), |last| format!("{first}: {last}"))
}

fn tree(flags: &Flags, ours: &HashMap<String, String>, file: Option<&Path>) -> Result<Value, String> {
    let mut builder = Config::builder();
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        // Parsed by itself first: its faults then name the file and the line.
        let source = File::from_str(&text, FileFormat::Toml);
        Config::builder()
            .add_source(source.clone())
            .build()
            .map_err(|error| format!("{}: {}", file.display(), without_source(&error.to_string())))?;
        builder = builder.add_source(source);
    }
    let environment = Environment::with_prefix("HOOKGLOT")
        .prefix_separator("_")
        .separator("__")
        .source(Some(ours.clone().into_iter().collect()));
    builder = builder.add_source(environment);
    for (name, value) in &flags.settings {
        builder = builder.set_override(*name, value.clone()).map_err(|error| error.to_string())?;
    }
    builder.build().and_then(Config::try_deserialize::<Value>).map_err(|error| error.to_string())
}
