use crate::mappings_dir::{Folder, PUSH, WIKI, edited, line_of, wiki_page, with_line};
use crate::support::app::command;
use crate::support::process::{ended, run};
use crate::support::project_file;

#[test]
fn wrong_files_stop_serve_with_every_finding_in_every_file() {
    let folder = Folder::with(&[
        (
            "gitflic-to-gitlab/berth.yaml",
            "mapping: 1\nname: berth\nevnt: BERTH\nbody:\n  berth: ${berth | frst_line}\n  quay: ${quay.}\n\
             headers: {Berth: '7'}\nexamples: []\n",
        ),
        ("gitlab-to-gitflic/crane.yaml", "mapping: 2\nevent: Crane Hook\nignore: ''\nexamples: [{name: any}]\n"),
        ("gitlab-to-gitflic/ebb.yaml", "mapping: 1\nbody: [\n"),
    ]);
    let wrong = folder.serve();
    let said: Vec<&str> = wrong.says(78).lines().collect();
    let (berth, crane, ebb) = (
        folder.shown("gitflic-to-gitlab/berth.yaml"),
        folder.shown("gitlab-to-gitflic/crane.yaml"),
        folder.shown("gitlab-to-gitflic/ebb.yaml"),
    );
    for expected in [
        format!("{berth}:1:1: `event` is missing"),
        format!("{berth}:3:1: unknown key `evnt`, did you mean `event`?"),
        format!("{berth}:5:20: unknown filter `frst_line`, did you mean `first_line`?"),
        format!("{berth}:6:16: "),
        format!("{berth}:7:11: a mapping sets the event header and other `X-…` headers"),
        format!("{berth}:8:11: `examples` is a list of at least one example"),
        format!("{crane}:1:10: version 2 of the mapping language: this binary understands 1"),
        format!("{crane}:3:10: `ignore` says why"),
        format!("{crane}:4:12: an example has an `input`"),
        format!("{ebb}:3:1: not YAML"),
    ] {
        assert!(said.iter().any(|line| line.starts_with(&expected)), "{expected}:\n{}", said.join("\n"));
    }
    for line in &said {
        let place = [&berth, &crane, &ebb].iter().find_map(|file| line.strip_prefix(&format!("{file}:")));
        let numbers: Vec<&str> = place.unwrap_or_else(|| panic!("{line}")).splitn(3, ':').collect();
        assert!(numbers[..2].iter().all(|number| number.parse::<u32>().is_ok_and(|number| number > 0)), "{line}");
    }
    // `check` finds the same.
    let checked = folder.check();
    assert_eq!((checked.code, &checked.err), (Some(1), &wrong.err));
}

#[test]
fn a_wrong_forge_file_stops_serve_with_every_finding_in_it() {
    let folder = Folder::with(&[("gitflic/forge.yaml", "forge: 1\nname: gitflick\nsnd: {}\n")]);
    let wrong = folder.serve();
    let forge = folder.shown("gitflic/forge.yaml");
    for expected in [
        format!("{forge}:3:1: unknown key `snd`, did you mean `send`?"),
        format!("{forge}:2:7: the forge in the folder `gitflic` is named `gitflic`"),
        format!("{forge}:1:1: `event` is missing; `event: null` when the forge has none"),
    ] {
        assert!(wrong.says(78).lines().any(|line| line == expected), "{expected}:\n{}", wrong.err);
    }
}

#[test]
fn a_wrong_forge_file_does_not_hide_what_is_wrong_with_mappings_and_configuration() {
    let folder = Folder::with(&[
        ("gitflic/forge.yaml", "forge: 1\nname: gitflic\nevent: null\nsnd: {}\n"),
        ("gitlab-to-gitflic/wiki.yaml", "mapping: 1\nevnt: Wiki Page Hook\n"),
    ]);
    let wrong = [
        format!("{}:4:1: unknown key `snd`, did you mean `send`?", folder.shown("gitflic/forge.yaml")),
        format!("{}:2:1: unknown key `evnt`, did you mean `event`?", folder.shown("gitlab-to-gitflic/wiki.yaml")),
        "hookglot: HOOKGLOT_GRACE: expected a time such as 500ms, 10s, 5m, 2h or 7d, got `soon`".to_owned(),
    ];
    for (subcommand, code) in [("serve", 78), ("check", 1)] {
        let mut command = command(&[subcommand, "--mappings-dir", folder.path()]);
        command.env("HOOKGLOT_GRACE", "soon");
        let ended = ended(command);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        for line in &wrong {
            assert!(ended.err.lines().any(|own| own == line), "{line}:\n{}", ended.err);
        }
    }
}

