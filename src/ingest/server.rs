//! The HTTP side of taking hooks in.

use super::body::{self, Budget};
use super::signed::Claims;
use super::{Answer, Ingest, Received, Route};
use actix_web::dev::Server;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue};
use actix_web::web::{self, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a sender may take for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Starts to take hooks on a listener. The server runs until it is stopped through its handle.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(ingest: Arc<Ingest>, listener: TcpListener, grace: Duration) -> std::io::Result<Server> {
    let budget = Budget::new(ingest.limits.in_flight, ingest.metrics.bytes_in_flight.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::from(Arc::clone(&ingest)))
            .app_data(Data::new(budget.clone()))
            .default_service(web::to(answer))
    });
    let server = server
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(Duration::from_secs(75))
        .shutdown_timeout(grace.as_secs().max(1))
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

async fn answer(request: HttpRequest, payload: Payload, ingest: Data<Ingest>, budget: Data<Budget>) -> HttpResponse {
    let started = Instant::now();
    let route = ingest.routes.get(request.path());
    let answer = match route {
        None => Answer::not_found(request.path()),
        Some(route) => on_route(&request, payload, route, &ingest, &budget).await,
    };
    let seconds = started.elapsed().as_secs_f64();
    let path = route.map_or("", |route| route.path.as_str());
    ingest.metrics.requests.with_label_values(&[path, &answer.status().to_string()]).inc();
    ingest.metrics.request_seconds.observe(seconds);
    answer.log(request.path(), seconds);
    answer.into_response()
}

async fn on_route(request: &HttpRequest, payload: Payload, route: &Route, ingest: &Ingest, budget: &Budget) -> Answer {
    if request.method() != Method::POST {
        return Answer::not_allowed();
    }
    let headers = request.headers();
    // One set of rules for the whole of a hook, whatever is reloaded meanwhile.
    let rules = ingest.rules.load_full();
    let named = |name: &str| headers.get_all(name).map(HeaderValue::as_bytes).collect();
    if !Ingest::is_authentic(&rules, route, named) {
        return Answer::unauthorised();
    }
    let claims = match Claims::read(&rules, route, named) {
        Ok(claims) => claims,
        Err(why) => return Answer::unsigned(&why),
    };
    if let Some(encoding) =
        headers.get(CONTENT_ENCODING).filter(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Answer::packed(encoding.to_str().unwrap_or("something unreadable"));
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    match body::read(payload, length, &ingest.limits, budget).await {
        Ok((body, _share)) => match claims.check(route, &body) {
            Ok(()) => ingest.take(&rules, route, Received { headers: kept(headers), body }).await,
            Err(why) => Answer::unsigned(&why),
        },
        Err(answer) => answer,
    }
}

/// The headers as they are kept: names in small letters, values that are no text with their bytes replaced.
fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
