//! Turns the tree of settings into [`Settings`], the short form of a sidecar and the demonstration included.

use super::fields::{Collector, Fields};
use super::{Access, Destination, Format, Limits, LogFormat, Route, Settings};
use crate::mapping::Files;
use crate::mapping_files;
use crate::secret::{Secret, Secrets};
use serde_json::Value;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// The settings of a sidecar: they stand for one route with one destination, and come from the environment alone.
const SHORT: [&str; 6] = ["to", "format", "secret", "secret_file", "token", "token_file"];
/// The name of the destination of a sidecar.
const SIDECAR: &str = "sidecar";

/// Reads everything; `None` only when what is in `all.faults` leaves nothing to build.
pub(super) fn settings(tree: Value, from_file: bool, all: &mut Collector<'_>) -> Option<Settings> {
    let Value::Object(members) = tree else {
        all.faults.push("the settings are not a table".to_owned());
        return None;
    };
    let short_in_file = from_file
        .then(|| SHORT.iter().find(|key| members.contains_key(**key) && !(all.origin)(key).starts_with("HOOKGLOT_")))
        .flatten();
    if let Some(key) = short_in_file {
        all.fault(key, "a setting of the environment: in a file write a [[route]] with a [[route.to]]");
    }
    let mut top = Fields::new("", members);
    let files = files(&mut top, all);
    let forges = forge_names(&files);
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
    let (routes, demo) = routes(&mut top, &forges, from_file, all);
    top.end(all);
    Some(Settings {
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
    })
}

fn files(top: &mut Fields, all: &mut Collector<'_>) -> Files {
    let Some(folder) = top.text("mappings_dir", all) else { return mapping_files::built_in() };
    mapping_files::with_folder(&PathBuf::from(&folder)).unwrap_or_else(|error| {
        all.fault("mappings_dir", error.to_string());
        mapping_files::built_in()
    })
}

