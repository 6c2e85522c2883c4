use crate::support::app::App;
use crate::support::asker::{TOKEN, ask, posted, shown, with};
use crate::support::{gitflic_push, gitlab_push};
use serde_json::{Value, json};

const READER: &str = "quiet-lamp-of-the-quay-7";

fn app() -> App {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "admin_token = \"{TOKEN}\"\n[[admin.token]]\nname = \"glance\"\ntoken = \"{READER}\"\nrights = \"read\"\n\
         [limits]\nbody = \"8KiB\"\n\
         [[route]]\npath = \"/in\"\nsecret = \"none\"\n\
         [[route.to]]\nname = \"mill\"\nurl = \"http://127.0.0.1:9/\"\nformat = \"gitlab\"\n\
         [route.to.settings]\ndefault_branch = \"trunk\"\n"
    );
    App::with_config(folder.path(), &config)
}

fn push() -> Value {
    serde_json::from_str(&gitflic_push()).unwrap()
}

#[test]
fn it_says_what_would_become_of_a_hook_and_keeps_nothing() {
    let app = app();
    let request = json!({"body": push(), "destination": "mill", "explain": true}).to_string();
    let answer = ask(&app, "POST", "/translate", &[&with(READER), "Content-Type: application/json"], &request);
    let made = answer.json();
    assert_eq!(
        (&made["status"], &made["event"], &made["forge"]),
        (&json!("translated"), &json!("BRANCH_UPDATE"), &json!("gitflic"))
    );
    let body: Value = serde_json::from_str(made["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["object_kind"], &body["project"]["default_branch"]), (&json!("push"), &json!("trunk")), "{body}");
    assert_eq!(made["headers"][0], json!({"name": "X-Gitlab-Event", "value": "Push Hook"}));
    assert!(made["explanation"]["body"].as_array().unwrap().len() > 50);
    assert_eq!(made["sha256"].as_str().unwrap().len(), 64);

    let set = posted(
        &app,
        "/translate",
        &json!({"body": push(), "destination": "mill", "settings": {"default_branch": "stem"}}),
    )
    .json();
    assert!(
        set["body"].as_str().unwrap().contains("\"default_branch\":\"stem\"") && set["explanation"].is_null(),
        "{set}"
    );
    assert_eq!(shown(&app, "/deliveries/count")["pending"], 0);
    assert_eq!(shown(&app, "/hooks")["items"], json!([]));
}

#[test]
fn a_body_passes_through_byte_for_byte() {
    let app = app();
    for body in [format!("{{\"n\": 1.0e0, \"n\" : 12345678901234567890123, {}", &gitlab_push()[1..]), gitlab_push()] {
        let as_text = json!({"body": body, "to": "gitlab", "from": "gitlab"}).to_string();
        let as_json = format!("{{\"to\": \"gitlab\", \"from\": \"gitlab\", \"body\": {body}}}");
        for request in [as_text, as_json] {
            let headers = [&*with(TOKEN), "Content-Type: application/json"];
            let made = ask(&app, "POST", "/translate", &headers, &request).json();
            assert_eq!((&made["status"], &made["mapping"]), (&json!("passed_through"), &Value::Null), "{made}");
            assert_eq!(made["body"].as_str().unwrap().trim(), body.trim());
        }
    }
}

#[test]
fn a_header_tells_the_event_where_the_body_does_not() {
    let app = app();
    let bare = json!({"object_kind": "push"});
    for request in [
        json!({"body": bare, "from": "gitlab", "to": "gitlab", "event": "Push Hook"}),
        json!({"body": bare, "to": "gitlab", "headers": {"X-Gitlab-Event": "Push Hook"}}),
    ] {
        let made = posted(&app, "/translate", &request).json();
        assert_eq!(
            (&made["status"], &made["event"]),
            (&json!("passed_through"), &json!("Push Hook")),
            "{request}: {made}"
        );
    }
}

#[test]
fn what_cannot_be_made_has_a_reason() {
    let app = app();
    for (request, status, reason) in [
        (json!({"body": "not json"}), "failed", "body: "),
        (json!({"body": "[1]"}), "failed", "body: not a JSON object"),
        (json!({"body": {"tide": "low"}}), "failed", "body: not a hook of gitflic or gitlab; `from` says whose it is"),
        (json!({"body": {"action": "TIDE_TURNED"}, "from": "gitflic"}), "ignored", ""),
    ] {
        let answer = posted(&app, "/translate", &request);
        let made = answer.json();
        assert_eq!((answer.status, &made["status"]), (200, &json!(status)), "{request}: {made}");
        assert!(made["reason"].as_str().unwrap().starts_with(reason), "{made}");
        assert!(made["body"].is_null(), "{made}");
    }
}

#[test]
fn a_wrong_request_is_told_what_is_wrong() {
    let app = app();
    for (request, status, error) in [
        (
            json!({"body": push(), "destination": "mil"}),
            422,
            "destination: there is no destination `mil`, did you mean `mill`?",
        ),
        (json!({"body": push(), "to": "gitlob"}), 422, "to: unknown forge `gitlob`"),
        (json!({"body": push(), "from": "hub"}), 422, "from: unknown forge `hub`"),
        (json!({"body": push(), "overlays": ["tide"]}), 422, "overlays: there is no overlay `tide`"),
        (json!({"body": 7}), 400, "body: expected a JSON object"),
        (json!({"body": push(), "tide": 1}), 400, "the body: "),
        (json!({}), 400, "the body: "),
        (json!({"body": "x".repeat(9000)}), 413, "the body: "),
    ] {
        let answer = posted(&app, "/translate", &request);
        assert_eq!(answer.status, status, "{request}: {answer:?}");
        assert!(answer.json()["error"].as_str().unwrap().starts_with(error), "{answer:?}");
    }
    let answer = ask(&app, "POST", "/translate", &[&with(TOKEN), "Content-Type: text/plain"], "{}");
    assert_eq!((answer.status, answer.json()["error"].is_string()), (415, true), "{answer:?}");
}
