//! Collectors that are away, hang, refuse or change: hooks never wait for them, and what is lost is counted and said once.
//! And traces that nobody has asked for.

use crate::config::{ConfigFile, MARK, ROUTE, assert_faults};
use crate::support::app::{App, command, serve_in};
use crate::support::collector::{Collector, rejecting};
use crate::support::load::{Client, numbered_push};
use crate::support::process::ended;
use crate::support::receiver::{Receiver, status};
use crate::support::tool::nobodys_address;
use crate::support::{DEADLINE, wait_for};
use std::net::TcpListener;
use std::time::Instant;
use tempfile::TempDir;

struct Case {
    app: App,
    tool: Receiver,
    folder: TempDir,
}

fn config(tool: &Receiver, traces: &str) -> String {
    format!(
        "grace = \"2s\"\n{traces}\n[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"quay\"\nurl = \"{}\"\n\
         format = \"gitlab\"\n",
        tool.url
    )
}

impl Case {
    fn new(traces: &str) -> Self {
        let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
        let app = App::start(serve_in(folder.path(), &config(&tool, traces)));
        Self { app, tool, folder }
    }

    fn at(endpoint: &str) -> Self {
        Self::new(&format!("[traces]\nendpoint = \"{endpoint}\"\ntimeout = \"300ms\""))
    }

    /// Sends hooks, and waits until the tool has them all.
    fn send(&self, count: usize) {
        let before = self.tool.got().len();
        for number in 0..count {
            assert_eq!(self.app.post("/", &[], numbered_push(number).as_bytes()).json()["status"], "stored");
        }
        self.tool.wait_for(before + count);
    }

    fn spans(&self, result: &str) -> Option<u64> {
        self.app.metric(&format!("hookglot_spans_total{{result=\"{result}\"}} "))
    }

    /// Waits until so many spans have come to this end, and gives how many.
    fn counts(&self, result: &str, least: u64) -> u64 {
        wait_for(&format!("{least} {result}"), || self.spans(result).filter(|count| *count >= least))
    }

    /// How many lines of the log say so.
    fn says(&self, text: &str) -> usize {
        self.app.log().lines().filter(|line| line.contains(text)).count()
    }
}

const DOWN: &str = "spans cannot be exported";
const BACK: &str = "spans are exported again";

#[test]
fn a_collector_that_refuses_is_said_once_and_so_is_its_return() {
    let collector = Collector::answering(|number| status(if number < 3 { 500 } else { 200 }, ""));
    let case = Case::at(&collector.endpoint());
    assert_eq!((case.spans("failed"), case.spans("dropped")), (Some(0), Some(0)));
    for times in 1..4 {
        case.send(1);
        // The request, the store, the translation and the attempt.
        case.counts("failed", 4 * times);
    }
    case.send(1);
    case.counts("exported", 4);
    assert_eq!((case.says(DOWN), case.says(BACK), case.spans("failed")), (1, 1, Some(12)), "{}", case.app.log());
    let line = case.app.wait_for_log(DOWN);
    assert!(
        line.contains("the answer is 500") && line.contains(&collector.endpoint()) && line.contains("WARN"),
        "{line}"
    );
}

#[test]
fn a_collector_that_is_away_for_a_moment_loses_nothing() {
    let collector = Collector::answering(|number| status(if number == 0 { 503 } else { 200 }, "Retry-After: 1\r\n"));
    let case = Case::at(&collector.endpoint());
    case.send(2);
    let exported = case.counts("exported", 8);
    assert_eq!((exported, case.spans("failed"), case.spans("dropped")), (8, Some(0), Some(0)));
    assert_eq!((case.says(DOWN), case.says(BACK)), (1, 1));
}

#[test]
fn a_collector_that_is_not_there_or_hangs_holds_up_nobody() {
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for (address, why) in [(nobodys_address(), "no connection"), (silent.local_addr().unwrap(), "no answer in time")] {
        let case = Case::at(&format!("http://{address}"));
        case.send(20);
        let line = case.app.wait_for_log(DOWN);
        assert!(line.contains(why), "{line}");
        case.send(20);
        // What cannot be exported is given up after its tries: 1 s and 5 s.
        case.counts("failed", 1);
        assert_eq!((case.says(DOWN), case.says(BACK)), (1, 0), "{}", case.app.log());
    }
}

