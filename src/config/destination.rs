//! A destination of a route.

use super::address::{Address, proxy};
use super::branch_filter::branch_filter;
use super::client_certificate;
use super::fields::{Collector, Fields};
use super::headers::Headers;
use super::pair::certificates;
use super::queueing::{Queueing, queueing};
use super::read::KnownNames;
use super::secrets::secret;
use super::signing::{check_format, signing_keys};
use super::{Destination, Format};
use crate::forge::signature::SigningKeys;
use crate::mapping::diagnostic::did_you_mean;
use std::path::PathBuf;
use std::time::Duration;

pub(super) fn format_named(text: &str, known: &KnownNames<'_>) -> Result<Format, String> {
    match text {
        "other" => Ok(Format::Other),
        name if known.may_have_forge(name) => Ok(Format::Forge(name.to_owned())),
        _ => Err(format!("unknown format `{text}`: expected {} or other", known.forges.join(", "))),
    }
}

/// A destination of a route that accepts these forges.
pub(super) fn destination(
    mut table: Fields,
    accept: &[String],
    known: &KnownNames<'_>,
    all: &mut Collector<'_>,
) -> Option<Destination> {
    let place = all.origins.name(table.path());
    let name_path = table.path_of("name");
    let name = table.required("name", "the name that identifies the destination for ever, `jenkins` for one", all);
    if name
        .as_deref()
        .is_some_and(|name| !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)))
    {
        all.fault(&name_path, "a name is made of letters, digits, `-`, `_` and `.`");
    }
    let address =
        Address::read(&mut table, ("url", "url_file"), "where the destination is, here or in a `url_file`", all);
    let format_path = table.path_of("format");
    let format =
        table.required("format", &format!("the format that it reads: {} or other", known.forges.join(", ")), all);
    let format =
        format.and_then(|text| format_named(&text, known).map_err(|message| all.fault(&format_path, message)).ok());
    let token = secret(&mut table, "token", "token_file", all);
    let authorization = secret(&mut table, "authorization", "authorization_file", all);
    let headers = Headers::read(&mut table, known, all);
    check_authorization(&table, address.as_ref(), authorization.is_some(), &headers, all);
    let signing = signing_keys(&mut table, all);
    if let (Some(given), Some(format)) = (&signing, &format) {
        check_format(given, format, accept, known, all);
    }
    let events_path = table.path_of("events");
    let events = table.texts("events", all);
    if events.as_ref().is_some_and(Vec::is_empty) {
        all.fault(&events_path, "an empty list: the destination would never get anything");
    }
    let branch_filter = branch_filter(&mut table, all);
    let timeout_path = table.path_of("timeout");
    let timeout = table.duration("timeout", all);
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        all.fault(&timeout_path, "0: every attempt would fail at once");
    }
    let concurrency = table.parsed("concurrency", all, |text| {
        text.parse::<usize>().ok().filter(|number| *number > 0).ok_or_else(|| "expected a number from 1".to_owned())
    });
    let proxy = proxy(&mut table, all);
    let ca_path = table.path_of("ca_file");
    let ca_file = table.text("ca_file", all).map(PathBuf::from);
    if let Some(file) = &ca_file {
        all.read_files.note(file);
    }
    if let Some(Err(message)) = ca_file.as_deref().map(certificates) {
        all.fault(&ca_path, message);
    }
    let url = address.as_ref().map(|address| &address.url);
    let client_certificate = client_certificate::read(&mut table, url, all);
    let queueing = queueing(&mut table, all);
    let hop_header = table.truth("hop_header", all);
    let overlays = overlays(&mut table, known, all);
    let settings = table.table("settings", all).into_members();
    table.end(all);
    let defaults = bare(address?);
    Some(Destination {
        place,
        name: name?,
        format: format?,
        token,
        authorization,
        headers: headers.sent,
        pass_headers: headers.passed,
        user_agent: headers.user_agent,
        signing_keys: signing.map(|given| given.keys).unwrap_or_default(),
        events,
        branch_filter,
        timeout: timeout.unwrap_or(defaults.timeout),
        concurrency: concurrency.unwrap_or(defaults.concurrency),
        proxy,
        ca_file,
        client_certificate,
        queueing,
        hop_header: hop_header.unwrap_or(defaults.hop_header),
        overlays,
        settings,
        ..defaults
    })
}

/// `Authorization` can be set in three ways; each but one would be lost.
fn check_authorization(
    table: &Fields,
    address: Option<&Address>,
    is_set: bool,
    headers: &Headers,
    all: &mut Collector<'_>,
) {
    let in_url = address.is_some_and(|address| address.login.is_some());
    if in_url && is_set {
        let message = "the url has a user and a password, which Authorization carries as well: use one";
        all.fault(&table.path_of("authorization"), message);
    }
    if let Some(name) = headers.sends("authorization").filter(|_| in_url || is_set) {
        let other = if in_url { "the user and the password of the url" } else { "`authorization`" };
        all.fault(&format!("{}.{name}", table.path_of("headers")), format!("{other} set it as well: use one"));
    }
}

fn overlays(table: &mut Fields, known: &KnownNames<'_>, all: &mut Collector<'_>) -> Vec<String> {
    let named = table.texts("overlays", all).unwrap_or_default();
    for name in named.iter().filter(|name| !known.may_have_overlay(name)) {
        let suggestion = did_you_mean(name, known.overlays.iter().map(String::as_str));
        let listed = known.overlays.join(", ");
        all.fault(&table.path_of("overlays"), format!("there is no overlay `{name}`: expected {listed}{suggestion}"));
    }
    named
}

/// The name of the destination of a sidecar.
const SIDECAR_NAME: &str = "sidecar";

/// A destination that only its URL is known of: that of a sidecar.
pub(super) fn bare(address: Address) -> Destination {
    Destination {
        place: String::new(),
        name: SIDECAR_NAME.to_owned(),
        url: address.url,
        login: address.login,
        format: Format::Other,
        token: None,
        authorization: None,
        headers: Vec::new(),
        pass_headers: Vec::new(),
        user_agent: None,
        signing_keys: SigningKeys::default(),
        events: None,
        branch_filter: None,
        timeout: Duration::from_secs(10),
        concurrency: 8,
        proxy: None,
        ca_file: None,
        client_certificate: None,
        queueing: Queueing::default(),
        hop_header: true,
        overlays: Vec::new(),
        settings: serde_json::Map::new(),
    }
}
