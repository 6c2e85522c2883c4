//! Who is who by the configuration, in the hooks that tools get: both ways, by instance, and after a reload.

use crate::support::app::{App, serve_in};
use crate::support::receiver::Receiver;
use crate::support::{gitflic_push, gitlab_push, project_file};
use hookglot::mapping::identity;
use serde_json::{Value, json};
use std::path::Path;

const OLGA: &str = "1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71";
const LEDGER: &str = "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92";
const ISSUE: &str = "0c1d2e3f-4a5b-4c6d-8e7f-90a1b2c3d4e5";
const FLIC: &str = "git.example.org";
const LAB: &str = "lab.example.org";

/// Olga with a number, and the ledger and its issue with theirs, of one installation of each forge.
fn people(olga: u32) -> String {
    format!(
        r#"
[[user]]
id = "{OLGA}"
instance = "{FLIC}"
name = "Olga Ilyinichna Vetrova"
username = "harbour.olga"
email = "olga@harbour.example.com"
avatar = "https://harbour.example.com/olga.png"
number = {olga}
number_instance = "{LAB}"
[[project]]
id = "{LEDGER}"
instance = "{FLIC}"
default_branch = "trunk"
description = "Who moored where"
avatar = "https://harbour.example.com/ledger.png"
visibility = "internal"
number = 3107
number_instance = "{LAB}"
[[number]]
kind = "issue"
id = "{ISSUE}"
number = 90412
number_instance = "{LAB}"
"#
    )
}

/// A hookglot that translates whatever comes, and the tool that gets it.
struct Harbour {
    app: App,
    tool: Receiver,
    folder: tempfile::TempDir,
}

impl Harbour {
    fn with(people: &str) -> Self {
        let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
        let app = App::start(serve_in(folder.path(), &config(people, &tool)));
        Self { app, tool, folder }
    }

    /// What the tool gets of a hook.
    fn becomes(&self, headers: &[(&str, &str)], hook: &str) -> Value {
        let before = self.tool.got().len();
        let answer = self.app.post("/", headers, hook.as_bytes());
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("stored")), "{answer:?}");
        self.tool.wait_for(before + 1)[before].json()
    }

    fn of_gitlab(&self, event: &str, instance: &str, hook: &str) -> Value {
        let instance = format!("https://{instance}");
        self.becomes(&[("X-Gitlab-Event", event), ("X-Gitlab-Instance", &instance)], hook)
    }

    /// Puts others into the file, and waits until they are in force.
    fn reload(&self, people: &str) {
        let file: &Path = self.folder.path();
        std::fs::write(file.join("hookglot.toml"), config(people, &self.tool)).unwrap();
        self.app.signal("HUP");
        self.app.wait_for_log("the configuration is loaded and in force");
    }
}

fn config(people: &str, tool: &Receiver) -> String {
    let url = &tool.url;
    format!(
        "{people}[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\nurl = \"{url}\"\n\
         format = \"other\"\n"
    )
}

/// What a push tells of its author.
fn author(push: &Value) -> [&Value; 5] {
    ["user_id", "user_name", "user_username", "user_email", "user_avatar"].map(|name| &push[name])
}

/// An issue that somebody with a number, but without a name, opened in GitLab.
fn gitlab_issue() -> String {
    let text = project_file("mappings/gitlab-to-gitflic/examples/issue-open.json");
    let mut hook: Value = serde_json::from_str(&text).unwrap();
    hook["user"] = json!({"id": 412});
    hook["object_attributes"]["author_id"] = 412.into();
    hook["object_attributes"]["id"] = 90412.into();
    hook.to_string()
}

