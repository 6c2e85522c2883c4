//! Who asks: a bearer token of the configuration, with rights.

use super::Desk;
use super::problem::Refusal;
use crate::config::{AdminToken, Rights};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};

/// Somebody who may look, by the name of the token.
#[derive(Debug)]
pub(super) struct Reader(pub(super) String);

/// Somebody who may change things, by the name of the token.
#[derive(Debug)]
pub(super) struct Writer(pub(super) String);

impl FromRequest for Reader {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(who(request, Rights::Read).map(Self))
    }
}

impl FromRequest for Writer {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(who(request, Rights::Write).map(Self))
    }
}

/// The name of the token that a request shows, when it has the rights.
fn who(request: &HttpRequest, wanted: Rights) -> Result<String, Refusal> {
    let Some(desk) = request.app_data::<Data<Desk>>() else {
        return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the admin API is not set up"));
    };
    let tokens = desk.tokens.load();
    if tokens.is_empty() {
        let error = "the admin API is closed: set `admin_token` (HOOKGLOT_ADMIN_TOKEN), or [[admin.token]] in the configuration";
        return Err(Refusal::new(StatusCode::FORBIDDEN, error));
    }
    let given = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let Some(token) = given.and_then(bearer) else {
        return refused(desk, "no token: send `Authorization: Bearer …` with one of the configuration's");
    };
    let Some(found) = found(&tokens, token) else {
        return refused(desk, "a token that the configuration does not have");
    };
    if found.rights < wanted {
        let error = format!("the token `{}` may only look: this takes one with rights = \"write\"", found.name);
        return Err(Refusal::new(StatusCode::FORBIDDEN, error));
    }
    Ok(found.name.clone())
}

fn refused(desk: &Desk, error: &str) -> Result<String, Refusal> {
    desk.metrics.admin_refused.inc();
    Err(Refusal::new(StatusCode::UNAUTHORIZED, error))
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"Bearer ";
    let (scheme, token) = value.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(token)
}

/// The token that fits; all are compared, so that the time tells nothing.
fn found<'t>(tokens: &'t [AdminToken], given: &[u8]) -> Option<&'t AdminToken> {
    tokens.iter().fold(None, |found, own| if own.token.contain(given) { Some(own) } else { found })
}
