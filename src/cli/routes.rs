//! `hookglot routes`: what a running hookglot takes hooks on, where they go, and how these destinations are.

use super::api::{self, ApiArgs, Client, Failure};
use super::screen::{self, Cell, Colour, Screen, Table};
use super::{FAILED, out};
use serde_json::Value;
use std::process::ExitCode;

const NAMES: [&str; 8] = ["ROUTE", "DESTINATION", "FORMAT", "HEALTH", "PENDING", "OLDEST", "LAST DELIVERED", "ADDRESS"];

pub(super) fn run(args: &ApiArgs) -> ExitCode {
    let is_json = args.json;
    api::ask(args, FAILED, |client| async move { show(&client, is_json).await })
}

async fn show(client: &Client, is_json: bool) -> Result<ExitCode, Failure> {
    let answer: Value = client.get(&["routes"], &[]).await?;
    let routes = list(&answer, "routes");
    if is_json {
        let _ = routes.iter().all(screen::json);
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<Cell>> = routes.iter().flat_map(rows).collect();
    if rows.is_empty() {
        out::error("there is no route");
    }
    Table::new(Screen::of_out(), &NAMES).print(rows);
    Ok(ExitCode::SUCCESS)
}

/// A row for each destination; one for a route without any.
fn rows(route: &Value) -> Vec<Vec<Cell>> {
    let path = Cell::new(&text(route, "path"));
    let rows: Vec<_> = list(route, "destinations").iter().map(|to| row(path.clone(), to)).collect();
    if rows.is_empty() { vec![vec![path]] } else { rows }
}

fn row(path: Cell, to: &Value) -> Vec<Cell> {
    let health = text(to, "health");
    let colour = match health.as_str() {
        "ok" => Some(Colour::Good),
        "failing" => Some(Colour::Waiting),
        "down" => Some(Colour::Bad),
        _ => None,
    };
    let is_open = to.get("breaker_open").and_then(Value::as_bool).unwrap_or_default();
    let health = if is_open { format!("{health}, breaker open") } else { health };
    vec![
        path,
        Cell::new(&text(to, "name")),
        Cell::new(&text(to, "format")),
        Cell::in_colour(&health, colour),
        Cell::new(&text(to, "pending")),
        Cell::new(&to.get("oldest_pending_seconds").and_then(Value::as_f64).map(age).unwrap_or_default()),
        Cell::new(&text(to, "last_delivered_at")),
        Cell::new(&text(to, "url")),
    ]
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A field as a text; nothing where it is missing.
fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Seconds in the largest unit that they fill.
fn age(seconds: f64) -> String {
    let units = [(86_400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s")];
    match units.into_iter().find(|(size, _)| seconds >= *size) {
        Some((size, unit)) => format!("{:.0}{unit}", (seconds / size).floor()),
        None => String::new(),
    }
}