#[test]
fn every_file_that_is_no_text_is_a_fault_that_names_it() {
    let folder = Folder::with(&[]);
    for path in ["gitlab-to-gitflic/ebb.yaml", "gitlab-to-gitflic/wiki.yaml"] {
        folder.write(path, "");
        std::fs::write(folder.shown(path), b"mapping: 1\nname: \xff\n").unwrap();
    }
    let wrong = folder.serve();
    let said = wrong.says(78);
    assert!(said.contains(&folder.shown("gitlab-to-gitflic/ebb.yaml")), "{said}");
    assert!(said.contains(&folder.shown("gitlab-to-gitflic/wiki.yaml")), "{said}");
}

#[test]
fn a_folder_that_does_not_exist_is_a_fault_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no-such-harbour");
    let missing = missing.to_str().unwrap();
    let serve = run(&["serve", "--mappings-dir", missing]);
    assert!(serve.says(78).starts_with(&format!("hookglot: --mappings-dir: {missing}: ")), "{serve:?}");
    let mut by_variable = command(&["serve"]);
    by_variable.env("HOOKGLOT_MAPPINGS_DIR", missing);
    let serve = ended(by_variable);
    assert!(serve.says(78).starts_with(&format!("hookglot: HOOKGLOT_MAPPINGS_DIR: {missing}: ")), "{serve:?}");
    for (arguments, code) in [(&["check"][..], 2), (&["translate", "--to", "gitlab"], 1)] {
        let wrong = run(&[arguments, &["--mappings-dir", missing]].concat());
        assert!(wrong.says(code).contains(&format!("{missing}: ")), "{wrong:?}");
    }
}

#[test]
fn two_files_for_the_same_event_are_refused_with_the_names_of_both() {
    let other = WIKI.replace("gitlab-to-gitflic/wiki", "gitlab-to-gitflic/pages");
    let folder = Folder::with(&[("gitlab-to-gitflic/wiki.yaml", WIKI), ("gitlab-to-gitflic/pages.yaml", &other)]);
    let (one, two) = (folder.shown("gitlab-to-gitflic/pages.yaml"), folder.shown("gitlab-to-gitflic/wiki.yaml"));
    let wrong = folder.serve();
    assert_eq!(wrong.says(78), format!("{two}:5:8: matches the same event as {one}:5:8\n"));
    // A built-in one counts as well.
    let tags = WIKI.replace("Wiki Page Hook", "Tag Push Hook");
    let folder = Folder::with(&[("gitlab-to-gitflic/wiki.yaml", &tags)]);
    let wrong = folder.serve();
    let said = wrong.says(78);
    assert!(said.contains(&folder.shown("gitlab-to-gitflic/wiki.yaml")), "{said}");
    assert!(said.contains("mappings/gitlab-to-gitflic/tag.yaml"), "{said}");
}

#[test]
fn two_files_that_match_the_same_hook_are_refused_with_the_names_of_both() {
    // Each says more than its event, and an example shows that neither says more than the other.
    let one = WIKI.replace("event: Wiki Page Hook", "event: Wiki Page Hook\nmatch: {object_attributes.title: Tides}");
    let other = WIKI.replace("event: Wiki Page Hook", "event: Wiki Page Hook\nmatch: {project.id: {exists: true}}");
    let folder = Folder::with(&[("gitlab-to-gitflic/one.yaml", &one), ("gitlab-to-gitflic/other.yaml", &other)]);
    let wrong = folder.serve();
    let said = wrong.says(78);
    assert!(said.contains(&format!("{}:", folder.shown("gitlab-to-gitflic/one.yaml"))), "{said}");
    assert!(said.contains(&format!("{}:", folder.shown("gitlab-to-gitflic/other.yaml"))), "{said}");
    // Where one says more, it is the one.
    let closer = other.replace("{exists: true}}", "{exists: true}, object_kind: wiki_page}").replace("Tides}", "Ebb}");
    let closer = closer.replace("page: Tides", "page: Ebb").replace("WIKI_CHANGE", "WIKI_OF_A_PROJECT");
    let folder = Folder::with(&[("gitlab-to-gitflic/one.yaml", &one), ("gitlab-to-gitflic/other.yaml", &closer)]);
    assert_eq!(folder.translate("gitflic", &wiki_page()).json()["action"], "WIKI_OF_A_PROJECT");
}

