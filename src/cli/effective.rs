//! `hookglot config`: the configuration in force, each setting with where it comes from.

use super::{ConfigArgs, FAILED, UNREADABLE, out, screen, toml};
use crate::config::{self, ExplainedSetting, ExplainedTable, Source};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) fn run(args: ConfigArgs) -> ExitCode {
    let is_json = args.json;
    match config::explain(&args.serve.into(), &super::environment()) {
        Ok(tables) if is_json => {
            screen::json(&all(&tables));
            ExitCode::SUCCESS
        }
        Ok(tables) => {
            out::line(text(&tables).trim());
            ExitCode::SUCCESS
        }
        Err(refused) => {
            out::error(&refused);
            ExitCode::from(if refused.unreadable { UNREADABLE } else { FAILED })
        }
    }
}

/// The settings as JSON, whatever tables they stand in.
fn all(tables: &[ExplainedTable]) -> Value {
    let of = |setting: &ExplainedSetting| {
        let ExplainedSetting { path, value, from, place, .. } = setting;
        let place = (*from != Source::Default).then_some(place);
        json!({"setting": path, "value": value, "from": from.word(), "place": place})
    };
    tables.iter().flat_map(|table| &table.settings).map(of).collect()
}

/// The settings as a configuration file.
fn text(tables: &[ExplainedTable]) -> String {
    let mut text = String::new();
    if !tables.iter().any(|table| table.path == "route") {
        text += "# There is no route: it is the demonstration.\n";
    }
    for table in tables {
        match (table.path.as_str(), table.is_list) {
            ("", _) => {}
            (path, true) => text.extend(["\n[[", path, "]]\n"]),
            (path, false) => text.extend(["\n[", path, "]\n"]),
        }
        text.extend(table.settings.iter().map(line));
    }
    text
}

fn line(setting: &ExplainedSetting) -> String {
    let from = match setting.from {
        Source::Default => Source::Default.word().to_owned(),
        from => format!("{} {}", from.word(), screen::harmless(&setting.place)),
    };
    format!("{} = {}  # {from}\n", toml::key(&setting.name), toml::value(&setting.value))
}
