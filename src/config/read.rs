//! Turns the tree of settings into [`Settings`], the short form of a sidecar and the demonstration included.

use super::destination::{bare, destination, format_named, http_url, read_secret_file, secret};
use super::fields::{Collector, Fields};
use super::{Access, Destination, Format, Limits, LogFormat, Reload, Route, Settings};
use crate::forge::Forges;
use crate::mapping::Files;
use crate::mapping::overlay::Overlays;
use crate::mapping_files;
use crate::secret::{Secret, Secrets};
use serde_json::Value;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// The settings of a sidecar: they stand for one route with one destination, and come from the environment alone.
pub(super) const SHORT: [&str; 6] = ["to", "format", "secret", "secret_file", "token", "token_file"];

/// Reads everything; `None` only when what is in `all.faults` leaves nothing to build.
pub(super) fn settings(tree: Value, file_keys: Option<&[String]>, all: &mut Collector<'_>) -> Option<Settings> {
    let Value::Object(members) = tree else {
        all.faults.push("the settings are not a table".to_owned());
        return None;
    };
    for key in SHORT.iter().filter(|key| file_keys.is_some_and(|keys| keys.iter().any(|own| own == *key))) {
        all.fault_in_file(key, "a setting of the environment: in a file write a [[route]] with a [[route.to]]");
    }
    let mut top = Fields::new("", members);
    let mappings_dir = top.text("mappings_dir", all).map(PathBuf::from);
    let files = files(mappings_dir.as_deref(), all);
    let known = Known::of(&files);
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
    let reload = reload(top.table("reload", all), all);
    let (routes, demo) = routes(&mut top, &known, file_keys.is_some(), all);
    top.end(all);
    Some(Settings {
        listen: listen_at.unwrap_or_else(|| ([127, 0, 0, 1], 8080).into()),
        admin_listen: admin_at.unwrap_or_else(|| ([127, 0, 0, 1], 9090).into()),
        data_dir: data_dir.unwrap_or_else(|| PathBuf::from("./hookglot-data")),
        files,
        mappings_dir,
        reload,
        grace: grace.unwrap_or(Duration::from_secs(10)),
        log_format: log_format.unwrap_or(LogFormat::Text),
        log_level: log_level.unwrap_or_else(|| "info".to_owned()),
        limits,
        routes,
        demo,
    })
}

fn files(folder: Option<&Path>, all: &mut Collector<'_>) -> Files {
    mapping_files::read(folder).unwrap_or_else(|error| {
        all.fault("mappings_dir", error.to_string());
        mapping_files::built_in()
    })
}

/// The names that the mapping files give.
pub(super) struct Known {
    pub(super) forges: Vec<String>,
    pub(super) overlays: Vec<String>,
}

