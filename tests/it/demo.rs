use crate::support::app::{App, command};
use crate::support::{gitflic_push, gitlab_push, wait_for};

#[test]
fn without_configuration_both_forges_are_translated_into_the_other_and_printed() {
    let app = App::start(command(&["serve"]));
    wait_for("the demonstration's greeting", || app.out().contains("hookglot demonstration").then_some(()));
    assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).json()["status"], "stored");
    wait_for("the GitLab hook", || app.out().contains("\"object_kind\": \"push\"").then_some(()));
    // Headers are printed before the body.
    assert!(app.out().contains("X-Gitlab-Event: Push Hook"), "{}", app.out());
    assert_eq!(app.post("/", &[("X-Gitlab-Event", "Push Hook")], gitlab_push().as_bytes()).json()["status"], "stored");
    wait_for("the GitFlic hook", || app.out().contains("\"action\": \"BRANCH_UPDATE\"").then_some(()));
}

#[test]
fn the_demonstration_listens_where_the_readme_says_by_default() {
    let settings =
        hookglot::config::load(&hookglot::config::Flags::default(), &std::collections::HashMap::new()).unwrap();
    assert_eq!(
        (settings.listen.to_string(), settings.admin_listen.to_string()),
        ("127.0.0.1:8080".into(), "127.0.0.1:9090".into())
    );
    assert!(settings.demo);
    assert_eq!(settings.data_dir, std::path::Path::new("./hookglot-data"));
}
