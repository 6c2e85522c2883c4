//! Addresses that may hold secrets: what stands before their `@`, in their query, and what looks like a key in their path.

use super::fields::{Collector, Fields};
use super::secrets::read_secret_file;
use crate::path_keys;
use crate::secret::Secret;
use std::fmt;
use url::Url;

/// A URL whose secrets do not show: both [`fmt::Display`] and [`fmt::Debug`] leave out user, password, query,
/// fragment, and the parts of the path that look like keys.
#[derive(Clone, PartialEq, Eq)]
pub struct HiddenUrl(Url);

impl HiddenUrl {
    /// Hides a URL.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// The URL itself, for the one place that connects to it.
    #[must_use]
    pub fn reveal(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for HiddenUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        // These fail only for URLs that have no host; one that is connected to has one.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        if shown.query().is_some() {
            shown.set_query(Some("hidden"));
        }
        shown.set_fragment(None);
        let path = path_keys::masked(shown.path()).into_owned();
        shown.set_path(&path);
        shown.fmt(formatter)
    }
}

impl fmt::Debug for HiddenUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// What is sent as `Authorization: Basic`; both may be secrets, as some tools take a token for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Who.
    pub user: Option<Secret>,
    /// The password.
    pub password: Option<Secret>,
}

/// Where a destination is: its URL without user and password, which go into a header.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) url: HiddenUrl,
    pub(super) login: Option<Login>,
}

impl Address {
    /// Reads an http or https URL. It may hold a password: nothing of it is repeated but its scheme.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
        let scheme = url.scheme();
        match scheme {
            "http" | "https" if url.has_host() => Self::of(url),
            // What stands before a bare colon may be a user, `olga:password@host`.
            _ if has_slashes(text, scheme) => Err(format!("expected an http:// or https:// URL, got {scheme}:")),
            _ => Err("expected an http:// or https:// URL".to_owned()),
        }
    }

    /// Reads that of a table, in place or in a file, and says how it may be shown.
    pub(super) fn read(
        table: &mut Fields,
        (key, file_key): (&'static str, &'static str),
        missing: &str,
        all: &mut Collector<'_>,
    ) -> Option<Self> {
        let (path, faults) = (table.path_of(key), all.faults.len());
        let Some((place, text)) = given(table, key, file_key, all).filter(|(_, text)| !text.is_empty()) else {
            if all.faults.len() == faults {
                all.fault(&path, format!("missing: {missing}"));
            }
            return None;
        };
        let address = Self::new(&text).map_err(|message| all.fault(&place, message)).ok()?;
        all.show_as(&path, address.url.to_string());
        Some(address)
    }

    /// Takes user and password out of a URL.
    fn of(mut url: Url) -> Result<Self, String> {
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some(Login {
                user: Secret::whole(&unescaped(user)?),
                password: Secret::whole(&unescaped(password.unwrap_or_default())?),
            }),
        };
        // These fail only for URLs that have no host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(Self { url: HiddenUrl::new(url), login })
    }
}

fn has_slashes(text: &str, scheme: &str) -> bool {
    text.trim_start().get(scheme.len()..).is_some_and(|rest| rest.starts_with("://"))
}

/// Reads what is escaped in a user or a password as a form's field is read: GitLab does so, down to `+` for a space, and
/// an address that is moved from there means the same here.
fn unescaped(text: &str) -> Result<String, String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, after @ ..] = rest {
        let hex = match (first, after) {
            (b'%', [high, low, ..]) => std::str::from_utf8(&[*high, *low]).ok().and_then(of_hex),
            _ => None,
        };
        bytes.push(hex.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = after.get(if hex.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    String::from_utf8(bytes).map_err(|_| "its user or its password is no text in UTF-8".to_owned())
}

fn of_hex(digits: &str) -> Option<u8> {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// The proxy of a table, in place or in a file.
pub(super) fn proxy(table: &mut Fields, all: &mut Collector<'_>) -> Option<HiddenUrl> {
    let (place, text) = given(table, "proxy", "proxy_file", all)?;
    let proxy = proxy_of(&text).map_err(|message| all.fault(&place, message)).ok()?;
    all.show_as(&table.path_of("proxy"), proxy.to_string());
    Some(proxy)
}

/// A URL in place or in a file, as whoever has it may get in; and the path of the setting that says it.
fn given(
    table: &mut Fields,
    key: &'static str,
    file_key: &'static str,
    all: &mut Collector<'_>,
) -> Option<(String, String)> {
    let (path, file_path) = (table.path_of(key), table.path_of(file_key));
    match (table.text(key, all), table.text(file_key, all)) {
        (Some(_), Some(_)) => {
            all.fault(&path, format!("both `{key}` and `{file_key}` are set: use one"));
            None
        }
        (Some(text), None) => Some((path, text)),
        (None, Some(file)) => {
            let text = read_secret_file(&file_path, &file, all)?;
            if text.trim().is_empty() {
                all.fault(&file_path, format!("{file} is empty"));
            }
            Some((file_path, text.trim().to_owned()))
        }
        (None, None) => None,
    }
}

/// A proxy that requests can go through. Its text may hold a password: nothing of it is repeated.
fn proxy_of(text: &str) -> Result<HiddenUrl, String> {
    let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
    match url.scheme() {
        "http" | "https" | "socks5" | "socks5h" if url.has_host() => Ok(HiddenUrl::new(url)),
        _ => Err("expected an http://, https://, socks5:// or socks5h:// URL".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revealed(secret: Option<&Secret>) -> &str {
        secret.map(Secret::reveal).unwrap_or_default()
    }

    #[test]
    fn what_may_be_secret_does_not_show() {
        let address = Address::new("https://olga:brass%20key@tool.example.org/hook?token=tin#x").expect("an address");
        let login = address.login.clone().expect("a login");
        assert_eq!((revealed(login.user.as_ref()), revealed(login.password.as_ref())), ("olga", "brass key"));
        assert_eq!(address.url.reveal().as_str(), "https://tool.example.org/hook?token=tin#x");
        assert_eq!(address.url.to_string(), "https://tool.example.org/hook?hidden");
        let proxy = proxy_of("socks5://olga:brass@proxy:1080").expect("a proxy");
        let shown = format!("{address:?} {proxy:?} {proxy}");
        for secret in ["olga", "brass", "tin"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn keys_in_a_path_do_not_show_and_names_do() {
        let shown = |text: &str| Address::new(text).expect("an address").url.to_string();
        let chat = "https://chat.example.org/hooks/xkq8wzr3yibtmfp9o1cdns5ueh";
        assert_eq!(shown(chat), "https://chat.example.org/hooks/hidden");
        let jenkins = "http://jenkins:8080/project/north-harbour/ledger-2";
        assert_eq!(shown(jenkins), jenkins);
    }

    #[test]
    fn user_and_password_are_read_as_gitlab_reads_them() {
        let cases = [
            ("http://olga@tool/", "olga", ""),
            ("http://:brass@tool/", "", "brass"),
            ("http://a+b:%2B%3a%40%zz%@tool/", "a b", "+:@%zz%"),
            ("http://%D1%8F:x%20%0Ay@tool/", "я", "x \ny"),
        ];
        for (text, user, password) in cases {
            let login = Address::new(text).expect(text).login.expect(text);
            assert_eq!((revealed(login.user.as_ref()), revealed(login.password.as_ref())), (user, password), "{text}");
        }
        assert!(Address::new("http://tool/").expect("an address").login.is_none());
        assert!(Address::new("http://%ff@tool/").is_err());
    }
}
