//! `hookglot check`: everything that can be found wrong before hooks come.

use super::{FAILED, out};
use crate::config::{self, Flags};
use crate::mapping::{Diagnostics, Files};
use crate::rules::Rules;
use crate::{mapping_files, schemas};
use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(flags: &Flags) -> ExitCode {
    let environment = super::environment();
    let mut sound = true;
    let files = match files(flags, &environment) {
        Ok(files) => files,
        Err(message) => {
            out::error(message);
            return ExitCode::from(FAILED);
        }
    };
    if has_configuration(flags, &environment)
        && let Err(faults) = config::load(flags, &environment)
    {
        out::error(faults);
        sound = false;
    }
    for change in mapping_files::changes(&files) {
        out::line(&change);
    }
    match mappings(&files) {
        Ok((summary, warnings)) => {
            out::findings(warnings);
            out::line(&summary);
        }
        Err(faults) => {
            out::findings(faults);
            sound = false;
        }
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

fn has_configuration(flags: &Flags, environment: &HashMap<String, String>) -> bool {
    flags.config.is_some() || environment.keys().any(|name| name.starts_with("HOOKGLOT_"))
}

/// The mapping files that `serve` would load; a fault in the rest of the configuration does not keep them from it.
fn files(flags: &Flags, environment: &HashMap<String, String>) -> Result<Files, String> {
    if let Ok(settings) = config::load(flags, environment) {
        return Ok(settings.files);
    }
    let said = flags.settings.iter().find(|(name, _)| *name == "mappings_dir").map(|(_, folder)| folder);
    match said.or(environment.get("HOOKGLOT_MAPPINGS_DIR")) {
        Some(folder) => mapping_files::with_folder(Path::new(folder)).map_err(|error| error.to_string()),
        None => Ok(mapping_files::built_in()),
    }
}

fn mappings(files: &Files) -> Result<(String, Diagnostics), Diagnostics> {
    let (Rules { forges, directions, .. }, mut warnings) = Rules::load(files)?;
    let (mut mappings, mut examples) = (0, 0);
    for ((_, to), set) in &directions {
        mappings += set.len();
        if let Some(target) = forges.named(to) {
            let (checked, found) = schemas::check(files, target, set);
            examples += checked;
            warnings.extend(found);
        }
    }
    let names: Vec<&str> = forges.iter().map(|forge| forge.name()).collect();
    Ok((format!("sound: forges {}, {mappings} mappings, {examples} examples", names.join(" and ")), warnings))
}