#[test]
fn an_example_that_a_more_specific_file_takes_says_so() {
    let closer = WIKI.replace("event: Wiki Page Hook", "event: Wiki Page Hook\nmatch: {object_kind: wiki_page}");
    let folder = Folder::with(&[("gitlab-to-gitflic/one.yaml", WIKI), ("gitlab-to-gitflic/two.yaml", &closer)]);
    let (one, two) = (folder.shown("gitlab-to-gitflic/one.yaml"), folder.shown("gitlab-to-gitflic/two.yaml"));
    let line = line_of(WIKI, "- name: a page");
    let expected = format!("{one}:{line}:5: example \"a page\": {two}:5:8 is more specific and takes it\n");
    let wrong = folder.serve();
    assert!(wrong.says(78).contains(&expected), "{wrong:?}");
    assert!(!wrong.err.contains("matches the same event"), "{wrong:?}");
}

#[test]
fn a_file_for_anything_else_is_for_no_event_that_a_file_names() {
    let path = "gitlab-to-gitflic/anything-else.yaml";
    let text = project_file(&format!("mappings/{path}")).replace("event: Moon Phase Hook", "event: Job Hook");
    let folder = Folder::with(&[(path, &text)]);
    let line = line_of(&text, "- name: a kind that nobody knows yet");
    let example = format!("{}:{line}:5: example \"a kind that nobody knows yet\"", folder.shown(path));
    let job = line_of(&project_file("mappings/gitlab-to-gitflic/job.yaml"), "event: ");
    let wrong = folder.serve();
    let said = wrong.says(78);
    let job = format!("mappings/gitlab-to-gitflic/job.yaml:{job}:8 is more specific and takes it");
    assert_eq!(said.lines().next(), Some(&*format!("{example}: {job}")));
    // A file of one's own that names the event goes before both.
    let own = "mapping: 1\nname: own\nevent: Moon Phase Hook\nbody: {action: MOON}\n\
               examples:\n  - {name: any, input: {}, output: {action: MOON}}\n";
    let folder = Folder::with(&[("gitlab-to-gitflic/moon.yaml", own)]);
    let made = folder.translate("gitflic", r#"{"object_kind":"Moon Phase Hook"}"#);
    assert_eq!(made.json()["action"], "MOON");
}

#[test]
fn an_example_that_comes_out_otherwise_names_path_values_and_line() {
    let text = WIKI.replace("expect: {action: WIKI_CHANGE,", "expect: {action: WIKI_EDIT,");
    let folder = Folder::with(&[("gitlab-to-gitflic/wiki.yaml", &text)]);
    let wrong = folder.serve();
    let (file, line) = (folder.shown("gitlab-to-gitflic/wiki.yaml"), line_of(WIKI, "action: WIKI_CHANGE"));
    let at = line_of(WIKI, "- name: a page");
    let expected = format!(
        "{file}:{at}:5: example \"a page\": action: expected \"WIKI_EDIT\", got \"WIKI_CHANGE\" (made by line {line})\n"
    );
    assert_eq!(wrong.says(78), expected);
    // `translate` runs no examples: it is what one looks with at what comes out.
    assert_eq!(folder.translate("gitflic", &wiki_page()).json()["action"], "WIKI_CHANGE");
}

#[test]
fn an_example_names_the_shared_file_whose_line_made_it_otherwise() {
    let path = "gitflic-to-gitlab/_shared.yaml";
    let shared = project_file(&format!("mappings/{path}"));
    let shared = with_line(&shared, "ci_config_path", "ci_config_path: harbour.yml");
    let folder = Folder::with(&[(path, &shared)]);
    let wrong = folder.serve();
    let made_by = format!("(made by {} line {})", folder.shown(path), line_of(&shared, "ci_config_path"));
    let said = wrong.says(78).lines().next().unwrap();
    assert!(said.starts_with("mappings/gitflic-to-gitlab/"), "{said}");
    assert!(said.ends_with(&format!("project.ci_config_path: expected null, got \"harbour.yml\" {made_by}")), "{said}");
}

#[test]
fn an_example_deep_inside_a_list_names_its_whole_path() {
    let text = edited(PUSH, "object_kind", "object_kind: push", "{commits: [{}, {author: {name: Olga Vetrova}}]}");
    let folder = Folder::with(&[(PUSH, &text)]);
    let wrong = folder.check();
    assert_eq!(wrong.code, Some(1));
    let said = "commits[1].author.name: expected \"Olga Vetrova\", got \"Олег Седов\" (made by ";
    assert!(wrong.err.contains(said) && wrong.err.contains("_shared.yaml line "), "{wrong:?}");
}

#[test]
fn a_mapping_cannot_take_the_place_of_a_destinations_secret_or_a_deliverys_key() {
    for header in ["X-Gitlab-Token", "X-Gitlab-Event-UUID"] {
        let text = format!(
            "mapping: 1\nname: own\nevent: WEBHOOK_SEND\nheaders: {{{header}: stolen}}\nbody: {{a: 1}}\n\
             examples:\n  - name: any\n    input: {{}}\n    output: {{a: 1}}\n"
        );
        let folder = Folder::with(&[("gitflic-to-gitlab/webhook-send.yaml", &text)]);
        let place = format!("{}:4:11", folder.shown("gitflic-to-gitlab/webhook-send.yaml"));
        let message = "belongs to the destination or the delivery: a mapping cannot set it";
        assert_eq!(folder.serve().says(78), format!("{place}: the header {header} {message}\n"));
    }
}

#[test]
fn one_broken_file_hides_nothing_of_the_others() {
    let folder = Folder::with(&[
        ("gitflic-to-gitlab/berth.yaml", "mapping: 1\nname: berth\nevent: BERTH\nbody: {berth: '${berth | frst}'}\n"),
        (
            "gitflic-to-gitlab/quay.yaml",
            "mapping: 1\nname: quay\nevent: QUAY\nbody:\n  quay: ${quay}\n  pier: ${qay}\n\
             examples:\n  - {name: any, input: {action: QUAY, project_id: x, quay: 7, mole: 8}, expect: {quay: 8}}\n",
        ),
        (
            "overlays/tide.yaml",
            "overlay: 1\nevent: Tide Hook\nset: {high: '${low}'}\nexamples:\n  - {name: any, input: {low: 1}, expect: {high: 2}}\n",
        ),
    ]);
    let found = folder.check();
    let (berth, quay, tide) = (
        folder.shown("gitflic-to-gitlab/berth.yaml"),
        folder.shown("gitflic-to-gitlab/quay.yaml"),
        folder.shown("overlays/tide.yaml"),
    );
    for expected in [
        format!("{berth}:4:26: unknown filter `frst`, did you mean `first`?"),
        format!("{quay}:3:8: warning: gitflic is not known to send an event `QUAY`"),
        format!(
            "{quay}:3:8: warning: the hook's `mole` is neither read nor declared in `lossy`: say what becomes of it"
        ),
        format!("{quay}:6:11: unknown field `qay`: no example has it; did you mean `quay`?"),
        format!("{quay}:8:5: example \"any\": quay: expected 8, got 7 (made by line 5)"),
        format!("{tide}:2:8: warning: no forge is known to send an event `Tide Hook`"),
        format!("{tide}:5:5: example \"any\": high: expected 2, got 1 (made by line 3)"),
    ] {
        assert!(found.err.lines().any(|line| line == expected), "{expected}:\n{}", found.err);
    }
    // And nothing is said of the built-in files, which are sound.
    assert!(!found.err.lines().any(|line| line.starts_with("mappings/")), "{}", found.err);
    assert_eq!(found.code, Some(1));
}

#[test]
fn a_file_that_is_no_text_is_a_finding_like_others() {
    let folder = Folder::with(&[("gitflic-to-gitlab/berth.yaml", "mapping: 1\nevnt: BERTH\n")]);
    let file = std::path::Path::new(folder.path()).join("gitflic-to-gitlab/quay.yaml");
    std::fs::write(&file, b"mapping: 1\nname: \xef\xf0\n").unwrap();
    let found = folder.check();
    let said = format!("{}:2:7: not UTF-8: save the file in that encoding", file.display());
    assert!(found.err.lines().any(|line| line == said), "{said}:\n{}", found.err);
    assert!(found.err.contains("unknown key `evnt`"), "{}", found.err);
}
