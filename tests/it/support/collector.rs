//! A collector of traces: it takes OTLP over HTTP and keeps the spans that it has taken.

use super::receiver::{Got, Receiver, status};
use super::wait_for;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// A span that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    pub trace: String,
    pub id: String,
    /// Empty at the top of a trace.
    pub parent: String,
    pub name: String,
    pub kind: SpanKind,
    pub state: String,
    pub flags: u32,
    pub nanoseconds: u64,
    pub facts: BTreeMap<String, String>,
    pub events: Vec<(String, BTreeMap<String, String>)>,
    /// Why it went wrong, if it did.
    pub error: Option<String>,
}

impl Taken {
    /// What is said of it under a name; empty where nothing is.
    pub fn fact(&self, name: &str) -> &str {
        self.facts.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// A listening collector.
pub struct Collector {
    receiver: Receiver,
    taken: Arc<Mutex<Vec<Taken>>>,
    of_process: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Collector {
    /// One that takes everything.
    pub fn content() -> Self {
        Self::answering(|_| status(200, ""))
    }

    /// One that answers by a script; what it answers with 200 it has taken.
    pub fn answering(script: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), script)
    }

    /// One at an address.
    pub fn at(address: SocketAddr, script: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        let (taken, of_process) = <(Arc<Mutex<Vec<Taken>>>, Arc<Mutex<BTreeMap<String, String>>>)>::default();
        let (all, process) = (Arc::clone(&taken), Arc::clone(&of_process));
        let receiver = Receiver::answering_at(address, move |number, got| {
            let answer = script(number);
            if answer.starts_with("HTTP/1.1 200") {
                let (spans, facts) = read(got);
                all.lock().unwrap().extend(spans);
                *process.lock().unwrap() = facts;
            }
            answer
        });
        Self { receiver, taken, of_process }
    }

    /// Its address, as `traces.endpoint` takes it.
    pub fn endpoint(&self) -> String {
        self.receiver.url.trim_end_matches("/tool").to_owned()
    }

    /// The requests that have come.
    pub fn got(&self) -> Vec<Got> {
        self.receiver.got()
    }

    /// What it has taken.
    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    /// What the spans' process said of itself last.
    pub fn of_process(&self) -> BTreeMap<String, String> {
        self.of_process.lock().unwrap().clone()
    }

    /// Waits for a span that fits.
    pub fn wait_for(&self, what: &str, fits: impl Fn(&Taken) -> bool) -> Taken {
        wait_for(what, || self.taken().into_iter().find(&fits))
    }

    /// Waits for the span of a name that is about a hook.
    pub fn of_hook(&self, hook: &str, name: &str) -> Taken {
        self.wait_for(&format!("a span `{name}` of {hook}"), |own| {
            own.fact("hookglot.hook") == hook && own.name == name
        })
    }
}

/// An answer that does not take so many spans.
pub fn rejecting(count: i64) -> String {
    let partial = ExportTracePartialSuccess { rejected_spans: count, error_message: "over the quota".to_owned() };
    let body = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    let body = String::from_utf8(body).unwrap();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn read(got: &Got) -> (Vec<Taken>, BTreeMap<String, String>) {
    assert!(got.head.starts_with("POST /v1/traces HTTP/1.1"), "{}", got.head);
    assert_eq!(got.header("Content-Type"), Some("application/x-protobuf"));
    let request = ExportTraceServiceRequest::decode(got.body.as_slice()).unwrap();
    let (mut spans, mut of_process) = (Vec::new(), BTreeMap::new());
    for resource in request.resource_spans {
        of_process = facts(&resource.resource.unwrap().attributes);
        for scope in resource.scope_spans {
            assert_eq!(scope.scope.unwrap().name, "hookglot");
            spans.extend(scope.spans.into_iter().map(taken));
        }
    }
    (spans, of_process)
}

fn taken(span: Span) -> Taken {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
    assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
    let failed = span.status.filter(|status| status.code == i32::from(StatusCode::Error));
    Taken {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name,
        kind: span.kind.try_into().unwrap(),
        state: span.trace_state,
        flags: span.flags,
        nanoseconds: span.end_time_unix_nano - span.start_time_unix_nano,
        facts: facts(&span.attributes),
        events: span.events.into_iter().map(|event| (event.name, facts(&event.attributes))).collect(),
        error: failed.map(|status| status.message),
    }
}

fn facts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |own: &KeyValue| match own.value.as_ref().unwrap().value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(truth) => truth.to_string(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|own| (own.key.clone(), text(own))).collect()
}
