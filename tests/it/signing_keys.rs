use crate::config::{ConfigFile, MARK, assert_faults, faults_of_environment};
use crate::support::process::run;
use crate::support::signer::key;

/// A route and its destination with these settings.
fn config(route: &str, to: &str) -> ConfigFile {
    ConfigFile::new(&format!(
        "[[route]]\npath = \"/\"\n{route}\n[[route.to]]\nname = \"jenkins\"\nurl = \"http://127.0.0.1:9/\"\n{to}\n"
    ))
}

fn is_sound(route: &str, to: &str) {
    let file = config(route, to);
    let checked = run(&["check", "--config", file.shown()]);
    assert_eq!(checked.code, Some(0), "{route}\n{to}\n{checked:?}");
}

#[test]
fn a_signing_key_in_the_place_of_a_token_is_refused() {
    for setting in ["token", "authorization"] {
        let file = config("secret = \"none\"", &format!("format = \"gitlab\"\n{setting} = \"{}\"", key(1)));
        let place = format!("route[0].to[0].{setting}");
        assert_faults(&file.faults(&[], &[]), &[(&place, "a signing key (whsec_…) is never sent")]);
    }
}

#[test]
fn a_text_that_is_no_signing_key_is_a_fault_that_repeats_nothing_of_it() {
    let bare = &key(1)["whsec_".len()..];
    let long = format!("whsec_{bare}{bare}{bare}");
    let texts =
        [MARK, bare, "", "none", &format!("whsec_{MARK}"), &format!("whsec_{bare} "), "whsec_YnJhc3M=", long.as_str()];
    let routes = texts.iter().enumerate().map(|(number, text)| {
        format!(
            "[[route]]\npath = \"/{number}\"\naccept = [\"gitlab\"]\nsigning_key = {text:?}\n\
             [[route.to]]\nname = \"jenkins-{number}\"\nurl = \"http://127.0.0.1:9/\"\nformat = \"gitlab\"\n\
             signing_keys = [{:?}, {text:?}]\n",
            key(1)
        )
    });
    let said = ConfigFile::new(&routes.collect::<String>()).faults(&[], &[]);
    let places = (0..texts.len())
        .flat_map(|number| [format!("route[{number}].signing_key"), format!("route[{number}].to[0].signing_keys")]);
    let places: Vec<String> = places.collect();
    let expected: Vec<(&str, &str)> = places.iter().map(|place| (place.as_str(), "not a signing key: ")).collect();
    assert_faults(&said, &expected);
    let said = said.join("\n");
    assert!(!said.contains(MARK) && !said.contains(bare) && !said.contains("YnJhc3M"), "{said}");
}

#[test]
fn files_and_values_of_another_kind_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, wrong) = (folder.path().join("empty"), folder.path().join("wrong"));
    std::fs::write(&empty, "\n").unwrap();
    std::fs::write(&wrong, format!("{}\nwhsec_{MARK}\n", key(1))).unwrap();
    for (setting, place, message) in [
        (format!("signing_key_file = {empty:?}"), "signing_key_file", "is empty"),
        (format!("signing_key_file = {wrong:?}"), "signing_key_file", "not a signing key"),
        ("signing_key_file = \"/no/such/keys\"".to_owned(), "signing_key_file", "/no/such/keys: No such file"),
        ("signing_keys = []".to_owned(), "signing_keys", "an empty list"),
        (format!("signing_keys = \"{MARK}\""), "signing_keys", "expected a list of texts"),
        (format!("signing_key = [\"{MARK}\"]"), "signing_key", "expected a text, got a list"),
    ] {
        let said = config(&format!("accept = [\"gitlab\"]\n{setting}"), "format = \"gitlab\"").faults(&[], &[]);
        assert_faults(&said, &[(&format!("route[0].{place}"), message)]);
        assert!(!said[0].contains(MARK), "{said:?}");
    }
    // What is wrong with the keys does not hide what else is wrong, and a key in the wrong place is led to its own.
    let said = config("accept = [\"gitlub\"]\nsecret = \"whsec_x\"\nsigning_key = \"x\"", "format = \"gitlab\"");
    assert_faults(
        &said.faults(&[], &[]),
        &[
            ("route[0].accept", "unknown forge `gitlub`"),
            ("route[0].secret", "it stands in `signing_key`"),
            ("route[0].signing_key", "not a signing key"),
        ],
    );
}

#[test]
fn a_route_that_asks_for_signatures_accepts_only_forges_that_sign() {
    let keys = format!("signing_keys = [{:?}]", key(1));
    let said = |route: &str| config(&format!("{route}\n{keys}"), "format = \"gitlab\"").faults(&[], &[]);
    let message = "the hooks of gitflic have no signature that could be checked";
    for route in ["", "accept = [\"gitlab\", \"gitflic\"]", "accept = [\"gitflic\"]\nsecret = \"none\""] {
        let said = said(route);
        assert_faults(&said, &[("route[0].signing_keys", message)]);
        let advice = "let them come in on a [[route]] of their own, and give this route accept = [\"gitlab\"]";
        assert!(said[0].contains(advice), "{said:?}");
    }
    is_sound(&format!("accept = [\"gitlab\"]\n{keys}"), "format = \"gitlab\"");
}

#[test]
fn a_destination_signs_only_formats_that_have_a_signature() {
    let key = key(1);
    let to = |format: &str| format!("format = \"{format}\"\nsigning_key = {key:?}");
    let place = "route[0].to[0].signing_key";
    let said = |route: &str, format: &str| config(&format!("secret = \"none\"\n{route}"), &to(format)).faults(&[], &[]);
    assert_faults(&said("", "gitflic"), &[(place, "a hook in the format gitflic cannot be signed: leave")]);
    for route in ["", "accept = [\"gitlab\"]", "accept = [\"gitlab\", \"gitflic\"]"] {
        let message = "with the format other it is sent hooks in the format of gitflic: ";
        assert_faults(&said(route, "other"), &[(place, message)]);
    }
    is_sound("secret = \"none\"\naccept = [\"gitflic\"]", &to("other"));
    is_sound("secret = \"none\"", &to("gitlab"));
}

#[test]
fn the_variables_of_a_sidecar_are_held_to_the_same() {
    let (to, format) = (("HOOKGLOT_TO", "http://127.0.0.1:9/"), ("HOOKGLOT_FORMAT", "gitlab"));
    let wrong = format!("whsec_{MARK}");
    let said = faults_of_environment(&[to, format, ("HOOKGLOT_SIGNING_KEY", &wrong)]);
    assert_faults(&said, &[("HOOKGLOT_SIGNING_KEY", "not a signing key: behind whsec_ stands base64")]);
    assert!(!said[0].contains(MARK), "{said:?}");
    let said = faults_of_environment(&[to, format, ("HOOKGLOT_SIGNING_KEY_FILE", "/no/such/keys")]);
    assert_faults(&said, &[("HOOKGLOT_SIGNING_KEY_FILE", "/no/such/keys: No such file")]);
    let said = faults_of_environment(&[to, format, ("HOOKGLOT_SIGNING_KEYS", MARK)]);
    assert!(said.iter().any(|line| line.starts_with("HOOKGLOT_SIGNING_KEYS: unknown setting")), "{said:?}");
    assert!(!said.join("\n").contains(MARK), "{said:?}");
}
