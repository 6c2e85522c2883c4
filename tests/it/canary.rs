//! A day with marked secrets: every hook that the examples have, through tools that answer well, badly and not at all,
//! with the log at its most talkative. Not one of the marks is anywhere but where it must be: at its own tool.

use crate::support::app::App;
use crate::support::receiver::{Receiver, status};
use crate::support::signer::{key, now, sign};
use crate::support::wire::{Answer, connect, exchange, read_answer};
use crate::support::{project_file, wait_for};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hookglot::config::{Flags, load};
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

/// What is kept of all this while the process runs.
mod kept;

/// What opens the routes, and what strangers try instead. Some have signs that look otherwise in addresses.
const GITFLIC_SECRET: &str = "canary-of-the-gitflic-route";
const GITLAB_SECRET: &str = "canary/of+the=gitlab route";
const STRANGER: &str = "canary-of-a-stranger";
/// A signature that somebody made up.
const FORGED: &str = "Y2FuYXJ5IG9mIGEgZm9yZ2VkIHNpZ25hdHVyZSwgMzI=";
/// What the forge adds of its own, and a tool has passed on.
const PASSED: &str = "ledger-of-the-eastern-quay";

/// What the first tool gets, and nobody else.
const OF_THE_TOOL: [&str; 3] = ["canary-of-the-tool-token", "canary-of-the-tool-authorization", "canary-of-a-header"];
/// What stands in addresses.
const OF_ADDRESSES: [&str; 4] =
    ["canary-of-the-login", "canary-of-the-query", "canary-of-the-proxy", "canary-of-the-unknown-host"];
/// What stands in the paths of addresses, as bots and chat tools have it.
const OF_PATHS: [&str; 3] =
    ["bot314159265:AAcanary_k3y-in-a-path", "eyJjYW5hcnkiOjF9.eyJrZXkiOjJ9.cGF0aA", "canaryKeyOfLettersAlone"];

