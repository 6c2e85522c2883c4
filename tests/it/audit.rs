use crate::erasing::{READS, WRITES, ask, config, look};
use crate::support::app::{App, command, serve_in};
use crate::support::wait_for;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |all, byte| format!("{all}{byte:02x}"))
}

fn entries(app: &App, query: &str) -> Vec<Value> {
    look(app, &format!("/api/v1/audit{query}"))["items"].as_array().unwrap().clone()
}

/// Waits until so many entries fit a query; gives them, the newest first.
fn wait_for_entries(app: &App, query: &str, count: usize) -> Vec<Value> {
    wait_for(&format!("{count} entries of {query}"), || Some(entries(app, query)).filter(|all| all.len() == count))
}

fn stop(mut app: App) {
    app.terminate();
    app.wait();
}

#[test]
fn configurations_are_noted_with_their_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (config("http://127.0.0.1:9/"), config("http://127.0.0.1:10/"));
    let file = folder.path().join("hookglot.toml");
    let shown = file.display().to_string();
    let app = App::start(serve_in(folder.path(), &one));
    let started = wait_for_entries(&app, "", 1);
    assert_eq!((&started[0]["who"], &started[0]["what"]), (&json!("start"), &json!("config_loaded")));
    assert_eq!(started[0]["about"]["sha256"], sha256(&one));
    assert_eq!(started[0]["about"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(app.log().contains("audit who=\"start\" what=config_loaded"), "{}", app.log());

    std::fs::write(&file, &two).unwrap();
    app.signal("HUP");
    let loaded = &wait_for_entries(&app, "?who=SIGHUP", 1)[0];
    assert_eq!(loaded["what"], "config_loaded");
    let changed = json!([{"file": shown, "before": sha256(&one), "now": sha256(&two)}]);
    assert_eq!(loaded["about"]["changed"], changed);

    let wrong = format!("{two}tokn = \"very-secret\"\n");
    std::fs::write(&file, &wrong).unwrap();
    app.signal("HUP");
    let refused = &wait_for_entries(&app, "?who=SIGHUP&what=config_refused", 1)[0];
    assert_eq!(refused["about"]["changed"][0]["now"], sha256(&wrong));
    assert!(refused["about"]["faults"][0].as_str().unwrap().contains("tokn"), "{refused}");
    let all = ask(&app, "GET", "/api/v1/audit", READS, "").body;
    assert!(![WRITES, READS, "very-secret"].iter().any(|secret| all.contains(secret)), "{all}");

    // A start notes what is in force only when it is not what was noted last.
    std::fs::write(&file, &two).unwrap();
    stop(app);
    let app = App::start(serve_in(folder.path(), &two));
    assert_eq!(entries(&app, "?who=start").len(), 1);
    stop(app);
    let app = App::start(serve_in(folder.path(), &one));
    assert_eq!(wait_for_entries(&app, "?who=start", 2)[0]["about"]["sha256"], sha256(&one));
    assert_eq!(entries(&app, "").len(), 4);
}

fn overlay(value: &str) -> String {
    format!("overlay: 1\ndoc: Adds a berth.\nevent: [Push Hook]\nset:\n  berth: {value}\n")
}

fn serve_with_mappings(folder: &Path) -> App {
    let mut serve = serve_in(folder, &config("http://127.0.0.1:9/"));
    serve.args(["--mappings-dir", folder.join("mappings").to_str().unwrap()]);
    serve.env("HOOKGLOT_RELOAD__DEBOUNCE", "20ms").env("HOOKGLOT_RELOAD__POLL", "200ms");
    App::start(serve)
}

#[test]
fn mapping_files_are_noted_with_their_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let overlays = folder.path().join("mappings/overlays");
    std::fs::create_dir_all(&overlays).unwrap();
    let file = overlays.join("berth.yaml");
    let shown = file.display().to_string();
    let example = "examples:\n  - {name: any, event: Push Hook, input: {}, expect: {berth: 7}}\n";
    let (one, two) = (overlay("7") + example, overlay("7 ") + example);
    std::fs::write(&file, &one).unwrap();
    let app = serve_with_mappings(folder.path());
    let started = &wait_for_entries(&app, "?what=mappings_loaded", 1)[0];
    assert_eq!(started["who"], "start");
    assert_eq!(started["about"]["changed"], json!([{"file": shown, "before": null, "now": sha256(&one)}]));

    std::fs::write(&file, &two).unwrap();
    let loaded = &wait_for_entries(&app, "?who=changed%20file", 1)[0];
    assert_eq!(loaded["what"], "mappings_loaded");
    assert_eq!(loaded["about"]["changed"], json!([{"file": shown, "before": sha256(&one), "now": sha256(&two)}]));

    std::fs::write(&file, "overlay: 1\n").unwrap();
    let refused = &wait_for_entries(&app, "?what=mappings_refused", 1)[0];
    assert!(refused["about"]["faults"][0].as_str().unwrap().contains("berth.yaml"), "{refused}");
    std::fs::write(&file, &two).unwrap();
    let again = &wait_for_entries(&app, "?who=changed%20file&what=mappings_loaded", 2)[0];
    assert_eq!(again["about"]["changed"], json!([]), "those in force are on the disk again");
    stop(app);
    // It changed while nobody ran.
    std::fs::write(&file, &one).unwrap();
    let app = serve_with_mappings(folder.path());
    assert_eq!(wait_for_entries(&app, "?who=start&what=mappings_loaded", 2).len(), 2);
}

