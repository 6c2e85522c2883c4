use crate::support::app::{App, command};
use crate::support::asker::TOKEN;
use crate::support::receiver::Receiver;
use crate::support::tool::nobodys_address;
use crate::support::{gitflic_push, project_file, wait_for};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::PrettyFormatter;
use std::process::Command;

/// Names the program of Schemathesis; `scripts/test.sh` sets it, and without it there is nothing to run.
const VARIABLE: &str = "HOOKGLOT_SCHEMATHESIS";
/// Rewrites the description in place of comparing with it.
const BLESS: &str = "HOOKGLOT_BLESS";

/// A hookglot that has hooks, deliveries and attempts to show: of a tool that takes them, and of one that is not there.
fn app(content: &Receiver) -> App {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "admin_token = \"{TOKEN}\"\n[[route]]\npath = \"/in\"\nsecret = \"none\"\nrecord = true\n\
         [[route.to]]\nname = \"mill\"\nurl = \"{}\"\nformat = \"gitlab\"\n\
         [[route.to]]\nname = \"away\"\nurl = \"http://{}/\"\nformat = \"other\"\n",
        content.url,
        nobodys_address()
    );
    let file = folder.path().join("hookglot.toml");
    std::fs::write(&file, config).unwrap();
    let app = App::start(command(&["serve", "--config", file.to_str().unwrap()]));
    for _ in 0..3 {
        assert_eq!(app.post("/in", &[], gitflic_push().as_bytes()).status, 200);
    }
    let tag = project_file("mappings/gitflic-to-gitlab/examples/TAG_CREATE.json");
    assert_eq!(app.post("/in", &[], tag.as_bytes()).status, 200);
    content.wait_for(4);
    wait_for("attempts that failed", || {
        let failed = app.metric("hookglot_attempts_total{destination=\"away\",result=\"unreachable\"}")?;
        (failed >= 3).then_some(())
    });
    app
}

#[test]
fn the_description_that_is_kept_is_that_of_the_code() {
    // It is in the binary as it stands there: one blank for each level is a fifth less than two.
    let mut shown = Vec::new();
    let formatter = PrettyFormatter::with_indent(b" ");
    let mut written = serde_json::Serializer::with_formatter(&mut shown, formatter);
    hookglot::admin::description().serialize(&mut written).unwrap();
    let shown = String::from_utf8(shown).unwrap() + "\n";
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(format!("{}/docs/openapi.json", env!("CARGO_MANIFEST_DIR")), &shown).unwrap();
    }
    assert_eq!(shown, project_file("docs/openapi.json"), "set {BLESS}=1 to rewrite docs/openapi.json");
}

#[test]
fn the_api_does_what_its_description_says() {
    let Some(program) = std::env::var_os(VARIABLE) else {
        eprintln!(
            "{VARIABLE} is not set: the API is not held against its description (scripts/schemathesis.sh installs it)"
        );
        return;
    };
    let (content, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let (app, report) = (app(&content), folder.path().join("report.json"));
    let ended = Command::new(program)
        .current_dir(folder.path())
        .args(["--config-file", &format!("{}/tests/receivers/schemathesis.toml", env!("CARGO_MANIFEST_DIR"))])
        .args(["run", &format!("http://{}/api/v1/openapi.json", app.admin)])
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
        // It never ends.
        .args(["--exclude-path", "/api/v1/events"])
        // It asks for resends by the ids of deliveries, too, as both are called `id`; and one that is stopped can be read still.
        .args(["--exclude-checks", "ensure_resource_availability,use_after_free"])
        .args(["--checks", "all", "--seed", "7", "--max-examples", "30", "--generation-database", "none", "--no-color"])
        .args(["--report", "json", "--report-json-path", report.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(report["operations"]["tested"], report["operations"]["selected"], "{said}");
    // Whoever only ever gets an error is not tested.
    // Resends are found by the links of their description, which are not counted here; what is forgotten must be there, and is
    // so once (`recording`, `differences`).
    let is_counted = |operation: &str| !operation.ends_with("/resends/{id}") && !operation.starts_with("DELETE ");
    for (operation, phases) in report["valid_rates"].as_object().unwrap().iter().filter(|(name, _)| is_counted(name)) {
        let accepted = phases.as_object().unwrap().values().filter_map(|phase| phase["accepted"].as_u64()).sum::<u64>();
        assert!(accepted > 0, "{operation}: {phases}\n{said}");
    }
    assert!(app.metric("hookglot_admin_refused_total ").unwrap() > 0, "nobody came without a token");
}