#[test]
fn a_push_names_its_author_and_its_project_as_configured() {
    let harbour = Harbour::with(&people(412));
    let push = harbour.becomes(&[], &gitflic_push());
    let olga = json!([
        412,
        "Olga Ilyinichna Vetrova",
        "harbour.olga",
        "olga@harbour.example.com",
        "https://harbour.example.com/olga.png"
    ]);
    assert_eq!(json!(author(&push)), olga);
    let project = &push["project"];
    assert_eq!((&push["project_id"], &project["id"]), (&json!(3107), &json!(3107)));
    let told = ["default_branch", "description", "avatar_url", "visibility_level"].map(|name| &project[name]);
    assert_eq!(json!(told), json!(["trunk", "Who moored where", "https://harbour.example.com/ledger.png", 10]));
    assert_eq!(push["repository"]["visibility_level"], 10);
    // Whoever has the same id elsewhere is somebody else, and yet the same number: tools could not take two.
    let elsewhere = harbour.becomes(&[], &gitflic_push().replace(FLIC, "flic.example.com"));
    let [number, name, ..] = author(&elsewhere);
    assert_eq!((number, name), (&json!(412), &json!("user-1f0c6a2e")));
    assert_eq!((&elsewhere["project"]["default_branch"], &elsewhere["project_id"]), (&json!("master"), &json!(3107)));
}

#[test]
fn a_number_of_the_old_installation_is_the_id_again_and_that_of_another_is_not() {
    let harbour = Harbour::with(&people(412));
    let push = harbour.of_gitlab("Push Hook", LAB, &gitlab_push());
    assert_eq!((&push["project_id"], &push["project"]["project_id"]), (&json!(LEDGER), &json!(LEDGER)));
    assert_eq!(push["push"]["author_id"], OLGA);
    let issue = harbour.of_gitlab("Issue Hook", LAB, &gitlab_issue());
    let told = ["id", "user_id", "user_alias"].map(|name| &issue["issue"][name]);
    assert_eq!(json!(told), json!([ISSUE, OLGA, "harbour.olga"]));

    let other = "lab.harbour.example.com";
    let made = |kind, number| json!(identity::uuid(other, kind, number).to_string());
    let push = harbour.of_gitlab("Push Hook", other, &gitlab_push().replace(LAB, other));
    assert_eq!((&push["project_id"], &push["push"]["author_id"]), (&made("project", "3107"), &made("user", "412")));
    let issue = harbour.of_gitlab("Issue Hook", other, &gitlab_issue().replace(LAB, other));
    assert_eq!((&issue["issue"]["id"], &issue["issue"]["user_id"]), (&made("issue", "90412"), &made("user", "412")));
    assert_ne!(issue["issue"]["user_alias"], "harbour.olga");
}

#[test]
fn an_issue_has_its_number_both_ways() {
    let harbour = Harbour::with(&people(412));
    let hook = project_file("mappings/gitflic-to-gitlab/examples/ISSUE_CREATE.json");
    let issue = harbour.becomes(&[], &hook);
    let told = ["id", "author_id", "project_id"].map(|name| &issue["object_attributes"][name]);
    assert_eq!(json!(told), json!([90412, 412, 3107]));
    let back = harbour.of_gitlab("Issue Hook", LAB, &gitlab_issue());
    assert_eq!((&back["issue"]["id"], &back["project_id"]), (&json!(ISSUE), &json!(LEDGER)));
}

#[test]
fn what_is_configured_wins_over_what_hooks_tell() {
    let harbour = Harbour::with(&people(412));
    // It tells another user name of the same id.
    let hook = project_file("mappings/gitflic-to-gitlab/examples/ISSUE_CREATE.json");
    assert!(hook.contains(OLGA) && hook.contains("\"o.sedova\""));
    let issue = harbour.becomes(&[], &hook);
    let told = |issue: &Value| json!(["id", "name", "username", "email"].map(|name| &issue["user"][name]));
    let olga = json!([412, "Olga Ilyinichna Vetrova", "harbour.olga", "olga@harbour.example.com"]);
    assert_eq!(told(&issue), olga);
    let push = harbour.becomes(&[], &gitflic_push());
    assert_eq!((&push["user_username"], &push["user_email"]), (&json!("harbour.olga"), &olga[3]));
    // What the configuration leaves open, hooks tell.
    harbour.reload(&format!("[[user]]\nid = \"{OLGA}\"\nemail = \"olga@harbour.example.com\"\n"));
    let push = harbour.becomes(&[], &gitflic_push());
    assert_eq!((&push["user_username"], &push["user_email"]), (&json!("o.sedova"), &olga[3]));
}

