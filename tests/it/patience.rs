use crate::support::app::App;
use crate::support::receiver::Receiver;
use crate::support::{gitflic_push, gitlab_push};

const LEFT: &str = "hookglot_failures_until_disabled{forge=\"gitlab\",route=\"/\"}";

#[test]
fn what_makes_the_forge_disable_its_hook_is_counted_down_until_something_goes_well() {
    let tool = Receiver::content();
    let app = App::with_environment(&[
        ("HOOKGLOT_TO", &tool.url),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SECRET", "brass-lantern-77"),
    ]);
    let good = [("X-Gitlab-Event", "Push Hook"), ("X-Gitlab-Token", "brass-lantern-77")];
    let wrong = [("X-Gitlab-Event", "Push Hook"), ("X-Gitlab-Token", "tin-whistle-34")];
    assert_eq!(app.post("/", &good, b"{").status, 400);
    assert_eq!(app.metric(LEFT), Some(3));
    assert_eq!(app.post("/", &wrong, gitlab_push().as_bytes()).status, 401, "GitLab counts a wrong secret as well");
    assert_eq!(app.metric(LEFT), Some(2));
    // GitFlic is not known to disable hooks, nor does it say which event it is before its body is read.
    assert_eq!(app.post("/", &[("X-Gitlab-Token", "tin-whistle-34")], gitflic_push().as_bytes()).status, 401);
    assert_eq!(app.metric(LEFT), Some(2));
    for left in [1, 0, 0] {
        app.post("/", &wrong, b"{}");
        assert_eq!(app.metric(LEFT), Some(left));
    }
    assert_eq!(app.post("/", &good, gitlab_push().as_bytes()).status, 200);
    assert_eq!(app.metric(LEFT), Some(4));
    assert!(!app.get_admin("/metrics").body.contains("hookglot_failures_until_disabled{forge=\"gitflic\""));
}

#[test]
fn a_forge_file_says_after_how_many_failures_and_is_held_to_sense() {
    for (line, says) in [
        ("disabled_after: 0", "`disabled_after` is a number of failures in a row, from 1"),
        ("disabled_after: many", "`disabled_after` is a number of failures in a row, from 1"),
        ("disabled_after: 4", "`disabled_after` needs an `event_header`, by which hooks that failed are known"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let built_in = crate::support::project_file("mappings/gitflic/forge.yaml");
        std::fs::create_dir(folder.path().join("gitflic")).unwrap();
        let own = built_in.replace("event_header: null", &format!("{line}\nevent_header: null"));
        assert_ne!(own, built_in);
        std::fs::write(folder.path().join("gitflic/forge.yaml"), own).unwrap();
        let ended = crate::support::process::run(&["check", "--mappings-dir", folder.path().to_str().unwrap()]);
        assert!(ended.code == Some(1) && ended.err.contains(says), "{line}: {ended:?}");
    }
}
