//! `hookglot states`: what a running hookglot remembers of issues and merge requests.

use super::api::{self, ApiArgs, Client, Failure};
use super::screen::{self, Cell, Screen, Table};
use super::{FAILED, out};
use crate::admin::known::ForgottenShown;
use crate::admin::shown::ListedShown;
use crate::admin::states::{AskedState, AskedStates, ObjectShown};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::process::ExitCode;

/// How many characters of what is known a line of the list shows.
const SHOWN: usize = 80;

#[derive(Debug, Args)]
pub(super) struct StatesArgs {
    #[command(subcommand)]
    command: StatesCommand,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Debug, Subcommand)]
enum StatesCommand {
    /// A line for each.
    List {
        /// A text that occurs in what is known
        #[arg(value_name = "TEXT")]
        text: Option<String>,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// All that is known of one, and which hook told of it last.
    Show(OneArgs),
    /// Forget one: the next hook about it is as the first one. `hookglot forget` erases it from hooks that came, too.
    Forget(OneArgs),
}

#[derive(Debug, Args)]
struct PlaceArgs {
    /// The path of the route
    #[arg(long, value_name = "PATH")]
    route: Option<String>,
    /// What stands for the project: its UUID or number
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// `issue` or `merge_request`
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
}

#[derive(Debug, Args)]
struct OneArgs {
    /// The id, as hooks have it
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    place: PlaceArgs,
}

pub(super) fn run(args: &StatesArgs) -> ExitCode {
    let is_json = args.api.json;
    api::ask(&args.api, FAILED, |client| async move {
        match &args.command {
            StatesCommand::List { text, place } => list(&client, text.clone(), place, is_json).await,
            StatesCommand::Show(one) => show(&client, one, is_json).await,
            StatesCommand::Forget(one) => forget(&client, one, is_json).await,
        }
    })
}

fn asked(place: &PlaceArgs) -> AskedStates {
    let PlaceArgs { route, project, kind } = place;
    AskedStates { route: route.clone(), project: project.clone(), kind: kind.clone(), ..AskedStates::default() }
}

async fn list(client: &Client, text: Option<String>, place: &PlaceArgs, is_json: bool) -> Result<ExitCode, Failure> {
    let mut table = Table::new(Screen::of_out(), &["KIND", "ID", "ROUTE", "PROJECT", "LAST TOLD", "KNOWN"]);
    let (mut asked, mut count) = (AskedStates { text, ..asked(place) }, 0);
    loop {
        let found: ListedShown<Value> = client.get(&["states"], &api::query(&asked)).await?;
        count += found.items.len();
        let has_readers = if is_json {
            found.items.iter().all(screen::json)
        } else {
            let rows: Result<Vec<ObjectShown>, Failure> = found.items.iter().map(api::typed).collect();
            table.print(rows?.iter().map(row).collect())
        };
        if found.next.is_none() || !has_readers {
            if count == 0 && !is_json {
                out::error("none of what is remembered fits");
            }
            return Ok(ExitCode::SUCCESS);
        }
        asked.after = found.next;
    }
}

fn row(object: &ObjectShown) -> Vec<Cell> {
    let members = object.state.iter().map(|(name, value)| format!("{name}={}", bare(value)));
    let known: String = members.collect::<Vec<_>>().join("  ").chars().take(SHOWN).collect();
    let texts = [&object.kind, &object.id, &object.route, &object.project];
    let cells = texts.into_iter().map(|text| Cell::new(text));
    cells.chain([Cell::new(&screen::time(object.seen_at)), Cell::new(&known)]).collect()
}

/// A value without the quotation marks of a text.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn show(client: &Client, one: &OneArgs, is_json: bool) -> Result<ExitCode, Failure> {
    let mut asked = AskedStates { id: Some(one.id.clone()), ..asked(&one.place) };
    let mut count = 0;
    loop {
        let found: ListedShown<Value> = client.get(&["states"], &api::query(&asked)).await?;
        count += found.items.len();
        for item in &found.items {
            if is_json {
                screen::json(item);
            } else {
                say(&api::typed(item)?);
            }
        }
        if found.next.is_none() {
            break;
        }
        asked.after = found.next;
    }
    if count == 0 {
        let message = format!("no hook told anything of `{}`; `hookglot states list` shows what is known", one.id);
        return Err(Failure::from(message));
    }
    Ok(ExitCode::SUCCESS)
}

fn say(object: &ObjectShown) {
    let ObjectShown { route, forge, instance, project, kind, id, .. } = object;
    out::line(&screen::harmless(&format!("{kind} {id} of project {project} ({forge}, {instance}), route {route}")));
    for (name, value) in &object.state {
        out::line(&screen::harmless(&format!("  {name}: {}", bare(value))));
    }
    if let Some(at) = object.first_at {
        out::line(&format!("  told of first: {}", screen::time(at)));
    }
    let by = object.event.as_ref().zip(object.hook).map(|(event, hook)| format!(" by {event}, hook {hook}"));
    out::line(&screen::harmless(&format!(
        "  told of last: {}{}",
        screen::time(object.seen_at),
        by.unwrap_or_default()
    )));
}

async fn forget(client: &Client, one: &OneArgs, is_json: bool) -> Result<ExitCode, Failure> {
    let PlaceArgs { route, project, kind } = &one.place;
    let asked = AskedState { id: one.id.clone(), route: route.clone(), project: project.clone(), kind: kind.clone() };
    let answer: Value = client.delete(&["states"], &api::query(&asked)).await?;
    if is_json {
        screen::json(&answer);
    } else {
        let ForgottenShown { forgotten } = api::typed(&answer)?;
        out::line(&format!("{forgotten} forgotten; what was kept with hooks that came stays"));
    }
    Ok(ExitCode::SUCCESS)
}
