use crate::support::app::App;
use crate::support::receiver::{Got, Receiver};
use crate::support::{gitflic_push, gitlab_push, wait_for};
use serde_json::{Value, json};

const PROJECT: &str = "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92";

/// A route for both forges, and a tool of each.
struct Both {
    app: App,
    gitlab: Receiver,
    gitflic: Receiver,
    _folder: tempfile::TempDir,
}

impl Both {
    fn start(secret: &str) -> Self {
        let (gitlab, gitflic, folder) = (Receiver::content(), Receiver::content(), tempfile::tempdir().unwrap());
        let config = format!(
            "[[route]]\npath = \"/\"\nsecret = \"{secret}\"\n\
             [[route.to]]\nname = \"reads-gitlab\"\nurl = \"{}\"\nformat = \"gitlab\"\n\
             [[route.to]]\nname = \"reads-gitflic\"\nurl = \"{}\"\nformat = \"gitflic\"\n",
            gitlab.url, gitflic.url
        );
        Self { app: App::with_config(folder.path(), &config), gitlab, gitflic, _folder: folder }
    }

    /// Sends a hook that somebody gets; gives what the log says of its forge and its event.
    fn taken(&self, headers: &[(&str, &str)], body: &str) -> String {
        let answer = self.app.post("/", headers, body.as_bytes());
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("stored")), "{body}: {answer:?}");
        let id = answer.json()["delivery"].as_str().unwrap().to_owned();
        wait_for("the line of the request", || {
            let log = self.app.log();
            let line =
                log.lines().find(|line| line.contains(&id) && line.contains(" event=") && line.contains("forge="))?;
            let field = |name: &str| line.split(&format!("{name}=\"")).nth(1)?.split('"').next().map(str::to_owned);
            Some(format!("{}: {}", field("forge")?, field("event")?))
        })
    }

    fn pass(&self, headers: &[(&str, &str)], body: &Value) -> Got {
        let before = self.gitlab.got().len();
        self.app.post("/", headers, body.to_string().as_bytes());
        self.gitlab.wait_for(before + 1)[before].clone()
    }
}

#[test]
fn a_hook_is_named_by_its_kind_its_name_its_header_or_its_shape() {
    let both = Both::start("none");
    let zero = "0".repeat(40);
    for (header, body, expected) in [
        // By object_kind, with and without the header.
        ("Job Hook", json!({"object_kind": "build", "project_id": 1}), "gitlab: Job Hook"),
        ("", json!({"object_kind": "wiki_page", "project": {"id": 1}}), "gitlab: Wiki Page Hook"),
        ("", json!({"object_kind": "work_item", "project": {"id": 1}}), "gitlab: Issue Hook"),
        // By event_name, which stands where there is no kind.
        ("", json!({"event_name": "user_add_to_group", "group_id": 1}), "gitlab: Member Hook"),
        ("", json!({"event_name": "key_create", "id": 1}), "gitlab: System Hook/key_create"),
        ("System Hook", json!({"event_name": "user_add_to_group"}), "gitlab: System Hook/user_add_to_group"),
        ("Project Hook", json!({"event_name": "project_create"}), "gitlab: Project Hook"),
        ("", json!({"event_name": "project_create"}), "gitlab: System Hook/project_create"),
        ("System Hook", json!({"object_kind": "merge_request"}), "gitlab: System Hook/merge_request"),
        // By the header alone: the body is a custom template's.
        ("Release Hook", json!({"text": "released"}), "gitlab: Release Hook"),
        ("Duo Flow Callback", json!({}), "gitlab: Duo Flow Callback"),
        ("System Hook", json!({"text": "something"}), "gitlab: System Hook/unknown"),
        // By shape alone: GitLab 6.
        ("", json!({"before": zero, "after": "a1", "ref": "refs/heads/main"}), "gitlab: Push Hook"),
        ("", json!({"before": zero, "after": "a1", "ref": "refs/tags/v1"}), "gitlab: Tag Push Hook"),
        ("", json!({"before": zero, "after": "a1", "ref": "refs/heads/x/refs/tags"}), "gitlab: Push Hook"),
        // What nobody knows yet.
        ("", json!({"object_kind": "moon_phase"}), "gitlab: moon_phase"),
        ("Moon Phase Hook", json!({"object_kind": "moon_phase"}), "gitlab: Moon Phase Hook"),
        ("", json!({"action": "MOON_PHASE", "project_id": PROJECT}), "gitflic: MOON_PHASE"),
        // Header and body disagree: the body is believed.
        ("Push Hook", json!({"object_kind": "tag_push", "ref": "refs/tags/v1"}), "gitlab: Tag Push Hook"),
        ("Push Hook", json!({"event_name": "user_create"}), "gitlab: System Hook/user_create"),
        ("Push Hook", json!({"event_name": "project_destroy"}), "gitlab: System Hook/project_destroy"),
        ("Service Hook", json!({"object_kind": "push", "event_name": "push"}), "gitlab: Push Hook"),
        ("Push Hook", json!({"action": "BRANCH_DELETE", "project_id": PROJECT}), "gitflic: BRANCH_DELETE"),
        // Both forges have actions and projects.
        (
            "Milestone Hook",
            json!({"object_kind": "milestone", "action": "create", "project_id": 1}),
            "gitlab: Milestone Hook",
        ),
        (
            "Release Hook",
            json!({"object_kind": "release", "action": "create", "project_id": PROJECT}),
            "gitlab: Release Hook",
        ),
        ("Issue Hook", json!({"action": "opened", "project_id": 3107}), "gitlab: Issue Hook"),
        ("", json!({"action": "BRANCH_DELETE", "project_id": "p"}), "gitflic: BRANCH_DELETE"),
    ] {
        let headers: Vec<(&str, &str)> = if header.is_empty() { Vec::new() } else { vec![("X-Gitlab-Event", header)] };
        assert_eq!(both.taken(&headers, &body.to_string()), expected, "{header:?} {body}");
    }
}

