use crate::support::app::{App, command};
use crate::support::wire::{connect, post, read_answer};
use crate::support::{DEADLINE, gitflic_push, gitlab_push, project_file, wait_for};
use hookglot::mapping::identity;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A command on its way; killed with the test, whatever it does.
struct Running {
    child: Child,
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

/// A command that has come to its end, and all that it printed.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Running {
    fn start(mut command: Command, input: &[u8]) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may end without having read anything.
        let _ = child.stdin.take().unwrap().write_all(input);
        let (out, reads_out) = collect(child.stdout.take().unwrap());
        let (err, reads_err) = collect(child.stderr.take().unwrap());
        Self { child, out, err, readers: vec![reads_out, reads_err] }
    }

    fn out(&self) -> String {
        String::from_utf8_lossy(&self.out.lock().unwrap()).into_owned()
    }

    fn end(mut self) -> Ended {
        let until = Instant::now() + DEADLINE;
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            let err = String::from_utf8_lossy(&self.err.lock().unwrap()).into_owned();
            assert!(Instant::now() < until, "the command does not end:\n{}{err}", self.out());
            std::thread::park_timeout(Duration::from_millis(5));
        };
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        let err = String::from_utf8_lossy(&self.err.lock().unwrap()).into_owned();
        Ended { code, out: self.out(), err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> (Arc<Mutex<Vec<u8>>>, JoinHandle<()>) {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&bytes);
    let reader = std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut chunk) {
            shared.lock().unwrap().extend_from_slice(&chunk[..read]);
        }
    });
    (bytes, reader)
}

/// Runs a command to its end; panics when that does not come.
pub fn ended(command: Command) -> Ended {
    Running::start(command, b"").end()
}

/// Runs hookglot to its end in an empty environment.
pub fn run(arguments: &[&str]) -> Ended {
    ended(command(arguments))
}

/// Runs hookglot to its end with something on standard input.
pub fn fed(arguments: &[&str], input: impl AsRef<[u8]>) -> Ended {
    Running::start(command(arguments), input.as_ref()).end()
}

