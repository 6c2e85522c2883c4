use crate::mappings_dir::Folder;
use crate::support::process::{Ended, fed, run};
use crate::support::{gitflic_push, project_file};

/// Rewrites golden files in place of comparing with them.
const BLESS: &str = "HOOKGLOT_BLESS";

fn explained(arguments: &[&str], input: &str) -> Ended {
    fed(&[&["translate", "--explain", "--to", "gitlab"], arguments].concat(), input)
}

#[test]
fn each_field_of_a_push_names_the_line_that_made_it_and_what_it_read() {
    let ended = explained(&[], &gitflic_push());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let golden = "tests/golden/push.explained.txt";
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(format!("{}/{golden}", env!("CARGO_MANIFEST_DIR")), &ended.out).unwrap();
    }
    assert_eq!(ended.out, project_file(golden), "set {BLESS}=1 to rewrite {golden}");
}

/// The golden file says what was; this says that it is true.
#[test]
fn the_line_that_is_named_is_the_line_that_says_so() {
    let ended = explained(&[], &gitflic_push());
    let mut fields = 0;
    for line in ended.out.lines().filter(|line| !line.starts_with("header ")) {
        let (path, _) = line.split_once(" = ").unwrap();
        let key = path.rsplit('.').next().unwrap().split('[').next().unwrap();
        let place = line.split("  ").find(|part| part.starts_with("mappings/")).unwrap();
        let mut parts = place.split(':');
        let (file, number) = (parts.next().unwrap(), parts.next().unwrap().parse::<usize>().unwrap());
        let said = project_file(file).lines().nth(number - 1).unwrap().to_owned();
        assert!(said.contains(&format!("{key}:")), "{line}\n{said}");
        fields += 1;
    }
    assert!(fields > 50, "{fields}");
}

#[test]
fn what_has_no_value_is_said_to_have_none() {
    let push = gitflic_push().replace("\"author_id\"", "\"authorid\"");
    let ended = explained(&[], &push);
    let line = ended.out.lines().find(|line| line.starts_with("user_id = ")).unwrap();
    assert!(line.ends_with("  <- push.author_id (no value)"), "{line}");
}

#[test]
fn an_overlay_shows_in_the_body_and_in_the_explanation() {
    let plain = fed(&["translate", "--to", "gitlab"], gitflic_push()).json();
    let laid = fed(&["translate", "--to", "gitlab", "--overlay", "atlantis"], gitflic_push()).json();
    assert_eq!(plain["project"]["path_with_namespace"], "north-harbour/ledger");
    assert_eq!(laid["project"]["path_with_namespace"], "project/north-harbour/ledger");
    let mut mended = laid;
    mended["project"]["path_with_namespace"] = plain["project"]["path_with_namespace"].clone();
    assert_eq!(mended, plain);
    let ended = explained(&["--overlay", "atlantis"], &gitflic_push());
    let line = ended.out.lines().find(|line| line.starts_with("project.path_with_namespace = ")).unwrap();
    assert!(line.contains("  mappings/overlays/atlantis.yaml:"), "{line}");
    let wrong = fed(&["translate", "--to", "gitlab", "--overlay", "atlanti"], gitflic_push());
    assert!(wrong.says(1).contains("there is no overlay `atlanti`, did you mean `atlantis`?"), "{wrong:?}");
}

#[test]
fn a_hook_that_passes_through_has_nothing_to_explain() {
    let ended = run(&["translate", "--explain", "--to", "gitlab", "mappings/gitlab-to-gitflic/examples/push.json"]);
    assert!(ended.says(1).contains("passes through as it came"), "{ended:?}");
}

#[test]
fn a_key_with_a_line_break_does_not_break_the_line() {
    let tide = "mapping: 1\nname: tide\nevent: TIDE\nbody:\n  $merge:\n    - ${levels}\n    - all: [{v: 1}]\n\
                examples:\n  - {name: any, input: {levels: {low: 1}}, expect: {all: [{v: 1}]}}\n";
    let folder = Folder::with(&[("gitflic-to-gitlab/tide.yaml", tide)]);
    let hook = r#"{"action": "TIDE", "project_id": "x", "levels": {"low\nhigh": 1}}"#;
    let ended = explained(&["--mappings-dir", folder.path()], hook);
    let lines: Vec<&str> = ended.out.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(lines, [r#""low\nhigh" = 1"#, "all[0].v = 1"], "{ended:?}");
}

#[test]
fn a_value_of_a_case_is_made_by_the_line_of_the_branch_that_is_taken() {
    let tide = "mapping: 1\nname: tide\nevent: TIDE\nbody:\n  level:\n    $case:\n      - when: high\n        then: high\n\
                \x20     - else: low\nexamples:\n  - {name: high, input: {high: true}, expect: {level: high}}\n\
                \x20 - {name: low, input: {high: false}, expect: {level: low}}\n";
    let folder = Folder::with(&[("gitflic-to-gitlab/tide.yaml", tide)]);
    for (high, line) in [(true, 7), (false, 9)] {
        let hook = format!(r#"{{"action": "TIDE", "project_id": "x", "high": {high}}}"#);
        let ended = explained(&["--mappings-dir", folder.path()], &hook);
        assert!(ended.out.contains(&format!("tide.yaml:{line}:")), "{ended:?}");
    }
}
