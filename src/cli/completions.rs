//! `hookglot completions`: what a shell needs to complete commands and flags, made from the command line itself.

use super::{Cli, FAILED, out};
use clap::CommandFactory;
use clap_complete::Shell;
use std::process::ExitCode;

pub(super) fn run(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hookglot", &mut script);
    if out::bytes(&script) { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}
