//! Whose word is taken for where a request came from: `trusted_proxies`, and the header in which they say it.

use super::access::Network;
use super::fields::{Collector, Fields};
use std::net::IpAddr;

/// The proxies before us, and what is read of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarding {
    /// Their addresses; none, the default: nobody's word is taken.
    pub proxies: Vec<Network>,
    /// The header that they say it in. The other one is never looked at: what a proxy does not write itself, it may pass on
    /// from anybody.
    pub header: ForwardedHeader,
}

/// The header in which a proxy says where a request came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl Forwarding {
    /// Whether an address is that of a proxy whose word is taken.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|proxy| proxy.contains(address))
    }
}

impl ForwardedHeader {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

pub(super) fn read(top: &mut Fields, all: &mut Collector<'_>) -> Forwarding {
    let mut proxies = Vec::new();
    for text in addresses(top, all) {
        match Network::parse(&text) {
            Ok(network) => proxies.push(network),
            Err(message) => all.fault("trusted_proxies", message),
        }
    }
    let header = top.parsed("forwarded", all, header);
    let is_chosen = header.is_some_and(|header| header != ForwardedHeader::default());
    if is_chosen && proxies.is_empty() && !all.is_wrong("trusted_proxies") {
        all.fault("forwarded", "trusted_proxies names nobody whose word would be taken");
    }
    Forwarding { proxies, header: header.unwrap_or_default() }
}

/// A list, or as a variable has it: one text with commas.
fn addresses(top: &mut Fields, all: &mut Collector<'_>) -> Vec<String> {
    if let Some(text) = top.peek("trusted_proxies").and_then(|value| value.as_str()).map(str::to_owned) {
        // Taken, so that it is known.
        top.take("trusted_proxies");
        return text.split(',').map(|part| part.trim().to_owned()).collect();
    }
    top.texts("trusted_proxies", all).unwrap_or_default()
}

fn header(text: &str) -> Result<ForwardedHeader, String> {
    let known = [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded];
    let wrong = || format!("expected `x-forwarded-for` or `forwarded`, got `{text}`");
    known.into_iter().find(|header| text.eq_ignore_ascii_case(header.name())).ok_or_else(wrong)
}
