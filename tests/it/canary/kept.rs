use super::{FORGED, GITFLIC_SECRET, GITLAB_SECRET, STRANGER, assert_without, config, hooks, marks, shouting};
use crate::support::receiver::Receiver;
use crate::support::signer::{key, now, sign};
use crate::support::wire::post;
use hookglot::config::{Flags, load};
use hookglot::doorbell::Doorbells;
use hookglot::ingest::{self, Gate, Ingest, Route};
use hookglot::metrics::Metrics;
use hookglot::rules::Rules;
use hookglot::store::Store;
use hookglot::store::memory::MemoryStore;
use jiff::Timestamp;
use std::collections::HashMap;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Every file below a folder, as text; none where there is no such folder.
pub fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    found
}

/// Takes hooks in as `serve` does, but in this process and without anybody who delivers them: what the store holds can be
/// looked at, all of it.
#[test]
fn what_the_store_keeps_of_hooks_has_no_secret() {
    let (tool, folder) = (shouting(), tempfile::tempdir().unwrap());
    let witness = Receiver::content();
    let file = folder.path().join("hookglot.toml");
    std::fs::write(&file, config(&tool, &tool, &witness)).unwrap();
    let settings = load(&Flags { config: Some(file), ..Flags::default() }, &HashMap::new()).unwrap();
    let (rules, _) = Rules::load(&settings.files).unwrap();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(settings.limits.stored));
    let mut names = Vec::new();
    let routes = settings.routes.into_iter().map(|route| {
        names.extend(route.to.iter().map(|to| to.name.clone()));
        let gate = Gate::new(route.allow_from, route.rate_limit, None);
        let to = route.to.into_iter().map(Arc::new).collect();
        (route.path.clone(), Route { path: route.path, accept: route.accept, access: route.access, gate, to })
    });
    let ingest = Ingest {
        routes: routes.collect(),
        rules: rules.live(),
        store: Arc::clone(&store),
        doorbells: Doorbells::default(),
        metrics: Metrics::new().unwrap(),
        limits: settings.limits,
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(async {
        let server = ingest::serve(Arc::new(ingest), listener, Duration::from_secs(1)).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        handle
    });
    let (mut stored, mut marks) = (0, marks());
    for body in hooks("gitflic-to-gitlab", ".gitlab.json") {
        let bearer = format!("Bearer {GITFLIC_SECRET}");
        let headers = [
            ("Gitflic-Webhook-Secret", GITFLIC_SECRET),
            ("Authorization", &*bearer),
            ("Cookie", STRANGER),
            ("X-Team", "a"),
        ];
        let answer = post(&address, &format!("/gitflic?secret={STRANGER}"), &headers, body.as_bytes());
        stored += usize::from(answer.json()["status"] == "stored");
    }
    for body in hooks("gitlab-to-gitflic", ".gitflic.json") {
        let (id, time) = ("7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5", now().to_string());
        let made = sign(&key(30), id, &time, body.as_bytes());
        let signature = format!("v1,{FORGED} {made}");
        let headers = [
            ("X-Gitlab-Token", GITLAB_SECRET),
            ("Authorization", STRANGER),
            ("webhook-id", id),
            ("webhook-timestamp", &time),
            ("webhook-signature", &signature),
        ];
        marks.push(made.trim_start_matches("v1,").to_owned());
        let answer = post(&address, "/gitlab", &headers, body.as_bytes());
        stored += usize::from(answer.json()["status"] == "stored");
    }
    assert!(stored > 50, "{stored}");
    let mut looked_at = 0;
    for name in &names {
        while let Some(held) = runtime.block_on(store.claim(name, Timestamp::now(), Duration::from_hours(1))).unwrap() {
            assert_without(&marks, "what is kept", &format!("{held:?} {}", String::from_utf8_lossy(&held.hook.body)));
            looked_at += 1;
        }
    }
    assert!(looked_at > stored, "{looked_at} deliveries of {stored} hooks");
    runtime.block_on(server.stop(false));
}
