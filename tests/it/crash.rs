//! `kill -9` at random moments under load. `HOOKGLOT_LONG=1` makes a thousand rounds of twenty, `HOOKGLOT_SEED` repeats the
//! random choices of a run.

use crate::support::app::{App, serve_in};
use crate::support::load::{Client, Random, mark, numbered_push};
use crate::support::receiver::status;
use crate::support::tool::{Tool, content};
use crate::support::wait_for;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How many send at the same time.
const CLIENTS: usize = 4;

/// A hook that was sent, by its mark.
#[derive(Clone)]
struct Sent {
    /// The key that it was given, when its forge gives any; only then it may be sent again.
    key: Option<String>,
    is_accepted: bool,
}

#[derive(Default)]
struct World {
    address: Mutex<String>,
    sent: Mutex<BTreeMap<String, Sent>>,
    next: AtomicUsize,
    is_over: AtomicBool,
}

#[test]
fn whatever_was_accepted_arrives_however_often_the_process_is_killed() {
    let rounds = if std::env::var_os("HOOKGLOT_LONG").is_some() { 1_000 } else { 20 };
    let (mut random, folder) = (Random::seeded(), tempfile::tempdir().unwrap());
    let steady = Tool::scripted(content);
    let choices = Mutex::new(random.fork());
    let choose = move || choices.lock().unwrap().below(12);
    let shaky = Tool::scripted(move |_| match choose() {
        0 => status(503, ""),
        1 => String::new(),
        2 => {
            std::thread::sleep(Duration::from_millis(150));
            status(200, "")
        }
        _ => status(200, ""),
    });
    let config = config(&steady, &shaky);
    let world = Arc::<World>::default();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (world, random) = (Arc::clone(&world), random.fork());
            std::thread::spawn(move || send(&world, random))
        })
        .collect();
    for _ in 0..rounds {
        if random.below(5) == 0 {
            kill_at_start(folder.path(), &config, &mut random);
        }
        let mut app = App::start(serve_in(folder.path(), &config));
        world.address.lock().unwrap().clone_from(&app.address);
        std::thread::sleep(Duration::from_millis(random.below(300)));
        app.signal("KILL");
        app.wait();
    }
    let app = App::start(serve_in(folder.path(), &config));
    world.address.lock().unwrap().clone_from(&app.address);
    world.is_over.store(true, Ordering::SeqCst);
    for client in clients {
        client.join().unwrap();
    }
    let sent = world.sent.lock().unwrap().clone();
    let accepted = sent.values().filter(|sent| sent.is_accepted).count();
    eprintln!("{rounds} kills, {} hooks sent, {accepted} accepted", sent.len());
    assert!(accepted > rounds * 5, "there was a load: {accepted}");
    for (name, tool) in [("steady", &steady), ("shaky", &shaky)] {
        nothing_waits(&app, name);
        compare(name, &sent, tool);
        eprintln!("{name}: {} requests for {} hooks", tool.requests(), tool.count());
    }
    assert!(!app.log().contains("ERROR"), "{}", app.log());
}

fn config(steady: &Tool, shaky: &Tool) -> String {
    let retries = vec!["\"50ms\""; 60].join(", ");
    format!(
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n\
         [[route.to]]\nname = \"steady\"\nurl = \"{}\"\nformat = \"gitlab\"\n\
         [[route.to]]\nname = \"shaky\"\nurl = \"{}\"\nformat = \"gitlab\"\nretries = [{retries}]\nprobe = \"100ms\"\n\
         timeout = \"5s\"\nqueue = 10000000\n",
        steady.url, shaky.url
    )
}

/// Kills a process that may not have come so far as to take hooks.
fn kill_at_start(folder: &Path, config: &str, random: &mut Random) {
    let mut serve = serve_in(folder, config);
    serve.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    let mut child = serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(random.below(600)));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Sends pushes of GitFlic, and hooks of GitLab with keys of their own, until all is over.
