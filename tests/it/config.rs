use crate::command_line::{Ended, ended, run};
use crate::support::app::{App, command};
use crate::support::receiver::Receiver;
use crate::support::{gitflic_push, wait_for};
use std::net::TcpListener;
use std::path::PathBuf;
use tempfile::TempDir;

/// A route that nothing is wrong with.
const ROUTE: &str = r#"
[[route]]
path = "/"
secret = "none"
[[route.to]]
name = "jenkins"
url = "http://127.0.0.1:9/"
format = "gitlab"
"#;

/// What stands for a secret in the texts below; it must never come out again.
const MARK: &str = "brass-lantern-77";

/// A configuration file in a folder of its own.
struct ConfigFile {
    folder: TempDir,
    path: PathBuf,
}

impl ConfigFile {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hookglot.toml");
        std::fs::write(&path, text).unwrap();
        Self { folder, path }
    }

    fn shown(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// Starts `serve` with this file and waits for its end, which faults bring.
    fn serve(&self, variables: &[(&str, &str)], flags: &[&str]) -> Ended {
        let mut serve = command(&["serve", "--config", self.shown()]);
        serve.args(flags).envs(variables.iter().copied());
        ended(serve)
    }

    /// The faults of this file, one line each, without what every line begins with.
    #[track_caller]
    fn faults(&self, variables: &[(&str, &str)], flags: &[&str]) -> Vec<String> {
        let file = format!("{}: ", self.shown());
        faults(&self.serve(variables, flags)).iter().map(|line| line.replacen(&file, "", 1)).collect()
    }
}

/// The lines of a `serve` that refused its configuration.
#[track_caller]
fn faults(ended: &Ended) -> Vec<String> {
    let lines = ended.says(78).lines();
    lines.map(|line| line.strip_prefix("hookglot: ").unwrap_or_else(|| panic!("{line}")).to_owned()).collect()
}

/// The faults of an environment without a file.
#[track_caller]
fn faults_of_environment(variables: &[(&str, &str)]) -> Vec<String> {
    let mut serve = command(&["serve"]);
    serve.envs(variables.iter().copied());
    faults(&ended(serve))
}

/// Makes sure that these faults are said, each in one line, and no others.
#[track_caller]
fn assert_faults(said: &[String], expected: &[(&str, &str)]) {
    for (place, message) in expected {
        let lines: Vec<&String> = said.iter().filter(|line| line.starts_with(&format!("{place}: "))).collect();
        assert!(matches!(lines[..], [line] if line.contains(message)), "{place}: {message}:\n{}", said.join("\n"));
    }
    assert_eq!(said.len(), expected.len(), "{}", said.join("\n"));
}

