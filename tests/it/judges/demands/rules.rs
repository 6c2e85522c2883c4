//! Types, dates, addresses and what must agree in a hook, whatever its event.

use serde_json::Value;

/// No address ends so: what checks addresses refuses these names of no real host.
const NO_HOSTS: [&str; 6] = [".test", ".invalid", ".local", ".localhost", ".onion", ".arpa"];

/// Holds a body to what all tools together demand.
pub fn check(body: &Value, faults: &mut Vec<String>) {
    for (name, value) in body.as_object().into_iter().flatten() {
        look(value, name, "", name, faults);
    }
    let kind = body["object_kind"].as_str().unwrap_or_default();
    if matches!(kind, "push" | "tag_push") {
        push(body, faults);
    }
    if kind == "merge_request" {
        merge_request(&body["object_attributes"], faults);
    }
    for (one, other) in [
        ("/project_id", "/project/id"),
        ("/object_attributes/target_project_id", "/object_attributes/target/id"),
        ("/object_attributes/source_project_id", "/object_attributes/source/id"),
        ("/merge_request/target_project_id", "/merge_request/target/id"),
        ("/merge_request/source_project_id", "/merge_request/source/id"),
        ("/object_attributes/noteable_id", "/merge_request/id"),
        ("/object_attributes/noteable_id", "/issue/id"),
    ] {
        if let (Some(left), Some(right)) = (body.pointer(one), body.pointer(other))
            && left != right
        {
            faults.push(format!("{one} is {left}, {other} is {right}"));
        }
    }
}

fn push(body: &Value, faults: &mut Vec<String>) {
    let commits = body["commits"].as_array().map_or(&[][..], Vec::as_slice);
    let (after, total) = (body["after"].as_str().unwrap_or_default(), body["total_commits_count"].as_u64());
    let begins = if body["object_kind"] == "push" { "refs/heads/" } else { "refs/tags/" };
    if body["ref"].as_str().and_then(|name| name.strip_prefix(begins)).is_none_or(str::is_empty) {
        faults.push(format!("`ref` is {}, which does not begin with {begins}", body["ref"]));
    }
    if after.trim_start_matches('0').is_empty() {
        if !commits.is_empty() || total != Some(0) || !body["checkout_sha"].is_null() {
            faults.push("what is deleted has no `commits`, counts none and has no `checkout_sha`".to_owned());
        }
    } else {
        // An annotated tag is an object of its own, beside the commit that it stands for.
        let head = if body["object_kind"] == "push" { &body["after"] } else { &body["checkout_sha"] };
        if !commits.iter().any(|commit| commit["id"] == *head) {
            faults.push("the head of a push stands among its `commits`: tools build what is there".to_owned());
        }
        if body["checkout_sha"].is_null() {
            faults.push("`checkout_sha` is null, and nothing is deleted".to_owned());
        }
    }
    if total.is_none_or(|total| total < commits.len() as u64) {
        faults.push(format!("`total_commits_count` is {} with {} commits", body["total_commits_count"], commits.len()));
    }
}

fn merge_request(attributes: &Value, faults: &mut Vec<String>) {
    // Tools ask whether the key is there, not what it holds.
    if let Some(old) = attributes.get("oldrev")
        && (attributes["action"] != "update" || !is_hash(old))
    {
        faults.push(format!("`oldrev` is {old}; it is there on an update that brings commits alone"));
    }
    if attributes["state"] == "opened" && matches!(attributes["action"].as_str(), Some("close" | "merge")) {
        faults.push(format!("`state` is opened after the action {}", attributes["action"]));
    }
}

/// Looks at a value and at all that is in it. What it should be is told by its name, and by that of what it is in.
fn look(value: &Value, name: &str, parent: &str, path: &str, faults: &mut Vec<String>) {
    if name == "changes" {
        changes(value, path, faults);
        return;
    }
    if let Some(wanted) = wanted(value, name, parent) {
        faults.push(format!("`{path}` is {value}, not {wanted}"));
    }
    let items = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
    for (key, inner) in items.iter().filter_map(Value::as_object).flatten() {
        look(inner, key, name, &format!("{path}.{key}"), faults);
    }
}

