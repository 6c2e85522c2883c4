//! The command line of hookglot.
//!
//! Exit codes: 0 done · 1 it could not be done · 2 the command line is wrong, or `check` cannot read a file · 3 `translate`: the event is ignored ·
//! 78 the configuration or a mapping file is wrong.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hookglot::cli::run()
}
