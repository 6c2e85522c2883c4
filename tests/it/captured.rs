use crate::erasing::{READS, WRITES, ask, look};
use crate::mappings_dir::Folder;
use crate::support::app::{App, command, serve_in};
use crate::support::process::{Ended, ended};
use crate::support::{gitlab_push, project_file, wait_for};
use serde_json::{Value, json};

/// A hookglot that records on a route, and has a token that may only look and one that may change things.
struct Yard {
    app: App,
    _folder: tempfile::TempDir,
}

fn yard() -> Yard {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "[[admin.token]]\nname = \"on-call\"\ntoken = \"{WRITES}\"\nrights = \"write\"\n\
         [[admin.token]]\nname = \"board\"\ntoken = \"{READS}\"\n\
         [[route]]\npath = \"/in\"\nsecret = \"none\"\nrecord = true\n\
         [[route.to]]\nname = \"quay\"\nurl = \"http://127.0.0.1:1/\"\nformat = \"gitflic\"\n"
    );
    Yard { app: App::start(serve_in(folder.path(), &config)), _folder: folder }
}

impl Yard {
    /// Sends a push; gives the id of its hook.
    fn push(&self) -> String {
        let answer = self.app.post("/in", &[("X-Gitlab-Event", "Push Hook")], gitlab_push().as_bytes());
        answer.json()["delivery"].as_str().unwrap().to_owned()
    }

    fn capture_as(&self, token: &str, arguments: &[&str]) -> Ended {
        let mut capture = command(&[&["capture"], arguments].concat());
        capture.env("HOOKGLOT_ADMIN_URL", format!("http://{}", self.app.admin)).env("HOOKGLOT_ADMIN_TOKEN", token);
        ended(capture)
    }

    /// What somebody captures who may only look.
    fn capture(&self, arguments: &[&str]) -> Ended {
        self.capture_as(READS, arguments)
    }
}

