//! The command line of hookglot.
//!
//! Exit codes: 0 done · 1 it could not be done; `check`: there are faults · 2 the command line is wrong; `check`: the
//! configuration file, the `mappings_dir` or a file in it cannot be read · 3 `translate`: the event is ignored · 78 the
//! configuration or a mapping file is wrong.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hookglot::cli::run()
}
