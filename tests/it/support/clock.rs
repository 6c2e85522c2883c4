//! A process whose clock a file sets, by libfaketime.

use super::app::{App, serve_in};
use std::path::Path;

/// The library that does it, if there is one; says that a test is left out where there is none.
pub fn faketime(test: &str) -> Option<String> {
    let library = std::env::var("HOOKGLOT_FAKETIME").ok();
    if library.is_none() {
        eprintln!("left out: {test} wants HOOKGLOT_FAKETIME (scripts/faketime.sh)");
    }
    library
}

/// A process whose clock is set by a file.
pub fn with_clock(library: &str, folder: &Path, config: &str, clock: &str) -> App {
    set_clock(folder, clock);
    let mut serve = serve_in(folder, config);
    serve.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", folder.join("clock")).env("TZ", "UTC");
    serve.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
    App::start(serve)
}

/// Sets the clock: `+1d` is off by a day and goes on, `2026-03-02 09:00:00` stands still.
pub fn set_clock(folder: &Path, clock: &str) {
    let next = folder.join("clock.next");
    std::fs::write(&next, clock).unwrap();
    std::fs::rename(next, folder.join("clock")).unwrap();
}
