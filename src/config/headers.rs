//! Headers that a destination has of its own: those that it is always sent, and those of a hook that are passed on.

use super::fields::{Collector, Fields};
use super::read::KnownNames;
use super::secrets::read_secret_file;
use crate::loop_guard::HOPS_HEADER;
use crate::secret::Secret;
use serde_json::Value;

/// How many headers, and how many characters in each, GitLab takes.
const MOST: usize = 20;
const LONGEST: usize = 2048;

/// What frames a request or belongs to one connection: the client that sends it decides.
const OF_CONNECTION: [&str; 13] = [
    "host",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
];

/// What proves a caller, whichever forge it is, and what every request of ours has or asks for.
const NEVER_PASSED: [&str; 6] =
    ["authorization", "cookie", "set-cookie", "content-type", "accept-encoding", HOPS_HEADER];

/// The headers of a destination's own.
pub(super) struct Headers {
    pub(super) sent: Vec<(String, Secret)>,
    /// In small letters.
    pub(super) passed: Vec<String>,
    pub(super) user_agent: Option<String>,
}

impl Headers {
    pub(super) fn read(table: &mut Fields, known: &KnownNames<'_>, all: &mut Collector<'_>) -> Self {
        let sent = sent(table, Some(known), all);
        let passed = passed(table, &sent, known, all);
        let user_agent = table.parsed("user_agent", all, |text| match text.trim() {
            "" => Err("empty: leave it out to send the forge's own".to_owned()),
            text if text.bytes().all(|byte| (0x20..0x7F).contains(&byte)) => Ok(text.to_owned()),
            _ => Err("a header carries it: one line of printable ASCII characters".to_owned()),
        });
        Self { sent, passed, user_agent }
    }

    /// The place of a header of a name among those that are always sent, as the user wrote it.
    pub(super) fn sends(&self, name: &str) -> Option<&str> {
        self.sent.iter().map(|(own, _)| own.as_str()).find(|own| own.eq_ignore_ascii_case(name))
    }
}

/// Those that are always sent; what a forge makes of its own is none of them, where there are forges.
pub(super) fn sent(
    table: &mut Fields,
    known: Option<&KnownNames<'_>>,
    all: &mut Collector<'_>,
) -> Vec<(String, Secret)> {
    let path = table.path_of("headers");
    let mut members: Vec<(String, Value)> = table.table("headers", all).into_members().into_iter().collect();
    // The order in which they were written is lost by now; every process sends them in the same one.
    members.sort_by_cached_key(|(name, _)| (name.to_ascii_lowercase(), name.clone()));
    if members.len() > MOST {
        all.fault(&path, format!("{} headers: at most {MOST}, as in GitLab", members.len()));
    }
    let mut sent: Vec<(String, Secret)> = Vec::new();
    for (name, value) in members {
        let place = format!("{path}.{name}");
        let twice = sent.iter().find(|(own, _)| own.eq_ignore_ascii_case(&name));
        let of_forge = || known.map_or(Ok(()), |known| check_signature(&name, known));
        let checked = check_name(&name).and_then(|()| of_forge()).and_then(|()| match twice {
            Some((own, _)) => Err(format!("`{own}` is the same header: capital and small letters are alike in it")),
            None => Ok(()),
        });
        if let Err(message) = checked {
            all.fault(&place, message);
            continue;
        }
        if let Some(value) = value_of(&place, value, all) {
            match check_value(value.reveal()) {
                Ok(()) => sent.push((name, value)),
                Err(message) => all.fault(&place, message),
            }
        }
    }
    sent
}

/// Letters and digits in pieces, between which stands one `.`, `_` or `-`; the first character is a letter.
fn check_name(name: &str) -> Result<(), String> {
    let in_pieces = name
        .split(['.', '_', '-'])
        .all(|piece| !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if !in_pieces || !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(
            "a header's name begins with a letter, ends with a letter or a digit, and has letters, digits and \
                    single `.`, `_` or `-` between"
                .to_owned(),
        );
    }
    check_connection(name)
}

fn check_signature(name: &str, known: &KnownNames<'_>) -> Result<(), String> {
    if known.forges_sign_with(&name.to_ascii_lowercase()) {
        return Err(format!(
            "`{name}` belongs to the signature, which hookglot makes anew for each attempt: leave it out"
        ));
    }
    Ok(())
}

fn check_connection(name: &str) -> Result<(), String> {
    if OF_CONNECTION.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("`{name}` belongs to the connection: hookglot makes it where it is needed"));
    }
    Ok(())
}

/// A value in place, or `{file = "…"}`.
fn value_of(place: &str, value: Value, all: &mut Collector<'_>) -> Option<Secret> {
    let text = match value {
        Value::String(text) => {
            all.hide(place);
            text
        }
        Value::Object(members) => {
            let mut table = Fields::new(place, members);
            let file = table.required("file", "the file that holds the value", all);
            table.end(all);
            let file = file?;
            read_secret_file(place, &file, all)?.trim_end_matches(['\r', '\n']).to_owned()
        }
        _ => {
            all.fault(place, "expected a text, or {file = \"…\"}");
            return None;
        }
    };
    // Spaces at its ends are no part of a header's value.
    let secret = Secret::whole(text.trim_matches([' ', '\t']));
    if secret.is_none() {
        all.fault(place, "empty: a header that is sent has a value");
    }
    secret
}

fn check_value(value: &str) -> Result<(), String> {
    if value.chars().any(char::is_control) {
        return Err("a header carries it: one line without control characters".to_owned());
    }
    match value.chars().count() {
        length if length > LONGEST => Err(format!("{length} characters: at most {LONGEST}, as in GitLab")),
        _ => Ok(()),
    }
}

fn passed(
    table: &mut Fields,
    sent: &[(String, Secret)],
    known: &KnownNames<'_>,
    all: &mut Collector<'_>,
) -> Vec<String> {
    let path = table.path_of("pass_headers");
    let mut passed = Vec::new();
    for name in table.texts("pass_headers", all).unwrap_or_default() {
        let small = name.to_ascii_lowercase();
        // Some tools read both alike.
        let hyphenated = small.replace(['_', '.'], "-");
        let checked = if small.is_empty() || !small.bytes().all(is_in_names) {
            Err(format!("`{name}` is no header's name"))
        } else if small.contains('*') {
            Err(format!("`{name}`: a `*` stands for nothing here, name each header"))
        } else if NEVER_PASSED.contains(&hyphenated.as_str()) || known.forges_keep_back(&small) {
            Err(format!(
                "`{name}` is never passed on: it proves a caller, belongs to the delivery, or names a forge's event"
            ))
        } else if sent.iter().any(|(own, _)| own.eq_ignore_ascii_case(&small)) {
            Err(format!("`{name}` stands in `headers` as well: use one"))
        } else {
            check_connection(&hyphenated)
                .map_err(|_| format!("`{name}` belongs to the connection: hookglot makes it where it is needed"))
        };
        match checked {
            Ok(()) => passed.push(small),
            Err(message) => all.fault(&path, message),
        }
    }
    passed
}

/// What RFC 9110 allows in the name of a header that somebody else has chosen.
fn is_in_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
