//! What operators and their tools ask, on a port of its own: `/live`, `/ready`, `/metrics`, and the API under `/api/v1`.

mod access;
mod anew;
pub mod asked;
mod desk;
mod difference;
mod lists;
mod masked;
pub mod problem;
mod resend;
pub mod resend_shown;
mod resends;
pub mod shown;

use crate::metrics::Metrics;
use actix_web::dev::Server;
use actix_web::web::{self, Data, ServiceConfig};
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

pub use desk::Desk;
use problem::Refusal;
pub use resends::Resends;

/// Starts to answer on a listener.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(desk: Desk, readiness: Readiness, listener: TcpListener) -> std::io::Result<Server> {
    let (metrics, desk) = (desk.metrics.clone(), Data::new(desk));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(metrics.clone()))
            .app_data(Data::new(readiness.clone()))
            .app_data(desk.clone())
            .route("/live", web::get().to(live))
            .route("/ready", web::get().to(ready))
            .route("/metrics", web::get().to(show_metrics))
            .service(web::scope("/api/v1").configure(api).default_service(web::to(no_such_call)))
            .default_service(web::to(unknown))
    });
    Ok(server.workers(1).disable_signals().shutdown_timeout(1).listen(listener)?.run())
}

/// The calls of the API.
fn api(calls: &mut ServiceConfig) {
    calls
        .route("/deliveries", web::get().to(lists::deliveries))
        .route("/deliveries/count", web::get().to(lists::count))
        .route("/deliveries/{id}", web::get().to(lists::delivery))
        .route("/deliveries/{id}/diff", web::get().to(resend::diff))
        .route("/deliveries/{id}/resend", web::post().to(resend::resend))
        .route("/hooks", web::get().to(lists::hooks))
        .route("/hooks/{id}", web::get().to(lists::hook))
        .route("/hooks/{id}/resend", web::post().to(resend::deliver))
        .route("/resends", web::get().to(resends::list))
        .route("/resends", web::post().to(resends::begin))
        .route("/resends/{id}", web::get().to(resends::show))
        .route("/resends/{id}", web::delete().to(resends::stop));
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
        HttpResponse::ServiceUnavailable().body("not ready: the store is full or broken, the log says more\n")
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
