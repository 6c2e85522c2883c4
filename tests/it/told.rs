use crate::support::app::{App, serve_in};
use crate::support::asker::{TOKEN, ask, with};
use crate::support::receiver::Receiver;
use crate::support::wire::{connect, exchange};
use crate::support::{gitflic_push, wait_for};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Instant;
use tempfile::TempDir;

fn app(url: &str) -> (TempDir, App) {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "admin_token = \"{TOKEN}\"\n[[route]]\npath = \"/in\"\nsecret = \"none\"\n\
         [[route.to]]\nname = \"mill\"\nurl = \"{url}\"\nformat = \"gitlab\"\n\
         [[route.to]]\nname = \"quay\"\nurl = \"{url}\"\nformat = \"gitlab\"\n"
    );
    let app = App::start(serve_in(folder.path(), &config));
    (folder, app)
}

/// Somebody who listens.
struct Listener(BufReader<TcpStream>);

impl Listener {
    fn new(app: &App, query: &str) -> Self {
        let mut stream = connect(&app.admin);
        write!(stream, "GET /api/v1/events{query} HTTP/1.1\r\nHost: x\r\n{}\r\n\r\n", with(TOKEN)).unwrap();
        let mut listener = Self(BufReader::new(stream));
        let head: Vec<String> = std::iter::from_fn(|| listener.line()).take_while(|line| !line.is_empty()).collect();
        assert_eq!(head[0], "HTTP/1.1 200 OK", "{head:?}");
        assert!(head.iter().any(|line| line == "content-type: text/event-stream"), "{head:?}");
        // The first heartbeat: whoever has it is heard from now on.
        while listener.line().unwrap() != ":" {}
        listener
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.0.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
    }

    /// The next happening: its kind and its data.
    fn next(&mut self) -> (String, Value) {
        loop {
            let line = self.line().expect("something happens");
            if let Some(kind) = line.strip_prefix("event: ") {
                let data = self.line().unwrap();
                return (kind.to_owned(), serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap());
            }
        }
    }
}

fn send(app: &App) {
    assert_eq!(app.post("/in", &[], gitflic_push().as_bytes()).status, 200);
}

#[test]
fn who_listens_is_told_what_happens() {
    let tool = Receiver::content();
    let (_folder, app) = app(&tool.url);
    let (mut all, mut of_quay) = (Listener::new(&app, ""), Listener::new(&app, "?destination=quay&kind=ended"));
    send(&app);
    let mut told: Vec<(String, Value)> = (0..5).map(|_| all.next()).collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["attempt", "attempt", "ended", "ended", "hook"]);
    assert!(told.iter().all(|(kind, data)| data["kind"] == *kind && data["at"].is_string()), "{told:?}");
    assert_eq!(told[0].1["hook"], told[4].1["hook"]);
    let (kind, data) = of_quay.next();
    assert_eq!((kind.as_str(), &data["destination"], &data["state"]), ("ended", &json!("quay"), &json!("delivered")));
    // Nothing else of that hook was for this listener.
    send(&app);
    assert_ne!(of_quay.next().1["hook"], data["hook"]);
    app.signal("HUP");
    while all.next().0 != "reload" {}
}

#[test]
fn a_wrong_question_is_refused() {
    let (_folder, app) = app("http://127.0.0.1:9/");
    for query in ["?kind=tide", "?kind=hook&tide=1"] {
        let answer = ask(&app, "GET", &format!("/events{query}"), &[&with(TOKEN)], "");
        assert!(
            answer.status == 400 && answer.json()["error"].as_str().unwrap().starts_with("the query: "),
            "{answer:?}"
        );
    }
    assert_eq!(ask(&app, "GET", "/events", &[], "").status, 401);
}

#[test]
fn listeners_are_bounded_and_a_seat_is_free_again() {
    let (_folder, app) = app("http://127.0.0.1:9/");
    let mut all: Vec<Listener> = (0..64).map(|_| Listener::new(&app, "")).collect();
    let refused = ask(&app, "GET", "/events", &[&with(TOKEN)], "");
    assert!(refused.status == 503 && refused.json()["error"].as_str().unwrap().starts_with("64 listen"), "{refused:?}");
    all.pop();
    // It shows that one is gone when something is sent to it.
    wait_for("a free seat", || {
        send(&app);
        let mut stream = connect(&app.admin);
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: x\r\n{}\r\n\r\n", with(TOKEN)).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.starts_with("HTTP/1.1 200").then_some(())
    });
}

#[test]
fn a_stop_does_not_wait_for_who_listens() {
    let tool = Receiver::content();
    let (_folder, mut app) = app(&tool.url);
    let mut listener = Listener::new(&app, "");
    let before = Instant::now();
    app.terminate();
    assert!(app.wait().success(), "{}", app.log());
    while listener.line().is_some() {}
    assert!(before.elapsed().as_secs() < 5, "{:?}", before.elapsed());
}

#[test]
fn every_answer_is_for_who_asked_alone() {
    let (_folder, app) = app("http://127.0.0.1:9/");
    let origin = "Origin: https://elsewhere.example.org";
    for (path, token, status) in
        [("/routes", true, 200), ("/routes", false, 401), ("/tide", true, 404), ("/routes?tide=1", true, 400)]
    {
        let token = if token { with(TOKEN) } else { "X-None: 1".to_owned() };
        let answer = ask(&app, "GET", path, &[&token, origin], "");
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"), "{answer:?}");
        assert_eq!(answer.header("x-content-type-options").as_deref(), Some("nosniff"), "{answer:?}");
        assert!(!answer.head.to_ascii_lowercase().contains("access-control"), "{answer:?}");
    }
    let live = app.get_admin("/live");
    assert_eq!((live.status, live.header("cache-control").as_deref()), (200, Some("no-store")));
}

#[test]
fn a_wrong_method_is_told_the_right_one() {
    let (_folder, app) = app("http://127.0.0.1:9/");
    for (method, path, allowed) in
        [("PUT", "/routes", "GET"), ("GET", "/translate", "POST"), ("TRACE", "/hooks/x", "GET")]
    {
        let answer = ask(&app, method, path, &[&with(TOKEN)], "");
        assert_eq!((answer.status, answer.header("allow").as_deref()), (405, Some(allowed)), "{answer:?}");
        assert!(answer.json()["error"].as_str().unwrap().ends_with(allowed), "{answer:?}");
    }
    let options = b"OPTIONS /api/v1/routes HTTP/1.1\r\nHost: x\r\nOrigin: https://elsewhere.example.org\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(&app.admin, options).status, 405);
}
