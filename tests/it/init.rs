//! `init`: what it writes is sound, hooks come through it, and nothing that was there is lost.

use crate::support::app::{App, command};
use crate::support::gitflic_push;
use crate::support::process::{Ended, run};
use crate::support::receiver::Receiver;
use crate::support::terminal::Terminal;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The tools that there are recipes for.
fn tools() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes/tools");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// A folder to write into.
struct Place {
    folder: TempDir,
    config: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { config: folder.path().join("hookglot.toml"), folder }
    }

    fn init(&self, arguments: &[&str]) -> Ended {
        run(&[&["init", self.config.to_str().unwrap()], arguments].concat())
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn mode(&self, name: &str) -> u32 {
        self.folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777
    }
}

const JENKINS: [&str; 8] =
    ["--forge", "gitflic", "--tool", "jenkins", "--url", "http://ci.example.org:8080", "--project", "harbour/ledger"];

#[test]
fn a_hook_comes_through_what_is_written_for_each_tool() {
    for tool in tools() {
        let (place, receiver) = (Place::new(), Receiver::content());
        let server = receiver.url.trim_end_matches("/tool");
        let (data, token) = (place.path("data"), place.path("token"));
        let mut flags = vec!["--forge", "gitflic", "--tool", &tool, "--url", server, "--format", "gitlab"];
        flags.extend(["--project", "harbour/ledger", "--data-dir", &data, "--token-file", &token]);
        let done = place.init(&flags);
        assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{tool}");
        assert_eq!(run(&["check", "--strict", "--config", place.config.to_str().unwrap()]).code, Some(0), "{tool}");
        let app = App::start(command(&["serve", "--config", place.config.to_str().unwrap()]));
        let secret = place.read("hookglot.secret");
        assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 401, "{tool}");
        let answer = app.post("/", &[("Gitflic-Webhook-Secret", secret.trim())], gitflic_push().as_bytes());
        assert_eq!(answer.json()["status"], "stored", "{tool}");
        let got = receiver.wait_for(1).remove(0);
        assert_eq!(got.header("X-Gitlab-Token"), Some(place.read("token").trim()), "{tool}");
        let recipe = crate::support::project_file(&format!("recipes/tools/{tool}.toml"));
        let endpoint = recipe.lines().find_map(|line| line.strip_prefix("endpoint = ")).unwrap_or("\"/\"");
        let path = endpoint.trim_matches('"').replace("{project}", "harbour/ledger");
        assert!(got.head.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{tool}: {}", got.head);
    }
}

#[test]
fn it_says_what_is_left_to_do_and_repeats_no_secret() {
    let place = Place::new();
    let flags = [&JENKINS[..], &["--listen", "0.0.0.0:8443", "--path", "/hooks"]].concat();
    let said = place.init(&flags).out;
    let secret = place.read("hookglot.secret");
    assert_eq!(secret.trim().len(), 40);
    assert!(!said.contains(secret.trim()) && !place.read("hookglot.toml").contains(secret.trim()), "{said}");
    for text in [
        "URL for sending data: http://HOST:8443/hooks",
        &format!("Webhook secret: the line in {}", place.path("hookglot.secret")),
        "Branch update",
        &format!("hookglot serve --config {}", place.config.display()),
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert_eq!((place.mode("hookglot.toml"), place.mode("hookglot.secret")), (0o600, 0o600));
}

#[test]
fn nothing_that_is_there_is_written_over_without_force() {
    let place = Place::new();
    std::fs::write(&place.config, "mine\n").unwrap();
    assert!(place.init(&JENKINS).says(1).contains("--force writes over it"));
    assert_eq!(place.read("hookglot.toml"), "mine\n");
    assert!(!place.folder.path().join("hookglot.secret").exists());
    std::fs::write(place.path("hookglot.secret"), "brass-lantern-77\n").unwrap();
    std::fs::set_permissions(&place.config, std::fs::Permissions::from_mode(0o644)).unwrap();
    let done = place.init(&[&JENKINS[..], &["--force"]].concat());
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(place.read("hookglot.toml").contains("/project/harbour/ledger"));
    assert_eq!(place.read("hookglot.secret"), "brass-lantern-77\n", "a secret stays");
    assert_eq!(place.mode("hookglot.toml"), 0o600);
    let names = std::fs::read_dir(place.folder.path()).unwrap().count();
    assert_eq!(names, 2, "nothing is left beside them");
}

#[test]
fn what_is_printed_is_written_nowhere_and_is_whole() {
    let place = Place::new();
    let printed = place.init(&[&JENKINS[..], &["--stdout"]].concat());
    assert_eq!(printed.code, Some(0));
    assert!(printed.err.contains("1. Look through it"), "{}", printed.err);
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 0);
    std::fs::write(&place.config, &printed.out).unwrap();
    assert_eq!(run(&["check", "--config", place.config.to_str().unwrap()]).code, Some(0), "{}", printed.out);
    assert!(printed.out.contains("\nsecret = \""), "{}", printed.out);
}

