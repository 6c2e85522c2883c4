//! Where settings come from: file < environment < flags, put together by the `config` crate.

use super::fields::Collector;
use super::origins::{FileOrigin, Origins, ours, variables};
use super::read::settings;
use super::read_files::ReadFiles;
use super::{Faults, Refused, Settings};
use config::{Config, ConfigError, Environment, File, FileFormat, FileSourceString};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What is asked for beside a secret: left empty by mistake, more would come in than was meant.
const PROOFS: [&str; 2] = ["HOOKGLOT_SIGNING_KEY", "HOOKGLOT_SIGNING_KEY_FILE"];

/// The configuration file as a source of settings.
type Source = File<FileSourceString, FileFormat>;

/// What was said on the command line.
#[derive(Debug, Default, Clone)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--listen`, `--data-dir` …: settings by name.
    pub settings: Vec<(&'static str, String)>,
}

/// The configuration file, where one is named.
#[must_use]
pub fn file(flags: &Flags, environment: &HashMap<String, String>) -> Option<PathBuf> {
    let variable = || environment.get("HOOKGLOT_CONFIG").filter(|file| !file.is_empty()).map(PathBuf::from);
    flags.config.clone().or_else(variable)
}

/// Puts file, environment and flags together and checks the whole.
///
/// # Errors
/// Every fault, each with the file, variable or flag that it stands in. A file that cannot be read or is no TOML does not
/// keep the faults of the environment and the flags from being found.
pub fn load(flags: &Flags, environment: &HashMap<String, String>) -> Result<Settings, Refused> {
    let Gathered { tree, origins, faults, unreadable, read_files } = gather(flags, environment);
    let mut all = Collector::new(faults, unreadable, &origins);
    all.read_files = read_files;
    let settings = settings(tree, &mut all);
    if all.faults.is_empty() { Ok(settings) } else { Err(refused(all, settings)) }
}

/// What is wrong, as it is handed on.
pub(super) fn refused(all: Collector<'_>, settings: Settings) -> Refused {
    let Settings { files, read_files, .. } = settings;
    Refused { unreadable: all.unreadable, faults: Faults(all.faults), files: Box::new(files), read_files }
}

/// What was said, before anybody looks what it means.
pub(super) struct Gathered {
    pub(super) tree: Map<String, Value>,
    /// Who said it.
    pub(super) origins: Origins,
    /// What is wrong so far.
    pub(super) faults: Vec<String>,
    /// Whether the file could not be read.
    pub(super) unreadable: bool,
    /// The file.
    pub(super) read_files: ReadFiles,
}

/// Puts file, environment and flags together.
pub(super) fn gather(flags: &Flags, environment: &HashMap<String, String>) -> Gathered {
    let file = file(flags, environment);
    let (mut faults, mut unreadable, mut read_files) = (Vec::new(), false, ReadFiles::default());
    if let Some(file) = &file {
        read_files.note(file);
    }
    let read = file.as_deref().and_then(|file| {
        let read = read(file).map_err(|wrong| {
            unreadable = matches!(wrong, Wrong::Unreadable(_));
            faults.push(format!("{}: {wrong}", file.display()));
        });
        read.ok()
    });
    let (source, tree) = read.unzip();
    // What fills in a template leaves variables empty that it has nothing for: they say nothing, as if they were not there.
    let (empty, ours): (HashMap<_, _>, HashMap<_, _>) =
        ours(environment).into_iter().partition(|(_, value)| value.is_empty());
    let mut empty: Vec<String> = empty.into_keys().collect();
    empty.sort();
    let origins = Origins {
        flags: flags.settings.iter().map(|(name, _)| *name).collect(),
        variables: variables(&ours),
        empty: empty.clone(),
        file: file.map(|file| FileOrigin { shown: file.display().to_string(), tree }),
    };
    faults.extend(variables_below_others(&ours));
    let unproven = empty.iter().filter(|variable| PROOFS.contains(&variable.as_str()));
    faults.extend(unproven.map(|variable| {
        format!(
            "{variable}: it is empty, and without it no signature would be asked for: give it a value, or do not set it"
        )
    }));
    let tree = together(flags, ours, source).unwrap_or_else(|error| {
        faults.push(error.to_string());
        Map::new()
    });
    Gathered { tree, origins, faults, unreadable, read_files }
}

/// `HOOKGLOT_LISTEN__X` beside `HOOKGLOT_LISTEN`: one of them would be lost, and chance would say which.
fn variables_below_others(ours: &HashMap<String, String>) -> Vec<String> {
    let above =
        |name: &str| name.match_indices("__").map(|(at, _)| at).find_map(|at| ours.get_key_value(name.get(..at)?));
    let mut faults: Vec<String> = ours
        .keys()
        .filter_map(|name| above(name).map(|(other, _)| format!("{name}: {other} is set as well, and is no table")))
        .collect();
    faults.sort();
    faults
}

/// Why nobody knows what a configuration file says.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error("{0}")]
    Unreadable(std::io::Error),
    #[error("{0}")]
    NoToml(String),
}

/// Reads a file and parses it by itself, so that its faults name the line.
fn read(file: &Path) -> Result<(Source, Value), Wrong> {
    let source = File::from_str(&std::fs::read_to_string(file).map_err(Wrong::Unreadable)?, FileFormat::Toml);
    let tree = Config::builder().add_source(source.clone()).build().and_then(Config::try_deserialize);
    let tree = tree.map_err(|error| Wrong::NoToml(without_source(&error.to_string())))?;
    Ok((source, tree))
}

/// A value as TOML writes it; nothing where it is none.
pub(super) fn toml(written: &str) -> Option<Value> {
    let source = File::from_str(&format!("value = {written}"), FileFormat::Toml);
    let tree: Map<String, Value> =
        Config::builder().add_source(source).build().and_then(Config::try_deserialize).ok()?;
    tree.get("value").cloned()
}

/// The first and the last line of a message: place and fault. Between them stands the line of the file, which may hold a
/// secret.
fn without_source(message: &str) -> String {
    let mut lines = message.trim().lines().filter(|line| !line.contains('|'));
    let first = lines.next().unwrap_or_default();
    lines.next_back().map_or_else(|| first.to_owned(), |last| format!("{first}: {last}"))
}

fn together(
    flags: &Flags,
    ours: HashMap<String, String>,
    file: Option<Source>,
) -> Result<Map<String, Value>, ConfigError> {
    let mut builder = Config::builder();
    if let Some(file) = file {
        builder = builder.add_source(file);
    }
    let environment = Environment::with_prefix("HOOKGLOT")
        .prefix_separator("_")
        .separator("__")
        .source(Some(ours.into_iter().collect()));
    builder = builder.add_source(environment);
    for (name, value) in &flags.settings {
        builder = builder.set_override(*name, value.clone())?;
    }
    builder.build()?.try_deserialize()
}
