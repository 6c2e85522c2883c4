use crate::support::app::{App, command};
use crate::support::receiver::Receiver;
use crate::support::{gitflic_push, project_file, wait_for};
use hookglot::metrics::{Kind, Metrics, Unit, Values, page};

const PAGE: &str = "docs/metrics.md";
/// Rewrites the page in place of comparing with it.
const BLESS: &str = "HOOKGLOT_BLESS";

#[test]
fn the_page_of_metrics_is_that_of_the_code() {
    let made = page().unwrap();
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(format!("{}/{PAGE}", env!("CARGO_MANIFEST_DIR")), &made).unwrap();
    }
    assert!(made == project_file(PAGE), "the code has other metrics: set {BLESS}=1 to rewrite {PAGE}");
}

#[test]
fn names_say_what_they_measure() {
    for entry in Metrics::new().unwrap().entries() {
        let name = entry.name;
        assert!(name.starts_with("hookglot_"), "{name}");
        assert_eq!(name.ends_with("_total"), entry.kind == Kind::Counter, "{name}: only counters, and all of them");
        let is_of_time = matches!(entry.unit, Unit::Seconds | Unit::Moment);
        assert_eq!(name.ends_with("_seconds"), is_of_time, "{name}: {:?}", entry.unit);
        assert_eq!(name.contains("bytes"), entry.unit == Unit::Bytes, "{name}: {:?}", entry.unit);
        assert!(!entry.help.ends_with('.') && !entry.help.contains('|'), "{name}: {}", entry.help);
    }
}

/// A counter that comes to be with its first event would hide that event from `increase`.
#[test]
fn what_may_happen_is_shown_as_nothing_from_the_start() {
    let tool = Receiver::content();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hookglot.toml");
    let config = format!(
        "[[alert]]\nname = \"chat\"\nurl = \"{0}\"\non = [\"failed\"]\n[[route]]\npath = \"/in\"\nsecret = \"none\"\n\
         [[route.to]]\nname = \"mill\"\nurl = \"{0}\"\nformat = \"gitlab\"\n",
        tool.url
    );
    std::fs::write(&file, &config).unwrap();
    let app = App::start(command(&["serve", "--config", file.to_str().unwrap()]));
    let is_zero = |line: &str| assert_eq!(app.metric(&format!("{line} ")), Some(0), "{line}");
    for line in [
        "hookglot_refused_total{reason=\"no_room\",route=\"/in\"}",
        "hookglot_refused_total{reason=\"no_request\",route=\"\"}",
        "hookglot_ignored_total{destination=\"\",reason=\"loop\"}",
        "hookglot_deliveries_total{destination=\"mill\",outcome=\"failed\"}",
        "hookglot_attempts_total{destination=\"mill\",result=\"unreachable\"}",
        "hookglot_alerts_total{alert=\"chat\",result=\"dropped\"}",
        "hookglot_store_errors_total{reason=\"broken\"}",
        "hookglot_config_reloads_total{result=\"refused\"}",
    ] {
        is_zero(line);
    }
    let shown = app.get_admin("/metrics").body;
    assert!(!shown.contains("hookglot_retries_total{destination=\"\"}"), "{shown}");
    std::fs::write(&file, config.replace("mill", "loom")).unwrap();
    app.signal("HUP");
    app.wait_for_log("the configuration is loaded and in force");
    is_zero("hookglot_retries_total{destination=\"loom\"}");
}

/// What is scraped has the names and the labels of the page, and no value that a closed list does not have.
#[test]
fn what_is_shown_is_on_the_page() {
    let metrics = Metrics::new().unwrap();
    let app = App::start(command(&["serve"]));
    assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 200);
    assert_eq!(app.post("/", &[], b"{}").status, 200);
    assert_eq!(app.post("/nowhere", &[], b"{}").status, 404);
    wait_for("the delivery", || {
        let shown = app.get_admin("/metrics").body;
        shown.contains("hookglot_delivery_seconds_count").then_some(())
    });
    let shown = app.get_admin("/metrics").body;
    for line in shown.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once(['{', ' ']).unwrap();
        let of = |name: &str| metrics.entries().iter().find(|entry| entry.name == name);
        let part = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let entry = of(name).or_else(|| of(part?)).unwrap_or_else(|| panic!("{line}: no such metric"));
        let Some((labels, _)) = rest.split_once("\"} ") else { continue };
        for (label, value) in labels.split("\",").map(|pair| pair.split_once("=\"").unwrap()) {
            let known = entry.labels.iter().find(|own| own.name == label);
            match known.map(|own| own.values) {
                Some(Values::Words(words)) => assert!(words.iter().any(|(word, _)| *word == value), "{line}"),
                Some(_) => {}
                None => assert_eq!((label, entry.kind), ("le", Kind::Histogram), "{line}"),
            }
        }
    }
}
