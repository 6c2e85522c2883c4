//! `hookglot users` and `hookglot projects`: what a running hookglot knows of people and of projects, and who told it.

use super::api::{self, ApiArgs, Client, Failure};
use super::screen::{self, Cell, Screen, Table};
use super::{FAILED, out};
use crate::admin::known::{AskedForgetting, AskedKnown, ForgottenShown, KnownShown};
use crate::admin::shown::ListedShown;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct KnownArgs {
    #[command(subcommand)]
    command: KnownCommand,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Debug, Subcommand)]
enum KnownCommand {
    /// A line for each.
    List {
        /// A text that occurs in the id or in what is known
        #[arg(value_name = "TEXT")]
        text: Option<String>,
        /// Only those of one installation, by host
        #[arg(long, value_name = "HOST")]
        instance: Option<String>,
    },
    /// All that is known of one, and which hook told it.
    Show(OneArgs),
    /// Forget one: the next hook that tells teaches it anew. `hookglot forget` erases it from hooks that came, too.
    Forget(OneArgs),
}

#[derive(Debug, Args)]
struct OneArgs {
    /// The id, as hooks have it
    #[arg(value_name = "ID")]
    id: String,
    /// The installation, by host, where several have the id
    #[arg(long, value_name = "HOST")]
    instance: Option<String>,
}

/// Runs a command about one of the look-up tables.
pub(super) fn run(table: &'static str, args: &KnownArgs) -> ExitCode {
    let is_json = args.api.json;
    api::ask(&args.api, FAILED, |client| async move {
        let asking = Asking { client: &client, table, is_json };
        match &args.command {
            KnownCommand::List { text, instance } => asking.list(text.clone(), instance.clone()).await,
            KnownCommand::Show(one) => asking.show(one).await,
            KnownCommand::Forget(one) => asking.forget(one).await,
        }
    })
}

struct Asking<'c> {
    client: &'c Client,
    table: &'static str,
    is_json: bool,
}

impl Asking<'_> {
    async fn list(&self, text: Option<String>, instance: Option<String>) -> Result<ExitCode, Failure> {
        let mut table = Table::new(Screen::of_out(), &["ID", "INSTANCE", "TOLD BY", "KNOWN"]);
        let mut asked = AskedKnown { instance, text, ..AskedKnown::default() };
        let mut count = 0;
        loop {
            let found = self.found(&asked).await?;
            count += found.items.len();
            let has_readers = if self.is_json {
                found.items.iter().all(screen::json)
            } else {
                let rows: Result<Vec<KnownShown>, Failure> = found.items.iter().map(api::typed).collect();
                table.print(rows?.iter().map(row).collect())
            };
            if found.next.is_none() || !has_readers {
                if count == 0 && !self.is_json {
                    out::error(format!("none of the {} that are known fit", self.table));
                }
                return Ok(ExitCode::SUCCESS);
            }
            asked.after = found.next;
        }
    }

    async fn show(&self, one: &OneArgs) -> Result<ExitCode, Failure> {
        let OneArgs { id, instance } = one;
        let mut asked = AskedKnown { id: Some(id.clone()), instance: instance.clone(), ..AskedKnown::default() };
        let mut count = 0;
        loop {
            let found = self.found(&asked).await?;
            count += found.items.len();
            for item in &found.items {
                if self.is_json {
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
            let table = self.table;
            return Err(Failure::from(format!(
                "no hook told anything of `{id}`; `hookglot {table} list` shows what is known"
            )));
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn forget(&self, one: &OneArgs) -> Result<ExitCode, Failure> {
        let OneArgs { id, instance } = one;
        let asked = AskedForgetting { id: id.clone(), instance: instance.clone() };
        let answer: Value = self.client.delete(&[self.table], &api::query(&asked)).await?;
        if self.is_json {
            screen::json(&answer);
        } else {
            let ForgottenShown { forgotten } = api::typed(&answer)?;
            out::line(&format!("{forgotten} forgotten; what was kept with hooks that came stays"));
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn found(&self, asked: &AskedKnown) -> Result<ListedShown<Value>, Failure> {
        self.client.get(&[self.table], &api::query(asked)).await
    }
}

fn row(known: &KnownShown) -> Vec<Cell> {
    let columns: Vec<String> = known.columns.iter().map(|column| format!("{}={}", column.name, column.text)).collect();
    let told_by = if known.configured { "configuration" } else { "hooks" };
    [&known.id, &known.instance, told_by, &columns.join("  ")].map(Cell::new).into()
}

fn say(known: &KnownShown) {
    let instance = if known.instance.is_empty() { "any instance" } else { &known.instance };
    out::line(&screen::harmless(&format!("{} of {instance}", known.id)));
    for column in &known.columns {
        let told = column.event.as_ref().zip(column.hook).zip(column.at);
        let origin = told.map_or_else(
            || "configuration".to_owned(),
            |((event, hook), at)| format!("told by {event}, hook {hook}, {}", screen::time(at)),
        );
        out::line(&screen::harmless(&format!("  {}: {}  ({origin})", column.name, column.text)));
    }
    if let Some(at) = known.seen_at {
        out::line(&format!("  named last: {}", screen::time(at)));
    }
}
