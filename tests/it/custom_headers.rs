use crate::config::{ConfigFile, MARK, ROUTE, assert_faults};
use crate::support::app::{App, command};
use crate::support::receiver::Receiver;
use crate::support::{gitflic_push, gitlab_push};
use std::path::Path;

fn serve(tool: &Receiver, to: &str) -> (App, ConfigFile) {
    let file = ConfigFile::new(&format!("{}{to}", ROUTE.replace("http://127.0.0.1:9/", &tool.url)));
    (App::start(command(&["serve", "--config", file.shown(), "--log-level", "trace"])), file)
}

fn written(folder: &Path, text: &str) -> String {
    let file = folder.join("value");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn custom_headers_are_sent_beneath_those_of_the_delivery_and_show_nowhere() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let value = written(folder.path(), &format!("{MARK} from a file\n"));
    let (app, _file) = serve(
        &tool,
        &format!(
            "user_agent = \"GitLab/17.11.2\"\n[route.to.headers]\nX-Team = \"{MARK}  ё \"\n\"x-team.of_Ledger\" = {{file = {value:?}}}\n\
             Q = \"7\"\nAuthorization = \"Bearer {MARK}\"\nAccept = \"application/json\"\n\
             x-gitlab-event = \"Job Hook\"\nUser-Agent = \"curl\"\nContent-Type = \"text/plain\"\nX-Gitlab-Token = \"{MARK}\"\n"
        ),
    );
    app.post("/", &[], gitflic_push().as_bytes());
    let got = &tool.wait_for(1)[0];
    for (name, value) in [
        ("X-Team", format!("{MARK}  ё").as_str()),
        ("X-Team.of_ledger", &format!("{MARK} from a file")),
        ("Q", "7"),
        ("Authorization", &format!("Bearer {MARK}")),
        ("Accept", "application/json"),
        // The delivery's own.
        ("X-Gitlab-Event", "Push Hook"),
        ("User-Agent", "GitLab/17.11.2"),
        ("Content-Type", "application/json"),
        // The destination has no token: nothing of the delivery's own goes over it, as in GitLab.
        ("X-Gitlab-Token", MARK),
    ] {
        assert_eq!(got.header(name).map(str::to_lowercase), Some(value.to_lowercase()), "{name}\n{}", got.head);
        let times = got.head.lines().filter(|line| line.starts_with(&format!("{name}: "))).count();
        assert_eq!(times, 1, "{name}\n{}", got.head);
    }
    app.wait_for_log("outcome=\"delivered\"");
    assert!(!app.log().contains(MARK), "{}", app.log());
}

#[test]
fn a_user_agent_of_ones_own_is_sent_in_every_format_and_of_hooks_that_pass_through() {
    let (gitlab, gitflic) = (Receiver::content(), Receiver::content());
    let text = format!(
        "{}user_agent = \"GitLab/13.12.0\"\n[[route.to]]\nname = \"other\"\nurl = \"{}\"\nformat = \"gitflic\"\n\
         user_agent = \"Harbour/1\"\n",
        ROUTE.replace("http://127.0.0.1:9/", &gitlab.url),
        gitflic.url
    );
    let file = ConfigFile::new(&text);
    let app = App::start(command(&["serve", "--config", file.shown()]));
    app.post("/", &[("X-Gitlab-Event", "Push Hook"), ("User-Agent", "GitLab/18.2.0")], gitlab_push().as_bytes());
    assert_eq!(gitlab.wait_for(1)[0].header("User-Agent"), Some("GitLab/13.12.0"));
    assert_eq!(gitflic.wait_for(1)[0].header("User-Agent"), Some("Harbour/1"));
}