#[test]
fn every_fault_of_a_file_is_said_at_once_in_a_line_of_its_own() {
    let file = ConfigFile::new(
        r#"
listen = "harbour"
lisen = "127.0.0.1:0"
grace = "soon"
log_format = "paper"
store = "harbour"
limits.body = "much"

[[route]]
path = "/hooks"
secret = "copper-kettle-12"
[[route.to]]
name = "ledger"
url = "http://127.0.0.1:9/"
format = "gitlab"

[[route]]
path = "/hooks"
secret = "copper-kettle-12"
[[route.to]]
name = "ledger"
url = "http://127.0.0.1:9/"
format = "gitlab"

[[route]]
path = "/wrong"
accept = ["gitlub"]
[[route.to]]
url = "ftp://tool.harbour.example.com/"
format = "gitlub"
fromat = "gitlab"
[[route.to]]
name = "both"
url = "not a URL"
token = "copper-kettle-12"
token_file = "/no/such/token"
timeout = "ten"
concurrency = 0
hop_header = "perhaps"
events = "PUSH"

[[route]]
path = "signed"
secret = "whsec_copper-kettle-12"

[[route]]
path = "/file"
secret_file = "/no/such/secret"
[[route.to]]
name = "from file"
url = "http://127.0.0.1:9/"
format = "gitlab"
token_file = "/no/such/token"
"#,
    );
    assert_faults(
        &file.faults(&[], &[]),
        &[
            ("listen", "expected an address and a port such as 127.0.0.1:8080, got `harbour`"),
            ("lisen", "unknown setting, did you mean `listen`?"),
            ("grace", "expected a time such as 500ms, 10s, 5m or 2h, got `soon`"),
            ("log_format", "expected `text` or `json`, got `paper`"),
            ("store", "expected `memory`, got `harbour`"),
            ("limits.body", "expected a size such as 512KiB, 25MiB or 1GiB, got `much`"),
            ("route[1].path", "`/hooks` is the path of another route"),
            ("route[1].to[0].name", "`ledger` is the name of another destination"),
            ("route[2].accept", "unknown forge `gitlub`: expected gitflic or gitlab"),
            ("route[2].secret", "missing"),
            ("route[2].to[0].name", "missing"),
            ("route[2].to[0].url", "expected an http:// or https:// URL, got ftp:"),
            ("route[2].to[0].format", "unknown format `gitlub`"),
            ("route[2].to[0].fromat", "unknown setting, did you mean `format`?"),
            ("route[2].to[1].url", "not a URL"),
            ("route[2].to[1].format", "missing"),
            ("route[2].to[1].token", "both `token` and `token_file` are set"),
            ("route[2].to[1].timeout", "expected a time"),
            ("route[2].to[1].concurrency", "expected a number from 1"),
            ("route[2].to[1].hop_header", "expected true or false"),
            ("route[2].to[1].events", "expected a list of texts"),
            ("route[3].path", "begins with `/`"),
            ("route[3].secret", "a signing key (whsec_…) cannot be checked yet"),
            ("route[3].to", "missing"),
            ("route[4].secret_file", "/no/such/secret: No such file"),
            ("route[4].to[0].name", "letters, digits"),
            ("route[4].to[0].token_file", "/no/such/token: No such file"),
        ],
    );
}

#[test]
fn a_name_or_path_that_is_there_twice_is_found_beside_other_faults_of_its_route() {
    let file = ConfigFile::new(&format!(
        "{ROUTE}\n[[route]]\npath = \"/\"\n[[route.to]]\nname = \"jenkins\"\nurl = \"http://127.0.0.1:9/\"\nformat = \"gitlub\"\n"
    ));
    assert_faults(
        &file.faults(&[], &[]),
        &[
            ("route[1].path", "`/` is the path of another route"),
            ("route[1].secret", "missing"),
            ("route[1].to[0].name", "`jenkins` is the name of another destination"),
            ("route[1].to[0].format", "unknown format `gitlub`"),
        ],
    );
}

#[test]
fn two_destinations_of_one_route_cannot_have_one_name() {
    let second = "[[route.to]]\nname = \"jenkins\"\nurl = \"http://127.0.0.1:9/other\"\nformat = \"gitflic\"\n";
    let file = ConfigFile::new(&format!("{ROUTE}{second}"));
    assert_faults(&file.faults(&[], &[]), &[("route[0].to[1].name", "`jenkins` is the name of another destination")]);
}

#[test]
fn a_file_that_is_no_toml_is_named_with_the_line() {
    let file = ConfigFile::new("listen = \"127.0.0.1:0\"\n\n[[route\npath = \"/\"\n");
    let said = faults(&file.serve(&[], &[]));
    assert!(matches!(&said[..], [line] if line.starts_with(file.shown()) && line.contains("line 3")), "{said:?}");
    let twice = ConfigFile::new(&format!("grace = \"1s\"\ngrace = \"2s\"\n{ROUTE}"));
    let said = faults(&twice.serve(&[], &[]));
    assert!(matches!(&said[..], [line] if line.starts_with(twice.shown()) && line.contains("line 2")), "{said:?}");
}

