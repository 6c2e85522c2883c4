//! Destinations that come, go and change while deliveries wait, and copies of the store.

use crate::support::app::{App, command, serve_in};
use crate::support::load::{mark, numbered_push};
use crate::support::process::ended;
use crate::support::tool::{Tool, content, nobodys_address};
use crate::support::wait_for;
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::channel;

fn to(name: &str, url: &str) -> String {
    format!("[[route.to]]\nname = \"{name}\"\nurl = \"{url}\"\nformat = \"gitlab\"\nprobe = \"200ms\"\n")
}

fn config(destinations: &[String]) -> String {
    config_of("", destinations)
}

fn config_of(route: &str, destinations: &[String]) -> String {
    format!("[[route]]\npath = \"/\"\nsecret = \"none\"\n{route}{}", destinations.concat())
}

fn send(app: &App, number: usize) {
    assert_eq!(app.post("/", &[], numbered_push(number).as_bytes()).json()["status"], "stored");
}

fn pending(app: &App, name: &str, count: u64) {
    let line = format!("hookglot_pending{{destination=\"{name}\"}} ");
    wait_for(&format!("{count} at {name}"), || app.metric(&line).filter(|own| *own == count));
}

#[test]
fn deliveries_of_a_destination_that_is_gone_end_as_failed_at_the_next_start() {
    let (folder, stays) = (tempfile::tempdir().unwrap(), Tool::scripted(content));
    let dead = format!("http://{}/", nobodys_address());
    let mut app = App::start(serve_in(folder.path(), &config(&[to("stays", &stays.url), to("goes", &dead)])));
    (0..3).for_each(|number| send(&app, number));
    pending(&app, "goes", 3);
    app.terminate();
    app.wait();
    let app = App::start(serve_in(folder.path(), &config(&[to("stays", &stays.url)])));
    let line = app.wait_for_log("failed: all that waited for it");
    assert!(line.contains("ERROR") && line.contains("destination=\"goes\" deliveries=3"), "{line}");
    assert_eq!(app.log().matches("ERROR failed hook=").count(), 3, "each by its name");
    assert_eq!(app.metric("hookglot_deliveries_total{destination=\"goes\",outcome=\"failed\"} "), Some(3));
    send(&app, 3);
    wait_for("the next hook", || stays.arrival(&mark(3)));
}

#[test]
fn a_configuration_is_read_again_while_deliveries_wait() {
    let (folder, address) = (tempfile::tempdir().unwrap(), nobodys_address());
    let (new, waits, goes) = (Tool::scripted(content), format!("http://{address}/tool"), nobodys_address());
    let goes = to("goes", &format!("http://{goes}/"));
    let app = App::start(serve_in(folder.path(), &config(&[to("waits", &waits), goes])));
    (0..2).for_each(|number| send(&app, number));
    pending(&app, "waits", 2);

    let file = folder.path().join("hookglot.toml");
    std::fs::write(&file, config(&[to("waits", &waits), to("new", &new.url)])).unwrap();
    app.signal("HUP");
    app.wait_for_log("the configuration is loaded and in force");
    app.wait_for_log("destination removed");
    assert_eq!(app.metric("hookglot_deliveries_total{destination=\"goes\",outcome=\"failed\"} "), Some(2));
    send(&app, 2);
    wait_for("a hook at the new one", || new.arrival(&mark(2)));
    assert_eq!(new.requests(), 1, "what came before it is not for it");
    pending(&app, "waits", 3);

    std::fs::write(&file, "[[route]]\npath = 5\n").unwrap();
    app.signal("HUP");
    app.wait_for_log("the configuration is refused: the one before stays in force");
    assert_eq!(app.metric("hookglot_config_reload_failed "), Some(1));
    send(&app, 3);
    wait_for("a hook with the one before", || new.arrival(&mark(3)));

    let waits = Tool::at(address, content);
    wait_for("all that waited", || (waits.count() == 4).then_some(()));
    pending(&app, "waits", 0);
    let mut marks = waits.marks();
    marks.sort();
    assert_eq!(marks, (0..4).map(mark).collect::<Vec<_>>(), "each once");
}