/// A route for one forge does not take the other's hooks for its own, whatever stands in the header.
#[test]
fn a_body_of_the_other_forge_is_ignored_below_the_header_of_the_own() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let route = |forge: &str| {
        format!(
            "[[route]]\npath = \"/{forge}\"\naccept = [\"{forge}\"]\nsecret = \"none\"\n\
             [[route.to]]\nname = \"{forge}\"\nurl = \"{}\"\nformat = \"{forge}\"\n",
            tool.url
        )
    };
    let app = App::with_config(folder.path(), &format!("{}{}", route("gitlab"), route("gitflic")));
    for event in ["Push Hook", "System Hook", "Moon Phase Hook"] {
        let header = [("X-Gitlab-Event", event)];
        for (path, body) in [("/gitlab", gitflic_push()), ("/gitflic", gitlab_push())] {
            let answer = app.post(path, &header, body.as_bytes());
            assert_eq!(
                (answer.status, answer.json()["status"].as_str()),
                (200, Some("ignored")),
                "{event}: {answer:?}"
            );
            assert_eq!(answer.json()["reason"], format!("not a hook of {}", &path[1..]));
        }
    }
    let ignored = app.metric("hookglot_ignored_total{destination=\"\",reason=\"unrecognised\"}");
    assert_eq!(ignored, Some(6));
    // Each on its own route arrives.
    assert_eq!(
        app.post("/gitlab", &[("X-Gitlab-Event", "Push Hook")], gitlab_push().as_bytes()).json()["status"],
        "stored"
    );
    assert_eq!(
        app.post("/gitflic", &[("X-Gitlab-Event", "Push Hook")], gitflic_push().as_bytes()).json()["status"],
        "stored"
    );
    assert_eq!(tool.wait_for(2).len(), 2);
}

