//! How deliveries wait: for those of their project, in a queue with an end, and for a rate.

use crate::support::app::{App, serve_in};
use crate::support::load::{mark, numbered_push};
use crate::support::receiver::status;
use crate::support::tool::{Tool, content, nobodys_address};
use crate::support::wait_for;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn app(url: &str, more: &str) -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = \"{url}\"\n\
         format = \"gitlab\"\nbreaker = \"none\"\n{more}\n"
    );
    (App::start(serve_in(folder.path(), &config)), folder)
}

fn send(app: &App, number: usize) {
    assert_eq!(app.post("/", &[], numbered_push(number).as_bytes()).json()["status"], "stored");
}

/// A push in another project than the others.
fn send_elsewhere(app: &App, number: usize) {
    let push =
        numbered_push(number).replace("6d2b8f04-51c7-4e39-9a60-c3e5f7180b92", "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9");
    assert_eq!(app.post("/", &[], push.as_bytes()).json()["status"], "stored");
}

/// A tool that wants nothing of the first hook until it is told to.
fn stubborn() -> (Tool, Arc<AtomicBool>) {
    let is_willing = Arc::<AtomicBool>::default();
    let own = Arc::clone(&is_willing);
    let first = mark(0);
    let tool =
        Tool::by_mark(move |mark| status(if mark == first && !own.load(Ordering::SeqCst) { 503 } else { 200 }, ""));
    (tool, is_willing)
}

/// The marks of the hooks below a number, in the order in which they came first.
fn order(tool: &Tool, below: usize) -> Vec<usize> {
    let mut order = Vec::new();
    for own in tool.marks() {
        if let Some(number) = (0..below).find(|number| mark(*number) == own)
            && !order.contains(&number)
        {
            order.push(number);
        }
    }
    order
}

#[test]
fn hooks_of_a_project_come_one_after_another_and_those_of_others_go_on() {
    let (tool, is_willing) = stubborn();
    let retries = vec!["\"100ms\""; 200].join(", ");
    let (app, _folder) = app(&tool.url, &format!("order = \"project\"\nretries = [{retries}]"));
    for number in 0..8 {
        send(&app, number);
    }
    for number in 8..12 {
        send_elsewhere(&app, number);
    }
    wait_for("the other project", || (8..12).all(|number| tool.arrival(&mark(number)).is_some()).then_some(()));
    let of_first = || tool.marks().iter().filter(|own| **own == mark(0)).count();
    wait_for("several tries", || (of_first() >= 5).then_some(()));
    assert_eq!(order(&tool, 8), [0], "the others of its project wait");
    is_willing.store(true, Ordering::SeqCst);
    wait_for("all", || (tool.count() == 12).then_some(()));
    assert_eq!(order(&tool, 8), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(app.metric("hookglot_parked_total{destination=\"tool\"} ").unwrap_or(0), 0);
}

#[test]
fn a_hook_that_keeps_its_project_waiting_for_too_long_is_parked() {
    let (tool, is_willing) = stubborn();
    let retries = vec!["\"200ms\""; 100].join(", ");
    let more = format!("order = \"project\"\npark_after = \"700ms\"\nretries = [{retries}]");
    let (app, _folder) = app(&tool.url, &more);
    for number in 0..4 {
        send(&app, number);
    }
    let line = app.wait_for_log("parked: it kept the other hooks of its project waiting");
    assert!(line.contains("WARN") && line.contains("destination=\"tool\""), "{line}");
    wait_for("those behind it", || tool.arrival(&mark(3)));
    assert_eq!(order(&tool, 4), [0, 1, 2, 3]);
    assert_eq!(app.metric("hookglot_parked_total{destination=\"tool\"} "), Some(1));
    is_willing.store(true, Ordering::SeqCst);
    wait_for("the parked one", || {
        app.metric("hookglot_deliveries_total{destination=\"tool\",outcome=\"delivered\"} ").filter(|count| *count == 4)
    });
}

/// While a tool is away all of its hooks wait for it; parking the first would only change their order.
#[test]
fn nothing_is_parked_while_the_tool_is_away() {
    let (folder, address) = (tempfile::tempdir().unwrap(), nobodys_address());
    let config = format!(
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = \"http://{address}/tool\"\n\
         format = \"gitlab\"\norder = \"project\"\npark_after = \"500ms\"\nbreaker = 1\nprobe = \"500ms\"\n\
         retries = [\"200ms\", \"1h\"]\n"
    );
    let app = App::start(serve_in(folder.path(), &config));
    (0..4).for_each(|number| send(&app, number));
    wait_for("many probes", || {
        let line = "hookglot_attempts_total{destination=\"tool\",result=\"unreachable\"} ";
        app.metric(line).filter(|probes| *probes >= 5)
    });
    let tool = Tool::at(address, content);
    wait_for("all of them", || (tool.count() == 4).then_some(()));
    assert_eq!(tool.marks(), (0..4).map(mark).collect::<Vec<_>>());
    assert_eq!(app.metric("hookglot_parked_total{destination=\"tool\"} ").unwrap_or(0), 0);
}

/// The breaker opens on the very hooks that the tool never takes: those behind them show that it is there.
#[test]
fn a_hook_that_opens_the_breaker_does_not_keep_its_project_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let poison = [mark(0), mark(1), mark(4)];
    let tool = Tool::by_mark(move |mark| status(if poison.iter().any(|own| own == mark) { 500 } else { 200 }, ""));
    let retries = vec!["\"200ms\""; 30].join(", ");
    let config = format!(
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = \"{}\"\n\
         format = \"gitlab\"\norder = \"project\"\npark_after = \"500ms\"\nbreaker = 2\nprobe = \"100ms\"\n\
         retries = [{retries}]\n",
        tool.url
    );
    let app = App::start(serve_in(folder.path(), &config));
    (0..4).for_each(|number| send(&app, number));
    (4..6).for_each(|number| send_elsewhere(&app, number));
    wait_for("those behind", || [2, 3, 5].iter().all(|number| tool.arrival(&mark(*number)).is_some()).then_some(()));
    // They come without end: no project waits for those that are never taken.
    (6..9).for_each(|number| send(&app, number));
    wait_for("those that came since", || (6..9).all(|number| tool.arrival(&mark(number)).is_some()).then_some(()));
}

