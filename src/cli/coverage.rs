//! `hookglot coverage`: what becomes of each event.

use super::{CoverageArgs, TableFormat, table};
use crate::coverage::{coverage, markdown, text};
use std::process::ExitCode;

pub(super) fn run(args: &CoverageArgs) -> ExitCode {
    table::print(args.mappings_dir.as_ref(), |rules| {
        let all = coverage(rules);
        match args.format {
            TableFormat::Text => text(&all),
            TableFormat::Markdown => markdown(&all),
            // The table is texts and lists: it always has a JSON form.
            TableFormat::Json => serde_json::to_string_pretty(&all).unwrap_or_default(),
        }
    })
}
