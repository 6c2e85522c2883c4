//! What operators and their tools ask, on a port of its own: `/live`, `/ready`, `/metrics`.

use crate::metrics::Metrics;
use actix_web::dev::Server;
use actix_web::web::{self, Data};
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

/// Starts to answer on a listener.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(metrics: Metrics, readiness: Readiness, listener: TcpListener) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(metrics.clone()))
            .app_data(Data::new(readiness.clone()))
            .route("/live", web::get().to(live))
            .route("/ready", web::get().to(ready))
            .route("/metrics", web::get().to(show_metrics))
            .default_service(web::to(unknown))
    });
    Ok(server.workers(1).disable_signals().shutdown_timeout(1).listen(listener)?.run())
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
    HttpResponse::NotFound().body("here are /live, /ready and /metrics\n")
}