#[test]
fn every_kind_of_gitlab_has_its_event_by_body_and_header_by_body_alone_and_by_header_alone() {
    let both = Both::start("none");
    for (header, body) in [
        ("Push Hook", json!({"object_kind": "push", "event_name": "push"})),
        ("Tag Push Hook", json!({"object_kind": "tag_push", "event_name": "tag_push"})),
        ("Issue Hook", json!({"object_kind": "issue", "event_type": "issue"})),
        ("Issue Hook", json!({"object_kind": "work_item"})),
        ("Note Hook", json!({"object_kind": "note", "event_type": "note"})),
        ("Merge Request Hook", json!({"object_kind": "merge_request", "event_type": "merge_request"})),
        ("Wiki Page Hook", json!({"object_kind": "wiki_page"})),
        ("Pipeline Hook", json!({"object_kind": "pipeline"})),
        ("Job Hook", json!({"object_kind": "build"})),
        ("Deployment Hook", json!({"object_kind": "deployment"})),
        ("Feature Flag Hook", json!({"object_kind": "feature_flag"})),
        ("Release Hook", json!({"object_kind": "release", "action": "create"})),
        ("Emoji Hook", json!({"object_kind": "emoji", "event_type": "award"})),
        ("Milestone Hook", json!({"object_kind": "milestone", "action": "close"})),
        ("Resource Access Token Hook", json!({"object_kind": "access_token", "event_name": "expiring_access_token"})),
        ("Resource Deploy Token Hook", json!({"object_kind": "deploy_token", "event_name": "expiring_deploy_token"})),
        ("Vulnerability Hook", json!({"object_kind": "vulnerability"})),
        ("Duo Flow Callback", json!({"object_kind": "duo_workflow", "event": "flow.failed"})),
        ("Member Hook", json!({"event_name": "user_add_to_group"})),
        ("Member Hook", json!({"event_name": "user_update_for_group"})),
        ("Member Hook", json!({"event_name": "user_remove_from_group"})),
        ("Member Hook", json!({"event_name": "user_access_request_to_group"})),
        ("Member Hook", json!({"event_name": "user_access_request_denied_for_group"})),
        ("Subgroup Hook", json!({"event_name": "subgroup_create"})),
        ("Subgroup Hook", json!({"event_name": "subgroup_destroy"})),
    ] {
        let (expected, text) = (format!("gitlab: {header}"), body.to_string());
        assert_eq!(both.taken(&[("X-Gitlab-Event", header)], &text), expected);
        assert_eq!(both.taken(&[], &text), expected);
        assert_eq!(both.taken(&[("X-Gitlab-Event", header)], "{}"), expected);
        // A system hook keeps the name that the body gives it.
        let name = body["event_name"].as_str().or(body["object_kind"].as_str()).unwrap();
        assert_eq!(both.taken(&[("X-Gitlab-Event", "System Hook")], &text), format!("gitlab: System Hook/{name}"));
    }
}

#[test]
fn what_is_a_hook_of_neither_is_answered_200_and_ignored() {
    let both = Both::start("none");
    let bodies = [
        json!({}),
        json!({"hello": "world"}),
        json!({"object_kind": null, "event_name": "", "action": "opened"}),
        json!({"project_id": PROJECT}),
        json!({"action": "", "project_id": PROJECT}),
        // GitHub, Gitea, Bitbucket.
        json!({"action": "opened", "number": 7, "pull_request": {}, "repository": {}}),
        json!({"before": "1", "after": "2", "ref": "refs/heads/main", "pusher": {"name": "o.vetrova"}, "commits": []}),
        json!({"actor": {}, "repository": {}, "push": {"changes": []}}),
    ];
    for body in &bodies {
        for headers in [&[][..], &[("X-Gitlab-Event", "")], &[("X-GitHub-Event", "push"), ("X-Gitea-Event", "push")]] {
            let answer = both.app.post("/", headers, body.to_string().as_bytes());
            let said = (answer.status, answer.json()["status"].clone(), answer.json()["reason"].clone());
            assert_eq!(said, (200, json!("ignored"), json!("not a hook of gitflic or gitlab")), "{body}");
        }
    }
    let counted = both.app.metric("hookglot_ignored_total{destination=\"\",reason=\"unrecognised\"}");
    assert_eq!(counted, Some(3 * bodies.len() as u64));
    assert_eq!((both.gitlab.got().len(), both.gitflic.got().len()), (0, 0));
}

