//! Traces of hooks, before a collector that reads what it gets: which trace a hook belongs to, what its spans say, and what
//! tools are told of it.

use crate::support::app::{App, serve_in};
use crate::support::asker::{TOKEN, posted, shown};
use crate::support::collector::{Collector, Taken};
use crate::support::gitflic_push;
use crate::support::receiver::{Receiver, status};
use crate::support::wait_for;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;
use std::path::Path;
use tempfile::TempDir;

/// A trace that began elsewhere, and the span of it that sent the hook.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SENDER: &str = "00f067aa0ba902b7";

/// What makes a request part of that trace.
fn parent(flags: &str) -> String {
    format!("00-{TRACE}-{SENDER}-{flags}")
}

struct Case {
    app: App,
    tool: Receiver,
    collector: Collector,
    folder: TempDir,
}

fn config(tool: &Receiver, collector: &Collector, traces: &str, to: &str) -> String {
    format!(
        "admin_token = \"{TOKEN}\"\nlog_level = \"debug,hyper=off\"\n[traces]\nendpoint = \"{}\"\n{traces}\n\
         [[route]]\npath = \"/\"\nsecret = \"copper-lantern\"\n\
         [[route.to]]\nname = \"quay\"\nurl = \"{}\"\nformat = \"gitlab\"\nbreaker = \"none\"\n{to}\n",
        collector.endpoint(),
        tool.url
    )
}

impl Case {
    fn new(traces: &str, to: &str) -> Self {
        Self::with(Receiver::content(), traces, to)
    }

