//! Reads a destination: where it is, what it gets, how it is reached.

use super::fields::{Collector, Fields};
use super::read::{Known, required};
use super::{Destination, Format};
use crate::mapping::diagnostic::did_you_mean;
use crate::secret::Secret;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// The name of the destination of a sidecar.
const SIDECAR: &str = "sidecar";
/// The kinds of proxies that the client speaks to.
const PROXIES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// A destination with every setting at its default.
pub(super) fn bare(url: Url) -> Destination {
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

pub(super) fn read_secret_file(place: &str, file: &str, all: &mut Collector<'_>) -> Option<String> {
    std::fs::read_to_string(file).map_err(|error| all.fault(place, format!("{file}: {error}"))).ok()
}

/// A secret that is sent: given in place or in a file.
pub(super) fn secret(
    table: &mut Fields,
    key: &'static str,
    file_key: &'static str,
    all: &mut Collector<'_>,
) -> Option<Secret> {
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

pub(super) fn format_named(text: &str, forges: &[String]) -> Result<Format, String> {
    match text {
        "other" => Ok(Format::Other),
        name if forges.iter().any(|forge| forge == name) => Ok(Format::Forge(name.to_owned())),
        _ => Err(format!("unknown format `{text}`: expected {} or other", forges.join(", "))),
    }
}

pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        other => Err(format!("expected an http:// or https:// URL, got {other}:")),
    }
}

pub(super) fn destination(mut table: Fields, known: &Known, all: &mut Collector<'_>) -> Option<Destination> {
    let what = "the name that identifies the destination for ever, `jenkins` for one";
    let name = checked(required(&mut table, "name", what, all), &table, "name", all, |name| {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if is_plain { Ok(name) } else { Err("a name is made of letters, digits, `-`, `_` and `.`".to_owned()) }
    });
    let url = required(&mut table, "url", "where the destination is", all);
    let url = checked(url, &table, "url", all, |text| http_url(&text));
    let what = format!("the format that it reads: {} or other", known.forges.join(", "));
    let format = required(&mut table, "format", &what, all);
    let format = checked(format, &table, "format", all, |text| format_named(&text, &known.forges));
    let token = secret(&mut table, "token", "token_file", all);
    let authorization = secret(&mut table, "authorization", "authorization_file", all);
    let events = table.texts("events", all);
    let events = checked(events, &table, "events", all, |events| match events.as_slice() {
        [] => Err("an empty list: the destination would never get anything".to_owned()),
        _ => Ok(events),
    });
    let overlays = overlays(&mut table, known, all);
    let how = how(&mut table, all);
    let settings = table.table("settings", all).into_members();
    table.end(all);
    Some(Destination {
        name: name?,
        format: format?,
        token,
        authorization,
        events,
        overlays,
        settings,
        ..how.over(bare(url?))
    })
}

/// Checks a value that is there; what is wrong with it is noted at its key.
fn checked<T, U>(
    value: Option<T>,
    table: &Fields,
    key: &str,
    all: &mut Collector<'_>,
    check: impl FnOnce(T) -> Result<U, String>,
) -> Option<U> {
    check(value?).map_err(|message| all.fault(&table.path_of(key), message)).ok()
}

fn overlays(table: &mut Fields, known: &Known, all: &mut Collector<'_>) -> Vec<String> {
    let named = table.texts("overlays", all).unwrap_or_default();
    for name in named.iter().filter(|name| !known.overlays.contains(name)) {
        let suggestion = did_you_mean(name, known.overlays.iter().map(String::as_str));
        let listed = known.overlays.join(", ");
        all.fault(&table.path_of("overlays"), format!("there is no overlay `{name}`: expected {listed}{suggestion}"));
    }
    named
}

/// How a destination is reached, as far as the settings say.
struct How {
    timeout: Option<Duration>,
    concurrency: Option<usize>,
    proxy: Option<Url>,
    ca_file: Option<PathBuf>,
    hop_header: Option<bool>,
}

impl How {
    fn over(self, defaults: Destination) -> Destination {
        Destination {
            timeout: self.timeout.unwrap_or(defaults.timeout),
            concurrency: self.concurrency.unwrap_or(defaults.concurrency),
            proxy: self.proxy,
            ca_file: self.ca_file,
            hop_header: self.hop_header.unwrap_or(defaults.hop_header),
            ..defaults
        }
    }
}

fn how(table: &mut Fields, all: &mut Collector<'_>) -> How {
    let timeout = table.duration("timeout", all);
    let timeout = checked(timeout, table, "timeout", all, |timeout| {
        if timeout.is_zero() { Err("0: every attempt would fail at once".to_owned()) } else { Ok(timeout) }
    });
    let concurrency = table.parsed("concurrency", all, |text| {
        text.parse::<usize>().ok().filter(|number| *number > 0).ok_or_else(|| "expected a number from 1".to_owned())
    });
    let proxy = table.parsed("proxy", all, proxy_url);
    let ca_file = table.text("ca_file", all).map(PathBuf::from);
    let ca_file = checked(ca_file, table, "ca_file", all, |file| match std::fs::metadata(&file) {
        Ok(_) => Ok(file),
        Err(error) => Err(format!("{}: {error}", file.display())),
    });
    How { timeout, concurrency, proxy, ca_file, hop_header: table.truth("hop_header", all) }
}

fn proxy_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
    if PROXIES.contains(&url.scheme()) && url.has_host() {
        return Ok(url);
    }
    let kinds = PROXIES.map(|kind| format!("{kind}://")).join(", ");
    Err(format!("expected a proxy's URL with one of {kinds}, got {}:", url.scheme()))
}
