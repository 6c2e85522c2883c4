//! The HTTP client of a destination or an alert: connection pool, time-outs, proxy, certificates, no redirects.

use crate::config::{ClientCertificate, Destination, HiddenUrl};
use reqwest::redirect::Policy;
use reqwest::{Client, Proxy};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept; shorter than the 60 s or more after which servers close theirs.
const IDLE: Duration = Duration::from_secs(50);

/// How a URL is reached.
pub(crate) struct Way<'w> {
    pub(crate) url: &'w HiddenUrl,
    pub(crate) timeout: Duration,
    pub(crate) proxy: Option<&'w HiddenUrl>,
    pub(crate) ca_file: Option<&'w Path>,
    pub(crate) certificate: Option<&'w ClientCertificate>,
}

impl<'w> Way<'w> {
    pub(super) fn to(destination: &'w Destination) -> Self {
        Self {
            url: &destination.url,
            timeout: destination.timeout,
            proxy: destination.proxy.as_ref(),
            ca_file: destination.ca_file.as_deref(),
            certificate: destination.client_certificate.as_ref(),
        }
    }
}

/// Builds the client for a URL.
///
/// # Errors
/// Says which file or setting is wrong.
pub(crate) fn build(way: &Way<'_>) -> Result<Client, String> {
    let tls = tls(way.ca_file, way.certificate)?;
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .timeout(way.timeout)
        .connect_timeout(CONNECT_TIMEOUT.min(way.timeout))
        .pool_idle_timeout(IDLE)
        .http1_only()
        // Some tools look headers up as GitLab's own client writes them: X-Gitlab-Event, not x-gitlab-event.
        .http1_title_case_headers()
        .retry(reqwest::retry::never())
        .referer(false)
        .tls_backend_preconfigured(tls);
    if let Some(proxy) = way.proxy {
        builder =
            builder.proxy(Proxy::all(proxy.reveal().clone()).map_err(|error| format!("proxy: {}", whole(&error)))?);
    } else if is_loopback(way.url.reveal()) {
        // What the environment's proxy is for lies outside this machine.
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| whole(&error))
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Trusts the system's certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` say where they are), and those of a file.
/// An image without any has Mozilla's, which are in the binary. Shows a certificate of its own where there is one.
pub(crate) fn tls(ca_file: Option<&Path>, own: Option<&ClientCertificate>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(native.certs);
    if added == 0 {
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    }
    if let Some(file) = ca_file {
        let wrong = |message: String| format!("ca_file {}: {message}", file.display());
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|error| wrong(error.to_string()))?;
        if certificates.is_empty() {
            return Err(wrong("there is no certificate (-----BEGIN CERTIFICATE-----) in it".to_owned()));
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = config.with_root_certificates(roots);
    Ok(match own {
        Some(own) => config.with_client_cert_resolver(own.pair()),
        None => config.with_no_client_auth(),
    })
}

/// An error with everything that caused it, without URLs, which may hold secrets.
pub(crate) fn whole(error: &reqwest::Error) -> String {
    let mut text = match (error.is_timeout(), error.is_connect(), error.is_builder()) {
        (true, ..) => "no answer in time".to_owned(),
        (_, true, _) => "no connection".to_owned(),
        (.., true) => "cannot be used".to_owned(),
        _ => "the connection broke".to_owned(),
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
