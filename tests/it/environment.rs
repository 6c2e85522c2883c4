use crate::config::{ConfigFile, MARK, ROUTE, assert_faults, faults, faults_of_environment};
use crate::support::app::{App, command};
use crate::support::gitflic_push;
use crate::support::receiver::Receiver;
use std::net::TcpListener;

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
            ("HOOKGLOT_SECRET", "a signing key (whsec_…) is no secret token"),
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
        // And beside a Service named `hookglot-admin`.
        ("HOOKGLOT_ADMIN_PORT", "tcp://10.96.7.8:9090"),
        ("HOOKGLOT_ADMIN_SERVICE_HOST", "10.96.7.8"),
        ("HOOKGLOT_ADMIN_SERVICE_PORT", "9090"),
        ("HOOKGLOT_ADMIN_SERVICE_PORT_METRICS", "9090"),
        ("HOOKGLOT_ADMIN_PORT_9090_TCP", "tcp://10.96.7.8:9090"),
        ("HOOKGLOT_ADMIN_PORT_9090_UDP", "udp://10.96.7.8:9090"),
        ("HOOKGLOT_ADMIN_PORT_9090_TCP_ADDR", "10.96.7.8"),
        ("HOOKGLOT_ADMIN_PORT_9090_TCP_PORT", "9090"),
        ("HOOKGLOT_ADMIN_PORT_9090_TCP_PROTO", "tcp"),
        ("HOOKGLOTS_HARBOUR", "another program's"),
    ]);
    assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 200);
    tool.wait_for(1);
}

#[test]
fn a_setting_that_only_looks_like_a_variable_of_kubernetes_is_refused() {
    let variables = ["HOOKGLOT_PORT", "HOOKGLOT_LISTEN_PORT", "HOOKGLOT_PORT_8080", "HOOKGLOT_PORT_TCP"];
    let said = faults_of_environment(&variables.map(|name| (name, "8080")));
    assert_faults(&said, &variables.map(|name| (name, "unknown setting")));
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
    let said = file.faults(&[("HOOKGLOT_LIMITS__STORED", "1MiB"), ("HOOKGLOT_LIMITS__READ_TIMEOUT", "long")], &[]);
    assert_faults(&said, &[("limits.body", "got `much`"), ("HOOKGLOT_LIMITS__READ_TIMEOUT", "got `long`")]);
}

#[test]
fn a_variable_inside_of_what_the_file_says_otherwise_is_named() {
    let file = ConfigFile::new(ROUTE);
    let said = file.faults(&[("HOOKGLOT_ROUTE__HARBOUR", "7"), ("HOOKGLOT_HARBOUR__BERTH", "7")], &[]);
    assert_faults(
        &said,
        &[
            ("HOOKGLOT_ROUTE__HARBOUR", "expected a list of tables: [[route]]"),
            ("HOOKGLOT_HARBOUR__BERTH", "unknown setting"),
        ],
    );
}

#[test]
fn the_file_is_named_by_flag_or_variable_and_the_flag_goes_first() {
    let (one, other) = (ConfigFile::new("grace = \"one\"\n"), ConfigFile::new("grace = \"other\"\n"));
    let by_variable = faults_of_environment(&[("HOOKGLOT_CONFIG", one.shown())]);
    assert!(by_variable[0].starts_with(one.shown()) && by_variable[0].contains("`one`"), "{by_variable:?}");
    let by_both = faults(&other.serve(&[("HOOKGLOT_CONFIG", one.shown())], &[]));
    assert!(by_both[0].starts_with(other.shown()) && by_both[0].contains("`other`"), "{by_both:?}");
}