/// A tool that shouts at whoever asks what it was told.
fn shouting() -> Receiver {
    let body = OF_THE_TOOL.join(" ");
    Receiver::scripted(move |number| match number % 4 {
        0 => status(200, &format!("X-Echo: {}\r\n", OF_THE_TOOL[0])),
        1 => format!("HTTP/1.1 400 {}\r\nContent-Length: {}\r\n\r\n{body}", OF_THE_TOOL[1], body.len()),
        2 => status(302, &format!("Location: http://127.0.0.1/?token={}\r\n", OF_THE_TOOL[0])),
        _ => format!("HTTP/1.1 410 Gone\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
    })
}

fn config(tool: &Receiver, behind_login: &Receiver, witness: &Receiver) -> String {
    let signed = format!("signing_key = \"{}\"\n", key(60));
    let [of_gitflic, of_gitlab] = [("gitflic", ""), ("gitlab", &*signed)]
        .map(|(forge, signing)| destinations(forge, signing, tool, behind_login, witness));
    format!(
        "log_level = \"trace\"\nlimits.sign_in_failures = \"none\"\n[[route]]\npath = \"/gitflic\"\naccept = [\"gitflic\"]\nsecret = \"{GITFLIC_SECRET}\"\n{of_gitflic}\
         [[route]]\npath = \"/gitlab\"\naccept = [\"gitlab\"]\nsecret = \"{GITLAB_SECRET}\"\nsigning_key = \"{}\"\n{of_gitlab}",
        key(30)
    )
}

/// The destinations of a route, with a secret in every place that can have one.
fn destinations(forge: &str, signing: &str, tool: &Receiver, behind_login: &Receiver, witness: &Receiver) -> String {
    let bare = |receiver: &Receiver| receiver.url.trim_start_matches("http://").to_owned();
    let [token, authorization, header] = OF_THE_TOOL;
    let [login, query, proxy, unknown] = OF_ADDRESSES;
    let to = |name: &str, url: &str, more: &str| {
        format!("[[route.to]]\nname = \"{name}-{forge}\"\nurl = \"{url}\"\nformat = \"gitlab\"\n{more}\n")
    };
    let secrets = format!(
        "token = \"{token}\"\nauthorization = \"{authorization}\"\n[route.to.headers]\nX-Berth = \"{header}\"\n"
    );
    [
        to("tool", &tool.url, &secrets),
        to("login", &format!("http://olga:{login}@{}?key={query}", bare(behind_login)), ""),
        to(
            "proxied",
            &format!("http://192.0.2.1/?key={query}"),
            &format!("proxy = \"http://olga:{proxy}@127.0.0.1:9\""),
        ),
        to("tls", &format!("https://olga:{login}@{}?key={query}", bare(tool)), ""),
        to("unknown", &format!("http://olga:{unknown}@nobody.invalid/?key={query}"), ""),
        to("bot", &format!("http://nobody.invalid/{}/sendMessage", OF_PATHS[0]), ""),
        to("chat", &format!("http://127.0.0.1:9/hooks/{}", OF_PATHS[1]), ""),
        to("letters", &format!("{}/{}", tool.url, OF_PATHS[2]), ""),
        // What is passed on to it is what it lists, and nothing of what proved the caller.
        to("witness", &witness.url, &format!("{signing}pass_headers = [\"X-Team\", \"X-Trace\"]\n")),
    ]
    .concat()
}

/// Every form in which a secret could be seen.
fn marks() -> Vec<String> {
    let plain = [GITFLIC_SECRET, GITLAB_SECRET, STRANGER, FORGED].into_iter().chain(OF_THE_TOOL).chain(OF_ADDRESSES);
    let plain = plain.chain(OF_PATHS);
    let mut marks: Vec<String> = plain.flat_map(forms).collect();
    marks.extend([30, 60].map(|first| key(first).trim_start_matches("whsec_").to_owned()));
    marks
}

/// A secret as it is, in base64 wherever it begins in what is encoded, and in the ways of addresses.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for before in 0..3 {
        // Of the characters at the ends, some bits are those of what stands beside.
        let bytes = [&b"xxx"[..before], secret.as_bytes()].concat();
        for encoded in [STANDARD.encode(&bytes), URL_SAFE.encode(&bytes)] {
            forms.push(encoded[(before * 8).div_ceil(6)..bytes.len() * 8 / 6].to_owned());
        }
    }
    let percent = |keep: fn(&u8) -> bool, upper: bool| -> String {
        let encoded = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        secret.bytes().map(|byte| if keep(&byte) { char::from(byte).to_string() } else { encoded(byte) }).collect()
    };
    for upper in [true, false] {
        forms.push(percent(u8::is_ascii_alphanumeric, upper));
        forms.push(percent(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte), upper));
        forms.push(percent(|_| false, upper));
    }
    // As forms send it.
    forms.push(percent(|byte| byte.is_ascii_alphanumeric() || b"-._* ".contains(byte), true).replace(' ', "+"));
    forms.sort();
    forms.dedup();
    forms
}

#[test]
fn a_secret_is_found_in_each_of_its_forms() {
    let secret = GITLAB_SECRET;
    for text in [
        format!("token={secret};"),
        STANDARD.encode(format!("olga:{secret}")),
        STANDARD.encode(format!("o:{secret}@")),
        URL_SAFE.encode(format!("{secret}{secret}")),
        "https://example.org/?key=canary%2Fof%2Bthe%3Dgitlab%20route".to_owned(),
        "key=canary%2fof%2bthe%3dgitlab+route".replace("%2f", "%2F").replace("%2b", "%2B").replace("%3d", "%3D"),
    ] {
        assert!(forms(secret).iter().any(|form| text.contains(form)), "{text}");
    }
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    assert_without(&marks(), what, text);
}

#[track_caller]
fn assert_without(marks: &[String], what: &str, text: &str) {
    for mark in marks {
        if let Some(at) = text.find(mark) {
            let line = text.get(..at).unwrap_or_default().lines().count();
            panic!(
                "{what} has {mark} in line {line}: {}",
                text.lines().nth(line.saturating_sub(1)).unwrap_or_default()
            );
        }
    }
}

/// The example hooks of a direction: what they are called and what comes in.
fn hooks(direction: &str, made: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings").join(direction).join("examples");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(made))
        .collect();
    names.sort();
    names.into_iter().map(|name| project_file(&format!("mappings/{direction}/examples/{name}"))).collect()
}

/// Sends a hook with a signature, and a forged one beside it; notes what it was signed with.
fn post_gitlab(app: &App, token: &str, signing_key: &str, body: &str, signatures: &mut Vec<String>) -> Answer {
    let (id, time) = (uuid::Uuid::new_v4().to_string(), now().to_string());
    let id = id.as_str();
    let made = sign(signing_key, id, &time, body.as_bytes());
    let signature = format!("v1,{FORGED} {made}");
    signatures.push(made.trim_start_matches("v1,").to_owned());
    let headers = [
        ("X-Team", PASSED),
        ("X-Gitlab-Token", token),
        ("webhook-id", id),
        ("webhook-timestamp", &time),
        ("webhook-signature", &signature),
        ("Cookie", STRANGER),
    ];
    app.post("/gitlab", &headers, body.as_bytes())
}

