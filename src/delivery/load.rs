//! Loads the forge files and the mappings between them, so that all their findings show together.

use super::{Directions, folder, load_directions};
use crate::forge::Forges;
use crate::mapping::{Diagnostics, Files, Mappings};

/// Loads every forge file and the mappings of every pair of forges; gives the warnings beside them.
///
/// # Errors
/// Every finding in every file: a wrong forge file does not hide what is wrong with a mapping.
pub fn load(files: &Files) -> Result<(Forges, Directions, Diagnostics), Diagnostics> {
    let mut faults = match Forges::load(files) {
        Ok(forges) => {
            let (directions, warnings) = load_directions(files, &forges)?;
            return Ok((forges, directions, warnings));
        }
        Err(faults) => faults,
    };
    let described = |name: &&str| files.get(&format!("{name}/forge.yaml")).is_some();
    let names: Vec<&str> = files.folders().into_iter().filter(described).collect();
    for from in &names {
        for to in names.iter().filter(|to| *to != from) {
            match Mappings::load(files, &folder(from, to), true) {
                Ok((_, warnings)) => faults.extend(warnings),
                Err(found) => faults.extend(found),
            }
        }
    }
    Err(faults)
}
