//! Settings from outside the process's own environment.

use super::{Flags, Format, load};
use std::collections::HashMap;

fn environment(variables: &[(&str, &str)]) -> HashMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_example_file_holds_only_what_is_known_and_the_defaults_are_the_defaults() {
    let text = include_str!("../../hookglot.example.toml");
    let folder = tempfile::tempdir().expect("a folder");
    // Every default that stands behind `# ` must be a setting, too: taken in, the settings are the same.
    // A table behind `# ` is an example, to its blank line.
    let mut is_example = false;
    let uncommented: String = text
        .lines()
        .filter(|line| {
            is_example = !line.is_empty() && (is_example || line.starts_with("# [["));
            !is_example
        })
        .map(|line| match line.strip_prefix("# ") {
            Some(setting)
                if setting
                    .split_once(" = ")
                    .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')) =>
            {
                setting
            }
            _ => line,
        })
        .filter(|line| {
            ![
                "admin_token",
                "secrets",
                "secret_file",
                "signing_key",
                "token",
                "token_file",
                "authorization",
                "user_agent",
                "pass_headers",
                "mappings_dir",
                "events",
                "proxy",
                "ca_file",
                "client_",
                "overlays",
                "rate_limit",
                "allow_from",
            ]
            .iter()
            .any(|name| line.starts_with(name))
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let settings = [text, &uncommented].map(|text| {
        let file = folder.path().join("hookglot.toml");
        std::fs::write(&file, text).expect("written");
        let flags = Flags { config: Some(file), settings: Vec::new() };
        load(&flags, &HashMap::new()).unwrap_or_else(|faults| panic!("{faults}"))
    });
    let [short, long] = settings.map(|settings| {
        let to = settings.routes[0].to[0].clone();
        let top = (
            settings.listen,
            settings.admin_listen,
            settings.data_dir,
            settings.grace,
            settings.log_format,
            settings.log_level,
        );
        let inside =
            (settings.limits, settings.reload, to.timeout, to.concurrency, to.proxy, to.ca_file, to.hop_header);
        format!("{top:?}{inside:?}{:?}", settings.routes[0].accept)
    });
    assert_eq!(short, long);
    assert!(uncommented.contains("\nlisten = ") && uncommented.contains("\nread_timeout = "), "{uncommented}");
}

#[test]
fn a_sidecar_has_one_route_for_both_forges() {
    let variables = environment(&[
        ("HOOKGLOT_TO", "https://tool.example.org/x"),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SECRET", "s"),
    ]);
    let settings = load(&Flags::default(), &variables).unwrap_or_else(|faults| panic!("{faults}"));
    let [route] = settings.routes.as_slice() else { panic!("one route") };
    assert_eq!((route.path.as_str(), route.accept.len(), route.to.len()), ("/", 2, 1));
    assert!(route.access.secrets.is_some() && route.access.signing_keys.is_empty());
    assert_eq!(route.to[0].format, Format::Forge("gitlab".to_owned()));
    assert!(!settings.demo);
}
