//! Hooks that become examples, and show nobody.

use crate::samples;
use crate::support::{project_file, stored};
use hookglot::capture::{Captured, Original, capture};
use hookglot::config::Format;
use hookglot::delivery::{self, Wanted};
use hookglot::forge::private::{Holding, Private};
use hookglot::mapping::NoKnowledge;
use hookglot::mapping_files;
use hookglot::rules::Rules;
use hookglot::store::Hook;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

fn rules() -> Rules {
    Rules::load(&mapping_files::built_in()).unwrap_or_else(|faults| panic!("{faults}")).0
}

fn captured(rules: &Rules, hook: &Hook) -> Captured {
    let forge = rules.forges.named(&hook.forge).unwrap();
    let original = Original {
        forge,
        event: &hook.event,
        instance: hook.instance.as_deref(),
        headers: &hook.headers,
        body: &hook.body,
        seen: None,
    };
    capture(&original).unwrap_or_else(|fault| panic!("{} {}: {fault}", hook.forge, hook.event))
}

/// What is found at a path of names, lists left out.
fn texts(value: &Value, path: &mut Vec<String>, found: &mut impl FnMut(&[String], &str)) {
    match value {
        Value::String(text) => found(path, text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, path, found)),
        Value::Object(members) => {
            for (key, member) in members {
                path.push(key.clone());
                texts(member, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Types, keys, lengths, emptiness: everything but what texts say.
fn shape(value: &Value) -> Value {
    match value {
        Value::String(text) => (if text.trim().is_empty() { text.as_str() } else { "text" }).into(),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(members) => members.iter().map(|(key, member)| (key.clone(), shape(member))).collect(),
        Value::Number(number) => number.is_i64().into(),
        other => other.clone(),
    }
}

/// What a hook shows of people, in small letters.
fn shown(private: &Private, body: &Value) -> HashSet<String> {
    let mut all = HashSet::new();
    texts(body, &mut Vec::new(), &mut |path, text| {
        let held = private.holding(path);
        match held {
            Some(Holding::Name | Holding::Person) => all.extend(text.split('/').map(|part| part.trim().to_owned())),
            Some(Holding::Text) => all.extend(text.lines().map(|line| line.trim().to_owned())),
            Some(Holding::Secret) => drop(all.insert(text.to_owned())),
            Some(Holding::Plain) | None => {}
        }
        if held != Some(Holding::Secret) {
            for part in text.split(|character: char| character.is_whitespace() || "<>()[]\"'|,".contains(character)) {
                let is_address = part.contains("://") || part.contains('@');
                let own = part.split(['/', '@', ':', '?', '#']).filter(|own| own.contains('.') && is_address);
                all.extend(own.map(str::to_owned));
                if part.contains('@') {
                    all.insert(part.to_owned());
                }
                let is_digit = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
                let is_id =
                    part.len() >= 32 && part.bytes().all(is_digit) && part.bytes().any(|byte| !b"0-".contains(&byte));
                if is_id {
                    all.insert(part.to_owned());
                }
            }
        }
    });
    let is_version =
        |text: &str| text.trim_start_matches('v').bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_made_of_words = |text: &str| {
        text.split(['-', '_', '.']).all(|part| {
            private.is_word(part)
                || private.is_ending(part)
                || private.is_word(&part.to_lowercase())
                || is_version(part)
        })
    };
    all.retain(|text| text.len() > 2 && !is_version(text) && !is_made_of_words(text));
    all
}

/// Whether a text stands in another, as a word of its own.
fn stands_in(text: &str, all: &str) -> bool {
    all.match_indices(text).any(|(at, _)| {
        let before = all[..at].chars().next_back().is_none_or(|character| !character.is_alphanumeric());
        let behind = all[at + text.len()..].chars().next().is_none_or(|character| !character.is_alphanumeric());
        before && behind
    })
}

/// What is wrong with the example that was made of a hook.
fn faults(rules: &Rules, hook: &Hook, example: &Captured) -> Vec<String> {
    let (forge, mut faults) = (rules.forges.named(&hook.forge).unwrap(), Vec::new());
    let before: Value = serde_json::from_slice(&hook.body).unwrap();
    let after: Value = serde_json::from_str(&example.body).unwrap();
    if shape(&before) != shape(&after) {
        faults.push(format!("has another shape: {}\n{}", shape(&before), shape(&after)));
    }
    let mut seen = String::new();
    texts(&after, &mut Vec::new(), &mut |path, text| {
        if forge.private().holding(path) != Some(Holding::Plain) {
            seen += &text.to_lowercase();
            seen.push('\n');
        }
    });
    // The hosts that stand in place of others.
    let seen = seen.replace("example.org", "");
    for private in shown(forge.private(), &before) {
        if stands_in(&private.to_lowercase(), &seen) {
            faults.push(format!("shows `{private}`"));
        }
    }
    let again = stored(forge, example.headers.clone(), example.body.clone().into_bytes()).unwrap();
    if again.event != hook.event {
        faults.push(format!("is of {}", again.event));
    }
    if let (Ok(_), Err(refused)) = (outgoing(rules, hook), outgoing(rules, &again)) {
        faults.push(format!("is not translated any more: {refused}"));
    }
    faults
}

fn outgoing(rules: &Rules, hook: &Hook) -> Result<Vec<u8>, String> {
    let settings = serde_json::Map::new();
    let wanted = Wanted { format: &Format::Other, settings: &settings, overlays: &[] };
    delivery::outgoing(hook, wanted, rules, &NoKnowledge)
        .map(|(made, _)| made.body.to_vec())
        .map_err(|refused| refused.to_string())
}

/// The hooks of our own examples.
fn own_hooks(rules: &Rules) -> Vec<(String, Hook)> {
    let mut all = Vec::new();
    for forge in rules.forges.iter() {
        let other = rules.forges.other(forge.name()).unwrap().name();
        let folder = format!("mappings/{}-to-{other}/examples", forge.name());
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !name.ends_with(&format!(".{other}.json")) {
                let body = project_file(&format!("{folder}/{name}"));
                all.push((name, stored(forge, Vec::new(), body.into_bytes()).unwrap()));
            }
        }
    }
    all
}

fn check(rules: &Rules, hooks: impl IntoIterator<Item = (String, Hook)>) -> usize {
    let (mut count, mut all) = (0, Vec::new());
    for (name, hook) in hooks {
        let example = captured(rules, &hook);
        let own = faults(rules, &hook, &example);
        if !own.is_empty() {
            all.push(format!("{name} ({}): {}", hook.event, own.join("; ")));
        }
        assert_eq!(captured(rules, &hook), example, "{name}: it is the same each time");
        count += 1;
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    count
}

#[test]
fn every_example_of_ours_becomes_one_that_shows_nobody() {
    let rules = rules();
    assert!(check(&rules, own_hooks(&rules)) > 40);
}

#[test]
fn every_real_payload_becomes_one_that_shows_nobody() {
    let Some(folder) = std::env::var_os(samples::VARIABLE).map(PathBuf::from) else {
        eprintln!("{} is not set: no real payloads are captured", samples::VARIABLE);
        return;
    };
    let (rules, events) = (rules(), samples::gitlab_events(&folder));
    let hooks = samples::payloads(&folder).into_iter().filter_map(|path| {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        let hook = samples::hook(&rules.forges, &path, &name, &events)?;
        Some((name, hook))
    });
    eprintln!("{} payloads captured", check(&rules, hooks));
}

/// A hook that shows people wherever it can.
const COMMENT: &str = "tests/golden/captured/comment.json";

fn comment(rules: &Rules) -> Hook {
    let headers = [
        ("x-gitlab-event", "Note Hook"),
        ("x-gitlab-instance", "https://git.north-harbour.example"),
        ("x-forwarded-for", "203.0.113.7"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    stored(rules.forges.named("gitlab").unwrap(), headers, project_file(COMMENT).into_bytes()).unwrap()
}

#[test]
fn a_comment_becomes_the_example_that_is_at_hand() {
    let rules = rules();
    let hook = comment(&rules);
    let example = captured(&rules, &hook);
    let mut wrong = faults(&rules, &hook, &example);
    // Some of its keys name people.
    wrong.retain(|fault| !fault.starts_with("has another shape"));
    assert_eq!(wrong, Vec::<String>::new());
    let golden = COMMENT.replace(".json", ".example.json");
    if std::env::var_os("HOOKGLOT_BLESS").is_some() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(&golden), &example.body).unwrap();
    }
    assert_eq!(example.body, project_file(&golden));
    assert_eq!(example.headers, [("x-gitlab-event".to_owned(), "Note Hook".to_owned())]);
    assert_eq!((example.event.as_str(), example.instance.as_deref()), ("Note Hook", Some("forge.example.org")));
}

#[test]
fn what_was_known_before_is_replaced_by_the_same() {
    let rules = rules();
    let hook = comment(&rules);
    let seen = r#"{"title": "Lamps for the quay", "status": "opened", "author": {"name": "Olga Vetrova"}}"#;
    let original = Original {
        forge: rules.forges.named("gitlab").unwrap(),
        event: &hook.event,
        instance: hook.instance.as_deref(),
        headers: &hook.headers,
        body: &hook.body,
        seen: Some(seen),
    };
    let example = capture(&original).unwrap();
    let (body, seen): (Value, Value) =
        (serde_json::from_str(&example.body).unwrap(), serde_json::from_str(&example.seen.unwrap()).unwrap());
    assert_eq!(seen["title"], body["merge_request"]["title"]);
    assert_eq!((&seen["author"]["name"], &seen["status"]), (&body["user"]["name"], &"opened".into()));
}

#[test]
fn an_event_that_would_be_another_is_told() {
    let rules = rules();
    let forge = rules.forges.named("gitflic").unwrap();
    let body = br#"{"action": "olga@north-harbour.example", "project_id": "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92"}"#;
    let original =
        |body| Original { forge, event: "olga@north-harbour.example", instance: None, headers: &[], body, seen: None };
    let refused = capture(&original(body)).unwrap_err().to_string();
    assert!(refused.contains("`plain` in `private` of gitflic/forge.yaml"), "{refused}");
    let refused = capture(&original(b"{")).unwrap_err().to_string();
    assert!(refused.contains("line 1, column 2"), "{refused}");
}

#[test]
fn check_takes_a_captured_hook_as_an_example() {
    let rules = rules();
    let folder = tempfile::tempdir().unwrap();
    let mappings = folder.path().join("gitlab-to-gitflic");
    std::fs::create_dir_all(mappings.join("examples")).unwrap();
    let example = captured(&rules, &comment(&rules));
    std::fs::write(mappings.join("examples/captured.json"), &example.body).unwrap();
    let mapping = "mapping: 1\nname: captured\ndoc: A comment on a merge request.\nevent: Note Hook\n\
                   match: {object_attributes.noteable_type: MergeRequest, object_attributes.id: 700987}\n\
                   ignore: nobody reads it\n\
                   examples:\n  - {name: a real one, input: examples/captured.json, ignored: true}\n";
    std::fs::write(mappings.join("captured.yaml"), mapping).unwrap();
    let checked = crate::support::process::run(&["check", "--mappings-dir", folder.path().to_str().unwrap()]);
    assert_eq!(checked.code, Some(0), "{} {}", checked.out, checked.err);
}

#[test]
fn thousands_of_commits_stay_apart() {
    let rules = rules();
    let mut body: Value = serde_json::from_str(&crate::support::gitlab_push()).unwrap();
    let commit = |number: usize| {
        let id = format!("{number:040x}");
        json!({"id": id, "short_id": &id[34..], "message": format!("Lamp {number}"), "added": [format!("lamps/{number}.rs")]})
    };
    body["commits"] = (1..5_000).map(commit).collect();
    let forge = rules.forges.named("gitlab").unwrap();
    let hook = stored(forge, Vec::new(), body.to_string().into_bytes()).unwrap();
    let example: Value = serde_json::from_str(&captured(&rules, &hook).body).unwrap();
    let ids: HashSet<&str> =
        example["commits"].as_array().unwrap().iter().map(|own| own["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 4_999);
}
