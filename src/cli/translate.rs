//! `hookglot translate`: one hook in, what a tool would receive out. Loads only the direction that it needs.

use super::{FAILED, IGNORED, TranslateArgs, out};
use crate::config::Format;
use crate::delivery::{self, Refused, Wanted};
use crate::forge::Forges;
use crate::handmade::{self, HandMade};
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::overlay::Overlays;
use crate::mapping::{Explained, Files, Mappings, NoKnowledge};
use crate::mapping_files;
use crate::rules::{self, Directions, Rules};
use crate::store::Outgoing;
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(args: &TranslateArgs) -> ExitCode {
    match translate(args) {
        Ok(text) => {
            out::bytes(&text);
            ExitCode::SUCCESS
        }
        Err(Refused::Ignored(reason)) => {
            out::error(format!("ignored: {reason}"));
            ExitCode::from(IGNORED)
        }
        Err(Refused::Failed(message)) => {
            out::error(message);
            ExitCode::from(FAILED)
        }
    }
}

/// What is printed: headers and body, or how they came about.
fn translate(args: &TranslateArgs) -> Result<Vec<u8>, Refused> {
    let failed = |message: String| Refused::Failed(message);
    let body = read(&args.file).map_err(|error| failed(format!("{}: {error}", shown(&args.file))))?;
    let files = mapping_files::read(super::mappings_dir(args.mappings_dir.as_ref()).as_deref())
        .map_err(|error| failed(error.to_string()))?;
    let forges = Forges::load(&files).map_err(|faults| failed(faults.to_string()))?;
    let to = handmade::named(&forges, "--to", &args.to).map_err(failed)?;
    let (from, event, body_is) = (args.from.as_deref(), args.event.as_deref(), shown(&args.file));
    let made = HandMade { body, headers: Vec::new(), from, event, body_is: &body_is, from_is: "--from" };
    let hook = made.hook(&forges).map_err(failed)?;
    let (directions, overlays) = (direction(&files, &hook.forge, to.name())?, overlays(args, &files)?);
    let rules = Rules::of(forges, directions, overlays);
    let format = Format::Forge(args.to.clone());
    let wanted = Wanted { format: &format, settings: &serde_json::Map::new(), overlays: &args.overlay };
    if args.explain {
        return delivery::explain(&hook, wanted, &rules, &NoKnowledge)
            .map(|explained| explanation(&explained).into_bytes());
    }
    delivery::outgoing(&hook, wanted, &rules, &NoKnowledge).map(|(outgoing, _)| request(&outgoing, args.headers))
}

/// The overlays, where one is wanted; each must exist.
fn overlays(args: &TranslateArgs, files: &Files) -> Result<Overlays, Refused> {
    if args.overlay.is_empty() {
        return Ok(Overlays::default());
    }
    let (overlays, _) = Overlays::load(files).map_err(|faults| Refused::Failed(faults.to_string()))?;
    match args.overlay.iter().find(|name| overlays.named(name).is_none()) {
        None => Ok(overlays),
        Some(name) => {
            let suggestion = did_you_mean(name, overlays.iter().map(|(known, _)| known));
            Err(Refused::Failed(format!("--overlay: there is no overlay `{name}`{suggestion}")))
        }
    }
}

fn request(outgoing: &Outgoing, headers: bool) -> Vec<u8> {
    let mut text = Vec::new();
    if headers {
        text.extend_from_slice(b"Content-Type: application/json\n");
        for (name, value) in &outgoing.headers {
            text.extend_from_slice(format!("{name}: {value}\n").as_bytes());
        }
        text.push(b'\n');
    }
    text.extend_from_slice(&outgoing.body);
    text.push(b'\n');
    text
}

/// A line for each field: what it is, which line made it, and from what.
fn explanation(explained: &Explained) -> String {
    let mut text = String::new();
    let headers = explained.headers.iter().map(|field| (format!("header {}", field.path), field));
    let body = explained.body.iter().map(|field| (field.path.clone(), field));
    for (name, field) in headers.chain(body) {
        // Writing into a String cannot fail.
        let _ = write!(text, "{name} = {}  {}:{}:{}", field.json, field.file, field.line, field.column);
        for (word, read) in [("<-", &field.sources), ("decided by", &field.decided_by)] {
            for (number, source) in read.iter().enumerate() {
                let before = if number == 0 { format!("  {word} ") } else { ", ".to_owned() };
                let value = if source.has_value { "" } else { " (no value)" };
                let _ = write!(text, "{before}{}{value}", source.path);
            }
        }
        text.push('\n');
    }
    text
}

/// The file as messages name it.
fn shown(file: &Path) -> String {
    if file.as_os_str() == "-" { "standard input".to_owned() } else { file.display().to_string() }
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut body = Vec::new();
        std::io::stdin().lock().read_to_end(&mut body)?;
        return Ok(body);
    }
    std::fs::read(file)
}

fn direction(files: &Files, from: &str, to: &str) -> Result<Directions, Refused> {
    let mut directions = Directions::new();
    if from != to {
        let (mappings, _) = Mappings::load(files, &rules::folder(from, to), false)
            .map_err(|faults| Refused::Failed(faults.to_string()))?;
        directions.insert((from.to_owned(), to.to_owned()), mappings);
    }
    Ok(directions)
}
