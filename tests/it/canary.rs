//! A day with marked secrets: every hook that the examples have, through tools that answer well, badly and not at all,
//! with the log at its most talkative. Not one of the marks is anywhere but where it must be: at its own tool.

use crate::support::app::App;
use crate::support::receiver::{Receiver, status};
use crate::support::signer::{key, now, sign};
use crate::support::wire::Answer;
use crate::support::{project_file, wait_for};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hookglot::config::{Flags, load};
use std::collections::HashMap;
use std::path::Path;

/// What opens the routes, and what strangers try instead.
const GITFLIC_SECRET: &str = "canary-of-the-gitflic-route";
const GITLAB_SECRET: &str = "canary-of-the-gitlab-route";
const STRANGER: &str = "canary-of-a-stranger";

/// What the first tool gets, and nobody else.
const OF_THE_TOOL: [&str; 3] = ["canary-of-the-tool-token", "canary-of-the-tool-authorization", "canary-of-a-header"];
/// What stands in addresses.
const OF_ADDRESSES: [&str; 4] =
    ["canary-of-the-login", "canary-of-the-query", "canary-of-the-proxy", "canary-of-the-unknown-host"];

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
        to("witness", &witness.url, signing),
    ]
    .concat()
}

/// Every form in which a secret could be seen.
fn marks() -> Vec<String> {
    let mut marks: Vec<String> = [GITFLIC_SECRET, GITLAB_SECRET, STRANGER]
        .into_iter()
        .chain(OF_THE_TOOL)
        .chain(OF_ADDRESSES)
        .map(str::to_owned)
        .collect();
    // A login goes out in this form.
    marks.extend(OF_ADDRESSES.map(|secret| STANDARD.encode(format!("olga:{secret}"))));
    marks.extend([30, 60].map(|first| key(first).trim_start_matches("whsec_").to_owned()));
    marks
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for mark in marks() {
        if let Some(at) = text.find(&mark) {
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

fn post_gitlab(app: &App, token: &str, signing_key: &str, body: &str) -> Answer {
    let (id, time) = ("7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5", now().to_string());
    let signature = sign(signing_key, id, &time, body.as_bytes());
    let headers = [
        ("X-Gitlab-Token", token),
        ("webhook-id", id),
        ("webhook-timestamp", &time),
        ("webhook-signature", &signature),
        ("Cookie", STRANGER),
    ];
    app.post("/gitlab", &headers, body.as_bytes())
}

#[test]
fn a_day_with_marked_secrets_shows_none_of_them() {
    let (tool, behind_login, witness) = (shouting(), Receiver::content(), Receiver::content());
    let folder = tempfile::tempdir().unwrap();
    let text = config(&tool, &behind_login, &witness);
    let mut app = App::with_config(folder.path(), &text);
    let (mut answers, mut stored) = (Vec::new(), 0);
    for body in hooks("gitflic-to-gitlab", ".gitlab.json") {
        let good = app.post("/gitflic", &[("Gitflic-Webhook-Secret", GITFLIC_SECRET)], body.as_bytes());
        stored += usize::from(good.json()["status"] == "stored");
        let bearer = format!("Bearer {GITFLIC_SECRET}");
        answers.push(app.post("/gitflic", &[("Authorization", &bearer), ("Cookie", STRANGER)], &body.as_bytes()[1..]));
        answers.push(app.post("/gitflic", &[("Gitflic-Webhook-Secret", STRANGER)], body.as_bytes()));
        answers.push(good);
    }
    for body in hooks("gitlab-to-gitflic", ".gitflic.json") {
        let good = post_gitlab(&app, GITLAB_SECRET, &key(30), &body);
        assert_eq!(good.status, 200, "{good:?}");
        stored += usize::from(good.json()["status"] == "stored");
        answers.extend([
            good,
            post_gitlab(&app, GITLAB_SECRET, &key(31), &body),
            post_gitlab(&app, STRANGER, &key(30), &body),
        ]);
    }
    assert!(stored > 50, "{stored}");
    for name in ["tool", "login", "proxied", "tls", "unknown", "witness"] {
        wait_for(name, || app.log().contains(&format!("{name}-gitlab")).then_some(()));
    }
    wait_for("deliveries", || {
        (witness.got().len() > stored / 2 && behind_login.got().len() > stored / 2).then_some(())
    });
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
    // What one tool gets is nothing that another may see, nor what the forge proved itself by.
    for got in witness.got() {
        assert_clean("a request to the witness", &format!("{}{}", got.head, String::from_utf8_lossy(&got.body)));
    }
    let at_the_tool: String = tool.got().iter().map(|got| got.head.clone()).collect();
    assert!(
        OF_THE_TOOL.iter().all(|secret| at_the_tool.contains(secret)),
        "the tool was not told what it must be told"
    );
    assert!([GITFLIC_SECRET, GITLAB_SECRET, STRANGER].iter().all(|secret| !at_the_tool.contains(secret)));
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
