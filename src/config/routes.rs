//! The routes: those of the file, the one of a sidecar, the demonstration.

use super::address::Address;
use super::destination::{bare, destination, format_named};
use super::fields::{Collector, Fields};
use super::origins::SIDECAR;
use super::read::KnownNames;
use super::secrets::{access, secret};
use super::signing::{check_senders, signing_keys};
use super::{Access, Ack, Destination, Duplicates, Format, Network, Rate, Route};
use serde_json::Value;
use std::collections::HashSet;
use std::time::Duration;
use url::Url;

/// For how long after its delivery a hook makes others duplicates: longer than a forge that timed out takes to repeat it,
/// shorter than a person who presses "Resend".
const DUPLICATE_WINDOW: Duration = Duration::from_mins(1);

/// The routes of the file, or the one of the short form, or the demonstration; and whether it is the last.
pub(super) fn routes(top: &mut Fields, known: &KnownNames<'_>, all: &mut Collector<'_>) -> (Vec<Route>, bool) {
    let tables = top.tables("route", all);
    let short: Vec<(&str, Value)> = SIDECAR.iter().filter_map(|key| top.take(key).map(|value| (*key, value))).collect();
    if tables.is_empty() && !short.is_empty() {
        return (sidecar(short, known, all).into_iter().collect(), false);
    }
    if tables.is_empty() {
        let is_said_otherwise = SIDECAR.iter().any(|key| all.is_wrong(key)) || all.is_wrong("route");
        if all.origins.file.is_some() && all.origins.are_known() && !is_said_otherwise {
            all.fault("route", "missing: a [[route]] with a [[route.to]] says where hooks come in and where they go");
        }
        return (vec![demo(known)], true);
    }
    if !short.is_empty() {
        let variables: Vec<String> = short.iter().map(|(key, _)| all.origins.name(key)).collect();
        let message =
            format!("routes stand in the file, and a sidecar in {}: use one or the other", variables.join(", "));
        all.fault("route", message);
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

fn demo(known: &KnownNames<'_>) -> Route {
    // The echo receiver's real address is known once it listens; `serve` puts it here.
    let address = Address::new("http://127.0.0.1/").ok();
    let to = address
        .map(|address| Destination { name: "echo".to_owned(), format: Format::Other, ..bare(address) })
        .into_iter()
        .collect();
    Route { to, ..bare_route(known, Access::default()) }
}

/// The route of a sidecar or of the demonstration, as far as nothing is said.
fn bare_route(known: &KnownNames<'_>, access: Access) -> Route {
    Route {
        path: "/".to_owned(),
        accept: known.forges.clone(),
        access,
        rate_limit: None,
        allow_from: Vec::new(),
        ack: Ack::Stored,
        duplicates: Duplicates::Key,
        duplicate_window: DUPLICATE_WINDOW,
        record: false,
        to: Vec::new(),
    }
}

fn sidecar(short: Vec<(&str, Value)>, known: &KnownNames<'_>, all: &mut Collector<'_>) -> Option<Route> {
    let mut table = Fields::new("", short.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
    let address = Address::read(&mut table, ("to", "to_file"), "the URL of the tool", all);
    let listed = known.forges.join(", ");
    let format = table.required("format", &format!("the format that the tool reads: {listed} or other"), all);
    let format =
        format.and_then(|text| format_named(&text, known).map_err(|message| all.fault("format", message)).ok());
    let signing = signing_keys(&mut table, all);
    // There is no setting that says which forges a sidecar accepts: where it asks for signatures, those that sign.
    let accept = match known.signing() {
        signers if signing.is_some() && !signers.is_empty() => signers.to_vec(),
        _ => known.forges.clone(),
    };
    if let Some(given) = &signing {
        check_senders(given, &accept, known, all);
    }
    let access = access(&mut table, signing, all);
    let token = secret(&mut table, "token", "token_file", all);
    table.end(all);
    let destination = Destination { format: format?, token, ..bare(address?) };
    Some(Route { accept, to: vec![destination], ..bare_route(known, access?) })
}

/// Why no request comes on a path: those who are told a URL with it send blanks and other letters with percent signs, and no `..`.
pub(crate) fn path_fault(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Some("a path begins with `/` and has no `?` or `#`".to_owned());
    }
    let sent = Url::parse(&format!("http://host{path}")).ok()?;
    (sent.path() != path).then(|| format!("no request comes on `{path}`: write it as a URL has it, `{}`", sent.path()))
}

fn route(mut table: Fields, known: &KnownNames<'_>, all: &mut Collector<'_>) -> Option<Route> {
    let path_of_path = table.path_of("path");
    let path = table.required("path", "the path on which hooks come in, `/` for one", all);
    if let Some(fault) = path.as_deref().and_then(path_fault) {
        all.fault(&path_of_path, fault);
    }
    let accept = table.texts("accept", all);
    if accept.as_ref().is_some_and(Vec::is_empty) {
        all.fault(&table.path_of("accept"), "an empty list: the route would never take anything");
    }
    for name in accept.iter().flatten().filter(|name| !known.may_have_forge(name)) {
        all.fault(&table.path_of("accept"), format!("unknown forge `{name}`: expected {}", known.forges.join(" or ")));
    }
    let accept = accept.unwrap_or_else(|| known.forges.clone());
    let signing = signing_keys(&mut table, all);
    if let Some(given) = &signing {
        check_senders(given, &accept, known, all);
    }
    let access = access(&mut table, signing, all);
    let rate_limit = table.parsed("rate_limit", all, Rate::parse);
    let allow_from = networks(&mut table, all);
    let ack = table.parsed("ack", all, ack).unwrap_or(Ack::Stored);
    let duplicates = table.parsed("duplicates", all, duplicates).unwrap_or(Duplicates::Key);
    let duplicate_window = table.duration("duplicate_window", all).unwrap_or(DUPLICATE_WINDOW);
    let record = table.truth("record", all).unwrap_or(false);
    let (to_path, before) = (table.path_of("to"), all.faults.len());
    let tables = table.tables("to", all);
    if tables.is_empty() && all.faults.len() == before {
        all.fault(&to_path, "missing: a [[route.to]] says where the hooks of this route go");
    }
    let to: Vec<Destination> = tables.into_iter().filter_map(|table| destination(table, &accept, known, all)).collect();
    table.end(all);
    let access = access?;
    Some(Route { path: path?, accept, access, rate_limit, allow_from, ack, duplicates, duplicate_window, record, to })
}

fn ack(text: &str) -> Result<Ack, String> {
    match text {
        "stored" => Ok(Ack::Stored),
        "delivered" => Ok(Ack::Delivered),
        other => Err(format!("expected `stored` or `delivered`, got `{other}`")),
    }
}

fn duplicates(text: &str) -> Result<Duplicates, String> {
    match text {
        "key" => Ok(Duplicates::Key),
        "body" => Ok(Duplicates::Body),
        "none" => Ok(Duplicates::None),
        other => Err(format!("expected `key`, `body` or `none`, got `{other}`")),
    }
}

/// The addresses that may send to a route.
fn networks(table: &mut Fields, all: &mut Collector<'_>) -> Vec<Network> {
    let path = table.path_of("allow_from");
    let texts = table.texts("allow_from", all);
    if texts.as_ref().is_some_and(Vec::is_empty) {
        all.fault(&path, "an empty list: nobody could send to the route");
    }
    let read = |text: String| Network::parse(&text).map_err(|message| all.fault(&path, message)).ok();
    texts.unwrap_or_default().into_iter().filter_map(read).collect()
}
