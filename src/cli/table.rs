//! Prints what is made of the mapping files, or what is wrong with them.

use super::{FAILED, UNREADABLE, findings, out};
use crate::mapping_files;
use crate::rules::Rules;
use std::path::PathBuf;
use std::process::ExitCode;

/// Loads the built-in files with those of a folder over them, and prints what is made of their rules.
pub(super) fn print(folder: Option<&PathBuf>, make: impl FnOnce(&Rules) -> String) -> ExitCode {
    let files = match mapping_files::read(super::mappings_dir(folder).as_deref()) {
        Ok(files) => files,
        Err(error) => {
            out::error(error);
            return ExitCode::from(UNREADABLE);
        }
    };
    match Rules::load(&files) {
        Ok((rules, _)) => {
            out::line(make(&rules).trim_end());
            ExitCode::SUCCESS
        }
        Err(faults) => {
            findings::print(&faults, &files);
            ExitCode::from(FAILED)
        }
    }
}
