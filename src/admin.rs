//! What operators and their tools ask, on a port of its own: `/live`, `/ready`, `/metrics`, and the API under `/api/v1`.

mod access;
mod anew;
pub mod asked;
pub mod audit;
mod bare;
mod calls;
pub mod capture;
mod coverage;
mod desk;
mod difference;
pub mod erase;
pub mod events;
pub mod explain;
pub mod ids;
pub mod known;
mod lists;
pub mod mappings;
mod masked;
pub mod outcomes;
pub mod problem;
mod resend;
pub mod resend_shown;
mod resends;
pub mod routes;
pub mod shown;
pub mod states;
pub mod translate;

use crate::metrics::Metrics;
use actix_web::dev::Server;
use actix_web::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{self, Data, JsonConfig, PathConfig, QueryConfig, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether hooks are taken; false from the first signal to stop on.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says whether hooks are taken.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }
}

pub use calls::description;
pub use desk::Desk;
use problem::Refusal;
pub use resends::Resends;

/// Starts to answer on a listener.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(desk: Desk, readiness: Readiness, listener: TcpListener) -> std::io::Result<Server> {
    let (metrics, largest, seats) = (desk.metrics.clone(), desk.limits.body, Data::new(events::Seats::default()));
    let desk = Data::new(desk);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(metrics.clone()))
            .app_data(Data::new(readiness.clone()))
            .app_data(desk.clone())
            .app_data(seats.clone())
            .wrap(guarded())
            .route("/live", web::get().to(live))
            .route("/ready", web::get().to(ready))
            .route("/metrics", web::get().to(show_metrics))
            .service(web::scope(calls::BELOW).configure(|calls| api(calls, largest)))
            .default_service(web::to(unknown))
    });
    Ok(server.workers(1).disable_signals().shutdown_timeout(1).listen(listener)?.run())
}

/// The API: its calls, and how what is no call is told so.
fn api(api: &mut ServiceConfig, largest: usize) {
    calls::register(api);
    api.app_data(JsonConfig::default().limit(largest).error_handler(|error, _| problem::of_json(error)))
        .app_data(QueryConfig::default().error_handler(|error, _| problem::of_query(&error)))
        .app_data(PathConfig::default().error_handler(|error, _| problem::of_path(&error)))
        .default_service(web::to(no_such_call));
}

/// What every answer says: it may hold what is nobody's else, and is what it says that it is.
fn guarded() -> DefaultHeaders {
    DefaultHeaders::new().add((CACHE_CONTROL, "no-store")).add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
}

async fn no_such_call() -> Result<HttpResponse, Refusal> {
    Err(Refusal::not_found("there is no such call: /api/v1/openapi.json describes all"))
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().body("live\n")
}

async fn ready(readiness: Data<Readiness>, metrics: Data<Metrics>) -> HttpResponse {
    if !readiness.0.load(Ordering::Relaxed) {
        HttpResponse::ServiceUnavailable().body("not ready: starting or stopping\n")
    } else if metrics.store_down.get() > 0 {
        // One line, whatever SQLite said.
        let why = metrics.store_said.last().replace('\n', " ");
        HttpResponse::ServiceUnavailable().body(format!("not ready: {why}\n"))
    } else {
        HttpResponse::Ok().body("ready\n")
    }
}

async fn show_metrics(metrics: Data<Metrics>) -> HttpResponse {
    match metrics.render() {
        Ok(text) => HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text),
        Err(error) => HttpResponse::InternalServerError().body(format!("the metrics cannot be written: {error}\n")),
    }
}

async fn unknown() -> HttpResponse {
    HttpResponse::NotFound().body("here are /live, /ready, /metrics and /api/v1\n")
}
