//! Log lines: one per request and one per attempt, as text or JSON, on standard error.

use crate::config::LogFormat;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Lines from here are written from `warn` on, unless the filter names it.
const QUIET: &str = "actix_server";

/// Starts to write log lines.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(format: LogFormat, level: &str) -> Result<(), String> {
    // The web framework tells of its threads at every start and stop: nothing that an operator acts on.
    let quiet = if level.contains(QUIET) { level.to_owned() } else { format!("{level},{QUIET}=warn") };
    let filter = EnvFilter::try_new(quiet).map_err(|error| format!("log_level `{level}`: {error}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    }
    .map_err(|error| error.to_string())
}
