//! Hooks that come twice.

use crate::support::app::{App, serve_in};
use crate::support::load::{mark, numbered_push};
use crate::support::tool::{Tool, content};
use crate::support::wait_for;
use crate::support::wire::Answer;

fn config(tool: &Tool) -> String {
    let route = |path: &str, more: &str| {
        format!(
            "[[route]]\npath = \"/{path}\"\nsecret = \"none\"\n{more}\n\
             [[route.to]]\nname = \"{path}\"\nurl = \"{}\"\nformat = \"gitlab\"\n",
            tool.url
        )
    };
    route("key", "")
        + &route("soon", "duplicate_window = \"300ms\"")
        + &route("body", "duplicates = \"body\"")
        + &route("none", "duplicates = \"none\"")
}

fn deployment(app: &App, path: &str, number: usize, key: &str) -> Answer {
    let body = format!("{{\"object_kind\": \"deployment\", \"mark\": \"{}\"}}", mark(number));
    app.post(path, &[("X-Gitlab-Event", "Deployment Hook"), ("webhook-id", key)], body.as_bytes())
}

fn is_duplicate(answer: &Answer, first: &Answer) {
    let (json, first) = (answer.json(), first.json()["delivery"].as_str().unwrap().to_owned());
    assert_eq!((answer.status, &json["status"]), (200, &"ignored".into()), "{answer:?}");
    assert!(json["reason"].as_str().unwrap().contains(&first), "{answer:?} names {first}");
}

fn duplicates(app: &App, path: &str) -> u64 {
    app.metric(&format!("hookglot_duplicates_total{{route=\"{path}\"}} ")).unwrap_or(0)
}

fn delivered(app: &App, name: &str, count: u64) {
    let line = format!("hookglot_deliveries_total{{destination=\"{name}\",outcome=\"delivered\"}} ");
    wait_for("deliveries", || app.metric(&line).filter(|own| *own == count));
}

#[test]
fn a_hook_that_comes_twice_is_delivered_once() {
    let (tool, folder) = (Tool::scripted(content), tempfile::tempdir().unwrap());
    let app = App::start(serve_in(folder.path(), &config(&tool)));

    let first = deployment(&app, "/key", 0, "5f1b1f4e-0001");
    assert_eq!(first.json()["status"], "stored");
    is_duplicate(&deployment(&app, "/key", 0, "5f1b1f4e-0001"), &first);
    delivered(&app, "key", 1);
    is_duplicate(&deployment(&app, "/key", 0, "5f1b1f4e-0001"), &first);
    assert_eq!(deployment(&app, "/key", 1, "5f1b1f4e-0002").json()["status"], "stored");
    delivered(&app, "key", 2);
    // GitFlic gives no key: what looks the same need not be.
    for _ in 0..2 {
        assert_eq!(app.post("/key", &[], numbered_push(2).as_bytes()).json()["status"], "stored");
    }
    delivered(&app, "key", 4);
    assert_eq!((duplicates(&app, "/key"), tool.requests()), (2, 4));

    let first = app.post("/body", &[], numbered_push(3).as_bytes());
    is_duplicate(&app.post("/body", &[], numbered_push(3).as_bytes()), &first);
    assert_eq!(app.post("/body", &[], numbered_push(4).as_bytes()).json()["status"], "stored");
    delivered(&app, "body", 2);
    assert_eq!((duplicates(&app, "/body"), tool.requests()), (1, 6));

    for _ in 0..2 {
        assert_eq!(deployment(&app, "/none", 5, "5f1b1f4e-0003").json()["status"], "stored");
    }
    delivered(&app, "none", 2);
    assert_eq!((duplicates(&app, "/none"), tool.requests()), (0, 8));
}

#[test]
fn a_hook_that_somebody_sends_again_later_is_delivered_again_under_its_key() {
    let (tool, folder) = (Tool::scripted(content), tempfile::tempdir().unwrap());
    let app = App::start(serve_in(folder.path(), &config(&tool)));
    deployment(&app, "/soon", 0, "5f1b1f4e-0004");
    delivered(&app, "soon", 1);
    wait_for("the end of the window", || {
        (deployment(&app, "/soon", 0, "5f1b1f4e-0004").json()["status"] == "stored").then_some(())
    });
    delivered(&app, "soon", 2);
    let kept = tool.kept();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept["5f1b1f4e-0004"].at.len(), 2);
}
