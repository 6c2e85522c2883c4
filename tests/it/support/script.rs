//! An HTTP server that answers calls as a test wants, and keeps what it was asked.

use super::app::command;
use super::process::{Ended, ended};
use super::receiver::{Got, Receiver};
use serde_json::Value;
use std::process::Command;

/// The token that the commands show.
pub const TOKEN: &str = "tide-table-of-the-harbour";

/// A server in the place of hookglot's admin port.
pub struct Scripted {
    receiver: Receiver,
}

/// An answer with a JSON text.
pub fn json(status: u16, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What hookglot answers to a call that it does not do.
pub fn problem(status: u16, error: &str) -> String {
    json(status, &serde_json::json!({ "error": error }))
}

/// Events as they are streamed; more may come, unless it is said that the stream ends here.
pub fn events(events: &[Value], has_ended: bool) -> String {
    let one = |data: &Value| format!("event: {}\ndata: {data}\n\n", data["kind"].as_str().unwrap());
    let text = events.iter().map(one).collect::<Vec<_>>().concat();
    let end = if has_ended { "0\r\n\r\n" } else { "" };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    format!("{head}{:x}\r\n{text}\r\n{end}", text.len())
}

impl Scripted {
    /// Answers each request by its number and its line, `GET /api/v1/routes`.
    pub fn new(answer: impl Fn(usize, &str) -> String + Send + Sync + 'static) -> Self {
        Self { receiver: Receiver::answering(move |number, got| answer(number, &line(got))) }
    }

    /// Its address, as `--url` takes it.
    pub fn url(&self) -> String {
        self.receiver.url.trim_end_matches("/tool").to_owned()
    }

    /// What it was asked so far, line and body.
    pub fn asked(&self) -> Vec<(String, Value)> {
        let body = |got: &Got| serde_json::from_slice(&got.body).unwrap_or_default();
        self.receiver.got().iter().map(|got| (line(got), body(got))).collect()
    }

    /// The heads of all requests.
    pub fn heads(&self) -> Vec<String> {
        self.receiver.got().into_iter().map(|got| got.head).collect()
    }
}

fn line(got: &Got) -> String {
    got.head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned()
}

/// A command that asks the server.
pub fn asking(server: &Scripted, arguments: &[&str]) -> Command {
    let mut own = command(arguments);
    own.args(["--url", &server.url()]).env("HOOKGLOT_ADMIN_TOKEN", TOKEN);
    own
}

/// Runs a command that asks the server.
pub fn run(server: &Scripted, arguments: &[&str]) -> Ended {
    ended(asking(server, arguments))
}

/// The server of one answer.
pub fn always(answer: String) -> Scripted {
    Scripted::new(move |_, _| answer.clone())
}
