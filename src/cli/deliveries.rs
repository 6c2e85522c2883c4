//! `hookglot deliveries`: what became of hooks, and sending again, through the admin API of a running hookglot.

mod asked;
mod beside;
mod curl;
mod diff;
mod list;
mod resend;
mod rows;
mod show;
mod tail;

use super::FAILED;
use super::api::{self, ApiArgs};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// `diff`: it could not be done. (As `diff` itself has it: 1 is a difference.)
const NOT_COMPARED: u8 = 2;

#[derive(Debug, Args)]
pub(super) struct DeliveriesArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: DeliveriesCommand,
}

#[derive(Debug, Subcommand)]
enum DeliveriesCommand {
    /// List recent deliveries, the newest first, or hooks, or only counts.
    ///
    /// Exit codes: 0 done, also when nothing fits, 1 it could not be done.
    List(list::ListArgs),
    /// Show one delivery: the hook as it came beside the body as sent, with the line of the mapping that made each field,
    /// and every attempt. The id of a hook shows the hook.
    ///
    /// Exit codes: 0 done, 1 it could not be done.
    Show(show::ShowArgs),
    /// Follow what happens, a line each, until Ctrl-C.
    ///
    /// Exit codes: 0 ended by Ctrl-C, 1 it could not be done.
    Tail(tail::TailArgs),
    /// Send deliveries again: those of ids, or all that fit a filter.
    ///
    /// All that fit a filter are counted first; nothing is sent before somebody agrees, or --yes does. Ctrl-C stops it.
    ///
    /// Exit codes: 0 done, 1 something was refused, stopped, or could not be done; with a filter 0 when it came to its end,
    /// whatever was refused on the way: that is printed.
    Resend(resend::ResendArgs),
    /// Compare what a delivery sends with what today's mappings make of its hook, a field a line: `- path = before`,
    /// `+ path = after`.
    ///
    /// Exit codes: 0 they are the same, 1 they differ, 2 it could not be done.
    Diff(diff::DiffArgs),
}

pub(super) fn run(args: DeliveriesArgs) -> ExitCode {
    let DeliveriesArgs { api, command } = args;
    let is_json = api.json;
    match command {
        DeliveriesCommand::List(args) => {
            api::ask(&api, FAILED, |client| async move { list::run(&client, &args, is_json).await })
        }
        DeliveriesCommand::Show(args) => {
            api::ask(&api, FAILED, |client| async move { show::run(&client, &args, is_json).await })
        }
        DeliveriesCommand::Tail(args) => {
            api::ask(&api, FAILED, |client| async move { tail::run(&client, &args, is_json).await })
        }
        DeliveriesCommand::Resend(args) => {
            api::ask(&api, FAILED, |client| async move { resend::run(&client, &args, is_json).await })
        }
        DeliveriesCommand::Diff(args) => {
            api::ask(&api, NOT_COMPARED, |client| async move { diff::run(&client, &args, is_json).await })
        }
    }
}
