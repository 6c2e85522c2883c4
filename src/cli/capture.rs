//! `hookglot capture`: makes an example for a mapping of a hook that came, through the admin API of a running hookglot.

mod entry;

use super::api::{self, ApiArgs, Client, Failure};
use super::screen::{self, Cell, Screen, Table, harmless};
use super::{FAILED, UNREADABLE, out};
use crate::admin::capture::{AskedRecording, ExampleShown, RecordingShown, RecordingsShown};
use crate::admin::shown::WholeDelivery;
use clap::Args;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const NAMES: [&str; 5] = ["ROUTE", "FORGE", "EVENT", "RECORDED", "BYTES"];

#[derive(Debug, Args)]
pub(super) struct CaptureArgs {
    #[command(flatten)]
    api: ApiArgs,
    /// The hook, or a delivery of it
    #[arg(value_name = "ID", required_unless_present = "recorded", conflicts_with = "recorded")]
    id: Option<String>,
    /// The first hook of an event on a route with `record = true`; without the three, all of these are listed
    #[arg(long, num_args = 0..=3, value_names = ["ROUTE", "FORGE", "EVENT"])]
    recorded: Option<Vec<String>>,
    /// Forget the recorded hook, so that the next one is recorded; takes a token with rights = "write"
    #[arg(long, requires = "recorded", conflicts_with = "output")]
    forget: bool,
    /// Write the example into a new file
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &CaptureArgs) -> ExitCode {
    let recorded = match args.recorded.as_deref().map(recorded).transpose() {
        Ok(recorded) => recorded.flatten(),
        Err(message) => {
            out::error(message);
            return ExitCode::from(UNREADABLE);
        }
    };
    if args.forget && recorded.is_none() {
        out::error("--forget: say which: --recorded ROUTE FORGE EVENT");
        return ExitCode::from(UNREADABLE);
    }
    api::ask(&args.api, FAILED, |client| async move {
        match (&args.id, recorded) {
            (Some(id), _) => show(args, &of_hook(&client, id).await?),
            (None, None) => list(&client, args.api.json).await,
            (None, Some(which)) if args.forget => forget(&client, &which, args.api.json).await,
            (None, Some(which)) => show(args, &client.get(&["recordings", "example"], &api::query(&which)).await?),
        }
    })
}

/// Which recorded hook; none when all are to be listed.
fn recorded(words: &[String]) -> Result<Option<AskedRecording>, String> {
    match words {
        [] => Ok(None),
        [route, forge, event] => {
            Ok(Some(AskedRecording { route: route.clone(), forge: forge.clone(), event: event.clone() }))
        }
        _ => Err("--recorded: expected ROUTE FORGE EVENT, as `hookglot capture --recorded` lists them".to_owned()),
    }
}

/// The example of a hook, by its id or that of one of its deliveries.
async fn of_hook(client: &Client, id: &str) -> Result<Value, Failure> {
    let missing = match client.get(&["hooks", id, "example"], &[]).await {
        Err(failure) if failure.is_missing() => failure,
        answered => return answered,
    };
    let delivery: Value = match client.get(&["deliveries", id], &[]).await {
        Err(failure) if failure.is_missing() => return Err(missing),
        answered => answered?,
    };
    let hook = api::typed::<WholeDelivery>(&delivery)?.delivery.hook.id.to_string();
    client.get(&["hooks", &hook, "example"], &[]).await
}

fn show(args: &CaptureArgs, example: &Value) -> Result<ExitCode, Failure> {
    if args.api.json {
        screen::json(example);
        return Ok(ExitCode::SUCCESS);
    }
    let example: ExampleShown = api::typed(example)?;
    let body = screen::harmless_json(&example.body);
    match &args.output {
        Some(file) => write(file, &body)?,
        None => drop(out::bytes(body.as_bytes())),
    }
    entry::advise(&example, args.output.as_deref());
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that is not there yet: an example may have been worked on by hand.
fn write(file: &Path, body: &str) -> Result<(), Failure> {
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(body.as_bytes()));
    written.map_err(|error| Failure::from(format!("--output: {}: {error}", file.display())))
}

async fn list(client: &Client, is_json: bool) -> Result<ExitCode, Failure> {
    let answer: Value = client.get(&["recordings"], &[]).await?;
    if is_json {
        let items = answer.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let _ = items.iter().all(screen::json);
        return Ok(ExitCode::SUCCESS);
    }
    let all: RecordingsShown = api::typed(&answer)?;
    if all.items.is_empty() {
        out::error("nothing is recorded: `record = true` on a route keeps the first hook of each event");
    }
    Table::new(Screen::of_out(), &NAMES).print(all.items.iter().map(row).collect());
    Ok(ExitCode::SUCCESS)
}

fn row(recording: &RecordingShown) -> Vec<Cell> {
    let RecordingShown { route, forge, event, recorded_at, size } = recording;
    [route, forge, event, &screen::time(*recorded_at), &size.to_string()].map(|text| Cell::new(text)).to_vec()
}

async fn forget(client: &Client, which: &AskedRecording, is_json: bool) -> Result<ExitCode, Failure> {
    let answer: Value = client.delete(&["recordings"], &api::query(which)).await?;
    if is_json {
        screen::json(&answer);
    } else {
        let AskedRecording { route, forge, event } = which;
        let said = format!("forgotten: the next hook of the event `{event}` of {forge} on {route} is recorded");
        out::line(&harmless(&said));
    }
    Ok(ExitCode::SUCCESS)
}