impl Ended {
    /// What was printed, as JSON, after making sure that it went well.
    pub fn json(&self) -> Value {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What standard error says, after making sure of the exit code and that nothing else was printed.
    #[track_caller]
    pub fn says(&self, code: i32) -> &str {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{self:?}");
        &self.err
    }
}

fn example(path: &str) -> String {
    format!("{}/mappings/{path}", env!("CARGO_MANIFEST_DIR"))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The body of a hook without some of its fields.
fn without(body: &str, fields: &[&str]) -> String {
    let mut body = parsed(body);
    for field in fields {
        assert!(body.as_object_mut().unwrap().remove(*field).is_some(), "{field}");
    }
    body.to_string()
}

/// The golden output of an example.
fn golden(path: &str) -> Value {
    parsed(&project_file(&format!("mappings/{path}")))
}

/// What GitLab's example pushes and tags become here: examples come from git.example.org, these from where they say.
fn from_its_own_instance(mut golden: Value) -> Value {
    let project = json!(identity::uuid("lab.example.org", "project", "3107").to_string());
    golden["project_id"] = project.clone();
    golden["project"]["project_id"] = project;
    golden["push"]["author_id"] = json!(identity::uuid("lab.example.org", "user", "412").to_string());
    golden
}

#[test]
fn a_hook_in_a_file_is_printed_as_a_tool_would_get_it_in_both_directions() {
    for name in ["BRANCH_CREATE", "BRANCH_UPDATE", "BRANCH_DELETE", "TAG_DELETE"] {
        let made = run(&["translate", "--to", "gitlab", &example(&format!("gitflic-to-gitlab/examples/{name}.json"))]);
        assert_eq!(made.json(), golden(&format!("gitflic-to-gitlab/examples/{name}.gitlab.json")), "{name}");
    }
    for name in ["push", "push-new-branch", "push-delete-branch", "tag-push", "tag-delete"] {
        let made = run(&["translate", "--to", "gitflic", &example(&format!("gitlab-to-gitflic/examples/{name}.json"))]);
        let golden = golden(&format!("gitlab-to-gitflic/examples/{name}.gitflic.json"));
        assert_eq!(made.json(), from_its_own_instance(golden), "{name}");
    }
}

#[test]
fn a_hook_on_standard_input_is_translated_with_and_without_the_dash() {
    let expected = from_its_own_instance(golden("gitlab-to-gitflic/examples/push.gitflic.json"));
    for arguments in [&["translate", "--to", "gitflic"][..], &["translate", "--to", "gitflic", "-"]] {
        assert_eq!(fed(arguments, gitlab_push()).json(), expected, "{arguments:?}");
    }
}

#[test]
fn with_headers_there_are_header_lines_an_empty_line_and_the_body() {
    let made = fed(&["translate", "--to", "gitlab", "--headers"], gitflic_push());
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    let (head, body) = made.out.split_once("\n\n").unwrap();
    let headers: Vec<(&str, &str)> = head.lines().map(|line| line.split_once(": ").unwrap()).collect();
    assert!(headers.contains(&("Content-Type", "application/json")), "{head}");
    assert!(headers.contains(&("X-Gitlab-Event", "Push Hook")), "{head}");
    assert_eq!(parsed(body)["object_kind"], "push");
    let other = fed(&["translate", "--to", "gitflic", "--headers"], gitlab_push()).out;
    let (head, body) = other.split_once("\n\n").unwrap();
    assert_eq!(head, "Content-Type: application/json");
    assert_eq!(parsed(body)["action"], "BRANCH_UPDATE");
}

#[test]
fn an_event_that_the_body_does_not_tell_is_told_by_a_flag() {
    // Without `before` the shape is not that of GitLab 6 either: only the header could tell.
    let body = without(&gitlab_push(), &["object_kind", "event_name", "before"]);
    let untold = fed(&["translate", "--to", "gitflic"], &body);
    assert!(untold.says(1).contains("not a hook of gitflic or gitlab"), "{untold:?}");
    let told = fed(&["translate", "--to", "gitflic", "--event", "Push Hook"], &body).json();
    assert_eq!((&told["action"], &told["push"]["ref"]), (&json!("BRANCH_UPDATE"), &json!("refs/heads/main")));
}

#[test]
fn a_system_hook_is_named_by_its_body_behind_the_word_of_the_flag() {
    let arguments = ["translate", "--to", "gitflic", "--event", "System Hook"];
    let push = fed(&arguments, without(&gitlab_push(), &["object_kind"])).json();
    assert_eq!(push["action"], "BRANCH_UPDATE");
    let other = fed(&arguments, r#"{"event_name":"project_create","project_id":3107}"#);
    assert!(other.says(3).contains("System Hook/project_create"), "{other:?}");
}

#[test]
fn whose_hook_it_is_can_be_said_where_the_body_could_be_anybodys() {
    let arguments = ["translate", "--to", "gitlab", "--from", "gitflic"];
    let mut body = parsed(&gitflic_push());
    body["object_kind"] = json!("harbour");
    // With a kind it looks like a hook of GitLab's own, and goes through as it came.
    assert_eq!(fed(&["translate", "--to", "gitlab"], body.to_string()).json(), body);
    assert_eq!(fed(&arguments, body.to_string()).json()["object_kind"], "push");
    let body = without(&gitflic_push(), &["action"]);
    let told = fed(&[&arguments[..], &["--event", "BRANCH_UPDATE"]].concat(), body);
    assert_eq!(told.json()["object_kind"], "push");
}

#[test]
fn an_event_without_a_counterpart_is_3_with_the_reason_on_standard_error_alone() {
    let issue = fed(&["translate", "--to", "gitflic"], r#"{"object_kind":"issue","project":{"id":3107}}"#);
    assert_eq!(issue.says(3), "hookglot: ignored: no mapping for the event `Issue Hook`\n");
    let issue =
        fed(&["translate", "--to", "gitlab", "--headers"], r#"{"action":"ISSUE_CREATE","project_id":"ledger"}"#);
    assert_eq!(issue.says(3), "hookglot: ignored: no mapping for the event `ISSUE_CREATE`\n");
}

#[test]
fn broken_json_is_1_with_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("push.json");
    std::fs::write(&file, "{\n  \"object_kind\": pusch\n}").unwrap();
    let shown = file.to_str().unwrap();
    let wrong = run(&["translate", "--to", "gitflic", shown]);
    assert_eq!(wrong.says(1), format!("hookglot: {shown}: line 2, column 18: expected a value\n"));
    let wrong = fed(&["translate", "--to", "gitflic"], "{\"a\": 1,}");
    assert!(wrong.says(1).starts_with("hookglot: standard input: line 1, column 9: "), "{wrong:?}");
}

#[test]
fn a_file_that_does_not_exist_is_1_and_named() {
    let missing = run(&["translate", "--to", "gitflic", "no-such-harbour.json"]);
    assert!(missing.says(1).contains("no-such-harbour.json: "), "{missing:?}");
}

#[test]
fn an_unknown_forge_is_1_with_the_one_that_was_probably_meant() {
    for (flag, arguments) in [
        ("--to", ["translate", "--to", "gitlub", "--from", "gitlab"]),
        ("--from", ["translate", "--to", "gitflic", "--from", "gitlub"]),
    ] {
        let wrong = fed(&arguments, gitlab_push());
        assert_eq!(
            wrong.says(1),
            format!("hookglot: {flag}: unknown forge `gitlub`: expected gitflic or gitlab, did you mean `gitlab`?\n")
        );
    }
}

#[test]
fn a_hook_in_the_format_of_its_own_forge_goes_through_byte_for_byte() {
    // Two spaces, an escape that is none, a key that stands there twice and a number that no double holds.
    let body = "{\"object_kind\":  \"push\", \"ref\":\"\\u0072efs\",\r\n\"ref\":1e400, \"ё\": 12345678901234567890123}";
    let made = fed(&["translate", "--to", "gitlab"], body);
    // The line end at the close is for the terminal.
    assert_eq!((made.code, made.out), (Some(0), format!("{body}\n")));
}

#[test]
fn a_standard_output_that_nobody_reads_any_more_is_no_panic() {
    let file = example("gitlab-to-gitflic/examples/push.json");
    for arguments in [
        &["translate", "--to", "gitflic", &file][..],
        &["translate", "--to", "gitflic", "--headers", &file],
        &["check"],
        &["--help"],
        &["--version"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done = command(arguments).stdout(writer).output().unwrap();
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(matches!(done.status.code(), Some(0 | 1)), "{arguments:?}: {done:?}");
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
    }
}

#[test]
fn check_says_that_the_built_in_files_are_sound_and_warns_of_nothing() {
    let sound = run(&["check"]);
    // A warning would say which example a strict receiver refuses.
    assert_eq!((sound.code, sound.err.as_str()), (Some(0), ""));
    assert!(sound.out.starts_with("sound: forges gitflic and gitlab, "), "{sound:?}");
}

#[test]
fn check_of_a_broken_mapping_file_is_1_with_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gitlab-to-gitflic/berth.yaml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    std::fs::write(
        &file,
        "mapping: 1\nname: berth\nevent: Berth Hook\nbody:\n  berth: ${berth | frst_line}\n\
         examples:\n  - {name: any, input: {berth: 7}, expect: {berth: '7'}}\n",
    )
    .unwrap();
    let expected = format!("{}:5:20: unknown filter `frst_line`, did you mean `first_line`?\n", file.to_str().unwrap());
    let folder = folder.path().to_str().unwrap();
    let wrong = run(&["check", "--mappings-dir", folder]);
    assert_eq!((wrong.code, &wrong.err), (Some(1), &expected));
    assert!(!wrong.out.contains("sound"), "{wrong:?}");
    let mut by_variable = command(&["check"]);
    by_variable.env("HOOKGLOT_MAPPINGS_DIR", folder);
    let wrong = ended(by_variable);
    assert_eq!((wrong.code, wrong.err), (Some(1), expected));
}

#[test]
fn check_looks_into_the_mapping_folder_of_a_file_that_has_faults_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("mappings/gitlab-to-gitflic/berth.yaml");
    std::fs::create_dir_all(mapping.parent().unwrap()).unwrap();
    std::fs::write(&mapping, "mapping: 1\nevnt: Berth Hook\n").unwrap();
    let config = folder.path().join("hookglot.toml");
    std::fs::write(&config, format!("mappings_dir = {:?}\ngrace = \"soon\"\n", folder.path().join("mappings")))
        .unwrap();
    let both = run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(both.code, Some(1), "{both:?}");
    assert!(both.err.contains("grace: expected a time"), "{both:?}");
    let place = format!("{}:2:1: unknown key `evnt`, did you mean `event`?", mapping.to_str().unwrap());
    assert!(both.err.lines().any(|line| line == place), "{both:?}");
}

#[test]
fn check_of_a_configuration_with_faults_is_1_with_each_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hookglot.toml");
    std::fs::write(&config, "lisen = \"127.0.0.1:0\"\ngrace = \"soon\"\n").unwrap();
    let wrong = run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(wrong.code, Some(1));
    for fault in ["lisen: unknown setting", "grace: expected a time", "route: missing"] {
        assert!(wrong.err.contains(fault), "{fault}: {wrong:?}");
    }
}

#[test]
fn check_looks_into_the_files_that_a_destination_names() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hookglot.toml");
    std::fs::write(
        &config,
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"jenkins\"\n\
         url = \"https://tool.harbour.example.com/\"\nformat = \"gitlab\"\nca_file = \"/no/such/harbour.pem\"\n",
    )
    .unwrap();
    // `serve` refuses the file with these settings; `check` is there to say so before.
    let wrong = run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.err.contains("/no/such/harbour.pem"), "{wrong:?}");
}

