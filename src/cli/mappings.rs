//! `hookglot mappings`: what a file can be written with, and which files there are.

use super::{MappingsCommand, TableFormat, UNREADABLE, out, table};
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::filter;
use crate::mapping_files;
use crate::rules::Rules;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

pub(super) fn run(command: &MappingsCommand) -> ExitCode {
    match command {
        MappingsCommand::Filters { format } => {
            out::line(filters(*format).trim_end());
            ExitCode::SUCCESS
        }
        MappingsCommand::List { mappings_dir } => table::print(mappings_dir.as_ref(), list),
        MappingsCommand::Show { file, mappings_dir } => match text(file, mappings_dir.as_ref()) {
            Ok(text) => {
                out::line(text.trim_end());
                ExitCode::SUCCESS
            }
            Err(message) => {
                out::error(message);
                ExitCode::from(UNREADABLE)
            }
        },
    }
}

/// The text of a file in force.
fn text(file: &str, mappings_dir: Option<&PathBuf>) -> Result<String, String> {
    let files = mapping_files::read(super::mappings_dir(mappings_dir).as_deref()).map_err(|error| error.to_string())?;
    let found = files.shown_as(file).or_else(|| files.get(file).map(|(_, text)| text));
    found.map(str::to_owned).ok_or_else(|| {
        let suggestion = did_you_mean(file, files.all().map(|(path, _)| path));
        format!("there is no file `{file}` in force{suggestion}; hookglot mappings list names them")
    })
}

fn filters(format: TableFormat) -> String {
    match format {
        TableFormat::Text => filter::text(),
        TableFormat::Markdown => filter::markdown(),
        TableFormat::Json => {
            let all: Vec<_> = filter::FILTERS
                .iter()
                .map(|filter| {
                    let (expression, input, output) = filter.example;
                    json!({
                        "name": filter.name,
                        "call": filter.call(),
                        "does": filter.doc,
                        "example": {"expression": expression, "x": input, "result": output},
                    })
                })
                .collect();
            // Texts alone: it always has a JSON form.
            serde_json::to_string_pretty(&all).unwrap_or_default()
        }
    }
}

/// Name, events and version of each mapping and overlay, one a line.
fn list(rules: &Rules) -> String {
    let mut lines: Vec<String> = rules
        .directions
        .values()
        .flat_map(crate::mapping::Mappings::descriptions)
        .map(|mapping| line(mapping.file, mapping.sha256, mapping.events))
        .collect();
    lines.sort();
    lines.extend(rules.overlays.iter().map(|(_, overlay)| line(overlay.file(), &overlay.sha256, &overlay.events)));
    lines.join("\n")
}

fn line(file: &str, sha256: &str, events: &[String]) -> String {
    format!("{file}  {}  {}", sha256.get(..12).unwrap_or(sha256), events.join(", "))
}
