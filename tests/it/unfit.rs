//! Settings that could never do what they are for, and that say so at start.

use crate::config::{ConfigFile, MARK, ROUTE, assert_faults, faults_of_environment};
use crate::support::app::{App, command};
use crate::support::gitflic_push;
use crate::support::process::run;

const BLANKS: &str = "blanks at its beginning or its end, which a header does not carry: it could never fit";

fn route(secret: &str, to: &str) -> ConfigFile {
    ConfigFile::new(&format!("{}{to}\n", ROUTE.replace("secret = \"none\"", secret)))
}

fn written(file: &ConfigFile, text: &str) -> String {
    let path = file.folder.path().join("secret");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_secret_with_blanks_at_its_ends_is_refused() {
    for blank in [format!(" {MARK}"), format!("{MARK} "), format!("\\t{MARK}"), format!("{MARK}\\t")] {
        let secret = route(&format!("secret = \"{blank}\""), "");
        assert_faults(&secret.faults(&[], &[]), &[("route[0].secret", BLANKS)]);
        let secrets = route(&format!("secrets = [\"{MARK}\", \"{blank}\"]"), "");
        assert_faults(&secrets.faults(&[], &[]), &[("route[0].secrets", BLANKS)]);
        for key in ["token", "authorization"] {
            let to = route("secret = \"none\"", &format!("{key} = \"{blank}\""));
            assert_faults(&to.faults(&[], &[]), &[(&format!("route[0].to[0].{key}"), BLANKS)]);
        }
    }
    let sidecar = |name: &'static str, value: &str| {
        let rest = [("HOOKGLOT_TO", "http://127.0.0.1:9/"), ("HOOKGLOT_FORMAT", "gitlab"), ("HOOKGLOT_SECRET", MARK)];
        let mut variables: Vec<(&str, &str)> = rest.into_iter().filter(|(own, _)| *own != name).collect();
        variables.push((name, value));
        faults_of_environment(&variables)
    };
    let blank = format!("{MARK} ");
    assert_faults(&sidecar("HOOKGLOT_SECRET", &blank), &[("HOOKGLOT_SECRET", BLANKS)]);
    assert_faults(&sidecar("HOOKGLOT_TOKEN", &blank), &[("HOOKGLOT_TOKEN", BLANKS)]);
}

/// The line break at the end of a file, and between the secrets of one, is no part of them.
#[test]
fn a_secret_file_may_end_with_a_line_break_and_not_with_a_blank() {
    for (text, fits) in [("%\n", true), ("%\r\n", true), ("%\nother-%\n", true), ("% \n", false), (" %", false)] {
        let file = route("secret_file = \"FILE\"", "token_file = \"FILE\"");
        let secret = written(&file, &text.replace('%', MARK));
        // A token is one line.
        let one = written_beside(&file, text.split('\n').next().unwrap_or_default());
        let config = std::fs::read_to_string(&file.path).unwrap();
        let config = config.replacen("FILE", &secret, 1).replacen("FILE", &one, 1);
        std::fs::write(&file.path, config).unwrap();
        if fits {
            let ended = run(&["check", "--config", file.shown()]);
            assert_eq!(ended.code, Some(0), "{text:?}: {ended:?}");
        } else {
            let expected = [("route[0].secret_file", BLANKS), ("route[0].to[0].token_file", BLANKS)];
            assert_faults(&file.faults(&[], &[]), &expected);
        }
    }
}

