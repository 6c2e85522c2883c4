//! What is tried with any bytes at all: each function must come to its end, whatever it is given.
//!
//! `scripts/fuzz.sh` runs them under a fuzzer; the tests run them over their seeds and over everything that was found.
#![allow(dead_code, reason = "a fuzzer's binary uses one of them")]

use hookglot::config::Format;
use hookglot::delivery::{self, Refused, Wanted};
use hookglot::forge::{Forges, Header};
use hookglot::mapping::json::Document;
use hookglot::mapping::{Files, Mappings, NoKnowledge, Surroundings};
use hookglot::mapping_files;
use hookglot::rules::Rules;
use hookglot::store::Hook;
use serde_json::{Map, Value};
use std::sync::LazyLock;

static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::load(&mapping_files::built_in()).expect("the built-in files have no faults").0);

/// A hook for mappings that nobody has written yet.
const HOOK: &str = r#"{"action": "TIDE", "x": {"t": "Tide", "n": 41, "f": -1.5e3, "b": true, "l": [1, "two", {"k": "v"}]},
    "at": "2021-03-04T07:16:00+03:00", "u": "1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71", "e": "", "o": {}}"#;

/// An expression in a field and in a condition: it is compiled, and where it compiles it runs and is explained.
pub(crate) fn expression(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (hole, condition) = (Value::from(format!("${{{text}}}")), Value::from(text));
    mapping_of(&format!(
        "mapping: 1\nname: tide\nevent: TIDE\nlet: {{l: {hole}}}\nbody: {{made: {hole}, text: {}, l: '${{l}}', \
         case: {{$case: [{{when: {condition}, then: yes}}, {{else: no}}]}}}}\n\
         examples: [{{name: any, input: {{action: TIDE}}, expect: {{}}}}]\n",
        Value::from(format!("a ${{{text}}} b")),
    ));
}

/// A mapping file as it stands.
pub(crate) fn mapping_file(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        mapping_of(text);
    }
}

fn mapping_of(text: &str) {
    let mut files = Files::default();
    files.insert("tide/tide.yaml", "tide.yaml", text.to_owned());
    match Mappings::load(&files, "tide", true) {
        Ok((set, warnings)) => {
            drop(warnings.to_string());
            run(&set, HOOK.as_bytes());
        }
        Err(faults) => drop(faults.to_string()),
    }
}

fn run(set: &Mappings, body: &[u8]) {
    let hook = Document::parse(body).expect("JSON");
    let beside = Surroundings { instance: "git.example.org", ..Surroundings::new(&NoKnowledge) };
    for description in set.descriptions() {
        for event in description.events {
            if let Ok(made) = set.translate(event, hook.root(), &beside) {
                serde_json::from_slice::<Value>(&made.body).expect("what is made of a hook is JSON");
                set.explain(event, hook.root(), &beside).expect("what can be translated can be explained");
            }
        }
    }
}

/// A forge file as it stands.
pub(crate) fn forge_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut files = Files::default();
    files.insert("tide/forge.yaml", "forge.yaml", text.to_owned());
    match Forges::load(&files) {
        Ok(forges) => {
            let hook = Document::parse(HOOK.as_bytes()).expect("JSON");
            for forge in forges.iter() {
                let _ = forge.recognises(hook.root(), &[]);
                let _ = forge.identify(hook.root(), &[]);
            }
        }
        Err(faults) => drop(faults.to_string()),
    }
}

/// A request: lines of headers, an empty line, a body. It is recognised and named as `serve` does it.
pub(crate) fn recognition(data: &[u8]) {
    let (headers, body) = request(data);
    let Ok(document) = Document::parse(body) else { return };
    // What is JSON to us is JSON to everybody: hardly anything is worse than to read another hook than others do.
    assert!(serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok(), "only we take it for JSON");
    let accepted = ["gitlab".to_owned(), "gitflic".to_owned()];
    if let Some(forge) = RULES.forges.recognise(&accepted, document.root(), &headers) {
        let _ = forge.identify(document.root(), &headers);
    }
}

/// A request as [`recognition`] has it, translated into the other forge's format.
pub(crate) fn translation(data: &[u8]) {
    let (headers, body) = request(data);
    let Some(hook) = stored(headers, body) else { return };
    let (settings, overlays) = (Map::new(), ["atlantis".to_owned()]);
    let wanted = Wanted { format: &Format::Other, settings: &settings, overlays: &overlays };
    match delivery::outgoing(&hook, wanted, &RULES) {
        Ok((outgoing, _)) => {
            serde_json::from_slice::<Value>(&outgoing.body).expect("what is made of a hook is JSON");
            delivery::explain(&hook, wanted, &RULES).expect("what can be translated can be explained");
        }
        Err(Refused::Ignored(reason)) => assert!(!reason.is_empty()),
        Err(Refused::Failed(message)) => assert!(message.starts_with("mappings/"), "{message} names no line"),
    }
}

fn request(data: &[u8]) -> (Vec<Header>, &[u8]) {
    let (mut headers, mut rest) = (Vec::new(), data);
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, behind) = rest.split_at(end);
        rest = &behind[1..];
        let Ok(line) = std::str::from_utf8(line) else { break };
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    (headers, rest)
}

fn stored(headers: Vec<Header>, body: &[u8]) -> Option<Hook> {
    let document = Document::parse(body).ok()?;
    let accepted = ["gitlab".to_owned(), "gitflic".to_owned()];
    let forge = RULES.forges.recognise(&accepted, document.root(), &headers)?;
    let identity = forge.identify(document.root(), &headers).ok()?;
    Some(Hook {
        id: uuid::Uuid::nil(),
        route: "/".to_owned(),
        forge: forge.name().to_owned(),
        event: identity.event,
        project: identity.project,
        instance: identity.instance,
        delivery_key: identity.delivery_key,
        hops: 0,
        received_at: jiff::Timestamp::UNIX_EPOCH,
        headers,
        body: body.to_vec(),
    })
}