/// The lines for a mapping, which stand behind what is said to the person.
fn entry(said: &Ended) -> String {
    said.err.lines().filter(|line| !line.starts_with("hookglot: ")).flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn a_hook_becomes_an_example_that_check_takes() {
    let yard = yard();
    let id = yard.push();
    let made = yard.capture(&[&id]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let (before, after): (Value, Value) =
        (serde_json::from_str(&gitlab_push()).unwrap(), serde_json::from_str(&made.out).unwrap());
    assert_eq!(after["object_kind"], "push");
    assert_ne!(after["user_name"], before["user_name"]);
    assert!(!made.out.contains(before["user_username"].as_str().unwrap()), "{}", made.out);
    assert!(made.err.contains("the event `Push Hook` of gitlab"), "{made:?}");
    assert!(made.err.contains("gitlab-to-gitflic/examples/push-hook.json of a mappings_dir"), "{made:?}");

    // What is said to be done is done to the mapping of pushes.
    let mapping = project_file("mappings/gitlab-to-gitflic/push.yaml") + &entry(&made);
    let folder = Folder::with(&[
        ("gitlab-to-gitflic/push.yaml", &mapping),
        ("gitlab-to-gitflic/examples/push-hook.json", &made.out),
    ]);
    let checked = folder.check();
    assert_eq!(checked.code, Some(0), "{mapping}\n{checked:?}");
    let wrong = mapping.replace("expect: {}", "expect: {action: TIDE}");
    folder.write("gitlab-to-gitflic/push.yaml", &wrong);
    let checked = folder.check();
    assert!(checked.code == Some(1) && checked.err.contains("example \"a hook that came\""), "{checked:?}");

    let noted = look(&yard.app, "/api/v1/audit?what=capture")["items"].clone();
    assert_eq!((&noted[0]["who"], &noted[0]["about"]), (&json!("board"), &json!({"hook": id})));
}

#[test]
fn a_delivery_names_its_hook_and_a_file_is_never_written_over() {
    let yard = yard();
    let id = yard.push();
    let made = yard.capture(&[&id]);
    let delivery = wait_for("its delivery", || {
        let list = look(&yard.app, "/api/v1/deliveries");
        list["items"][0]["id"].as_str().map(str::to_owned)
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tide.json");
    let written = yard.capture(&[&delivery, "--output", file.to_str().unwrap()]);
    assert_eq!((written.code, written.out.as_str()), (Some(0), ""), "{written:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), made.out);
    assert!(entry(&written).contains("\n    input: examples/tide.json\n"), "{written:?}");
    std::fs::write(&file, "{}").unwrap();
    let again = yard.capture(&[&id, "--output", file.to_str().unwrap()]);
    assert!(again.says(1).contains("tide.json: "), "{again:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{}");
    let shown = yard.capture(&[&id, "--json"]).json();
    assert_eq!((&shown["event"], &shown["body"]), (&json!("Push Hook"), &json!(made.out)));
    assert_eq!(shown["headers"], json!([{"name": "x-gitlab-event", "value": "Push Hook"}]));
}

#[test]
fn the_first_of_each_event_is_captured_until_it_is_forgotten() {
    let yard = yard();
    let none = yard.capture(&["--recorded"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    assert!(none.err.contains("nothing is recorded: `record = true`"), "{none:?}");
    let id = yard.push();
    let list = yard.capture(&["--recorded"]);
    assert!(list.out.starts_with("ROUTE  FORGE ") && list.out.contains("\n/in    gitlab  Push Hook  "), "{list:?}");
    assert_eq!(yard.capture(&["--recorded", "--json"]).json()["size"], gitlab_push().len());

    let which = ["--recorded", "/in", "gitlab", "Push Hook"];
    let (recorded, came) = (yard.capture(&which), yard.capture(&[&id]));
    assert_eq!((recorded.code, &recorded.out, &recorded.err), (Some(0), &came.out, &came.err));
    let noted = look(&yard.app, "/api/v1/audit?what=capture")["items"][1]["about"].clone();
    assert_eq!(noted, json!({"recording": {"route": "/in", "forge": "gitlab", "event": "Push Hook"}}));

    let forget = [&which[..], &["--forget"]].concat();
    assert!(yard.capture(&forget).says(1).contains("may only look"));
    let forgotten = yard.capture_as(WRITES, &forget);
    assert!(forgotten.code == Some(0) && forgotten.out.contains("the next hook of the event `Push Hook`"));
    assert!(yard.capture_as(WRITES, &forget).says(1).contains("no hook of the event `Push Hook` of gitlab on /in"));
    assert!(yard.capture(&which).says(1).contains("`record = true`"));
    assert_eq!(look(&yard.app, "/api/v1/audit?what=erase")["items"][0]["who"], "on-call");
    yard.push();
    assert_eq!(yard.capture(&["--recorded"]).out.lines().count(), 2, "the next one is recorded");
}

#[test]
fn what_makes_no_example_is_said() {
    let yard = yard();
    let id = yard.push();
    let nobodys = yard.app.post("/in", &[], br#"{"tide": "high"}"#).json();
    let refused = yard.capture(&[nobodys["delivery"].as_str().unwrap()]);
    assert!(refused.says(1).contains("no forge that the mapping files know"), "{refused:?}");
    for missing in ["01a2015f-6432-723a-8634-86c1c376a35d", "harbour", "../hooks"] {
        let none = yard.capture(&[missing]);
        assert!(none.code == Some(1) && none.err.contains("hook"), "{none:?}");
    }
    let order = json!({"user": "Olga Vetrova", "pending": true}).to_string();
    assert_eq!(ask(&yard.app, "POST", "/api/v1/erase", WRITES, &order).status, 200);
    let erased = yard.capture(&[&id]);
    assert!(erased.says(1).contains("was erased at"), "{erased:?}");
    assert_eq!(look(&yard.app, "/api/v1/audit?what=capture")["items"], json!([]), "nothing was captured");

    for wrong in
        [&["--recorded", "/in"][..], &["--recorded", "--forget"], &[], &[&id, "--recorded"], &[&id, "--forget"]]
    {
        assert_eq!(yard.capture(wrong).code, Some(2), "{wrong:?}");
    }
    for query in ["?route=/in&forge=gitlab", "?route=/in&forge=gitlab&event=Push%20Hook&whose=mine"] {
        let answer = ask(&yard.app, "GET", &format!("/api/v1/recordings/example{query}"), READS, "");
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    assert_eq!(yard.app.get_admin(&format!("/api/v1/hooks/{id}/example")).status, 401);
}