    fn with(tool: Receiver, traces: &str, to: &str) -> Self {
        let (collector, folder) = (Collector::content(), tempfile::tempdir().unwrap());
        let app = App::start(serve_in(folder.path(), &config(&tool, &collector, traces, to)));
        Self { app, tool, collector, folder }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sends a push; gives the id of its hook.
    fn send(&self, headers: &[(&str, &str)]) -> String {
        let headers = [&[("Gitflic-Webhook-Secret", "copper-lantern")], headers].concat();
        let answer = self.app.post("/", &headers, gitflic_push().as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["delivery"].as_str().unwrap().to_owned()
    }

    fn attempt(&self, hook: &str, number: &str) -> Taken {
        let fits = |own: &Taken| own.fact("hookglot.hook") == hook && own.fact("hookglot.attempt") == number;
        self.collector.wait_for(&format!("attempt {number} of {hook}"), fits)
    }
}

/// What a trace of our own is called.
fn own(hook: &str) -> String {
    hook.replace('-', "")
}

const ACCEPT: &str = "accept = true\npass = true";

#[test]
fn a_hook_goes_on_in_the_trace_of_its_request() {
    let case = Case::new(ACCEPT, "");
    let hook = case.send(&[("traceparent", &parent("01")), ("tracestate", "harbour=7"), ("Tracestate", "b=2")]);
    let request = case.collector.of_hook(&hook, "POST /");
    assert_eq!((&*request.trace, &*request.parent, request.kind), (TRACE, SENDER, SpanKind::Server));
    // Sampled; its parent is somebody else's.
    assert_eq!((request.flags, &*request.state), (0x301, "harbour=7,b=2"));
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/"),
        ("url.path", "/"),
        ("url.scheme", "http"),
        ("http.response.status_code", "200"),
        ("hookglot.forge", "gitflic"),
        ("hookglot.event", "BRANCH_UPDATE"),
        ("hookglot.outcome", "stored"),
    ] {
        assert_eq!(request.fact(name), value, "{name}: {request:?}");
    }
    let attempt = case.attempt(&hook, "1");
    assert_eq!((&*attempt.name, attempt.kind, attempt.flags), ("POST quay", SpanKind::Client, 0x101));
    let port = case.tool.url.trim_end_matches("/tool").rsplit(':').next().unwrap();
    for (name, value) in [
        ("server.address", "127.0.0.1"),
        ("server.port", port),
        ("http.response.status_code", "200"),
        ("hookglot.destination", "quay"),
        ("hookglot.mapping", "gitflic-to-gitlab/push"),
        ("hookglot.outcome", "delivered"),
    ] {
        assert_eq!(attempt.fact(name), value, "{name}: {attempt:?}");
    }
    let [stored, translated] = ["store", "translate"].map(|name| case.collector.of_hook(&hook, name));
    assert_eq!(translated.fact("hookglot.outcome"), "translated");
    assert!(stored.nanoseconds > 0 && translated.nanoseconds > 0 && attempt.nanoseconds > 0);
    for own in [&stored, &translated, &attempt] {
        assert_eq!((&*own.trace, &*own.parent, &*own.state), (TRACE, &*request.id, "harbour=7,b=2"), "{own:?}");
        assert_eq!(own.error, None);
    }
    let got = case.tool.wait_for(1);
    assert_eq!(got[0].header("Traceparent"), Some(&*format!("00-{TRACE}-{}-01", attempt.id)));
    assert_eq!(got[0].header("Tracestate"), Some("harbour=7,b=2"));
    // What was sent is shown as it was sent.
    let delivery = shown(&case.app, &format!("/deliveries/{}", attempt.fact("hookglot.delivery")));
    assert!(delivery.to_string().contains(&format!("00-{TRACE}-{}-01", attempt.id)), "{delivery}");
    for line in ["request", "attempt"] {
        let own = case.app.wait_for_log(&format!("{line} hook=\"{hook}\""));
        assert!(own.contains(&format!("trace=\"{TRACE}\"")), "{own}");
    }
    assert_eq!(case.collector.of_process()["service.name"], "hookglot");
}

#[test]
fn a_hook_without_a_trace_begins_one_of_its_own_name() {
    // The second is none, the third is one of two.
    let none = parent("01").to_uppercase();
    let both = parent("01");
    let malformed: [&[(&str, &str)]; 3] =
        [&[], &[("traceparent", &none), ("tracestate", "a=1")], &[("traceparent", &both), ("traceparent", &both)]];
    let case = Case::new(ACCEPT, "");
    for (place, headers) in malformed.into_iter().enumerate() {
        let hook = case.send(headers);
        let (request, attempt) = (case.collector.of_hook(&hook, "POST /"), case.attempt(&hook, "1"));
        assert_eq!((&*request.trace, &*request.parent, request.flags), (&*own(&hook), "", 0x101));
        assert_eq!((&attempt.trace, &attempt.parent), (&request.trace, &request.id));
        let got = case.tool.wait_for(place + 1);
        let sent = got[place].header("Traceparent").unwrap();
        assert_eq!(sent, format!("00-{}-{}-01", own(&hook), attempt.id));
        assert_eq!(got[place].header("Tracestate"), None);
        let is_told = case.app.log().contains(&format!("a new trace begins hook=\"{hook}\""));
        assert_eq!(is_told, place > 0, "{}", case.app.log());
    }
}

#[test]
fn without_these_settings_requests_name_no_trace_and_tools_are_told_none() {
    let case = Case::new("", "pass_headers = [\"tracestate\"]");
    let hook = case.send(&[("traceparent", &parent("01")), ("tracestate", "harbour=7")]);
    let request = case.collector.of_hook(&hook, "POST /");
    assert_eq!((&*request.trace, &*request.parent, &*request.state), (&*own(&hook), "", ""));
    let got = case.tool.wait_for(1);
    // What the destination itself asks for is passed on as ever.
    assert_eq!((got[0].header("Traceparent"), got[0].header("Tracestate")), (None, Some("harbour=7")));
}

#[test]
fn what_a_destination_passes_on_gives_way_to_the_trace() {
    let case = Case::new("pass = true", "pass_headers = [\"traceparent\", \"tracestate\"]");
    let hook = case.send(&[("traceparent", &parent("01")), ("tracestate", "harbour=7")]);
    let got = case.tool.wait_for(1);
    let sent: Vec<&str> = got[0].head.lines().filter(|line| line.to_lowercase().starts_with("trace")).collect();
    assert_eq!(sent, [format!("Traceparent: 00-{}-{}-01", own(&hook), case.attempt(&hook, "1").id)]);
}

#[test]
fn attempts_of_a_hook_are_in_one_trace() {
    let tool = Receiver::scripted(|number| status(if number == 0 { 500 } else { 200 }, ""));
    let case = Case::with(tool, ACCEPT, "retries = [\"50ms\"]");
    let hook = case.send(&[("traceparent", &parent("01"))]);
    let (first, second) = (case.attempt(&hook, "1"), case.attempt(&hook, "2"));
    assert_eq!((first.fact("hookglot.outcome"), second.fact("hookglot.outcome")), ("again", "delivered"));
    assert_eq!((first.fact("error.type"), first.fact("http.response.status_code")), ("500", "500"));
    assert_eq!(first.error.as_deref(), Some("the destination answered 500"));
    assert_eq!((second.fact("http.request.resend_count"), second.fact("error.type")), ("1", ""));
    assert_eq!((&first.trace, &first.parent), (&second.trace, &second.parent));
    let sent: Vec<String> =
        case.tool.wait_for(2).iter().map(|got| got.header("Traceparent").unwrap().to_owned()).collect();
    assert_eq!(sent, [&first, &second].map(|own| format!("00-{TRACE}-{}-01", own.id)));
}

#[test]
fn a_tool_that_is_not_there_and_a_hook_that_is_given_up_are_told() {
    let url = format!("http://{}/x", crate::support::tool::nobodys_address());
    let case = Case::new(
        "",
        &format!("retries = []\n[[route.to]]\nname = \"gone\"\nurl = \"{url}\"\nformat = \"gitlab\"\nretries = []"),
    );
    let hook = case.send(&[]);
    let lost = case.collector.of_hook(&hook, "POST gone");
    assert_eq!((lost.fact("error.type"), lost.fact("hookglot.outcome")), ("unreachable", "failed"));
    assert!(lost.error.as_ref().is_some_and(|error| error.starts_with("no connection")), "{lost:?}");
    let line = case.app.wait_for_log("reason=\"given up after 1 attempt");
    assert!(line.contains(&format!("trace=\"{}\"", own(&hook))), "{line}");
}

#[test]
fn a_kill_and_a_restart_change_no_trace() {
    let tool = Receiver::scripted(|number| status(if number < 2 { 500 } else { 200 }, ""));
    let mut case = Case::with(tool, ACCEPT, "retries = [\"4s\"]");
    let named = case.send(&[("traceparent", &parent("01")), ("tracestate", "harbour=7")]);
    let unnamed = case.send(&[]);
    // They are exported before the kill, or the collector would never see them.
    let before = [&named, &unnamed].map(|hook| case.attempt(hook, "1"));
    case.app.signal("KILL");
    let _ = case.app.wait();
    let text = config(&case.tool, &case.collector, ACCEPT, "retries = [\"4s\"]");
    case.app = App::start(serve_in(case.folder(), &text));
    let after = [&named, &unnamed].map(|hook| {
        case.collector.wait_for("the last attempt", |own| {
            own.fact("hookglot.hook") == hook && own.fact("hookglot.outcome") == "delivered"
        })
    });
    for ((before, after), trace) in before.iter().zip(&after).zip([TRACE.to_owned(), own(&unnamed)]) {
        assert_eq!((&before.trace, &before.parent, &before.state), (&after.trace, &after.parent, &after.state));
        assert_eq!(after.trace, trace);
        assert_ne!(before.id, after.id);
        let sent = format!("00-{trace}-{}-01", after.id);
        wait_for("the tool's header", || {
            case.tool.got().iter().any(|got| got.header("Traceparent") == Some(&sent)).then_some(())
        });
    }
}

#[test]
fn what_is_sent_again_is_in_the_trace_of_its_hook() {
    let case = Case::new(ACCEPT, "");
    let hook = case.send(&[("traceparent", &parent("01"))]);
    let first = case.attempt(&hook, "1");
    let delivery = first.fact("hookglot.delivery");
    wait_for("its end", || {
        (shown(&case.app, &format!("/deliveries/{delivery}"))["state"] == "delivered").then_some(())
    });
    let answer = posted(&case.app, &format!("/deliveries/{delivery}/resend"), &json!({"how": "anew"}));
    assert!((200..300).contains(&answer.status), "{answer:?}");
    let again = case
        .collector
        .wait_for("the other attempt", |own| own.name == "POST quay" && own.fact("hookglot.delivery") != delivery);
    assert_eq!((&again.trace, &again.parent, again.fact("hookglot.hook")), (&first.trace, &first.parent, &*hook));
}

#[test]
fn who_may_not_send_is_told_in_a_trace_of_its_own() {
    let case = Case::new(ACCEPT, "");
    let headers = |secret| [("Gitflic-Webhook-Secret", secret), ("traceparent", TRACEPARENT)];
    assert_eq!(case.app.post("/", &headers("wrong"), b"{}").status, 401);
    let refused = case.collector.wait_for("the refusal", |own| own.fact("hookglot.refusal") == "secret");
    assert_ne!(refused.trace, TRACE);
    assert_eq!((refused.fact("http.response.status_code"), &*refused.parent), ("401", ""));
    assert!(refused.fact("hookglot.reason").starts_with("the secret of the hook is missing or wrong"), "{refused:?}");
    assert_eq!((refused.fact("hookglot.outcome"), refused.fact("hookglot.hook")), ("refused", ""));
    assert!(case.app.wait_for_log("status=401").contains(&format!("trace=\"{}\"", refused.trace)));
    // Whoever may send goes on in its trace, also with what is no hook.
    assert_eq!(case.app.post("/", &headers("copper-lantern"), b"{").status, 400);
    let bad = case.collector.wait_for("the bad body", |own| own.fact("hookglot.refusal") == "bad_body");
    assert_eq!((&*bad.trace, &*bad.parent, &*bad.name), (TRACE, SENDER, "POST /"));
    // No path that somebody made up is the name of a span, and no key in one shows.
    assert_eq!(case.app.post("/hooks/xkq8wzr3yibtmfp9o1cdns5ueh", &[], b"{}").status, 404);
    let unknown = case.collector.wait_for("the unknown path", |own| own.fact("hookglot.refusal") == "unknown_path");
    assert_eq!((&*unknown.name, unknown.fact("http.route"), unknown.fact("url.path")), ("POST", "", "/hooks/hidden"));
}

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn what_is_ignored_says_why() {
    let case = Case::new("", "events = [\"TAG_CREATE\", \"PIPELINE_NEW\"]");
    let hook = case.send(&[]);
    let request = case.collector.of_hook(&hook, "POST /");
    assert_eq!(request.fact("hookglot.outcome"), "ignored");
    let [(event, about)] = request.events.as_slice() else { panic!("{request:?}") };
    assert_eq!((event.as_str(), &*about["hookglot.destination"]), ("ignored", "quay"));
    assert!(request.fact("hookglot.reason") == about["hookglot.reason"] && !about["hookglot.reason"].is_empty());
    // One that nobody recognises.
    let answer = case.app.post("/", &[("Gitflic-Webhook-Secret", "copper-lantern")], b"{\"moored\": true}");
    let request = case.collector.of_hook(answer.json()["delivery"].as_str().unwrap(), "POST /");
    assert!(request.fact("hookglot.reason").starts_with("not a hook of"), "{request:?}");
}

#[test]
fn a_translation_that_makes_nothing_says_why() {
    let case = Case::new("", "");
    let headers = [("Gitflic-Webhook-Secret", "copper-lantern")];
    // What a push must have is of another kind.
    let broken = gitflic_push().replace("\"5b1c0f3e7d9a24860c1b3d5f7a9e2c4d6f8b0a13\"", "{\"knots\": 7}");
    let answer = case.app.post("/", &headers, broken.as_bytes());
    let hook = answer.json()["delivery"].as_str().unwrap().to_owned();
    let failed = case.collector.of_hook(&hook, "translate");
    assert_eq!((failed.fact("hookglot.outcome"), failed.fact("error.type")), ("failed", "translation"));
    assert!(failed.error.is_some_and(|why| why.contains("mappings/gitflic-to-gitlab/push.yaml")));
    let line = case.app.wait_for_log("ERROR failed");
    assert!(line.contains(&format!("trace=\"{}\"", own(&hook))), "{line}");
}

#[test]
fn what_is_parked_is_told_in_the_trace_of_its_request() {
    let tool = Receiver::scripted(|number| status(if number == 1 { 200 } else { 500 }, ""));
    let more = "order = \"project\"\npark_after = \"300ms\"\nretries = [\"400ms\", \"1h\"]";
    let case = Case::with(tool, ACCEPT, more);
    let hook = case.send(&[("traceparent", &parent("01"))]);
    let _ = case.send(&[]);
    let parked = case.collector.of_hook(&hook, "park");
    assert_eq!((&*parked.trace, parked.fact("hookglot.outcome")), (TRACE, "parked"));
}

#[test]
fn a_queue_that_is_full_is_told_with_the_request() {
    let tool = Receiver::scripted(|_| status(500, ""));
    let case = Case::with(tool, "", "queue = 1\nretries = [\"1h\"]");
    let _ = case.send(&[]);
    let request = case.collector.of_hook(&case.send(&[]), "POST /");
    let [(event, about)] = request.events.as_slice() else { panic!("{request:?}") };
    assert_eq!((event.as_str(), &*about["hookglot.reason"]), ("failed", "queue full"));
}

#[test]
fn a_share_decides_for_traces_that_begin_here() {
    let case = Case::new("accept = true\npass = true\nratio = 0", "");
    let unnamed = case.send(&[]);
    let sampled = case.send(&[("traceparent", &parent("01"))]);
    case.attempt(&sampled, "1");
    let got = case.tool.wait_for(2);
    let of = |trace: &str| {
        let sent = got.iter().filter_map(|got| got.header("Traceparent")).find(|sent| sent.contains(trace));
        sent.unwrap_or_else(|| panic!("{got:?}")).to_owned()
    };
    // The tool is told that this one is not exported.
    assert!(of(&own(&unnamed)).ends_with("-00") && of(TRACE).ends_with("-01"));
    assert!(case.collector.taken().iter().all(|own| own.trace == TRACE));
}

#[test]
fn what_came_decides_for_a_trace_that_began_elsewhere() {
    let case = Case::new(ACCEPT, "");
    let _ = case.send(&[("traceparent", &parent("00"))]);
    let unnamed = case.send(&[]);
    case.attempt(&unnamed, "1");
    let got = case.tool.wait_for(2);
    assert!(got.iter().any(|got| {
        got.header("Traceparent").is_some_and(|sent| sent.starts_with(&format!("00-{TRACE}-")) && sent.ends_with("-00"))
    }));
    assert!(case.collector.taken().iter().all(|taken| taken.trace == own(&unnamed)));
}

#[test]
fn the_environment_says_who_we_are() {
    let (tool, collector, folder) = (Receiver::content(), Collector::content(), tempfile::tempdir().unwrap());
    let mut serve = serve_in(folder.path(), &config(&tool, &collector, "", ""));
    serve.env("OTEL_SERVICE_NAME", "quay-bridge").env("OTEL_RESOURCE_ATTRIBUTES", "harbour.berth=7,service.name=other");
    let case = Case { app: App::start(serve), tool, collector, folder };
    case.attempt(&case.send(&[]), "1");
    let of_process = case.collector.of_process();
    assert_eq!((&*of_process["service.name"], &*of_process["harbour.berth"]), ("quay-bridge", "7"));
    assert_eq!(
        (&*of_process["service.version"], &*of_process["telemetry.sdk.language"]),
        (env!("CARGO_PKG_VERSION"), "rust")
    );
}
