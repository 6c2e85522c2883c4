use crate::support::app::{App, command};
use crate::support::gitflic_push;
use crate::support::process::{Ended, ended, run};
use crate::support::receiver::Receiver;
use std::path::PathBuf;
use tempfile::TempDir;

/// A route that nothing is wrong with.
pub const ROUTE: &str = r#"
[[route]]
path = "/"
secret = "none"
[[route.to]]
name = "jenkins"
url = "http://127.0.0.1:9/"
format = "gitlab"
"#;

/// What stands for a secret in the texts below; it must never come out again.
pub const MARK: &str = "brass-lantern-77";

/// A configuration file in a folder of its own.
pub struct ConfigFile {
    pub folder: TempDir,
    pub path: PathBuf,
}

impl ConfigFile {
    pub fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hookglot.toml");
        std::fs::write(&path, text).unwrap();
        Self { folder, path }
    }

    pub fn shown(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// Starts `serve` with this file and waits for its end, which faults bring.
    pub fn serve(&self, variables: &[(&str, &str)], flags: &[&str]) -> Ended {
        let mut serve = command(&["serve", "--config", self.shown()]);
        serve.args(flags).envs(variables.iter().copied());
        ended(serve)
    }

    /// The faults of this file, one line each, without what every line begins with.
    #[track_caller]
    pub fn faults(&self, variables: &[(&str, &str)], flags: &[&str]) -> Vec<String> {
        let file = format!("{}: ", self.shown());
        faults(&self.serve(variables, flags)).iter().map(|line| line.replacen(&file, "", 1)).collect()
    }
}

/// The lines of a `serve` that refused its configuration.
#[track_caller]
pub fn faults(ended: &Ended) -> Vec<String> {
    let lines = ended.says(78).lines();
    lines.map(|line| line.strip_prefix("hookglot: ").unwrap_or_else(|| panic!("{line}")).to_owned()).collect()
}

/// The faults of an environment without a file.
#[track_caller]
pub fn faults_of_environment(variables: &[(&str, &str)]) -> Vec<String> {
    let mut serve = command(&["serve"]);
    serve.envs(variables.iter().copied());
    faults(&ended(serve))
}

