//! What exports traces, as the configuration has it.

use crate::config::{Login, Settings, Traces};
use crate::delivery::client;
use crate::secret::Secret;
use crate::traces::{Collector, Rules};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

/// What exports them, and how they are made; nothing where nobody wants any.
///
/// # Errors
/// When the collector could not be reached in the way that is configured.
pub(super) fn of(settings: &Settings) -> Result<Option<(Collector, Rules)>, String> {
    let Some(traces) = &settings.traces else { return Ok(None) };
    let wrong = |fault: String| format!("traces: {fault}");
    let way = client::Way {
        url: &traces.endpoint,
        timeout: traces.timeout,
        proxy: traces.proxy.as_ref(),
        ca_file: traces.ca_file.as_deref(),
        certificate: None,
    };
    let client = client::build(&way).map_err(wrong)?;
    let mut url = traces.endpoint.reveal().clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["v1", "traces"]);
    }
    let (shown, headers) = (shown(traces), headers(traces).map_err(wrong)?);
    let rules = Rules { accept: traces.accept, pass: traces.pass, ratio: traces.ratio };
    Ok(Some((Collector { client, url, shown, headers, why: client::whole }, rules)))
}

/// Says where they are exported.
pub(super) fn say(settings: &Settings) {
    if let Some(traces) = &settings.traces {
        let Traces { ratio, accept, pass, .. } = traces;
        tracing::info!(collector = shown(traces), ratio, accept, pass, "traces");
    }
}

/// The collector, as far as it can be shown: some have a key in the path.
fn shown(traces: &Traces) -> String {
    traces.endpoint.reveal().origin().ascii_serialization()
}

fn headers(traces: &Traces) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let login = traces.login.as_ref().map(|login| (AUTHORIZATION.as_str(), basic(login)));
    let own = traces.headers.iter().map(|(name, value)| (name.as_str(), value.reveal().to_owned()));
    for (name, value) in own.chain(login) {
        let wrong = || format!("the header {name} cannot be sent");
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

fn basic(Login { user, password }: &Login) -> String {
    let [user, password] = [user, password].map(|part| part.as_ref().map(Secret::reveal).unwrap_or_default());
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
