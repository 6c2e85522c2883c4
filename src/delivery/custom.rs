//! What a destination's own settings put into the head of a request.

use crate::config::Login;
use crate::secret::Secret;
use reqwest::RequestBuilder;

/// Adds the user and the password of the destination's URL as `Authorization: Basic`.
pub(super) fn with_login(request: RequestBuilder, login: Option<&Login>) -> RequestBuilder {
    let Some(Login { user, password }) = login else { return request };
    let [user, password] = [user, password].map(|part| part.as_ref().map(Secret::reveal).unwrap_or_default());
    request.basic_auth(user, Some(password))
}
