/// What Buildbot makes of a hook, by what its manual says.
mod changes;
/// A Buildbot of one test's own.
mod master;

use super::{KINDS, Made, examples, kind, name, of_the_day, whole_hooks};
use crate::support::app::App;
use crate::support::receiver::Receiver;
use crate::support::wait_for;
use changes::{Change, expected, promised, promised_source};
use hookglot::mapping::ExampleOutput;
use master::Master;
use serde_json::Value;
use std::collections::BTreeSet;

/// Names the folder with Buildbot's programs; `scripts/test.sh` sets it, and without it there is nothing to run.
const VARIABLE: &str = "HOOKGLOT_BUILDBOT";

/// When an example's hook came in; a real one comes in when it comes.
const RECEIVED: [&str; 2] = ["2026-01-02T03:04:05", "2026-01-02 03:04:05"];

fn master() -> Option<Master> {
    let Some(programs) = std::env::var_os(VARIABLE) else {
        eprintln!("{VARIABLE} is not set: no hook is sent to Buildbot (scripts/buildbot.sh installs it)");
        return None;
    };
    Some(Master::start(programs.as_ref()))
}

/// A route for each example, so that none learns from another; behind each Buildbot, and one who keeps what Buildbot got.
fn config(examples: &[ExampleOutput], buildbot: &str, token: &str, witness: &str) -> String {
    // Every event that some example is of, also those that no destination gets unless it lists them.
    let events: BTreeSet<&str> = examples.iter().map(|example| example.event.as_str()).collect();
    let events = format!("{:?}", events.into_iter().collect::<Vec<_>>());
    let routes = (0..examples.len()).map(|number| {
        format!(
            "[[route]]\npath = \"/{number}\"\nsecret = \"tin-lantern-7\"\n\
             [[route.to]]\nname = \"buildbot-{number}\"\nurl = \"{buildbot}\"\nformat = \"gitlab\"\n\
             token = \"{token}\"\nevents = {events}\n\
             [[route.to]]\nname = \"witness-{number}\"\nurl = \"{witness}\"\nformat = \"gitlab\"\nevents = {events}\n"
        )
    });
    // Each example stands alone: none learns of another.
    format!("[retention]\nstates = \"0s\"\n{}", routes.collect::<String>())
}

/// Whether a running hookglot makes of the hook what the example says. Where the hook does not tell from which GitFlic it
/// comes, or the example stands for another event, or what comes out is made of the hook's own id, it does not.
fn is_repeatable(example: &ExampleOutput) -> bool {
    let tells_origin = example.input["project"]["http_transport_url"].is_string();
    let of_this_hook = example.fields.iter().flat_map(|field| &field.sources).any(|source| source.path == "hook.id");
    example.stands_alone && tells_origin && example.input["action"] == example.event && !of_this_hook
}

/// Sends the hook of an example as GitFlic does.
fn send(app: &App, number: usize, example: &ExampleOutput) {
    let headers = [("Content-Type", "application/json"), ("Gitflic-Webhook-Secret", "tin-lantern-7")];
    let answer = app.post(&format!("/{number}"), &headers, example.input.to_string().as_bytes());
    assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("stored")), "{}", name(example));
}

/// How a delivery has ended, or what Buildbot said when it is tried again.
fn end(app: &App, number: usize) -> &'static str {
    const REFUSED: [&str; 4] = ["4xx", "5xx", "timeout", "unreachable"];
    const ENDED: [&str; 3] = ["delivered", "ignored", "failed"];
    wait_for(&format!("an end of the delivery to buildbot-{number}"), || {
        let metrics = app.get_admin("/metrics").body;
        let has = |metric: &str, label: &str, value: &str| {
            let line = format!("hookglot_{metric}{{destination=\"buildbot-{number}\",{label}=\"{value}\"}} ");
            metrics.lines().any(|own| own.strip_prefix(&line).is_some_and(|count| count != "0"))
        };
        let refused = REFUSED.into_iter().find(|result| has("attempts_total", "result", result));
        refused.or_else(|| ENDED.into_iter().find(|outcome| has("deliveries_total", "outcome", outcome)))
    })
}

