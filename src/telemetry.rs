//! Log lines: one per request and one per attempt, as text or JSON, on standard error.

use crate::config::LogFormat;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// What of the web framework is written, unless the filter names its part: of its threads at every start and stop only
/// warnings; of requests that are none nothing, as `ingest` has a line of its own for each.
const QUIET: [(&str, &str); 2] = [("actix_server", "warn"), ("actix_http", "off")];

/// Starts to write log lines.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(format: LogFormat, level: &str) -> Result<(), String> {
    let unnamed = QUIET.iter().filter(|(part, _)| !level.contains(part));
    let quiet = unnamed.fold(level.to_owned(), |filter, (part, own)| format!("{filter},{part}={own}"));
    let filter = EnvFilter::try_new(quiet).map_err(|error| format!("log_level `{level}`: {error}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    }
    .map_err(|error| error.to_string())
}