impl Known {
    fn of(files: &Files) -> Self {
        Self {
            forges: Forges::names(files).map(str::to_owned).collect(),
            overlays: Overlays::names(files).map(str::to_owned).collect(),
        }
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
    if text.split(',').all(known) {
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
    if limits.in_flight < limits.body {
        all.fault("limits.in_flight", "smaller than limits.body: no body of that size could come in");
    }
    table.end(all);
    limits
}

fn reload(mut table: Fields, all: &mut Collector<'_>) -> Reload {
    let debounce = table.duration("debounce", all).unwrap_or(Duration::from_secs(1));
    let poll = table.duration("poll", all).unwrap_or(Duration::from_secs(10));
    if poll.is_zero() {
        all.fault(&table.path_of("poll"), "0: the files would be read without a pause");
    }
    table.end(all);
    Reload { debounce, poll }
}

/// The routes of the file, or the one of the short form, or the demonstration; and whether it is the last.
fn routes(top: &mut Fields, known: &Known, from_file: bool, all: &mut Collector<'_>) -> (Vec<Route>, bool) {
    let tables = top.tables("route", all);
    let short: Vec<(&str, Value)> = SHORT.iter().filter_map(|key| top.take(key).map(|value| (*key, value))).collect();
    if !tables.is_empty() && !short.is_empty() {
        let variables: Vec<String> =
            short.iter().map(|(key, _)| format!("HOOKGLOT_{}", key.to_ascii_uppercase())).collect();
        let message =
            format!("routes stand in the file, and a sidecar in {}: use one or the other", variables.join(", "));
        all.fault("route", message);
        return (Vec::new(), false);
    }
    if !short.is_empty() {
        return (sidecar(short, known, all).into_iter().collect(), false);
    }
    if tables.is_empty() {
        if from_file {
            all.fault("route", "missing: a [[route]] with a [[route.to]] says where hooks come in and where they go");
        }
        return (vec![demo(&known.forges)], true);
    }
    check_unique(&tables, all);
    (tables.into_iter().filter_map(|table| route(table, known, all)).collect(), false)
}

/// Looks at the tables themselves, so that what is twice shows beside every other fault of a route.
fn check_unique(tables: &[Fields], all: &mut Collector<'_>) {
    let (mut paths, mut names) = (HashSet::new(), HashSet::new());
    for table in tables {
        if let Some(path) = table.peek("path").and_then(Value::as_str)
            && !paths.insert(path)
        {
            all.fault(&table.path_of("path"), format!("`{path}` is the path of another route"));
        }
        let to = table.peek("to").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (position, destination) in to.iter().enumerate() {
            if let Some(name) = destination.get("name").and_then(Value::as_str)
                && !names.insert(name)
            {
                let place = format!("{}[{position}].name", table.path_of("to"));
                all.fault(&place, format!("`{name}` is the name of another destination"));
            }
        }
    }
}

fn demo(forges: &[String]) -> Route {
    // The echo receiver's real address is known once it listens; `serve` puts it here.
    let url = Url::parse("http://127.0.0.1/").ok();
    let to = url
        .map(|url| Destination { name: "echo".to_owned(), format: Format::Other, ..bare(url) })
        .into_iter()
        .collect();
    Route { path: "/".to_owned(), accept: forges.to_vec(), access: Access::Open, to }
}

fn sidecar(short: Vec<(&str, Value)>, known: &Known, all: &mut Collector<'_>) -> Option<Route> {
    let mut table = Fields::new("", short.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
    let url = required(&mut table, "to", "the URL of the tool", all)
        .and_then(|text| http_url(&text).map_err(|message| all.fault("to", message)).ok());
    let listed = known.forges.join(", ");
    let format = required(&mut table, "format", &format!("the format that the tool reads: {listed} or other"), all);
    let format =
        format.and_then(|text| format_named(&text, &known.forges).map_err(|message| all.fault("format", message)).ok());
    let access = access(&mut table, all);
    let token = secret(&mut table, "token", "token_file", all);
    table.end(all);
    let destination = Destination { format: format?, token, ..bare(url?) };
    Some(Route { path: "/".to_owned(), accept: known.forges.clone(), access: access?, to: vec![destination] })
}

pub(super) fn required(table: &mut Fields, key: &'static str, what: &str, all: &mut Collector<'_>) -> Option<String> {
    let (path, before) = (table.path_of(key), all.faults.len());
    let text = table.text(key, all).filter(|text| !text.is_empty());
    if text.is_none() && all.faults.len() == before {
        all.fault(&path, format!("missing: {what}"));
    }
    text
}

fn route(mut table: Fields, known: &Known, all: &mut Collector<'_>) -> Option<Route> {
    let path_of_path = table.path_of("path");
    let path = required(&mut table, "path", "the path on which hooks come in, `/` for one", all);
    if path.as_deref().is_some_and(|path| !path.starts_with('/') || path.contains(['?', '#'])) {
        all.fault(&path_of_path, "a path begins with `/` and has no `?` or `#`");
    }
    let accept = table.texts("accept", all);
    for name in accept.iter().flatten().filter(|name| !known.forges.contains(name)) {
        all.fault(&table.path_of("accept"), format!("unknown forge `{name}`: expected {}", known.forges.join(" or ")));
    }
    let access = access(&mut table, all);
    let to_path = table.path_of("to");
    let tables = table.tables("to", all);
    if tables.is_empty() {
        all.fault(&to_path, "missing: a [[route.to]] says where the hooks of this route go");
    }
    let to: Vec<Destination> = tables.into_iter().filter_map(|table| destination(table, known, all)).collect();
    table.end(all);
    Some(Route { path: path?, accept: accept.unwrap_or_else(|| known.forges.clone()), access: access?, to })
}

/// The secrets that open a route: `secret`, `secrets` or `secret_file` (one a line), or `secret = "none"`.
fn access(table: &mut Fields, all: &mut Collector<'_>) -> Option<Access> {
    let (path, file_path, list_path) =
        (table.path_of("secret"), table.path_of("secret_file"), table.path_of("secrets"));
    let faults = all.faults.len();
    let mut given: Vec<(String, String)> = Vec::new();
    given.extend(table.text("secret", all).map(|text| (path.clone(), text)));
    given.extend(table.texts("secrets", all).unwrap_or_default().into_iter().map(|text| (list_path.clone(), text)));
    if let Some(file) = table.text("secret_file", all) {
        let text = read_secret_file(&file_path, &file, all)?;
        if text.trim().is_empty() {
            all.fault(&file_path, format!("{file} is empty"));
            return None;
        }
        given.extend(text.lines().map(|line| (file_path.clone(), line.to_owned())));
    }
    if let [(_, word)] = given.as_slice()
        && word == "none"
    {
        return Some(Access::Open);
    }
    let mut secrets = Vec::new();
    for (place, text) in given {
        if text.starts_with("whsec_") {
            all.fault(&place, "a signing key (whsec_…) cannot be checked yet: give the secret token, or `none`");
            return None;
        }
        if text == "none" {
            all.fault(&place, "`none` switches the secret off and stands alone");
            return None;
        }
        secrets.extend(Secret::new(&text));
    }
    if secrets.is_empty() && all.faults.len() > faults {
        return None;
    }
    if secrets.is_empty() {
        all.fault(&path, "missing: the secret that the forge sends with its hooks; `none` lets everybody in");
        return None;
    }
    Some(Access::Secrets(Secrets::new(&secrets)))
}