#[test]
fn custom_headers_keep_to_gitlabs_rules() {
    let folder = tempfile::tempdir().unwrap();
    let empty = written(folder.path(), "\n");
    let file = ConfigFile::new(&format!(
        "{ROUTE}user_agent = \"  \"\n[route.to.headers]\nX-Team = \"{MARK}\"\nx-team = \"{MARK}\"\n7X = \"{MARK}\"\nX--Team = \"{MARK}\"\n\
         X-Team- = \"{MARK}\"\n\"X Team\" = \"{MARK}\"\n\"X-Tёam\" = \"{MARK}\"\nX-Broken = \"{MARK}\\u0007\"\n\
         X-Lines = \"{MARK}\\nX-Other: {MARK}\"\nX-Long = \"{long}\"\nX-Full = \"{full}\"\nX-Empty = \" \"\n\
         X-Empty-File = {{file = {empty:?}}}\nX-No-File = {{file = \"/no/such/value\"}}\nX-Table = {{value = \"{MARK}\"}}\n\
         X-Number = 7\nhOst = \"{MARK}\"\nContent-Length = \"7\"\nTransfer-Encoding = \"chunked\"\nConnection = \"close\"\n",
        long = "x".repeat(2049),
        full = "ё".repeat(2048),
    ));
    let said = file.faults(&[], &[]);
    let name = "letters, digits and single";
    let own = "belongs to the connection";
    let place = |name: &str| format!("route[0].to[0].headers.{name}");
    let expected = [
        ("x-team", "`X-Team` is the same header"),
        ("7X", name),
        ("X--Team", name),
        ("X-Team-", name),
        ("X Team", name),
        ("X-Tёam", name),
        ("X-Broken", "control characters"),
        ("X-Lines", "control characters"),
        ("X-Long", "2049 characters"),
        ("X-Empty", "empty"),
        ("X-Empty-File", "empty"),
        ("X-No-File", "/no/such/value: No such file"),
        ("X-Table.file", "missing: the file that holds the value"),
        ("X-Table.value", "unknown setting"),
        ("X-Number", "expected a text, or {file"),
        ("hOst", own),
        ("Content-Length", own),
        ("Transfer-Encoding", own),
        ("Connection", own),
    ];
    let mut expected: Vec<(String, &str)> = expected.iter().map(|(own, message)| (place(own), *message)).collect();
    expected.push(("route[0].to[0].user_agent".to_owned(), "empty"));
    let expected: Vec<(&str, &str)> = expected.iter().map(|(place, message)| (place.as_str(), *message)).collect();
    assert_faults(&said, &expected);
    assert!(!said.join("\n").contains(MARK), "{said:?}");
}

#[test]
fn twenty_custom_headers_are_taken_and_not_one_more() {
    let headers = |count: usize| {
        (0..count).flat_map(|number| ["X-".to_owned(), number.to_string(), " = \"7\"\n".to_owned()]).collect::<String>()
    };
    let file = ConfigFile::new(&format!("{ROUTE}[route.to.headers]\n{}", headers(21)));
    assert_faults(&file.faults(&[], &[]), &[("route[0].to[0].headers", "21 headers: at most 20")]);
    std::fs::write(&file.path, format!("{ROUTE}[route.to.headers]\n{}", headers(20))).unwrap();
    assert_eq!(crate::support::process::run(&["check", "--config", file.shown()]).code, Some(0));
}

#[test]
fn authorization_is_said_once() {
    let header = format!("[route.to.headers]\nauthorization = \"{MARK}\"\n");
    let place = "route[0].to[0].headers.authorization";
    let beside = ConfigFile::new(&format!("{ROUTE}authorization = \"{MARK}\"\n{header}"));
    assert_faults(&beside.faults(&[], &[]), &[(place, "`authorization` set it as well")]);
    let in_url = ConfigFile::new(&format!("{}{header}", ROUTE.replace("http://", "http://olga:7@")));
    assert_faults(&in_url.faults(&[], &[]), &[(place, "the user and the password of the url")]);
}

#[test]
fn headers_of_a_hook_that_are_listed_are_passed_on_and_no_others() {
    let (tool, other) = (Receiver::content(), Receiver::content());
    let (app, _file) = serve(
        &tool,
        &format!(
            "pass_headers = [\"X-Team\", \"x-trace_id\", \"X-Absent\"]\n\
             [[route.to]]\nname = \"other\"\nurl = \"{}\"\nformat = \"gitflic\"\npass_headers = [\"X-TEAM\"]\n",
            other.url
        ),
    );
    let hook = [
        ("X-Gitlab-Event", "Push Hook"),
        ("X-Team", "ledger"),
        ("x-team", "ё"),
        ("X-Trace_ID", "7"),
        ("X-Quay", "4"),
        ("Cookie", "a=b"),
        ("X-GitHub-Event", "push"),
    ];
    app.post("/", &hook, gitlab_push().as_bytes());
    let (passed, translated) = (&tool.wait_for(1)[0].head, &other.wait_for(1)[0].head);
    for (head, trace) in [(passed, 1), (translated, 0)] {
        let of = |name: &str| head.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>();
        assert_eq!(of("X-Team: "), ["X-Team: ledger", "X-Team: ё"], "{head}");
        assert_eq!(of("X-Trace_id: ").len(), trace, "{head}");
        for absent in ["X-Quay", "Cookie", "X-Absent", "Github"] {
            assert!(!head.contains(absent), "{absent}\n{head}");
        }
    }
    assert!(!translated.contains("X-Gitlab"), "{translated}");
}

