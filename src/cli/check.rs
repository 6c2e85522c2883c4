//! `hookglot check`: everything that can be found wrong before hooks come.

use super::{CANNOT_READ, CheckArgs, FAILED, FindingsFormat, findings, out};
use crate::config::{self, Flags};
use crate::mapping::{Diagnostics, Files};
use crate::rules::Rules;
use crate::{mapping_files, schemas};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn run(args: &CheckArgs) -> ExitCode {
    let (flags, environment) = (args.flags(), super::environment());
    let read = unreadable_config(&flags, &environment).map_or_else(|| files(args, &flags, &environment), Err);
    let files = match read {
        Ok(files) => files,
        Err(message) => {
            out::error(message);
            return ExitCode::from(CANNOT_READ);
        }
    };
    let faults = if has_configuration(&flags, &environment) && args.files.is_empty() {
        config::load(&flags, &environment).err().map(|faults| faults.0).unwrap_or_default()
    } else {
        Vec::new()
    };
    let (summary, mut found) = mappings(&files);
    if args.strict {
        found.make_errors();
    }
    if !args.files.is_empty() {
        let named: Vec<String> = args.files.iter().map(|file| file.display().to_string()).collect();
        found.keep(|finding| named.contains(&finding.file));
    }
    let sound = faults.is_empty() && !found.has_errors();
    say(args.format, &files, &faults, &found, summary.filter(|_| sound));
    if sound { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

fn say(format: FindingsFormat, files: &Files, faults: &[String], found: &Diagnostics, summary: Option<String>) {
    match format {
        FindingsFormat::Text => {
            faults.iter().for_each(out::error);
            for change in mapping_files::changes(files) {
                out::line(&change);
            }
            findings::print(found, files);
            if let Some(summary) = summary {
                out::line(&summary);
            }
        }
        FindingsFormat::Json => {
            out::line(&findings::json(found, faults));
        }
        FindingsFormat::Github => {
            let annotations = findings::github(found, faults);
            if !annotations.is_empty() {
                out::line(&annotations);
            }
        }
    }
}

fn has_configuration(flags: &Flags, environment: &HashMap<String, String>) -> bool {
    flags.config.is_some() || environment.keys().any(|name| name.starts_with("HOOKGLOT_"))
}

/// Why the configuration file cannot be read, when it cannot.
fn unreadable_config(flags: &Flags, environment: &HashMap<String, String>) -> Option<String> {
    let file = config::file(flags, environment)?;
    std::fs::File::open(&file).err().map(|error| format!("{}: {error}", file.display()))
}

/// The mapping files that `serve` would load; a fault in the rest of the configuration does not keep them from it.
fn files(args: &CheckArgs, flags: &Flags, environment: &HashMap<String, String>) -> Result<Files, String> {
    let folder = match args.files.first() {
        Some(first) => Some(folder_of(&args.files, first)?),
        None => config::mappings_dir(flags, environment),
    };
    mapping_files::read(folder.as_deref()).map_err(|error| error.to_string())
}

/// The folder that stands in the place of `mappings/` for files that are named alone: two above each of them.
fn folder_of(files: &[PathBuf], first: &Path) -> Result<PathBuf, String> {
    let above = |file: &Path| file.parent().and_then(Path::parent).map(Path::to_owned);
    for file in files {
        std::fs::File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
        if above(file) != above(first) {
            return Err(format!("{}: stands in another folder of mappings than {}", file.display(), first.display()));
        }
    }
    let folder = above(first).ok_or_else(|| {
        format!("{}: a mapping file stands in a folder such as gitflic-to-gitlab/ of a folder", first.display())
    })?;
    Ok(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder })
}

/// Everything that is found in the mapping files, and what there is when no error is among it.
fn mappings(files: &Files) -> (Option<String>, Diagnostics) {
    let (rules, mut found) = match Rules::load(files) {
        Ok(loaded) => loaded,
        Err(faults) => return (None, faults),
    };
    let (mut mappings, mut examples) = (0, 0);
    for ((_, to), set) in &rules.directions {
        mappings += set.len();
        if let Some(target) = rules.forges.named(to) {
            let (checked, warnings) = schemas::check(files, target, set);
            examples += checked;
            found.extend(warnings);
        }
    }
    let names: Vec<&str> = rules.forges.iter().map(|forge| forge.name()).collect();
    let overlays = rules.overlays.iter().count();
    let names = names.join(" and ");
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let (mappings, examples) = (count(mappings, "mapping"), count(examples, "example"));
    (Some(format!("sound: forges {names}, {mappings}, {examples}, {}", count(overlays, "overlay"))), found)
}
