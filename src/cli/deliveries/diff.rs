//! `hookglot deliveries diff`: what was sent against what today's mappings make.

use super::super::api::{self, Client, Failure};
use super::super::out;
use super::super::screen::{self, Colour, Screen, harmless};
use crate::admin::resend_shown::Difference;
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The delivery
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) async fn run(client: &Client, args: &DiffArgs, is_json: bool) -> Result<ExitCode, Failure> {
    let value: Value = client.get(&["deliveries", &args.id, "diff"], &[]).await?;
    let difference: Difference = api::typed(&value)?;
    if is_json {
        screen::json(&value);
    } else {
        let screen = Screen::of_out();
        changes(&difference).for_each(|(text, colour)| {
            out::line(&screen.paint(&text, Some(colour)));
        });
        out::error(said(&difference).unwrap_or_default());
    }
    let is_same = difference.same && difference.changes.is_empty() && difference.refused.is_none();
    Ok(ExitCode::from(u8::from(!is_same)))
}

/// Shows what differs on standard error, before somebody is asked.
pub(super) fn show_to_people(difference: &Difference) {
    let lines: Vec<String> = changes(difference).map(|(text, _)| text).collect();
    out::findings(lines.join("\n"));
    out::error(said(difference).unwrap_or_default());
}

/// A line for what each field was, and one for what it is.
fn changes(difference: &Difference) -> impl Iterator<Item = (String, Colour)> {
    difference.changes.iter().flat_map(|change| {
        let line = |sign: char, json: &String| format!("{sign} {} = {}", harmless(&change.path), harmless(json));
        let before = change.before.as_ref().map(|json| (line('-', json), Colour::Bad));
        let after = change.after.as_ref().map(|json| (line('+', json), Colour::Good));
        [before, after].into_iter().flatten()
    })
}

/// What no field shows.
fn said(difference: &Difference) -> Option<String> {
    if let Some(refused) = &difference.refused {
        return Some(harmless(&format!("today's mappings make nothing of it: {refused}")));
    }
    match (&difference.as_sent, difference.same, difference.changes.is_empty()) {
        (None, ..) => Some("it was never translated: nothing was sent that could be compared".to_owned()),
        (_, false, true) => Some("the bodies say the same and are written differently".to_owned()),
        _ => None,
    }
}
