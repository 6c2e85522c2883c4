//! `hookglot deliveries tail`: what happens, a line each, until somebody ends it.

use super::super::api::{Client, Event, Events, Failure};
use super::super::signals::Signals;
use super::super::{out, screen};
use super::asked;
use super::rows;
use crate::admin::shown::StateShown;
use crate::feed::{Happening, Told};
use clap::Args;
use screen::{Colour, Screen, harmless};
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

/// How long is waited before connecting again: at first, and at most.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct TailArgs {
    /// Only what happens to this destination, and at it
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// Only what happens to hooks of this event, in the forge's words
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// Only deliveries that end so: delivered, ignored or failed
    #[arg(long, value_name = "STATE", value_parser = end)]
    state: Option<StateShown>,
}

/// Reads the state of a delivery that has ended.
fn end(text: &str) -> Result<StateShown, String> {
    let ended = asked::state(text).ok().filter(|state| *state != StateShown::Pending);
    ended.ok_or_else(|| "expected delivered, ignored or failed".to_owned())
}

pub(super) async fn run(client: &Client, args: &TailArgs, is_json: bool) -> Result<ExitCode, Failure> {
    let mut signals = Signals::listen();
    tokio::select! {
        () = signals.stop() => Ok(ExitCode::SUCCESS),
        ended = follow(client, args, is_json) => ended,
    }
}

/// Follows until nobody reads any more, or the server refuses.
async fn follow(client: &Client, args: &TailArgs, is_json: bool) -> Result<ExitCode, Failure> {
    let screen = Screen::of_out();
    let mut events = client.events().await?;
    loop {
        match events.next().await {
            Ok(Some(event)) => {
                if !print(&event, args, is_json, screen) {
                    return Ok(ExitCode::SUCCESS);
                }
            }
            Ok(None) => events = again(client, "the connection has ended").await?,
            Err(failure) => events = again(client, &failure.message).await?,
        }
    }
}

/// Connects again, however long it takes; only a server that answers and refuses ends it.
async fn again(client: &Client, why: &str) -> Result<Events, Failure> {
    out::error(format!("{}: trying again; what happens meanwhile is in `hookglot deliveries list`", harmless(why)));
    let mut pause = PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        match client.events().await {
            Ok(events) => {
                out::error("connected again");
                return Ok(events);
            }
            Err(failure) if failure.status.is_some_and(|status| status.is_client_error()) => return Err(failure),
            Err(_) => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

/// Prints an event that is asked for; says whether somebody still reads.
fn print(event: &Event, args: &TailArgs, is_json: bool, screen: Screen) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(&event.data) else {
        out::error(format!("an event `{}` that is no JSON is left out", harmless(&event.name)));
        return true;
    };
    match serde_json::from_value::<Told>(value.clone()) {
        Ok(told) if !is_wanted(&told.happening, args) => true,
        Ok(_) if is_json => screen::json(&value),
        Ok(told) => out::line(&line(&told, screen)),
        // A newer server may tell more. What is not understood cannot be filtered.
        Err(_) if is_filtered(args) => true,
        Err(_) if is_json => screen::json(&value),
        Err(_) => out::line(&format!("{}  {}", harmless(&event.name), harmless(&event.data))),
    }
}

fn is_filtered(args: &TailArgs) -> bool {
    args.destination.is_some() || args.event.is_some() || args.state.is_some()
}

fn is_wanted(happening: &Happening, args: &TailArgs) -> bool {
    let (destination, event, state) = match happening {
        Happening::Hook { event, .. } => (None, Some(event), None),
        Happening::Attempt { destination, event, .. } => (Some(destination), Some(event), None),
        Happening::Ended { destination, event, state, .. } => (Some(destination), Some(event), Some(state.as_str())),
        Happening::Breaker { destination, .. } => (Some(destination), None, None),
        Happening::Reload { .. } | Happening::Disk { .. } | Happening::Store { .. } => (None, None, None),
    };
    args.destination.as_ref().is_none_or(|wanted| destination == Some(wanted))
        && args.event.as_ref().is_none_or(|wanted| event == Some(wanted))
        && args.state.is_none_or(|wanted| state == Some(asked::named(wanted)))
}

/// What happened, on a line.
fn line(told: &Told, screen: Screen) -> String {
    let (kind, text, colour) = said(&told.happening);
    format!("{}  {kind:<7}  {}", rows::time(told.at), screen.paint(&harmless(&text), colour))
}

fn said(happening: &Happening) -> (&'static str, String, Option<Colour>) {
    match happening {
        Happening::Hook { hook, route, forge, event, project, status, reason } => {
            let forge = if forge.is_empty() { "nobody known" } else { forge };
            let project = project.as_ref().map(|project| format!(", project {project}")).unwrap_or_default();
            let text = format!("{hook}  {} of {forge} on {route}{project}: {status}", rows::event(event));
            let colour = (status != "stored").then_some(Colour::Faint);
            ("hook", text + &because(reason.as_deref()), colour)
        }
        Happening::Attempt { delivery, destination, event, attempt, status, outcome, error, elapsed_ms, .. } => {
            let status = status.map(|status| format!("{status} ")).unwrap_or_default();
            let text = format!(
                "{delivery}  {} to {destination}, attempt {attempt}: {status}{outcome} in {elapsed_ms:.0} ms",
                rows::event(event)
            );
            let colour = if outcome == "delivered" { Colour::Good } else { Colour::Waiting };
            ("attempt", text + &because(Some(error)), Some(colour))
        }
        Happening::Ended { hook, delivery, destination, event, state, reason } => {
            let id = delivery.map_or_else(|| format!("of hook {hook}"), |delivery| delivery.to_string());
            let text = format!("{id}  {} to {destination}: {state}", rows::event(event));
            ("ended", text + &because(reason.as_deref()), asked::state(state).ok().map(rows::colour))
        }
        Happening::Breaker { destination, is_open: true, error } => {
            let text = format!("{destination} is down: nothing but probes is sent");
            ("breaker", text + &because(Some(error)), Some(Colour::Bad))
        }
        Happening::Breaker { destination, .. } => ("breaker", format!("{destination} is back"), Some(Colour::Good)),
        Happening::Disk { is_short: true, free_bytes, .. } => {
            ("disk", format!("the disk of data_dir is nearly full: {free_bytes} bytes are free"), Some(Colour::Bad))
        }
        Happening::Disk { .. } => ("disk", "the disk of data_dir has room again".to_owned(), Some(Colour::Good)),
        Happening::Store { is_down: true, reason } => {
            ("store", format!("the store takes no hooks: it is {reason}"), Some(Colour::Bad))
        }
        Happening::Store { .. } => ("store", "the store takes hooks again".to_owned(), Some(Colour::Good)),
        Happening::Reload { what, faults } if faults.is_empty() => ("reload", format!("{what} in force"), None),
        Happening::Reload { what, faults } => {
            ("reload", format!("{what} refused: {}", faults.join("; ")), Some(Colour::Bad))
        }
    }
}

fn because(reason: Option<&str>) -> String {
    reason.filter(|reason| !reason.is_empty()).map(|reason| format!(": {reason}")).unwrap_or_default()
}
