//! The dashboard and the alerts name what there is: metrics, labels, their values, and chapters of the runbook.

mod promql;
mod yaml;

use crate::readmes::anchor;
use crate::support::project_file;
use promql::{Known, Named};
use serde_json::Value;
use std::collections::BTreeSet;

const DASHBOARD: &str = "deploy/grafana/hookglot.json";
const RULES: &str = "deploy/prometheus/hookglot.rules.yml";
const TESTS: &str = "deploy/prometheus/hookglot.rules.test.yml";
const RUNBOOK: &str = "docs/operations.md";

/// Metrics that are not on the dashboard, and why. None is left out today.
const NOT_SHOWN: [(&str, &str); 0] = [];

fn dashboard() -> Value {
    serde_json::from_str(&project_file(DASHBOARD)).unwrap()
}

/// The panels that show something, and the rows between them.
fn panels(board: &Value) -> (Vec<&Value>, Vec<&Value>) {
    let all = board["panels"].as_array().unwrap().iter();
    all.partition(|panel| panel["type"] != "row")
}

fn alerts() -> Vec<Value> {
    let rules = yaml::read(&project_file(RULES));
    let groups = rules["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The labels that a text for people takes values of: `{{label}}`, `{{ $labels.label }}`.
fn labels_in(text: &str) -> Vec<&str> {
    let holes = text.split("{{").skip(1).map(|rest| rest.split_once("}}").unwrap().0.trim());
    holes.filter(|hole| !hole.contains("$value")).map(|hole| hole.trim_start_matches("$labels.")).collect()
}

/// Makes sure that the results of an expression have a label.
fn gives(known: &Known, named: &Named, label: &str, place: &str) {
    let has = match &named.by {
        Some(by) => by.contains(label),
        None => named.metrics.iter().any(|metric| known.has(metric, label)),
    };
    assert!(has && !named.without.contains(label), "{place}: its results have no label {label}");
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let (known, board) = (Known::all(), dashboard());
    let (panels, _) = panels(&board);
    let mut shown = BTreeSet::new();
    for panel in panels {
        let title = text(&panel["title"]);
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{title} asks for nothing");
        for target in targets {
            let named = known.read(text(&target["expr"]));
            for label in labels_in(text(&target["legendFormat"])) {
                gives(&known, &named, label, title);
            }
            shown.extend(named.metrics);
        }
    }
    for variable in board["templating"]["list"].as_array().unwrap().iter().filter(|own| own["type"] == "query") {
        known.read(text(&variable["query"]["query"]));
    }
    let left_out = NOT_SHOWN.map(|(name, _)| name.to_owned());
    for name in known.names() {
        let is_left_out = left_out.contains(&name);
        assert!(shown.contains(&name) != is_left_out, "{name}: show it on {DASHBOARD}, or say in NOT_SHOWN why not");
    }
}

#[test]
fn every_panel_says_what_it_is() {
    let board = dashboard();
    let (panels, rows) = panels(&board);
    let titles: Vec<&str> = rows.iter().map(|row| text(&row["title"])).collect();
    assert_eq!(titles.len(), 6, "{titles:?}");
    let variables: Vec<&str> =
        board["templating"]["list"].as_array().unwrap().iter().map(|own| text(&own["name"])).collect();
    assert_eq!(variables, ["datasource", "instance", "route", "destination"]);
    for panel in panels {
        let title = text(&panel["title"]);
        assert!(panel.get("libraryPanel").is_none(), "{title}");
        assert!(!text(&panel["description"]).is_empty(), "{title} has no description");
        assert!(!text(&panel["fieldConfig"]["defaults"]["unit"]).is_empty(), "{title} has no unit");
        let sources = panel["targets"].as_array().unwrap().iter().chain([panel]);
        for source in sources.map(|own| &own["datasource"]) {
            assert_eq!((text(&source["type"]), text(&source["uid"])), ("prometheus", "${datasource}"), "{title}");
        }
        let names: BTreeSet<&str> =
            panel["targets"].as_array().unwrap().iter().map(|own| text(&own["refId"])).collect();
        assert_eq!(names.len(), panel["targets"].as_array().unwrap().len(), "{title}: two queries of one name");
    }
    let used = project_file(DASHBOARD);
    let all = used
        .split('$')
        .skip(1)
        .map(|rest| rest.trim_start_matches('{').split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap());
    for variable in all {
        let is_known = variables.contains(&variable) || ["__rate_interval", "__range", "__all"].contains(&variable);
        assert!(is_known, "{DASHBOARD}: ${variable}");
    }
}

#[test]
fn panels_stand_beside_each_other() {
    let board = dashboard();
    let (mut ids, mut places) = (BTreeSet::new(), Vec::<(&str, [u64; 4])>::new());
    for panel in board["panels"].as_array().unwrap() {
        let title = text(&panel["title"]);
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id is another's");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        assert!(w > 0 && h > 0 && x + w <= 24, "{title} is wider than the page");
        for (other, [left, top, wide, high]) in &places {
            let apart = x + w <= *left || left + wide <= x || y + h <= *top || top + high <= y;
            assert!(apart, "{title} lies on {other}");
        }
        places.push((title, [x, y, w, h]));
    }
}

#[test]
fn alerts_are_about_what_there_is() {
    let (known, runbook) = (Known::all(), project_file(RUNBOOK));
    let chapters: BTreeSet<String> = runbook.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    let mut seen = BTreeSet::new();
    for alert in alerts() {
        let name = text(&alert["alert"]);
        assert!(name.starts_with("Hookglot") && seen.insert(name.to_owned()), "{name}");
        let named = known.read(text(&alert["expr"]));
        let severity = text(&alert["labels"]["severity"]);
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity}");
        for (what, words) in [("summary", 80), ("description", 0)] {
            let said = text(&alert["annotations"][what]);
            assert!(!said.is_empty() && (words == 0 || said.len() < 2 * words), "{name}: {what}");
            for label in labels_in(said) {
                gives(&known, &named, label, &format!("{name}: {what}"));
            }
        }
        let (file, chapter) = text(&alert["annotations"]["runbook_url"]).split_once('#').unwrap();
        assert_eq!(file, RUNBOOK, "{name}");
        assert!(chapters.contains(chapter), "{name}: {RUNBOOK} has no chapter #{chapter}");
    }
}

/// `promtool test rules` runs them.
#[test]
fn every_alert_is_seen_firing_and_silent() {
    let tests = yaml::read(&project_file(TESTS));
    let tests = tests["tests"].as_array().unwrap().iter();
    let tried: Vec<(&str, bool)> = tests
        .flat_map(|test| test["alert_rule_test"].as_array().unwrap())
        .map(|own| (text(&own["alertname"]), own["exp_alerts"].as_array().unwrap().is_empty()))
        .collect();
    let alerts = alerts();
    for name in alerts.iter().map(|alert| text(&alert["alert"])) {
        assert!(tried.contains(&(name, false)), "{TESTS} does not see {name} firing");
        assert!(tried.contains(&(name, true)), "{TESTS} does not see {name} silent");
    }
}

/// The runbook names them beside what is seen of each trouble.
#[test]
fn the_runbook_names_every_alert() {
    let runbook = project_file(RUNBOOK);
    let said: BTreeSet<&str> = runbook.split('`').filter(|part| part.starts_with("Hookglot")).collect();
    let alerts = alerts();
    let there: BTreeSet<&str> = alerts.iter().map(|alert| text(&alert["alert"])).collect();
    assert_eq!(said, there);
}

/// The chart carries the same rules.
#[test]
fn the_chart_has_the_same_rules() {
    let of_chart = "deploy/helm/hookglot/hookglot.rules.yml";
    assert_eq!(project_file(of_chart), project_file(RULES), "cp {RULES} {of_chart}");
}