/// The forges that the files describe.
fn forge_names(files: &Files) -> Vec<String> {
    let described = |folder: &&str| files.get(&format!("{folder}/forge.yaml")).is_some();
    files.folders().into_iter().filter(described).map(str::to_owned).collect()
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

/// The routes of the file, or the one of the short form, or the demonstration; and whether it is the last.
fn routes(top: &mut Fields, forges: &[String], from_file: bool, all: &mut Collector<'_>) -> (Vec<Route>, bool) {
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
        return (sidecar(short, forges, all).into_iter().collect(), false);
    }
    if tables.is_empty() {
        if from_file {
            all.fault("route", "missing: a [[route]] with a [[route.to]] says where hooks come in and where they go");
        }
        return (vec![demo(forges)], true);
    }
    check_unique(&tables, all);
    (tables.into_iter().filter_map(|table| route(table, forges, all)).collect(), false)
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

fn bare(url: Url) -> Destination {
    Destination {
        name: SIDECAR.to_owned(),
        url,
        format: Format::Other,
        token: None,
        authorization: None,
        events: None,
        timeout: Duration::from_secs(10),
        concurrency: 8,
        proxy: None,
        ca_file: None,
        hop_header: true,
        overlays: Vec::new(),
        settings: serde_json::Map::new(),
    }
}

fn sidecar(short: Vec<(&str, Value)>, forges: &[String], all: &mut Collector<'_>) -> Option<Route> {
    let mut table = Fields::new("", short.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
    let url = required(&mut table, "to", "the URL of the tool", all)
        .and_then(|text| http_url(&text).map_err(|message| all.fault("to", message)).ok());
    let known = forges.join(", ");
    let format = required(&mut table, "format", &format!("the format that the tool reads: {known} or other"), all);
    let format =
        format.and_then(|text| format_named(&text, forges).map_err(|message| all.fault("format", message)).ok());
    let access = access(&mut table, all);
    let token = secret(&mut table, "token", "token_file", all);
    table.end(all);
    let destination = Destination { format: format?, token, ..bare(url?) };
    Some(Route { path: "/".to_owned(), accept: forges.to_vec(), access: access?, to: vec![destination] })
}

fn required(table: &mut Fields, key: &'static str, what: &str, all: &mut Collector<'_>) -> Option<String> {
    let path = table.path_of(key);
    let text = table.text(key, all).filter(|text| !text.is_empty());
    if text.is_none() && !all.faults.iter().any(|fault| fault.contains(&format!("{path}: "))) {
        all.fault(&path, format!("missing: {what}"));
    }
    text
}

fn route(mut table: Fields, forges: &[String], all: &mut Collector<'_>) -> Option<Route> {
    let path_of_path = table.path_of("path");
    let path = required(&mut table, "path", "the path on which hooks come in, `/` for one", all);
    if path.as_deref().is_some_and(|path| !path.starts_with('/') || path.contains(['?', '#'])) {
        all.fault(&path_of_path, "a path begins with `/` and has no `?` or `#`");
    }
    let accept = table.texts("accept", all);
    for name in accept.iter().flatten().filter(|name| !forges.contains(name)) {
        all.fault(&table.path_of("accept"), format!("unknown forge `{name}`: expected {}", forges.join(" or ")));
    }
    let access = access(&mut table, all);
    let to_path = table.path_of("to");
    let tables = table.tables("to", all);
    if tables.is_empty() {
        all.fault(&to_path, "missing: a [[route.to]] says where the hooks of this route go");
    }
    let to: Vec<Destination> = tables.into_iter().filter_map(|table| destination(table, forges, all)).collect();
    table.end(all);
    Some(Route { path: path?, accept: accept.unwrap_or_else(|| forges.to_vec()), access: access?, to })
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

fn read_secret_file(place: &str, file: &str, all: &mut Collector<'_>) -> Option<String> {
    std::fs::read_to_string(file).map_err(|error| all.fault(place, format!("{file}: {error}"))).ok()
}

/// A secret that is sent: given in place or in a file.
fn secret(table: &mut Fields, key: &'static str, file_key: &'static str, all: &mut Collector<'_>) -> Option<Secret> {
    let (path, file_path) = (table.path_of(key), table.path_of(file_key));
    let text = table.text(key, all);
    let file = table.text(file_key, all);
    let text_from_file = file.is_some();
    let text = match (text, file) {
        (Some(_), Some(_)) => {
            all.fault(&path, format!("both `{key}` and `{file_key}` are set: use one"));
            return None;
        }
        (Some(text), None) => text,
        (None, Some(file)) => read_secret_file(&file_path, &file, all)?,
        (None, None) => return None,
    };
    let place = if text_from_file { file_path } else { path };
    let secret = Secret::new(&text);
    if secret.as_ref().is_some_and(|secret| !secret.reveal().bytes().all(|byte| (0x20..0x7F).contains(&byte))) {
        all.fault(&place, "a header carries it: one line of printable ASCII characters");
        return None;
    }
    secret
}

fn format_named(text: &str, forges: &[String]) -> Result<Format, String> {
    match text {
        "other" => Ok(Format::Other),
        name if forges.iter().any(|forge| forge == name) => Ok(Format::Forge(name.to_owned())),
        _ => Err(format!("unknown format `{text}`: expected {} or other", forges.join(", "))),
    }
}

fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        other => Err(format!("expected an http:// or https:// URL, got {other}:")),
    }
}

fn destination(mut table: Fields, forges: &[String], all: &mut Collector<'_>) -> Option<Destination> {
    let name_path = table.path_of("name");
    let name =
        required(&mut table, "name", "the name that identifies the destination for ever, `jenkins` for one", all);
    if name
        .as_deref()
        .is_some_and(|name| !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)))
    {
        all.fault(&name_path, "a name is made of letters, digits, `-`, `_` and `.`");
    }
    let url_path = table.path_of("url");
    let url = required(&mut table, "url", "where the destination is", all);
    let url = url.and_then(|text| http_url(&text).map_err(|message| all.fault(&url_path, message)).ok());
    let format_path = table.path_of("format");
    let format =
        required(&mut table, "format", &format!("the format that it reads: {} or other", forges.join(", ")), all);
    let format =
        format.and_then(|text| format_named(&text, forges).map_err(|message| all.fault(&format_path, message)).ok());
    let token = secret(&mut table, "token", "token_file", all);
    let authorization = secret(&mut table, "authorization", "authorization_file", all);
    let events_path = table.path_of("events");
    let events = table.texts("events", all);
    if events.as_ref().is_some_and(Vec::is_empty) {
        all.fault(&events_path, "an empty list: the destination would never get anything");
    }
    let timeout_path = table.path_of("timeout");
    let timeout = table.duration("timeout", all);
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        all.fault(&timeout_path, "0: every attempt would fail at once");
    }
    let concurrency = table.parsed("concurrency", all, |text| {
        text.parse::<usize>().ok().filter(|number| *number > 0).ok_or_else(|| "expected a number from 1".to_owned())
    });
    let proxy = table.parsed("proxy", all, |text| Url::parse(text).map_err(|error| format!("not a URL: {error}")));
    let ca_path = table.path_of("ca_file");
    let ca_file = table.text("ca_file", all).map(PathBuf::from);
    if let Some(Err(error)) = ca_file.as_ref().map(std::fs::metadata) {
        all.fault(&ca_path, format!("{}: {error}", ca_file.as_deref().unwrap_or(std::path::Path::new("")).display()));
    }
    let hop_header = table.truth("hop_header", all);
    let settings = table.table("settings", all).into_members();
    table.end(all);
    let defaults = bare(url?);
    Some(Destination {
        name: name?,
        format: format?,
        token,
        authorization,
        events,
        timeout: timeout.unwrap_or(defaults.timeout),
        concurrency: concurrency.unwrap_or(defaults.concurrency),
        proxy,
        ca_file,
        hop_header: hop_header.unwrap_or(defaults.hop_header),
        settings,
        ..defaults
    })
}
