use crate::support::app::App;
use crate::support::receiver::Receiver;
use crate::support::wire::{connect, exchange, read_answer};
use crate::support::{gitflic_push, gitlab_push};
use std::io::Write;

const SECRET: &str = "brass-lantern-77";

fn sidecar(tool: &Receiver, more: &[(&str, &str)]) -> App {
    let mut variables = vec![("HOOKGLOT_TO", tool.url.as_str()), ("HOOKGLOT_FORMAT", "gitlab")];
    variables.push(("HOOKGLOT_SECRET", SECRET));
    variables.extend(more);
    App::with_environment(&variables)
}

#[test]
fn every_way_to_prove_the_secret_opens_the_route() {
    let tool = Receiver::content();
    let app = sidecar(&tool, &[]);
    let (gitflic, gitlab) = (gitflic_push(), gitlab_push());
    for (header, value, body) in [
        ("X-Gitlab-Token", SECRET.to_owned(), &gitlab),
        ("Gitflic-Webhook-Secret", SECRET.to_owned(), &gitflic),
        ("Authorization", SECRET.to_owned(), &gitflic),
        ("Authorization", format!("token {SECRET}"), &gitflic),
        ("Authorization", format!("Bearer {SECRET}"), &gitflic),
    ] {
        let answer = app.post("/", &[(header, &value)], body.as_bytes());
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("stored")), "{header}: {answer:?}");
    }
    tool.wait_for(5);
}

#[test]
fn a_wrong_or_missing_secret_is_401_and_nothing_goes_on() {
    let tool = Receiver::content();
    let app = sidecar(&tool, &[]);
    let body = gitflic_push();
    for headers in [
        vec![],
        vec![("X-Gitlab-Token", "wrong")],
        vec![("Gitflic-Webhook-Secret", "")],
        vec![("Authorization", "Basic YnJhc3M6bGFudGVybg==")],
        vec![("Cookie", SECRET)],
    ] {
        let answer = app.post("/", &headers, body.as_bytes());
        assert_eq!(answer.status, 401, "{headers:?}");
        assert!(answer.json()["error"].as_str().unwrap().contains("secret"), "{answer:?}");
    }
    assert_eq!(tool.got().len(), 0);
    assert_eq!(app.metric("hookglot_requests_total{route=\"/\",status=\"401\"}"), Some(5));
}

#[test]
fn several_secrets_open_a_route_so_that_they_can_be_rotated() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let file = folder.path().join("secrets");
    // Some editors put a mark at the beginning.
    std::fs::write(&file, "\u{feff}third-one\nfourth-one\n").unwrap();
    let app = App::with_config(
        folder.path(),
        &format!(
            "[[route]]\npath = \"/hooks\"\nsecrets = [\"first-one\", \"second-one\"]\nsecret_file = {file:?}\n\
             [[route.to]]\nname = \"jenkins\"\nurl = \"{}\"\nformat = \"gitlab\"\n",
            tool.url
        ),
    );
    for (secret, status) in
        [("first-one", 200), ("second-one", 200), ("third-one", 200), ("fourth-one", 200), ("fifth-one", 401)]
    {
        let answer = app.post("/hooks", &[("Gitflic-Webhook-Secret", secret)], gitflic_push().as_bytes());
        assert_eq!(answer.status, status, "{secret}");
    }
    assert_eq!(app.post("/", &[], b"{}").status, 404);
}

#[test]
fn no_secret_shows_in_log_metrics_or_answers() {
    let tool = Receiver::content();
    let app = sidecar(&tool, &[("HOOKGLOT_TOKEN", "copper-kettle-12"), ("HOOKGLOT_LOG_LEVEL", "trace")]);
    let ok = app.post("/", &[("X-Gitlab-Token", SECRET)], gitlab_push().as_bytes());
    let wrong = app.post("/", &[("X-Gitlab-Token", "tin-whistle-34")], gitlab_push().as_bytes());
    let broken = app.post("/", &[("X-Gitlab-Token", SECRET)], b"{");
    tool.wait_for(1);
    app.wait_for_log("outcome=\"delivered\"");
    let everything = format!("{}{}{}{ok:?}{wrong:?}{broken:?}", app.log(), app.out(), app.get_admin("/metrics").body);
    for secret in [SECRET, "copper-kettle-12", "tin-whistle-34"] {
        assert!(!everything.contains(secret), "{secret} shows");
    }
}