#[test]
fn both_forges_come_in_and_only_what_the_tool_takes_goes_out() {
    let place = Place::new();
    let done = place.init(&["--forge", "both", "--tool", "argocd", "--url", "https://argocd.example.org"]);
    assert!(done.out.contains("In GitFlic") && done.out.contains("In GitLab"), "{}", done.out);
    let text = place.read("hookglot.toml");
    assert!(text.contains("accept = [\"gitflic\", \"gitlab\"]"), "{text}");
    assert!(text.contains("url = \"https://argocd.example.org/api/webhook\""), "{text}");
    assert!(text.contains("events = [\"BRANCH_CREATE\"") && text.contains("\"Push Hook\""), "{text}");
}

#[test]
fn wrong_answers_and_missing_ones_are_told() {
    let place = Place::new();
    assert!(place.init(&["--tool", "jenkins"]).says(2).contains("say --forge, --url"));
    assert!(place.init(&["--tool", "lighthouse"]).says(2).contains("[possible values: argocd, atlantis"));
    let with =
        |tool: &'static str, url: &'static str| place.init(&["--forge", "gitflic", "--tool", tool, "--url", url]);
    assert!(with("jenkins", "http://ci/").says(1).contains("--project is missing: the job"));
    assert!(with("jenkins", "olga:brass@ci").says(1).contains("http://jenkins.example.org:8080 for one"));
    assert!(with("slack", "https://hooks.slack.com/services/x").says(1).contains("[[alert]]"));
    assert!(with("other", "http://tool/").says(1).contains("--format is missing"));
    let listen = [&JENKINS[..], &["--listen", "harbour"]].concat();
    assert!(place.init(&listen).says(1).contains("got `harbour`"));
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 0);
    let nowhere = run(&[&["init", "/no/such/folder/x.toml"][..], &JENKINS].concat());
    assert!(nowhere.says(1).contains("No such file"));
}

/// Types an answer to each question.
fn answered(arguments: &[&str], answers: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut asks = Terminal::start(command(&[&["init"], arguments].concat()), 200);
    for (question, answer) in answers {
        asks.wait_for(question);
        asks.types(&format!("{answer}\n"));
    }
    (asks.end(), asks.shown())
}

#[test]
fn it_asks_on_a_terminal_and_enter_takes_what_stands_in_brackets() {
    let place = Place::new();
    let config = place.config.to_str().unwrap();
    let answers = [
        ("Forge that sends hooks (gitflic, gitlab, both) [gitflic]: ", ""),
        ("other) [jenkins]: ", "jenkin"),
        ("did you mean `jenkins`?", "jenkins"),
        ("Its address (http://jenkins.example.org:8080 for one): ", "ci.example.org"),
        ("not a URL", "http://ci.example.org:8080"),
        ("On it, the job, behind its folders: folder/job: ", "harbour/ledger"),
        ("File with the secret that the forge sends (made up where there is none) [", ""),
        ("made up where there is none) [none]: ", ""),
        ("Path on which hooks come in [/]: ", ""),
        ("[127.0.0.1:8080]: ", ""),
        ("[./hookglot-data]: ", ""),
    ];
    let (code, shown) = answered(&[config], &answers);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("1. Look through it"), "{shown}");
    let text = place.read("hookglot.toml");
    assert!(text.contains("url = \"http://ci.example.org:8080/project/harbour/ledger\""), "{text}");
    assert!(text.contains("listen = \"127.0.0.1:8080\"") && text.contains("# token_file"), "{text}");
    assert_eq!(run(&["check", "--config", config]).code, Some(0));
    // It is known before anything is asked that the file may not be written.
    let (code, shown) = answered(&[config], &[]);
    assert_eq!(code, Some(1), "{shown}");
}

#[test]
fn only_what_is_not_said_is_asked_and_an_end_of_answers_writes_nothing() {
    let place = Place::new();
    let config = place.config.to_str().unwrap();
    let (code, shown) = answered(
        &[config, "--forge", "gitlab", "--tool", "other"],
        &[
            ("Its address (http://tool.example.org/hooks for one): ", "http://tool.example.org/in"),
            ("Format that it reads (gitflic, gitlab, other) [gitlab]: ", "gitflic"),
            ("File with the secret that the forge sends", "\u{4}"),
        ],
    );
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("nothing was written") && !shown.contains("Forge that"), "{shown}");
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 0);
}