/// Heads that are none, each with secrets in every place that has room for one.
fn broken_heads() -> Vec<Vec<u8>> {
    let proofs = format!(
        "X-Gitlab-Token: {GITLAB_SECRET}\r\nGitflic-Webhook-Secret: {GITFLIC_SECRET}\r\nAuthorization: Bearer {STRANGER}\r\n\
         webhook-signature: v1,{FORGED}\r\nCookie: a={STRANGER}\r\n"
    );
    let query = "/gitlab?token=canary%2Fof%2Bthe%3Dgitlab%20route";
    [
        format!("POST {query} HTTP/1.1\r\nHost: x\r\n{proofs}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{{}}"),
        format!("POST {query} HTTP/1.1\r\nHost: x\r\n{proofs}Content-Length: {STRANGER}\r\n\r\n"),
        format!("POST {query} HTTP/1.1\r\nHost: x\r\n{proofs}Content_Length: {STRANGER}\r\n\r\n"),
        format!("POST {query} HTTP/1.1\r\nHost: x\r\n{proofs}Content-Length: 00{GITLAB_SECRET}\r\n\r\n"),
        format!("POST {query} HTTP/1.1\r\nHost: x\r\n{proofs}Transfer-Encoding: {STRANGER}\r\n\r\n"),
        format!("POST {query} HTTP/9.9\r\nHost: x\r\n{proofs}\r\n"),
        format!("POST {query} HTTP/1.1\r\nHost: x\r\n{proofs}X-No-Colon {STRANGER}\r\n\r\n"),
        format!("POST {query} HTTP/1.1\r\nHost: x\r\n{proofs}X-Long: {}\r\n\r\n", STRANGER.repeat(5_000)),
        format!("POST {query} HTTP/1.1\r\nHost: x\r\n{proofs}Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"),
        format!("POST {query} HTTP/1.1\r\nHost: x\r\n{proofs}Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"),
        format!("POST {query} HTTP/1.1\r\nHost: x\r\n{proofs}Transfer-Encoding: chunked\r\n\r\n{STRANGER}\r\n"),
        format!("POST http://olga:{STRANGER}@x{query} HTTP/1.1\r\nHost: x\r\n{proofs}Content-Length: 1\r\n\r\n{{"),
        format!("TRACE {query} HTTP/1.1\r\nHost: x\r\n{proofs}\r\n"),
        format!("CONNECT olga:{STRANGER}@x:80 HTTP/1.1\r\nHost: x\r\n{proofs}\r\n"),
        format!("{STRANGER}\r\n\r\n"),
        // Not at its end: it breaks off.
        format!("POST {query} HTTP/1.1\r\nHost: x\r\n{proofs}"),
    ]
    .map(String::into_bytes)
    .to_vec()
}

