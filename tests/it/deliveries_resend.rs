//! `deliveries resend` before a server that answers as it wants, and on a terminal.

use crate::support::process::Running;
use crate::support::script::{Scripted, always, asking, json, problem, run};
use crate::support::shapes::{ID, OTHER, delivery, difference};
use crate::support::terminal::Terminal;
use crate::support::wait_for;
use serde_json::{Value, json as value};

fn resent(status: &str) -> Value {
    let is_refused = status == "refused";
    value!({"destination": "quay", "status": status, "delivery": if is_refused { None } else { Some(OTHER) },
        "reason": if is_refused { Some("its content was erased") } else { None }})
}

fn resends(state: &str, sent: u64) -> Value {
    value!({"id": OTHER, "who": "admin", "state": state, "started_at": "2026-11-26T10:15:00Z", "ended_at": null,
        "asked": {"filter": {}, "how": "as_sent", "dry_run": false, "rate": 10, "again": false},
        "found": 3, "sent": sent, "refused": [{"reason": "its content was erased", "count": 1}], "error": null})
}

fn plan() -> Value {
    value!({"would_send": 3, "would_differ": 2, "would_refuse": [{"reason": "it waits already", "count": 4}],
        "complete": true, "sample": [delivery(ID)]})
}

#[test]
fn a_resend_says_what_became_of_each() {
    let server = Scripted::new(|number, _| json(200, &resent(["queued", "refused"][number])));
    let done = run(&server, &["deliveries", "resend", ID, OTHER]);
    assert_eq!((done.code, done.err.as_str()), (Some(1), ""), "{done:?}");
    assert!(done.out.contains("quay         queued") && done.out.contains("its content was erased"), "{done:?}");
    let body = value!({"how": "as_sent", "expect": null});
    assert_eq!(server.asked()[0], (format!("POST /api/v1/deliveries/{ID}/resend"), body));
    let items = value!({"items": [resent("queued"), resent("queued")], "next": null});
    let server = always(json(200, &items));
    let forced = run(&server, &["deliveries", "resend", ID, "--to", "quay", "--json"]);
    assert_eq!((forced.code, forced.out.lines().count()), (Some(0), 2), "{forced:?}");
    assert_eq!(server.asked()[0], (format!("POST /api/v1/hooks/{ID}/resend"), value!({"destinations": ["quay"]})));
    assert_eq!(run(&server, &["deliveries", "resend", ID, "--to", "*"]).code, Some(0));
    assert_eq!(server.asked()[1].1, value!({"destinations": null}));
    let server =
        Scripted::new(
            |number, _| {
                if number == 0 { problem(404, "there is no delivery") } else { json(200, &resent("hurried")) }
            },
        );
    let second = run(&server, &["deliveries", "resend", ID, OTHER]);
    assert!(second.code == Some(1) && second.out.contains("hurried"), "{second:?}");
    let missing = run(&always(problem(404, "there is no delivery")), &["deliveries", "resend", ID]);
    assert!(missing.says(1).contains("`--to NAME` delivers it"), "{missing:?}");
}

/// Answers a resend with today's mappings.
fn anew() -> Scripted {
    Scripted::new(|_, line| json(200, &if line.starts_with("GET") { difference(false) } else { resent("queued") }))
}

#[test]
fn what_is_made_anew_is_shown_and_agreed_to_first() {
    let server = anew();
    let unasked = run(&server, &["deliveries", "resend", ID, "--anew"]);
    assert!(unasked.says(1).contains("--yes"), "{unasked:?}");
    assert!(server.asked().is_empty());
    let agreed = run(&server, &["deliveries", "resend", ID, "--anew", "--yes"]);
    assert!(agreed.code == Some(0) && agreed.err.starts_with("- commits[0].title = \"a\"\n+ "), "{agreed:?}");
    assert_eq!(server.asked()[1].1, value!({"how": "anew", "expect": "5a5a"}));

    let server = anew();
    for (answer, posts) in [("n\n", 0), ("\n", 0), ("y\n", 1)] {
        let mut asks = Terminal::start(asking(&server, &["deliveries", "resend", ID, "--anew"]), 100);
        asks.wait_for("[y/N] ");
        assert!(asks.shown().contains("+ tide = 1"), "{}", asks.shown());
        asks.types(answer);
        assert_eq!(asks.end(), Some(i32::from(posts == 0)), "{}", asks.shown());
        assert_eq!(server.asked().iter().filter(|(line, _)| line.starts_with("POST")).count(), posts);
    }
}

