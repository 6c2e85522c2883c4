//! Hides the secrets of destinations in what is kept of attempts: in the request, where we put them, and in the answer, where
//! a tool may repeat them, also those that it was shown for another destination.

use crate::config::{Destination, Login};
use crate::path_keys;
use crate::secret::Secret;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, SET_COOKIE};
use serde_json::Value;
use std::collections::HashSet;

/// What stands in place of a secret.
const HIDDEN: &str = "[hidden]";
/// A shorter secret is hidden only where it is the whole value of a header: anywhere else it may be part of a word.
const SHORTEST: usize = 4;

/// The secrets of all destinations, in all the ways in which they may be written.
pub(super) struct Veil {
    secrets: HashSet<String>,
    /// Finds the longer ones.
    finder: Option<AhoCorasick>,
}

impl Veil {
    pub(super) fn of<'d>(destinations: impl Iterator<Item = &'d Destination>) -> Self {
        let plain = destinations.flat_map(plain).filter(|secret| !secret.is_empty());
        let secrets: HashSet<String> = plain.flat_map(|secret| written(&secret)).collect();
        let finder = Self::finder(&secrets);
        Self { secrets, finder }
    }

    fn finder(secrets: &HashSet<String>) -> Option<AhoCorasick> {
        let long = secrets.iter().filter(|secret| secret.len() >= SHORTEST);
        // It fails only for more secrets than can be looked for at once; then everything is hidden.
        AhoCorasickBuilder::new().match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(true).build(long).ok()
    }

    /// How many bytes the longest secret has.
    pub(super) fn longest(&self) -> usize {
        self.secrets.iter().map(String::len).max().unwrap_or_default()
    }

    /// The headers of a request as they are sent, but for those that the client adds by itself.
    pub(super) fn request(&self, headers: &HeaderMap, has_login: bool) -> Vec<(String, String)> {
        let mut shown = self.headers(headers);
        if has_login {
            shown.push((AUTHORIZATION.as_str().to_owned(), HIDDEN.to_owned()));
        }
        shown
    }

    /// Headers, without secrets.
    pub(super) fn headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let shown = headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let is_secret = [AUTHORIZATION, COOKIE, SET_COOKIE].contains(name) || self.secrets.contains(&*value);
            (name.as_str().to_owned(), if is_secret { HIDDEN.to_owned() } else { self.text(&value) })
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
        let Some(finder) = &self.finder else { return HIDDEN.to_owned() };
        if !finder.is_match(text) {
            return text.to_owned();
        }
        let mut hidden = String::with_capacity(text.len());
        finder.replace_all_with(text, &mut hidden, |_, _, hidden| {
            hidden.push_str(HIDDEN);
            true
        });
        hidden
    }
}

/// The secrets of a destination as they are.
fn plain(destination: &Destination) -> Vec<String> {
    let named = [&destination.token, &destination.authorization].into_iter().flatten();
    let headers = destination.headers.iter().map(|(_, value)| value);
    let mut plain: Vec<String> = named.chain(headers).map(|secret| secret.reveal().to_owned()).collect();
    plain.extend(destination.login.iter().flat_map(of_login));
    // What stands behind the scheme is the secret: `Bearer …`.
    let behind: Vec<String> =
        plain.iter().filter_map(|secret| secret.split_once(' ')).map(|(_, rest)| rest.to_owned()).collect();
    plain.extend(behind);
    let url = destination.url.reveal();
    let keys = url.query_pairs().filter(|(name, value)| speaks_of_a_secret(name) || may_be_key(value));
    plain.extend(keys.map(|(_, value)| value.into_owned()));
    let parts = url.path().split('/').filter(|part| may_be_key(part));
    plain.extend(parts.map(str::to_owned));
    plain
}

fn may_be_key(part: &str) -> bool {
    path_keys::masked(part) != part
}

/// Whether the name of a value says that it is a secret.
fn speaks_of_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "secret", "key", "pass", "pwd", "auth", "sig", "credential"].iter().any(|word| name.contains(word))
}

fn of_login(login: &Login) -> Vec<String> {
    let [user, password] =
        [&login.user, &login.password].map(|own| own.as_ref().map(Secret::reveal).unwrap_or_default());
    // A name is none, unless it stands alone: some tools take a token for a user.
    let name = if password.is_empty() || may_be_key(user) { user } else { "" };
    vec![name.to_owned(), password.to_owned(), STANDARD.encode(format!("{user}:{password}"))]
}

/// A secret as it is, in addresses, in JSON and in HTML. Small and capital letters of `%2f` are found alike.
fn written(secret: &str) -> Vec<String> {
    /// What a part of an address leaves as it is.
    const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    let json = Value::from(secret).to_string();
    let json = json.trim_matches('"').to_owned();
    let form = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let strict = html.replace('\'', "&#39;").replace('/', "&#x2F;");
    vec![
        secret.to_owned(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        utf8_percent_encode(secret, PART).to_string(),
        form,
        json.replace('/', "\\/"),
        json,
        html,
        strict,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn veil(secrets: &[&str]) -> Veil {
        let secrets: HashSet<String> = secrets.iter().flat_map(|secret| written(secret)).collect();
        let finder = Veil::finder(&secrets);
        Veil { secrets, finder }
    }

    #[test]
    fn secrets_are_hidden_however_they_are_written() {
        let veil = veil(&["Sec/ret-42 \"x\" & +y", "abc"]);
        for shown in [
            "Sec/ret-42 \"x\" & +y",
            "Sec%2Fret-42%20%22x%22%20%26%20%2By",
            "sec%2fret%2d42%20%22x%22%20%26%20%2by",
            "Sec%2Fret-42+%22x%22+%26+%2By",
            r#"Sec/ret-42 \"x\" & +y"#,
            r#"Sec\/ret-42 \"x\" & +y"#,
            "Sec/ret-42 &quot;x&quot; &amp; +y",
            "Sec&#x2F;ret-42 &quot;x&quot; &amp; +y",
        ] {
            assert_eq!(veil.text(&format!("you sent {shown}.")), "you sent [hidden].", "{shown}");
        }
        assert_eq!(veil.text("abc is too short to be hidden in abcdef"), "abc is too short to be hidden in abcdef");
        let mut headers = HeaderMap::new();
        headers.insert("x-own", reqwest::header::HeaderValue::from_static("abc"));
        headers.insert("x-other", reqwest::header::HeaderValue::from_static("abcd"));
        let shown: Vec<_> =
            veil.request(&headers, true).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(shown, ["x-own: [hidden]", "x-other: abcd", "authorization: [hidden]"]);
    }
}
