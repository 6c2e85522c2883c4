//! `hookglot check`: everything that can be found wrong before hooks come.

use super::{CheckArgs, FAILED, FindingsFormat, UNREADABLE, findings, out};
use crate::config;
use crate::mapping::{Diagnostics, Files};
use crate::rules::{Rules, folders};
use crate::{mapping_files, schemas};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn run(args: &CheckArgs) -> ExitCode {
    let named: Vec<PathBuf> = args.files.iter().map(|file| far_enough(file)).collect();
    let Read { files, faults, unreadable } = match read(args, &named) {
        Ok(read) => read,
        Err(message) => {
            out::error(message);
            return ExitCode::from(UNREADABLE);
        }
    };
    let (summary, mut found) = mappings(&files);
    if args.strict {
        found.make_errors();
    }
    if !named.is_empty() {
        let named: Vec<String> = named.iter().map(|file| file.display().to_string()).collect();
        found.keep(|finding| named.contains(&finding.file));
    }
    let sound = faults.is_empty() && !found.has_errors();
    let unreadable = unreadable || found.sorted().into_iter().any(|finding| files.is_unreadable(&finding.file));
    let changes = if args.files.is_empty() { folders::changes(&files) } else { Vec::new() };
    say(args.format, &files, &faults, &found, &changes, summary.filter(|_| sound));
    match (sound, unreadable) {
        (true, _) => ExitCode::SUCCESS,
        (false, true) => ExitCode::from(UNREADABLE),
        (false, false) => ExitCode::from(FAILED),
    }
}

/// What is to be checked, and what is wrong before.
struct Read {
    files: Files,
    faults: Vec<String>,
    unreadable: bool,
}

fn read(args: &CheckArgs, named: &[PathBuf]) -> Result<Read, String> {
    if let Some(first) = named.first() {
        let folder = folder_of(named, first)?;
        let files = mapping_files::with_folder(&folder).map_err(|error| error.to_string())?;
        return Ok(Read { files, faults: Vec::new(), unreadable: false });
    }
    Ok(match config::load(&args.flags(), &super::environment()) {
        Ok(settings) => Read { files: settings.files, faults: Vec::new(), unreadable: false },
        Err(config::Refused { faults, unreadable, files }) => Read { files: *files, faults: faults.0, unreadable },
    })
}

fn say(
    format: FindingsFormat,
    files: &Files,
    faults: &[String],
    found: &Diagnostics,
    changes: &[String],
    summary: Option<String>,
) {
    match format {
        FindingsFormat::Text => {
            faults.iter().for_each(out::error);
            for change in changes {
                out::line(change);
            }
            findings::print(found, files);
            if let Some(summary) = summary {
                out::line(&summary);
            }
        }
        FindingsFormat::Json => {
            out::line(&findings::json(found, faults));
        }
        FindingsFormat::Github => {
            let annotations = findings::github(found, faults);
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

/// Everything that is found in the mapping files, and what there is when no error is among it.
fn mappings(files: &Files) -> (Option<String>, Diagnostics) {
    let (rules, mut found) = Rules::read(files);
    // Without the forges there is no schema to hold a body against.
    let Some(rules) = rules else { return (None, found) };
    let (mut mappings, mut examples) = (0, 0);
    for ((_, to), set) in &rules.directions {
        mappings += set.len();
        if let Some(target) = rules.forges.named(to) {
            examples += schemas::check(files, target, set, &mut found);
        }
    }
    let names: Vec<&str> = rules.forges.iter().map(|forge| forge.name()).collect();
    let overlays = rules.overlays.iter().count();
    let names = names.join(" and ");
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let (mappings, examples) = (count(mappings, "mapping"), count(examples, "example"));
    (Some(format!("sound: forges {names}, {mappings}, {examples}, {}", count(overlays, "overlay"))), found)
}
