use crate::support::app::{App, command};
use crate::support::process::Running;
use crate::support::receiver::{Got, Receiver, status};
use crate::support::signer::{key, now, sign};
use crate::support::wire::post;
use crate::support::{gitflic_push, gitlab_push, wait_for};

const ID: &str = "7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5";

/// A hookglot with one open route and one destination with these settings.
fn app(tool: &Receiver, settings: &str) -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "log_level = \"trace\"\n[[route]]\npath = \"/\"\nsecret = \"none\"\n\
         [[route.to]]\nname = \"jenkins\"\nurl = \"{}\"\n{settings}\n",
        tool.url
    );
    (App::with_config(folder.path(), &config), folder)
}

/// Makes sure that what came is signed with these keys, in their order, over the bytes that came, and just now.
#[track_caller]
fn assert_signed(got: &Got, keys: &[String]) {
    let [id, timestamp, signature] =
        ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"].map(|name| got.header(name).unwrap_or_default());
    assert_eq!(Some(id), got.header("Idempotency-Key"));
    assert!((now() - timestamp.parse::<i64>().unwrap()).abs() < 60, "{timestamp}");
    let signed: Vec<String> = keys.iter().map(|key| sign(key, id, timestamp, &got.body)).collect();
    assert_eq!(signature, signed.join(" "));
    for name in ["webhook-id:", "webhook-timestamp:", "webhook-signature:"] {
        assert_eq!(got.head.to_ascii_lowercase().matches(name).count(), 1, "{}", got.head);
    }
}

#[test]
fn each_attempt_is_signed_anew_under_the_same_id() {
    let tool = Receiver::scripted(|number| status(if number == 0 { 503 } else { 200 }, ""));
    let settings = format!("format = \"gitlab\"\ntoken = \"copper-kettle-12\"\nsigning_key = {:?}", key(1));
    let (app, _folder) = app(&tool, &settings);
    assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 200);
    let got = tool.wait_for(2);
    for got in &got {
        assert_signed(got, &[key(1)]);
        assert_eq!(got.header("X-Gitlab-Token"), Some("copper-kettle-12"));
    }
    assert_eq!(got[0].body, got[1].body);
    assert_eq!(got[0].header("Webhook-Id"), got[1].header("Webhook-Id"));
    let times = [0, 1].map(|number: usize| got[number].header("Webhook-Timestamp").unwrap().parse::<i64>().unwrap());
    assert!(times[1] >= times[0] + 3, "the second attempt comes 4 to 6 s later: {times:?}");
    app.wait_for_log("outcome=\"delivered\"");
    let signature = got[1].header("Webhook-Signature").unwrap().replace("v1,", "");
    for secret in [&key(1), &key(1)["whsec_".len()..].to_owned(), &signature] {
        assert!(!app.log().contains(secret.as_str()), "{secret} shows");
    }
}

#[test]
fn every_key_signs_so_that_keys_can_be_rotated() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let file = folder.path().join("keys");
    std::fs::write(&file, format!("{}\n", key(3))).unwrap();
    let settings =
        format!("format = \"gitlab\"\nsigning_keys = [{:?}, {:?}]\nsigning_key_file = {file:?}", key(1), key(2));
    let (app, _folder) = app(&tool, &settings);
    app.post("/", &[], gitflic_push().as_bytes());
    assert_signed(&tool.wait_for(1)[0], &[key(1), key(2), key(3)]);
}

/// What GitLab sends that signs with a key of its own.
fn signed_by_the_forge(key: &str, body: &str) -> [(&'static str, String); 4] {
    let timestamp = (now() - 100).to_string();
    let signature = sign(key, ID, &timestamp, body.as_bytes());
    [
        ("X-Gitlab-Event", "Push Hook".to_owned()),
        ("webhook-id", ID.to_owned()),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signature),
    ]
}

#[test]
fn a_hook_that_passes_through_loses_its_signature_and_gets_that_of_its_destination() {
    let (bare, signed, folder) = (Receiver::content(), Receiver::content(), tempfile::tempdir().unwrap());
    let config = format!(
        "[[route]]\npath = \"/\"\naccept = [\"gitlab\"]\nsigning_key = {:?}\n\
         [[route.to]]\nname = \"bare\"\nurl = \"{}\"\nformat = \"gitlab\"\n\
         [[route.to]]\nname = \"signed\"\nurl = \"{}\"\nformat = \"gitlab\"\nsigning_key = {:?}\n",
        key(1),
        bare.url,
        signed.url,
        key(2),
    );
    let app = App::with_config(folder.path(), &config);
    let body = gitlab_push();
    let headers = signed_by_the_forge(&key(1), &body);
    let (came_at, came_signed) = (headers[2].1.clone(), headers[3].1.clone());
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(app.post("/", &headers, body.as_bytes()).status, 200);
    let (bare, signed) = (bare.wait_for(1).remove(0), signed.wait_for(1).remove(0));
    for got in [&bare, &signed] {
        assert_eq!(String::from_utf8_lossy(&got.body), body);
        assert_eq!(got.header("Webhook-Id"), Some(ID));
        assert!(!got.head.contains(&came_signed[3..]), "{}", got.head);
        assert!(!got.head.contains(&came_at), "the time is that of the attempt: {}", got.head);
    }
    assert_signed(&signed, &[key(2)]);
    assert_eq!(bare.header("Webhook-Signature"), None);
    assert!(now() - bare.header("Webhook-Timestamp").unwrap().parse::<i64>().unwrap() < 60);
}

#[test]
fn one_hookglot_takes_what_another_has_signed() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let second = App::with_config(
        folder.path(),
        &format!(
            "[[route]]\npath = \"/\"\naccept = [\"gitlab\"]\nsecret = \"brass-lantern-77\"\nsigning_key = {:?}\n\
             [[route.to]]\nname = \"tool\"\nurl = \"{}\"\nformat = \"other\"\n",
            key(9),
            tool.url
        ),
    );
    let first_folder = tempfile::tempdir().unwrap();
    let first = App::with_config(
        first_folder.path(),
        &format!(
            "[[route]]\npath = \"/\"\naccept = [\"gitflic\"]\nsecret = \"none\"\n\
             [[route.to]]\nname = \"second\"\nurl = \"http://{}/\"\nformat = \"other\"\ntoken = \"brass-lantern-77\"\n\
             signing_keys = [{:?}, {:?}]\n",
            second.address,
            key(8),
            key(9)
        ),
    );
    first.post("/", &[], gitflic_push().as_bytes());
    assert_eq!(tool.wait_for(1)[0].json()["action"], "BRANCH_UPDATE");
}

#[test]
fn echo_shows_no_signature() {
    let echo = Running::start(command(&["echo", "--listen", "127.0.0.1:0"]), b"");
    let address = wait_for("echo to listen", || {
        Some(echo.out().lines().next()?.strip_prefix("echo listens on http://")?.to_owned())
    });
    let signature = sign(&key(1), ID, "1764000000", b"{}");
    post(&address, "/", &[("webhook-id", ID), ("webhook-signature", &signature)], b"{}");
    let shown = wait_for("what came", || Some(echo.out()).filter(|out| out.contains(ID)));
    assert!(shown.contains("Webhook-Signature: [secret]") && !shown.contains(&signature[3..]), "{shown}");
}