fn written_beside(file: &ConfigFile, line: &str) -> String {
    let path = file.folder.path().join("token");
    std::fs::write(&path, format!("{}\n", line.replace('%', MARK))).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Whoever writes the file of secrets, or forgets a line beside it, must not open the route.
#[test]
fn none_stands_in_secret_and_alone() {
    let alone = "`none` switches the secret off, and stands in `secret`, alone";
    let with_file = |config: &str, text: &str| {
        let file = route(config, "");
        let secret = written(&file, text);
        let config = std::fs::read_to_string(&file.path).unwrap().replace("FILE", &secret);
        std::fs::write(&file.path, config).unwrap();
        file.faults(&[], &[])
    };
    let beside = "secret = \"none\"\nsecret_file = \"FILE\"";
    assert_faults(&with_file("secret_file = \"FILE\"", "none\n"), &[("route[0].secret_file", alone)]);
    assert_faults(&with_file(beside, &format!("{MARK}\n")), &[("route[0].secret", alone)]);
    assert_faults(&with_file(beside, "none\n"), &[("route[0].secret", alone), ("route[0].secret_file", alone)]);
    let empty = with_file(beside, "\n");
    assert!(empty.iter().any(|line| line.starts_with("route[0].secret_file: ")), "{empty:?}");
    assert_faults(
        &route("secret = \"none\"\nsecrets = []", "").faults(&[], &[]),
        &[("route[0].secret", "`none` lets everybody in, and other secrets are set beside it: use one")],
    );
    assert_faults(&route("secrets = [\"none\"]", "").faults(&[], &[]), &[("route[0].secrets", alone)]);
}

#[test]
fn a_star_is_no_name_of_a_header() {
    for name in ["X-*", "*", "X-Gitlab-*"] {
        let file = route("secret = \"none\"", &format!("pass_headers = [\"X-Team\", {name:?}]"));
        let says = format!("`{name}`: a `*` stands for nothing here, name each header");
        assert_faults(&file.faults(&[], &[]), &[("route[0].to[0].pass_headers", &says)]);
    }
}

#[test]
fn the_headers_of_a_signature_are_nobodys_custom_headers() {
    for name in ["webhook-id", "Webhook-Signature", "WEBHOOK-TIMESTAMP"] {
        let file = route("secret = \"none\"", &format!("[route.to.headers]\n{name} = \"{MARK}\""));
        let says =
            format!("`{name}` belongs to the signature, which hookglot makes anew for each attempt: leave it out");
        assert_faults(&file.faults(&[], &[]), &[(&format!("route[0].to[0].headers.{name}"), &says)]);
    }
}

#[test]
fn a_filter_of_whole_refs_is_told() {
    for (filter, whole) in [
        ("wildcard = \"refs/heads/*\"", "refs/heads/"),
        ("list = \"main:refs/tags/v1\"", "refs/tags/"),
        ("regex = \"^refs/heads/main$\"", "refs/heads/"),
        ("regex = \"^(refs/heads/main|refs/heads/x)$\"", "refs/heads/"),
    ] {
        let ended =
            run(&["check", "--config", route("secret = \"none\"", &format!("branch_filter = {{{filter}}}")).shown()]);
        let says = format!("names are looked at without `{whole}`, so ");
        assert!(ended.err.contains(&says) || ended.out.contains(&says), "{filter}: {ended:?}");
    }
}

/// What fills in a template leaves empty what it has nothing for.
#[test]
fn an_empty_variable_says_nothing() {
    let missing = "missing: the secret that the forge sends with its hooks; `none` lets everybody in";
    let rest = [("HOOKGLOT_TO", "http://127.0.0.1:9/"), ("HOOKGLOT_FORMAT", "gitlab")];
    let empty =
        ["SECRET", "SECRET_FILE", "TOKEN", "TOKEN_FILE", "LISTEN", "GRACE"].map(|name| format!("HOOKGLOT_{name}"));
    let all: Vec<(&str, &str)> = rest.into_iter().chain(empty.iter().map(|name| (name.as_str(), ""))).collect();
    assert_faults(&faults_of_environment(&all), &[("HOOKGLOT_SECRET", missing)]);
    // With a secret the rest may be empty, and is told; with a signing key the secret may.
    let key = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    for (name, value, status) in [("HOOKGLOT_SECRET", MARK, 200), ("HOOKGLOT_SIGNING_KEY", key, 401)] {
        let mut serve = command(&["serve"]);
        serve.envs(all.iter().copied()).env(name, value);
        let app = App::start(serve);
        assert_eq!(app.post("/", &[("X-Gitlab-Token", MARK)], gitflic_push().as_bytes()).status, status, "{name}");
        assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 401, "{name}");
        for empty in empty.iter().filter(|empty| *empty != name) {
            app.wait_for_log(&format!("{empty} is empty: it is as if it were not set"));
        }
        assert!(!app.log().contains(&format!("{name} is empty")));
    }
}

/// A signature that is no longer asked for would show nowhere.
#[test]
fn an_empty_signing_key_is_refused() {
    let says = "it is empty, and without it no signature would be asked for: give it a value, or do not set it";
    for name in ["HOOKGLOT_SIGNING_KEY", "HOOKGLOT_SIGNING_KEY_FILE"] {
        let all = [
            ("HOOKGLOT_TO", "http://127.0.0.1:9/"),
            ("HOOKGLOT_FORMAT", "gitlab"),
            ("HOOKGLOT_SECRET", MARK),
            (name, ""),
        ];
        assert_faults(&faults_of_environment(&all), &[(name, says)]);
    }
}

/// It works, so it is no fault.
#[test]
fn a_secret_that_can_be_guessed_is_warned_of() {
    for (secret, is_short) in [("pewter-sp-41", false), ("pewter-sp-4", true)] {
        let file = route(&format!("secret = \"{secret}\""), "");
        let ended = run(&["check", "--config", file.shown()]);
        let says = "route[0]: a secret of / has fewer than 12 characters: it can be guessed";
        assert_eq!(
            (ended.code, format!("{}{}", ended.out, ended.err).contains(says)),
            (Some(0), is_short),
            "{ended:?}"
        );
    }
}