#[test]
fn many_are_counted_first_and_then_watched_to_their_end() {
    let server = Scripted::new(|number, line| match (number, line.split(' ').next()) {
        (0, _) => json(200, &plan()),
        (1, Some("POST")) => json(202, &resends("running", 0)),
        (2, Some("GET")) => json(200, &resends("running", 1)),
        _ => json(200, &resends("done", 2)),
    });
    let filter = ["deliveries", "resend", "--state", "failed", "--destination", "quay", "--rate", "50", "--yes"];
    let done = run(&server, &filter);
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{done:?}");
    assert!(
        done.out.starts_with("would send 3, 2 with another body\nwould not send 4: it waits already\n"),
        "{done:?}"
    );
    assert!(done.out.contains(ID) && done.out.ends_with("2 of 3 sent again\nnot sent 1: its content was erased\n"));
    let asked = server.asked();
    let (counted, run_) = (&asked[0].1, &asked[1].1);
    assert_eq!((&counted["dry_run"], &run_["dry_run"], &run_["rate"]), (&true.into(), &false.into(), &50.into()));
    // What comes in after the count is not sent: nobody saw it.
    assert!(counted["filter"]["until"].is_string() && counted["filter"] == run_["filter"], "{asked:?}");
    assert_eq!(asked[2].0, format!("GET /api/v1/resends/{OTHER}"));
}

#[test]
fn many_are_only_sent_when_somebody_says_so() {
    let server = always(json(200, &plan()));
    let filter = ["deliveries", "resend", "--state", "failed", "--since", "2h"];
    let dry = run(&server, &[&filter[..], &["--dry-run"]].concat());
    assert!(dry.code == Some(0) && dry.out.starts_with("would send 3"), "{dry:?}");
    assert_eq!(run(&server, &[&filter[..], &["--dry-run", "--json"]].concat()).json(), plan());
    assert_eq!(server.asked().len(), 2);
    assert!(run(&server, &filter).says(1).contains("--yes"));
    assert_eq!(server.asked().len(), 2, "nothing was asked for");
    for (wrong, says) in [(&["--yes"][..], "say which"), (&[ID, "--state", "failed"], "not both")] {
        let wrong = run(&server, &[&["deliveries", "resend"], wrong].concat());
        assert!(wrong.says(1).contains(says), "{wrong:?}");
    }
    let mut asks = Terminal::start(asking(&server, &filter), 160);
    asks.wait_for("send 3 again, 10 a second at most? [y/N] ");
    asks.types("\n");
    assert_eq!(asks.end(), Some(1));
    assert!(server.asked().iter().all(|(_, body)| body["dry_run"] == true));
}

#[test]
fn ctrl_c_stops_a_resend_on_the_server() {
    let server = Scripted::new(|number, line| match (number, line.split(' ').next()) {
        (0, _) => json(200, &plan()),
        (_, Some("DELETE")) => json(200, &resends("cancelled", 1)),
        _ => json(202, &resends("running", 1)),
    });
    let resend = Running::start(asking(&server, &["deliveries", "resend", "--state", "failed", "--yes"]), b"");
    wait_for("a look", || server.asked().iter().any(|(line, _)| line.starts_with("GET")).then_some(()));
    resend.signal("INT");
    let stopped = resend.end();
    assert!(stopped.code == Some(1) && stopped.out.contains("stopped: 1 of 3 sent again\n"), "{stopped:?}");
    assert_eq!(server.asked().last().unwrap().0, format!("DELETE /api/v1/resends/{OTHER}"));
}
