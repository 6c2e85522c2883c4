//! Secrets: those that open a route, and those that are sent.

use super::Access;
use super::fields::{Collector, Fields};
use super::signing::Given;
use crate::secret::{Secret, Secrets};

/// What opens a route: a secret, unless `secret = "none"`, and a signature where it has signing keys, which then need no
/// secret beside them.
pub(super) fn access(table: &mut Fields, signing: Option<Given>, all: &mut Collector<'_>) -> Option<Access> {
    let is_set =
        ["secret", "secrets", "secret_file"].iter().any(|key| table.peek(key).is_some_and(|own| !own.is_null()));
    let others = ["secrets", "secret_file"].iter().any(|key| table.peek(key).is_some_and(|own| !own.is_null()));
    let needs_secret = is_set || signing.is_none();
    let signing_keys = signing.map(|given| given.keys).unwrap_or_default();
    let (path, file_path, list_path) =
        (table.path_of("secret"), table.path_of("secret_file"), table.path_of("secrets"));
    let faults = all.faults.len();
    let mut given: Vec<(&str, String)> = Vec::new();
    given.extend(table.text("secret", all).map(|text| (path.as_str(), text)));
    given.extend(table.texts("secrets", all).unwrap_or_default().into_iter().map(|text| (list_path.as_str(), text)));
    if let Some(file) = table.text("secret_file", all)
        && let Some(text) = read_secret_file(&file_path, &file, all)
    {
        if text.trim().is_empty() {
            all.fault(&file_path, format!("{file} is empty"));
        }
        given.extend(text.lines().map(|line| (file_path.as_str(), line.to_owned())));
    }
    let is_none = matches!(given.as_slice(), [(place, word)] if word == "none" && *place == path);
    if !is_none {
        all.hide(&path);
        all.hide(&list_path);
    }
    if is_none && others {
        all.fault(&path, "`none` lets everybody in, and other secrets are set beside it: use one");
    }
    if is_none || !needs_secret {
        return Some(Access { secrets: None, signing_keys });
    }
    for (place, text) in &given {
        if text.starts_with("whsec_") {
            all.fault(place, "a signing key (whsec_…) is no secret token: it stands in `signing_key`");
        } else if text == "none" {
            all.fault(place, "`none` switches the secret off, and stands in `secret`, alone");
        } else if has_blanks(text) {
            all.fault(place, BLANKS);
        }
    }
    let secrets: Vec<Secret> = given.iter().filter_map(|(_, text)| Secret::new(text)).collect();
    if secrets.is_empty() && all.faults.len() == faults {
        all.fault(&path, "missing: the secret that the forge sends with its hooks; `none` lets everybody in");
    }
    (all.faults.len() == faults).then(|| Access { secrets: Some(Secrets::new(&secrets)), signing_keys })
}

const BLANKS: &str = "there are blanks at its beginning or its end, which a header does not carry: it could never fit";

/// Whether a secret begins or ends with what is cut off from the value of a header. The line breaks at its end are those of
/// a file.
fn has_blanks(text: &str) -> bool {
    let line = text.trim_end_matches(['\r', '\n']);
    line.trim_matches([' ', '\t']).len() != line.len()
}

pub(super) fn read_secret_file(place: &str, file: &str, all: &mut Collector<'_>) -> Option<String> {
    all.read_files.note(file.as_ref());
    let text = std::fs::read_to_string(file).map_err(|error| all.fault(place, format!("{file}: {error}"))).ok()?;
    // Some editors begin a text with a mark that no header carries.
    Some(text.trim_start_matches('\u{feff}').to_owned())
}

/// A secret that is sent: given in place or in a file.
pub(super) fn secret(
    table: &mut Fields,
    key: &'static str,
    file_key: &'static str,
    all: &mut Collector<'_>,
) -> Option<Secret> {
    let (path, file_path) = (table.path_of(key), table.path_of(file_key));
    let text = table.text(key, all);
    let file = table.text(file_key, all);
    let text_from_file = file.is_some();
    let text = match (text, file) {
        (Some(_), Some(_)) => {
            all.fault(&path, format!("both `{key}` and `{file_key}` are set: use one"));
            return None;
        }
        (Some(text), None) => {
            all.hide(&path);
            text
        }
        (None, Some(file)) => {
            let text = read_secret_file(&file_path, &file, all)?;
            if text.is_empty() {
                // Somebody is about to write it, or wrote nothing: not what leaving the setting out says.
                all.fault(&file_path, format!("{file} is empty"));
                return None;
            }
            text
        }
        (None, None) => return None,
    };
    let place = if text_from_file { file_path } else { path };
    if text.contains("whsec_") {
        all.fault(&place, "a signing key (whsec_…) is never sent: a destination's `signing_key` signs with it");
        return None;
    }
    if has_blanks(&text) {
        all.fault(&place, BLANKS);
        return None;
    }
    let secret = Secret::new(&text);
    if secret.as_ref().is_some_and(|secret| !secret.reveal().bytes().all(|byte| (0x20..0x7F).contains(&byte))) {
        all.fault(&place, "a header carries it: one line of printable ASCII characters");
        return None;
    }
    secret
}
