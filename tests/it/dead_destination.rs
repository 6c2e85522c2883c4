//! A tool that is gone for ten thousand hooks: they are all accepted, nothing else is slower for it, and they all arrive.

use crate::support::app::{App, serve_in};
use crate::support::load::{Client, mark};
use crate::support::tool::{Tool, content, nobodys_address};
use crate::support::wait_for;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many come in while the tool is gone.
const HOOKS: usize = 10_000;
/// How many of them come before memory is looked at for the first time.
const WARM: usize = 2_000;
/// How many KiB the process may grow by with all that come after: a fraction of what they hold.
const MOST_GROWTH: u64 = 12 << 10;
/// How many are timed, each way.
const TIMED: usize = 101;

#[test]
fn a_tool_that_is_gone_loses_nothing_and_slows_nobody() {
    let (address, folder) = (nobodys_address(), tempfile::tempdir().unwrap());
    let (living, alone) = (Tool::scripted(content), Tool::scripted(content));
    let config = format!(
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n\
         [[route.to]]\nname = \"dead\"\nurl = \"http://{address}/tool\"\nformat = \"gitlab\"\nprobe = \"500ms\"\n\
         [[route.to]]\nname = \"living\"\nurl = \"{}\"\nformat = \"gitlab\"\n\
         [[route]]\npath = \"/alone\"\nsecret = \"none\"\n\
         [[route.to]]\nname = \"alone\"\nurl = \"{1}\"\nformat = \"gitlab\"\n\
         [[route.to]]\nname = \"beside\"\nurl = \"{1}\"\nformat = \"gitlab\"\n",
        living.url, alone.url
    );
    let app = App::start(serve_in(folder.path(), &config));
    let began = Instant::now();
    send(&app, 0..WARM);
    arrived(&living, WARM);
    let warm = app.memory("VmHWM");
    assert_eq!(app.metric("hookglot_breaker_open{destination=\"dead\"} "), Some(1));
    let (with, without) = (HOOKS - TIMED..HOOKS, HOOKS..HOOKS + TIMED);
    send(&app, WARM..with.start);
    arrived(&living, with.start);
    eprintln!("{} hooks in {:?}", with.start, began.elapsed());
    let (mut beside_dead, mut by_itself) = (Vec::new(), Vec::new());
    let mut client = Client::new(&app.address);
    for (one, other) in with.zip(without) {
        beside_dead.push(time(&mut client, "/", one, &living));
        by_itself.push(time(&mut client, "/alone", other, &alone));
    }
    arrived(&living, HOOKS);
    let grown = app.memory("VmHWM").saturating_sub(warm);
    let (beside_dead, by_itself) = (median(beside_dead), median(by_itself));
    let ratio = beside_dead.as_secs_f64() / by_itself.as_secs_f64();
    eprintln!("sent to arrived, median: {beside_dead:?} beside the dead one, {by_itself:?} without: {ratio:.2}");
    eprintln!("memory: {warm} KiB after {WARM} hooks, {grown} KiB more after {HOOKS}");
    assert!(ratio <= 2.0, "{ratio}");
    assert!(grown < MOST_GROWTH, "{grown} KiB more than {warm}");
    let attempts = app.metric("hookglot_attempts_total{destination=\"dead\",result=\"unreachable\"} ").unwrap();
    assert!(attempts < 300, "the breaker is open, and still there were {attempts} attempts");
    wait_for("the queue of the dead one", || {
        app.metric("hookglot_pending{destination=\"dead\"} ").filter(|pending| *pending == HOOKS as u64)
    });

    let began = Instant::now();
    let dead = Tool::at(address, content);
    app.wait_for_log("the breaker is closed");
    arrived(&dead, HOOKS);
    eprintln!("the dead one got {HOOKS} in {:?}", began.elapsed());
    wait_for("an empty queue", || {
        app.metric("hookglot_deliveries_total{destination=\"dead\",outcome=\"delivered\"} ")
            .filter(|delivered| *delivered == HOOKS as u64)
    });
    for tool in [&living, &dead] {
        let mut marks = tool.marks();
        marks.sort();
        assert!(marks.iter().eq(&(0..HOOKS).map(mark).collect::<Vec<_>>()), "each comes once");
        assert_eq!(tool.kept().len(), HOOKS, "each under a key of its own");
    }
    assert_eq!(app.metric("hookglot_breaker_open{destination=\"dead\"} "), Some(0));
    assert!(!app.log().contains("ERROR"), "nothing was given up");
}

/// Sends hooks of a range of numbers over several connections; each is accepted.
fn send(app: &App, numbers: std::ops::Range<usize>) {
    let next = Arc::new(AtomicUsize::new(numbers.start));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (next, end, mut client) = (Arc::clone(&next), numbers.end, Client::new(&app.address));
            std::thread::spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= end {
                        break;
                    }
                    post(&mut client, "/", number);
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
}

/// A hook that passes through as it is (ten thousand translations would only heat the machine), and that is large
/// beside what the process may keep of each.
fn hook(number: usize) -> String {
    format!(
        "{{\"object_kind\": \"deployment\", \"mark\": \"{}\", \"note\": \"{}\"}}",
        mark(number),
        "abcdefgh".repeat(500)
    )
}

fn post(client: &mut Client, path: &str, number: usize) {
    let answer = client.post(path, &[("X-Gitlab-Event", "Deployment Hook")], hook(number).as_bytes());
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// How long a hook takes from its sender to the tool.
fn time(client: &mut Client, path: &str, number: usize, tool: &Tool) -> Duration {
    let sent = Instant::now();
    post(client, path, number);
    wait_for("its arrival", || tool.arrival(&mark(number))).duration_since(sent)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Waits until so many hooks have come, as long as there are ever more of them.
fn arrived(tool: &Tool, hooks: usize) {
    while tool.count() < hooks {
        let before = tool.count();
        wait_for("another hook", || (tool.count() > before || tool.count() >= hooks).then_some(()));
    }
}
