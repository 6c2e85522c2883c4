//! The person on call has a terminal with hookglot's commands, an editor, and the chat that alerts go to.

use crate::erasing::{WRITES, config, look};
use crate::mappings_dir::{Folder, PUSH, edited, with_line};
use crate::support::app::{App, command, serve_in};
use crate::support::load::{mark, numbered_push};
use crate::support::process::{Ended, ended};
use crate::support::receiver::{Got, Receiver};
use crate::support::tool::nobodys_address;
use crate::support::{project_file, wait_for};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;

const ISSUE: &str = "mappings/gitflic-to-gitlab/examples/ISSUE_CREATE.json";
/// What the tool says to a push whose branch it cannot read.
const REFUSAL: &str = "ref: expected refs/heads/";

/// What stands in the team's mapping of pushes for the branch.
fn mapping(line: &str, expect: &str) -> String {
    edited(PUSH, "ref", line, expect)
}

/// The mapping as the team wrote it, and as it should be.
fn wrong() -> String {
    mapping("ref: ${push.ref! | strip_prefix('refs/heads/')}", "{ref: main}")
}

fn right() -> String {
    with_line(&wrong(), "ref", "ref: refs/heads/${push.ref! | strip_prefix('refs/heads/')}")
        .replace("expect: {ref: main}", "expect: {ref: refs/heads/main}")
}

/// A tool that is picky about branches.
fn tool_at(address: SocketAddr) -> Receiver {
    Receiver::answering_at(address, |_, got| {
        let is_fine = takes(got);
        let (status, text) = if is_fine { (200, "built") } else { (422, REFUSAL) };
        format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n\r\n{text}", text.len())
    })
}

/// Whether the tool takes a hook.
fn takes(got: &Got) -> bool {
    got.json()["ref"].as_str().is_none_or(|branch| branch.starts_with("refs/heads/"))
}

struct OnCall {
    app: App,
    chat: Receiver,
    mappings: Folder,
    _folder: tempfile::TempDir,
}

impl OnCall {
    /// A hookglot whose tool is not there yet, with the mapping that nobody has tried.
    fn before(address: SocketAddr) -> Self {
        let (chat, mappings) = (Receiver::content(), Folder::with(&[(PUSH, &wrong())]));
        let folder = tempfile::tempdir().unwrap();
        let tool = config(&format!("http://{address}/tool")).replace("[\"1h\"]", "[\"100ms\", \"100ms\", \"1h\"]");
        let alert = format!("[[alert]]\nname = \"chat\"\nurl = \"{}\"\non = [\"failed\", \"breaker\"]\n", chat.url);
        let mut serve = serve_in(folder.path(), &format!("{alert}{tool}breaker = 2\nprobe = \"200ms\"\n"));
        serve.args(["--mappings-dir", mappings.path()]);
        serve.env("HOOKGLOT_ALERTS__CALM", "0s");
        serve.env("HOOKGLOT_RELOAD__DEBOUNCE", "20ms").env("HOOKGLOT_RELOAD__POLL", "200ms");
        Self { app: App::start(serve), chat, mappings, _folder: folder }
    }

    fn sends(&self, body: &str) {
        assert_eq!(self.app.post("/", &[], body.as_bytes()).json()["status"], "stored");
    }

    fn types(&self, arguments: &[&str]) -> Ended {
        let mut own = command(arguments);
        own.env("HOOKGLOT_ADMIN_URL", format!("http://{}", self.app.admin)).env("HOOKGLOT_ADMIN_TOKEN", WRITES);
        ended(own)
    }

    /// The ids of the deliveries that a list shows.
    fn lists(&self, filter: &[&str]) -> Vec<String> {
        let list = self.types(&[&["deliveries", "list", "--all", "--json"], filter].concat());
        assert_eq!((list.code, list.err.as_str()), (Some(0), ""), "{list:?}");
        let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
        list.out.lines().map(id).collect()
    }

    /// Waits for a list of so many.
    fn waits_for(&self, count: usize, filter: &[&str]) -> Vec<String> {
        wait_for(&format!("{count} of {filter:?}"), || Some(self.lists(filter)).filter(|ids| ids.len() == count))
    }

