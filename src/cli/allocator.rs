//! Has the allocator (mimalloc) give back to the system what the start has freed.
//!
//! By default it keeps that for a second, and then until somebody needs memory, so that hookglot at rest would hold twice what
//! it needs. Only the environment tells it otherwise, and it is read before a program begins: so this one begins anew with it.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// How long freed memory is kept, in milliseconds.
const VARIABLE: &str = "MIMALLOC_PURGE_DELAY";
const DELAY: &str = "10";

/// Begins this program anew, as the same process, with the variable; returns where it is set already, or that cannot be done:
/// then it takes more memory, and nothing else is different.
pub(super) fn begin_with_delay() {
    if std::env::var_os(VARIABLE).is_some() {
        return;
    }
    let mut arguments = std::env::args_os();
    if let (Ok(program), Some(name)) = (std::env::current_exe(), arguments.next()) {
        let _ = Command::new(program).arg0(name).args(arguments).env(VARIABLE, DELAY).exec();
    }
}
