use crate::support::app::{App, command};
use crate::support::process::{Ended, ended, fed, run};
use crate::support::receiver::Receiver;
use crate::support::{gitflic_push, gitlab_push, project_file};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// A folder of mapping files of one's own.
pub struct Folder(pub TempDir);

impl Folder {
    pub fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    pub fn write(&self, path: &str, text: &str) {
        let file = self.0.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    /// A file of the folder, as messages name it.
    pub fn shown(&self, path: &str) -> String {
        self.0.path().join(path).to_str().unwrap().to_owned()
    }

    pub fn translate(&self, to: &str, body: &str) -> Ended {
        fed(&["translate", "--to", to, "--mappings-dir", self.path()], body)
    }

    pub fn check(&self) -> Ended {
        run(&["check", "--mappings-dir", self.path()])
    }

    pub fn serve(&self) -> Ended {
        let flags = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--mappings-dir"];
        run(&[&flags[..], &[self.path()]].concat())
    }

    /// A running sidecar with these mappings in force.
    fn sidecar(&self, tool: &Receiver, format: &str) -> App {
        App::with_environment(&[
            ("HOOKGLOT_TO", &tool.url),
            ("HOOKGLOT_FORMAT", format),
            ("HOOKGLOT_SECRET", "none"),
            ("HOOKGLOT_MAPPINGS_DIR", self.path()),
        ])
    }
}

/// A built-in mapping with one line in place of the one for a field, and an example that says what it expects.
pub fn edited(path: &str, field: &str, line: &str, expect: &str) -> String {
    let text = project_file(&format!("mappings/{path}"));
    let (head, _) = text.split_once("\nexamples:\n").unwrap();
    // Who keeps one example of many declares no values that only the others show.
    let head: Vec<&str> = head.lines().filter(|line| !(line.starts_with("  - ") && line.contains(" = "))).collect();
    let head = with_line(&head.join("\n"), field, line);
    format!(
        "{head}\nexamples:\n  - name: as we want it\n    event: BRANCH_UPDATE\n    \
         input: examples/BRANCH_UPDATE.json\n    expect: {expect}\n"
    )
}

/// A text with another line in place of the first one for a field, at the same depth.
pub fn with_line(text: &str, field: &str, line: &str) -> String {
    let is_of_field = |own: &&str| own.trim_start().starts_with(&format!("{field}: "));
    let old = text.lines().find(is_of_field).unwrap_or_else(|| panic!("there is no {field}"));
    let depth = old.len() - old.trim_start().len();
    text.replacen(old, &format!("{}{line}", " ".repeat(depth)), 1)
}

/// The line of a text that holds another.
pub fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).unwrap() + 1
}

pub const PUSH: &str = "gitflic-to-gitlab/push.yaml";

/// `push.yaml` with a user name of its own.
fn push_by_the_harbour_master() -> String {
    edited(PUSH, "user_name", "user_name: Harbour Master", "{user_name: Harbour Master}")
}

/// A mapping for an event that a built-in one ignores.
pub const WIKI: &str = "\
mapping: 1
name: gitlab-to-gitflic/wiki
doc: A wiki page was changed; our tool knows that as WIKI_CHANGE.
use: _shared.yaml
event: Wiki Page Hook
body:
  action: WIKI_CHANGE
  project_id: ${project_key! | uuid('project')}
  page: ${object_attributes.title!}
examples:
  - name: a page
    input: {object_kind: wiki_page, project: {id: 3107}, object_attributes: {title: Tides}}
    expect: {action: WIKI_CHANGE, page: Tides}
";

pub fn wiki_page() -> String {
    json!({
        "object_kind": "wiki_page",
        "project": {"id": 3107, "web_url": "https://lab.example.org/harbour/ledger"},
        "object_attributes": {"title": "Tides", "action": "update"},
    })
    .to_string()
}

#[test]
fn a_file_replaces_the_built_in_one_of_the_same_path() {
    let folder = Folder::with(&[(PUSH, &push_by_the_harbour_master())]);
    let built_in = fed(&["translate", "--to", "gitlab"], gitflic_push()).json();
    assert_ne!(built_in["user_name"], "Harbour Master");
    let own = folder.translate("gitlab", &gitflic_push()).json();
    // Everything else is as before, the names and blocks of the built-in `_shared.yaml` among it.
    let mut expected = built_in;
    expected["user_name"] = json!("Harbour Master");
    assert_eq!(own, expected);
    // The other direction is untouched.
    assert_eq!(folder.translate("gitflic", &gitlab_push()).json()["action"], "BRANCH_UPDATE");
    let checked = folder.check();
    assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""), "{checked:?}");
    assert!(checked.out.contains("sound: "), "{checked:?}");
}

#[test]
fn what_a_file_says_is_in_force_in_a_running_serve() {
    let folder = Folder::with(&[(PUSH, &push_by_the_harbour_master())]);
    let tool = Receiver::content();
    let app = folder.sidecar(&tool, "gitlab");
    app.post("/", &[], gitflic_push().as_bytes());
    assert_eq!(tool.wait_for(1)[0].json()["user_name"], "Harbour Master");
}

