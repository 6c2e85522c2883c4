use crate::support::app::{App, command};
use crate::support::process::{Ended, Running, ended, run};
use crate::support::receiver::{Receiver, status};
use crate::support::{gitlab_push, wait_for};
use serde_json::Value;
use std::net::TcpListener;
use tempfile::TempDir;

const SECRET: &str = "brass-lantern-77";

/// An address for a sink that begins to listen later. No other test uses this loopback address, so that its port stays free.
fn address_for_a_sink() -> String {
    TcpListener::bind("127.0.77.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A hookglot with one destination, which reads GitLab's format.
fn proxy(to: &str) -> App {
    App::with_environment(&[("HOOKGLOT_TO", to), ("HOOKGLOT_FORMAT", "gitlab"), ("HOOKGLOT_SECRET", SECRET)])
}

struct Bench {
    folder: TempDir,
    url: String,
}

impl Bench {
    fn on(app: &App) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
        Self { folder, url: format!("http://{}/", app.address) }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let secret = self.folder.path().join("secret");
        let fixed = ["bench", "--url", &self.url, "--secret-file", secret.to_str().unwrap()];
        ended(command(&[&fixed[..], arguments].concat()))
    }
}

fn figures(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

#[test]
fn every_hook_is_accepted_and_arrives() {
    let sink = address_for_a_sink();
    let app = proxy(&format!("http://{sink}/tool"));
    let pid = app.id().to_string();
    let figures =
        Bench::on(&app).run(&["--hooks", "200", "--connections", "8", "--sink", &sink, "--pid", &pid, "--json"]).json();
    let whole = ["ok", "hooks", "accepted", "ignored", "unanswered"].map(|name| figures[name].to_string());
    assert_eq!(whole, ["true", "200", "200", "0", "0"], "{figures}");
    assert_eq!(figures["answers"], serde_json::json!({"200": 200}));
    let arrived = ["arrived", "missing", "duplicates", "strangers"].map(|name| figures["sink"][name].clone());
    assert_eq!(arrived, [200, 0, 0, 0], "{figures}");
    let at = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path}: {figures}"));
    for times in ["/answer_ms", "/sink/delivery_ms"] {
        let [p50, p90, p99, max] = ["p50", "p90", "p99", "max"].map(|name| at(&format!("{times}/{name}")));
        assert!(p50 <= p90 && p90 <= p99 && p99 <= max && max > 0.0, "{figures}");
    }
    assert!(at("/accepted_per_second") > 1.0 && at("/sink/arrived_per_second") > 1.0, "{figures}");
    assert_eq!(figures["processes"][0]["pid"].to_string(), pid);
    assert!(at("/processes/0/cpu_us_per_hook") > 0.0 && at("/processes/0/peak_rss_kib") > 1000.0, "{figures}");
    assert_eq!(app.metric("hookglot_deliveries_total{destination=\"sidecar\",outcome=\"delivered\"}"), Some(200));
}

#[test]
fn a_hook_of_gitlab_is_known_again_too() {
    let sink = address_for_a_sink();
    let app = proxy(&format!("http://{sink}/tool"));
    let bench = Bench::on(&app);
    let body = bench.file("push.json", &gitlab_push());
    let arguments = [
        "--hooks",
        "20",
        "--connections",
        "30",
        "--body",
        &body,
        "--header",
        "X-Gitlab-Event: Push Hook",
        "--sink",
        &sink,
    ];
    let ended = bench.run(&arguments);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
    for line in
        ["answers    200: 20\n", "accepted   20 in ", "arrived    20 in ", " 0 missing, 0 again\n", "delivered  p50 "]
    {
        assert!(ended.out.contains(line), "{line}: {ended:?}");
    }
}

#[test]
fn what_does_not_arrive_is_said() {
    let elsewhere = Receiver::content();
    let app = proxy(&elsewhere.url);
    let ended = Bench::on(&app).run(&["--hooks", "7", "--sink", &address_for_a_sink(), "--patience", "1", "--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.err, "hookglot: 7 of 7 accepted hooks are missing at the sink\n");
    let figures = figures(&ended);
    assert_eq!((&figures["ok"], &figures["accepted"]), (&false.into(), &7.into()));
    assert_eq!((&figures["sink"]["arrived"], &figures["sink"]["missing"]), (&0.into(), &7.into()));
    elsewhere.wait_for(7);
}

#[test]
fn hooks_of_others_and_hooks_that_come_again_are_told_apart() {
    let sink = address_for_a_sink();
    // It answers at once, and passes nothing on.
    let front = Receiver::content();
    let url = front.url.clone();
    let bench = command(&["bench", "--url", &url, "--hooks", "2", "--connections", "1", "--sink", &sink, "--json"]);
    let bench = Running::start(bench, b"");
    let sent = front.wait_for(2);
    let deliver = |key: &str, body: &[u8]| {
        assert_eq!(crate::support::wire::post(&sink, "/", &[("idempotency-key", key)], body).status, 200);
    };
    deliver("stranger", b"{}");
    for _ in 0..3 {
        deliver("one", &sent[0].body);
    }
    assert_ne!(sent[0].body, sent[1].body, "each hook is another");
    deliver("two", &sent[1].body);
    let figures = bench.end().json();
    let sink = &figures["sink"];
    let counts = ["arrived", "missing", "duplicates", "strangers"].map(|name| sink[name].clone());
    assert_eq!(counts, [2, 0, 2, 1], "{figures}");
}

#[test]
fn a_wrong_secret_ends_in_1_and_shows_nowhere() {
    let tool = Receiver::content();
    let app = proxy(&tool.url);
    let bench = Bench::on(&app);
    bench.file("secret", "tin-whistle-34\n");
    let ended = bench.run(&["--hooks", "20", "--json"]);
    let answers = &figures(&ended)["answers"];
    // Ten are told that they are wrong, the others that these were too many.
    let (wrong, late) = (answers["401"].as_u64().unwrap(), answers["429"].as_u64().unwrap());
    assert!(wrong >= 10 && wrong + late == 20, "{ended:?}");
    let text = bench.run(&["--hooks", "20"]);
    assert!(text.out.contains("429: ") && text.out.contains("accepted   0 in "), "{text:?}");
    for ended in [ended, text] {
        assert_eq!(
            (ended.code, ended.err.as_str()),
            (Some(1), "hookglot: 20 of 20 hooks were refused: the proxy's log says why\n")
        );
        assert!(!format!("{ended:?}").contains("tin-whistle"), "{ended:?}");
    }
    assert_eq!(tool.got().len(), 0);
}

#[test]
fn statuses_and_hooks_without_an_answer_are_counted() {
    let front = Receiver::scripted(|number| match number {
        0..3 => status(503, "Retry-After: 1\r\n"),
        3 => String::new(),
        4 => status(200, "Connection: close\r\n"),
        _ => status(200, ""),
    });
    let ended = run(&["bench", "--url", &front.url, "--hooks", "9", "--connections", "1", "--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let figures = figures(&ended);
    assert_eq!(figures["answers"], serde_json::json!({"200": 5, "503": 3}));
    assert_eq!((&figures["unanswered"], &figures["accepted"], &figures["sink"]), (&1.into(), &5.into(), &Value::Null));
    assert!(
        ended.err.contains("3 of 9 hooks were refused") && ended.err.contains("1 of 9 hooks got no answer"),
        "{ended:?}"
    );
}

#[test]
fn hooks_that_nobody_gets_do_not_count_as_delivered() {
    let sink = address_for_a_sink();
    let app = proxy(&format!("http://{sink}/tool"));
    let bench = Bench::on(&app);
    let body = bench.file("other.json", r#"{"ship":"5b1c0f3e7d9a24860c1b3d5f7a9e2c4d6f8b0a13"}"#);
    let secret = format!("Authorization: {SECRET}");
    let ended =
        run(&["bench", "--url", &bench.url, "--hooks", "5", "--body", &body, "--header", &secret, "--sink", &sink]);
    assert_eq!(
        (ended.code, ended.err.as_str()),
        (Some(1), "hookglot: 5 hooks taken and ignored: no destination gets such\n")
    );
    assert!(ended.out.contains("answers    200: 5\naccepted   0, 5 ignored in "), "{ended:?}");
    // Without a forge nobody knows in which header the secret goes.
    let ended = bench.run(&["--hooks", "5", "--body", &body]);
    assert!(ended.says(1).contains("--secret-file: the body is no hook of a known forge"), "{ended:?}");
}

#[test]
fn only_this_machine_is_loaded() {
    for (url, host) in [
        ("http://192.0.2.1:8080/hooks/tin-whistle-34", "192.0.2.1"),
        ("http://example.org/?key=tin-whistle-34", "example.org"),
        ("http://[2001:db8::1]/", "[2001:db8::1]"),
    ] {
        let ended = run(&["bench", "--url", url]);
        let message = ended.says(1);
        assert!(message.starts_with(&format!("hookglot: --url: {host} is not this machine")), "{message}");
        assert!(message.contains("loopback") && !message.contains("tin-whistle"), "{message}");
    }
    let ended = run(&["bench", "--url", "http://127.0.0.1:9/", "--sink", "192.0.2.1:80"]);
    assert!(ended.says(1).contains("--sink: 192.0.2.1:80 is not on loopback"), "{ended:?}");
}

#[test]
fn what_cannot_be_measured_is_said() {
    let nobody = address_for_a_sink();
    let tool = Receiver::content();
    let url = format!("http://{nobody}/");
    for (arguments, message) in [
        (&["--url", &url][..], "nobody takes hooks at"),
        (&["--url", "http://user:tin-whistle-34@127.0.0.1/"], "--url: a login is not sent"),
        (&["--url", &tool.url, "--pid", "4294967295"], "--pid 4294967295: there is no such process"),
        (&["--url", &tool.url, "--body", "no-such-file"], "--body no-such-file: "),
        (&["--url", &tool.url, "--secret-file", "no-such-file"], "--secret-file no-such-file: "),
        (&["--url", &tool.url, "--header", "tin-whistle-34"], "--header: there is no colon in it"),
    ] {
        let ended = run(&[&["bench"], arguments].concat());
        assert!(ended.says(1).contains(message), "{message}: {ended:?}");
        assert!(!format!("{ended:?}").contains("tin-whistle"), "{ended:?}");
    }
    wait_for("nothing to be sent", || tool.got().is_empty().then_some(()));
}
