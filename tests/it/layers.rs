use std::path::{Path, PathBuf};

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file: without its tests, which stand at its end, and without comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let own = text.split("#[cfg(test)]").next().unwrap_or_default();
    own.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

/// The files of `src` whose path below it begins so; tests, and the contract that stores are tested by, are left out.
fn room(beginning: &str) -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let named = files.into_iter().map(|path| (path.strip_prefix(&src).unwrap().display().to_string(), code(&path)));
    let of_room: Vec<_> = named
        .filter(|(name, _)| name.starts_with(beginning) && !name.ends_with("tests.rs") && name != "store/contract.rs")
        .collect();
    assert!(!of_room.is_empty(), "{beginning}");
    of_room
}

/// The modules of ours that a piece of code names.
fn used(code: &str) -> Vec<String> {
    let word = |text: &str| {
        text.split(|character: char| !character.is_alphanumeric() && character != '_')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let direct = code.split("crate::").skip(1).filter(|rest| !rest.starts_with('{')).map(word);
    let grouped = code.split("crate::{").skip(1).flat_map(|rest| {
        let group = rest.split("};").next().unwrap_or_default();
        group.split(',').map(|item| word(item.trim())).collect::<Vec<_>>()
    });
    direct.chain(grouped).filter(|name| name.chars().next().is_some_and(char::is_lowercase)).collect()
}

#[test]
fn a_room_uses_only_the_rooms_below_it() {
    // What both halves of a hook's way stand on.
    let of_both = [
        "rules",
        "forge",
        "store",
        "mapping",
        "config",
        "metrics",
        "secret",
        "doorbell",
        "loop_guard",
        "bucket",
        "clock",
        "acks",
        "feed",
        "traces",
    ];
    // Translating asks for more than the hook.
    let of_delivery_alone = ["delivery", "path_keys", "known"];
    let of_ingest = [&["ingest", "path_keys"][..], &of_both].concat();
    let of_delivery = [&of_delivery_alone[..], &of_both].concat();
    let rooms: [(&str, &[&str]); 18] = [
        ("mapping", &["mapping"]),
        ("forge", &["forge", "mapping", "secret"]),
        ("store", &["store"]),
        ("known", &["known", "store", "mapping"]),
        ("bucket", &["bucket", "config"]),
        ("path_keys", &["path_keys"]),
        ("rules", &["rules", "mapping", "forge"]),
        ("ingest", &of_ingest),
        ("delivery", &of_delivery),
        ("known/configured", &[]),
        ("config", &["config", "known", "mapping", "mapping_files", "forge", "secret", "loop_guard", "path_keys"]),
        ("feed", &["feed"]),
        ("traces", &["traces", "metrics", "store"]),
        ("alerts", &["alerts", "config", "delivery", "feed", "metrics"]),
        ("capture", &["capture", "mapping", "forge", "path_keys"]),
        ("reload", &["reload", "rules", "mapping", "mapping_files", "config", "metrics", "feed", "audit", "store"]),
        ("audit", &["audit", "store", "metrics", "mapping"]),
        ("coverage", &["coverage", "rules", "mapping", "forge"]),
    ];
    for (name, allowed) in rooms {
        let whole_file = format!("{name}.rs");
        let folder = format!("{name}/");
        for (file, code) in room(name).into_iter().filter(|(file, _)| *file == whole_file || file.starts_with(&folder))
        {
            for module in used(&code) {
                assert!(allowed.contains(&module.as_str()), "src/{file} uses {module}; it may use {allowed:?}");
            }
        }
    }
}

#[test]
fn the_mapping_engine_does_nothing_but_turn_bytes_into_bytes() {
    for (file, code) in room("mapping/").into_iter().chain(room("mapping.rs")) {
        for word in [
            "tokio",
            "actix",
            "reqwest",
            "std::net",
            "std::fs",
            "std::env",
            "SystemTime",
            "Instant",
            "Timestamp::now",
            "tracing",
        ] {
            assert!(!code.contains(word), "src/{file} has {word}");
        }
    }
}

#[test]
fn no_code_knows_a_field_or_a_header_of_a_forge() {
    let words = [
        "object_kind",
        "object_attributes",
        "issue_note",
        "author_id",
        "total_commits_count",
        "event_name",
        "project_id",
        "http_transport_url",
        "x-gitlab",
        "X-Gitlab",
        "X-GitLab",
        "Gitflic-",
        "gitflic-webhook",
        "webhook-id",
        "Push Hook",
        "BRANCH_",
    ];
    for (file, code) in room("").into_iter().filter(|(file, _)| !file.ends_with("_api.rs")) {
        // What helps a person on the command line may name an example.
        let code: String = code.lines().filter(|line| !line.contains("For example: curl")).collect();
        for word in words {
            assert!(!code.contains(word), "src/{file} has {word}: it belongs into mappings/");
        }
    }
}
