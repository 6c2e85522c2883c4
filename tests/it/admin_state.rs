use crate::mappings_dir::Folder;
use crate::support::app::{App, command, serve_in};
use crate::support::asker::{TOKEN, shown};
use crate::support::receiver::{Receiver, status};
use crate::support::tool::nobodys_address;
use crate::support::{gitflic_push, wait_for};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A mapping in the place of a built-in one.
const OWN: &str = "mapping: 1\nname: harbour\nevent: BRANCH_UPDATE\nheaders: {X-Gitlab-Event: Push Hook}\n\
    body: {own: tar}\nexamples:\n  - {name: any, input: {action: BRANCH_UPDATE}, expect: {own: tar}}\n";
/// An overlay that is laid over pushes, and over an event that there is not.
const OVERLAY: &str = "overlay: 1\nevent: [Push Hook, Tide Hook]\nset: {tide: low}\n\
    examples:\n  - {name: any, event: Push Hook, input: {}, output: {tide: low}}\n";

fn destination(app: &App, name: &str) -> Value {
    let routes = shown(app, "/routes");
    let all = routes.as_array().unwrap().iter().flat_map(|route| route["destinations"].as_array().unwrap());
    all.into_iter().find(|to| to["name"] == name).unwrap().clone()
}

fn send(app: &App) {
    assert_eq!(app.post("/in", &[], gitflic_push().as_bytes()).json()["status"], "stored");
}

/// A route to a tool, and one to nobody; `keys` are further ones of the first destination.
fn config(url: &str, keys: &str) -> String {
    format!(
        "admin_token = \"{TOKEN}\"\n[[route]]\npath = \"/in\"\nsecret = \"none\"\naccept = [\"gitflic\"]\n\
         [[route.to]]\nname = \"mill\"\nurl = \"{url}\"\nformat = \"gitlab\"\n{keys}\n\
         [[route.to]]\nname = \"away\"\nurl = \"http://olga:herring-and-rope@{}/hook?key=tar-barrel-9\"\nformat = \"gitlab\"\n\
         breaker = 2\nretries = [\"10ms\", \"10ms\", \"1h\"]\norder = \"project\"\n",
        nobodys_address()
    )
}

#[test]
fn a_destination_is_as_well_as_its_latest_attempts_say() {
    let (folder, is_well) = (tempfile::tempdir().unwrap(), Arc::new(AtomicBool::new(true)));
    let of_tool = Arc::clone(&is_well);
    let tool = Receiver::scripted(move |_| status(if of_tool.load(Ordering::SeqCst) { 200 } else { 404 }, ""));
    let app =
        App::start(serve_in(folder.path(), &config(&tool.url, "retries = []\nbranch_filter = {wildcard = \"ma*\"}")));
    let untried = destination(&app, "mill");
    let known = ["health", "last_delivered_at", "last_failed_at", "last_error", "oldest_pending_seconds"];
    assert!(known.iter().all(|key| untried[key].is_null()), "{untried}");
    assert_eq!((&untried["order"], &untried["branch_filter"]), (&json!("free"), &json!("wildcard `ma*`")));

    send(&app);
    let well = wait_for("a delivery", || Some(destination(&app, "mill")).filter(|to| to["health"] == "ok"));
    assert_eq!((&well["since_start"]["delivered"], &well["last_failed_at"]), (&json!(1), &Value::Null), "{well}");
    assert!(well["last_delivered_at"].is_string(), "{well}");
    let away = wait_for("an open breaker", || Some(destination(&app, "away")).filter(|to| to["health"] == "down"));
    assert_eq!((&away["breaker_open"], &away["pending"], &away["order"]), (&json!(true), &json!(1), &json!("project")));
    assert!(away["oldest_pending_seconds"].as_f64().unwrap() > 0.0, "{away}");
    assert!(away["last_error"].as_str().unwrap().starts_with("no connection"), "{away}");
    let all = shown(&app, "/routes").to_string();
    assert!(!all.contains("herring") && !all.contains("tar-barrel") && all.contains("?hidden"), "{all}");

    is_well.store(false, Ordering::SeqCst);
    send(&app);
    let failing = wait_for("a failure", || Some(destination(&app, "mill")).filter(|to| to["health"] == "failing"));
    assert_eq!(failing["last_error"], "the destination answered 404", "{failing}");
    assert_eq!((&failing["since_start"]["failed"], &failing["breaker_open"]), (&json!(1), &json!(false)), "{failing}");

    // Nothing is known of another address under the same name.
    let other = Receiver::content();
    std::fs::write(folder.path().join("hookglot.toml"), config(&other.url, "")).unwrap();
    app.signal("HUP");
    app.wait_for_log("the configuration is loaded and in force");
    assert_eq!(destination(&app, "mill")["health"], Value::Null);
}