#[test]
fn a_file_that_does_not_exist_is_named() {
    for flags in
        [&["serve", "--config", "no-such-harbour.toml"][..], &["healthcheck", "--config", "no-such-harbour.toml"]]
    {
        let said = faults(&run(flags));
        assert!(matches!(&said[..], [line] if line.starts_with("no-such-harbour.toml: ")), "{said:?}");
    }
    assert!(matches!(&faults_of_environment(&[("HOOKGLOT_CONFIG", "no-such-harbour.toml")])[..],
        [line] if line.starts_with("no-such-harbour.toml: ")));
}

#[test]
fn a_file_with_routes_and_a_sidecar_at_once_is_a_fault_that_names_the_variables() {
    let file = ConfigFile::new(ROUTE);
    let sidecar = [("HOOKGLOT_TO", "http://127.0.0.1:9/"), ("HOOKGLOT_FORMAT", "gitlab")];
    let said = file.faults(&sidecar, &[]);
    assert_faults(&said, &[("route", "HOOKGLOT_TO")]);
    assert!(said[0].contains("HOOKGLOT_FORMAT") && !said[0].contains("HOOKGLOT_TOKEN"), "{said:?}");
}

#[test]
fn a_file_without_routes_is_a_fault_unless_the_environment_has_a_sidecar() {
    let file = ConfigFile::new("[limits]\nbody = \"1KiB\"\n");
    assert_faults(&file.faults(&[], &[]), &[("route", "missing: a [[route]] with a [[route.to]]")]);
    assert_faults(&ConfigFile::new("").faults(&[], &[]), &[("route", "missing: a [[route]] with a [[route.to]]")]);
    let tool = Receiver::content();
    let mut serve = command(&["serve", "--config", file.shown()]);
    serve.env("HOOKGLOT_TO", &tool.url).env("HOOKGLOT_FORMAT", "gitlab").env("HOOKGLOT_SECRET", "none");
    let app = App::start(serve);
    // The rest of the file is in force beside the sidecar.
    assert_eq!(app.post("/", &[], &[b' '; 2048]).status, 413);
}

#[test]
fn the_settings_of_a_sidecar_do_not_stand_in_a_file() {
    for key in ["to", "format", "secret", "secret_file", "token", "token_file"] {
        let file = ConfigFile::new(&format!("{key} = \"{MARK}\"\n"));
        let said = file.faults(&[], &[]);
        let named = said.iter().find(|line| line.starts_with(&format!("{key}: a setting of the environment")));
        assert!(named.is_some_and(|line| line.contains("[[route]]")), "{key}: {said:?}");
    }
}

#[test]
fn a_setting_of_a_sidecar_in_a_file_is_not_laid_on_a_variable_that_is_not_set() {
    let file = ConfigFile::new(&format!("token = \"{MARK}\"\n{ROUTE}"));
    let said = file.faults(&[], &[]);
    assert!(said.iter().any(|line| line.starts_with("token: a setting of the environment")), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("HOOKGLOT_")), "{said:?}");
}

#[test]
fn every_setting_of_a_sidecar_in_a_file_is_said_at_once() {
    let file = ConfigFile::new("to = \"http://127.0.0.1:9/\"\nformat = \"gitlab\"\nsecret = \"none\"\n");
    let said = file.faults(&[], &[]);
    for key in ["to", "format", "secret"] {
        assert!(said.iter().any(|line| line.starts_with(&format!("{key}: a setting of the env"))), "{key}: {said:?}");
    }
}