#[test]
fn what_waits_behind_a_tool_that_hangs_goes_to_its_new_address_at_once() {
    let (folder, new) = (tempfile::tempdir().unwrap(), Tool::scripted(content));
    let (goes_on, held) = channel::<()>();
    let held = Mutex::new(held);
    // It answers when the test ends.
    let hangs = Tool::scripted(move |number| {
        let _ = held.lock().unwrap().recv();
        content(number)
    });
    let one_at_a_time = |url: &str| to("tool", url) + "concurrency = 1\ntimeout = \"10m\"\n";
    let app = App::start(serve_in(folder.path(), &config(&[one_at_a_time(&hangs.url)])));
    (0..100).for_each(|number| send(&app, number));
    wait_for("the one that hangs", || (hangs.requests() == 1).then_some(()));
    std::fs::write(folder.path().join("hookglot.toml"), config(&[one_at_a_time(&new.url)])).unwrap();
    app.signal("HUP");
    wait_for("all the others", || (new.count() == 99).then_some(()));
    let mut marks = new.marks();
    // What was claimed for the old address may come behind what was not.
    marks.sort();
    assert_eq!(marks, (1..100).map(mark).collect::<Vec<_>>(), "each once");
    pending(&app, "tool", 1);
    drop(goes_on);
    pending(&app, "tool", 0);
    assert_eq!((hangs.requests(), new.requests()), (1, 99));
}

#[test]
fn a_backup_that_is_made_while_hooks_come_in_brings_back_what_waited() {
    let (folder, other, address) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), nobodys_address());
    let config = config(&[to("waits", &format!("http://{address}/tool"))]);
    let mut app = App::start(serve_in(folder.path(), &config));
    (0..30).for_each(|number| send(&app, number));
    let file = other.path().join("backup.db");
    let run = |word: &str, data: &std::path::Path| -> Command {
        let mut run = command(&[word, "--data-dir", data.to_str().unwrap()]);
        run.arg(&file).env("HOOKGLOT_CONFIG", folder.path().join("hookglot.toml"));
        run
    };
    let backed_up = ended(run("backup", &folder.path().join("data")));
    assert_eq!(backed_up.code, Some(0), "{backed_up:?}");
    send(&app, 30);
    let refused = ended(run("restore", &folder.path().join("data")));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("uses this folder"), "{refused:?}");
    app.signal("KILL");
    app.wait();

    let restored = ended(run("restore", &other.path().join("data")));
    assert_eq!(restored.code, Some(0), "{restored:?}");
    let _app = App::start(serve_in(other.path(), &config));
    let tool = Tool::at(address, content);
    wait_for("all of the backup", || (tool.count() == 30).then_some(()));
    assert!(tool.arrival(&mark(30)).is_none(), "it came after the backup");
}

#[test]
fn what_has_ended_is_removed_after_its_time_and_what_waits_stays() {
    let (folder, tool) = (tempfile::tempdir().unwrap(), Tool::scripted(content));
    let address = nobodys_address();
    let config = "[retention]\nage = \"1s\"\n".to_owned()
        + &config_of(
            "duplicates = \"none\"\n",
            &[to("ends", &tool.url), to("waits", &format!("http://{address}/tool"))],
        );
    let app = App::start(serve_in(folder.path(), &config));
    (0..5).for_each(|number| send(&app, number));
    wait_for("its removal", || app.metric("hookglot_pruned_total ").filter(|count| *count == 5));
    pending(&app, "waits", 5);
    let waits = Tool::at(address, content);
    wait_for("all that waited", || (waits.count() == 5).then_some(()));
    wait_for("its removal, too", || app.metric("hookglot_pruned_total ").filter(|count| *count == 10));
}

#[test]
fn what_was_delivered_makes_duplicates_for_their_time_though_what_waits_exceeds_the_size() {
    let (folder, tool) = (tempfile::tempdir().unwrap(), Tool::scripted(content));
    let dead = format!("http://{}/", nobodys_address());
    let config = "[retention]\nage = \"1s\"\nsize = \"1MiB\"\n".to_owned()
        + &config_of("duplicates = \"body\"\nduplicate_window = \"4s\"\n", &[to("ends", &tool.url)])
        + "[[route]]\npath = \"/dead\"\nsecret = \"none\"\nduplicates = \"none\"\n"
        + &to("waits", &dead);
    let app = App::start(serve_in(folder.path(), &config));
    let large = numbered_push(0).replacen('{', &format!("{{\"more\": \"{}\",", "x".repeat(2_000_000)), 1);
    assert_eq!(app.post("/dead", &[], large.as_bytes()).json()["status"], "stored");
    let began = std::time::Instant::now();
    send(&app, 1);
    wait_for("its delivery", || (tool.count() == 1).then_some(()));
    wait_for("its removal", || app.metric("hookglot_pruned_total ").filter(|count| *count > 0));
    assert!(began.elapsed() >= std::time::Duration::from_secs(4), "too early: {:?}", began.elapsed());
    pending(&app, "waits", 1);
}
