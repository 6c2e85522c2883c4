use crate::support::app::{App, command};
use crate::support::receiver::Receiver;
use crate::support::signer::{key, now, sign};
use crate::support::wire::{Answer, connect, read_answer};
use crate::support::{gitflic_push, gitlab_push, project_file, wait_for};
use std::io::Write;

const ID: &str = "7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5";
const SECRET: &str = "brass-lantern-77";

/// A hookglot whose one route takes GitLab's hooks and has these settings.
fn app(tool: &Receiver, settings: &str) -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "log_level = \"trace\"\nlimits.sign_in_failures = \"none\"\n[[route]]\npath = \"/\"\naccept = [\"gitlab\"]\n{settings}\n\
         [[route.to]]\nname = \"ledger\"\nurl = \"{}\"\nformat = \"gitflic\"\n",
        tool.url
    );
    (App::with_config(folder.path(), &config), folder)
}

/// The headers of a hook that is signed now.
fn signed(key: &str, body: &str) -> Vec<(&'static str, String)> {
    let time = now().to_string();
    let signature = sign(key, ID, &time, body.as_bytes());
    vec![("webhook-id", ID.to_owned()), ("webhook-timestamp", time), ("webhook-signature", signature)]
}

/// Takes the header of a name out, and puts another in its place.
fn with(mut headers: Vec<(&'static str, String)>, name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    headers.retain(|(own, _)| *own != name);
    if !value.is_empty() {
        headers.push((name, value.to_owned()));
    }
    headers
}

fn post(app: &App, headers: &[(&'static str, String)], body: &str) -> Answer {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    app.post("/", &headers, body.as_bytes())
}

#[test]
fn a_signature_of_one_of_the_keys_opens_the_route() {
    let tool = Receiver::content();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    std::fs::write(&file, format!("{}\n\n{}\r\n", key(3), key(4))).unwrap();
    let settings = format!(
        "signing_key = {:?}\nsigning_keys = [{:?}]\nsigning_key_file = {file:?}\nsecret = \"none\"\n\
         duplicates = \"none\"",
        key(1),
        key(2)
    );
    let (app, _folder) = app(&tool, &settings);
    let body = gitlab_push();
    for number in [1, 2, 3, 4] {
        let answer = post(&app, &signed(&key(number), &body), &body);
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("stored")), "{number}: {answer:?}");
    }
    assert_eq!(post(&app, &signed(&key(5), &body), &body).status, 401);
    let one = signed(&key(1), &body);
    let several = format!("v1a,c2ln v1,c2ln {} v2,c2ln", one[2].1);
    assert_eq!(post(&app, &with(one.clone(), "webhook-signature", &several), &body).status, 200);
    let mut fields = one.clone();
    fields.insert(0, ("webhook-signature", "v1,c2ln".to_owned()));
    fields.push(("webhook-id", ID.to_owned()));
    assert_eq!(post(&app, &fields, &body).status, 200, "the same id twice is one id");
    tool.wait_for(6);
    assert!(app.log().contains("open=false signed=true"), "{}", app.log());
    assert!(!app.log().contains("anybody who reaches this route"), "{}", app.log());
}

#[test]
fn what_proves_nothing_is_401_and_is_told_why_but_not_what_would_have_fitted() {
    let tool = Receiver::content();
    let (app, _folder) = app(&tool, &format!("signing_key = {:?}", key(1)));
    let body = gitlab_push();
    let good = || signed(&key(1), &body);
    let at = |seconds: i64| {
        let time = (now() + seconds).to_string();
        let signature = sign(&key(1), ID, &time, body.as_bytes());
        with(with(good(), "webhook-timestamp", &time), "webhook-signature", &signature)
    };
    let plus = |name, value: &str| good().into_iter().chain([(name, value.to_owned())]).collect::<Vec<_>>();
    let wrong = "the signature of the hook is wrong: it was made with another signing key";
    let missing = "the signature of the hook is missing: the header webhook-signature";
    let cases = [
        (vec![], missing),
        (with(good(), "webhook-signature", ""), missing),
        (with(good(), "webhook-signature", &good()[2].1.replace("v1,", "v2,")), missing),
        (with(good(), "webhook-id", ""), "the header webhook-id is missing"),
        (with(good(), "webhook-timestamp", ""), "the header webhook-timestamp is missing"),
        (with(good(), "webhook-timestamp", "soon"), "the header webhook-timestamp is no time"),
        (plus("webhook-id", "other"), "the header webhook-id stands there twice"),
        (plus("Webhook-Timestamp", "1764000000"), "the header webhook-timestamp stands there twice"),
        (signed(&key(2), &body), wrong),
        (with(good(), "webhook-id", "other"), wrong),
        (with(good(), "webhook-timestamp", &(now() - 7).to_string()), wrong),
        (with(good(), "webhook-signature", &good()[2].1.to_uppercase().replace("V1,", "v1,")), wrong),
        (at(-330), "the timestamp of the hook is too old: 33"),
        (at(330), "the timestamp of the hook is too new: 3"),
    ];
    let mut said = String::new();
    for (headers, sentence) in &cases {
        let answer = post(&app, headers, &body);
        assert_eq!(answer.status, 401, "{headers:?}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(sentence), "{headers:?}: {error}");
        assert!(!sentence.contains("too") || error.contains("check both clocks"), "{error}");
        said.push_str(&format!("{answer:?}"));
    }
    for (from, to) in [("ledger", "ledgen"), ("{", "{ ")] {
        let changed = body.replacen(from, to, 1);
        assert_ne!(changed, body);
        let answer = post(&app, &good(), &changed);
        assert!(answer.status == 401 && answer.body.contains(wrong), "{answer:?}");
    }
    // Nothing of a body is looked at before its signature.
    let answer = post(&app, &good(), "{");
    assert!(answer.status == 401 && answer.body.contains(wrong), "{answer:?}");
    assert_eq!(post(&app, &good(), &body).status, 200);
    tool.wait_for(1);
    app.wait_for_log("outcome=\"delivered\"");
    assert_eq!(tool.got().len(), 1);
    assert_eq!(app.metric("hookglot_requests_total{route=\"/\",status=\"401\"}"), Some(17));
    assert_eq!(app.metric("hookglot_refused_total{reason=\"signature\",route=\"/\"}"), Some(17));
    let everything = format!("{}{}{}{said}", app.log(), app.out(), app.get_admin("/metrics").body);
    let time = good()[1].1.clone();
    let secrets =
        [key(1), key(1)["whsec_".len()..].to_owned(), sign(&key(1), ID, &time, body.as_bytes())[3..].to_owned()];
    for secret in &secrets {
        assert!(!everything.contains(secret.as_str()), "{secret} shows");
    }
    assert!(everything.contains("the signature of the hook is wrong"), "the log says why, too");
}

#[test]
fn a_route_with_a_secret_and_a_signing_key_asks_for_both() {
    let tool = Receiver::content();
    let settings = format!(
        "secrets = [\"{SECRET}\", \"tin-whistle-34\"]\nsigning_keys = [{:?}, {:?}]\nduplicates = \"none\"",
        key(1),
        key(2)
    );
    let (app, _folder) = app(&tool, &settings);
    let body = gitlab_push();
    for (token, signer, status, said) in [
        (SECRET, 1, 200, "stored"),
        ("tin-whistle-34", 2, 200, "stored"),
        (SECRET, 3, 401, "the signature of the hook is wrong"),
        ("wrong", 1, 401, "the secret of the hook is missing or wrong"),
        ("", 1, 401, "the secret of the hook is missing or wrong"),
        ("wrong", 3, 401, "the secret of the hook is missing or wrong"),
    ] {
        let headers = with(signed(&key(signer), &body), "X-Gitlab-Token", token);
        let answer = post(&app, &headers, &body);
        assert!(answer.status == status && answer.body.contains(said), "{token} {signer}: {answer:?}");
    }
    let token_alone = app.post("/", &[("X-Gitlab-Token", SECRET)], body.as_bytes());
    assert!(token_alone.status == 401 && token_alone.body.contains("signature of the hook is missing"));
}

#[test]
fn what_the_headers_do_not_prove_is_refused_before_the_body_comes() {
    let tool = Receiver::content();
    let (app, _folder) = app(&tool, &format!("secret = \"{SECRET}\"\nsigning_key = {:?}", key(1)));
    let old = now() - 3600;
    for (headers, said) in [
        (format!("webhook-id: {ID}\r\n"), "the secret of the hook"),
        (format!("X-Gitlab-Token: {SECRET}\r\n"), "signature of the hook is missing"),
        (
            format!(
                "X-Gitlab-Token: {SECRET}\r\nwebhook-id: {ID}\r\nwebhook-timestamp: {old}\r\nwebhook-signature: v1,x\r\n"
            ),
            "too old: 36",
        ),
    ] {
        let mut stream = connect(&app.address);
        stream
            .write_all(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n{headers}\r\n").as_bytes())
            .unwrap();
        let answer = read_answer(&mut stream);
        assert!(answer.status == 401 && answer.body.contains(said), "{answer:?}");
    }
}

#[test]
fn a_sidecar_with_a_signing_key_takes_the_hooks_of_forges_that_sign() {
    let tool = Receiver::content();
    let key = key(1);
    let app = App::with_environment(&[
        ("HOOKGLOT_TO", tool.url.as_str()),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SIGNING_KEY", &key),
    ]);
    assert!(app.log().contains("accept=\"gitlab\""), "{}", app.log());
    let body = gitlab_push();
    assert_eq!(post(&app, &signed(&key, &body), &body).status, 200);
    assert_eq!(post(&app, &[], &body).status, 401);
    assert_eq!(post(&app, &[], &gitflic_push()).status, 401);
    let signed_gitflic = post(&app, &signed(&key, &gitflic_push()), &gitflic_push());
    assert_eq!(signed_gitflic.json()["reason"], "not a hook of gitlab", "{signed_gitflic:?}");
    tool.wait_for(1);
}

#[test]
fn a_route_stays_closed_when_a_reload_takes_the_signature_out_of_the_forge_file() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let own = folder.path().join("mappings/gitlab");
    std::fs::create_dir_all(&own).unwrap();
    let forge = project_file("mappings/gitlab/forge.yaml");
    std::fs::write(own.join("forge.yaml"), &forge).unwrap();
    let config = folder.path().join("hookglot.toml");
    let text = format!(
        "mappings_dir = {:?}\n[reload]\ndebounce = \"50ms\"\npoll = \"100ms\"\n\
         [[route]]\npath = \"/\"\naccept = [\"gitlab\"]\nsigning_key = {:?}\n\
         [[route.to]]\nname = \"ledger\"\nurl = \"{}\"\nformat = \"gitlab\"\nsigning_key = {:?}\n",
        folder.path().join("mappings"),
        key(1),
        tool.url,
        key(2),
    );
    std::fs::write(&config, text).unwrap();
    let app = App::start(command(&["serve", "--config", config.to_str().unwrap()]));
    let body = gitlab_push();
    assert_eq!(post(&app, &signed(&key(1), &body), &body).status, 200);
    let lines: Vec<&str> = forge.lines().filter(|line| !line.contains("standard_webhooks")).collect();
    std::fs::write(own.join("forge.yaml"), lines.join("\n") + "\n").unwrap();
    let answer = wait_for("the reload", || {
        let answer = post(&app, &signed(&key(1), &body), &body);
        (answer.status != 200).then_some(answer)
    });
    assert!(answer.status == 401 && answer.body.contains("no forge.yaml"), "{answer:?}");
}

/// A signature is known to fit when the body is there. What strangers hold until then is bounded, so that other routes, and
/// those who have proved themselves, keep their room.
#[test]
fn bodies_that_nobody_has_proved_yet_leave_room_for_others() {
    const LENGTH: usize = 1 << 20;
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let to = format!("url = \"{}\"\nformat = \"gitlab\"\n", tool.url);
    let config = format!(
        "[limits]\nbody = \"1MiB\"\nin_flight = \"8MiB\"\n\
         [[route]]\npath = \"/signed\"\naccept = [\"gitlab\"]\nsigning_key = {:?}\n[[route.to]]\nname = \"one\"\n{to}\
         [[route]]\npath = \"/both\"\naccept = [\"gitlab\"]\nsecret = {SECRET:?}\nsigning_key = {:?}\n\
         [[route.to]]\nname = \"other\"\n{to}",
        key(1),
        key(1)
    );
    let app = App::with_config(folder.path(), &config);
    let mut body = gitlab_push().into_bytes();
    body.resize(LENGTH, b' ');
    let text = String::from_utf8(body.clone()).unwrap();
    let lines: Vec<String> =
        signed(&key(2), &text).iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let lines = lines.concat();
    let start = |path: &str, more: &str| {
        let mut stream = connect(&app.address);
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {LENGTH}\r\n{more}{lines}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body[..LENGTH - 1]).unwrap();
        stream
    };
    let in_flight = || app.metric("hookglot_bytes_in_flight").unwrap_or(0);
    let mut strangers: Vec<_> = (0..2).map(|_| start("/signed", "")).collect();
    wait_for("their bytes", || (in_flight() >= 2 * (LENGTH as u64 - 1)).then_some(()));
    let refused = read_answer(&mut start("/signed", ""));
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.body.contains("from this address whose senders have proved nothing"), "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert_eq!(app.metric("hookglot_refused_total{reason=\"bytes_unproven\",route=\"/signed\"}"), Some(1));
    // Who has a secret is known before the body: all the rest is for such callers.
    let secret = format!("X-Gitlab-Token: {SECRET}\r\n");
    let mut known: Vec<_> = (0..5).map(|_| start("/both", &secret)).collect();
    wait_for("their bytes, too", || (in_flight() >= 7 * (LENGTH as u64 - 1)).then_some(()));
    for stream in known.iter_mut().chain(&mut strangers) {
        stream.write_all(&body[LENGTH - 1..]).unwrap();
        assert_eq!(read_answer(stream).status, 401, "the key is another");
    }
    wait_for("room", || (in_flight() == 0).then_some(()));
    let headers = signed(&key(1), &text);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(app.post("/signed", &headers, text.as_bytes()).status, 200);
}