#[test]
fn every_fault_of_a_sidecar_is_said_at_once_and_named_as_its_variable() {
    assert_faults(
        &faults_of_environment(&[("HOOKGLOT_TOKEN", MARK)]),
        &[
            ("HOOKGLOT_TO", "missing: the URL of the tool"),
            ("HOOKGLOT_FORMAT", "missing: the format that the tool reads"),
            ("HOOKGLOT_SECRET", "missing: the secret that the forge sends"),
        ],
    );
    assert_faults(
        &faults_of_environment(&[
            ("HOOKGLOT_TO", "ftp://tool.harbour.example.com/"),
            ("HOOKGLOT_FORMAT", "gitlub"),
            ("HOOKGLOT_SECRET", "whsec_harbour"),
            ("HOOKGLOT_TOKEN", MARK),
            ("HOOKGLOT_TOKEN_FILE", "/no/such/token"),
            ("HOOKGLOT_LISTEN", "harbour"),
            ("HOOKGLOT_GRACE", "soon"),
        ]),
        &[
            ("HOOKGLOT_TO", "expected an http:// or https:// URL, got ftp:"),
            ("HOOKGLOT_FORMAT", "unknown format `gitlub`"),
            ("HOOKGLOT_SECRET", "a signing key (whsec_…) cannot be checked yet"),
            ("HOOKGLOT_TOKEN", "both `token` and `token_file` are set"),
            ("HOOKGLOT_LISTEN", "expected an address"),
            ("HOOKGLOT_GRACE", "expected a time"),
        ],
    );
    assert_faults(
        &faults_of_environment(&[
            ("HOOKGLOT_TO", "http://127.0.0.1:9/"),
            ("HOOKGLOT_FORMAT", "gitlab"),
            ("HOOKGLOT_SECRET_FILE", "/no/such/secret"),
        ]),
        &[("HOOKGLOT_SECRET_FILE", "/no/such/secret: No such file")],
    );
}

#[test]
fn a_wrong_setting_does_not_hide_that_one_with_a_similar_name_is_missing() {
    let file = ConfigFile::new("log_format = \"paper\"\n");
    let said = file.faults(&[("HOOKGLOT_TO", "http://127.0.0.1:9/"), ("HOOKGLOT_SECRET", "none")], &[]);
    assert!(said.iter().any(|line| line.starts_with("log_format: expected `text` or `json`")), "{said:?}");
    assert!(said.iter().any(|line| line.contains("missing: the format that the tool reads")), "{said:?}");
}

#[test]
fn a_variable_that_is_no_setting_is_refused_and_named_as_a_variable() {
    let said = faults_of_environment(&[("HOOKGLOT_LISEN", "127.0.0.1:0"), ("HOOKGLOT_HARBOUR", "7")]);
    assert_faults(
        &said,
        &[("HOOKGLOT_LISEN", "unknown setting, did you mean"), ("HOOKGLOT_HARBOUR", "unknown setting")],
    );
    let said = faults_of_environment(&[("HOOKGLOT_LIMITS__BODI", "1KiB")]);
    assert_faults(&said, &[("HOOKGLOT_LIMITS__BODI", "unknown setting, did you mean")]);
}

#[test]
fn variables_that_kubernetes_puts_into_a_pod_beside_the_service_are_none_of_ours() {
    let tool = Receiver::content();
    let app = App::with_environment(&[
        ("HOOKGLOT_TO", &tool.url),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SECRET", "none"),
        ("HOOKGLOT_PORT", "tcp://10.96.7.7:8080"),
        ("HOOKGLOT_SERVICE_HOST", "10.96.7.7"),
        ("HOOKGLOT_SERVICE_PORT", "8080"),
        ("HOOKGLOT_SERVICE_PORT_HOOKS", "8080"),
        ("HOOKGLOT_PORT_8080_TCP", "tcp://10.96.7.7:8080"),
        ("HOOKGLOT_PORT_8080_TCP_ADDR", "10.96.7.7"),
        ("HOOKGLOT_PORT_8080_TCP_PORT", "8080"),
        ("HOOKGLOT_PORT_8080_TCP_PROTO", "tcp"),
        ("HOOKGLOTS_HARBOUR", "another program's"),
    ]);
    assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 200);
    tool.wait_for(1);
}

#[test]
fn the_environment_goes_over_the_file() {
    let file = ConfigFile::new(&format!("limits.body = \"1KiB\"\n{ROUTE}"));
    let sizes = |app: &App| [512, 2048, 70_000].map(|size| app.post("/", &[], &vec![b' '; size]).status);
    let app = App::start(command(&["serve", "--config", file.shown()]));
    // A body within the limit is refused all the same, but for what it says.
    assert_eq!(sizes(&app), [400, 413, 413]);
    let mut serve = command(&["serve", "--config", file.shown()]);
    serve.env("HOOKGLOT_LIMITS__BODY", "64KiB");
    assert_eq!(sizes(&App::start(serve)), [400, 400, 413]);
}

