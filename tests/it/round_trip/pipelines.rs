use super::{commit, event, hook, number, project, sha, there_and_back, time, translate, uuid};
use crate::mappings::direction;
use hookglot::mapping::Untranslated;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// GitFlic documents no body: the pipeline of its REST API, with the names that hooks use.
fn pipeline() -> impl Strategy<Value = Value> {
    let told = select(vec![
        ("PIPELINE_NEW", "CREATED"),
        ("PIPELINE_NEW", "PENDING"),
        ("PIPELINE_SUCCESS", "SUCCESS"),
        ("PIPELINE_WARNING", "WARNING"),
        ("PIPELINE_FAIL", "FAILED"),
        ("PIPELINE_FAIL", "CANCELED"),
    ]);
    let sources = ["PUSH", "TRIGGER", "SCHEDULE", "WEB", "API", "PARENT_PIPELINE", "MERGE_REQUEST_EVENT"];
    let reference = prop_oneof!["refs/heads/[a-z][a-z0-9/_-]{0,20}", "refs/tags/v[0-9.]{1,9}"];
    let run = (told, number(), reference, sha(), select(sources.to_vec()), uuid());
    let times = (time(), prop::option::of(time()), prop::option::of(time()), 0_u32..90_000);
    let left_out = prop::sample::subsequence(vec!["status", "source", "url", "commit", "user_id", "duration"], 0..=6);
    (project(), run, commit(), times, left_out).prop_map(
        |(project, ((action, status), number, reference, sha, source, who), mut commit, times, left_out)| {
            commit["id"] = json!(sha);
            let (created_at, started_at, finished_at, duration) = times;
            let mut pipeline = json!({
                "id": "9a8b7c6d-5e4f-4a3b-9c2d-1e0f9a8b7c6d", "local_id": number, "status": status, "ref": reference,
                "commit_id": sha, "source": source, "user_id": who, "commit": commit,
                "url": "https://git.example.org/project/a/b/cicd/pipeline/41",
                "created_at": created_at, "started_at": started_at, "finished_at": finished_at, "duration": duration,
            });
            let members = pipeline.as_object_mut().unwrap();
            members.retain(|field, _| !left_out.contains(&field.as_str()));
            hook(action, project, json!({"pipeline": pipeline}))
        },
    )
}

/// GitFlic has no event for what lies between a pipeline's start and its end, so nothing of it is sent back.
#[test]
fn a_pipeline_between_start_and_end_goes_there_and_is_ignored_on_its_way_back() {
    let text = crate::support::project_file("mappings/gitflic-to-gitlab/examples/PIPELINE_NEW.json");
    for status in ["WAITING_FOR_RESOURCE", "RUNNING", "SKIPPED", "MANUAL"] {
        let mut hook: Value = serde_json::from_str(&text).unwrap();
        hook["pipeline"]["status"] = json!(status);
        let (_, headers, body) = translate(direction("gitflic", "gitlab"), "PIPELINE_NEW", &hook, &json!({})).unwrap();
        assert_eq!(body["object_attributes"]["status"], status.to_lowercase());
        let back = translate(direction("gitlab", "gitflic"), &event(&headers, &body), &body, &json!({}));
        assert!(matches!(back, Err(Untranslated::Ignored { .. })), "{status}: {back:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_pipeline_comes_back_as_it_was(hook in pipeline()) {
        // GitLab's times of a pipeline have no fractions of a second; whole ones must come back.
        let mut kept = Vec::new();
        for (path, field) in [("pipeline.created_at", "created_at"), ("pipeline.finished_at", "finished_at")] {
            if hook["pipeline"][field].as_str().is_some_and(|time| !time.contains('.')) {
                kept.push(path);
            }
        }
        there_and_back(&hook, &json!({}), &kept)?;
    }
}