#[test]
fn a_route_says_what_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = App::with_config(folder.path(), &config("http://127.0.0.1:9/", ""));
    let routes = shown(&app, "/routes");
    let route = &routes[0];
    assert_eq!(
        (&route["path"], &route["accept"], &route["ack"], &route["open"], &route["signed"]),
        (&json!("/in"), &json!(["gitflic"]), &json!("stored"), &json!(true), &json!(false))
    );
}

/// A sidecar with a folder of mappings that is looked at often.
fn sidecar(folder: &Folder, url: &str) -> App {
    let mut serve = command(&["serve", "--mappings-dir", folder.path()]);
    serve.envs([
        ("HOOKGLOT_TO", url),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SECRET", "none"),
        ("HOOKGLOT_ADMIN_TOKEN", TOKEN),
        ("HOOKGLOT_RELOAD__DEBOUNCE", "20ms"),
        ("HOOKGLOT_RELOAD__POLL", "100ms"),
    ]);
    App::start(serve)
}

fn named<'m>(mappings: &'m Value, name: &str) -> &'m Value {
    mappings["mappings"].as_array().unwrap().iter().find(|own| own["name"] == name).unwrap()
}

#[test]
fn mappings_are_shown_with_their_hashes_and_what_was_refused() {
    let own = "gitflic-to-gitlab/push.yaml";
    let folder = Folder::with(&[("overlays/tide.yaml", OVERLAY)]);
    let app = sidecar(&folder, "http://127.0.0.1:9/");
    let before = shown(&app, "/mappings");
    assert_eq!((&before["refused"], &before["configuration_refused"]), (&json!([]), &json!([])), "{before}");
    let push = named(&before, "gitflic-to-gitlab/push");
    assert_eq!((&push["from"], &push["to"], &push["built_in"]), (&json!("gitflic"), &json!("gitlab"), &json!(true)));
    assert_eq!(push["sha256"].as_str().unwrap().len(), 64);
    let overlay = before["overlays"].as_array().unwrap().iter().find(|own| own["name"] == "tide").unwrap();
    assert_eq!(
        (&overlay["file"], &overlay["built_in"], &overlay["events"][0]),
        (&json!(folder.shown("overlays/tide.yaml")), &json!(false), &json!("Push Hook"))
    );
    assert!(before["warnings"].to_string().contains("event `Tide Hook`"), "{}", before["warnings"]);

    folder.write(own, "mapping: 1\nevent: BRANCH_UPDATE\nbody: {own: '${no_such | thing}'}\n");
    let refused = wait_for("a refusal", || Some(shown(&app, "/mappings")).filter(|now| now["refused"] != json!([])));
    assert!(refused["refused"][0].as_str().unwrap().starts_with(&format!("{}:", folder.shown(own))), "{refused}");
    assert_eq!(refused["mappings"], before["mappings"]);
    std::fs::remove_file(folder.shown(own)).unwrap();
    wait_for("the end of it", || (shown(&app, "/mappings") == before).then_some(()));
}

#[test]
fn coverage_is_that_of_the_rules_in_force() {
    let app = sidecar(&Folder::with(&[]), "http://127.0.0.1:9/");
    let coverage = shown(&app, "/coverage");
    let push =
        coverage[0]["events"].as_array().unwrap().iter().find(|event| event["event"] == "BRANCH_UPDATE").unwrap();
    assert_eq!((&push["outcome"], &push["becomes"]), (&json!("mapped"), &json!(["Push Hook"])));
}

#[test]
fn a_delivery_is_explained_and_says_whether_the_mapping_is_another_now() {
    let (folder, tool) = (Folder::with(&[]), Receiver::content());
    let app = sidecar(&folder, &tool.url);
    app.post("/", &[], gitflic_push().as_bytes());
    tool.wait_for(1);
    let id = shown(&app, "/deliveries")["items"][0]["id"].as_str().unwrap().to_owned();
    let explain = || shown(&app, &format!("/deliveries/{id}/explain"));
    let explained = explain();
    assert_eq!((&explained["mapping"], &explained["same_mapping"]), (&json!("gitflic-to-gitlab/push"), &json!(true)));
    let after = explained["body"].as_array().unwrap().iter().find(|field| field["path"] == "after").unwrap();
    assert_eq!(after["sources"], json!([{"path": "push.after", "has_value": true}]), "{after}");
    assert_eq!(after["file"], "mappings/gitflic-to-gitlab/push.yaml");
    assert_eq!(explained["headers"][0]["path"], "X-Gitlab-Event");

    folder.write("gitflic-to-gitlab/push.yaml", OWN);
    let anew = wait_for("another mapping", || Some(explain()).filter(|now| now["same_mapping"] == json!(false)));
    assert_eq!((&anew["mapping"], &anew["body"][0]["path"]), (&json!("harbour"), &json!("own")), "{anew}");
}