#[test]
fn flags_go_over_the_environment_and_the_environment_over_the_file() {
    // Both addresses are taken: who listened there would not start.
    let taken = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [of_file, of_environment] = taken.each_ref().map(|listener| listener.local_addr().unwrap().to_string());
    let file = ConfigFile::new(&format!("listen = {of_file:?}\nadmin_listen = {of_file:?}\n{ROUTE}"));
    let mut serve = command(&["serve", "--config", file.shown()]);
    serve.env("HOOKGLOT_LISTEN", &of_environment).env("HOOKGLOT_ADMIN_LISTEN", &of_environment);
    let app = App::start(serve);
    assert!(!app.log().contains(&of_file) && !app.log().contains(&of_environment), "{}", app.log());
    // Without the flags it is the environment's that is tried, and without that the file's.
    let variable = [("HOOKGLOT_LISTEN", of_environment.as_str())];
    for (variables, address) in [(&variable[..], &of_environment), (&[], &of_file)] {
        let taken = file.serve(variables, &[]);
        assert!(taken.code == Some(1) && taken.err.contains(&format!("listen {address}: ")), "{taken:?}");
    }
}

#[test]
fn a_fault_is_laid_on_the_place_that_went_over_the_others() {
    let file = ConfigFile::new(&format!("log_format = \"paper\"\n{ROUTE}"));
    assert_faults(&file.faults(&[], &[]), &[("log_format", "got `paper`")]);
    let variable = [("HOOKGLOT_LOG_FORMAT", "stone")];
    assert_faults(&file.faults(&variable, &[]), &[("HOOKGLOT_LOG_FORMAT", "got `stone`")]);
    assert_faults(&file.faults(&variable, &["--log-format", "glass"]), &[("--log-format", "got `glass`")]);
}

#[test]
fn a_fault_of_the_file_is_not_laid_on_a_variable_of_the_same_table() {
    let file = ConfigFile::new(&format!("limits.body = \"much\"\n{ROUTE}"));
    assert_faults(&file.faults(&[("HOOKGLOT_LIMITS__STORED", "1MiB")], &[]), &[("limits.body", "got `much`")]);
}

#[test]
fn the_file_is_named_by_flag_or_variable_and_the_flag_goes_first() {
    let (one, other) = (ConfigFile::new("grace = \"one\"\n"), ConfigFile::new("grace = \"other\"\n"));
    let by_variable = faults_of_environment(&[("HOOKGLOT_CONFIG", one.shown())]);
    assert!(by_variable[0].starts_with(one.shown()) && by_variable[0].contains("`one`"), "{by_variable:?}");
    let by_both = faults(&other.serve(&[("HOOKGLOT_CONFIG", one.shown())], &[]));
    assert!(by_both[0].starts_with(other.shown()) && by_both[0].contains("`other`"), "{by_both:?}");
}

