//! What tools answer, and what becomes of a delivery then: the attempt's line, the metrics, what still waits, and that the
//! next hook goes on.

use crate::support::app::{App, serve_in};
use crate::support::load::{mark, numbered_push};
use crate::support::receiver::status;
use crate::support::tool::{Ending, Tool, content};
use crate::support::wait_for;
use std::net::TcpListener;
use std::time::Duration;

/// A hookglot with one destination, `tool`.
struct Case {
    app: App,
    _folder: tempfile::TempDir,
}

impl Case {
    fn new(url: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = \"{url}\"\n\
             format = \"gitlab\"\nbreaker = \"none\"\n{more}\n"
        );
        Self { app: App::start(serve_in(folder.path(), &config)), _folder: folder }
    }

    fn send(&self, number: usize) {
        assert_eq!(self.app.post("/", &[], numbered_push(number).as_bytes()).json()["status"], "stored");
    }

    fn attempts(&self, result: &str) -> u64 {
        let line = format!("hookglot_attempts_total{{destination=\"tool\",result=\"{result}\"}} ");
        self.app.metric(&line).unwrap_or(0)
    }

    fn ended(&self, outcome: &str) -> u64 {
        let line = format!("hookglot_deliveries_total{{destination=\"tool\",outcome=\"{outcome}\"}} ");
        self.app.metric(&line).unwrap_or(0)
    }

    /// Waits until so many deliveries have ended so, and until so many wait.
    fn wait_for(&self, outcome: &str, ended: u64, pending: u64) {
        wait_for(&format!("{ended} {outcome}"), || (self.ended(outcome) == ended).then_some(()));
        self.wait_for_pending(pending);
    }

    fn wait_for_pending(&self, pending: u64) {
        wait_for(&format!("{pending} pending"), || {
            self.app.metric("hookglot_pending{destination=\"tool\"} ").filter(|own| *own == pending)
        });
    }

    /// The line of an attempt with these words.
    fn line(&self, words: &[&str]) -> String {
        wait_for(&format!("a line with {words:?}"), || {
            let log = self.app.log();
            log.lines().find(|line| words.iter().all(|word| line.contains(word))).map(str::to_owned)
        })
    }
}

const AGAIN: &str = "retries = [\"200ms\", \"200ms\", \"200ms\"]";

/// The tool got the first hook so often under one key, and the next one once.
fn came(tool: &Tool, times: usize) {
    let kept = tool.kept();
    let of = |number| {
        let mut own = kept.values().filter(|kept| kept.mark == mark(number));
        let times = own.next().map_or(0, |kept| kept.at.len());
        assert!(own.next().is_none(), "{number} came under two keys");
        times
    };
    assert_eq!((of(0), of(1)), (times, 1));
}

/// A tool that answers the first request so, and is content afterwards.
fn first(answer: impl Fn() -> String + Send + Sync + 'static) -> Tool {
    Tool::scripted(move |number| if number == 0 { answer() } else { status(200, "") })
}

/// The first hook's first attempt has a line with these words and counts as this result; it is tried again, under the same
/// key, and delivered, and so is the next hook.
#[track_caller]
fn is_tried_again(tool: &Tool, more: &str, words: &[&str], result: &str) {
    let case = Case::new(&tool.url, &format!("{AGAIN}\n{more}"));
    case.send(0);
    let line = case.line(&[&["attempt=1"], words].concat());
    assert!(line.contains("WARN") && line.contains("outcome=\"again\""), "{line}");
    case.line(&["attempt=2", "outcome=\"delivered\""]);
    case.send(1);
    case.wait_for("delivered", 2, 0);
    assert_eq!((case.attempts(result), case.attempts("2xx")), (1, 2));
    came(tool, 2);
}

#[test]
fn an_answer_that_comes_too_late_is_none() {
    let tool = first(|| {
        std::thread::sleep(Duration::from_millis(1_500));
        status(200, "")
    });
    is_tried_again(&tool, "timeout = \"400ms\"", &["no answer in time"], "timeout");
}

#[test]
fn a_server_error_is_tried_again() {
    let tool = first(|| status(500, ""));
    is_tried_again(&tool, "", &["status=500", "the destination answered 500"], "5xx");
}

#[test]
fn a_redirect_is_tried_again_where_it_counts_as_failed() {
    let tool = first(|| status(301, "Location: http://127.0.0.1:9/elsewhere\r\n"));
    is_tried_again(&tool, "redirects = \"failed\"", &["status=301", "a redirect, which is not followed"], "3xx");
}

#[test]
fn a_connection_that_breaks_before_the_answers_head_is_whole_is_tried_again() {
    for ending in [Ending::Closes, Ending::Resets] {
        // Half a head is none.
        let tool =
            Tool::ending(
                ending,
                |number| {
                    if number == 0 { "HTTP/1.1 200 OK\r\nContent-Le".to_owned() } else { content(0) }
                },
            );
        is_tried_again(&tool, "", &["the connection broke"], "unreachable");
    }
}

