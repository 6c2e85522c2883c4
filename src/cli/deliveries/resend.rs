//! `hookglot deliveries resend`: sends again what is named, or what fits a filter.

mod many;

use super::super::api::{self, Client, Failure};
use super::super::screen::{self, Cell, Colour, Screen, Table};
use super::super::{FAILED, out};
use super::asked::FilterArgs;
use super::diff;
use crate::admin::resend_shown::{AskedDelivery, AskedResend, Difference, Fate, How, ResentShown};
use clap::Args;
use reqwest::StatusCode;
use serde_json::Value;
use std::process::ExitCode;

/// `--to` with this means all destinations of the route.
const ALL: &str = "*";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct ResendArgs {
    /// Deliveries; with --to, hooks
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Translate anew with today's mappings, in place of sending the same bytes; the difference is shown first
    #[arg(long)]
    anew: bool,
    /// Send without asking
    #[arg(long)]
    yes: bool,
    /// Deliver hooks to this destination whatever became of them, duplicates and ignored ones too; several, or `*` for all
    /// of the route
    #[arg(long, value_name = "NAME", requires = "ids", conflicts_with = "anew")]
    to: Vec<String>,
    /// Only say what would be sent
    #[arg(long, conflicts_with = "ids")]
    dry_run: bool,
    /// How many a second at most
    #[arg(long, value_name = "N", default_value_t = 10, conflicts_with = "ids", value_parser = clap::value_parser!(u16).range(1..=1000))]
    rate: u16,
    /// Also those that were sent again before
    #[arg(long, conflicts_with = "ids")]
    again: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

pub(super) async fn run(client: &Client, args: &ResendArgs, is_json: bool) -> Result<ExitCode, Failure> {
    let is_filtered = !api::query(&args.filter.asked()).is_empty();
    match (args.ids.is_empty(), is_filtered) {
        (true, true) => return many::run(client, args, is_json).await,
        (true, false) => {
            return Err("say which: ids of deliveries, or a filter such as --state failed --since 2h"
                .to_owned()
                .into());
        }
        (false, true) => return Err("ids or a filter, not both".to_owned().into()),
        (false, false) => {}
    }
    if args.anew && !args.yes && !screen::can_ask() {
        return Err(no_consent());
    }
    let (mut table, mut is_all_sent) =
        (Table::new(Screen::of_out(), &["OF", "DESTINATION", "STATUS", "DELIVERY"]), true);
    for id in &args.ids {
        let items = one(client, args, id).await.or_else(or_go_on)?;
        // It was refused, somebody said no, or the hook's route sends it nowhere.
        is_all_sent &= !items.is_empty();
        for item in items {
            let resent: ResentShown = api::typed(&item)?;
            is_all_sent &= resent.status != Fate::Refused;
            if is_json {
                screen::json(&item);
            } else {
                table.print(vec![row(id, &resent)]);
            }
        }
    }
    Ok(if is_all_sent { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// What is said of one keeps no others from being sent; what nobody answers, or with this token, does.
fn or_go_on(failure: Failure) -> Result<Vec<Value>, Failure> {
    const FOR_ALL: [StatusCode; 2] = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    match failure.status {
        Some(status) if status.is_client_error() && !FOR_ALL.contains(&status) => {
            out::error(screen::harmless_lines(&failure.message));
            Ok(Vec::new())
        }
        _ => Err(failure),
    }
}

fn no_consent() -> Failure {
    Failure::from("nothing is sent: nobody can be asked here, so --yes must say so".to_owned())
}

/// Sends one; nothing when somebody says no.
async fn one(client: &Client, args: &ResendArgs, id: &str) -> Result<Vec<Value>, Failure> {
    if !args.to.is_empty() {
        let destinations = (!args.to.iter().any(|name| name == ALL)).then(|| args.to.clone());
        let answer: Value = client.post(&["hooks", id, "resend"], &AskedDelivery { destinations }).await?;
        return Ok(items(answer));
    }
    let asked = if args.anew {
        match agreed(client, args, id).await? {
            Some(expect) => AskedResend { how: How::Anew, expect: Some(expect) },
            None => return Ok(Vec::new()),
        }
    } else {
        AskedResend { how: How::AsSent, expect: None }
    };
    let sent = client.post(&["deliveries", id, "resend"], &asked).await;
    sent.map(|item| vec![item]).map_err(or_a_hook)
}

fn or_a_hook(failure: Failure) -> Failure {
    if !failure.is_missing() {
        return failure;
    }
    let message = format!("{}\nif it is the id of a hook: `--to NAME` delivers it to a destination", failure.message);
    Failure { message, ..failure }
}

/// The list in an answer.
fn items(answer: Value) -> Vec<Value> {
    match answer {
        Value::Object(mut fields) => match fields.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

/// Shows the difference; gives the hash of the body that somebody has agreed to.
async fn agreed(client: &Client, args: &ResendArgs, id: &str) -> Result<Option<String>, Failure> {
    let difference: Difference = client.get(&["deliveries", id, "diff"], &[]).await.map_err(or_a_hook)?;
    diff::show_to_people(&difference);
    let Some(sha256) = difference.anew_sha256 else {
        out::error(format!("{id}: nothing is sent: today's mappings make nothing of it"));
        return Ok(None);
    };
    let what = if difference.same { "the same body" } else { "the body with these differences" };
    if args.yes || screen::agrees(&format!("send {what} as a repeat of {id}?")) {
        return Ok(Some(sha256));
    }
    out::error(format!("{id}: not sent"));
    Ok(None)
}

fn row(id: &str, resent: &ResentShown) -> Vec<Cell> {
    let (word, colour) = match resent.status {
        Fate::Queued => ("queued", Colour::Good),
        Fate::Hurried => ("hurried", Colour::Good),
        Fate::Refused => ("refused", Colour::Bad),
    };
    let id_of_new = resent.delivery.map(|id| id.to_string());
    vec![
        Cell::new(id),
        Cell::new(&resent.destination),
        Cell::in_colour(word, Some(colour)),
        Cell::new(id_of_new.as_ref().or(resent.reason.as_ref()).map(String::as_str).unwrap_or_default()),
    ]
}
