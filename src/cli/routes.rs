//! `hookglot routes`: what a running hookglot takes hooks on, where they go, and how these destinations are.

use super::api::{self, ApiArgs, Client, Failure};
use super::screen::{self, Cell, Colour, Screen, Table};
use super::{FAILED, out};
use crate::admin::routes::{DestinationShown, HealthShown, RouteShown};
use serde_json::Value;
use std::process::ExitCode;

const NAMES: [&str; 8] = ["ROUTE", "DESTINATION", "FORMAT", "HEALTH", "PENDING", "OLDEST", "LAST DELIVERED", "ADDRESS"];

pub(super) fn run(args: &ApiArgs) -> ExitCode {
    let is_json = args.json;
    api::ask(args, FAILED, |client| async move { show(&client, is_json).await })
}

async fn show(client: &Client, is_json: bool) -> Result<ExitCode, Failure> {
    let routes: Vec<Value> = client.get(&["routes"], &[]).await?;
    if is_json {
        let _ = routes.iter().all(screen::json);
        return Ok(ExitCode::SUCCESS);
    }
    if routes.is_empty() {
        out::error("there is no route");
    }
    let routes = routes.iter().map(api::typed).collect::<Result<Vec<RouteShown>, Failure>>()?;
    Table::new(Screen::of_out(), &NAMES).print(routes.iter().flat_map(rows).collect());
    Ok(ExitCode::SUCCESS)
}

/// A row for each destination; one for a route without any.
fn rows(route: &RouteShown) -> Vec<Vec<Cell>> {
    let path = Cell::new(&route.path);
    let rows: Vec<_> = route.destinations.iter().map(|to| row(path.clone(), to)).collect();
    if rows.is_empty() { vec![vec![path]] } else { rows }
}

fn row(path: Cell, to: &DestinationShown) -> Vec<Cell> {
    let (health, colour) = match to.health {
        Some(HealthShown::Ok) => ("ok", Some(Colour::Good)),
        Some(HealthShown::Failing) => ("failing", Some(Colour::Waiting)),
        Some(HealthShown::Down) => ("down", Some(Colour::Bad)),
        None => ("", None),
    };
    let health = if to.breaker_open { format!("{health}, breaker open") } else { health.to_owned() };
    vec![
        path,
        Cell::new(&to.name),
        Cell::new(&to.format),
        Cell::in_colour(&health, colour),
        Cell::new(&to.pending.to_string()),
        Cell::new(&to.oldest_pending_seconds.map(age).unwrap_or_default()),
        Cell::new(&to.last_delivered_at.map(screen::time).unwrap_or_default()),
        Cell::new(&to.url),
    ]
}

/// Seconds in the largest unit that they fill.
fn age(seconds: f64) -> String {
    let units = [(86_400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s")];
    match units.into_iter().find(|(size, _)| seconds >= *size) {
        Some((size, unit)) => format!("{:.0}{unit}", (seconds / size).floor()),
        None => String::new(),
    }
}
