use crate::support::app::{App, command, serve_in};
use crate::support::process::{Ended, Running, ended};
use crate::support::receiver::{Receiver, status};
use crate::support::script::TOKEN;
use crate::support::{gitflic_push, wait_for};
use serde_json::Value;
use std::process::Command;

/// A hookglot with a destination that is content and one that says 410.
struct Pier {
    app: App,
    quay: Receiver,
    _gone: Receiver,
    _folder: tempfile::TempDir,
}

fn pier() -> Pier {
    let (quay, gone) = (Receiver::content(), Receiver::scripted(|_| status(410, "")));
    let folder = tempfile::tempdir().unwrap();
    let to = |name: &str, url: &str| format!("[[route.to]]\nname = \"{name}\"\nurl = \"{url}\"\nformat = \"gitlab\"\n");
    let route = "[[route]]\npath = \"/\"\nsecret = \"none\"\n";
    let config = format!("admin_token = \"{TOKEN}\"\n{route}{}{}", to("quay", &quay.url), to("gone", &gone.url));
    Pier { app: App::start(serve_in(folder.path(), &config)), quay, _gone: gone, _folder: folder }
}

impl Pier {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut own = command(arguments);
        own.env("HOOKGLOT_ADMIN_URL", format!("http://{}", self.app.admin)).env("HOOKGLOT_ADMIN_TOKEN", TOKEN);
        own
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments))
    }

    /// Sends a push; gives the id of its hook.
    fn push(&self) -> String {
        self.app.post("/", &[], gitflic_push().as_bytes()).json()["delivery"].as_str().unwrap().to_owned()
    }

    /// Waits for a delivery to a destination that has ended so; gives its id.
    fn ended(&self, destination: &str, state: &str) -> String {
        wait_for(&format!("{destination} {state}"), || {
            let list = ["deliveries", "list", "--json", "--destination", destination, "--state", state];
            let first: Value = serde_json::from_str(self.run(&list).out.lines().next()?).unwrap();
            Some(first["id"].as_str().unwrap().to_owned())
        })
    }
}

#[test]
fn each_line_of_what_was_sent_names_the_line_that_made_it() {
    let pier = pier();
    pier.push();
    let shown = pier.run(&["deliveries", "show", &pier.ended("quay", "delivered")]);
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""), "{shown:?}");
    let line = shown.out.lines().find(|line| line.starts_with("  \"object_kind\": \"push\"")).unwrap();
    assert!(line.contains("  mappings/gitflic-to-gitlab/push.yaml:"), "{line}");
}

#[test]
fn routes_say_how_destinations_do() {
    let pier = pier();
    let before = pier.run(&["routes"]);
    assert!(before.out.starts_with("ROUTE  DESTINATION  FORMAT  HEALTH  PENDING "), "{before:?}");
    assert_eq!((before.code, before.out.lines().count()), (Some(0), 3), "{before:?}");
    pier.push();
    pier.ended("gone", "failed");
    pier.ended("quay", "delivered");
    let after = pier.run(&["routes"]);
    let of = |name: &str| after.out.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(of(" quay ").contains("gitlab  ok       0") && of(" quay ").ends_with(&pier.quay.url), "{after:?}");
    assert!(of(" gone ").contains("gitlab  failing  0"), "{after:?}");
    let json = pier.run(&["routes", "--json"]).json();
    assert_eq!(json["destinations"][1]["since_start"]["failed"], 1);
}