#[test]
fn every_wrong_request_has_its_answer() {
    let tool = Receiver::content();
    let app = sidecar(&tool, &[("HOOKGLOT_SECRET", "none"), ("HOOKGLOT_LIMITS__BODY", "64KiB")]);
    let case = |body: &[u8]| {
        let answer = app.post("/", &[], body);
        (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(case(b""), (400, "the body is empty; a hook is a JSON object".into()));
    assert_eq!(case(b"{\n \"a\": tru}"), (400, "the body is not JSON: line 2, column 7: expected a value".into()));
    assert_eq!(case(b"[1]"), (400, "the body is JSON, but not an object; a hook is a JSON object".into()));
    assert_eq!(
        case(b"{\"a\":\"\xff\"}"),
        (400, "the body is not JSON: line 1, column 7: this byte is not UTF-8".into())
    );
    let deep = "{\"a\":".repeat(200);
    assert_eq!(
        case(deep.as_bytes()),
        (400, "the body is nested too deeply: line 1, column 641: at most 128 levels are read".into())
    );
    assert_eq!(case(&vec![b' '; 65_537]), (413, "the body is larger than 65536 bytes".into()));
    assert_eq!(app.post("/nowhere", &[], b"{}").json()["error"], "no route has the path /nowhere");
    let get = exchange(&app.address, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!((get.status, get.header("allow").as_deref()), (405, Some("POST")));
    let packed = app.post("/", &[("Content-Encoding", "gzip")], b"\x1f\x8b");
    assert_eq!(packed.status, 415);
    assert_eq!(tool.got().len(), 0);
}

#[test]
fn a_chunked_body_over_the_limit_is_413_without_a_length() {
    let tool = Receiver::content();
    let app = sidecar(&tool, &[("HOOKGLOT_SECRET", "none"), ("HOOKGLOT_LIMITS__BODY", "1KiB")]);
    let mut request = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..3 {
        request.extend_from_slice(format!("200\r\n{}\r\n", " ".repeat(0x200)).as_bytes());
    }
    request.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(exchange(&app.address, &request).status, 413);
}

#[test]
fn a_sender_that_is_too_slow_is_told_so() {
    let tool = Receiver::content();
    let app = sidecar(&tool, &[("HOOKGLOT_SECRET", "none"), ("HOOKGLOT_LIMITS__READ_TIMEOUT", "200ms")]);
    let mut stream = connect(&app.address);
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{").unwrap();
    let answer = read_answer(&mut stream);
    assert_eq!(answer.status, 408, "{answer:?}");
}

#[test]
fn too_many_bytes_on_their_way_are_503_and_the_way_is_free_again() {
    let tool = Receiver::content();
    let limits =
        [("HOOKGLOT_SECRET", "none"), ("HOOKGLOT_LIMITS__BODY", "16KiB"), ("HOOKGLOT_LIMITS__IN_FLIGHT", "16KiB")];
    let app = sidecar(&tool, &limits);
    let mut slow = connect(&app.address);
    slow.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16384\r\n\r\n").unwrap();
    slow.write_all(&[b' '; 16_000]).unwrap();
    crate::support::wait_for("the bytes to count", || {
        app.metric("hookglot_bytes_in_flight").filter(|bytes| *bytes >= 16_000)
    });
    let answer = app.post("/", &[], gitflic_push().as_bytes());
    assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{answer:?}");
    drop(slow);
    crate::support::wait_for("room", || (app.post("/", &[], gitflic_push().as_bytes()).status == 200).then_some(()));
    assert_eq!(app.metric("hookglot_bytes_in_flight"), Some(0));
}

#[test]
fn a_full_store_is_503_and_takes_hooks_again_when_there_is_room() {
    let is_back = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let back = std::sync::Arc::clone(&is_back);
    let tool = Receiver::scripted(move |_| {
        crate::support::receiver::status(if back.load(std::sync::atomic::Ordering::Relaxed) { 200 } else { 503 }, "")
    });
    let app = sidecar(
        &tool,
        &[("HOOKGLOT_SECRET", "none"), ("HOOKGLOT_STORE", "memory"), ("HOOKGLOT_LIMITS__STORED", "300KiB")],
    );
    let full = crate::support::wait_for("a full store", || {
        let answer = app.post("/", &[], gitflic_push().as_bytes());
        (answer.status == 503).then_some(answer)
    });
    assert!(full.json()["error"].as_str().unwrap().contains("the store is full"), "{full:?}");
    assert_eq!(app.metric("hookglot_store_down"), Some(1));
    is_back.store(true, std::sync::atomic::Ordering::Relaxed);
    crate::support::wait_for("room", || (app.post("/", &[], gitflic_push().as_bytes()).status == 200).then_some(()));
}

#[test]
fn what_is_understood_but_not_for_anybody_is_200_ignored_with_its_reason() {
    let tool = Receiver::content();
    let app = sidecar(&tool, &[("HOOKGLOT_SECRET", "none")]);
    let test = crate::support::project_file("mappings/gitflic-to-gitlab/examples/TEST_WEBHOOK.json");
    let push = crate::support::project_file("mappings/gitflic-to-gitlab/examples/PUSH.json");
    for (body, reason) in [
        (
            test.as_str(),
            "the Check button asks whether hooks arrive; a destination gets it when its events list TEST_WEBHOOK",
        ),
        (
            push.as_str(),
            "GitFlic repeats in PUSH what BRANCH_* and TAG_* say; a destination gets it when its events list PUSH",
        ),
        ("{\"hello\":\"world\"}", "not a hook of gitflic or gitlab"),
    ] {
        let answer = app.post("/", &[], body.as_bytes());
        assert_eq!(answer.status, 200);
        assert_eq!((&answer.json()["status"], &answer.json()["reason"]), (&"ignored".into(), &reason.into()));
        assert!(answer.json()["delivery"].as_str().is_some_and(|id| id.len() == 36));
    }
    let looping = app.post("/", &[("Hookglot-Hops", "5")], gitflic_push().as_bytes());
    assert_eq!(looping.json()["status"], "ignored", "{looping:?}");
    assert_eq!(app.metric("hookglot_ignored_total{destination=\"\",reason=\"unrecognised\"}"), Some(1));
    assert_eq!(app.metric("hookglot_ignored_total{destination=\"\",reason=\"loop\"}"), Some(1));
    assert_eq!(app.metric("hookglot_ignored_total{destination=\"sidecar\",reason=\"unlisted\"}"), Some(2));
    assert_eq!(tool.got().len(), 0);
}

#[test]
fn a_route_takes_only_the_forges_that_it_accepts_and_a_destination_only_its_events() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let app = App::with_config(
        folder.path(),
        &format!(
            "[[route]]\npath = \"/\"\nsecret = \"none\"\naccept = [\"gitflic\"]\n\
             [[route.to]]\nname = \"tags\"\nurl = \"{0}\"\nformat = \"gitlab\"\nevents = [\"TAG_CREATE\", \"TEST_WEBHOOK\"]\n",
            tool.url
        ),
    );
    assert_eq!(app.post("/", &[], gitlab_push().as_bytes()).json()["reason"], "not a hook of gitflic");
    let push = app.post("/", &[], gitflic_push().as_bytes());
    assert_eq!(push.json()["reason"], "the destination tags does not list the event BRANCH_UPDATE");
    let test = crate::support::project_file("mappings/gitflic-to-gitlab/examples/TEST_WEBHOOK.json");
    assert_eq!(app.post("/", &[], test.as_bytes()).json()["status"], "stored");
    assert_eq!(tool.wait_for(1)[0].json()["ref"], "refs/heads/hookglot-test");
}

#[test]
fn what_is_confidential_reaches_only_a_destination_that_lists_it() {
    let (all, trusted, folder) = (Receiver::content(), Receiver::content(), tempfile::tempdir().unwrap());
    let app = App::with_config(
        folder.path(),
        &format!(
            "[[route]]\npath = \"/\"\nsecret = \"none\"\n\
             [[route.to]]\nname = \"all\"\nurl = \"{0}\"\nformat = \"gitflic\"\n\
             [[route.to]]\nname = \"trusted\"\nurl = \"{1}\"\nformat = \"gitflic\"\n\
             events = [\"Issue Hook\", \"Confidential Issue Hook\", \"Confidential Note Hook\"]\n",
            all.url, trusted.url
        ),
    );
    let hook = |name: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let text = crate::support::project_file(&format!("mappings/gitlab-to-gitflic/examples/{name}.json"));
        let mut hook = serde_json::from_str(&text).unwrap();
        change(&mut hook);
        app.post("/", &[], hook.to_string().as_bytes())
    };
    hook("issue-open", &|hook| hook["event_type"] = "confidential_issue".into());
    hook("work-item", &|hook| hook["event_type"] = "confidential_work_item".into());
    hook("note-of-issue", &|hook| hook["object_attributes"]["internal"] = true.into());
    hook("note-of-issue", &|hook| hook["issue"]["confidential"] = true.into());
    hook("issue-close", &|_| {});
    let actions = |got: Vec<crate::support::receiver::Got>| {
        let mut actions: Vec<String> =
            got.iter().map(|got| got.json()["action"].as_str().unwrap().to_owned()).collect();
        actions.sort();
        actions
    };
    let everything = ["ISSUE_CREATE", "ISSUE_UPDATE", "ISSUE_UPDATE", "NEW_ISSUE_NOTE", "NEW_ISSUE_NOTE"];
    assert_eq!(actions(trusted.wait_for(5)), everything);
    // The open issue came last, so nothing confidential is on its way any more.
    assert_eq!(actions(all.wait_for(1)), ["ISSUE_UPDATE"]);
    assert_eq!(app.metric("hookglot_ignored_total{destination=\"all\",reason=\"unlisted\"}"), Some(4));
}

#[test]
fn an_event_without_a_mapping_ends_ignored_and_says_so() {
    let tool = Receiver::content();
    let app = sidecar(&tool, &[("HOOKGLOT_SECRET", "none")]);
    let moon = serde_json::json!({"action": "MOON_PHASE", "project_id": "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92"});
    assert_eq!(app.post("/", &[], moon.to_string().as_bytes()).json()["status"], "stored");
    let line = app.wait_for_log("INFO ignored");
    assert!(line.contains("hookglot does not know this event of GitFlic"), "{line}");
    assert_eq!(tool.got().len(), 0);
}

#[test]
fn a_hook_that_cannot_be_translated_fails_visibly_with_the_line_that_wanted_more() {
    let tool = Receiver::content();
    let app = sidecar(&tool, &[("HOOKGLOT_SECRET", "none")]);
    let mut hook: serde_json::Value = serde_json::from_str(&gitflic_push()).unwrap();
    hook["push"]["after"] = serde_json::Value::Null;
    assert_eq!(app.post("/", &[], hook.to_string().as_bytes()).status, 200);
    let line = app.wait_for_log("ERROR failed");
    assert!(
        line.contains("mappings/gitflic-to-gitlab/push.yaml:") && line.contains("`push.after` is required"),
        "{line}"
    );
    assert_eq!(tool.got().len(), 0);
}

#[test]
fn a_destination_that_does_not_want_a_hook_is_named_in_the_log() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let to = |name: &str, more: &str| {
        format!("[[route.to]]\nname = \"{name}\"\nurl = \"{}\"\nformat = \"gitlab\"\n{more}\n", tool.url)
    };
    let config = format!(
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n{}{}",
        to("all", ""),
        to("tags", "events = [\"TAG_CREATE\"]")
    );
    let app = App::with_config(folder.path(), &config);
    let id = app.post("/", &[], gitflic_push().as_bytes()).json()["delivery"].as_str().unwrap().to_owned();
    let line = app.wait_for_log("does not list the event BRANCH_UPDATE");
    assert!(line.contains(&id) && line.contains("destination=\"tags\""), "{line}");
    tool.wait_for(1);
}