#[test]
fn what_a_collector_does_not_take_of_a_batch_is_counted() {
    let collector = Collector::answering(|_| rejecting(1));
    let case = Case::at(&collector.endpoint());
    case.send(1);
    case.counts("failed", 1);
    wait_for("the others", || {
        (case.spans("failed")? + case.spans("exported")? == 4 && case.spans("exported")? > 0).then_some(())
    });
    assert!(case.app.wait_for_log(DOWN).contains("it does not take 1 of"), "{}", case.app.log());
}

#[test]
fn spans_beyond_the_room_are_dropped_and_counted() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = silent.local_addr().unwrap();
    let case = Case::new(&format!("[traces]\nendpoint = \"http://{endpoint}\"\ntimeout = \"60s\""));
    let mut client = Client::new(&case.app.address);
    // One span each: nobody has this path.
    let until = Instant::now() + DEADLINE;
    let mut sent = 0;
    while case.spans("dropped") == Some(0) {
        for _ in 0..500 {
            assert_eq!(client.post("/nobody", &[], b"").map(|answer| answer.status), Some(404));
        }
        sent += 500;
        assert!(Instant::now() < until, "{sent} requests, and none is dropped");
    }
    assert!((4_096..=6_000).contains(&sent), "{sent}");
    assert_eq!(case.says("spans are dropped"), 1, "{}", case.app.log());
    case.send(1);
}

#[test]
fn a_stop_exports_what_there_is() {
    let collector = Collector::content();
    let mut case = Case::at(&collector.endpoint());
    case.send(3);
    case.app.wait_for_log("outcome=\"delivered\"");
    case.app.terminate();
    assert_eq!(case.app.wait().code(), Some(0));
    let spans = collector.taken();
    assert_eq!(spans.iter().filter(|own| own.name == "POST quay").count(), 3, "{spans:?}");
    assert_eq!(spans.iter().filter(|own| own.name == "POST /").count(), 3);
    assert_eq!(case.says("spans are lost"), 0);
}

#[test]
fn a_stop_waits_for_a_collector_no_longer_than_its_grace() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = silent.local_addr().unwrap();
    let mut case = Case::new(&format!("[traces]\nendpoint = \"http://{endpoint}\"\ntimeout = \"60s\""));
    case.send(1);
    case.app.terminate();
    let started = Instant::now();
    assert_eq!(case.app.wait().code(), Some(0));
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    let line = case.app.wait_for_log("spans are lost: the grace time is over");
    assert!(line.contains("spans=4 grace_seconds=2"), "{line}");
}

#[test]
fn another_collector_and_none_are_in_force_at_once() {
    let (first, second) = (Collector::content(), Collector::content());
    let case = Case::at(&first.endpoint());
    let reload = |traces: &str, times: u64| {
        std::fs::write(case.folder.path().join("hookglot.toml"), config(&case.tool, traces)).unwrap();
        case.app.signal("HUP");
        let loaded = "hookglot_config_reloads_total{result=\"loaded\"} ";
        wait_for("the reload", || case.app.metric(loaded).filter(|loaded| *loaded >= times));
    };
    case.send(1);
    // What waits for the first is exported to the first.
    reload(&format!("reload = {{config = false}}\n[traces]\nendpoint = \"{}\"", second.endpoint()), 1);
    case.send(1);
    second.wait_for("an attempt", |own| own.name == "POST quay");
    first.wait_for("an attempt", |own| own.name == "POST quay");
    case.counts("exported", 8);
    reload("reload = {config = false}", 2);
    case.send(1);
    let line = wait_for("the last attempt", || {
        let log = case.app.log();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("outcome=\"delivered\"")).collect();
        (lines.len() == 3).then(|| lines[2].to_owned())
    });
    assert!(!line.contains("trace="), "{line}");
    assert_eq!((first.taken().len(), second.taken().len(), case.spans("exported")), (4, 4, Some(8)));
}

#[test]
fn nobody_is_told_of_traces_that_nobody_asked_for() {
    let collector = Collector::content();
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let mut serve = serve_in(folder.path(), &config(&tool, ""));
    // What other programs are switched on by.
    serve.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()).env("OTEL_TRACES_EXPORTER", "otlp");
    let mut case = Case { app: App::start(serve), tool, folder };
    let parent = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), ("tracestate", "a=1")];
    assert_eq!(case.app.post("/", &parent, numbered_push(0).as_bytes()).status, 200);
    let got = case.tool.wait_for(1);
    assert!(!got[0].head.to_lowercase().contains("\r\ntrace"), "{}", got[0].head);
    assert_eq!(case.spans("exported"), Some(0));
    case.app.terminate();
    assert_eq!(case.app.wait().code(), Some(0));
    assert!(collector.got().is_empty() && !case.app.log().contains("trace"), "{}", case.app.log());
}