#[test]
fn healthcheck_is_0_while_hooks_are_taken() {
    let app = App::start(command(&["serve"]));
    assert_eq!(run(&["healthcheck", "--admin-listen", &app.admin]).says(0), "");
    let mut by_variable = command(&["healthcheck"]);
    by_variable.env("HOOKGLOT_ADMIN_LISTEN", &app.admin);
    assert_eq!(ended(by_variable).code, Some(0));
    // The address that listens everywhere is what a container says; it is asked on the loopback.
    let everywhere = app.admin.replace("127.0.0.1", "0.0.0.0");
    assert_eq!(run(&["healthcheck", "--admin-listen", &everywhere]).code, Some(0));
}

#[test]
fn healthcheck_is_1_where_nobody_listens() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let down = run(&["healthcheck", "--admin-listen", &nobody]);
    assert!(down.says(1).starts_with(&format!("hookglot: http://{nobody}/ready: ")), "{down:?}");
}

#[test]
fn healthcheck_is_1_where_the_answer_is_not_yes() {
    for answer in ["HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "", "SSH-2.0-harbour\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut chunk = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut chunk).unwrap();
                request.extend_from_slice(&chunk[..read]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        let down = run(&["healthcheck", "--admin-listen", &address]);
        let told = answer.lines().next().unwrap_or_default();
        assert!(down.says(1).starts_with(&format!("hookglot: http://{address}/ready: ")), "{down:?}");
        assert!(down.err.contains(told) && down.err.lines().count() == 1, "{down:?}");
        assert!(asked.join().unwrap().starts_with("GET /ready HTTP/1.1\r\n"));
    }
}