#[test]
fn a_day_with_marked_secrets_shows_none_of_them() {
    let (tool, behind_login, witness) = (shouting(), Receiver::content(), Receiver::content());
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let text = format!("data_dir = {state:?}\n{}", config(&tool, &behind_login, &witness));
    let mut app = App::with_config(folder.path(), &text);
    let (mut answers, mut stored, mut signatures) = (Vec::new(), 0, Vec::new());
    for body in hooks("gitflic-to-gitlab", ".gitlab.json") {
        let good = app.post("/gitflic", &[("Gitflic-Webhook-Secret", GITFLIC_SECRET)], body.as_bytes());
        stored += usize::from(good.json()["status"] == "stored");
        let bearer = format!("Bearer {GITFLIC_SECRET}");
        answers.push(app.post("/gitflic", &[("Authorization", &bearer), ("Cookie", STRANGER)], &body.as_bytes()[1..]));
        answers.push(app.post("/gitflic", &[("Gitflic-Webhook-Secret", STRANGER)], body.as_bytes()));
        answers.push(good);
    }
    for head in broken_heads() {
        let answer = head_alone(&app, &head);
        assert!(answer.status == 0 || answer.status >= 400, "{answer:?}");
        answers.push(answer);
    }
    // A forge that was told another tool's address.
    for key in OF_PATHS {
        answers.push(app.post(&format!("/hooks/{key}"), &[], b"{}"));
    }
    let signed = &mut signatures;
    for body in hooks("gitlab-to-gitflic", ".gitflic.json") {
        let good = post_gitlab(&app, GITLAB_SECRET, &key(30), &body, signed);
        assert_eq!(good.status, 200, "{good:?}");
        stored += usize::from(good.json()["status"] == "stored");
        answers.extend([
            good,
            post_gitlab(&app, GITLAB_SECRET, &key(31), &body, signed),
            post_gitlab(&app, STRANGER, &key(30), &body, signed),
        ]);
    }
    assert!(stored > 50, "{stored}");
    for name in ["tool", "login", "proxied", "tls", "unknown", "bot", "chat", "letters", "witness"] {
        wait_for(name, || app.log().contains(&format!("{name}-gitlab")).then_some(()));
    }
    wait_for("deliveries", || {
        (witness.got().len() > stored / 2 && behind_login.got().len() > stored / 2).then_some(())
    });
    // What came in signed is nobody's business either.
    let marks: Vec<String> = marks().into_iter().chain(signatures).collect();
    let assert_clean = |what: &str, text: &str| assert_without(&marks, what, text);
    // Everything that somebody can ask for or be told.
    for answer in &answers {
        assert_clean("an answer to a forge", &format!("{answer:?}"));
    }
    for page in ["/live", "/ready", "/metrics", "/"] {
        assert_clean(page, &format!("{:?}", app.get_admin(page)));
    }
    app.signal("HUP");
    app.terminate();
    app.wait();
    assert_clean("the log", &app.log());
    assert_clean("the output", &app.out());
    let kept = kept::files(&state);
    assert!(kept.iter().any(|(_, text)| text.contains("BRANCH_UPDATE")), "the store holds the hooks");
    for (file, text) in kept {
        assert_clean(&file, &text);
    }
    // What one tool gets is nothing that another may see, nor what the forge proved itself by.
    for got in witness.got() {
        assert_clean("a request to the witness", &format!("{}{}", got.head, String::from_utf8_lossy(&got.body)));
    }
    assert!(witness.got().iter().any(|got| got.header("X-Team") == Some(PASSED)), "what is listed was not passed on");
    let at_the_tool: String = tool.got().iter().map(|got| got.head.clone()).collect();
    assert!(
        OF_THE_TOOL.iter().all(|secret| at_the_tool.contains(secret)),
        "the tool was not told what it must be told"
    );
    assert!([GITFLIC_SECRET, GITLAB_SECRET, STRANGER].iter().all(|secret| !at_the_tool.contains(secret)));
}

/// Sends what may be half a head, and closes the sending side.
fn head_alone(app: &App, head: &[u8]) -> Answer {
    if head.ends_with(b"\r\n\r\n") || !head.starts_with(b"POST") {
        return exchange(&app.address, head);
    }
    let mut stream = connect(&app.address);
    let _ = stream.write_all(head);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    read_answer(&mut stream)
}

#[test]
fn what_is_kept_of_a_configuration_shows_no_secret_when_it_is_printed() {
    let (tool, folder) = (shouting(), tempfile::tempdir().unwrap());
    let text = config(&tool, &tool, &tool);
    let file = folder.path().join("hookglot.toml");
    std::fs::write(&file, &text).unwrap();
    let flags = Flags { config: Some(file.clone()), ..Flags::default() };
    let settings = load(&flags, &HashMap::new()).unwrap();
    assert_clean("Debug", &format!("{:?} {:#?}", settings.routes, settings.routes));
    let mut refusals = 0;
    // Every line spoilt, one after the other: what is said of it repeats nothing.
    for (number, line) in
        text.lines().enumerate().filter(|(_, line)| line.contains("canary") || line.contains("whsec_"))
    {
        for spoilt in [line.replace(" = ", "x = "), line.replacen('"', "", 1), line.replace("= \"", "= [7, \"")] {
            let other: Vec<&str> =
                text.lines().enumerate().map(|(own, line)| if own == number { &*spoilt } else { line }).collect();
            std::fs::write(&file, other.join("\n")).unwrap();
            if let Err(refused) = load(&flags, &HashMap::new()) {
                assert_clean(&format!("what is said of line {number} spoilt"), &refused.faults.0.join("\n"));
                refusals += 1;
            }
        }
    }
    assert!(refusals > 20, "{refusals}");
}