#[test]
fn a_tail_prints_what_happens_while_it_happens() {
    const SAID: [&str; 5] = [
        "Z  hook     ",
        " BRANCH_UPDATE of gitflic on /",
        " to quay, attempt 1: 200 delivered in ",
        " to quay: delivered",
        " to gone: failed",
    ];
    let pier = pier();
    let tails = [&[][..], &["--json", "--destination", "quay", "--state", "delivered"]];
    let tails = tails.map(|more| Running::start(pier.command(&[&["deliveries", "tail"], more].concat()), b""));
    // Whether it listens shows by what it prints, so hooks come until it does.
    wait_for("what happens", || {
        pier.push();
        let (all, delivered) = (tails[0].out(), tails[1].out());
        (SAID.iter().all(|words| all.contains(words)) && !delivered.is_empty()).then_some(())
    });
    for tail in &tails {
        tail.signal("INT");
    }
    let [all, delivered] = tails.map(Running::end);
    assert_eq!((all.code, all.err.as_str()), (Some(0), ""), "{all:?}");
    for line in delivered.out.lines() {
        let told: Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&told["kind"], &told["state"], &told["destination"]),
            (&"ended".into(), &"delivered".into(), &"quay".into())
        );
    }
}

#[test]
fn a_diff_of_what_has_not_changed_is_none() {
    let pier = pier();
    pier.push();
    let id = pier.ended("quay", "delivered");
    let same = pier.run(&["deliveries", "diff", &id]);
    assert_eq!((same.code, same.out.as_str(), same.err.as_str()), (Some(0), "", ""), "{same:?}");
    let json = pier.run(&["deliveries", "diff", &id, "--json"]).json();
    assert_eq!((&json["same"], &json["changes"]), (&true.into(), &Value::Array(Vec::new())));
    assert!(pier.run(&["deliveries", "diff", "harbour"]).says(2).contains("`harbour` is not the id of a delivery"));
}

#[test]
fn a_resend_sends_the_same_once_more() {
    let pier = pier();
    let hook = pier.push();
    let (delivered, failed) = (pier.ended("quay", "delivered"), pier.ended("gone", "failed"));
    let again = pier.run(&["deliveries", "resend", &delivered]);
    assert!(again.code == Some(0) && again.out.contains("  quay         queued  "), "{again:?}");
    let got = pier.quay.wait_for(2);
    assert_eq!(got[0].body, got[1].body);
    assert_eq!(got[0].header("Idempotency-Key"), got[1].header("Idempotency-Key"));
    let listed = pier.run(&["deliveries", "list", "--resent"]);
    assert!(listed.out.contains(&delivered) && listed.out.contains("sent again as "), "{listed:?}");

    // A hook that was there before goes to one destination only.
    let forced = pier.run(&["deliveries", "resend", &hook, "--to", "quay"]);
    assert_eq!(forced.code, Some(1), "both have it: {forced:?}");
    assert!(forced.out.contains("refused"), "{forced:?}");
    let unknown = pier.run(&["deliveries", "resend", &hook, "--to", "berth"]);
    assert!(unknown.says(1).contains("has no destination `berth`: it has quay, gone"), "{unknown:?}");
    let strange = pier.app.post("/", &[], br#"{"tide": "high"}"#).json();
    let refused = pier.run(&["deliveries", "resend", strange["delivery"].as_str().unwrap(), "--to", "*"]);
    assert!(refused.says(1).contains("no forge is recognised in this hook"), "{refused:?}");
    // One that no destination lists.
    let check = crate::support::project_file("mappings/gitflic-to-gitlab/examples/TEST_WEBHOOK.json");
    let nobodys = pier.app.post("/", &[], check.as_bytes()).json();
    assert_eq!(nobodys["status"], "ignored");
    let forced = pier.run(&["deliveries", "resend", nobodys["delivery"].as_str().unwrap(), "--to", "*"]);
    assert_eq!(forced.out.matches("queued").count(), 2, "{forced:?}");

    let filter = ["deliveries", "resend", "--state", "failed", "--event", "BRANCH_UPDATE"];
    let counted = pier.run(&[&filter[..], &["--dry-run"]].concat());
    assert!(counted.out.starts_with("would send 1\n") && counted.out.contains(&failed), "{counted:?}");
    let all = pier.run(&[&filter[..], &["--yes", "--json"]].concat());
    assert_eq!(all.code, Some(0), "{all:?}");
    let done: Value = serde_json::from_str(all.out.lines().last().unwrap()).unwrap();
    assert_eq!((&done["state"], &done["sent"], &done["found"]), (&"done".into(), &1.into(), &1.into()));
}
