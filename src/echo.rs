//! A receiver that prints what arrives: the other end of the demonstration, and a stand-in for a tool.

use crate::forge::Forges;
use actix_web::dev::Server;
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpListener;

/// The largest body that is shown.
const MOST: usize = 32 << 20;

/// Headers of any program whose values are secrets; those of the forges come from their files.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// The headers whose values are secrets, in small letters.
#[derive(Clone)]
struct SecretHeaders(Vec<String>);

/// Starts to print what arrives on a listener.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(forges: &Forges, listener: TcpListener) -> std::io::Result<Server> {
    let headers = forges.iter().flat_map(|forge| forge.proving_headers()).map(str::to_owned);
    let secret = SecretHeaders(headers.chain(SECRET_HEADERS.map(str::to_owned)).collect());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(secret.clone()))
            .app_data(PayloadConfig::new(MOST))
            .default_service(web::to(print))
    });
    Ok(server.workers(1).disable_signals().shutdown_timeout(1).listen(listener)?.run())
}

async fn print(request: HttpRequest, body: Bytes, secret: Data<SecretHeaders>) -> HttpResponse {
    let shown = show(&request, &body, &secret);
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: then there is nobody to tell.
    let _ = out.write_all(shown.as_bytes()).and_then(|()| out.flush());
    HttpResponse::Ok().body("echoed\n")
}

fn show(request: &HttpRequest, body: &[u8], secret: &SecretHeaders) -> String {
    let mut text = format!("\n--- arrived: {} {}\n", request.method(), request.uri());
    let mut headers: Vec<_> = request.headers().iter().collect();
    // The order of arrival is lost by now; one of names is the same every time.
    headers.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in headers {
        let is_secret = secret.0.iter().any(|own| own == name.as_str());
        let value = if is_secret { "[secret]".into() } else { String::from_utf8_lossy(value.as_bytes()) };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{}: {value}", title_case(name.as_str()));
    }
    let pretty = serde_json::from_slice::<serde_json::Value>(body).and_then(|json| serde_json::to_string_pretty(&json));
    let body = pretty.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned());
    // A terminal would take the body's control characters for its own.
    let shown = body.chars().map(|own| if own.is_control() && own != '\n' && own != '\t' { '\u{FFFD}' } else { own });
    let _ = writeln!(text, "\n{}", shown.collect::<String>());
    text
}

/// `x-gitlab-event` as it went over the wire: `X-Gitlab-Event`.
fn title_case(name: &str) -> String {
    let parts = name.split('-').map(|part| {
        let mut letters = part.chars();
        letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    });
    parts.collect::<Vec<_>>().join("-")
}