#[test]
fn no_fault_of_a_file_shows_a_secret() {
    let route = |secret: &str, to: &str| {
        format!(
            "[[route]]\npath = \"/\"\n{secret}\n[[route.to]]\nname = \"jenkins\"\nformat = \"gitlab\"\n\
             url = \"http://127.0.0.1:9/\"\n{to}\n"
        )
    };
    let good = format!("secret = \"{MARK}\"");
    let secrets = [
        // Beside a fault of something else.
        format!("secret = \"{MARK}\"\nsecrt = 7"),
        format!("secret = \"whsec_{MARK}\""),
        format!("secrets = [\"{MARK}\", \"none\"]"),
        format!("secrets = [\"{MARK}\", \"whsec_{MARK}\"]"),
        // What somebody writes who takes one key for the other.
        format!("secret = [\"{MARK}\"]"),
        format!("secret = {{value = \"{MARK}\"}}"),
        format!("secrets = \"{MARK}\""),
        format!("secrets = [[\"{MARK}\"]]"),
        format!("secret_file = [\"{MARK}\"]"),
        format!("secrt = \"{MARK}\""),
        // What the reader of TOML does not read.
        format!("secret = \"{MARK}"),
        format!("secret = {MARK}"),
        format!("secret = \"{MARK}\"\nsecret = \"{MARK}\""),
        format!("secret = '{MARK}\"\n"),
        format!("secret = \"\\q{MARK}\""),
        format!("secret = \"\"\"\n{MARK}\n"),
    ];
    let destinations = [
        format!("token = \"{MARK}\"\ntoken_file = \"/no/such/token\""),
        format!("token = [\"{MARK}\"]"),
        format!("token = \"{MARK}ё\""),
        format!("token = \"{MARK}\\n{MARK}\""),
        format!("authorization = {{basic = \"{MARK}\"}}"),
        format!("authorization = \"Bearer {MARK}\"\nauthorization_file = \"/no/such/file\""),
        format!("tokn = \"{MARK}\""),
        format!("proxy = \"http://olga:{MARK}@proxy:berth/\""),
        format!("proxy = [\"http://olga:{MARK}@proxy:7/\"]"),
        format!("settings = \"{MARK}\""),
        format!("token = \"{MARK}"),
    ];
    let urls = [
        format!("url = \"ftp://olga:{MARK}@tool.harbour.example.com/\""),
        format!("url = \"http://olga:{MARK}@tool:berth/\""),
        format!("url = \"http://olga:{MARK}@/\""),
        format!("url = [\"http://tool.harbour.example.com/?token={MARK}\"]"),
        format!("url = \"tool.harbour.example.com/?token={MARK}\""),
    ];
    let numbers =
        ["secret = 4815162342".to_owned(), "secret = 48.15162342".to_owned(), "secret = [4815162342]".to_owned()];
    let mut texts: Vec<String> = secrets.iter().chain(&numbers).map(|secret| route(secret, "grace = 7")).collect();
    texts.extend(destinations.iter().map(|to| route(&good, &format!("{to}\ngrace = 7"))));
    texts.push(route(&good, "token = 4815162342"));
    texts.extend(urls.iter().map(|url| route(&good, "").replace("url = \"http://127.0.0.1:9/\"", url)));
    texts.push(format!("route = \"{MARK}\""));
    texts.push(format!("[route]\nsecret = \"{MARK}\""));
    texts.push(format!("route = [\"{MARK}\"]"));
    texts.push(format!("limits = \"{MARK}\""));
    for text in texts {
        let ended = ConfigFile::new(&text).serve(&[], &[]);
        assert_eq!(ended.code, Some(78), "{text}\n{ended:?}");
        let shown = format!("{}{}", ended.out, ended.err);
        assert!(!shown.contains(MARK) && !shown.contains("15162342"), "a secret shows:\n{text}\n---\n{shown}");
    }
}

#[test]
fn no_fault_of_a_secret_file_shows_what_stands_in_it() {
    for text in [format!("whsec_{MARK}\n"), format!("{MARK}\nnone\n"), format!("none\n{MARK}\n")] {
        let file = ConfigFile::new("");
        let secret = file.folder.path().join("secret");
        std::fs::write(&secret, text).unwrap();
        std::fs::write(&file.path, ROUTE.replace("secret = \"none\"", &format!("secret_file = {secret:?}"))).unwrap();
        let said = file.faults(&[], &[]);
        assert!(matches!(&said[..], [line] if line.starts_with("route[0].secret_file: ")), "{said:?}");
        assert!(!said[0].contains(MARK), "{said:?}");
    }
}