#[test]
fn the_collectors_secrets_go_to_it_and_show_nowhere() {
    let collector = Collector::answering(|number| status(if number == 0 { 500 } else { 200 }, ""));
    let file = ConfigFile::new("");
    let key = file.folder.path().join("key");
    std::fs::write(&key, format!("x{MARK}\n")).unwrap();
    let endpoint = collector.endpoint().replace("http://", &format!("http://olga:{MARK}@"));
    let traces = format!(
        "log_level = \"trace\"\n[traces]\nendpoint = \"{endpoint}/{MARK}?key={MARK}\"\n[traces.headers]\nX-Api-Key = \"{MARK}\"\n\
         X-Other = {{file = \"{}\"}}\n",
        key.display()
    );
    // Where the collector is asked for spans is not where it takes them: a path of its own stands before.
    let bare = traces.replace(&format!("/{MARK}?key={MARK}"), "");
    let case = Case::new(&bare);
    case.send(1);
    case.counts("failed", 4);
    case.send(1);
    case.counts("exported", 4);
    for got in collector.got() {
        assert_eq!((got.header("X-Api-Key"), got.header("X-Other")), (Some(MARK), Some(&*format!("x{MARK}"))));
        assert!(got.header("Authorization").is_some_and(|login| login.starts_with("Basic ")), "{}", got.head);
    }
    assert!(!case.app.log().contains(MARK), "{}", case.app.log());
    let tool = case.tool.got();
    assert!(!tool.iter().any(|got| got.head.contains(MARK)));
    // Nor in what is in force.
    let path = case.folder.path().join("hookglot.toml");
    std::fs::write(&path, config(&case.tool, &traces)).unwrap();
    let shown = ended(command(&["config", "--config", path.to_str().unwrap()]));
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.contains("X-Api-Key") && !shown.out.contains(MARK), "{}", shown.out);
}

#[test]
fn a_collector_may_stand_below_a_path() {
    let tool = Receiver::content();
    for (path, expected) in [("", "/v1/traces"), ("/", "/v1/traces"), ("/otlp/?a=1", "/otlp/v1/traces?a=1")] {
        let case = Case::at(&tool.url.replace("/tool", path));
        case.send(1);
        case.counts("exported", 4);
        let got = tool.got();
        assert!(got[got.len() - 1].head.starts_with(&format!("POST {expected} HTTP/1.1\r\n")), "{got:?}");
    }
}

#[test]
fn settings_of_traces_that_could_not_work_are_refused() {
    let faults = |traces: &str| ConfigFile::new(&format!("[traces]\n{traces}\n{ROUTE}")).faults(&[], &[]);
    let at = "endpoint = \"http://127.0.0.1:4318\"";
    for (traces, place, message) in [
        ("endpoint = \"collector:4317\"", "traces.endpoint", "expected an http:// or https:// URL"),
        ("endpoint = \"http://c:4318/v1/traces/\"", "traces.endpoint", "it ends with /v1/traces"),
        ("pass = true", "traces.pass", "traces.endpoint is missing: nobody would get the spans; `pass_headers`"),
        ("accept = true", "traces.accept", "traces.endpoint is missing"),
        ("headers = {X-Api-Key = \"x\"}", "traces.headers", "traces.endpoint is missing"),
        (&format!("{at}\nratio = 1.5"), "traces.ratio", "expected a share from 0 to 1"),
        (&format!("{at}\nratio = \"nan\""), "traces.ratio", "expected a share from 0 to 1"),
        (&format!("{at}\ntimeout = \"0s\""), "traces.timeout", "0: every post would fail at once"),
        (&format!("{at}\nca_file = \"/no/such/file\""), "traces.ca_file", "/no/such/file"),
        (&format!("{at}\npasss = true"), "traces.passs", "unknown setting, did you mean `pass`?"),
        (&format!("{at}\nheaders = {{Host = \"x\"}}"), "traces.headers.Host", "belongs to the connection"),
        (&format!("{at}\nheaders = {{X = {{file = \"/no/such/file\"}}}}"), "traces.headers.X", "/no/such/file"),
        (
            "endpoint = \"http://olga:x@c\"\nheaders = {Authorization = \"y\"}",
            "traces.headers",
            "the endpoint has a user and a password",
        ),
    ] {
        assert_faults(&faults(traces), &[(place, message)]);
    }
}
