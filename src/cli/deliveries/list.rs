//! `hookglot deliveries list`: recent deliveries or hooks, page by page, or counts.

use super::super::api::{self, Client, Failure};
use super::super::out;
use super::super::screen::{self, Cell, Screen, Table};
use super::asked::FilterArgs;
use super::rows;
use crate::admin::asked::AskedPage;
use crate::admin::shown::{CountsShown, PageShown};
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

/// The largest page that the API gives.
const PAGE: u16 = 500;

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// All of them
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// List hooks in place of deliveries: also those that are ignored, and duplicates
    #[arg(long)]
    hooks: bool,
    /// Print only how many deliveries there are of each state
    #[arg(long, conflicts_with_all = ["hooks", "limit", "all"])]
    count: bool,
}

pub(super) async fn run(client: &Client, args: &ListArgs, is_json: bool) -> Result<ExitCode, Failure> {
    if args.count {
        count(client, args, is_json).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let (what, names): (&str, &[&str]) =
        if args.hooks { ("hooks", &rows::OF_HOOK) } else { ("deliveries", &rows::OF_DELIVERY) };
    let mut table = Table::new(Screen::of_out(), names);
    let (mut left, mut before, mut is_empty) = (if args.all { u32::MAX } else { args.limit }, None, true);
    while left > 0 {
        let limit = u16::try_from(left).unwrap_or(PAGE).min(PAGE);
        let page: PageShown<Value> = client.get(&[what], &asked(args, before, Some(limit))).await?;
        is_empty &= page.items.is_empty();
        left = if args.all { left } else { left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(left)) };
        let is_read = if is_json {
            page.items.iter().all(screen::json)
        } else {
            table.print(page.items.iter().map(|item| row(args.hooks, item)).collect::<Result<_, _>>()?)
        };
        before = page.next;
        // Nobody reads any further, or there is no more.
        if !is_read || before.is_none() {
            break;
        }
    }
    if is_empty && !is_json {
        out::error(if args.hooks { "no hook fits" } else { "no delivery fits" });
    }
    Ok(ExitCode::SUCCESS)
}

fn row(is_hook: bool, item: &Value) -> Result<Vec<Cell>, Failure> {
    if is_hook { Ok(rows::of_hook(&api::typed(item)?)) } else { Ok(rows::of_delivery(&api::typed(item)?)) }
}

fn asked(args: &ListArgs, before: Option<i64>, limit: Option<u16>) -> Vec<(String, String)> {
    let mut query = api::query(&args.filter.asked());
    query.extend(api::query(&AskedPage { before, limit }));
    query
}

/// Adds up the counts of all pages.
async fn count(client: &Client, args: &ListArgs, is_json: bool) -> Result<(), Failure> {
    let mut sum = CountsShown { pending: 0, delivered: 0, ignored: 0, failed: 0, next: None };
    loop {
        let page: CountsShown = client.get(&["deliveries", "count"], &asked(args, sum.next, None)).await?;
        sum = CountsShown {
            pending: sum.pending + page.pending,
            delivered: sum.delivered + page.delivered,
            ignored: sum.ignored + page.ignored,
            failed: sum.failed + page.failed,
            next: page.next,
        };
        if sum.next.is_none() {
            break;
        }
    }
    let CountsShown { pending, delivered, ignored, failed, .. } = sum;
    if is_json {
        screen::json(
            &serde_json::json!({"pending": pending, "delivered": delivered, "ignored": ignored, "failed": failed}),
        );
    } else {
        out::line(&format!("pending    {pending}\ndelivered  {delivered}\nignored    {ignored}\nfailed     {failed}"));
    }
    Ok(())
}
