use crate::mappings_dir::{Folder, WIKI};
use crate::support::process::run;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

/// A file with a fault of its own, which must be told whatever else is wrong.
const BERTH: (&str, &str) = ("gitlab-to-gitflic/berth.yaml", "mapping: 1\nevnt: Berth Hook\n");

/// Both `check` and `serve` say all of this, and of the file with a fault of its own what is wrong with it.
fn is_said(folder: &Folder, code: i32, expected: &[String]) {
    for (wrong, code) in [(folder.check(), code), (folder.serve(), 78)] {
        assert_eq!(wrong.code, Some(code), "{wrong:?}");
        let said: Vec<&str> = wrong.err.lines().collect();
        let own = format!("{}:2:1: unknown key `evnt`, did you mean `event`?", folder.shown(BERTH.0));
        for line in expected.iter().chain([&own]) {
            assert!(said.iter().any(|own| own == line), "{line}:\n{}", wrong.err);
        }
    }
}

#[test]
fn a_link_that_leads_nowhere_is_a_finding_and_the_others_are_told_too() {
    let folder = Folder::with(&[BERTH]);
    let link = folder.shown("gitlab-to-gitflic/wiki.yaml");
    symlink("no-such-harbour.yaml", &link).unwrap();
    is_said(&folder, 2, &[format!("{link}:1:1: cannot be read: No such file or directory (os error 2)")]);
    // Of another file alone it says nothing.
    assert_eq!(run(&["check", &folder.shown(BERTH.0)]).code, Some(1));
    assert_eq!(run(&["check", &link]).code, Some(2));
}

#[test]
fn a_pipe_and_a_socket_are_findings_and_nobody_waits_for_them() {
    let folder = Folder::with(&[BERTH]);
    let (pipe, socket) = (folder.shown("gitlab-to-gitflic/pipe.yaml"), folder.shown("gitlab-to-gitflic/socket.yaml"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _listener = UnixListener::bind(&socket).unwrap();
    is_said(&folder, 2, &[&pipe, &socket].map(|file| format!("{file}:1:1: cannot be read: this is no file")));
    let named = run(&["check", &pipe]);
    assert_eq!(named.says(2), format!("hookglot: {pipe}: this is no file\n"));
}

#[test]
fn a_file_that_is_there_under_two_names_is_a_finding_with_both() {
    let folder = Folder::with(&[
        BERTH,
        ("gitlab-to-gitflic/wiki.yaml", WIKI),
        ("gitlab-to-gitflic/wiki.yml", WIKI),
        ("gitlab-to-gitflic/wiki.YAML", WIKI),
    ]);
    let [short, long, large] =
        ["yml", "yaml", "YAML"].map(|end| folder.shown(&format!("gitlab-to-gitflic/wiki.{end}")));
    let expected = [&short, &long]
        .map(|file| format!("{file}:1:1: {large} is the same file by another name: keep one of the two"));
    is_said(&folder, 1, &expected);
}

#[test]
fn the_ending_of_a_file_may_have_capitals() {
    let using = WIKI.replace("use: _shared.yaml", "use: _Own.YAML");
    let shared = "mapping: 1\nlet:\n  project_key: ${project.id}\n";
    let folder = Folder::with(&[("gitlab-to-gitflic/wiki.YML", &using), ("gitlab-to-gitflic/_Own.YAML", shared)]);
    let checked = folder.check();
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let added = format!("{} is added as gitlab-to-gitflic/wiki.yaml", folder.shown("gitlab-to-gitflic/wiki.YML"));
    assert!(checked.out.lines().any(|line| line == added), "{checked:?}");
    assert!(!checked.err.contains("no mapping uses"), "{checked:?}");
}

#[test]
fn a_shared_file_that_no_mapping_uses_is_checked_and_warned_of() {
    let folder = Folder::with(&[
        ("gitflic-to-gitlab/_broken.yaml", "mapping: 1\nlet: [\n"),
        (
            "gitflic-to-gitlab/_unused.yaml",
            "mapping: 1\nlet:\n  a: ${x | frst_line}\nblocks:\n  b: {c: '${x | lowr}'}\n",
        ),
    ]);
    let (broken, unused) =
        (folder.shown("gitflic-to-gitlab/_broken.yaml"), folder.shown("gitflic-to-gitlab/_unused.yaml"));
    let wrong = folder.check();
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    let said = &wrong.err;
    for line in [
        format!("{broken}:1:1: warning: no mapping uses this file"),
        format!("{unused}:1:1: warning: no mapping uses this file"),
        format!("{unused}:3:12: unknown filter `frst_line`, did you mean `first_line`?"),
        format!("{unused}:5:17: unknown filter `lowr`, did you mean `lower`?"),
    ] {
        assert!(said.lines().any(|own| own == line), "{line}:\n{said}");
    }
    assert!(said.contains(&format!("{broken}:3:1: not YAML")), "{said}");
}

#[test]
fn what_stands_where_nobody_reads_is_warned_of_and_not_said_to_be_added() {
    let folder = Folder::with(&[
        ("gitflic-to-gitlab/sub/own.yaml", WIKI),
        ("overlays/sub/own.yaml", WIKI),
        ("overlays/_shared.yaml", "mapping: 1\n"),
        ("gitflic/own.yaml", WIKI),
        ("lookups/users.csv", "id,name\n"),
        ("lookups/projects.json", "{}"),
        ("lookups/README.md", "who is who"),
        ("gitflic-to-gitlab/examples/own.json", "{}"),
        ("gitflic/schema/own.json", "{}"),
    ]);
    let checked = folder.check();
    let mut said: Vec<String> = [
        ("gitflic-to-gitlab/sub/own.yaml", "mappings stand directly in gitflic-to-gitlab/"),
        ("gitflic/own.yaml", "of gitflic/ forge.yaml is read, and its schemas"),
        ("lookups/projects.json", "look-up tables are .yaml files"),
        ("lookups/users.csv", "look-up tables are .yaml files"),
        ("overlays/_shared.yaml", "overlays share no files, and `_` at the beginning says that this is none"),
        ("overlays/sub/own.yaml", "overlays stand directly in overlays/"),
    ]
    .iter()
    .map(|(file, why)| format!("{}:1:1: warning: is not used: {why}", folder.shown(file)))
    .collect();
    said.sort();
    assert_eq!((checked.code, checked.err.lines().collect::<Vec<_>>()), (Some(0), said.iter().map(|l| &**l).collect()));
    let added: Vec<&str> = checked.out.lines().filter(|line| line.contains(" is added as ")).collect();
    assert_eq!(added.len(), 2, "{added:?}");
    assert!(added.iter().all(|line| line.ends_with("/own.json")), "{added:?}");
}