#[test]
fn a_tool_that_hangs_is_given_up_when_its_retries_are_used_up() {
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", hanging.local_addr().unwrap());
    let case = Case::new(&url, "retries = [\"100ms\", \"100ms\"]\ntimeout = \"200ms\"");
    case.send(0);
    case.wait_for("failed", 1, 0);
    let line = case.line(&["ERROR", "failed"]);
    assert!(line.contains("given up after 3 attempts: no answer in time"), "{line}");
    assert_eq!((case.attempts("timeout"), case.ended("delivered")), (3, 0));
    assert_eq!(case.app.metric("hookglot_retries_total{destination=\"tool\"} "), Some(2));
}

#[test]
fn retry_after_is_waited_for() {
    let tool = first(|| status(429, "Retry-After: 2\r\n"));
    let case = Case::new(&tool.url, AGAIN);
    case.send(0);
    let line = case.line(&["attempt=1", "status=429"]);
    assert!(line.contains("retry_in=2"), "{line}");
    case.wait_for_pending(1);
    // Others do not wait for it: it is one hook that came too early, not the tool that is away.
    case.send(1);
    case.wait_for("delivered", 2, 0);
    assert_eq!((case.attempts("4xx"), case.attempts("2xx")), (1, 2));
    came(&tool, 2);
    let kept = tool.kept();
    let at = &kept.values().find(|kept| kept.mark == mark(0)).unwrap().at;
    let waited = at[1].duration_since(at[0]);
    assert!(waited >= Duration::from_millis(1_900), "{waited:?}, and not 200 ms");
}

/// A tool that always asks for a second would else use up in ten what is there for two days.
#[test]
fn a_short_retry_after_does_not_hurry_the_schedule() {
    let tool = first(|| status(429, "Retry-After: 0\r\n"));
    let case = Case::new(&tool.url, "retries = [\"2s\"]");
    case.send(0);
    case.send(1);
    case.wait_for("delivered", 2, 0);
    let kept = tool.kept();
    let at = &kept.values().find(|kept| kept.at.len() == 2).unwrap().at;
    // A fifth sooner, at most.
    assert!(at[1].duration_since(at[0]) >= Duration::from_millis(1_550), "{:?}", at[1].duration_since(at[0]));
}

#[test]
fn gone_is_given_up_at_once() {
    let tool = first(|| status(410, ""));
    let case = Case::new(&tool.url, AGAIN);
    case.send(0);
    case.wait_for("failed", 1, 0);
    let line = case.line(&["ERROR", "failed"]);
    assert!(line.contains("given up after 1 attempt: the destination answered 410"), "{line}");
    case.send(1);
    case.wait_for("delivered", 1, 0);
    assert_eq!((case.attempts("4xx"), case.attempts("2xx")), (1, 1));
    came(&tool, 1);
}

#[test]
fn a_redirect_counts_as_delivered_with_a_warning() {
    let tool = first(|| status(302, "Location: http://127.0.0.1:9/elsewhere\r\n"));
    let case = Case::new(&tool.url, AGAIN);
    case.send(0);
    let line = case.line(&["attempt=1", "status=302"]);
    assert!(line.contains("WARN") && line.contains("a redirect, which is not followed"), "{line}");
    assert!(line.contains("outcome=\"delivered\""), "{line}");
    case.send(1);
    case.wait_for("delivered", 2, 0);
    assert_eq!((case.attempts("3xx"), case.attempts("2xx")), (1, 1));
    came(&tool, 1);
}

#[test]
fn an_answer_that_breaks_in_its_body_or_never_ends_has_said_its_status() {
    let half = || "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_owned();
    let chunk = format!("fff\r\n{}\r\n", "x".repeat(4095));
    let endless = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(200));
    let dripping = "HTTP/1.1 200 OK\r\n\r\n";
    for tool in [
        Tool::ending(Ending::Closes, move |_| half()),
        Tool::ending(Ending::Resets, move |_| half()),
        Tool::ending(Ending::Closes, move |_| endless.clone()),
        Tool::ending(Ending::Drips, |_| dripping.to_owned()),
    ] {
        let case = Case::new(&tool.url, &format!("{AGAIN}\ntimeout = \"500ms\"\nconcurrency = 1"));
        case.send(0);
        case.send(1);
        case.wait_for("delivered", 2, 0);
        assert_eq!(case.attempts("2xx"), 2);
        came(&tool, 1);
    }
}

#[test]
fn a_tool_that_speaks_no_tls_has_no_connection() {
    let tool = Tool::scripted(content);
    let case = Case::new(&tool.url.replace("http:", "https:"), "retries = [\"200ms\"]");
    case.send(0);
    let line = case.line(&["attempt=1", "no connection"]);
    assert!(line.contains("outcome=\"again\""), "{line}");
    case.wait_for("failed", 1, 0);
    case.line(&["ERROR", "given up after 2 attempts: no connection"]);
    assert_eq!((case.attempts("unreachable"), case.attempts("2xx")), (2, 0));
}

#[test]
fn a_name_that_nobody_has_is_no_connection() {
    let case = Case::new("http://nobody.invalid/", "retries = [\"200ms\"]");
    case.send(0);
    let line = case.line(&["attempt=1", "outcome=\"again\""]);
    assert!(line.contains("no connection") || line.contains("no answer in time"), "{line}");
    case.wait_for("failed", 1, 0);
    case.line(&["ERROR", "given up after 2 attempts"]);
    assert_eq!(case.attempts("unreachable") + case.attempts("timeout"), 2);
}
