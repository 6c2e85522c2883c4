//! `ack = "delivered"`: the forge hears what the tools say.

use crate::support::app::{App, serve_in};
use crate::support::load::numbered_push;
use crate::support::receiver::status;
use crate::support::tool::{Tool, content, nobodys_address};
use crate::support::wait_for;
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn the_forge_hears_what_the_tools_say_of_the_first_attempt() {
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let (well, missing) = (Tool::scripted(content), Tool::scripted(|_| status(404, "")));
    let heals = Tool::scripted(|number| status(if number == 0 { 503 } else { 200 }, ""));
    let nobody = format!("http://{}/", nobodys_address());
    let route = |path: &str, to: &[(&str, &str)]| {
        let mut text = format!("[[route]]\npath = \"/{path}\"\nsecret = \"none\"\nack = \"delivered\"\n");
        for (name, url) in to {
            text.push_str(&format!(
                "[[route.to]]\nname = \"{name}\"\nurl = \"{url}\"\nformat = \"gitlab\"\ntimeout = \"30s\"\nretries = [\"300ms\"]\n"
            ));
        }
        text
    };
    let config = [
        route("well", &[("one", &well.url), ("other", &well.url)]),
        route("worst", &[("content", &well.url), ("missing", &missing.url), ("heals", &heals.url)]),
        route("nobody", &[("nobody", &nobody)]),
        route("hangs", &[("hangs", &format!("http://{}/", hanging.local_addr().unwrap()))]),
    ]
    .concat();
    let folder = tempfile::tempdir().unwrap();
    let app = App::start(serve_in(folder.path(), &config));

    let answer = app.post("/well", &[], numbered_push(0).as_bytes());
    assert_eq!((answer.status, &answer.json()["status"]), (200, &"delivered".into()), "{answer:?}");
    assert_eq!(well.requests(), 2, "both have it when the forge hears of it");

    let answer = app.post("/worst", &[], numbered_push(1).as_bytes());
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.body.contains("heals: the destination answered 503"), "{answer:?}");
    // It is tried again all the same.
    wait_for("the next attempt", || {
        app.metric("hookglot_deliveries_total{destination=\"heals\",outcome=\"delivered\"} ")
            .filter(|count| *count == 1)
    });

    let answer = app.post("/nobody", &[], numbered_push(2).as_bytes());
    assert_eq!(answer.status, 502, "{answer:?}");
    assert!(answer.body.contains("nobody: no connection"), "{answer:?}");

    let began = Instant::now();
    let answer = app.post("/hangs", &[], numbered_push(3).as_bytes());
    let took = began.elapsed();
    assert_eq!((answer.status, &answer.json()["status"]), (200, &"stored".into()), "{answer:?}");
    assert!(took > Duration::from_secs(7) && took < Duration::from_millis(9_900), "GitLab gives up at 10 s: {took:?}");
}