/// Makes sure that these faults are said, each in one line, and no others.
#[track_caller]
pub fn assert_faults(said: &[String], expected: &[(&str, &str)]) {
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
log_level = "bananas"
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
format = "gitlab"
events = []
token_file = "/no/such/token"
"#,
    );
    assert_faults(
        &file.faults(&[], &[]),
        &[
            ("listen", "expected an address and a port such as 127.0.0.1:8080, got `harbour`"),
            ("lisen", "unknown setting, did you mean `listen`?"),
            ("grace", "expected a time such as 500ms, 10s, 5m, 2h or 7d, got `soon`"),
            ("log_format", "expected `text` or `json`, got `paper`"),
            ("log_level", "a list such as info,hyper=debug, got `bananas`"),
            ("store", "expected `sqlite` or `memory`, got `harbour`"),
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
            ("route[3].secret", "a signing key (whsec_…) is no secret token: it stands in `signing_key`"),
            ("route[3].to", "missing"),
            ("route[4].secret_file", "/no/such/secret: No such file"),
            ("route[4].to[0].name", "letters, digits"),
            ("route[4].to[0].url", "missing: where the destination is"),
            ("route[4].to[0].events", "an empty list: the destination would never get anything"),
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
fn a_path_that_no_request_has_is_refused_with_the_one_that_it_has() {
    for (path, sent) in [("/a b", "/a%20b"), ("/гавань", "/%D0%B3"), ("/a/../b", "`/b`"), ("/a\\tb", "`/ab`")] {
        let file = ConfigFile::new(&ROUTE.replace("path = \"/\"", &format!("path = \"{path}\"")));
        assert_faults(&file.faults(&[], &[]), &[("route[0].path", sent)]);
    }
    // As it is written there, hooks come.
    let file = ConfigFile::new(&ROUTE.replace("path = \"/\"", "path = \"/a%20b/%D0%B3\""));
    let app = App::start(command(&["serve", "--config", file.shown()]));
    assert_eq!(app.post("/a%20b/%D0%B3", &[], gitflic_push().as_bytes()).status, 200);
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
fn a_sidecar_beside_routes_hides_no_fault_of_the_routes() {
    let file = ConfigFile::new(&format!("{ROUTE}token = \"{MARK}ё\"\n"));
    assert_faults(
        &file.faults(&[("HOOKGLOT_TOKEN", MARK)], &[]),
        &[("route", "a sidecar in HOOKGLOT_TOKEN"), ("route[0].to[0].token", "printable ASCII")],
    );
}

#[test]
fn a_file_that_is_no_toml_does_not_hide_faults_of_variables_and_flags() {
    let broken = ConfigFile::new("[[route\n");
    let missing = "no-such-harbour.toml";
    for (file, variables) in [(broken.shown(), [].as_slice()), (missing, &[("HOOKGLOT_LIMITS__BODY", "1GiB")])] {
        let mut serve = command(&["serve", "--config", file, "--log-format", "paper"]);
        serve.env("HOOKGLOT_GRACE", "soon").env("HOOKGLOT_LISEN", "127.0.0.1:0").envs(variables.iter().copied());
        // What the file might have said is not missed: neither the routes nor a higher limit.
        assert_faults(
            &faults(&ended(serve)),
            &[
                (file, ""),
                ("HOOKGLOT_GRACE", "got `soon`"),
                ("HOOKGLOT_LISEN", "unknown setting"),
                ("--log-format", "got `paper`"),
            ],
        );
    }
}

#[test]
fn what_cannot_be_read_does_not_hide_the_other_faults() {
    let text = ROUTE
        .replace("format = \"gitlab\"", "format = \"gitea\"")
        .replace("secret = \"none\"", "secret_file = \"/no/such/secret\"\nsecrets = [\"whsec_x\"]");
    let file = ConfigFile::new(&format!(
        "mappings_dir = \"/no/such/mappings\"\ngrace = \"soon\"\n{text}ca_file = \"/no/such/ca\"\n"
    ));
    // The mapping files that cannot be read may describe gitea.
    assert_faults(
        &file.faults(&[], &[]),
        &[
            ("mappings_dir", "/no/such/mappings: No such file"),
            ("grace", "got `soon`"),
            ("route[0].secret_file", "/no/such/secret: No such file"),
            ("route[0].secrets", "a signing key"),
            ("route[0].to[0].ca_file", "/no/such/ca: No such file"),
        ],
    );
}

#[test]
fn a_file_of_certificates_holds_some() {
    let file = ConfigFile::new("");
    let certificates = file.folder.path().join("ca.pem");
    std::fs::write(&certificates, "no certificate\n").unwrap();
    std::fs::write(&file.path, format!("{ROUTE}ca_file = {certificates:?}\ntimeout = \"ten\"\n")).unwrap();
    assert_faults(
        &file.faults(&[], &[]),
        &[("route[0].to[0].ca_file", "there is no certificate"), ("route[0].to[0].timeout", "got `ten`")],
    );
}

#[test]
fn a_proxy_speaks_http_or_socks() {
    for proxy in ["ftp://proxy:21", "proxy:3128", "socks4://proxy:1080", "http:", "unix:/run/proxy"] {
        let file = ConfigFile::new(&format!("{ROUTE}proxy = {proxy:?}\n"));
        assert_faults(&file.faults(&[], &[]), &[("route[0].to[0].proxy", "")]);
    }
    for scheme in ["http", "https", "socks5", "socks5h"] {
        let file = ConfigFile::new(&format!("{ROUTE}proxy = \"{scheme}://olga:{MARK}@proxy:3128\"\n"));
        assert_eq!(run(&["check", "--config", file.shown()]).code, Some(0), "{scheme}");
    }
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
    for key in ["to", "format", "secret", "secret_file", "signing_key", "signing_key_file", "token", "token_file"] {
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
fn a_wrong_setting_does_not_hide_that_one_with_a_similar_name_is_missing() {
    let file = ConfigFile::new("log_format = \"paper\"\n");
    let said = file.faults(&[("HOOKGLOT_TO", "http://127.0.0.1:9/"), ("HOOKGLOT_SECRET", "none")], &[]);
    assert!(said.iter().any(|line| line.starts_with("log_format: expected `text` or `json`")), "{said:?}");
    assert!(said.iter().any(|line| line.contains("missing: the format that the tool reads")), "{said:?}");
}

#[test]
fn what_could_never_take_anything_is_refused() {
    let file = ConfigFile::new(&format!("limits.body = 0\n{}", ROUTE.replace("secret =", "accept = []\nsecret =")));
    assert_faults(
        &file.faults(&[], &[]),
        &[("limits.body", "no body could come in"), ("route[0].accept", "the route would never take anything")],
    );
}

#[test]
fn a_variable_below_one_that_is_no_table_is_refused_every_time() {
    for _ in 0..8 {
        let said = faults_of_environment(&[("HOOKGLOT_GRACE", "1s"), ("HOOKGLOT_GRACE__X", "4")]);
        assert!(
            said.iter().any(|fault| fault == "HOOKGLOT_GRACE__X: HOOKGLOT_GRACE is set as well, and is no table"),
            "{said:?}"
        );
    }
}
