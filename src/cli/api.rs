//! What the commands ask a running hookglot through: its admin API, with a token.

mod events;
mod place;

use super::out;
use crate::admin::problem::Problem;
use crate::delivery::{is_loopback, tls, whole};
use crate::secret::Secret;
use clap::Args;
pub(super) use events::{Event, Events};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;
use url::Url;

/// How long an answer may take: a list is looked for during a second, a resend may translate anew.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// Where the API is, and how answers are printed.
#[derive(Debug, Args)]
pub(super) struct ApiArgs {
    /// The admin port of the hookglot to ask [env: `HOOKGLOT_ADMIN_URL`]
    /// [default: http:// and `HOOKGLOT_ADMIN_LISTEN`, else <http://127.0.0.1:9090>]
    ///
    /// The token stands in `HOOKGLOT_ADMIN_TOKEN`, or in the file that `HOOKGLOT_ADMIN_TOKEN_FILE` names: on a command
    /// line everybody on the machine could read it.
    #[arg(long, value_name = "URL", global = true)]
    url: Option<String>,
    /// Print JSON as the API gives it, an item a line
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// Why the API did not do what it was asked.
#[derive(Debug)]
pub(super) struct Failure {
    /// The status of its answer; none when there was no answer.
    pub(super) status: Option<StatusCode>,
    /// What is wrong and what to do.
    pub(super) message: String,
}

impl Failure {
    pub(super) fn is_missing(&self) -> bool {
        self.status == Some(StatusCode::NOT_FOUND)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { status: None, message }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// Asks with a client until it is done; a failure is said, and ends with a code.
pub(super) fn ask<F: Future<Output = Result<ExitCode, Failure>>>(
    args: &ApiArgs,
    failed: u8,
    work: impl FnOnce(Client) -> F,
) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime
        .map_err(|error| Failure::from(error.to_string()))
        .and_then(|runtime| runtime.block_on(async { work(Client::new(args)?).await }));
    done.unwrap_or_else(|failure| {
        out::error(super::screen::harmless_lines(&failure.message));
        ExitCode::from(failed)
    })
}

/// Speaks to one admin API.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<HeaderValue>,
}

impl Client {
    fn new(args: &ApiArgs) -> Result<Self, String> {
        let environment = super::environment();
        let base = place::of(args.url.as_deref(), &environment)?;
        let token = place::token(&environment)?.map(|token| bearer(&token)).transpose()?;
        let mut builder = reqwest::Client::builder()
            // Whoever is redirected to would be shown the token.
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .http1_only()
            .referer(false)
            .tls_backend_preconfigured(tls(None, None)?);
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| whole(&error))?;
        Ok(Self { http, base, token })
    }

    /// Asks for something.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(String, String)],
    ) -> Result<T, Failure> {
        self.read(self.request(Method::GET, self.asking(path, query)).timeout(PATIENCE)).await
    }

    /// Asks for something to be done.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Result<T, Failure> {
        self.post_patiently(path, body, PATIENCE).await
    }

    /// Asks for something to be done that takes its time.
    pub(super) async fn post_patiently<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
        patience: Duration,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::from(error.to_string()))?;
        let request = self.request(Method::POST, self.url(path)).timeout(patience).body(body);
        self.read(request.header(reqwest::header::CONTENT_TYPE, "application/json")).await
    }

    /// Asks for something to be stopped, or removed.
    pub(super) async fn delete<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(String, String)],
    ) -> Result<T, Failure> {
        self.read(self.request(Method::DELETE, self.asking(path, query)).timeout(PATIENCE)).await
    }

    /// Listens to what happens.
    pub(super) async fn events(&self) -> Result<Events, Failure> {
        let request = self.request(Method::GET, self.url(&["events"])).header("Accept", "text/event-stream");
        Ok(Events::of(self.answer(request).await?))
    }

    /// The address of a call: each part stands for itself, whatever characters it has.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // It fails only for an address without a host, which `place` refuses.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        url
    }

    fn asking(&self, path: &[&str], query: &[(String, String)]) -> Url {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, token),
            None => request,
        }
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let body = self.answer(request).await?.bytes().await.map_err(|error| self.unanswered(&error))?;
        serde_json::from_slice(&body).map_err(|error| {
            let message = format!(
                "{}: an answer that this version ({}) does not read: {error}",
                self.base,
                env!("CARGO_PKG_VERSION")
            );
            Failure::from(message)
        })
    }

    /// An answer that is a success.
    async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await.map_err(|error| self.unanswered(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let body = answer.bytes().await.unwrap_or_default();
        Err(Failure { status: Some(status), message: self.refused(status, &body) })
    }

    fn unanswered(&self, error: &reqwest::Error) -> Failure {
        let place = &self.base;
        Failure::from(format!(
            "{place}: {}\nis hookglot running, and is this its admin port? --url or HOOKGLOT_ADMIN_URL says where it is",
            whole(error)
        ))
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> String {
        let place = &self.base;
        match (serde_json::from_slice::<Problem>(body), status, &self.token) {
            (Ok(_), StatusCode::UNAUTHORIZED, None) => format!(
                "{place}: it wants a token: set HOOKGLOT_ADMIN_TOKEN to one that its configuration has, or \
                 HOOKGLOT_ADMIN_TOKEN_FILE to a file with it"
            ),
            (Ok(_), StatusCode::UNAUTHORIZED, Some(_)) => format!(
                "{place}: the token of HOOKGLOT_ADMIN_TOKEN or HOOKGLOT_ADMIN_TOKEN_FILE is none that its configuration has"
            ),
            (Ok(problem), ..) => format!("{place}: {}", problem.error),
            (Err(_), ..) => format!(
                "{place}: answered {status}, and not as hookglot does: is this its admin port? --url or HOOKGLOT_ADMIN_URL \
                 says where it is"
            ),
        }
    }
}

/// A header that does not show in logs.
fn bearer(token: &Secret) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
        .map_err(|_| "HOOKGLOT_ADMIN_TOKEN: a header carries it: one line of printable ASCII characters".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a filter or a page says, as it stands in a query.
pub(super) fn query(asked: &impl Serialize) -> Vec<(String, String)> {
    let Ok(Value::Object(fields)) = serde_json::to_value(asked) else { return Vec::new() };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    fields.into_iter().map(|(name, value)| (name, text(value))).collect()
}

/// An item as a type of ours.
pub(super) fn typed<T: DeserializeOwned>(item: &Value) -> Result<T, Failure> {
    T::deserialize(item).map_err(|error| {
        Failure::from(format!(
            "an answer that this version ({}) does not read: {error}; --json prints it as it is",
            env!("CARGO_PKG_VERSION")
        ))
    })
}
