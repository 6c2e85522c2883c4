//! `hookglot coverage`: what becomes of each event.

use super::{CoverageArgs, FAILED, TableFormat, UNREADABLE, findings, out};
use crate::coverage::{coverage, markdown, text};
use crate::mapping::{Diagnostics, Files};
use crate::mapping_files;
use crate::rules::Rules;
use std::process::ExitCode;

pub(super) fn run(args: &CoverageArgs) -> ExitCode {
    let files = match mapping_files::read(super::mappings_dir(args.mappings_dir.as_ref()).as_deref()) {
        Ok(files) => files,
        Err(error) => {
            out::error(error);
            return ExitCode::from(UNREADABLE);
        }
    };
    match table(&files, args.format) {
        Ok(table) => {
            out::line(table.trim_end());
            ExitCode::SUCCESS
        }
        Err(faults) => {
            findings::print(&faults, &files);
            ExitCode::from(FAILED)
        }
    }
}

fn table(files: &Files, format: TableFormat) -> Result<String, Diagnostics> {
    let (rules, _) = Rules::load(files)?;
    let all = coverage(&rules);
    Ok(match format {
        TableFormat::Text => text(&all),
        TableFormat::Markdown => markdown(&all),
        // The table is texts and lists: it always has a JSON form.
        TableFormat::Json => serde_json::to_string_pretty(&all).unwrap_or_default(),
    })
}
