//! `hookglot mappings`: what a file can be written with, and which files there are.

use super::{MappingsCommand, TableFormat, out, table};
use crate::mapping::filter;
use crate::rules::Rules;
use serde_json::json;
use std::process::ExitCode;

pub(super) fn run(command: &MappingsCommand) -> ExitCode {
    match command {
        MappingsCommand::Filters { format } => {
            out::line(filters(*format).trim_end());
            ExitCode::SUCCESS
        }
        MappingsCommand::List { mappings_dir } => table::print(mappings_dir.as_ref(), list),
    }
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