#[test]
fn a_shared_file_can_be_replaced_too() {
    let shared = project_file("mappings/gitlab-to-gitflic/_shared.yaml");
    let shared = with_line(&shared, "language", "language: Rust");
    let folder = Folder::with(&[("gitlab-to-gitflic/_shared.yaml", &shared)]);
    // `translate` runs no examples: those of the built-in files still want the field as it was.
    assert_eq!(folder.translate("gitflic", &gitlab_push()).json()["project"]["language"], "Rust");
    let wrong = folder.check();
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.err.contains("\nmappings/gitlab-to-gitflic/push.yaml:"), "{wrong:?}");
}

#[test]
fn the_folder_can_be_named_by_flag_variable_and_file() {
    let folder = Folder::with(&[("gitlab-to-gitflic/wiki.yaml", "mapping: 1\nevnt: Wiki Page Hook\n")]);
    let fault =
        format!("{}:2:1: unknown key `evnt`, did you mean `event`?", folder.shown("gitlab-to-gitflic/wiki.yaml"));
    let mut by_variable = command(&["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    by_variable.env("HOOKGLOT_MAPPINGS_DIR", folder.path());
    let config = folder.0.path().join("hookglot.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nmappings_dir = {:?}\n[[route]]\npath = \"/\"\n\
         secret = \"none\"\n[[route.to]]\nname = \"jenkins\"\nurl = \"http://127.0.0.1:9/\"\nformat = \"gitflic\"\n",
        folder.path()
    );
    std::fs::write(&config, text).unwrap();
    let by_file = command(&["serve", "--config", config.to_str().unwrap()]);
    for wrong in [folder.serve(), ended(by_variable), ended(by_file)] {
        assert!(wrong.says(78).lines().any(|line| line == fault), "{wrong:?}");
    }
}

#[test]
fn check_says_what_a_folder_changes() {
    let folder = Folder::with(&[
        (PUSH, &push_by_the_harbour_master()),
        ("gitlab-to-gitflic/wiki.yaml", WIKI),
        ("typo/push.yaml", WIKI),
    ]);
    let checked = folder.check();
    assert_eq!(checked.code, Some(0), "{checked:?}");
    for line in [
        format!("{} replaces the built-in {PUSH}", folder.shown(PUSH)),
        format!("{} is added as gitlab-to-gitflic/wiki.yaml", folder.shown("gitlab-to-gitflic/wiki.yaml")),
    ] {
        assert!(checked.out.lines().any(|own| own == line), "{line}:\n{}", checked.out);
    }
    let unused =
        format!("{}:1:1: warning: is not used: nobody reads the folder `typo`", folder.shown("typo/push.yaml"));
    assert!(checked.err.lines().any(|own| own == unused), "{unused}:\n{}", checked.err);
    assert!(!checked.out.contains("typo"), "{}", checked.out);
}

#[test]
fn a_file_that_ends_in_yml_is_read_like_the_others() {
    let folder = Folder::with(&[
        ("gitflic-to-gitlab/push.yml", &push_by_the_harbour_master()),
        ("gitlab-to-gitflic/wiki.yml", WIKI),
    ]);
    let checked = folder.check();
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let shown = folder.shown("gitflic-to-gitlab/push.yml");
    assert!(checked.out.contains(&format!("{shown} replaces the built-in gitflic-to-gitlab/push.yaml")), "{checked:?}");
    assert_eq!(folder.translate("gitlab", &gitflic_push()).json()["user_name"], "Harbour Master");
    assert_eq!(folder.translate("gitflic", &wiki_page()).json()["action"], "WIKI_CHANGE");
}

#[test]
fn an_event_that_a_built_in_file_ignores_gets_a_mapping() {
    assert_eq!(fed(&["translate", "--to", "gitflic"], wiki_page()).code, Some(3));
    let folder = Folder::with(&[("gitlab-to-gitflic/wiki.yaml", WIKI)]);
    let made = folder.translate("gitflic", &wiki_page()).json();
    assert_eq!((&made["action"], &made["page"]), (&json!("WIKI_CHANGE"), &json!("Tides")));
    // What else the built-in file ignores it ignores still.
    let release = folder.translate("gitflic", r#"{"object_kind":"release","project":{"id":3107}}"#);
    assert!(release.says(3).contains("GitFlic's hooks tell nothing of wiki pages"), "{release:?}");
    let tool = Receiver::content();
    let app = folder.sidecar(&tool, "gitflic");
    app.post("/", &[("X-Gitlab-Event", "Wiki Page Hook")], wiki_page().as_bytes());
    // What it had before it has still.
    app.post("/", &[("X-Gitlab-Event", "Push Hook")], gitlab_push().as_bytes());
    let got: Vec<Value> = tool.wait_for(2).iter().map(|got| got.json()["action"].clone()).collect();
    assert!(got.contains(&json!("WIKI_CHANGE")) && got.contains(&json!("BRANCH_UPDATE")), "{got:?}");
}

#[test]
fn check_warns_of_an_output_that_no_schema_describes_and_is_content() {
    let folder = Folder::with(&[("gitlab-to-gitflic/wiki.yaml", WIKI)]);
    let checked = folder.check();
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let file = folder.shown("gitlab-to-gitflic/wiki.yaml");
    let line = line_of(WIKI, "- name: a page");
    let expected = format!("{file}:{line}:5: warning: gitflic has no schema for WIKI_CHANGE (example \"a page\")\n");
    assert_eq!(checked.err, expected);
}

#[test]
fn a_mapping_that_ignores_gives_its_reason() {
    let reason = "our tool keeps no wiki";
    let text = format!(
        "mapping: 1\nname: gitlab-to-gitflic/wiki\nevent: Wiki Page Hook\nignore: {reason}\n\
         examples:\n  - {{name: any, input: {{object_kind: wiki_page}}, ignored: true}}\n"
    );
    let folder = Folder::with(&[("gitlab-to-gitflic/wiki.yaml", &text)]);
    assert_eq!(folder.check().code, Some(0));
    let ignored = folder.translate("gitflic", &wiki_page());
    assert_eq!(ignored.says(3), format!("hookglot: ignored: {reason}\n"));
    let tool = Receiver::content();
    let app = folder.sidecar(&tool, "gitflic");
    app.post("/", &[("X-Gitlab-Event", "Wiki Page Hook")], wiki_page().as_bytes());
    app.wait_for_log(reason);
    app.post("/", &[("X-Gitlab-Event", "Push Hook")], gitlab_push().as_bytes());
    // The push came behind it, so nothing of the page is on its way any more.
    assert_eq!(tool.wait_for(1)[0].json()["action"], "BRANCH_UPDATE");
    assert_eq!(tool.got().len(), 1);
}

#[test]
fn hidden_files_and_files_of_another_kind_are_not_read() {
    let wrong = "this is: [no mapping";
    let folder = Folder::with(&[
        ("gitlab-to-gitflic/.wiki.yaml.swp", wrong),
        ("gitlab-to-gitflic/.wiki.yaml", wrong),
        ("gitlab-to-gitflic/README.md", wrong),
        ("gitlab-to-gitflic/wiki.yaml~", wrong),
        (".git/gitlab-to-gitflic/push.yaml", wrong),
        ("gitlab-to-gitflic/.old/push.yaml", wrong),
    ]);
    let checked = folder.check();
    assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""), "{checked:?}");
    assert_eq!(checked.out, run(&["check"]).out);
}

#[cfg(unix)]
#[test]
fn a_config_map_is_read_through_its_links() {
    // As Kubernetes mounts one: `..data` leads to a folder with the time in its name, and each file leads into it.
    let folder = Folder::with(&[("..2026_02_03/wiki.yaml", WIKI)]);
    let mount = folder.0.path();
    std::os::unix::fs::symlink("..2026_02_03", mount.join("..data")).unwrap();
    std::fs::create_dir(mount.join("gitlab-to-gitflic")).unwrap();
    std::os::unix::fs::symlink("../..data/wiki.yaml", mount.join("gitlab-to-gitflic/wiki.yaml")).unwrap();
    assert_eq!(folder.translate("gitflic", &wiki_page()).json()["action"], "WIKI_CHANGE");
}

#[test]
fn a_folder_that_holds_the_built_in_files_changes_nothing() {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    let own = run(&["check", "--mappings-dir", built_in.to_str().unwrap()]);
    assert_eq!((own.code, own.err.as_str()), (Some(0), ""));
    assert_eq!(own.out.lines().last(), run(&["check"]).out.lines().last());
}

#[test]
fn a_file_that_takes_the_place_of_another_need_not_bring_its_examples() {
    let text = "mapping: 1\nname: own\nevent: [BRANCH_CREATE, BRANCH_UPDATE, BRANCH_DELETE]\nignore: we do not want branches\n\
                examples:\n  - {name: any, input: {action: BRANCH_CREATE, project_id: x}, ignored: true}\n";
    let folder = Folder::with(&[("gitflic-to-gitlab/push.yaml", text)]);
    let checked = folder.check();
    assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""), "{checked:?}");
}

#[test]
fn what_nobody_reads_is_warned_of() {
    let text = "overlay: 1\nevent: Push Hok\nset: {a: 1}\nexamples:\n  - {name: any, input: {}, output: {a: 1}}\n";
    let folder = Folder::with(&[("overlay/own.yaml", text), ("overlays/own.yaml", text)]);
    let checked = folder.check();
    let expected = format!(
        "{}:1:1: warning: is not used: nobody reads the folder `overlay`, did you mean `overlays`?\n\
         {}:2:8: warning: no forge is known to send an event `Push Hok`, did you mean `Push Hook`?\n",
        folder.shown("overlay/own.yaml"),
        folder.shown("overlays/own.yaml")
    );
    assert_eq!((checked.code, checked.err), (Some(0), expected));
}
