//! Who tells the spans: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` of the environment, read as every program with
//! OpenTelemetry reads them.

use opentelemetry::{Key, KeyValue};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{
    EnvResourceDetector, ResourceDetector, SdkProvidedResourceDetector, TelemetryResourceDetector,
};

const NAME: &str = "service.name";

/// This process.
pub(super) fn resource() -> ProtoResource {
    let ours = [KeyValue::new(NAME, "hookglot"), KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
    let of_environment = Resource::builder_empty()
        .with_attributes(ours)
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    // Where nobody names it, its name there is made of the file that is run.
    let named = SdkProvidedResourceDetector.detect().get(&Key::from_static_str(NAME));
    let named = named.filter(|name| !name.as_str().starts_with("unknown_service"));
    let whole = match named {
        Some(name) => of_environment.with_attribute(KeyValue::new(NAME, name)),
        None => of_environment,
    };
    let attributes = ResourceAttributesWithSchema::from(&whole.build()).attributes.0;
    ProtoResource { attributes, ..ProtoResource::default() }
}

/// What of it tells them.
pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "hookglot".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}
