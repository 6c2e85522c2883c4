//! Settings from outside the process's own environment.

use super::{Flags, Format, load};
use std::collections::HashMap;

fn environment(variables: &[(&str, &str)]) -> HashMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
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
