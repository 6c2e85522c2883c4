use crate::support::app::command;
use crate::support::process::{ended, run};

#[test]
fn check_says_that_the_built_in_files_are_sound_and_warns_of_nothing() {
    let sound = run(&["check"]);
    // A warning would say which example a strict receiver refuses.
    assert_eq!((sound.code, sound.err.as_str()), (Some(0), ""));
    assert!(sound.out.starts_with("sound: forges gitflic and gitlab, "), "{sound:?}");
}

#[test]
fn check_of_a_broken_mapping_file_is_1_with_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gitlab-to-gitflic/berth.yaml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    std::fs::write(
        &file,
        "mapping: 1\nname: berth\nevent: Berth Hook\nbody:\n  berth: ${berth | frst_line}\n\
         examples:\n  - {name: any, input: {berth: 7}, expect: {berth: '7'}}\n",
    )
    .unwrap();
    let expected = format!("{}:5:20: unknown filter `frst_line`, did you mean `first_line`?\n", file.to_str().unwrap());
    let folder = folder.path().to_str().unwrap();
    let wrong = run(&["check", "--mappings-dir", folder]);
    assert_eq!((wrong.code, &wrong.err), (Some(1), &expected));
    assert!(!wrong.out.contains("sound"), "{wrong:?}");
    let mut by_variable = command(&["check"]);
    by_variable.env("HOOKGLOT_MAPPINGS_DIR", folder);
    let wrong = ended(by_variable);
    assert_eq!((wrong.code, wrong.err), (Some(1), expected));
}

#[test]
fn check_looks_into_the_mapping_folder_of_a_file_that_has_faults_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("mappings/gitlab-to-gitflic/berth.yaml");
    std::fs::create_dir_all(mapping.parent().unwrap()).unwrap();
    std::fs::write(&mapping, "mapping: 1\nevnt: Berth Hook\n").unwrap();
    let config = folder.path().join("hookglot.toml");
    std::fs::write(&config, format!("mappings_dir = {:?}\ngrace = \"soon\"\n", folder.path().join("mappings")))
        .unwrap();
    let both = run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(both.code, Some(1), "{both:?}");
    assert!(both.err.contains("grace: expected a time"), "{both:?}");
    let place = format!("{}:2:1: unknown key `evnt`, did you mean `event`?", mapping.to_str().unwrap());
    assert!(both.err.lines().any(|line| line == place), "{both:?}");
}

#[test]
fn check_of_a_configuration_with_faults_is_1_with_each_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hookglot.toml");
    std::fs::write(&config, "lisen = \"127.0.0.1:0\"\ngrace = \"soon\"\n").unwrap();
    let wrong = run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(wrong.code, Some(1));
    for fault in ["lisen: unknown setting", "grace: expected a time", "route: missing"] {
        assert!(wrong.err.contains(fault), "{fault}: {wrong:?}");
    }
}

#[test]
fn check_looks_into_the_files_that_a_destination_names() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("hookglot.toml");
    std::fs::write(
        &config,
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"jenkins\"\n\
         url = \"https://tool.harbour.example.com/\"\nformat = \"gitlab\"\nca_file = \"/no/such/harbour.pem\"\n",
    )
    .unwrap();
    // `serve` refuses the file with these settings; `check` is there to say so before.
    let wrong = run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.err.contains("/no/such/harbour.pem"), "{wrong:?}");
}

#[test]
fn check_is_2_when_a_file_or_folder_cannot_be_read_whatever_else_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no-such-harbour");
    let missing = missing.to_str().unwrap();
    for flag in ["--config", "--mappings-dir"] {
        let mut check = command(&["check", flag, missing]);
        check.env("HOOKGLOT_GRACE", "soon");
        let wrong = ended(check);
        let said = wrong.says(2);
        assert!(said.contains(&format!("{missing}: No such file")), "{said}");
        assert!(said.contains("HOOKGLOT_GRACE: expected a time"), "{said}");
    }
    // A file that can be read and is no TOML is a fault like others.
    let config = folder.path().join("hookglot.toml");
    std::fs::write(&config, "[[route\n").unwrap();
    assert!(run(&["check", "--config", config.to_str().unwrap()]).says(1).contains("line 1"));
}
