//! Posts spans to a collector: OTLP over HTTP, as protobuf.

use super::resource::{resource, scope};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use reqwest::{Client, Response};
use std::time::Duration;
use url::Url;

/// How much of an answer is read: it only says how many spans are not taken.
const MOST_OF_ANSWER: usize = 64 << 10;
/// The longest time that a collector may ask to be left alone.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A collector, and how it is reached.
pub struct Collector {
    /// What connects to it; it keeps the time-outs.
    pub client: Client,
    /// Where it takes spans.
    pub url: Url,
    /// Where that is, as far as it can be shown.
    pub shown: String,
    /// What it is sent with every request, secrets among it.
    pub headers: HeaderMap,
    /// Says why there was no answer, without what may be secret.
    pub why: fn(&reqwest::Error) -> String,
}

/// Why spans were not exported.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unexported {
    pub(super) why: String,
    /// How long to wait at least before another try; none where it would be the same again.
    pub(super) again: Option<Duration>,
}

/// Spans as they are sent.
pub(super) fn body(spans: Vec<Span>) -> bytes::Bytes {
    let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans, ..ScopeSpans::default() }];
    let of_process = ResourceSpans { resource: Some(resource()), scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![of_process] }.encode_to_vec().into()
}

impl Collector {
    /// Posts spans; says how many of them the collector does not take.
    pub(super) async fn export(&self, body: bytes::Bytes) -> Result<u64, Unexported> {
        let request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"))
            .header(USER_AGENT, HeaderValue::from_static(concat!("hookglot/", env!("CARGO_PKG_VERSION"))))
            .body(body);
        let unreachable = |error| Unexported { why: (self.why)(&error), again: Some(Duration::ZERO) };
        let answer = request.send().await.map_err(unreachable)?;
        match answer.status().as_u16() {
            200..=299 => Ok(rejected(&read(answer).await)),
            status => {
                // As OTLP has it: what else is refused would be refused again.
                let again = [429, 502, 503, 504].contains(&status).then(|| retry_after(answer.headers()));
                Err(Unexported { why: format!("the answer is {status}"), again })
            }
        }
    }
}

async fn read(mut answer: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    // The status has decided already.
    while let Ok(Some(chunk)) = answer.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_OF_ANSWER {
            break;
        }
    }
    bytes
}

/// How many spans an answer says are not taken; whatever else it says, they are.
fn rejected(answer: &[u8]) -> u64 {
    let partial = ExportTraceServiceResponse::decode(answer).ok().and_then(|answer| answer.partial_success);
    partial.and_then(|partial| u64::try_from(partial.rejected_spans).ok()).unwrap_or_default()
}

fn retry_after(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    seconds.map(Duration::from_secs).unwrap_or_default().min(LONGEST_WAIT)
}
