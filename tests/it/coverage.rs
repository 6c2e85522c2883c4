use crate::support::process::run;
use crate::support::project_file;
use hookglot::mapping::json::Document;
use hookglot::mapping::{NoKnowledge, Surroundings, Untranslated, filter};
use hookglot::mapping_files;
use hookglot::rules::Rules;

/// The pages that are made of the mappings and of the table of filters must be what they make today.
#[test]
fn the_page_of_events_is_what_the_command_prints() {
    let page = "docs/coverage.md";
    let printed = run(&["coverage", "--format", "markdown"]);
    if std::env::var_os("HOOKGLOT_BLESS").is_some() {
        std::fs::write(format!("{}/{page}", env!("CARGO_MANIFEST_DIR")), &printed.out).unwrap();
    }
    assert_eq!(printed.out, project_file(page), "hookglot coverage --format markdown > {page}");
}

#[test]
fn every_event_of_both_forges_has_a_row() {
    let table = run(&["coverage", "--format", "json"]).json();
    let row = |direction: usize, event: &str| {
        let events = table[direction]["events"].as_array().unwrap();
        events.iter().find(|row| row["event"] == event).unwrap_or_else(|| panic!("{event}")).clone()
    };
    assert_eq!((&table[0]["from"], &table[1]["from"]), (&"gitflic".into(), &"gitlab".into()));
    let push = row(0, "BRANCH_UPDATE");
    assert_eq!((&push["outcome"], &push["becomes"][0]), (&"mapped".into(), &"Push Hook".into()));
    assert_eq!(push["lossy"][0]["fields"][0], "commits[].added");
    assert!(row(0, "PUSH")["unlisted"].as_str().unwrap().contains("repeats"));
    let back = row(1, "Push Hook");
    assert_eq!(back["becomes"].as_array().unwrap().len(), 3, "{back}");
    assert_eq!(row(1, "Emoji Hook")["outcome"], "ignored");
    let notes = row(1, "Note Hook")["partly_ignored"].to_string();
    assert!(notes.contains("no comments on commits") && notes.contains("was edited"), "{notes}");
}

#[test]
fn every_event_of_gitlab_is_mapped_or_ignored_with_a_reason() {
    let table = run(&["coverage", "--format", "json"]).json();
    let events = table[1]["events"].as_array().unwrap();
    let unmapped: Vec<&str> =
        events.iter().filter(|row| row["outcome"] == "unmapped").filter_map(|row| row["event"].as_str()).collect();
    assert!(unmapped.is_empty(), "{unmapped:?}");
}

/// Every hook of GitFlic names its project, so a GitLab hook that names none is ignored, whatever it tells.
#[test]
fn a_gitlab_hook_of_any_mapped_event_that_names_no_project_is_ignored_and_says_so() {
    let files = mapping_files::built_in();
    let (rules, _) = Rules::load(&files).unwrap_or_else(|faults| panic!("{faults}"));
    let set = &rules.directions[&("gitlab".to_owned(), "gitflic".to_owned())];
    let mapped: Vec<&str> = set
        .descriptions()
        .filter(|mapping| mapping.ignored.is_none())
        .flat_map(|mapping| mapping.events.iter().map(String::as_str))
        .collect();
    assert!(mapped.len() > 10, "{mapped:?}");
    let hook = Document::parse(br#"{"object_attributes": {"noteable_type": "Issue", "action": "open"}}"#).unwrap();
    for event in mapped {
        let made = set.translate(event, hook.root(), &Surroundings::new(&NoKnowledge));
        let Err(Untranslated::Ignored { reason, .. }) = made else { panic!("{event}: {made:?}") };
        assert!(reason.starts_with("the hook names no project"), "{event}: {reason}");
    }
}

#[test]
fn an_event_that_no_file_names_is_shown_as_unmapped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gitlab/forge.yaml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    let forge = project_file("mappings/gitlab/forge.yaml");
    std::fs::write(&file, forge.replace("\nevents:\n", "\nevents:\n  Moon Hook: the moon has another phase\n"))
        .unwrap();
    let printed = run(&["coverage", "--mappings-dir", folder.path().to_str().unwrap()]);
    let row = printed.out.lines().find(|line| line.trim_start().starts_with("Moon Hook ")).unwrap();
    assert!(row.ends_with("  not mapped yet: ignored"), "{row}");
}

#[test]
fn every_event_of_gitflic_is_mapped_or_ignored_with_a_reason() {
    let table = run(&["coverage", "--format", "json"]).json();
    for row in table[0]["events"].as_array().unwrap() {
        assert_ne!(row["outcome"], "unmapped", "{row}");
    }
}

#[test]
fn the_table_for_a_terminal_counts_and_names_what_is_lost() {
    let printed = run(&["coverage"]);
    assert!(printed.out.contains("gitflic -> gitlab: 25 of 26 events mapped"), "{}", printed.out);
    assert!(printed.out.contains("commits[].added"), "{}", printed.out);
}

#[test]
fn a_mapping_that_ignores_shows_its_reason() {
    let printed = run(&["coverage"]);
    let row = printed.out.lines().find(|line| line.trim_start().starts_with("WEBHOOK_SEND ")).unwrap();
    assert!(row.contains("  ignored: GitFlic says with it that it sent a webhook; "), "{row}");
    assert!(printed.out.contains("1 ignored on purpose"), "{}", printed.out);
}

#[test]
fn every_filter_is_listed_with_its_example() {
    let printed = run(&["mappings", "filters"]);
    for filter in filter::FILTERS {
        assert!(printed.out.contains(&filter.call()) && printed.out.contains(filter.doc), "{}", filter.name);
    }
    let json = run(&["mappings", "filters", "--format", "json"]).json();
    assert_eq!(json.as_array().unwrap().len(), filter::FILTERS.len());
}

#[test]
fn mappings_are_listed_with_the_version_of_their_files() {
    let printed = run(&["mappings", "list"]);
    let push = printed.out.lines().find(|line| line.starts_with("mappings/gitflic-to-gitlab/push.yaml  ")).unwrap();
    assert!(push.ends_with("  BRANCH_CREATE, BRANCH_UPDATE, BRANCH_DELETE, PUSH"), "{push}");
    assert!(printed.out.contains("mappings/overlays/atlantis.yaml  "), "{}", printed.out);
}

#[test]
fn a_file_of_the_binary_can_be_printed_to_be_changed() {
    let text = crate::support::project_file("mappings/gitflic-to-gitlab/push.yaml");
    for name in ["mappings/gitflic-to-gitlab/push.yaml", "gitflic-to-gitlab/push.yaml"] {
        assert_eq!(run(&["mappings", "show", name]).out, text);
    }
    let unknown = run(&["mappings", "show", "gitflic-to-gitlab/psh.yaml"]);
    assert!(
        unknown.code == Some(2) && unknown.err.contains("did you mean `gitflic-to-gitlab/push.yaml`"),
        "{unknown:?}"
    );
}
