//! Completions and manual pages: made from the command line, and taken by those who read such things.

use crate::support::process::{Running, ended, run};
use std::process::Command;

/// The commands that help names, as they stand there, and those below each.
fn commands(above: &[&str]) -> Vec<Vec<String>> {
    let help = run(&[above, &["--help"]].concat());
    let listed = help.out.split("Commands:\n").nth(1).unwrap_or_default();
    let mut found = Vec::new();
    for line in listed.lines().take_while(|line| !line.is_empty()) {
        let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) else { continue };
        let name = name.split_whitespace().next().unwrap();
        if name != "help" {
            let own = [above, &[name]].concat();
            found.extend([own.iter().map(|word| (*word).to_owned()).collect()]);
            found.extend(commands(&own));
        }
    }
    found
}

#[test]
fn the_manual_has_every_command() {
    let page = run(&["man"]);
    assert_eq!((page.code, page.err.as_str()), (Some(0), ""));
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    assert_eq!(run(&["man", "--dir", pages.to_str().unwrap()]).code, Some(0));
    let (mut all, mut page_lines) = (commands(&[]), page.out.lines());
    assert!(all.len() > 20, "{all:?}");
    assert!(all.contains(&vec!["deliveries".to_owned(), "resend".to_owned()]), "{all:?}");
    for command in &all {
        let heading = format!(".SH \"HOOKGLOT {}\"", command.join(" ").to_uppercase());
        assert!(page_lines.any(|line| line == heading), "{heading}");
        let file = pages.join(format!("hookglot-{}.1", command.join("-")));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(text.contains(".SH SYNOPSIS"), "{text}");
    }
    all.push(Vec::new());
    assert_eq!(std::fs::read_dir(&pages).unwrap().count(), all.len(), "a page for each and no more");
    assert!(page.out.contains("hookglot serve") && page.out.contains("HOOKGLOT_TO"), "{}", page.out);
    assert_eq!(page.out.matches(".TH ").count(), 1);
}

#[test]
fn the_manual_is_typeset_without_a_warning() {
    if Command::new("groff").arg("--version").output().is_err() {
        eprintln!("skipped: there is no groff here");
        return;
    }
    let mut groff = Command::new("groff");
    groff.args(["-man", "-Tutf8", "-ww", "-z"]);
    let done = Running::start(groff, run(&["man"]).out.as_bytes()).end();
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
}

#[test]
fn every_shell_gets_completions_with_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]);
        assert_eq!((script.code, script.err.as_str()), (Some(0), ""), "{shell}");
        for word in ["deliveries", "completions", "mappings-dir"] {
            assert!(script.out.contains(word), "{shell}: {word}");
        }
    }
    assert!(run(&["completions", "teleprinter"]).says(2).contains("bash"));
}

#[test]
fn bash_takes_its_completions() {
    let script = run(&["completions", "bash"]).out;
    let ask = "\nCOMP_WORDS=(hookglot deliveries res); COMP_CWORD=2\n_hookglot hookglot res deliveries; echo \"${COMPREPLY[@]}\"\n";
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &format!("{script}{ask}")]);
    let done = ended(bash);
    assert_eq!((done.code, done.err.as_str(), done.out.as_str()), (Some(0), "", "resend\n"));
    let mut read_only = Command::new("bash");
    read_only.arg("-n");
    let done = Running::start(read_only, script.as_bytes()).end();
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
}
