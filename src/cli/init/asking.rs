//! Asks on a terminal for what the command line leaves open; Enter takes what stands in brackets.

use super::place::Secrets;
use super::recipes::{self, Tool};
use super::{BOTH, InitArgs, choice};
use crate::mapping::diagnostic::did_you_mean;
use std::io::Write;
use std::path::PathBuf;

/// What is answered where there is to be none.
const NONE: &str = "none";

/// Asks for everything that is not said.
pub(super) fn fill(args: &mut InitArgs) -> Result<(), String> {
    let forges: Vec<&str> = recipes::forges().into_iter().chain([BOTH]).collect();
    if args.forge.is_none() {
        let first = forges.first().copied();
        args.forge =
            Some(ask(&format!("Forge that sends hooks ({})", forges.join(", ")), first, |text| one_of(text, &forges))?);
    }
    let tools = recipes::tools();
    if args.tool.is_none() {
        let first = tools.iter().copied().find(|tool| *tool == "jenkins");
        args.tool =
            Some(ask(&format!("Tool that gets them ({})", tools.join(", ")), first, |text| one_of(text, &tools))?);
    }
    let tool = recipes::tool(args.tool.as_deref().unwrap_or_default())?;
    fill_address(args, &tool)?;
    if args.format.is_none() && tool.format.is_none() {
        let what = format!("Format that it reads ({})", choice::formats().join(", "));
        args.format = Some(ask(&what, Some("gitlab"), choice::format)?);
    }
    fill_secrets(args, &tool)?;
    if args.path == "/" {
        args.path = ask("Path on which hooks come in", Some("/"), choice::path)?;
    }
    if args.listen.is_none() {
        let what = "Address on which they come in (0.0.0.0:8080: from other machines, too)";
        args.listen = Some(ask(what, Some("127.0.0.1:8080"), |text| choice::listen(text).map(|at| at.to_string()))?);
    }
    if args.data_dir.is_none() {
        args.data_dir =
            Some(ask("Folder in which they are kept", Some("./hookglot-data"), |text| Ok(PathBuf::from(text)))?);
    }
    Ok(())
}

/// Where the tool is.
fn fill_address(args: &mut InitArgs, tool: &Tool) -> Result<(), String> {
    if args.url.is_none() {
        // What else it needs to know is asked next.
        let read = |text: &str| choice::url(tool, text, Some("x")).map(|_| text.to_owned());
        args.url = Some(ask(&format!("Its address ({} for one)", tool.example), None, read)?);
    }
    let Some(what) = tool.project.as_ref().filter(|_| args.project.is_none()) else { return Ok(()) };
    if args.url.as_ref().is_some_and(|url| choice::needs_project(tool, url)) {
        args.project = Some(ask(&format!("On it, {what}"), None, |text| Ok(text.to_owned()))?);
    }
    Ok(())
}

/// Where secrets are. They are not typed: a terminal would show them.
fn fill_secrets(args: &mut InitArgs, tool: &Tool) -> Result<(), String> {
    if args.secret_file.is_none() {
        let beside = Secrets::of(args).file.map(|file| file.display().to_string());
        let what = "File with the secret that the forge sends (made up where there is none)";
        if let Some(beside) = beside {
            args.secret_file = Some(ask(what, Some(&beside), |text| Ok(PathBuf::from(text)))?);
        }
    }
    if args.token_file.is_none() {
        let what = format!("File with the secret that the tool expects ({}; made up where there is none)", tool.token);
        let file = ask(&what, Some(NONE), |text| Ok(text.to_owned()))?;
        args.token_file = (file != NONE).then(|| PathBuf::from(file));
    }
    Ok(())
}

fn one_of(text: &str, known: &[&str]) -> Result<String, String> {
    let suggestion = did_you_mean(text, known.iter().copied());
    known.contains(&text).then(|| text.to_owned()).ok_or_else(|| format!("expected {}{suggestion}", known.join(", ")))
}

/// Asks until the answer can be used.
fn ask<T>(what: &str, default: Option<&str>, read: impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
    loop {
        let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        let mut err = std::io::stderr().lock();
        // Where it cannot be asked, nothing is answered.
        let _ = write!(err, "{what}{shown}: ").and_then(|()| err.flush());
        drop(err);
        let mut answer = String::new();
        if !std::io::stdin().read_line(&mut answer).is_ok_and(|length| length > 0) {
            return Err("nothing was written: there were no more answers".to_owned());
        }
        let answer = match (answer.trim(), default) {
            ("", Some(default)) => default,
            ("", None) => continue,
            (answer, _) => answer,
        };
        match read(answer) {
            Ok(value) => return Ok(value),
            Err(message) => super::out::error(message),
        }
    }
}
