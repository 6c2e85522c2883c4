//! A request without a query: one that says more than a call knows is refused, as it may mean something by it.

use super::problem::Refusal;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};

/// Nothing stands in the query.
#[derive(Debug)]
pub(super) struct Bare;

impl FromRequest for Bare {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let is_bare = request.query_string().is_empty();
        ready(if is_bare { Ok(Self) } else { Err(Refusal::bad_request("the query: this call takes none")) })
    }
}