#[test]
fn the_body_of_a_custom_template_reaches_a_tool_of_gitlab_as_it_came() {
    let both = Both::start("none");
    let body = "{ \"text\" :\t\"Olga \\u0432ернулась\",\r\n \"n\": 1.50, \"n\": 1e3 }\n";
    let answer =
        both.app.post("/", &[("X-Gitlab-Event", "Release Hook"), ("User-Agent", "GitLab/18.9.0")], body.as_bytes());
    assert_eq!(answer.json()["status"], "stored");
    let got = both.gitlab.wait_for(1)[0].clone();
    assert_eq!(String::from_utf8(got.body.clone()).unwrap(), body);
    assert_eq!(got.header("X-Gitlab-Event"), Some("Release Hook"));
    // A tool of GitFlic cannot get it, and the log says what it lacks.
    let line = both.app.wait_for_log("names no project");
    assert!(line.contains("destination=\"reads-gitflic\"") && line.contains("the Release Hook"), "{line}");
    let counted = both.app.metric("hookglot_ignored_total{destination=\"reads-gitflic\",reason=\"no_project\"}");
    assert_eq!(counted, Some(1));
    assert_eq!(both.gitflic.got().len(), 0);
}

#[test]
fn a_custom_template_with_a_project_fails_for_a_tool_of_gitflic_with_the_field_that_it_lacks() {
    let both = Both::start("none");
    let body = json!({"text": "pushed", "project_id": 3107, "action": "created"});
    both.pass(&[("X-Gitlab-Event", "Push Hook")], &body);
    let line = both.app.wait_for_log("ERROR failed");
    assert!(line.contains("mappings/gitlab-to-gitflic/push.yaml:") && line.contains("is required"), "{line}");
    assert_eq!(both.gitflic.got().len(), 0);
}

#[test]
fn the_secret_of_one_forge_may_stand_beside_the_body_of_the_other() {
    let both = Both::start("brass-lantern-77");
    let gitlab = both.taken(&[("Gitflic-Webhook-Secret", "brass-lantern-77")], &gitlab_push());
    let gitflic = both.taken(&[("X-Gitlab-Token", "brass-lantern-77")], &gitflic_push());
    assert_eq!([gitlab, gitflic], ["gitlab: Push Hook", "gitflic: BRANCH_UPDATE"]);
    let kinds = |got: Vec<Got>, key: &str| {
        let mut kinds: Vec<Value> = got.iter().map(|got| got.json()[key].clone()).collect();
        kinds.sort_by_key(Value::to_string);
        kinds
    };
    assert_eq!(kinds(both.gitlab.wait_for(2), "object_kind"), ["push", "push"]);
    assert_eq!(kinds(both.gitflic.wait_for(2), "action"), ["BRANCH_UPDATE", "BRANCH_UPDATE"]);
    for got in both.gitlab.got().iter().chain(&both.gitflic.got()) {
        assert!(!got.head.contains("brass-lantern-77"), "{}", got.head);
    }
}

#[test]
fn a_body_that_imitates_gitflic_is_a_custom_template_where_its_project_is_a_number() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let app = App::with_config(
        folder.path(),
        &format!(
            "[[route]]\npath = \"/\"\nsecret = \"none\"\naccept = [\"gitlab\"]\n\
             [[route.to]]\nname = \"tool\"\nurl = \"{}\"\nformat = \"gitlab\"\n",
            tool.url
        ),
    );
    // What a template fills in is GitLab's: its projects have no UUID.
    let body = gitflic_push().replace(&format!("\"project_id\": \"{PROJECT}\""), "\"project_id\": 3107");
    assert_ne!(body, gitflic_push());
    assert_eq!(app.post("/", &[], body.as_bytes()).json()["reason"], "not a hook of gitlab");
    app.post("/", &[("X-Gitlab-Event", "Push Hook")], body.as_bytes());
    let got = &tool.wait_for(1)[0];
    assert_eq!((got.header("X-Gitlab-Event"), got.body.as_slice()), (Some("Push Hook"), body.as_bytes()));
}
