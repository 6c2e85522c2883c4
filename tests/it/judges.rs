//! Every GitLab hook that a built-in mapping makes of an example or of the day in a project, and what the tools that read such
//! hooks say of it.

/// Buildbot, a real one, behind a real hookglot.
mod buildbot;
/// The list of what tools demand, field by field.
mod demands;
/// The Rust crate `gitlab`, whose types are the strictest that we know.
mod rust_crate;

use hookglot::mapping::ExampleOutput;
use serde_json::Value;
use std::collections::BTreeSet;

/// The kinds of GitLab hooks that the mappings make, each of which a judge must have seen.
const KINDS: [&str; 7] = ["push", "tag-push", "issue", "note-issue", "note-mr", "merge-request", "pipeline"];

/// Every example hook of GitFlic, with what becomes of it.
fn examples() -> Vec<ExampleOutput> {
    crate::mappings::direction("gitflic", "gitlab").examples()
}

/// A GitLab hook that a mapping has made.
struct Made {
    /// The example, as messages name it.
    name: String,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Made {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }
}

/// Every GitLab hook that the mappings make: of their examples, and of GitFlic's day in a project.
fn made() -> Vec<Made> {
    let hooks = examples().into_iter().filter_map(|example| {
        let name = name(&example);
        example.output.map(|(headers, body)| Made { name, headers, body })
    });
    hooks.chain(of_the_day()).collect()
}

/// The GitLab hooks of the day in a project, each made of what hookglot has learned from those before it.
fn of_the_day() -> Vec<Made> {
    let hooks = crate::day::gitlab_hooks().into_iter().map(|(name, event, body)| {
        let headers = vec![("X-Gitlab-Event".to_owned(), event)];
        Made { name: format!("day/gitflic-becomes/{name}"), headers, body }
    });
    hooks.collect()
}

/// GitLab's own hooks in their full form: what a judge refuses of these, it refuses wrongly. They are those of GitLab's day
/// in a project and, where a folder of samples is at hand, those of GitLab 13, which does not know `draft` yet.
fn whole_hooks() -> Vec<Made> {
    let today = crate::day::told("gitlab").into_iter().map(|own| {
        let event = own.value["headers"]["X-Gitlab-Event"].as_str().unwrap().to_owned();
        let headers = vec![("X-Gitlab-Event".to_owned(), event)];
        Made { name: format!("day/gitlab/{}", own.name), headers, body: own.value["body"].clone() }
    });
    today.filter(|own| kind(&own.body).is_some()).chain(samples()).collect()
}

fn samples() -> Vec<Made> {
    let Some(folder) = std::env::var_os(crate::samples::VARIABLE) else { return Vec::new() };
    let mut files: Vec<_> = std::fs::read_dir(std::path::Path::new(&folder).join("gitlab-full"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let hooks = files.into_iter().filter_map(|path| {
        let event = std::fs::read_to_string(path.with_extension("event")).unwrap().trim().to_owned();
        let mut body: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for holder in ["/object_attributes", "/merge_request"] {
            if let Some(request) = body.pointer_mut(holder).filter(|holder| holder.get("work_in_progress").is_some()) {
                request["draft"] = request["work_in_progress"].clone();
            }
        }
        let own = Made { name: path.display().to_string(), headers: vec![("X-Gitlab-Event".to_owned(), event)], body };
        kind(&own.body).map(|_| own)
    });
    hooks.collect()
}

fn name(example: &ExampleOutput) -> String {
    format!("{}:{} \"{}\"", example.file, example.position.line, example.name)
}

/// What kind of hook a body is; none for one that the judges know nothing of, such as a member's.
fn kind(body: &Value) -> Option<&'static str> {
    Some(match (body["object_kind"].as_str()?, body["object_attributes"]["noteable_type"].as_str()) {
        ("push", _) => "push",
        ("tag_push", _) => "tag-push",
        ("issue", _) => "issue",
        ("merge_request", _) => "merge-request",
        ("note", Some("MergeRequest")) => "note-mr",
        ("note", Some("Issue")) => "note-issue",
        ("pipeline", _) => "pipeline",
        _ => return None,
    })
}

/// A judge that has seen nothing has said nothing.
fn assert_every_kind_among(judged: &BTreeSet<&str>) {
    let missing: Vec<_> = KINDS.iter().filter(|kind| !judged.contains(*kind)).collect();
    assert!(missing.is_empty(), "no example gives a hook of the kinds {missing:?}");
}
