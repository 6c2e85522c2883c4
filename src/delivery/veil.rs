//! Hides a destination's secrets in what is kept of its attempts: in the request, where we put them, and in the answer,
//! where a tool may repeat them.

use crate::config::{Destination, Login};
use crate::path_keys;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, SET_COOKIE};
use serde_json::Value;

/// What stands in place of a secret.
const HIDDEN: &str = "[hidden]";
/// A shorter secret is hidden only where it is the whole value of a header: anywhere else it may be part of a word.
const SHORTEST: usize = 4;

/// The secrets of a destination, in all the ways in which they may be written.
pub(super) struct Veil {
    secrets: Vec<String>,
    has_login: bool,
}

impl Veil {
    pub(super) fn of(destination: &Destination) -> Self {
        let named = [&destination.token, &destination.authorization].into_iter().flatten();
        let headers = destination.headers.iter().map(|(_, value)| value);
        let mut plain: Vec<String> = named.chain(headers).map(|secret| secret.reveal().to_owned()).collect();
        plain.extend(destination.login.iter().flat_map(of_login));
        // What stands behind the scheme is the secret: `Bearer …`.
        let behind: Vec<String> =
            plain.iter().filter_map(|secret| secret.split_once(' ')).map(|(_, rest)| rest.to_owned()).collect();
        plain.extend(behind);
        let url = destination.url.reveal();
        plain.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
        let parts = url.path().split('/').filter(|part| path_keys::masked(part) != **part);
        plain.extend(parts.map(str::to_owned));
        let mut secrets: Vec<String> =
            plain.iter().filter(|own| !own.is_empty()).flat_map(|own| written(own)).collect();
        // The longest first: one may hold another.
        secrets.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        secrets.dedup();
        Self { secrets, has_login: destination.login.is_some() }
    }

    /// The headers of a request as they are sent, but for those that the client adds by itself.
    pub(super) fn request(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let mut shown = self.headers(headers);
        if self.has_login {
            shown.push((titled(AUTHORIZATION.as_str()), HIDDEN.to_owned()));
        }
        shown
    }

    /// Headers, their names in title case.
    pub(super) fn headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let shown = headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let is_secret = [AUTHORIZATION, COOKIE, SET_COOKIE].contains(name)
                || self.secrets.iter().any(|secret| *secret == value);
            (titled(name.as_str()), if is_secret { HIDDEN.to_owned() } else { self.text(&value) })
        });
        shown.collect()
    }

    /// A body; one without secrets stays as it is.
    pub(super) fn body(&self, body: Bytes) -> Bytes {
        let text = String::from_utf8_lossy(&body);
        let hidden = self.text(&text);
        if hidden == text { body } else { Bytes::from(hidden) }
    }

    fn text(&self, text: &str) -> String {
        let long = self.secrets.iter().filter(|secret| secret.len() >= SHORTEST);
        long.fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), HIDDEN) } else { text }
        })
    }
}

fn of_login(login: &Login) -> Vec<String> {
    let [user, password] =
        [&login.user, &login.password].map(|own| own.as_ref().map(Secret::reveal).unwrap_or_default());
    vec![user.to_owned(), password.to_owned(), STANDARD.encode(format!("{user}:{password}"))]
}

/// A secret as it is, in an address, and in JSON.
fn written(secret: &str) -> [String; 3] {
    let json = Value::from(secret).to_string();
    let json = json.trim_matches('"').to_owned();
    [secret.to_owned(), utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(), json]
}

/// A header's name as it stands on the wire: `X-Gitlab-Event`.
fn titled(name: &str) -> String {
    let mut is_first = true;
    let letter = |character: char| {
        let shown = if is_first { character.to_ascii_uppercase() } else { character };
        is_first = character == '-';
        shown
    };
    name.chars().map(letter).collect()
}
