use super::{alert, calm_after, deliveries, moody, reload, route, send, told};
use crate::support::app::{App, serve_in};
use crate::support::receiver::Receiver;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::atomic::{AtomicU16, Ordering};

/// Fails and succeeds in turn, so often.
fn flap(app: &App, mood: &AtomicU16, times: u64) {
    for time in 0..times {
        for (status, outcome) in [(410, "failed"), (200, "delivered")] {
            mood.store(status, Ordering::SeqCst);
            send(app, "jenkins", usize::try_from(time).unwrap() * 1000 + usize::from(status));
            deliveries(app, "jenkins", outcome, time + 1);
        }
    }
}

#[test]
fn failing_and_succeeding_in_turn_is_posted_once_and_as_over_when_it_is_calm() {
    let ((tool, mood), json, folder) = (moody(410), Receiver::content(), tempfile::tempdir().unwrap());
    let rest = alert("tool", &json.url, "") + &route("jenkins", &tool.url, "");
    let app = App::start(serve_in(folder.path(), &format!("[alerts]\ncalm = \"1h\"\n{rest}")));
    flap(&app, &mood, 10);
    json.wait_for(1);
    // What succeeds further on does not move the end. When that is delivered, the end has been told.
    send(&app, "jenkins", 99_999);
    deliveries(&app, "jenkins", "delivered", 11);
    let calm_since = Timestamp::now();
    // It is over for a moment, which is long enough from now on.
    reload(&app, folder.path(), &format!("[alerts]\ncalm = \"1ms\"\n{rest}"), super::IN_FORCE);
    let got = json.wait_for(2);
    assert_eq!(told(&json), ["failed firing", "failed resolved"]);
    let over: Value = got[1].json();
    assert_eq!((&over["incident"], &over["count"]), (&got[0].json()["incident"], &10.into()));
    let until: Timestamp = over["until"].as_str().unwrap().parse().unwrap();
    assert!(until <= calm_since, "{over}");
}

#[test]
fn what_is_over_but_not_for_long_is_posted_as_over_at_a_stop() {
    let ((tool, mood), json, folder) = (moody(410), Receiver::content(), tempfile::tempdir().unwrap());
    let config = alert("tool", &json.url, "") + &route("jenkins", &tool.url, "");
    let mut app = App::start(calm_after("1h", serve_in(folder.path(), &config)));
    flap(&app, &mood, 3);
    app.terminate();
    assert_eq!(app.wait().code(), Some(0));
    assert_eq!(told(&json), ["failed firing", "failed resolved"]);
}