#[test]
fn a_hangup_puts_another_number_in_force_for_the_next_hook() {
    let harbour = Harbour::with(&people(412));
    assert_eq!(harbour.becomes(&[], &gitflic_push())["user_id"], 412);
    harbour.reload(&people(512).replace("harbour.olga", "olga.of.the.quay").replace("3107", "3108"));
    let push = harbour.becomes(&[], &gitflic_push());
    assert_eq!((&push["user_id"], &push["user_username"]), (&json!(512), &json!("olga.of.the.quay")));
    assert_eq!(push["project_id"], 3108);
    let back = gitlab_push().replace("412", "512").replace("3107", "3108");
    let back = harbour.of_gitlab("Push Hook", LAB, &back);
    assert_eq!((&back["push"]["author_id"], &back["project_id"]), (&json!(OLGA), &json!(LEDGER)));
}

#[test]
fn a_number_that_was_made_before_gives_way_to_the_configured_one() {
    let harbour = Harbour::with("");
    let made = harbour.becomes(&[], &gitflic_push());
    let pure = |kind, id| json!(identity::number(kind, id));
    assert_eq!((&made["user_id"], &made["project_id"]), (&pure("user", OLGA), &pure("project", LEDGER)));
    harbour.reload(&people(412));
    let push = harbour.becomes(&[], &gitflic_push());
    assert_eq!((&push["user_id"], &push["project_id"]), (&json!(412), &json!(3107)));
    assert!(!harbour.app.log().contains("olga@") && !harbour.app.log().contains("Ilyinichna"), "{}", harbour.app.log());
}

#[test]
fn what_is_configured_wins_over_the_name_in_a_hook_of_gitlab() {
    let harbour = Harbour::with(&people(412));
    let mut hook: Value = serde_json::from_str(&gitlab_issue()).unwrap();
    hook["user"] = json!({"id": 412, "username": "another"});
    let issue = harbour.of_gitlab("Issue Hook", LAB, &hook.to_string());
    assert_eq!((&issue["issue"]["user_id"], &issue["issue"]["user_alias"]), (&json!(OLGA), &json!("harbour.olga")));
    let elsewhere = harbour.of_gitlab("Issue Hook", "other.example.org", &hook.to_string());
    assert_eq!(elsewhere["issue"]["user_alias"], "another");
}

/// A user name without a name: she is the same in every hook.
#[test]
fn nobody_is_put_together_from_two() {
    let harbour = Harbour::with(&format!("[[user]]\nid = \"{}\"\nusername = \"boss\"\n", OLGA.to_uppercase()));
    let issue = harbour.becomes(&[], &project_file("mappings/gitflic-to-gitlab/examples/ISSUE_CREATE.json"));
    assert_eq!((&issue["user"]["name"], &issue["user"]["username"]), (&json!("boss"), &json!("boss")));
    let push = harbour.becomes(&[], &gitflic_push());
    assert_eq!((&push["user_name"], &push["user_username"]), (&json!("boss"), &json!("boss")));
}

#[test]
fn an_empty_id_is_nobodys() {
    let harbour = Harbour::with("");
    let mut push: Value = serde_json::from_str(&gitflic_push()).unwrap();
    push["push"]["author_id"] = "".into();
    let became = harbour.becomes(&[], &push.to_string());
    let unknown = json!(identity::number("user", "unknown"));
    assert_eq!((&became["user_username"], &became["user_id"]), (&json!("user-unknown"), &unknown));
}
