//! Every call of the API, with its description in `OpenAPI` 3.1.
//!
//! Whoever adds a call writes `#[utoipa::path(…)]` over its function, with every answer that only it can give, and a line into
//! the list below (by its path: several methods of one path stand in one line, as a second line would never be asked); then
//! `HOOKGLOT_BLESS=1 cargo test --test it -- openapi` writes docs/openapi.json anew, and `scripts/schemathesis.sh` says how the
//! description is tried. The answers that every call with a token can give (400, 401, 403, with a body 413 and 415) are added here. The
//! function's name is the call's, so no two may have the same, in whichever module. A call without a query takes [`Bare`]. What
//! is well said and cannot be, with 422 ([`Refusal::unfit`]): what the schema allows must not be answered with 400.
//!
//! [`Bare`]: super::bare::Bare

use super::problem::{self, Problem, Refusal};
use super::{
    audit, capture, coverage, erase, events, explain, ids, known, lists, mappings, resend, resends, routes, states,
    translate,
};
use actix_web::HttpResponse;
use actix_web::http::header::{ALLOW, ContentType, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use std::future::ready;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

/// Where the API is.
pub(super) const BELOW: &str = "/api/v1";
/// What the description calls the way to show a token.
const BEARER: &str = "bearer";

/// Takes the list apart twice, so that no call is answered without a description, or described without an answer.
macro_rules! calls {
    ($($path:literal => $($method:ident $module:ident :: $call:ident),+;)+) => {
        /// Has every call answered.
        pub(super) fn register(api: &mut ServiceConfig) {
            $(
                let allowed = [$(stringify!($method)),+].join(", ").to_ascii_uppercase();
                let resource = web::resource($path)$(.route(web::$method().to($module::$call)))+;
                let refusal = wrong_method(&allowed);
                api.service(resource.default_service(web::to(move || ready(refusal()))));
            )+
        }

        #[derive(utoipa::OpenApi)]
        #[openapi(
            info(
                title = "hookglot",
                description = "What became of hooks, and what to do about it. It is on the admin port.",
            ),
            paths($($($module::$call),+),+),
            components(schemas(Problem)),
            modifiers(&OfAll),
            tags(
                (name = "history", description = "Hooks that came, and what became of them"),
                (name = "resend", description = "Sending again what was sent, or never was"),
                (name = "capture", description = "Examples for mappings, made of hooks that came"),
                (name = "knowledge", description = "What hooks told of people, projects, issues and merge requests, and which number stands for which text"),
                (name = "audit", description = "Who did what"),
                (name = "erase", description = "Erasing what is stored of somebody"),
                (name = "state", description = "What is in force, and how it does"),
                (name = "playground", description = "What would become of a hook"),
                (name = "description", description = "This document"),
            ),
        )]
        struct Described;

        /// The methods and paths that are answered.
        #[cfg(test)]
        const ANSWERED: &[(&str, &str)] = &[$($((stringify!($method), $path)),+),+];
    };
}

// A path with a name in it comes after those that it would take the place of.
calls! {
    "/deliveries" => get lists::deliveries;
    "/deliveries/count" => get lists::count;
    "/deliveries/{id}" => get lists::delivery;
    "/deliveries/{id}/explain" => get explain::explain;
    "/deliveries/{id}/diff" => get resend::diff;
    "/deliveries/{id}/resend" => post resend::resend;
    "/hooks" => get lists::hooks;
    "/hooks/{id}" => get lists::hook;
    "/hooks/{id}/resend" => post resend::resend_hook;
    "/hooks/{id}/example" => get capture::example;
    "/recordings" => get capture::recordings, delete capture::forget_recording;
    "/recordings/example" => get capture::recorded_example;
    "/resends" => get resends::resends, post resends::resend_all;
    "/resends/{id}" => get resends::resend_progress, delete resends::stop_resend;
    "/users" => get known::users, delete known::forget_user;
    "/projects" => get known::projects, delete known::forget_project;
    "/states" => get states::states, delete states::forget_state;
    "/audit" => get audit::audit;
    "/erase" => post erase::erase;
    "/ids" => get ids::ids, post ids::import_ids;
    "/routes" => get routes::routes;
    "/mappings" => get mappings::mappings;
    "/coverage" => get coverage::coverage;
    "/translate" => post translate::translate;
    "/events" => get events::events;
    "/openapi.json" => get self::openapi;
}

