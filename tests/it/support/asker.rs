//! Somebody who asks the admin API.

use super::app::App;
use super::wire::{Answer, exchange};
use serde_json::Value;

/// A token that opens everything: `admin_token` of the configuration.
pub const TOKEN: &str = "copper-lantern-on-the-pier";

/// A request of the API; without a body where it is empty.
pub fn ask(app: &App, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
    let headers: String = headers.iter().flat_map(|line| [line, "\r\n"]).collect();
    let length = body.len();
    let request = format!(
        "{method} /api/v1{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    exchange(&app.admin, request.as_bytes())
}

/// The header that shows a token.
pub fn with(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

/// What a call shows to who may see everything.
pub fn shown(app: &App, path: &str) -> Value {
    let answer = ask(app, "GET", path, &[&with(TOKEN)], "");
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

/// Sends JSON.
pub fn posted(app: &App, path: &str, body: &Value) -> Answer {
    ask(app, "POST", path, &[&with(TOKEN), "Content-Type: application/json"], &body.to_string())
}