#[test]
fn the_log_is_read_a_page_at_a_time_by_those_who_may() {
    let folder = tempfile::tempdir().unwrap();
    let app = App::start(serve_in(folder.path(), &config("http://127.0.0.1:9/")));
    for count in 1..=3 {
        app.signal("HUP");
        wait_for_entries(&app, "?who=SIGHUP", count);
    }
    let first = look(&app, "/api/v1/audit?limit=3");
    assert_eq!(first["items"].as_array().unwrap().len(), 3);
    let second = look(&app, &format!("/api/v1/audit?limit=3&before={}", first["next"]));
    assert_eq!(second["items"][0]["who"], "start");
    for (query, status, says) in [
        ("?whose=on-call", 400, "unknown field `whose`"),
        ("?what=resent", 422, "what: expected one of resend, resend_all"),
        ("?limit=0", 400, "limit: expected a number from 1 to 500"),
    ] {
        let answer = ask(&app, "GET", &format!("/api/v1/audit{query}"), READS, "");
        assert_eq!(answer.status, status, "{query}");
        assert!(answer.json()["error"].as_str().unwrap().contains(says), "{query}: {answer:?}");
    }
    assert_eq!(app.get_admin("/api/v1/audit").status, 401);
}

#[test]
fn what_cannot_be_noted_happens_all_the_same_but_erasing_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let app = App::start(serve_in(folder.path(), &config("http://127.0.0.1:9/")));
    wait_for_entries(&app, "", 1);
    let other = rusqlite::Connection::open(folder.path().join("data/hookglot.db")).unwrap();
    other.execute_batch("CREATE TRIGGER no BEFORE INSERT ON audit BEGIN SELECT raise(FAIL, 'no'); END").unwrap();
    app.signal("HUP");
    app.wait_for_log("it cannot be kept who did this");
    app.wait_for_log("the configuration is loaded and in force");
    assert_eq!(app.metric("hookglot_audit_lost_total "), Some(1));
    assert_eq!(app.metric("hookglot_config_reloads_total{result=\"loaded\"} "), Some(1));
    let refused = ask(&app, "POST", "/api/v1/erase", WRITES, r#"{"user": "olga"}"#);
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(app.metric("hookglot_audit_lost_total "), Some(2));
    assert_eq!(entries(&app, "").len(), 1);
}

#[test]
fn how_long_entries_are_kept_can_be_set() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hookglot.toml");
    let checked = |audit: &str| {
        std::fs::write(&file, format!("[retention]\naudit = {audit}\n{}", config("http://127.0.0.1:9/"))).unwrap();
        crate::support::process::ended(command(&["check", "--config", file.to_str().unwrap()]))
    };
    assert_eq!(checked("\"30d\"").code, Some(0));
    let wrong = checked("\"for ever\"");
    assert_eq!((wrong.code, wrong.err.contains("retention.audit")), (Some(1), true), "{wrong:?}");
}
