//! `hookglot forget`: has a running hookglot erase what it stores of somebody, or of a project. It is counted first, and
//! asked about on a terminal.

use super::api::{self, ApiArgs, Client, Failure};
use super::counted::{are, counted};
use super::{FAILED, out, screen};
use crate::admin::erase::{AskedErasure, ErasedShown};
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

/// How long it may take to look through everything that is stored.
const PATIENCE: Duration = Duration::from_hours(1);

/// What to erase.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WhoseArgs {
    /// A name, user name, e-mail address or id: every hook in which it occurs as whole words
    #[arg(long, value_name = "TEXT")]
    user: Option<String>,
    /// A project's path (owner/alias), UUID or number
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ForgetArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// End deliveries that wait as failed, and erase them, too; else they and their hooks are left
    #[arg(long)]
    pending: bool,
    /// Only count
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    api: ApiArgs,
}

pub(super) fn run(args: &ForgetArgs) -> ExitCode {
    api::ask(&args.api, FAILED, |client| async move {
        let is_whole = forget(&client, args).await?;
        Ok(ExitCode::from(if is_whole { 0 } else { FAILED }))
    })
}

/// Says whether nothing of it is left.
async fn forget(client: &Client, args: &ForgetArgs) -> Result<bool, Failure> {
    let asked = AskedErasure {
        user: args.whose.user.clone(),
        project: args.whose.project.clone(),
        pending: args.pending,
        dry_run: args.dry_run || !args.yes,
    };
    let is_json = args.api.json;
    let answer = erase(client, &asked).await?;
    if args.yes {
        return said(&answer, "erased", is_json);
    }
    said(&answer, "would be erased", is_json)?;
    if args.dry_run {
        return Ok(true);
    }
    agree()?;
    said(&erase(client, &AskedErasure { dry_run: false, ..asked }).await?, "erased", is_json)
}

async fn erase(client: &Client, asked: &AskedErasure) -> Result<Value, Failure> {
    client.post_patiently(&["erase"], asked, PATIENCE).await
}

/// Prints what was erased, or would be; says whether nothing of it is left.
fn said(answer: &Value, done: &str, is_json: bool) -> Result<bool, Failure> {
    let erased: ErasedShown = api::typed(answer)?;
    if is_json {
        screen::json(answer);
    } else {
        say(&erased, done);
    }
    Ok(erased.pending_left == 0 && !erased.may_linger)
}

fn say(erased: &ErasedShown, done: &str) {
    let ErasedShown { hooks, deliveries, attempts, remembered, recordings, numbers, .. } = erased;
    out::line(&format!(
        "{} with {} and {}, {}, {} and {} {done}",
        counted(*hooks, "hook"),
        counted(*deliveries, "delivery"),
        counted(*attempts, "attempt"),
        counted(*remembered, "remembered object"),
        counted(*recordings, "recorded hook"),
        counted(*numbers, "number")
    ));
    if erased.pending_ended > 0 {
        let waiting = counted(erased.pending_ended, "delivery");
        out::line(&format!("{waiting} of them waited, and ended as failed"));
    }
    if erased.pending_left > 0 {
        out::line(&format!(
            "{} {} waiting or under way, and left with hook and all: forget again when that is over, or with --pending",
            counted(erased.pending_left, "delivery"),
            are(erased.pending_left)
        ));
    }
    if erased.may_linger {
        out::line("somebody reads the store all the time (a backup?): bytes may linger in its files, forget again");
    }
}

/// Asks on the terminal; what is not agreed to is not done.
fn agree() -> Result<(), Failure> {
    if !screen::can_ask() {
        let message = "nothing was erased: there is no terminal to ask on; --yes erases without asking";
        return Err(Failure::from(message.to_owned()));
    }
    if !screen::agrees("erase it? It cannot be brought back.") {
        return Err(Failure::from("nothing was erased".to_owned()));
    }
    Ok(())
}
