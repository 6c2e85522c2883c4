//! What a destination's own settings put into the head of a request.

use super::sender::insert;
use crate::config::{Destination, Login};
use crate::forge::Forges;
use crate::secret::Secret;
use crate::store::Hook;
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

/// The headers of a hook that are passed on, over them those that the destination is always sent. The delivery's own come
/// over both, in the order in which GitLab merges them.
pub(super) fn headers(hook: &Hook, to: &Destination, forges: &Forges) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    // The configuration was held against the forges of the start; those in force may know more.
    let passed = hook.headers.iter().filter(|(name, _)| to.pass_headers.contains(name) && !forges.keep_back(name));
    for (name, value) in passed {
        let header = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()));
        let (Ok(name), Ok(mut value)) = header else {
            return Err(format!("the header {name} of the hook cannot be passed on"));
        };
        value.set_sensitive(true);
        headers.append(name, value);
    }
    for (name, value) in &to.headers {
        insert(&mut headers, name, value.reveal())?;
    }
    Ok(headers)
}

/// Adds what every client sends, unless the destination's settings say otherwise.
pub(super) fn complete(headers: &mut HeaderMap, to: &Destination) -> Result<(), String> {
    if let Some(user_agent) = &to.user_agent {
        insert(headers, USER_AGENT.as_str(), user_agent)?;
    }
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    Ok(())
}

/// Adds the user and the password of the destination's URL as `Authorization: Basic`.
pub(crate) fn with_login(request: RequestBuilder, login: Option<&Login>) -> RequestBuilder {
    let Some(Login { user, password }) = login else { return request };
    let [user, password] = [user, password].map(|part| part.as_ref().map(Secret::reveal).unwrap_or_default());
    request.basic_auth(user, Some(password))
}
