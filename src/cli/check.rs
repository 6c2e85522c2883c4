//! `hookglot check`: everything that can be found wrong before hooks come.

use super::counted::counted;
use super::{CheckArgs, FAILED, FindingsFormat, UNREADABLE, destinations, findings, out};
use crate::config::{self, Flags, Route};
use crate::mapping::set::Examples;
use crate::mapping::{Diagnostics, Files};
use crate::rules::{Rules, folders};
use crate::{mapping_files, schemas};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn run(args: &CheckArgs) -> ExitCode {
    let named: Vec<PathBuf> = args.files.iter().map(|file| far_enough(file)).collect();
    let Read { files, routes, mut faults, unreadable } = match read(args, &named) {
        Ok(read) => read,
        Err(message) => {
            out::error(message);
            return ExitCode::from(UNREADABLE);
        }
    };
    let (rules, mut found) = Rules::read(&files, Examples::Run);
    let summary = rules.as_ref().map(|rules| mappings(&files, rules, &mut found));
    // A file that cannot be used may be the one that knows a name.
    let whole = rules.filter(|_| !found.has_errors());
    let of_destinations = whole.map(|rules| destinations::check(&routes, &rules)).unwrap_or_default();
    faults.extend(of_destinations.faults);
    let mut warnings = of_destinations.warnings;
    if args.strict {
        found.make_errors();
        faults.append(&mut warnings);
    }
    if !named.is_empty() {
        let named: Vec<String> = named.iter().map(|file| file.display().to_string()).collect();
        found.keep(|finding| named.contains(&finding.file));
    }
    let sound = faults.is_empty() && !found.has_errors();
    let unreadable = unreadable || found.sorted().into_iter().any(|finding| files.is_unreadable(&finding.file));
    let changes = if args.files.is_empty() { folders::changes(&files) } else { Vec::new() };
    let of_settings = findings::OfSettings { faults: &faults, warnings: &warnings };
    say(args.format, &files, of_settings, &found, &changes, summary.filter(|_| sound));
    match (sound, unreadable) {
        (true, _) => ExitCode::SUCCESS,
        (false, true) => ExitCode::from(UNREADABLE),
        (false, false) => ExitCode::from(FAILED),
    }
}

/// The command that checks what a process was started with, for those who are told that something in it is wrong; they may
/// be in another folder.
pub(super) fn command(flags: &Flags, mappings_dir: Option<&Path>) -> String {
    let mut command = "hookglot check".to_owned();
    let config = config::file(flags, &super::environment());
    for (flag, path) in [("--config", config.as_deref()), ("--mappings-dir", mappings_dir)] {
        if let Some(path) = path {
            let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            command = format!("{command} {flag} {}", as_word(&whole.to_string_lossy()));
        }
    }
    command
}

/// A path as a shell takes it for one word.
fn as_word(path: &str) -> Cow<'_, str> {
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+:@%".contains(character);
    if path.chars().all(is_plain) { path.into() } else { format!("'{}'", path.replace('\'', r"'\''")).into() }
}

/// What is to be checked, and what is wrong before.
struct Read {
    files: Files,
    routes: Vec<Route>,
    faults: Vec<String>,
    unreadable: bool,
}

fn read(args: &CheckArgs, named: &[PathBuf]) -> Result<Read, String> {
    if let Some(first) = named.first() {
        let folder = folder_of(named, first)?;
        let files = mapping_files::with_folder(&folder).map_err(|error| error.to_string())?;
        return Ok(Read { files, routes: Vec::new(), faults: Vec::new(), unreadable: false });
    }
    Ok(match config::load(&args.flags(), &super::environment()) {
        Ok(settings) => Read { files: settings.files, routes: settings.routes, faults: Vec::new(), unreadable: false },
        Err(config::Refused { faults, unreadable, files, .. }) => {
            Read { files: *files, routes: Vec::new(), faults: faults.0, unreadable }
        }
    })
}

fn say(
    format: FindingsFormat,
    files: &Files,
    of_settings: findings::OfSettings<'_>,
    found: &Diagnostics,
    changes: &[String],
    summary: Option<String>,
) {
    match format {
        FindingsFormat::Text => {
            of_settings.faults.iter().for_each(out::error);
            for warning in of_settings.warnings {
                out::error(format!("warning: {warning}"));
            }
            for change in changes {
                out::line(change);
            }
            findings::print(found, files);
            if let Some(summary) = summary {
                out::line(&summary);
            }
        }
        FindingsFormat::Json => {
            out::line(&findings::json(found, of_settings));
        }
        FindingsFormat::Github => {
            let annotations = findings::github(found, of_settings);
            if !annotations.is_empty() {
                out::line(&annotations);
            }
        }
    }
}

/// The file as it is named, as long as the name has the two folders above it.
fn far_enough(file: &Path) -> PathBuf {
    match file.parent().and_then(Path::parent) {
        Some(_) => file.to_owned(),
        None => std::path::absolute(file).unwrap_or_else(|_| file.to_owned()),
    }
}

/// The folder that stands in the place of `mappings/` for files that are named alone: two above each of them.
fn folder_of(files: &[PathBuf], first: &Path) -> Result<PathBuf, String> {
    let above = |file: &Path| file.parent().and_then(Path::parent).map(Path::to_owned);
    for file in files {
        mapping_files::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
        if above(file) != above(first) {
            return Err(format!("{}: stands in another folder of mappings than {}", file.display(), first.display()));
        }
    }
    let folder = above(first).ok_or_else(|| {
        format!("{}: a mapping file stands in a folder such as gitflic-to-gitlab/ of a folder", first.display())
    })?;
    Ok(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder })
}

/// What there is in mapping files that have no errors; what else is found in them is noted.
fn mappings(files: &Files, rules: &Rules, found: &mut Diagnostics) -> String {
    let (mut mappings, mut examples) = (0, 0);
    for ((_, to), set) in &rules.directions {
        mappings += set.len();
        if let Some(target) = rules.forges.named(to) {
            examples += schemas::check(files, target, set, found);
        }
    }
    let names: Vec<&str> = rules.forges.iter().map(|forge| forge.name()).collect();
    let overlays = rules.overlays.iter().count();
    let names = names.join(" and ");
    let count = |number: usize, what| counted(number, what);
    let (mappings, examples) = (count(mappings, "mapping"), count(examples, "example"));
    format!("sound: forges {names}, {mappings}, {examples}, {}", count(overlays, "overlay"))
}
