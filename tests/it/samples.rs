use hookglot::config::Format;
use hookglot::delivery::{self, Refused, Wanted};
use hookglot::forge::{Forges, Header};
use hookglot::mapping::NoKnowledge;
use hookglot::mapping::json::Document;
use hookglot::mapping_files;
use hookglot::rules::Rules;
use hookglot::schemas::Schemas;
use hookglot::store::Hook;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Names a folder with real payloads of both forges; without it there is nothing to run.
pub const VARIABLE: &str = "HOOKGLOT_SAMPLES";

/// Every payload must become a body that its schema accepts, or be ignored with the reason that a mapping gives.
#[test]
fn every_real_payload_translates_into_what_its_schema_accepts_or_is_ignored_with_a_reason() {
    let Some(folder) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        eprintln!("{VARIABLE} is not set: no real payloads are run");
        return;
    };
    let files = mapping_files::built_in();
    let (rules, _) = Rules::load(&files).unwrap_or_else(|faults| panic!("{faults}"));
    let (forges, settings) = (&rules.forges, serde_json::Map::new());
    let wanted = Wanted { format: &Format::Other, settings: &settings, overlays: &[] };
    let mut schemas: HashMap<&str, Schemas<'_>> =
        forges.iter().map(|forge| (forge.name(), Schemas::new(&files, forges.other(forge.name()).unwrap()))).collect();
    let events = gitlab_events(&folder);
    let (mut translated, mut ignored, mut faults) = (0, 0, Vec::new());
    for path in payloads(&folder) {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        let Some(hook) = hook(forges, &path, &name, &events) else {
            faults.push(format!("{name}: no forge recognises it"));
            continue;
        };
        match delivery::outgoing(&hook, wanted, &rules, &NoKnowledge) {
            Ok((outgoing, _)) => {
                let body = serde_json::from_slice(&outgoing.body).unwrap_or_else(|error| panic!("{name}: {error}"));
                if let Err(wrong) = schemas.get_mut(&*hook.forge).unwrap().validate(&outgoing.headers, &body) {
                    let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
                    faults.push(format!("{name} ({}): {}", hook.event, wrong.join("; ")));
                }
                translated += 1;
            }
            Err(Refused::Ignored(reason)) if !reason.starts_with("no mapping for the event") => ignored += 1,
            Err(refused) => faults.push(format!("{name} ({}): {refused}", hook.event)),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(translated > 0, "there is nothing to translate among the payloads in {}", folder.display());
    eprintln!("{translated} payloads translated, {ignored} ignored with a reason");
}

/// The event header of each GitLab payload, from the index and from the file beside a payload.
pub fn gitlab_events(folder: &Path) -> Vec<(String, String)> {
    let index = std::fs::read_to_string(folder.join("gitlab/INDEX.tsv")).unwrap_or_default();
    let listed = index.lines().skip(1).filter_map(|line| {
        let mut columns = line.split('\t');
        Some((format!("gitlab/{}", columns.next()?), columns.nth(3)?.to_owned()))
    });
    listed.collect()
}

pub fn payloads(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("docs-rest-api") && !path.ends_with("docs-rest-api-assembled") {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The payload as it would be stored.
pub fn hook(forges: &Forges, path: &Path, name: &str, events: &[(String, String)]) -> Option<Hook> {
    let body = std::fs::read(path).unwrap();
    let beside = std::fs::read_to_string(path.with_extension("event")).ok().map(|event| event.trim().to_owned());
    let event = beside.or_else(|| events.iter().find(|(own, _)| own == name).map(|(_, event)| event.clone()));
    let header = forges.named("gitlab").unwrap().event_header().unwrap().to_owned();
    let headers: Vec<Header> =
        event.filter(|event| !event.is_empty()).map(|event| (header, event)).into_iter().collect();
    let document = Document::parse(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
    let accepted = vec!["gitflic".to_owned(), "gitlab".to_owned()];
    let forge = forges.recognise(&accepted, document.root(), &headers)?;
    Some(crate::support::stored(forge, headers, body.clone()).unwrap_or_else(|fault| panic!("{name}: {fault}")))
}