/// The description of all calls, as it is answered: made by [`description`], which a test holds it to. To make it at each start
/// would take as much code as all the calls.
const DESCRIPTION: &str = include_str!("../../docs/openapi.json");

/// The description of all calls, from the code.
#[must_use]
pub fn description() -> OpenApi {
    Described::openapi()
}

/// This description. It takes no token.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "description", security(()),
    responses((status = 200, description = "It", content_type = "application/json", body = Object)),
)]
pub(super) async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(DESCRIPTION)
}

/// What is said of all calls at once.
struct OfAll;

impl Modify for OfAll {
    fn modify(&self, all: &mut OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let scheme = scheme.description(Some("`admin_token`, or one of [[admin.token]], of the configuration"));
        let components = all.components.get_or_insert_default();
        components.add_security_scheme(BEARER, SecurityScheme::Http(scheme.build()));
        all.security = Some(vec![SecurityRequirement::new(BEARER, [""; 0])]);
        for item in all.paths.paths.values_mut() {
            let methods = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
            for operation in methods.into_iter().flatten().filter(|operation| operation.security.is_none()) {
                take_token(operation);
            }
        }
    }
}

/// The answers of a call that takes a token.
fn take_token(operation: &mut Operation) {
    let of_all = [
        ("400", "Something in the query or the body is not known, or has no such value"),
        ("401", "No token, or one that the configuration does not have"),
        ("403", "The token may not do that, or the configuration has none"),
    ];
    let of_body = [
        ("413", "The body is larger than hooks may be (`limits.body`)"),
        ("415", "The body is not said to be application/json"),
    ];
    let has_body = operation.request_body.is_some();
    for (status, description) in of_all.into_iter().chain(of_body.into_iter().filter(|_| has_body)) {
        let content = Content::new(Some(RefOr::<utoipa::openapi::Schema>::Ref(Ref::from_schema_name("Problem"))));
        let response = ResponseBuilder::new().description(description).content("application/json", content);
        let all = &mut operation.responses.responses;
        all.entry(status.to_owned()).or_insert_with(|| response.build().into());
    }
}

/// What makes the answer to another method than these.
fn wrong_method(allowed: &str) -> impl Fn() -> HttpResponse + Clone + use<> {
    let (refusal, allowed) = (Refusal::wrong_method(allowed), HeaderValue::from_str(allowed).ok());
    move || {
        let mut answer = problem::answer(&refusal);
        if let Some(allowed) = &allowed {
            answer.headers_mut().insert(ALLOW, allowed.clone());
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_is_described_is_what_is_answered() {
        let described = serde_json::to_value(description()).expect("JSON");
        let paths = described["paths"].as_object().expect("paths");
        let described: BTreeSet<(String, String)> = paths
            .iter()
            .flat_map(|(path, item)| {
                item.as_object().expect("methods").keys().map(|method| (method.clone(), path.clone()))
            })
            .collect();
        let answered = ANSWERED.iter().map(|(method, path)| ((*method).to_owned(), format!("{BELOW}{path}")));
        assert_eq!(described, answered.collect());
    }

    #[test]
    fn no_two_calls_have_one_name() {
        let described = serde_json::to_value(description()).expect("JSON");
        let paths = described["paths"].as_object().expect("paths");
        let names: Vec<&str> = paths
            .values()
            .flat_map(|item| item.as_object().expect("methods").values())
            .map(|operation| operation["operationId"].as_str().expect("a name"))
            .collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }
}
