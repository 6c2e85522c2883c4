//! `[traces]`: where spans are exported, and what is said of traces by whom.

use super::address::{Address, proxy};
use super::fields::{Collector, Fields};
use super::pair::certificates;
use super::{HiddenUrl, Login};
use crate::secret::Secret;
use std::path::PathBuf;
use std::time::Duration;

/// A collector of traces, and how they are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// Where it is, without user and password; `/v1/traces` is added to it.
    pub endpoint: HiddenUrl,
    /// The user and the password that stood in its URL.
    pub login: Option<Login>,
    /// Headers that it is sent with every request.
    pub headers: Vec<(String, Secret)>,
    /// Which share of the traces that begin here is exported. Default 1, all.
    pub ratio: f64,
    /// Whether a hook goes on in the trace that its request names. Default not.
    pub accept: bool,
    /// Whether tools are told the trace. Default not.
    pub pass: bool,
    /// How long one post may take. Default 10 s.
    pub timeout: Duration,
    /// A proxy in place of those of the environment; `None` for the environment's.
    pub proxy: Option<HiddenUrl>,
    /// A file of certificates (PEM) that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// Reads the table; without an endpoint nothing is traced.
pub(super) fn read(mut table: Fields, all: &mut Collector<'_>) -> Option<Traces> {
    let (endpoint_path, timeout_path, ca_path) =
        (table.path_of("endpoint"), table.path_of("timeout"), table.path_of("ca_file"));
    let is_on = ["endpoint", "endpoint_file"].iter().any(|key| table.peek(key).is_some_and(|own| !own.is_null()));
    let keys = ("endpoint", "endpoint_file");
    let address = if is_on { Address::read(&mut table, keys, "where spans are exported", all) } else { None };
    if !is_on {
        // They are known all the same.
        let _ = (table.take(keys.0), table.take(keys.1));
    }
    let headers = super::headers::sent(&mut table, None, all);
    let ratio = table.parsed("ratio", all, ratio).unwrap_or(1.0);
    let accept = table.truth("accept", all).unwrap_or(false);
    let pass = table.truth("pass", all).unwrap_or(false);
    let timeout = table.duration("timeout", all).unwrap_or(Duration::from_secs(10));
    let proxy = proxy(&mut table, all);
    let ca_file = table.text("ca_file", all).map(PathBuf::from);
    if let Some(file) = &ca_file {
        all.read_files.note(file);
    }
    if let Some(Err(message)) = ca_file.as_deref().map(certificates) {
        all.fault(&ca_path, message);
    }
    if timeout.is_zero() {
        all.fault(&timeout_path, "0: every post would fail at once");
    }
    for (key, is_said) in [("accept", accept), ("pass", pass), ("headers", !headers.is_empty())] {
        if is_said && !is_on {
            let hint =
                if key == "pass" { "; `pass_headers` of a destination hands on what a hook came with" } else { "" };
            let message = format!("{endpoint_path} is missing: nobody would get the spans{hint}");
            all.fault(&table.path_of(key), message);
        }
    }
    let has_authorization = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    if has_authorization && address.as_ref().is_some_and(|address| address.login.is_some()) {
        let message = "the endpoint has a user and a password, which Authorization carries as well: use one";
        all.fault(&table.path_of("headers"), message);
    }
    if let Some(address) = &address {
        // Some have a key in the path, whatever it looks like.
        all.show_as(&endpoint_path, address.url.reveal().origin().ascii_serialization());
    }
    if let Some(address) = &address
        && address.url.reveal().path().trim_end_matches('/').ends_with("/v1/traces")
    {
        all.fault(&endpoint_path, "it ends with /v1/traces, which is added to it: leave that out");
    }
    table.end(all);
    let Address { url: endpoint, login } = address?;
    Some(Traces { endpoint, login, headers, ratio, accept, pass, timeout, proxy, ca_file })
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| format!("expected a share from 0 to 1, 0.1 for one trace in ten, got `{text}`"))
}
