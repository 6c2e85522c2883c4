//! Turns the tree of settings into [`Settings`], the short form of a sidecar and the demonstration included.

use super::fields::{Collector, Fields};
use super::origins::SIDECAR;
use super::routes::routes;
use super::{Limits, LogFormat, Settings};
use crate::mapping::Files;
use crate::mapping_files;
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Reads everything. They are the settings only when `all.faults` is empty; else what is wrong has its default.
pub(super) fn settings(mut members: Map<String, Value>, all: &mut Collector<'_>) -> Settings {
    refuse_sidecar_in_file(&mut members, all);
    let mut top = Fields::new("", members);
    let files = files(&mut top, all);
    let forges = ForgeNames::of(&files, all);
    let listen = |text: &str| {
        text.parse().map_err(|_| format!("expected an address and a port such as 127.0.0.1:8080, got `{text}`"))
    };
    let listen_at = top.parsed("listen", all, listen);
    let admin_at = top.parsed("admin_listen", all, listen);
    let data_dir = top.text("data_dir", all).map(PathBuf::from);
    let grace = top.duration("grace", all);
    let log_format = top.parsed("log_format", all, log_format);
    let log_level = top.parsed("log_level", all, log_level);
    top.parsed("store", all, |store| match store {
        "memory" => Ok(()),
        other => Err(format!("expected `memory`, got `{other}`")),
    });
    let limits = limits(top.table("limits", all), all);
    let (routes, demo) = routes(&mut top, &forges, all);
    top.end(all);
    Settings {
        listen: listen_at.unwrap_or_else(|| ([127, 0, 0, 1], 8080).into()),
        admin_listen: admin_at.unwrap_or_else(|| ([127, 0, 0, 1], 9090).into()),
        data_dir: data_dir.unwrap_or_else(|| PathBuf::from("./hookglot-data")),
        files,
        grace: grace.unwrap_or(Duration::from_secs(10)),
        log_format: log_format.unwrap_or(LogFormat::Text),
        log_level: log_level.unwrap_or_else(|| "info".to_owned()),
        limits,
        routes,
        demo,
    }
}

/// Says of every setting of a sidecar that stands in the file that it does not belong there, and takes it out.
fn refuse_sidecar_in_file(members: &mut Map<String, Value>, all: &mut Collector<'_>) {
    for key in SIDECAR {
        if all.origins.file_says(key) {
            all.fault_in_file(key, "a setting of the environment: in a file write a [[route]] with a [[route.to]]");
            // A variable of the same name went over it, and stays.
            if !all.origins.variables.contains_key(key) {
                members.remove(key);
            }
        }
    }
}

fn files(top: &mut Fields, all: &mut Collector<'_>) -> Files {
    let Some(folder) = top.text("mappings_dir", all) else { return mapping_files::built_in() };
    mapping_files::with_folder(&PathBuf::from(&folder)).unwrap_or_else(|error| {
        for unreadable in error.0 {
            all.fault("mappings_dir", unreadable.to_string());
        }
        all.unreadable = true;
        mapping_files::built_in()
    })
}

/// The forges that the mapping files describe.
pub(super) struct ForgeNames {
    pub(super) names: Vec<String>,
    /// Whether there are no others: files that cannot be read may describe more.
    are_all: bool,
}

impl ForgeNames {
    fn of(files: &Files, all: &Collector<'_>) -> Self {
        let described = |folder: &&str| files.get(&format!("{folder}/forge.yaml")).is_some();
        let names = files.folders().into_iter().filter(described).map(str::to_owned).collect();
        Self { names, are_all: !all.unreadable && all.origins.are_known() }
    }

    /// Whether a name is that of a forge, or may be.
    pub(super) fn may_have(&self, name: &str) -> bool {
        !self.are_all || self.names.iter().any(|own| own == name)
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("expected `text` or `json`, got `{other}`")),
    }
}

/// A level, or a list of levels and `target=level`. A wrong word would be taken for a target, and nothing be logged.
fn log_level(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let known =
        |part: &str| LEVELS.contains(&part.rsplit('=').next().unwrap_or_default().trim().to_ascii_lowercase().as_str());
    if text.split(',').all(known) && EnvFilter::try_new(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err(format!("expected {}, or a list such as info,hyper=debug, got `{text}`", LEVELS.join(", ")))
}

fn limits(mut table: Fields, all: &mut Collector<'_>) -> Limits {
    let limits = Limits {
        body: table.size("body", all).unwrap_or(25 << 20),
        in_flight: table.size("in_flight", all).unwrap_or(256 << 20),
        stored: table.size("stored", all).unwrap_or(512 << 20),
        read_timeout: table.duration("read_timeout", all).unwrap_or(Duration::from_secs(30)),
    };
    // What is wrong has its default here, and what a file says that cannot be read is not known.
    let are_known = all.origins.are_known() && !all.is_wrong("limits.body") && !all.is_wrong("limits.in_flight");
    if are_known && limits.in_flight < limits.body {
        all.fault("limits.in_flight", "smaller than limits.body: no body of that size could come in");
    }
    table.end(all);
    limits
}
