//! The HTTP side of taking hooks in.

use super::body;
use super::budget::Budget;
use super::caller;
use super::connection::Connection;
use super::exchange::Exchange;
use super::front::Front;
use super::head;
use super::signed::Claims;
use super::traced;
use super::{Answer, Ingest, Received, Route};
use crate::path_keys;
use actix_http::{ConnectionType, HttpService, KeepAlive};
use actix_server::Server;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Data, Payload};
use actix_web::{App, Error, HttpRequest, HttpResponse};
use std::net::{IpAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long what is left of a refused body is read and thrown away, so that the sender gets its answer.
const LINGER: Duration = Duration::from_secs(1);
/// How many connections a worker may be telling at once that there is no room.
const MOST_TURNED_AWAY: usize = 500;

/// Starts to take hooks on a listener. The server runs until it is stopped through its handle.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(ingest: Arc<Ingest>, listener: TcpListener, grace: Duration) -> std::io::Result<Server> {
    let budget = Arc::new(Budget::new(&ingest.limits, ingest.metrics.bytes_in_flight.clone()));
    let front = Arc::new(Front::new(&ingest));
    let (builder, most) = (Server::build(), ingest.limits.connections);
    let stop = builder.graceful_shutdown_signal();
    // What `HttpServer` would set up, but with a connection of ours between the socket and the framework.
    let factory = move || {
        let (ingest, budget, front, stop) =
            (Arc::clone(&ingest), Arc::clone(&budget), Arc::clone(&front), stop.clone());
        let app = App::new().app_data(Data::from(ingest)).app_data(Data::from(budget)).default_service(web::to(answer));
        let app = actix_service::IntoServiceFactory::into_factory(app);
        let http = HttpService::build()
            // The connection keeps the time for heads and for silence.
            .client_request_timeout(Duration::ZERO)
            .keep_alive(KeepAlive::Os)
            .client_disconnect_timeout(LINGER)
            .graceful_shutdown_signal(move || {
                let stop = stop.clone();
                async move { stop.notified().await }
            })
            .on_connect_ext(|connection: &Connection, data| drop(data.insert(connection.exchange())))
            .h1(map_config(app.map_err(|error: Error| error.error_response()), |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| {
            let from = stream.peer_addr().ok();
            std::future::ready(Ok((Connection::new(stream, Arc::clone(&front)), from)))
        })
        .and_then(http)
    };
    let builder = builder.shutdown_timeout(grace.as_secs().max(1)).disable_signals();
    // Those that are told that there is no room take a moment; beyond them, the system's queue is where connections wait.
    let server =
        builder.max_concurrent_connections(most.saturating_add(MOST_TURNED_AWAY)).listen("hooks", listener, factory)?;
    Ok(server.run())
}

async fn answer(request: HttpRequest, payload: Payload, ingest: Data<Ingest>, budget: Data<Budget>) -> HttpResponse {
    let exchange = request.conn_data::<Rc<Exchange>>().map(Rc::clone).unwrap_or_default();
    let _under_way = exchange.begin();
    if exchange.is_over() {
        // Behind the last one: nobody gets to see this answer.
        return Answer::no_request().into_response(true);
    }
    let started = Instant::now();
    let from = caller(&request, &ingest);
    let routes = ingest.routes.load();
    let route = routes.get(request.path()).cloned();
    let route = route.as_deref();
    // A forge may have been told another tool's address, and that one's key may stand in it.
    let path = route.map_or_else(|| path_keys::masked(request.path()), |route| route.path.as_str().into());
    let head = head::check(request.method(), request.headers());
    let is_unclear = head.is_err();
    let (answer, is_body_read) = match (head, route) {
        (Err(answer), _) => (answer, false),
        (Ok(()), None) => (Answer::not_found(&path), false),
        (Ok(()), Some(route)) => match on_route(&request, payload, route, from, &ingest, &budget, &exchange).await {
            Ok(answer) => (answer, true),
            Err(answer) => (answer, false),
        },
    };
    let answer = match route {
        Some(route) if answer.is_to_stranger() => route.gate.refuse_stranger(from, answer),
        _ => answer,
    };
    // Behind a HEAD it could not be told where its answer ends, nor behind an unclear head where its body does; who is
    // turned away or must wait does not go on at once, and some say that they will not.
    let is_last = is_unclear
        || is_unframed(&request)
        || request.head().connection_type() == ConnectionType::Close
        || !is_body_read && has_body(request.headers())
        || request.method() == Method::HEAD
        || answer.is_turned_away();
    if is_last {
        exchange.end();
    }
    let took = started.elapsed();
    let answer = traced::told(&ingest, &request, (route, &path), answer, took);
    let seconds = took.as_secs_f64();
    if let Some(route) = route {
        let has = |name: &str| request.headers().contains_key(name);
        ingest.patience.count(&ingest.rules.load(), &route.path, answer.status(), has, &ingest.metrics);
    }
    answer.count(route.map_or("", |route| &route.path), &ingest.metrics);
    ingest.metrics.request_seconds.observe(seconds);
    answer.log(&path, from, seconds);
    answer.into_response(is_last)
}

/// The address that counts for a request.
fn caller(request: &HttpRequest, ingest: &Ingest) -> Option<IpAddr> {
    let connection = request.peer_addr().map(|address| address.ip());
    let forwarding = ingest.forwarding.load();
    let values = request.headers().get_all(forwarding.header.name()).map(HeaderValue::as_bytes);
    caller::address(connection, &forwarding, values, &ingest.metrics)
}

/// Whether something should stand behind the head, and its head says nothing of it: it would be taken for a request.
fn is_unframed(request: &HttpRequest) -> bool {
    let has = |name| request.headers().contains_key(name);
    request.method() == Method::POST && !has(CONTENT_LENGTH) && !has(TRANSFER_ENCODING)
}

/// Whether a body stands behind the head.
fn has_body(headers: &HeaderMap) -> bool {
    let has_length = headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0");
    has_length || headers.contains_key(TRANSFER_ENCODING)
}

async fn on_route(
    request: &HttpRequest,
    payload: Payload,
    route: &Route,
    from: Option<IpAddr>,
    ingest: &Ingest,
    budget: &Arc<Budget>,
    exchange: &Exchange,
) -> Result<Answer, Answer> {
    route.gate.check_address(from)?;
    if request.method() != Method::POST {
        return Err(Answer::not_allowed());
    }
    let headers = request.headers();
    if headers.get_all(UPGRADE).any(|other| other.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket")) {
        // The framework would read to the end of the connection, whatever length is told.
        return Err(Answer::other_protocol());
    }
    // One set of rules for the whole of a hook, whatever is reloaded meanwhile.
    let rules = ingest.rules.load_full();
    let named = |name: &str| headers.get_all(name).map(HeaderValue::as_bytes).collect();
    if !Ingest::is_authentic(&rules, route, named) {
        return Err(Answer::unauthorised());
    }
    let claims = Claims::read(&rules, route, named).map_err(|why| Answer::unsigned(&why))?;
    // Only hooks of those who may send count; where a signature says who that is, the body must be there first.
    if !claims.is_asked() {
        route.gate.check_rate()?;
    }
    if let Some(encoding) = headers
        .get_all(CONTENT_ENCODING)
        .find(|encoding| !encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
    {
        return Err(Answer::packed(encoding.to_str().unwrap_or("something unreadable")));
    }
    if is_unframed(request) {
        return Err(Answer::no_length());
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let is_known = route.access.secrets.is_some();
    let mut share = if is_known { budget.share() } else { budget.share_unproven(from) };
    let body = body::read(payload, length, &ingest.limits, &mut share, exchange).await?;
    // From here on the body is read: whatever the answer is, the connection can go on.
    let proven = claims.check(route, &body).map_err(|why| Answer::unsigned(&why));
    if claims.is_asked() && proven.is_ok() {
        share.prove();
    }
    // It is held until the hook is stored.
    let within = proven.and_then(|()| if claims.is_asked() { route.gate.check_rate() } else { Ok(()) });
    if let Err(answer) = within {
        return Ok(answer);
    }
    Ok(ingest.take(&rules, route, Received { headers: kept(headers), body }).await)
}

/// The headers as they are kept: names in small letters, values that are no text with their bytes replaced.
fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
