//! Heads that the framework takes and that other servers could read in another way.

use super::Answer;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};

/// Refuses what does not say for everybody alike how long its body is, or that has no path.
pub(super) fn check(method: &Method, headers: &HeaderMap) -> Result<(), Answer> {
    for known in [CONTENT_LENGTH, TRANSFER_ENCODING] {
        let is_like = |name: &str| name.contains('_') && name.replace('_', "-") == known.as_str();
        if let Some(name) = headers.keys().find(|name| is_like(name.as_str())) {
            return Err(Answer::unclear_head(format!(
                "the request has a header {name}, which some servers read as {known} and others do not: write it with a \
                 hyphen, or leave it out"
            )));
        }
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).unwrap_or("0");
    let is_plain = length == "0" || !length.starts_with('0') && length.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain {
        return Err(Answer::unclear_head(
            "the Content-Length is not a plain number, which has no sign and no zeros at its beginning",
        ));
    }
    if method == Method::CONNECT {
        return Err(Answer::tunnel());
    }
    Ok(())
}