#[test]
fn no_fault_of_a_variable_shows_a_secret() {
    let whsec = format!("whsec_{MARK}");
    let with_password = format!("ftp://olga:{MARK}@tool.harbour.example.com/?token={MARK}");
    let not_ascii = format!("{MARK}ё");
    for variables in [
        &[("HOOKGLOT_SECRET", whsec.as_str())][..],
        &[("HOOKGLOT_SECRET", MARK), ("HOOKGLOT_TOKEN", MARK), ("HOOKGLOT_TOKEN_FILE", "/no/such/token")],
        &[("HOOKGLOT_TO", &with_password), ("HOOKGLOT_SECRET", MARK)],
        &[("HOOKGLOT_TOKEN", &not_ascii)],
        &[("HOOKGLOT_TOKN", MARK)],
        &[("HOOKGLOT_SECRET__VALUE", MARK)],
        &[("HOOKGLOT_TOKEN__VALUE", MARK)],
        &[("HOOKGLOT_SECRETS", MARK)],
        &[("HOOKGLOT_ROUTE", MARK)],
        &[("HOOKGLOT_LIMITS", MARK)],
    ] {
        let said = faults_of_environment(variables).join("\n");
        assert!(!said.contains(MARK), "{variables:?}:\n{said}");
    }
}

#[test]
fn a_url_is_logged_without_what_may_be_secret_in_it() {
    let url = format!("http://olga:{MARK}@127.0.0.1:9/hook?token={MARK}#{MARK}");
    let file = ConfigFile::new(&ROUTE.replace("http://127.0.0.1:9/", &url));
    let app = App::start(command(&["serve", "--config", file.shown(), "--log-level", "debug"]));
    assert!(app.log().contains("http://127.0.0.1:9/hook"), "{}", app.log());
    assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 200);
    let attempt = wait_for("an attempt", || app.log().lines().find(|line| line.contains("attempt")).map(str::to_owned));
    assert!(attempt.contains("jenkins"), "{attempt}");
    assert!(!app.log().contains(MARK), "{}", app.log());
}

#[test]
fn what_kubernetes_tells_of_services_is_no_setting_of_ours() {
    let serve = faults_of_environment(&[
        ("HOOKGLOT_ADMIN_SERVICE_HOST", "10.0.0.7"),
        ("HOOKGLOT_ADMIN_SERVICE_PORT_METRICS", "9090"),
        ("HOOKGLOT_ADMIN_PORT", "tcp://10.0.0.7:9090"),
        ("HOOKGLOT_ADMIN_PORT_9090_TCP_ADDR", "10.0.0.7"),
        ("HOOKGLOT_SERVICE_PORT", "8080"),
        ("HOOKGLOT_GRACE", "soon"),
        ("HOOKGLOT_SERVICE_NAME", "harbour"),
    ]);
    assert_faults(&serve, &[("HOOKGLOT_GRACE", "expected a time"), ("HOOKGLOT_SERVICE_NAME", "unknown setting")]);
}

#[test]
fn a_proxy_that_nobody_speaks_to_is_refused() {
    let file = ConfigFile::new(&format!("{ROUTE}proxy = \"ftp://proxy.harbour.example.com\"\n"));
    assert_faults(&file.faults(&[], &[]), &[("route[0].to[0].proxy", "socks5h://, got ftp:")]);
}

#[test]
fn an_overlay_that_does_not_exist_is_refused_with_the_one_that_was_probably_meant() {
    let file = ConfigFile::new(&format!("{ROUTE}overlays = [\"atlantsi\"]\n"));
    assert_faults(&file.faults(&[], &[]), &[("route[0].to[0].overlays", "did you mean `atlantis`?")]);
}

#[test]
fn a_file_that_cannot_be_read_does_not_hide_what_variables_and_flags_say_wrong() {
    for text in [None, Some("listen = \n")] {
        let file = ConfigFile::new(text.unwrap_or_default());
        if text.is_none() {
            std::fs::remove_file(&file.path).unwrap();
        }
        let said = file.faults(&[("HOOKGLOT_GRACE", "soon")], &["--log-format", "paper"]);
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(
            said[1].starts_with("HOOKGLOT_GRACE: ") && said[2].starts_with("--log-format: ")
                || said[2].starts_with("HOOKGLOT_GRACE: ") && said[1].starts_with("--log-format: "),
            "{said:?}"
        );
    }
}