#[test]
fn buildbot_shows_the_changes_of_every_example() {
    let Some(master) = master() else { return };
    let (witness, folder, examples) = (Receiver::content(), tempfile::tempdir().unwrap(), examples());
    let app = App::with_config(folder.path(), &config(&examples, &master.hook_url(), master::TOKEN, &witness.url));
    let (mut seen, mut categories) = (0, BTreeSet::new());
    let mut delivered = 0;
    for (number, example) in examples.iter().enumerate() {
        let name = name(example);
        send(&app, number, example);
        let end = end(&app, number);
        // Buildbot answers after it has stored the changes.
        let shown = master.changes_after(seen);
        seen += shown.len();
        let Some((_, golden)) = &example.output else {
            assert_eq!((end, shown.len()), ("ignored", 0), "{name}");
            continue;
        };
        assert_eq!(end, "delivered", "{name}\n{}", master.log());
        delivered += 1;
        let got = witness.wait_for(delivered)[delivered - 1].json();
        if is_repeatable(example) {
            assert_same(golden, &got, &name);
        }
        let shown: Vec<Change> = shown.iter().map(Change::shown).collect();
        assert_eq!(shown, expected(&got), "{name}");
        if let Some((branch, revisions)) = promised(&example.input) {
            let own: Vec<_> = shown.iter().map(|change| (change.branch.clone(), change.revision.clone())).collect();
            let told: Vec<_> = revisions.into_iter().map(|revision| (branch.clone(), revision)).collect();
            assert_eq!(own, told, "{name}");
        }
        if let Some(source) = promised_source(&example.input) {
            assert!(shown.iter().all(|change| change.source().is_none_or(|own| own == source)), "{name}: {shown:?}");
        }
        categories.extend(shown.into_iter().map(|change| change.category));
    }
    for (kind, category) in
        [("push", "push"), ("tag-push", "tag_push"), ("merge-request", "merge_request"), ("note-mr", "note")]
    {
        assert!(!KINDS.contains(&kind) || categories.contains(category), "no {kind} has become a change");
    }
    let log = master.log();
    assert!(!log.contains("Traceback"), "{log}");
}

#[test]
fn buildbot_shows_the_changes_of_gitlabs_own_hooks() {
    as_they_are(&whole_hooks());
}

#[test]
fn buildbot_shows_the_changes_of_the_day_in_a_project() {
    let hooks: Vec<Made> = of_the_day().into_iter().filter(|own| kind(&own.body).is_some()).collect();
    assert!(hooks.len() > 50, "{} hooks", hooks.len());
    as_they_are(&hooks);
}

/// Sends hooks that are GitLab's already, each on a route of its own, and holds what Buildbot shows of them.
fn as_they_are(hooks: &[Made]) {
    let Some(master) = master() else { return };
    let folder = tempfile::tempdir().unwrap();
    let to = format!("url = \"{}\"\nformat = \"gitlab\"\ntoken = \"{}\"", master.hook_url(), master::TOKEN);
    let routes = (0..hooks.len()).map(|number| {
        format!(
            "[[route]]\npath = \"/{number}\"\nsecret = \"none\"\n[[route.to]]\nname = \"buildbot-{number}\"\n{to}\n"
        )
    });
    let app = App::with_config(folder.path(), &routes.collect::<String>());
    let mut seen = 0;
    for (number, own) in hooks.iter().enumerate() {
        let headers = [("X-Gitlab-Event", own.header("X-Gitlab-Event"))];
        let answer = app.post(&format!("/{number}"), &headers, own.body.to_string().as_bytes());
        assert_eq!(answer.json()["status"], "stored", "{}", own.name);
        assert_eq!(end(&app, number), "delivered", "{}\n{}", own.name, master.log());
        let shown = master.changes_after(seen);
        seen += shown.len();
        assert_eq!(shown.iter().map(Change::shown).collect::<Vec<_>>(), expected(&own.body), "{}", own.name);
    }
}

#[test]
fn buildbot_refuses_a_wrong_token_and_hookglot_says_so() {
    let Some(master) = master() else { return };
    let (witness, folder, examples) = (Receiver::content(), tempfile::tempdir().unwrap(), examples());
    let first = examples.iter().position(|example| example.output.is_some()).expect("a translated example");
    let (example, hook) = (&examples[first], master.hook_url());
    let app = App::with_config(folder.path(), &config(&examples[first..=first], &hook, "another", &witness.url));
    send(&app, 0, example);
    assert_eq!(end(&app, 0), "4xx");
    let line = app.wait_for_log("WARN attempt");
    assert!(line.contains("destination=\"buildbot-0\"") && line.contains("status=400"), "{line}");
    assert_eq!(master.changes_after(0).len(), 0);
}

/// What was delivered is the golden output, but for the moment at which the hook came in.
fn assert_same(golden: &Value, got: &Value, name: &str) {
    match (golden, got) {
        (Value::Object(wanted), Value::Object(own)) => {
            assert!(wanted.keys().eq(own.keys()), "{name}: {golden} {got}");
            wanted.iter().for_each(|(key, value)| assert_same(value, &own[key], name));
        }
        (Value::Array(wanted), Value::Array(own)) => {
            assert_eq!(wanted.len(), own.len(), "{name}: {golden} {got}");
            wanted.iter().zip(own).for_each(|(value, own)| assert_same(value, own, name));
        }
        (Value::String(text), Value::String(_)) if RECEIVED.iter().any(|moment| text.starts_with(moment)) => {}
        _ => assert_eq!(golden, got, "{name}"),
    }
}
