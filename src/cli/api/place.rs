//! Where the API is, and the token for it.

use super::super::healthcheck;
use crate::secret::Secret;
use std::collections::HashMap;
use std::net::SocketAddr;
use url::Url;

/// The variable that says where the API is.
const URL: &str = "HOOKGLOT_ADMIN_URL";
const LISTEN: &str = "HOOKGLOT_ADMIN_LISTEN";
const TOKEN: &str = "HOOKGLOT_ADMIN_TOKEN";
const TOKEN_FILE: &str = "HOOKGLOT_ADMIN_TOKEN_FILE";

/// Reads an address of an admin port.
///
/// # Errors
/// Says what it may not be, without the address itself: there may be a password in it.
fn read(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}: expected http://HOST:PORT"))?;
    if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
        return Err("expected http://HOST:PORT or https://HOST:PORT".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("no login, `?` or `#` belongs there: the token stands in {TOKEN}"));
    }
    Ok(url)
}

/// Where the API is: as the flag says, else the variables, else where hookglot listens by default.
pub(super) fn of(flag: Option<&str>, environment: &HashMap<String, String>) -> Result<Url, String> {
    if let Some(text) = flag {
        return read(text).map_err(|error| format!("--url: {error}"));
    }
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    if let Some(text) = set(URL) {
        return read(text).map_err(|error| format!("{URL}: {error}"));
    }
    let listen = match set(LISTEN) {
        Some(text) => text.parse().map_err(|_| format!("{LISTEN}: expected ADDRESS:PORT, got `{text}`"))?,
        None => SocketAddr::from(([127, 0, 0, 1], 9090)),
    };
    read(&format!("http://{}", healthcheck::reachable(listen)))
}

/// The token; none where none is set.
pub(super) fn token(environment: &HashMap<String, String>) -> Result<Option<Secret>, String> {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    match (set(TOKEN), set(TOKEN_FILE)) {
        (Some(_), Some(_)) => Err(format!("both {TOKEN} and {TOKEN_FILE} are set: use one")),
        (Some(token), None) => Ok(Secret::new(token)),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{TOKEN_FILE}: {file}: {error}"))?;
            Secret::new(&text).map(Some).ok_or_else(|| format!("{TOKEN_FILE}: {file}: there is no token in it"))
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(variables: &[(&str, &str)]) -> Result<String, String> {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        of(None, &environment).map(|url| url.to_string())
    }

    #[test]
    fn what_listens_everywhere_is_asked_on_the_loopback() {
        for (listen, url) in [
            ("0.0.0.0:9091", "http://127.0.0.1:9091/"),
            ("[::]:9091", "http://[::1]:9091/"),
            ("10.0.0.7:80", "http://10.0.0.7/"),
            ("", "http://127.0.0.1:9090/"),
        ] {
            assert_eq!(place(&[(LISTEN, listen)]).as_deref(), Ok(url));
        }
        let both = place(&[(LISTEN, "10.0.0.7:80"), (URL, "https://hooks.example/admin")]);
        assert_eq!(both.as_deref(), Ok("https://hooks.example/admin"));
    }

    #[test]
    fn an_address_with_a_login_is_refused_without_showing_it() {
        for wrong in ["http://me:pa55word@host/", "ftp://pa55word/", "pa55word", "http://host/?t=pa55word"] {
            let error = place(&[(URL, wrong)]).unwrap_err();
            assert!(error.starts_with("HOOKGLOT_ADMIN_URL: ") && !error.contains("pa55word"), "{error}");
        }
    }
}
