//! A span that has ended, and what is said of it, as OTLP has it.

use super::{Begun, Trace};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::{Span as ProtoSpan, SpanFlags, Status, status::StatusCode};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many characters of a text are said.
const MOST_CHARACTERS: usize = 1024;

/// Whose work a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request that came in.
    Server,
    /// A request that went out.
    Client,
    /// Ours alone.
    Internal,
}

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Span(ProtoSpan);

impl Span {
    /// A span that ends now.
    #[must_use]
    pub fn new(kind: Kind, name: impl Into<String>, begun: Begun) -> Self {
        let kind = match kind {
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Internal => SpanKind::Internal,
        };
        Self(ProtoSpan {
            span_id: begun.id.to_vec(),
            name: name.into(),
            kind: kind.into(),
            start_time_unix_nano: nanoseconds(begun.at),
            end_time_unix_nano: nanoseconds(SystemTime::now()),
            ..ProtoSpan::default()
        })
    }

    /// Adds a text; nothing where it is empty.
    #[must_use]
    pub fn text(mut self, key: &str, text: &str) -> Self {
        self.0.attributes.extend(attribute(key, text));
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, key: &str, number: impl Into<i64>) -> Self {
        self.0.attributes.push(key_value(key, Value::IntValue(number.into())));
        self
    }

    /// Adds that something is so; nothing where it is not.
    #[must_use]
    pub fn truth(mut self, key: &str, is_so: bool) -> Self {
        self.0.attributes.extend(is_so.then(|| key_value(key, Value::BoolValue(true))));
        self
    }

    /// Adds something that happened at its end, and texts about it.
    #[must_use]
    pub fn event(mut self, name: &str, about: &[(&str, &str)]) -> Self {
        self.0.events.push(Event {
            time_unix_nano: self.0.end_time_unix_nano,
            name: name.to_owned(),
            attributes: about.iter().filter_map(|(key, text)| attribute(key, text)).collect(),
            ..Event::default()
        });
        self
    }

    /// Says that it went wrong: what kind of error it is, in a word, and why.
    #[must_use]
    pub fn failed(mut self, kind: &str, why: &str) -> Self {
        self.0.status = Some(Status { code: StatusCode::Error.into(), message: shown(why) });
        self.text("error.type", kind)
    }

    /// Puts it into its trace: the request that brought the hook below what that named, everything else below the request.
    pub(super) fn into_proto(self, trace: &Trace) -> ProtoSpan {
        let is_request = self.0.kind == i32::from(SpanKind::Server);
        let (parent, is_remote) =
            if is_request { (trace.parent, trace.parent.is_some()) } else { (Some(trace.request), false) };
        let known = SpanFlags::ContextHasIsRemoteMask as u32;
        let remote = if is_remote { SpanFlags::ContextIsRemoteMask as u32 } else { 0 };
        ProtoSpan {
            trace_id: trace.id.to_vec(),
            span_id: if is_request { trace.request.to_vec() } else { self.0.span_id },
            parent_span_id: parent.map(Vec::from).unwrap_or_default(),
            trace_state: trace.state.clone(),
            flags: u32::from(trace.flags) | known | remote,
            ..self.0
        }
    }
}

fn attribute(key: &str, text: &str) -> Option<KeyValue> {
    (!text.is_empty()).then(|| key_value(key, Value::StringValue(shown(text))))
}

pub(super) fn key_value(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
