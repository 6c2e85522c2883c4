use crate::judges::demands::moment;
use serde_json::{Value, json};

/// A change as Buildbot shows it.
#[derive(Debug, PartialEq)]
pub struct Change {
    pub category: String,
    pub branch: String,
    pub revision: String,
    author: String,
    comments: String,
    project: String,
    repository: String,
    revlink: String,
    /// In seconds.
    when: Option<i64>,
    /// What a build can read: where a merge request comes from and goes to.
    properties: Vec<(String, Value)>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} should be a text")).to_owned()
}

fn author(commit: &Value) -> String {
    format!("{} <{}>", text(&commit["author"]["name"]), text(&commit["author"]["email"]))
}

fn when(commit: &Value) -> Option<i64> {
    Some(moment(&text(&commit["timestamp"]))?.as_second())
}

impl Change {
    /// Reads one of the changes that Buildbot gives.
    pub fn shown(change: &Value) -> Self {
        let properties = change["properties"].as_object().into_iter().flatten();
        let mut properties: Vec<_> = properties.map(|(name, value)| (name.clone(), value[0].clone())).collect();
        properties.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self {
            category: text(&change["category"]),
            branch: text(&change["branch"]),
            revision: text(&change["revision"]),
            author: text(&change["author"]),
            comments: text(&change["comments"]),
            project: text(&change["project"]),
            repository: text(&change["repository"]),
            revlink: text(&change["revlink"]),
            when: change["when_timestamp"].as_i64(),
            properties,
        }
    }

    /// The branch and the repository that a merge request comes from.
    pub fn source(&self) -> Option<(String, String)> {
        let property = |name: &str| self.properties.iter().find(|(own, _)| own == name).map(|(_, value)| text(value));
        Some((property("source_branch")?, property("source_repository")?))
    }

    fn of_commit(commit: &Value, push: &Value) -> Self {
        let (category, name) = (text(&push["object_kind"]), text(&push["ref"]));
        let branch = name.strip_prefix("refs/heads/").or(name.strip_prefix("refs/tags/")).unwrap_or(&name).to_owned();
        Self {
            branch,
            revision: text(&commit["id"]),
            author: author(commit),
            comments: text(&commit["message"]),
            project: text(&push["repository"]["name"]),
            repository: text(&push["repository"]["url"]),
            revlink: text(&commit["url"]),
            when: when(commit),
            properties: vec![("event".to_owned(), json!(category))],
            category,
        }
    }

    fn of_merge_request(request: &Value, category: &str, note: Option<&Value>) -> Self {
        let commit = &request["last_commit"];
        let mut properties = vec![
            ("event".to_owned(), json!(category)),
            ("source_branch".to_owned(), request["source_branch"].clone()),
            ("source_git_ssh_url".to_owned(), request["source"]["git_ssh_url"].clone()),
            ("source_project_id".to_owned(), request["source_project_id"].clone()),
            ("source_repository".to_owned(), request["source"]["git_http_url"].clone()),
            ("target_branch".to_owned(), request["target_branch"].clone()),
            ("target_git_ssh_url".to_owned(), request["target"]["git_ssh_url"].clone()),
            ("target_project_id".to_owned(), request["target_project_id"].clone()),
            ("target_repository".to_owned(), request["target"]["git_http_url"].clone()),
        ];
        if let Some(note) = note {
            properties.insert(0, ("comments".to_owned(), note.clone()));
        }
        let (title, description) = (text(&request["title"]), text(&request["description"]));
        Self {
            category: category.to_owned(),
            branch: text(&request["target_branch"]),
            revision: text(&commit["id"]),
            author: author(commit),
            comments: format!("MR#{}: {title}\n\n{description}", request["iid"]),
            project: text(&request["target"]["name"]),
            repository: text(&request["target"]["git_http_url"]),
            revlink: text(&request["url"]),
            when: when(commit),
            properties,
        }
    }
}

/// The changes that Buildbot makes of a GitLab hook: one of each commit of a push; one of a merge request that is opened
/// or gets new commits; one of a comment on a merge request. Of everything else none.
pub fn expected(hook: &Value) -> Vec<Change> {
    let attributes = &hook["object_attributes"];
    match hook["object_kind"].as_str().unwrap_or_default() {
        "push" | "tag_push" => {
            hook["commits"].as_array().unwrap().iter().map(|commit| Change::of_commit(commit, hook)).collect()
        }
        "merge_request" => {
            let is_open = !matches!(attributes["state"].as_str(), Some("closed" | "merged" | "approved"));
            let brings_code = match attributes["action"].as_str() {
                Some("open" | "reopen") => true,
                Some("update") => attributes.get("oldrev").is_some(),
                _ => false,
            };
            let one = || Change::of_merge_request(attributes, "merge_request", None);
            (is_open && brings_code).then(one).into_iter().collect()
        }
        "note" => {
            let one = |request| Change::of_merge_request(request, "note", Some(&attributes["note"]));
            hook.get("merge_request").map(one).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The branch and the revisions that somebody who reads GitFlic's hook must find in Buildbot; nothing where that hook
/// alone does not tell.
pub fn promised(hook: &Value) -> Option<(String, Vec<String>)> {
    let (push, nothing) = (&hook["push"], Some((String::new(), Vec::new())));
    match hook["action"].as_str()? {
        "BRANCH_DELETE" | "TAG_DELETE" | "TEST_WEBHOOK" => nothing,
        "BRANCH_CREATE" | "BRANCH_UPDATE" | "TAG_CREATE" | "PUSH" => {
            let (name, after) = (text(&push["ref"]), text(&push["after"]));
            if after.trim_start_matches('0').is_empty() {
                return nothing;
            }
            let listed = push["commits"].as_array().into_iter().flatten();
            let mut revisions: Vec<String> = listed.map(|commit| text(&commit["id"])).collect();
            if !revisions.contains(&after) {
                revisions.push(after);
            }
            let branch = name.strip_prefix("refs/heads/").or(name.strip_prefix("refs/tags/")).unwrap_or(&name);
            Some((branch.to_owned(), revisions))
        }
        "MERGE_REQUEST_CREATE" | "DISCUSSION_CREATE" | "DISCUSSION_COMMENT_CREATE" => {
            request(hook).map(|(branch, commit)| (branch, vec![commit]))
        }
        action if action.starts_with("ISSUE_") || action.starts_with("PIPELINE_") => nothing,
        "NEW_ISSUE_NOTE" | "MERGE" | "MERGE_REQUEST_CLOSE" | "MERGE_REQUEST_CANCEL" | "MERGE_REQUEST_ACCEPT" => nothing,
        _ => None,
    }
}

/// Where a merge request of GitFlic goes to, and its commit; nothing where the hook leaves one of them out.
fn request(hook: &Value) -> Option<(String, String)> {
    let told = |name: &str| hook["merge_request"][name].as_str().filter(|text| !text.is_empty());
    Some((told("target_branch")?.to_owned(), told("source_commit")?.to_owned()))
}

/// What GitFlic's hook says of the place that a merge request comes from, as Buildbot must show it: branch and clone URL.
pub fn promised_source(hook: &Value) -> Option<(String, String)> {
    let branch = hook["merge_request"]["source_branch"].as_str().filter(|branch| !branch.is_empty())?;
    Some((branch.to_owned(), hook["project"]["http_transport_url"].as_str()?.to_owned()))
}
