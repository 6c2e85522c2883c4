//! What the admin API answers when it does not do what it was asked: a status and a sentence for the person.

use crate::store::StoreError;
use actix_web::error::{BlockingError, JsonPayloadError, PathError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use actix_web::{Error, HttpResponse, ResponseError};
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// The body of an answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What is wrong and what to do.
    pub error: String,
}

/// A [`Problem`] with its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    error: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into() }
    }

    pub(super) fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// What is asked for is well said and cannot be: it names what is not there, for one.
    pub(super) fn unfit(error: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error)
    }

    pub(super) fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    pub(super) fn wrong_method(allowed: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("this call is made by {allowed}"))
    }

    pub(super) fn conflict(error: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.error)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        answer(self)
    }
}

/// The answer that says it.
pub(super) fn answer(refusal: &Refusal) -> HttpResponse {
    let mut answer = HttpResponse::build(refusal.status);
    if refusal.status == StatusCode::UNAUTHORIZED {
        let (name, value): (HeaderName, _) = (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        answer.insert_header((name, value));
    }
    answer.json(Problem { error: refusal.error.clone() })
}

impl From<BlockingError> for Refusal {
    fn from(_: BlockingError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping")
    }
}

/// A body that is not what a call takes.
pub(super) fn of_json(error: JsonPayloadError) -> Error {
    let status = match &error {
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        JsonPayloadError::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => StatusCode::BAD_REQUEST,
    };
    let error = match error {
        JsonPayloadError::ContentType => "the body: send it as `Content-Type: application/json`".to_owned(),
        error => format!("the body: {error}"),
    };
    Refusal::new(status, error).into()
}

/// A query that is not what a call takes.
pub(super) fn of_query(error: &QueryPayloadError) -> Error {
    Refusal::bad_request(format!("the query: {error}")).into()
}

/// A path that names nothing.
pub(super) fn of_path(error: &PathError) -> Error {
    Refusal::not_found(format!("the path: {error}")).into()
}