/// Each field that has changed, with its value before and after; either may be null.
fn changes(value: &Value, path: &str, faults: &mut Vec<String>) {
    let Some(fields) = value.as_object() else {
        faults.push(format!("`{path}` is {value}, not an object"));
        return;
    };
    for (name, change) in fields {
        for side in ["previous", "current"] {
            match change.get(side) {
                None => faults.push(format!("`{path}.{name}` is {change}, without `{side}`")),
                Some(Value::Null) => {}
                Some(value) => look(value, name, "changes", &format!("{path}.{name}.{side}"), faults),
            }
        }
    }
}

/// What a value of a name should be, when it is not.
fn wanted(value: &Value, name: &str, parent: &str) -> Option<&'static str> {
    let of_commit = matches!(parent, "commit" | "commits" | "last_commit");
    let of_somebody = matches!(parent, "user" | "author" | "assignees" | "reviewers" | "project" | "source" | "target");
    let (right, wanted) = match name {
        "id" if of_commit => (is_hash(value), "a hash of 40 or 64 digits"),
        "discussion_id" => (is_filled(value), "a text"),
        "commit_id" => (value.is_null() || *value == "" || is_hash(value), "a hash, empty or null"),
        "before" | "after" | "sha" | "before_sha" | "oldrev" => (is_hash(value), "a hash of 40 or 64 digits"),
        "commits" | "added" | "modified" | "removed" | "labels" | "assignees" | "reviewers" | "builds" | "stages"
        | "variables" => (value.is_array(), "a list"),
        "push_options" | "merge_params" => (value.is_object(), "an object"),
        "email" | "user_email" => (is_address(value), "an address that could exist, [REDACTED], empty or null"),
        "user_name" | "user_username" | "username" => (is_filled(value), "a name"),
        "name" if of_somebody => (is_filled(value), "a name"),
        "visibility_level" => ([0, 10, 20].iter().any(|level| value == level), "0, 10 or 20"),
        "git_http_url" | "http_url" => (is_clone_url(value), "a URL that ends in .git"),
        "timestamp" => (value.as_str().is_some_and(|text| rfc3339(text).is_some()), "a time as in RFC 3339"),
        "due_date" | "start_date" => (value.is_null() || is_date(value), "a date or null"),
        _ if name == "id" || name == "iid" || name.ends_with("_id") => {
            (value.is_null() || is_number(value), "a number of 31 bits")
        }
        _ if name.ends_with("_ids") => {
            (value.as_array().is_some_and(|ids| ids.iter().all(is_number)), "a list of numbers of 31 bits")
        }
        _ if name.ends_with("_sha") => (value.is_null() || is_hash(value), "a hash or null"),
        _ if name.ends_with("_at") => {
            let is_moment = value.as_str().is_some_and(|text| moment(text).is_some());
            (value.is_null() || is_moment, "a time with its zone")
        }
        _ => return None,
    };
    (!right).then_some(wanted)
}

/// Typed tools hold numbers in 32 bits, the sign among them; 0 is nobody.
fn is_number(value: &Value) -> bool {
    value.as_u64().is_some_and(|number| (1..1 << 31).contains(&number))
}

fn is_filled(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

fn is_hash(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn is_clone_url(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("http") && text.strip_suffix(".git").is_some())
}

fn is_address(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return value.is_null() };
    let could_exist = |text: &str| {
        let (name, host) = text.rsplit_once('@')?;
        let is_host = host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains("..");
        Some(!name.is_empty() && !name.contains(char::is_whitespace) && is_host)
    };
    let is_refused = NO_HOSTS.iter().any(|end| text.to_ascii_lowercase().ends_with(end));
    text.is_empty() || text == "[REDACTED]" || (could_exist(text) == Some(true) && !is_refused)
}

fn is_date(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok())
}

/// A moment in one of the two forms that every tool reads: RFC 3339, and `2026-01-02 03:04:05 UTC`.
pub fn moment(text: &str) -> Option<jiff::Timestamp> {
    match text.strip_suffix(" UTC") {
        Some(local) if local.len() == "2026-01-02 03:04:05".len() => {
            rfc3339(&format!("{}Z", local.replacen(' ', "T", 1)))
        }
        _ => rfc3339(text),
    }
}

fn rfc3339(text: &str) -> Option<jiff::Timestamp> {
    let zone = text.get(19..)?.trim_start_matches(|character: char| character == '.' || character.is_ascii_digit());
    let has_zone = zone == "Z" || (zone.len() == 6 && zone.as_bytes().get(3) == Some(&b':'));
    (has_zone && text.as_bytes().get(10) == Some(&b'T')).then(|| text.parse().ok())?
}