    /// What the chat told of a kind of trouble.
    fn told(&self, kind: &str) -> Vec<String> {
        let told = self.chat.got().iter().map(Got::json).collect::<Vec<_>>();
        let wanted = told.iter().filter(|own| own["kind"] == kind);
        wanted.map(|own| own["state"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until the chat tells something.
    fn is_told(&self, kind: &str, state: &str) -> Value {
        wait_for(&format!("{kind} {state}"), || {
            let told = self.chat.got().iter().map(Got::json).collect::<Vec<_>>();
            told.into_iter().find(|own| own["kind"] == kind && own["state"] == state)
        })
    }
}

/// How often the tool took each hook, by what names it: a commit, or the kind of an event.
fn taken(tool: &Receiver) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for got in tool.got().iter().filter(|got| takes(got)) {
        let body = got.json();
        let name = body["after"].as_str().or_else(|| body["object_kind"].as_str()).unwrap();
        *all.entry(name.to_owned()).or_default() += 1;
    }
    all
}

#[test]
fn a_tool_is_down_on_call_finds_it_mends_the_mapping_and_each_hook_arrives_once() {
    let address = nobodys_address();
    let on_call = OnCall::before(address);
    // The tool is down, and hooks come all the same.
    (0..4).for_each(|number| on_call.sends(&numbered_push(number)));
    on_call.sends(&project_file(ISSUE));
    assert_eq!(on_call.is_told("breaker", "firing")["destination"], "tool");
    let routes = on_call.types(&["routes"]);
    assert!(routes.code == Some(0) && routes.out.contains("down, breaker open  5 "), "{routes:?}");
    on_call.waits_for(5, &["--state", "pending"]);

    // It is back, and takes the issue, but no push.
    let tool = tool_at(address);
    on_call.is_told("breaker", "resolved");
    let told = on_call.is_told("failed", "firing");
    assert!(told["reason"].as_str().unwrap().contains("422"), "{told}");
    let look_with: Vec<&str> = told["look"].as_str().unwrap().split(' ').skip(1).collect();
    let failed = on_call.waits_for(4, &["--state", "failed"]);
    assert!(on_call.types(&look_with).out.contains(&failed[0]), "{look_with:?}");
    on_call.waits_for(1, &["--state", "delivered"]);
    let routes = on_call.types(&["routes"]);
    assert!(!routes.out.contains("breaker open"), "{routes:?}");

    // What was sent, by which line, and what the tool said to it.
    let shown = on_call.types(&["deliveries", "show", &failed[0]]);
    assert!(shown.code == Some(0) && shown.out.contains(REFUSAL), "{shown:?}");
    let wrong = wrong();
    let line = wrong.lines().position(|line| line.starts_with("  ref: ")).unwrap() + 1;
    let made_by = format!("{}:{line}", on_call.mappings.shown(PUSH));
    let of_ref = shown.out.lines().find(|own| own.contains("\"ref\": \"main\"")).unwrap();
    assert!(of_ref.contains(&made_by), "{of_ref}\n{made_by}");

    // It is mended, and what differs is shown before anything is sent.
    let same = on_call.types(&["deliveries", "diff", &failed[0]]);
    assert_eq!((same.code, same.out.as_str()), (Some(0), ""), "{same:?}");
    on_call.mappings.write(PUSH, &right());
    let change = "- ref = \"main\"\n+ ref = \"refs/heads/main\"\n";
    wait_for("the mended mapping", || {
        let diff = on_call.types(&["deliveries", "diff", &failed[0]]);
        (diff.code == Some(1) && diff.out == change).then_some(())
    });
    let changed = on_call.types(&["deliveries", "show", &failed[0]]);
    assert!(changed.err.contains("the mappings have changed since"), "{changed:?}");
    let first = on_call.types(&["deliveries", "resend", &failed[0], "--anew", "--yes"]);
    assert!(first.code == Some(0) && first.err.starts_with(change), "{first:?}");
    assert!(first.out.contains("tool         queued"), "{first:?}");
    on_call.waits_for(2, &["--state", "delivered"]);

    // The rest, all at once: those that were sent again are not sent once more.
    let rest = ["deliveries", "resend", "--state", "failed", "--destination", "tool", "--anew"];
    let counted = on_call.types(&[&rest[..], &["--dry-run"]].concat());
    assert!(counted.out.starts_with("would send 3, 3 with another body\n"), "{counted:?}");
    let all = on_call.types(&[&rest[..], &["--yes"]].concat());
    assert!(
        all.code == Some(0) && all.out.ends_with("3 of 4 sent again\nnot sent 1: it was sent again already\n"),
        "{all:?}"
    );
    on_call.sends(&numbered_push(4));
    on_call.waits_for(6, &["--state", "delivered"]);
    // The issue that arrived between the pushes may have ended the trouble once before.
    wait_for("the end of the trouble", || (on_call.told("failed").last()? == "resolved").then_some(()));
    let once: BTreeMap<String, usize> = (0..5).map(mark).chain(["issue".to_owned()]).map(|name| (name, 1)).collect();
    assert_eq!(taken(&tool), once);
    for got in tool.got().iter().filter(|got| takes(got) && got.json()["object_kind"] == "push") {
        assert_eq!(got.json()["ref"], "refs/heads/main");
    }

    // Nothing is left, and it can be read who did what.
    assert_eq!(on_call.lists(&["--state", "failed", "--not-resent"]), [""; 0]);
    assert_eq!(on_call.lists(&["--state", "pending"]), [""; 0]);
    let again = on_call.types(&[&rest[..], &["--yes"]].concat());
    assert!(again.out.starts_with("would send 0\n"), "{again:?}");
    assert_eq!(on_call.told("breaker"), ["firing", "resolved"]);
    let entries = look(&on_call.app, "/api/v1/audit")["items"].as_array().unwrap().clone();
    let done: Vec<_> = entries.iter().rev().map(|entry| json!([entry["who"], entry["what"]])).collect();
    let expected = json!([
        ["start", "config_loaded"],
        ["start", "mappings_loaded"],
        ["changed file", "mappings_loaded"],
        ["on-call", "resend"],
        ["on-call", "resend_all"],
    ]);
    assert_eq!(json!(done), expected);
    assert_eq!(entries[1]["about"]["delivery"], json!(failed[0]));
}
