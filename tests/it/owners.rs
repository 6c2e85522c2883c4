//! One process at a time owns a folder; the next one goes on where it ended. Neither loses its way when the clock jumps.

use crate::support::app::{App, serve_in};
use crate::support::clock::{faketime, set_clock, with_clock};
use crate::support::load::{Client, mark, numbered_push};
use crate::support::process::Running;
use crate::support::receiver::status;
use crate::support::tool::{Tool, content};
use crate::support::wait_for;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn config(tool: &Tool, more: &str) -> String {
    format!(
        "grace = \"20s\"\n[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = \"{}\"\n\
         format = \"gitlab\"\n{more}\n",
        tool.url
    )
}

fn send(app: &App, number: usize) {
    assert_eq!(app.post("/", &[], numbered_push(number).as_bytes()).json()["status"], "stored");
}

#[test]
fn a_second_process_on_a_folder_is_refused_and_the_first_goes_on() {
    let (tool, folder) = (Tool::scripted(content), tempfile::tempdir().unwrap());
    let config = config(&tool, "");
    let mut app = App::start(serve_in(folder.path(), &config));
    let mut second = serve_in(folder.path(), &config);
    second.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    let ended = Running::start(second, b"").end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let said = format!("another hookglot (process {}) uses this folder: stop it", app.id());
    assert!(ended.err.contains(&said), "{ended:?}");
    assert!(!ended.err.contains("hooks come in on"), "{ended:?}");
    send(&app, 0);
    wait_for("the hook", || (tool.count() == 1).then_some(()));
    app.terminate();
    assert_eq!(app.wait().code(), Some(0));
    let app = App::start(serve_in(folder.path(), &config));
    send(&app, 1);
    wait_for("the hook of the next owner", || (tool.count() == 2).then_some(()));
}

#[test]
fn a_stop_under_load_leaves_to_the_next_start_what_it_does_not_deliver() {
    let tool = Tool::scripted(|_| {
        std::thread::sleep(Duration::from_millis(60));
        status(200, "")
    });
    let folder = tempfile::tempdir().unwrap();
    let config = config(&tool, "concurrency = 2");
    let mut app = App::start(serve_in(folder.path(), &config));
    let (next, accepted) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<BTreeSet<String>>>::default());
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (next, accepted, address) = (Arc::clone(&next), Arc::clone(&accepted), app.address.clone());
            std::thread::spawn(move || {
                let mut client = Client::new(&address);
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    match client.post("/", &[], numbered_push(number).as_bytes()) {
                        Some(answer) if answer.status == 200 => accepted.lock().unwrap().insert(mark(number)),
                        _ => break,
                    };
                }
            })
        })
        .collect();
    wait_for("a load", || (accepted.lock().unwrap().len() >= 150).then_some(()));
    let told = Instant::now();
    app.terminate();
    assert_eq!(app.wait().code(), Some(0), "{}", app.log());
    assert!(told.elapsed() < Duration::from_secs(20), "what is stored does not hold up a stop");
    assert!(!app.log().contains("the grace time is over"), "{}", app.log());
    for client in clients {
        client.join().unwrap();
    }
    let accepted = accepted.lock().unwrap().clone();
    assert!(tool.count() < accepted.len(), "it was stopped under load");
    let app = App::start(serve_in(folder.path(), &config));
    let missing = || accepted.iter().filter(|mark| tool.arrival(mark).is_none()).count();
    wait_for("all that was accepted", || (missing() == 0).then_some(()));
    wait_for("an empty queue", || {
        app.metric("hookglot_pending{destination=\"tool\"} ").filter(|pending| *pending == 0)
    });
    let marks = tool.marks();
    let different: BTreeSet<&String> = marks.iter().collect();
    assert_eq!(marks.len(), different.len(), "a stop in good order repeats nothing");
    assert_eq!(tool.kept().len(), different.len(), "each under one key");
}

/// Waits until the process logs with a clock that is off by so many days.
fn clock_has_jumped(app: &App, days: i64) {
    let today = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    let date = today.to_string()[..10].to_owned();
    wait_for(&format!("a line of {date}"), || {
        // A hook that is refused leaves a line.
        app.post("/", &[], b"{\"nothing\": 1}");
        app.log().lines().last().filter(|line| line.starts_with(&date)).map(|_| ())
    });
}

#[test]
fn a_clock_that_jumps_delays_nothing_and_hurries_nothing() {
    let Some(library) = faketime("a clock that jumps") else { return };
    for offset in ["+1d", "-1d"] {
        let days = if offset == "+1d" { 1 } else { -1 };
        let tool = Tool::scripted(|number| if number == 0 { status(500, "") } else { status(200, "") });
        let folder = tempfile::tempdir().unwrap();
        let app = with_clock(&library, folder.path(), &config(&tool, "retries = [\"4s\"]"), "+0");
        send(&app, 0);
        app.wait_for_log("outcome=\"again\"");
        set_clock(folder.path(), offset);
        clock_has_jumped(&app, days);
        let sent = Instant::now();
        send(&app, 1);
        let new = wait_for("a new hook", || tool.arrival(&mark(1)));
        assert!(new.duration_since(sent) < Duration::from_secs(2), "{offset}: a new hook waited");
        wait_for("the retry", || (tool.requests() == 3).then_some(()));
        let kept = tool.kept();
        let at = &kept.values().find(|kept| kept.mark == mark(0)).unwrap().at;
        let waited = at[1].duration_since(at[0]);
        assert!(waited > Duration::from_millis(3_100) && waited < Duration::from_secs(8), "{offset}: {waited:?}");
        set_clock(folder.path(), "+0");
        clock_has_jumped(&app, 0);
        send(&app, 2);
        wait_for("one after the clock came back", || tool.arrival(&mark(2)));
    }
}

#[test]
fn a_clock_that_was_set_back_between_two_starts_delays_nothing() {
    let Some(library) = faketime("a clock that goes back while nothing runs") else { return };
    let tool = Tool::scripted(|number| if number == 0 { status(500, "") } else { status(200, "") });
    let folder = tempfile::tempdir().unwrap();
    let config = config(&tool, "retries = [\"3s\"]");
    let mut app = with_clock(&library, folder.path(), &config, "+0");
    send(&app, 0);
    app.wait_for_log("outcome=\"again\"");
    app.terminate();
    app.wait();
    let _app = with_clock(&library, folder.path(), &config, "-1d");
    wait_for("the retry", || (tool.requests() == 2).then_some(()));
}
