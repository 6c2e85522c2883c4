//! The one place that writes to standard output and standard error.

use std::io::Write;

/// Prints to standard output; says whether somebody was there to read it.
pub(super) fn bytes(bytes: &[u8]) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).is_ok()
}

/// Prints a line to standard output.
pub(super) fn line(text: &str) -> bool {
    bytes(format!("{text}\n").as_bytes())
}

/// Prints lines to standard error, each behind `hookglot: `.
pub(super) fn error(text: impl std::fmt::Display) {
    let mut out = std::io::stderr().lock();
    for line in text.to_string().lines() {
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(out, "hookglot: {line}");
    }
}

/// Prints lines to standard error as they are: findings that editors and CI read.
pub(super) fn findings(text: impl std::fmt::Display) {
    let text = text.to_string();
    if !text.is_empty() {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
