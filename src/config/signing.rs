//! Signing keys: those that open a route, and those that sign what is sent.

use super::Format;
use super::fields::{Collector, Fields};
use super::read::KnownNames;
use super::secrets::read_secret_file;
use crate::forge::signature::{SigningKey, SigningKeys};

/// Signing keys, and the setting that says them.
pub(super) struct Given {
    /// Those that are sound.
    pub(super) keys: SigningKeys,
    /// The path of the first setting that says some.
    place: String,
}

/// The keys of `signing_key`, `signing_keys` and `signing_key_file` (one a line); nothing when none of them is set.
pub(super) fn signing_keys(table: &mut Fields, all: &mut Collector<'_>) -> Option<Given> {
    const SETTINGS: [&str; 3] = ["signing_key", "signing_keys", "signing_key_file"];
    let is_set = |key: &&str| table.peek(key).is_some_and(|value| !value.is_null());
    let Some(first) = SETTINGS.into_iter().find(is_set) else {
        // They are known all the same, for who mistypes one.
        for key in SETTINGS {
            table.take(key);
        }
        return None;
    };
    let place = table.path_of(first);
    let [one_path, list_path, file_path] = SETTINGS.map(|key| table.path_of(key));
    all.hide(&one_path);
    all.hide(&list_path);
    let mut given: Vec<(&str, String)> = Vec::new();
    given.extend(table.text("signing_key", all).map(|text| (one_path.as_str(), text)));
    if let Some(texts) = table.texts("signing_keys", all) {
        if texts.is_empty() {
            all.fault(&list_path, "an empty list: leave it out where nothing is signed");
        }
        given.extend(texts.into_iter().map(|text| (list_path.as_str(), text)));
    }
    if let Some(file) = table.text("signing_key_file", all)
        && let Some(text) = read_secret_file(&file_path, &file, all)
    {
        if text.trim().is_empty() {
            all.fault(&file_path, format!("{file} is empty"));
        }
        let lines = text.lines().filter(|line| !line.is_empty());
        given.extend(lines.map(|line| (file_path.as_str(), line.to_owned())));
    }
    let mut keys = Vec::new();
    for (place, text) in given {
        match SigningKey::new(&text) {
            Ok(key) => keys.push(key),
            Err(fault) => all.fault(place, fault.to_string()),
        }
    }
    Some(Given { keys: SigningKeys::new(keys), place })
}

/// Hooks of a forge that does not sign could never come in where a signature is asked for; were they let in, a token
/// alone would open what the signing keys are to close.
pub(super) fn check_senders(given: &Given, accept: &[String], known: &KnownNames, all: &mut Collector<'_>) {
    for forge in accept.iter().filter(|forge| !known.may_sign(forge)) {
        let rest = match known.signing() {
            [] => String::new(),
            signing => format!(", and give this route accept = {signing:?}"),
        };
        let message = format!(
            "the hooks of {forge} have no signature that could be checked (`prove` of {forge}/forge.yaml names none): let \
             them come in on a [[route]] of their own{rest}"
        );
        all.fault(&given.place, message);
    }
}

/// A destination whose format has no signature would be sent unsigned what somebody wants to be signed. One of the
/// format `other` must have one for the hooks of every forge that its route takes.
pub(super) fn check_format(
    given: &Given,
    format: &Format,
    accept: &[String],
    known: &KnownNames,
    all: &mut Collector<'_>,
) {
    let formats = match format {
        Format::Forge(name) => vec![name],
        Format::Other => accept.iter().filter_map(|from| known.forges.iter().find(|own| *own != from)).collect(),
    };
    for name in formats.into_iter().filter(|name| !known.may_sign(name)) {
        let (sent, instead) = match format {
            Format::Forge(_) => (String::new(), "leave the signing key out, a `token` is what this format has"),
            Format::Other => (
                "with the format other it is sent hooks in the format of ".to_owned() + name + ": ",
                "name one `format` that can be signed, or accept on the route only hooks that get it",
            ),
        };
        all.fault(&given.place, format!("{sent}a hook in the format {name} cannot be signed: {instead}"));
    }
}