#[test]
fn healthcheck_of_a_wrong_address_is_78() {
    let wrong = run(&["healthcheck", "--admin-listen", "harbour"]);
    assert!(wrong.says(78).starts_with("hookglot: --admin-listen: expected an address and a port"), "{wrong:?}");
}

#[test]
fn echo_prints_what_arrives_and_no_secret() {
    let echo = Running::start(command(&["echo", "--listen", "127.0.0.1:0"]), b"");
    let address = wait_for("echo to listen", || {
        Some(echo.out().lines().next()?.strip_prefix("echo listens on http://")?.to_owned())
    });
    let headers = [
        ("x-gitlab-event", "Push Hook"),
        ("X-GITLAB-TOKEN", "brass-lantern-77"),
        ("Gitflic-Webhook-Secret", "copper-kettle-12"),
        ("authorization", "Bearer tin-whistle-34"),
        ("X-Harbour", "berth 7"),
    ];
    let answer = post(&address, "/hooks?berth=7", &headers, b"{\"ledger\":[1]}");
    assert_eq!(answer.status, 200);
    wait_for("the body", || echo.out().contains("\n{\n  \"ledger\": [\n    1\n  ]\n}\n").then_some(()));
    let printed = echo.out();
    for line in [
        "--- arrived: POST /hooks?berth=7",
        "X-Gitlab-Event: Push Hook",
        "X-Harbour: berth 7",
        "X-Gitlab-Token: [secret]",
        "Gitflic-Webhook-Secret: [secret]",
        "Authorization: [secret]",
    ] {
        assert!(printed.lines().any(|own| own == line), "{line}:\n{printed}");
    }
    for secret in ["brass-lantern-77", "copper-kettle-12", "tin-whistle-34"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    // What is no JSON is printed as it is.
    post(&address, "/", &[], b"ahoy, {harbour");
    wait_for("the other body", || echo.out().contains("\nahoy, {harbour\n").then_some(()));
}

#[test]
fn echo_goes_on_when_nobody_reads_what_it_prints() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut echo = Silent(command(&["echo", "--listen", "127.0.0.1:0"]).stdout(writer).spawn().unwrap());
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") && reader.read(&mut byte).unwrap() == 1 {
        line.extend_from_slice(&byte);
    }
    drop(reader);
    let line = String::from_utf8(line).unwrap();
    let address = line.trim().strip_prefix("echo listens on http://").unwrap();
    let mut stream = connect(address);
    for _ in 0..2 {
        stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        assert_eq!(read_answer(&mut stream).status, 200);
    }
    assert!(echo.0.try_wait().unwrap().is_none(), "echo has ended");
}

