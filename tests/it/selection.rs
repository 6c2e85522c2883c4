use crate::config::{ConfigFile, assert_faults};
use crate::support::app::App;
use crate::support::process::{Ended, run};
use crate::support::project_file;
use crate::support::receiver::Receiver;
use serde_json::{Value, json};

const ZERO: &str = "0000000000000000000000000000000000000000";

/// A destination that reads `format`, with further settings, behind a route of its own.
struct Filtered {
    app: App,
    tool: Receiver,
    _folder: tempfile::TempDir,
}

impl Filtered {
    fn start(format: &str, more: &str) -> Self {
        let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
        let config = format!(
            "[[route]]\npath = \"/\"\nsecret = \"none\"\n\
             [[route.to]]\nname = \"tool\"\nurl = \"{}\"\nformat = \"{format}\"\n{more}\n",
            tool.url
        );
        Self { app: App::with_config(folder.path(), &config), tool, _folder: folder }
    }

    /// Whether a hook gets through; what is held back is so because of its branch.
    #[track_caller]
    fn takes(&self, headers: &[(&str, &str)], body: &Value) -> bool {
        let answer = self.app.post("/", headers, body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        let (status, reason) = (answer.json()["status"].clone(), answer.json()["reason"].clone());
        if status == "stored" {
            return true;
        }
        assert!(reason.as_str().unwrap().starts_with("the destination tool does not want `"), "{body}: {answer:?}");
        false
    }

    fn held_back(&self) -> u64 {
        self.app.metric("hookglot_ignored_total{destination=\"tool\",reason=\"branch\"}").unwrap_or_default()
    }
}

fn gitflic(action: &str, name: &str) -> Value {
    let example = if action.starts_with("PIPELINE") { "PIPELINE_NEW" } else { "BRANCH_UPDATE" };
    let mut hook = parsed(&format!("mappings/gitflic-to-gitlab/examples/{example}.json"));
    hook["action"] = action.into();
    let kind = if action.starts_with("TAG") { "tags" } else { "heads" };
    let object = if hook["pipeline"].is_object() { "pipeline" } else { "push" };
    hook[object]["ref"] = format!("refs/{kind}/{name}").into();
    hook
}

fn gitlab(example: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut hook = parsed(&format!("mappings/gitlab-to-gitflic/examples/{example}.json"));
    change(&mut hook);
    hook
}

fn push(name: &str) -> Value {
    gitlab("push", |hook| hook["ref"] = format!("refs/heads/{name}").into())
}

fn parsed(path: &str) -> Value {
    serde_json::from_str(&project_file(path)).unwrap()
}

#[test]
fn a_wildcard_of_gitlab_decides_on_pushes_to_branches_and_on_nothing_else() {
    let filtered = Filtered::start("gitlab", "branch_filter = {wildcard = \"release/*\"}");
    assert!(filtered.takes(&[], &push("release/1.0")));
    assert!(filtered.takes(&[], &push("release/a/b")));
    for name in ["main", "old-release/1", "release", "Release/1"] {
        assert!(!filtered.takes(&[], &push(name)), "{name}");
    }
    // A branch that is deleted is known by its name as well.
    let deleted = |name: &str| {
        let mut hook = push(name);
        (hook["after"], hook["checkout_sha"], hook["commits"]) = (ZERO.into(), Value::Null, json!([]));
        hook
    };
    assert!(filtered.takes(&[], &deleted("release/1.0")));
    assert!(!filtered.takes(&[], &deleted("main")));
    // The same of a system hook.
    assert!(!filtered.takes(&[("X-Gitlab-Event", "System Hook")], &push("main")));
    assert!(filtered.takes(&[("X-Gitlab-Event", "System Hook")], &push("release/2")));
    // Tags, merge requests, pipelines and all others pass.
    for example in ["tag-push", "merge-request-open", "pipeline-success", "issue-open"] {
        assert!(filtered.takes(&[], &gitlab(example, |_| {})), "{example}");
    }
    assert_eq!(filtered.held_back(), 6);
    let line = filtered.app.wait_for_log("does not want `main`");
    assert!(
        line.contains("its branch_filter is wildcard `release/*`") && line.contains("destination=\"tool\""),
        "{line}"
    );
    assert_eq!(filtered.app.metric("hookglot_deliveries_total{destination=\"tool\",outcome=\"ignored\"}"), Some(6));
    // What was stored arrives, and nothing else.
    assert_eq!(filtered.tool.wait_for(8).len(), 8);
}

#[test]
fn a_wildcard_holds_branches_of_gitflic_back_from_a_tool_of_gitlab() {
    let filtered = Filtered::start("gitlab", "branch_filter = {wildcard = \"main\"}");
    for action in ["BRANCH_CREATE", "BRANCH_UPDATE", "BRANCH_DELETE"] {
        assert!(filtered.takes(&[], &gitflic(action, "main")), "{action}");
        assert!(!filtered.takes(&[], &gitflic(action, "feature/x")), "{action}");
    }
    for action in ["TAG_CREATE", "TAG_DELETE", "PIPELINE_NEW", "PIPELINE_FAIL"] {
        assert!(filtered.takes(&[], &gitflic(action, "feature/x")), "{action}");
    }
    assert_eq!(filtered.held_back(), 3);
}

#[test]
fn push_of_gitflic_is_filtered_where_its_ref_is_a_branch() {
    let filtered = Filtered::start("gitlab", "events = [\"PUSH\"]\nbranch_filter = {wildcard = \"main\"}");
    let mut tag = gitflic("PUSH", "v1");
    tag["push"]["ref"] = "refs/tags/v1".into();
    assert!(filtered.takes(&[], &tag));
    assert!(filtered.takes(&[], &gitflic("PUSH", "main")));
    assert!(!filtered.takes(&[], &gitflic("PUSH", "feature/x")));
}

#[test]
fn a_regular_expression_is_found_anywhere_in_the_name() {
    let filtered = Filtered::start("gitflic", "branch_filter = {regex = \"main|^release/[0-9]+$\"}");
    for (name, is_taken) in
        [("main", true), ("domain", true), ("release/12", true), ("release/12a", false), ("MAIN", false)]
    {
        assert_eq!(filtered.takes(&[], &push(name)), is_taken, "{name}");
        assert_eq!(filtered.takes(&[], &gitflic("BRANCH_UPDATE", name)), is_taken, "{name}");
    }
    assert!(filtered.takes(&[], &gitlab("tag-push", |_| {})));
}

#[test]
fn no_filter_and_a_blank_one_let_every_branch_pass() {
    for filter in ["", "branch_filter = \"all\"", "branch_filter = {wildcard = \"\"}", "branch_filter = {regex = \"\"}"]
    {
        let filtered = Filtered::start("gitlab", filter);
        assert!(filtered.takes(&[], &push("any/branch")), "{filter}");
    }
}

#[test]
fn the_list_of_gitflic_decides_on_exactly_its_seven_events() {
    let filtered = Filtered::start("gitflic", "branch_filter = {list = \"main:release/1.0:v*\"}");
    let seven = [
        "BRANCH_CREATE",
        "BRANCH_UPDATE",
        "TAG_CREATE",
        "TAG_DELETE",
        "PIPELINE_NEW",
        "PIPELINE_SUCCESS",
        "PIPELINE_FAIL",
    ];
    for action in seven {
        for name in ["main", "release/1.0", "v7"] {
            assert!(filtered.takes(&[], &gitflic(action, name)), "{action} {name}");
        }
        assert!(!filtered.takes(&[], &gitflic(action, "feature/x")), "{action}");
        assert!(!filtered.takes(&[], &gitflic(action, "main2")), "{action}");
    }
    assert_eq!(filtered.held_back(), 14);
    // Every other event that GitFlic is known to send, of a branch that is not in the list.
    let forges = project_file("mappings/gitflic/forge.yaml");
    let events = forges.split("\nevents:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let others: Vec<&str> =
        events.lines().filter_map(|line| line.trim().split(':').next()).filter(|own| !seven.contains(own)).collect();
    assert!(others.len() > 15, "{others:?}");
    for action in others {
        let mut hook = gitflic(action, "feature/x");
        hook["pipeline"] = json!({"ref": "refs/heads/feature/x"});
        hook["merge_request"] = json!({"source_branch": "feature/x", "target_branch": "feature/y"});
        let answer = filtered.app.post("/", &[], hook.to_string().as_bytes());
        assert!(!answer.body.contains("does not want"), "{action}: {answer:?}");
    }
    assert_eq!(filtered.held_back(), 14);
}

#[test]
fn the_list_of_gitflic_decides_on_the_events_of_gitlab_that_are_like_its_own() {
    let filtered = Filtered::start("gitflic", "branch_filter = {list = \"main\"}");
    assert!(filtered.takes(&[], &push("main")));
    assert!(!filtered.takes(&[], &push("feature/x")));
    assert!(!filtered.takes(&[], &gitlab("tag-push", |_| {})));
    let pipeline = |name: &str, status: &str, detailed: &str| {
        gitlab("pipeline-success", |hook| {
            let attributes = &mut hook["object_attributes"];
            (attributes["ref"], attributes["tag"]) = (name.into(), false.into());
            (attributes["status"], attributes["detailed_status"]) = (status.into(), detailed.into());
        })
    };
    assert!(filtered.takes(&[], &pipeline("main", "success", "passed")));
    assert!(!filtered.takes(&[], &pipeline("feature/x", "success", "passed")));
    assert!(!filtered.takes(&[], &pipeline("feature/x", "failed", "failed")));
    // GitFlic's list says nothing of these.
    assert!(filtered.takes(&[], &pipeline("feature/x", "success", "passed with warnings")));
    let deleted = gitlab("push-delete-branch", |hook| hook["ref"] = "refs/heads/feature/x".into());
    assert!(filtered.takes(&[], &deleted));
    assert!(filtered.takes(&[], &gitlab("merge-request-open", |_| {})));
}

#[test]
fn one_hook_reaches_the_destinations_that_want_its_branch() {
    let (all, main, folder) = (Receiver::content(), Receiver::content(), tempfile::tempdir().unwrap());
    let app = App::with_config(
        folder.path(),
        &format!(
            "[[route]]\npath = \"/\"\nsecret = \"none\"\n\
             [[route.to]]\nname = \"all\"\nurl = \"{}\"\nformat = \"gitlab\"\n\
             [[route.to]]\nname = \"main\"\nurl = \"{}\"\nformat = \"gitlab\"\nbranch_filter = {{wildcard = \"main\"}}\n",
            all.url, main.url
        ),
    );
    for name in ["feature/x", "main"] {
        assert_eq!(app.post("/", &[], push(name).to_string().as_bytes()).json()["status"], "stored");
    }
    all.wait_for(2);
    assert_eq!(main.wait_for(1)[0].json()["ref"], "refs/heads/main");
    assert_eq!(app.metric("hookglot_ignored_total{destination=\"main\",reason=\"branch\"}"), Some(1));
}

#[test]
fn a_branch_that_cannot_be_read_is_held_back_and_says_so() {
    let filtered = Filtered::start("gitlab", "branch_filter = {wildcard = \"main\"}");
    let odd = gitlab("push", |hook| hook["ref"] = json!({"name": "main"}));
    let answer = filtered.app.post("/", &[], odd.to_string().as_bytes());
    assert_eq!((answer.status, &answer.json()["status"]), (200, &"ignored".into()), "{answer:?}");
    assert!(answer.json()["reason"].as_str().unwrap().contains("mappings/gitlab/forge.yaml:"), "{answer:?}");
}

#[test]
fn the_check_button_is_answered_200_and_delivered_only_where_it_is_listed() {
    let test = project_file("mappings/gitflic-to-gitlab/examples/TEST_WEBHOOK.json");
    for format in ["gitflic", "gitlab"] {
        let unlisted = Filtered::start(format, "");
        let answer = unlisted.app.post("/", &[], test.as_bytes());
        assert_eq!((answer.status, &answer.json()["status"]), (200, &"ignored".into()), "{answer:?}");
        assert!(answer.json()["reason"].as_str().unwrap().contains("list TEST_WEBHOOK"), "{answer:?}");

        let listed = Filtered::start(format, "events = [\"TEST_WEBHOOK\"]\nbranch_filter = {list = \"main\"}");
        let answer = listed.app.post("/", &[], test.as_bytes());
        assert_eq!((answer.status, &answer.json()["status"]), (200, &"stored".into()), "{answer:?}");
        let got = &listed.tool.wait_for(1)[0];
        if format == "gitflic" {
            assert_eq!(got.body, test.as_bytes());
        } else {
            let body = got.json();
            assert_eq!(got.header("X-Gitlab-Event"), Some("Push Hook"));
            assert_eq!((&body["ref"], &body["after"]), (&"refs/heads/hookglot-test".into(), &ZERO.into()));
        }
        assert_eq!(unlisted.tool.got().len(), 0);
    }
}

/// A configuration of one route, with what it accepts and what its destination says.
fn config(accept: &str, destination: &str) -> ConfigFile {
    ConfigFile::new(&format!(
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n{accept}\n\
         [[route.to]]\nname = \"tool\"\nurl = \"http://127.0.0.1:9/\"\nformat = \"gitlab\"\n{destination}\n"
    ))
}

fn check(file: &ConfigFile, more: &[&str]) -> Ended {
    run(&[&["check", "--config", file.shown()], more].concat())
}

/// The warnings of a check that finds nothing worse.
#[track_caller]
fn warnings(file: &ConfigFile) -> Vec<String> {
    let checked = check(file, &[]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let beginning = format!("hookglot: warning: {}: ", file.shown());
    checked
        .err
        .lines()
        .map(|line| line.strip_prefix(&beginning).unwrap_or_else(|| panic!("{line}")).to_owned())
        .collect()
}

#[test]
fn a_filter_that_cannot_be_used_is_a_fault_with_its_place() {
    for (filter, place, message) in [
        ("{regex = \"^(main\"}", ".regex", "unclosed group"),
        ("{regex = \"^(?!main)\"}", ".regex", "look-around"),
        ("{regex = 5}", ".regex", "expected a text"),
        ("{wildcart = \"main\"}", ".wildcart", "unknown setting, did you mean `wildcard`?"),
        ("{wildcard = \"main\", list = \"main\"}", "", "expected one of wildcard, regex and list"),
        ("{}", "", "expected one of wildcard, regex and list"),
        ("\"main\"", "", "expected \"all\" or one of"),
        ("[\"main\"]", "", "expected \"all\" or one of"),
    ] {
        let said = config("", &format!("branch_filter = {filter}")).faults(&[], &[]);
        assert_faults(&said, &[(&format!("route[0].to[0].branch_filter{place}"), message)]);
    }
}

#[test]
fn an_event_that_no_forge_of_the_route_sends_does_not_pass_in_silence() {
    let listed = "events = [\"BRANCH_UPDTE\", \"Push Hook\", \"TAG_CREATE\", \"MOON_PHASE\"]";
    let file = config("accept = [\"gitflic\"]", listed);
    let expected = [
        "route[0].to[0].events: gitflic is not known to send an event `BRANCH_UPDTE`, did you mean `BRANCH_UPDATE`?",
        "route[0].to[0].events: `Push Hook` is an event of gitlab, whose hooks the route does not accept",
        "route[0].to[0].events: gitflic is not known to send an event `MOON_PHASE`",
    ];
    assert_eq!(warnings(&file), expected);
    let strict = check(&file, &["--strict"]);
    assert_eq!((strict.code, strict.err.lines().count()), (Some(1), 3), "{strict:?}");
    let as_json = check(&file, &["--format", "json"]);
    let all: Value = serde_json::from_str(&as_json.out).unwrap();
    assert_eq!((&all[0]["severity"], all.as_array().unwrap().len()), (&"warning".into(), 3), "{all}");
    // The same stands in the log when it runs.
    let folder = tempfile::tempdir().unwrap();
    let app = App::with_config(folder.path(), &std::fs::read_to_string(&file.path).unwrap());
    let line = app.wait_for_log("BRANCH_UPDTE");
    assert!(line.contains("WARN") && line.contains("did you mean"), "{line}");
}

#[test]
fn a_destination_that_could_never_get_anything_is_refused() {
    let file = config("accept = [\"gitflic\"]", "events = [\"Push Hook\", \"Issue Hook\"]");
    assert_faults(&file.faults(&[], &[]), &[("route[0].to[0].events", "would never get anything")]);
    let checked = check(&file, &[]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.err.contains("would never get anything"), "{checked:?}");
}

#[test]
fn a_filter_that_decides_on_none_of_the_events_is_told() {
    let file = config("", "events = [\"Merge Request Hook\"]\nbranch_filter = {wildcard = \"main\"}");
    assert_eq!(
        warnings(&file),
        ["route[0].to[0].branch_filter: a wildcard decides on none of the destination's events"]
    );
}

#[test]
fn a_pattern_that_fits_no_branch_is_told() {
    let fits_none = |filter: &str| warnings(&config("", &format!("branch_filter = {{{filter}}}")));
    for (filter, character) in [("wildcard = \"main:release/*\"", ":"), ("list = \"main:v[0-9]\"", "[")] {
        let said = fits_none(filter);
        let place = format!("route[0].to[0].branch_filter: no branch has a `{character}` in its name");
        assert!(matches!(&said[..], [only] if only.starts_with(&place)), "{said:?}");
    }
    assert!(fits_none("list = \"main: release/*\"").is_empty());
}

#[test]
fn settings_that_no_mapping_reads_and_values_that_none_expects_are_told() {
    let settings = "[route.to.settings]\nisue_url = \"{project_url}/i/{iid}\"\nmember_events = \"sytem\"\n\
                    commit_url = 5\ncoffee = true\ndefault_branch = \"trunk\"";
    let file = config("", settings);
    let mut said = warnings(&file);
    said.sort();
    let expected = [
        "route[0].to[0].settings.coffee: no mapping reads this setting",
        "route[0].to[0].settings.commit_url: expected a text",
        "route[0].to[0].settings.isue_url: no mapping reads this setting, did you mean `issue_url`?",
        "route[0].to[0].settings.member_events: expected group or system, did you mean `system`?",
    ];
    assert_eq!(said, expected);
    let folder = tempfile::tempdir().unwrap();
    let app = App::with_config(folder.path(), &std::fs::read_to_string(&file.path).unwrap());
    app.wait_for_log("did you mean `issue_url`?");
}

#[test]
fn mappings_of_ones_own_bring_events_and_settings_of_their_own() {
    let file = config("", "events = [\"MOON_PHASE\"]\n[route.to.settings]\nmoon_url = \"{phase}\"");
    assert_eq!(warnings(&file).len(), 2);
    let mapping = "mapping: 1\nname: moon\nevent: MOON_PHASE\nbody:\n  object_kind: moon\n  at: ${settings.moon_url ?? 'none'}\n\
                   lossy:\n  - action, project_id: the moon has none\nexamples:\n  - name: full\n    input: {action: MOON_PHASE, project_id: p}\n    \
                   settings: {moon_url: x}\n    expect: {object_kind: moon, at: x}\n";
    let folder = file.folder.path().join("mappings/gitflic-to-gitlab");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("moon.yaml"), mapping).unwrap();
    let own = file.folder.path().join("mappings");
    let checked = check(&file, &["--mappings-dir", own.to_str().unwrap()]);
    assert!(!checked.err.contains("route[0]"), "{checked:?}");
    assert_eq!(checked.code, Some(0), "{checked:?}");
}

#[test]
fn every_setting_that_the_built_in_mappings_read_is_declared() {
    let rules = hookglot::rules::Rules::load(&hookglot::mapping_files::built_in()).unwrap().0;
    for ((_, to), set) in &rules.directions {
        let target = rules.forges.named(to).unwrap();
        let read: std::collections::BTreeSet<&str> = set.settings().flatten().collect();
        let declared: std::collections::BTreeSet<&str> = target.settings().collect();
        assert_eq!(read, declared, "{to}");
    }
}
