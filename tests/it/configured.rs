//! What a configuration says of people, projects and numbers: faults of it, and that nobody shows.

use crate::config::{ConfigFile, MARK, ROUTE, assert_faults};
use crate::support::app::{App, command, serve_in};
use crate::support::process::{ended, run};
use crate::support::receiver::Receiver;
use crate::support::{gitflic_push, wait_for};

/// Olga, as nothing but the file may show her.
fn olga(number: u32) -> String {
    format!(
        "[[user]]\nid = \"id-{MARK}\"\nname = \"name-{MARK}\"\nusername = \"alias-{MARK}\"\n\
         email = \"{MARK}@harbour.example.com\"\navatar = \"https://harbour.example.com/{MARK}.png\"\n\
         number = {number}\nnumber_instance = \"gitlab.example.org\"\n"
    )
}

/// An entry in which nearly everything is wrong.
fn wrong() -> String {
    format!(
        "[[user]]\nid = \"id-{MARK}\"\nnmae = \"{MARK}\"\nemail = \"{MARK}\"\navatar = \"{MARK}\"\nnumber = \"{MARK}\"\n\
         instance = \"{MARK}/\"\n[[user]]\nname = \"{MARK}\"\n[[project]]\nid = \"id-{MARK}\"\nvisibility = \"{MARK}\"\n\
         [[number]]\nkind = \"issue\"\nid = \"id-{MARK}\"\nnumber = 412\n[[number]]\nkind = \"issue\"\nid = \"other-{MARK}\"\n\
         number = 412\n"
    )
}

const FAULTS: [(&str, &str); 8] = [
    ("user[0].nmae", "unknown setting, did you mean `name`?"),
    ("user[0].email", "expected an e-mail address, with an @"),
    ("user[0].avatar", "expected an http:// or https:// URL"),
    ("user[0].number", "expected a number from 1 to 2147483647"),
    ("user[0].instance", "expected a host"),
    ("user[1].id", "missing: what the forge calls it by"),
    ("project[0].visibility", "expected private, internal, public"),
    ("number[1].number", "number[0] gives another id the same number"),
];

#[test]
fn a_start_is_refused_with_all_faults_and_shows_nobody() {
    let file = ConfigFile::new(&format!("grace = \"soon\"\n{}{ROUTE}", wrong()));
    let said = file.faults(&[], &[]);
    assert_faults(&said, &[&[("grace", "expected a time")][..], &FAULTS].concat());
    assert!(!said.concat().contains(MARK), "{said:?}");
    let checked = run(&["check", "--config", file.shown()]);
    for (place, message) in FAULTS {
        let line = format!("{}: {place}: ", file.shown());
        assert!(checked.says(1).lines().any(|own| own.contains(&line) && own.contains(message)), "{place} {checked:?}");
    }
    assert!(!format!("{checked:?}").contains(MARK), "{checked:?}");
}

#[test]
fn a_variable_cannot_say_who_is_who() {
    let file = ConfigFile::new(&format!("{}{ROUTE}", olga(412)));
    let variables = [("HOOKGLOT_USER", MARK), ("HOOKGLOT_NUMBER__0__ID", MARK)];
    let expected = [
        ("HOOKGLOT_USER", "stands in a file only: write a [[user]] there"),
        ("HOOKGLOT_NUMBER__0__ID", "stands in a file only: write a [[number]] there"),
    ];
    let said = file.faults(&variables, &[]);
    assert_faults(&said, &expected);
    assert!(!said.concat().contains(MARK), "{said:?}");
    // A sidecar may have a file beside it that says who is who.
    let beside = ConfigFile::new(&olga(412));
    let mut check = command(&["check", "--config", beside.shown()]);
    check.envs([("HOOKGLOT_TO", "http://127.0.0.1:9/"), ("HOOKGLOT_FORMAT", "gitlab"), ("HOOKGLOT_SECRET", "none")]);
    assert_eq!(ended(check).code, Some(0));
}

#[test]
fn a_running_hookglot_logs_nobody_and_refuses_faults_of_a_reload() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let route = ROUTE.replace("http://127.0.0.1:9/", &tool.url);
    let config = |people: &str| format!("log_level = \"debug\"\n{people}{route}");
    let app = App::start(serve_in(folder.path(), &config(&olga(412))));
    let write = |people: &str| std::fs::write(folder.path().join("hookglot.toml"), config(people)).unwrap();
    write(&wrong());
    app.signal("HUP");
    app.wait_for_log("the configuration is refused: the one before stays in force");
    for (place, message) in FAULTS {
        assert!(app.log().lines().any(|line| line.contains(place) && line.contains(message)), "{place}");
    }
    write(&olga(413));
    app.signal("HUP");
    app.wait_for_log("the configuration is loaded and in force");
    app.post("/", &[], gitflic_push().as_bytes());
    tool.wait_for(1);
    wait_for("the record of it", || {
        app.metric("hookglot_pending{destination=\"jenkins\"} ").filter(|count| *count == 0)
    });
    assert!(!app.log().contains(MARK), "{}", app.log());
    assert!(!app.get_admin("/metrics").body.contains(MARK));
}
