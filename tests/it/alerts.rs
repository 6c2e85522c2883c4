use crate::disk::Disk;
use crate::support::app::{App, serve_in};
use crate::support::load::numbered_push;
use crate::support::receiver::{Got, Receiver, status};
use crate::support::tool::{Tool, content, nobodys_address};
use crate::support::wait_for;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// Secrets of alerts, and what is wrong with their settings.
mod settings;

/// Destinations that fail and succeed in turn.
mod flapping;

/// A route with one destination, and what is further said of that.
fn route(name: &str, url: &str, more: &str) -> String {
    format!(
        "[[route]]\npath = \"/{name}\"\nsecret = \"none\"\nduplicates = \"none\"\n[[route.to]]\nname = \"{name}\"\n\
         url = \"{url}\"\nformat = \"gitlab\"\n{more}\n"
    )
}

fn alert(name: &str, url: &str, more: &str) -> String {
    format!("[[alert]]\nname = \"{name}\"\nurl = \"{url}\"\n{more}\n")
}

/// Posts that a destination is out of trouble after a while of one's own.
fn calm_after(calm: &str, mut serve: Command) -> Command {
    serve.env("HOOKGLOT_ALERTS__CALM", calm);
    serve
}

/// A tool that answers with a status that can be changed.
fn moody(first: u16) -> (Receiver, Arc<AtomicU16>) {
    let mood = Arc::new(AtomicU16::new(first));
    let own = Arc::clone(&mood);
    (Receiver::scripted(move |_| status(own.load(Ordering::SeqCst), "")), mood)
}