fn send(world: &World, mut random: Random) {
    let mut client = Client::new("");
    let mut address = String::new();
    let mut again: Option<(String, String)> = None;
    while !world.is_over.load(Ordering::SeqCst) {
        let current = world.address.lock().unwrap().clone();
        if current.is_empty() {
            std::thread::yield_now();
            continue;
        }
        if current != address {
            (client, address) = (Client::new(&current), current);
        }
        let is_gitlab = again.is_some() || random.below(3) == 0;
        let answer = if is_gitlab {
            // A forge that heard nothing may send the same hook again, under the same key.
            let (mark, key) = again.take().unwrap_or_else(|| gitlab_hook(world));
            let body = deployment(&mark);
            let headers = [("X-Gitlab-Event", "Deployment Hook"), ("webhook-id", &*key)];
            let answer = client.post("/", &headers, body.as_bytes()).map(|answer| (mark.clone(), answer.status));
            if answer.is_none() {
                again = Some((mark, key));
            }
            answer
        } else {
            let number = world.next.fetch_add(1, Ordering::SeqCst);
            let mark = mark(number);
            world.sent.lock().unwrap().insert(mark.clone(), Sent { key: None, is_accepted: false });
            client.post("/", &[], numbered_push(number).as_bytes()).map(|answer| (mark, answer.status))
        };
        match answer {
            Some((mark, 200)) => world.sent.lock().unwrap().get_mut(&mark).unwrap().is_accepted = true,
            // Nobody listens: a push that no process has seen is none.
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn gitlab_hook(world: &World) -> (String, String) {
    let number = world.next.fetch_add(1, Ordering::SeqCst);
    let (mark, key) = (mark(number), uuid::Uuid::new_v4().to_string());
    world.sent.lock().unwrap().insert(mark.clone(), Sent { key: Some(key.clone()), is_accepted: false });
    (mark, key)
}

/// A body that passes through as it is.
fn deployment(mark: &str) -> String {
    format!("{{\"object_kind\": \"deployment\",  \"mark\": \"{mark}\"}}")
}

fn nothing_waits(app: &App, destination: &str) {
    let pending = format!("hookglot_pending{{destination=\"{destination}\"}} ");
    // A thousand rounds leave many: it is enough that there are fewer and fewer.
    let mut left = u64::MAX;
    while left > 0 {
        let what = format!("fewer than {left} that wait for {destination}");
        left = wait_for(&what, || app.metric(&pending).filter(|pending| *pending < left));
    }
}

fn missing<'s>(sent: &'s BTreeMap<String, Sent>, tool: &Tool) -> Vec<&'s String> {
    let came: HashSet<String> = tool.marks().into_iter().collect();
    sent.iter().filter(|(mark, sent)| sent.is_accepted && !came.contains(*mark)).map(|(mark, _)| mark).collect()
}

/// What came is what was sent: all that was accepted, each hook under one key, under its own where it has one.
fn compare(name: &str, sent: &BTreeMap<String, Sent>, tool: &Tool) {
    // The number of those that wait is shown once a second; what came in since is under way.
    wait_for(&format!("all that was accepted at {name}, missing: {:?}", missing(sent, tool)), || {
        missing(sent, tool).is_empty().then_some(())
    });
    // Every repetition had the same bytes: `kept` has made sure of it.
    let kept = tool.kept();
    let mut by_mark: HashMap<&str, &str> = HashMap::new();
    for (key, kept) in &kept {
        let sent = sent.get(&kept.mark).unwrap_or_else(|| panic!("{name} got what nobody sent: {key} {kept:?}"));
        if let Some(own) = &sent.key {
            assert_eq!(own, key, "{name}: {} came under another key", kept.mark);
            let sha256: [u8; 32] = Sha256::digest(deployment(&kept.mark)).into();
            assert_eq!(kept.sha256, sha256, "{name}: {} came with other bytes", kept.mark);
        }
        let other = by_mark.insert(&kept.mark, key);
        assert_eq!(other, None, "{name}: {} came under two keys, also {key}", kept.mark);
    }
}
