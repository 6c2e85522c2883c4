use crate::support::process::run;
use crate::support::project_file;
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder of mappings with one file in which a filter is misspelt and another that is only warned of.
fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gitlab-to-gitflic/berth.yaml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    (folder, file)
}

const BROKEN: &str = "mapping: 1\nname: berth\nevent: Wiki Page Hook\nbody:\n  action: ${berth | frst_line}\n\
                      examples:\n  - {name: any, input: {berth: 7}, expect: {action: '7'}}\n";

#[test]
fn findings_as_json_are_an_array_on_standard_output() {
    let (folder, file) = folder();
    std::fs::write(&file, BROKEN).unwrap();
    let ended = run(&["check", "--format", "json", "--mappings-dir", folder.path().to_str().unwrap()]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""));
    let all: Value = serde_json::from_str(&ended.out).unwrap();
    let expected = json!([{
        "file": file, "line": 5, "column": 21, "severity": "error",
        "message": "unknown filter `frst_line`, did you mean `first_line`?",
    }]);
    assert_eq!(all, expected);
    assert_eq!(run(&["check", "--format", "json"]).json(), json!([]));
}

#[test]
fn findings_for_github_are_its_workflow_commands() {
    let (_folder, file) = folder();
    std::fs::write(&file, BROKEN).unwrap();
    let shown = file.to_str().unwrap();
    let ended = run(&["check", "--format", "github", shown]);
    let expected =
        format!("::error file={shown},line=5,col=21::unknown filter `frst_line`, did you mean `first_line`?\n");
    assert_eq!((ended.code, ended.out, ended.err.as_str()), (Some(1), expected, ""));
}

#[test]
fn faults_of_the_configuration_stand_among_the_findings() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hookglot.toml");
    std::fs::write(&config, "grace = \"soon\"\n").unwrap();
    let ended = run(&["check", "--format", "json", "--config", config.to_str().unwrap()]);
    let all: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(ended.code, Some(1));
    let messages: Vec<&str> = all.as_array().unwrap().iter().filter_map(|own| own["message"].as_str()).collect();
    assert!(messages.iter().any(|message| message.contains("grace: expected a time")), "{messages:?}");
}

#[test]
fn warnings_are_errors_where_they_are_taken_strictly() {
    let (folder, file) = folder();
    std::fs::write(&file, BROKEN.replace(" | frst_line", "").replace("'7'", "7")).unwrap();
    let folder = folder.path().to_str().unwrap();
    let lenient = run(&["check", "--mappings-dir", folder]);
    assert_eq!(lenient.code, Some(0), "{lenient:?}");
    assert!(lenient.err.contains(": warning: what comes out is not a hook of gitflic"), "{lenient:?}");
    let strict = run(&["check", "--strict", "--mappings-dir", folder]);
    assert_eq!(strict.code, Some(1), "{strict:?}");
    assert!(!strict.err.contains("warning") && !strict.out.contains("sound"), "{strict:?}");
}

#[test]
fn a_file_that_is_named_alone_is_looked_at_in_its_folder_and_only_it_is_told_of() {
    let (folder, file) = folder();
    std::fs::write(&file, BROKEN).unwrap();
    let sound = folder.path().join("gitlab-to-gitflic/push.yaml");
    std::fs::write(&sound, project_file("mappings/gitlab-to-gitflic/push.yaml")).unwrap();
    assert_eq!(run(&["check", sound.to_str().unwrap()]).code, Some(0));
    let both = run(&["check", sound.to_str().unwrap(), file.to_str().unwrap()]);
    assert_eq!((both.code, both.err.lines().count()), (Some(1), 1), "{both:?}");
    let missing = run(&["check", folder.path().join("gitlab-to-gitflic/no.yaml").to_str().unwrap()]);
    assert!(missing.says(2).contains("no.yaml: "), "{missing:?}");
}

#[test]
fn a_configuration_that_cannot_be_read_is_2() {
    assert!(run(&["check", "--config", "/no/such/hookglot.toml"]).says(2).contains("/no/such/hookglot.toml: "));
}