fn send(app: &App, destination: &str, number: usize) {
    let answer = app.post(&format!("/{destination}"), &[], numbered_push(number).as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn deliveries(app: &App, destination: &str, outcome: &str, count: u64) {
    let line = format!("hookglot_deliveries_total{{destination=\"{destination}\",outcome=\"{outcome}\"}} ");
    wait_for(&line, || app.metric(&line).filter(|own| *own >= count));
}

fn alerts(app: &App, alert: &str, result: &str) -> u64 {
    app.metric(&format!("hookglot_alerts_total{{alert=\"{alert}\",result=\"{result}\"}} ")).unwrap_or(0)
}

/// The kinds and states of what came, as `failed firing`.
fn told(receiver: &Receiver) -> Vec<String> {
    let shown = |got: &Got| {
        let body = got.json();
        format!("{} {}", body["kind"].as_str().unwrap(), body["state"].as_str().unwrap())
    };
    receiver.got().iter().map(shown).collect()
}

fn texts(receiver: &Receiver) -> Vec<String> {
    receiver.got().iter().map(|got| got.json()["text"].as_str().unwrap().to_owned()).collect()
}

fn reload(app: &App, folder: &Path, config: &str, says: &str) {
    std::fs::write(folder.join("hookglot.toml"), config).unwrap();
    let before = app.log().matches(says).count();
    app.signal("HUP");
    wait_for(says, || (app.log().matches(says).count() > before).then_some(()));
}

const IN_FORCE: &str = "the configuration is loaded and in force";
const REFUSED: &str = "the configuration is refused";

#[test]
fn failed_deliveries_are_posted_once_and_once_again_when_one_succeeds() {
    let ((tool, mood), folder) = (moody(410), tempfile::tempdir().unwrap());
    let (chat, json) = (Receiver::content(), Receiver::content());
    let config = alert("chat", &chat.url, "format = \"slack\"")
        + &alert("tool", &json.url, "authorization = \"Bearer brass\"")
        + &route("jenkins", &tool.url, "");
    let app = App::start(calm_after("0s", serve_in(folder.path(), &config)));
    for round in 0..2 {
        mood.store(410, Ordering::SeqCst);
        (0..3).for_each(|number| send(&app, "jenkins", round * 10 + number));
        deliveries(&app, "jenkins", "failed", 3 * (round as u64 + 1));
        assert_eq!(app.metric("hookglot_failing{destination=\"jenkins\"} "), Some(1));
        mood.store(200, Ordering::SeqCst);
        (3..6).for_each(|number| send(&app, "jenkins", round * 10 + number));
        chat.wait_for(2 * (round + 1));
        json.wait_for(2 * (round + 1));
    }
    assert_eq!(app.metric("hookglot_failing{destination=\"jenkins\"} "), Some(0));
    assert_eq!(told(&json), ["failed firing", "failed resolved", "failed firing", "failed resolved"]);
    let [begun, over, again, _]: [Value; 4] = json.got().iter().map(Got::json).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((&begun["destination"], &begun["count"]), (&"jenkins".into(), &1.into()));
    assert!(begun["reason"].as_str().unwrap().contains("410") && begun["until"].is_null(), "{begun}");
    assert!(begun["hook"].is_string() && begun["event"] == "BRANCH_UPDATE", "{begun}");
    assert_eq!(begun["look"], "hookglot deliveries list --state failed --destination jenkins");
    assert_eq!((&over["count"], &over["incident"], &over["since"]), (&3.into(), &begun["incident"], &begun["since"]));
    assert!(over["until"].is_string() && over["seconds"].as_f64().unwrap() > 0.0, "{over}");
    assert_ne!(again["incident"], begun["incident"]);
    let first = &json.got()[0];
    assert_eq!(first.header("Authorization"), Some("Bearer brass"));
    assert_eq!(first.header("Content-Type"), Some("application/json"));
    let texts = texts(&chat);
    assert_eq!(texts.len(), 4);
    assert!(texts[0].contains("trouble: jenkins: a delivery failed for good"), "{texts:?}");
    assert!(texts[0].contains("look: hookglot deliveries list --state failed --destination jenkins"), "{texts:?}");
    assert!(texts[1].contains("over: jenkins") && texts[1].contains("further deliveries that failed: 2"), "{texts:?}");
    wait_for("the count", || {
        (alerts(&app, "chat", "posted") == 4 && alerts(&app, "tool", "posted") == 4).then_some(())
    });
}

#[test]
fn a_breaker_is_posted_once_even_when_the_configuration_is_read_again_meanwhile() {
    let (folder, chat, json) = (tempfile::tempdir().unwrap(), Receiver::content(), Receiver::content());
    let address = nobodys_address();
    let config = alert("chat", &chat.url, "format = \"slack\"")
        + &alert("tool", &json.url, "on = [\"breaker\"]")
        + &route(
            "jenkins",
            &format!("http://{address}/"),
            "breaker = 1\nprobe = \"200ms\"\nretries = [\"100ms\", \"100ms\", \"1h\"]",
        );
    let app = App::start(calm_after("0s", serve_in(folder.path(), &config)));
    send(&app, "jenkins", 0);
    json.wait_for(1);
    reload(&app, folder.path(), &config, IN_FORCE);
    app.wait_for_log("probe failed");
    let _tool = Tool::at(address, content);
    json.wait_for(2);
    chat.wait_for(2);
    send(&app, "jenkins", 1);
    deliveries(&app, "jenkins", "delivered", 2);
    assert_eq!(told(&json), ["breaker firing", "breaker resolved"]);
    let texts = texts(&chat);
    assert!(texts.len() == 2 && texts[0].contains("jenkins: it does not answer"), "{texts:?}");
    assert!(texts[1].contains("jenkins: it answers again"), "{texts:?}");
}

#[test]
fn refused_files_are_posted_once_and_once_again_when_they_are_in_force() {
    let (folder, json, tool) = (tempfile::tempdir().unwrap(), Receiver::content(), Receiver::content());
    let chat = Receiver::content();
    let mappings = folder.path().join("mappings");
    std::fs::create_dir_all(mappings.join("overlays")).unwrap();
    let config =
        format!("mappings_dir = \"{}\"\n[reload]\ndebounce = \"20ms\"\npoll = \"200ms\"\n", mappings.display())
            + &alert("tool", &json.url, "")
            + &alert("chat", &chat.url, "format = \"slack\"\non = [\"reload\"]")
            + &route("jenkins", &tool.url, "");
    let app = App::start(serve_in(folder.path(), &config));
    let file = mappings.join("overlays/own.yaml");
    for (number, text) in ["nonsense: 1\n", "other: 2\n"].into_iter().enumerate() {
        std::fs::write(&file, text).unwrap();
        let refused = number as u64 + 1;
        wait_for("a refusal", || {
            app.metric("hookglot_mappings_reloads_total{result=\"refused\"} ").filter(|own| *own >= refused)
        });
    }
    std::fs::remove_file(&file).unwrap();
    json.wait_for(2);
    reload(&app, folder.path(), &config.replace("secret =", "sekret ="), REFUSED);
    reload(&app, folder.path(), &config.replace("path =", "paht ="), REFUSED);
    reload(&app, folder.path(), &config, IN_FORCE);
    json.wait_for(4);
    chat.wait_for(4);
    assert_eq!(told(&json), ["reload firing", "reload resolved", "reload firing", "reload resolved"]);
    let got: Vec<Value> = json.got().iter().map(Got::json).collect();
    assert_eq!((&got[0]["files"], &got[2]["files"]), (&"mappings".into(), &"configuration".into()));
    assert!(got[0]["reason"].as_str().unwrap().contains("own.yaml"), "{}", got[0]);
    let file = folder.path().join("hookglot.toml");
    let check = format!("hookglot check --config {} --mappings-dir {}", file.display(), mappings.display());
    assert_eq!([&got[0]["look"], &got[2]["look"]], [&Value::from(check.as_str()); 2]);
    assert!(got[2]["reason"].as_str().unwrap().contains("sekret"), "{}", got[2]);
    assert_eq!((&got[1]["count"], &got[3]["count"]), (&2.into(), &2.into()));
    let texts = texts(&chat);
    assert!(texts[0].contains("the changed mapping files are refused"), "{texts:?}");
    assert!(texts[2].ends_with(&format!("look: {check}")), "{texts:?}");
    assert!(texts[3].contains("the configuration is in force again"), "{texts:?}");
}

#[test]
fn a_nearly_full_disk_is_posted_before_hooks_are_refused_and_a_full_store_by_itself() {
    let Some(disk) = Disk::of_size("a nearly full disk", "64m") else { return };
    let (json, chat, tool) = (Receiver::content(), Receiver::content(), Tool::scripted(content));
    let config = alert("tool", &json.url, "")
        + &alert("chat", &chat.url, "format = \"slack\"\non = [\"disk\"]")
        + &route("jenkins", &tool.url, "");
    let app = App::start(serve_in(disk.0.path(), &config));
    send(&app, "jenkins", 0);
    let ballast = disk.0.path().join("some");
    std::fs::write(&ballast, vec![1; 45 << 20]).unwrap();
    json.wait_for(1);
    assert_eq!(app.metric("hookglot_disk_nearly_full "), Some(1));
    // It is so ahead of the trouble.
    send(&app, "jenkins", 1);
    let mut number = 2;
    wait_for("a refusal", || {
        disk.fill();
        number += 1;
        (app.post("/jenkins", &[], numbered_push(number).as_bytes()).status == 503).then_some(())
    });
    json.wait_for(2);
    disk.free();
    json.wait_for(3);
    assert_eq!(told(&json), ["disk firing", "store firing", "store resolved"]);
    std::fs::remove_file(&ballast).unwrap();
    json.wait_for(4);
    chat.wait_for(2);
    send(&app, "jenkins", 1000);
    assert_eq!(told(&json)[3], "disk resolved");
    let got: Vec<Value> = json.got().iter().map(Got::json).collect();
    assert!(got[0]["reason"].as_str().unwrap().contains("of 64.0 MiB are free"), "{}", got[0]);
    assert_eq!(got[1]["reason"], "full");
    assert!(got[0]["look"].as_str().unwrap().contains(disk.0.path().to_str().unwrap()), "{}", got[0]);
    let texts = texts(&chat);
    assert!(texts.len() == 2 && texts[0].contains("nearly full") && texts[1].contains("has room again"), "{texts:?}");
    assert_eq!(app.metric("hookglot_disk_nearly_full "), Some(0));
    assert_eq!(app.log().matches("the disk of data_dir is nearly full").count(), 1);
}

#[test]
fn a_url_that_is_dead_holds_up_no_delivery_and_is_given_up_at_a_stop() {
    let ((tool, mood), folder) = (moody(410), tempfile::tempdir().unwrap());
    let config = alert("dead", &format!("http://{}/", nobodys_address()), "")
        + &route("jenkins", &tool.url, "")
        + "[retention]\nage = \"1d\"\n";
    let mut app = App::start(calm_after("0s", serve_in(folder.path(), &config)));
    for number in 0..30 {
        mood.store(if number % 2 == 0 { 410 } else { 200 }, Ordering::SeqCst);
        send(&app, "jenkins", number);
        let outcome = if number % 2 == 0 { "failed" } else { "delivered" };
        deliveries(&app, "jenkins", outcome, number as u64 / 2 + 1);
    }
    assert!(app.wait_for_log("the alert cannot be posted").contains("no connection"), "{}", app.log());
    assert_eq!(alerts(&app, "dead", "failed"), 0, "it is tried again");
    app.terminate();
    assert_eq!(app.wait().code(), Some(0));
    let log = app.log();
    assert_eq!(log.matches("the alert cannot be posted, and is given up").count(), 30, "{log}");
    assert!(!log.contains("the grace time is over"), "{log}");
}

#[test]
fn what_cannot_be_posted_is_tried_again_and_dropped_when_too_much_waits() {
    let ((tool, mood), folder) = (moody(410), tempfile::tempdir().unwrap());
    let json = Receiver::scripted(|number| status(if number == 0 { 503 } else { 200 }, ""));
    let config = alert("tool", &json.url, "") + &route("jenkins", &tool.url, "");
    let app = App::start(calm_after("0s", serve_in(folder.path(), &config)));
    for number in 0..80 {
        mood.store(if number % 2 == 0 { 410 } else { 200 }, Ordering::SeqCst);
        send(&app, "jenkins", number);
        deliveries(&app, "jenkins", if number % 2 == 0 { "failed" } else { "delivered" }, number as u64 / 2 + 1);
    }
    wait_for("all that had room", || {
        (alerts(&app, "tool", "posted") + 2 * alerts(&app, "tool", "dropped") >= 80).then_some(())
    });
    assert!(alerts(&app, "tool", "dropped") > 0, "{}", app.log());
    let got = json.got();
    assert_eq!(got[0].body, got[1].body);
    assert_eq!(alerts(&app, "tool", "posted"), got.len() as u64 - 1);
    let ends = told(&json).iter().filter(|told| *told == "failed resolved").count();
    assert_eq!(ends * 2, got.len() - 1, "of each that was told to begin it was told that it is over");
    assert!(
        app.log().contains("the answer is 503") && app.log().contains("too many wait to be posted"),
        "{}",
        app.log()
    );
}

#[test]
fn a_stop_tries_at_once_what_waits() {
    let ((tool, _), folder) = (moody(410), tempfile::tempdir().unwrap());
    let json = Receiver::scripted(|number| status(if number == 0 { 500 } else { 200 }, ""));
    let config = alert("tool", &json.url, "") + &route("jenkins", &tool.url, "");
    let mut app = App::start(serve_in(folder.path(), &config));
    send(&app, "jenkins", 0);
    app.wait_for_log("the alert cannot be posted");
    app.terminate();
    assert_eq!(app.wait().code(), Some(0));
    assert_eq!(told(&json), ["failed firing", "failed firing"]);
    assert!(app.log().contains("the alert is posted"), "{}", app.log());
}

#[test]
fn a_reload_ends_the_troubles_of_destinations_that_are_gone_and_tells_new_alerts_of_the_others() {
    let ((tool, _), folder) = (moody(410), tempfile::tempdir().unwrap());
    let (json, late) = (Receiver::content(), Receiver::content());
    let both = route("jenkins", &tool.url, "") + &route("atlantis", &tool.url, "");
    let config = alert("tool", &json.url, "on = [\"failed\"]");
    let app = App::start(serve_in(folder.path(), &(config.clone() + &both)));
    send(&app, "jenkins", 0);
    json.wait_for(1);
    send(&app, "atlantis", 1);
    json.wait_for(2);
    let config = config + &alert("late", &late.url, "") + &route("atlantis", &tool.url, "");
    reload(&app, folder.path(), &config, IN_FORCE);
    let gone = json.wait_for(3)[2].json();
    assert_eq!((&gone["destination"], &gone["state"]), (&"jenkins".into(), &"resolved".into()));
    assert_eq!(gone["recovery"], "destination removed");
    let first = late.wait_for(1)[0].json();
    assert_eq!((&first["destination"], &first["state"]), (&"atlantis".into(), &"firing".into()));
    assert_eq!(first["incident"], json.got()[1].json()["incident"]);
    assert_eq!(app.metric("hookglot_failing{destination=\"jenkins\"} "), None);
    // And where there were none before.
    let bare = route("atlantis", &tool.url, "");
    reload(&app, folder.path(), &bare, IN_FORCE);
    send(&app, "atlantis", 2);
    deliveries(&app, "atlantis", "failed", 2);
    reload(&app, folder.path(), &(alert("again", &late.url, "format = \"slack\"") + &bare), IN_FORCE);
    let again = late.wait_for(2)[1].json();
    assert!(again["text"].as_str().unwrap().contains("atlantis: a delivery failed for good"), "{again}");
}