/// A process whose output nobody collects; killed with the test.
struct Silent(Child);

impl Drop for Silent {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn help_and_version_are_0_and_no_arguments_are_2() {
    let version = run(&["--version"]);
    assert_eq!((version.code, version.out), (Some(0), format!("hookglot {}\n", env!("CARGO_PKG_VERSION"))));
    let help = run(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
    for subcommand in ["serve", "translate", "check", "echo", "healthcheck"] {
        assert!(help.out.contains(&format!("  {subcommand} ")), "{subcommand}: {help:?}");
        let help = run(&[subcommand, "--help"]);
        assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
        assert!(help.out.contains(&format!("Usage: hookglot {subcommand}")), "{help:?}");
    }
    let nothing = run(&[]);
    assert!(nothing.says(2).contains("Usage: hookglot"), "{nothing:?}");
    for wrong in [&["sail"][..], &["translate"], &["serve", "--harbour"], &["echo", "--listen", "harbour"]] {
        assert!(run(wrong).says(2).starts_with("error: "), "{wrong:?}");
    }
}

#[test]
fn anything_at_all_on_standard_input_is_refused_with_a_sentence() {
    let deep = "{\"push\":".repeat(100_000);
    let deep_list = "[".repeat(100_000);
    for odd in [
        &b""[..],
        b" \n",
        b"[]",
        b"null",
        b"7",
        b"\"push\"",
        b"{}",
        b"{",
        b"{\"object_kind\"",
        b"[{\"object_kind\":\"push\"}]",
        b"\xef\xbb\xbf{}",
        b"{\"object_kind\":\"\xff\"}",
        b"{\"object_kind\":\"\\ud800\"}",
        b"{\"object_kind\":null}",
        b"{\"object_kind\":[]}",
        b"{\"object_kind\":\"push\"}",
        b"{\"object_kind\":\"push\"}{}",
        b"{\"action\":{},\"project_id\":[]}",
        b"{\"action\":\"PUSH\",\"project_id\":7,\"push\":\"x\"}",
        b"\0",
        deep.as_bytes(),
        deep_list.as_bytes(),
    ] {
        for to in ["gitlab", "gitflic"] {
            let shown = String::from_utf8_lossy(&odd[..odd.len().min(60)]).into_owned();
            let ended = fed(&["translate", "--to", to], odd);
            assert!(matches!(ended.code, Some(0 | 1 | 3)), "{shown}: {ended:?}");
            assert!(ended.code == Some(0) || ended.out.is_empty() && ended.err.starts_with("hookglot: "), "{ended:?}");
            assert!(!ended.err.contains("panicked") && ended.err.lines().count() <= 1, "{shown}: {ended:?}");
        }
    }
}