/// What a tool asked for is not forgotten because somebody reads the configuration again.
#[test]
fn a_reload_does_not_forget_the_breaker() {
    let tool = Tool::scripted(|_| "HTTP/1.1 503 Busy\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n".to_owned());
    let more = "breaker = 2\nconcurrency = 1\nretries = [\"100ms\", \"100ms\"]";
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = \"{}\"\n\
         format = \"gitlab\"\n{more}\n",
        tool.url
    );
    let app = App::start(serve_in(folder.path(), &config));
    (0..5).for_each(|number| send(&app, number));
    let open = "hookglot_breaker_open{destination=\"tool\"} ";
    wait_for("an open breaker", || app.metric(open).filter(|open| *open == 1));
    let before = tool.marks().len();
    for reload in 1..=3 {
        app.signal("HUP");
        let loaded = "hookglot_config_reloads_total{result=\"loaded\"} ";
        wait_for("a reload", || app.metric(loaded).filter(|count| *count == reload));
    }
    (5..8).for_each(|number| send(&app, number));
    assert_eq!(app.metric(open), Some(1));
    assert_eq!(tool.marks().len(), before, "it asked to be left alone");
}

#[test]
fn what_waits_when_the_breaker_opens_spends_no_attempt() {
    let (folder, address) = (tempfile::tempdir().unwrap(), nobodys_address());
    let config = format!(
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = \"http://{address}/tool\"\n\
         format = \"gitlab\"\nbreaker = 2\nprobe = \"200ms\"\nretries = [\"100ms\"]\nconcurrency = 1\n"
    );
    let app = App::start(serve_in(folder.path(), &config));
    for number in 0..50 {
        send(&app, number);
    }
    let is_open = || app.metric("hookglot_breaker_open{destination=\"tool\"} ").filter(|open| *open == 1);
    wait_for("an open breaker", is_open);
    let attempts = || app.metric("hookglot_attempts_total{destination=\"tool\",result=\"unreachable\"} ");
    wait_for("several probes", || attempts().filter(|attempts| *attempts >= 6));
    let tool = Tool::at(address, content);
    wait_for("all", || (tool.count() == 50).then_some(()));
    assert_eq!(tool.requests(), 50, "each once");
    assert_eq!(app.metric("hookglot_retries_total{destination=\"tool\"} "), Some(2), "those that opened it");
    assert_eq!(app.metric("hookglot_deliveries_total{destination=\"tool\",outcome=\"failed\"} ").unwrap_or(0), 0);
}

#[test]
fn what_a_full_queue_has_no_room_for_ends_as_failed() {
    let (app, _folder) = app(&format!("http://{}/", nobodys_address()), "queue = 2");
    for number in 0..3 {
        send(&app, number);
    }
    let line = app.wait_for_log("reason=\"queue full\"");
    assert!(line.contains("ERROR failed") && line.contains("destination=\"tool\""), "{line}");
    assert_eq!(app.metric("hookglot_deliveries_total{destination=\"tool\",outcome=\"failed\"} "), Some(1));
    wait_for("two that wait", || app.metric("hookglot_pending{destination=\"tool\"} ").filter(|pending| *pending == 2));
}

#[test]
fn a_destination_gets_no_more_than_its_rate() {
    let tool = Tool::scripted(content);
    let (hookglot, _folder) = app(&tool.url, "rate_limit = \"4/s\"");
    for number in 0..10 {
        send(&hookglot, number);
    }
    wait_for("all", || (tool.count() == 10).then_some(()));
    let mut came: Vec<_> = (0..10).map(|number| tool.arrival(&mark(number)).unwrap()).collect();
    came.sort();
    // Four at once, and six more one each 250 ms.
    let spread = came[9].duration_since(came[0]);
    assert!(spread > Duration::from_millis(1_300), "{spread:?}");
}
