use crate::support::app::command;
use crate::support::process::run;

#[test]
fn a_standard_output_that_nobody_reads_any_more_is_no_panic() {
    let file = format!("{}/mappings/gitlab-to-gitflic/examples/push.json", env!("CARGO_MANIFEST_DIR"));
    for arguments in [
        &["translate", "--to", "gitflic", &file][..],
        &["translate", "--to", "gitflic", "--headers", &file],
        &["check"],
        &["--help"],
        &["--version"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done = command(arguments).stdout(writer).output().unwrap();
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(matches!(done.status.code(), Some(0 | 1)), "{arguments:?}: {done:?}");
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
    }
}

#[test]
fn help_and_version_are_0_and_no_arguments_are_2() {
    let short = format!("hookglot {}", env!("CARGO_PKG_VERSION"));
    let version = run(&["-V"]);
    assert_eq!((version.code, version.out), (Some(0), format!("{short}\n")));
    let version = run(&["--version"]);
    assert_eq!(version.code, Some(0));
    assert!(version.out.starts_with(&format!("{short} (store schema ")) && version.out.ends_with(")\n"), "{version:?}");
    let help = run(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
    for subcommand in ["serve", "translate", "check", "echo", "healthcheck", "bench", "deliveries", "routes"] {
        assert!(help.out.contains(&format!("  {subcommand} ")), "{subcommand}: {help:?}");
        let help = run(&[subcommand, "--help"]);
        assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
        assert!(help.out.contains(&format!("Usage: hookglot {subcommand}")), "{help:?}");
    }
    let nothing = run(&[]);
    assert!(nothing.says(2).contains("Usage: hookglot"), "{nothing:?}");
    for wrong in [&["sail"][..], &["translate"], &["serve", "--harbour"], &["echo", "--listen", "harbour"], &["bench"]]
    {
        assert!(run(wrong).says(2).starts_with("error: "), "{wrong:?}");
    }
}