#[test]
fn what_proves_a_caller_or_belongs_to_a_forge_cannot_be_listed() {
    let never = [
        "X-Gitlab-Token",
        "Gitflic-Webhook-Secret",
        "authorization",
        "Cookie",
        "webhook-signature",
        "webhook-id",
        "Idempotency-Key",
        "User-Agent",
        "Content-Type",
        "X-Gitlab-Event",
        "X-GitHub-Event",
        "X-Hub-Signature-256",
        "X-Gogs-Event",
        "x-gitea-event",
        "X-Vss-ActivityId",
        "X-Event-Key",
        "X-Gitflic-Event",
        "X_Gitlab_Token",
        "Private-Token",
        "Hookglot-Hops",
        "Accept_Encoding",
    ];
    for name in never {
        let file = ConfigFile::new(&format!("{ROUTE}pass_headers = [\"X-Team\", {name:?}]\n"));
        let message = format!("`{name}` is never passed on");
        assert_faults(&file.faults(&[], &[]), &[("route[0].to[0].pass_headers", &message)]);
    }
    for (name, message) in [
        ("Host", "belongs to the connection"),
        ("Proxy-Authorization", "belongs to the connection"),
        ("transfer_encoding", "`transfer_encoding` belongs to the connection"),
        ("X Team", "no header's name"),
        ("", "no header's name"),
        ("x-team", "stands in `headers` as well"),
    ] {
        let file =
            ConfigFile::new(&format!("{ROUTE}pass_headers = [{name:?}]\n[route.to.headers]\nX-Team = \"ledger\"\n"));
        assert_faults(&file.faults(&[], &[]), &[("route[0].to[0].pass_headers", message)]);
    }
}

#[test]
fn a_forge_file_of_ones_own_says_which_headers_are_never_passed_on() {
    let file = ConfigFile::new("");
    let forge = file.folder.path().join("mappings/gitflic");
    std::fs::create_dir_all(&forge).unwrap();
    let own = crate::support::project_file("mappings/gitflic/forge.yaml")
        .replace("never_pass: [Gitflic-*, X-Gitflic-*]", "never_pass: [X-Te*]");
    std::fs::write(forge.join("forge.yaml"), own).unwrap();
    let folder = forge.parent().unwrap().to_str().unwrap();
    std::fs::write(&file.path, format!("mappings_dir = {folder:?}\n{ROUTE}pass_headers = [\"X-Team\"]\n")).unwrap();
    assert_faults(&file.faults(&[], &[]), &[("route[0].to[0].pass_headers", "`X-Team` is never passed on")]);
}

#[test]
fn a_forge_file_that_changes_keeps_back_what_it_names_from_then_on() {
    let tool = Receiver::content();
    let file = ConfigFile::new("");
    let forge = file.folder.path().join("mappings/gitflic");
    std::fs::create_dir_all(&forge).unwrap();
    let built_in = crate::support::project_file("mappings/gitflic/forge.yaml");
    std::fs::write(forge.join("forge.yaml"), &built_in).unwrap();
    let folder = forge.parent().unwrap().to_str().unwrap();
    let route = ROUTE.replace("http://127.0.0.1:9/", &tool.url);
    std::fs::write(&file.path, format!("mappings_dir = {folder:?}\n{route}pass_headers = [\"X-Team\"]\n")).unwrap();
    let app = App::start(command(&["serve", "--config", file.shown()]));
    let hook = || app.post("/", &[("X-Team", "ledger")], gitflic_push().as_bytes());
    hook();
    assert_eq!(tool.wait_for(1)[0].header("X-Team"), Some("ledger"));
    assert_eq!(app.metric("hookglot_configuration_warnings"), Some(0));
    let own = built_in.replace("never_pass: [Gitflic-*, X-Gitflic-*]", "never_pass: [X-Te*]");
    std::fs::write(forge.join("forge.yaml"), own).unwrap();
    app.signal("HUP");
    app.wait_for_log("the mapping files are loaded and in force");
    let says = "route[0].to[0].pass_headers: `x-team` is not passed on: a forge.yaml forbids it now";
    assert!(app.wait_for_log(says).contains("WARN"), "{}", app.log());
    assert_eq!(app.metric("hookglot_configuration_warnings"), Some(1));
    hook();
    assert_eq!(tool.wait_for(2)[1].header("X-Team"), None);
}
