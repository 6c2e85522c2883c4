//! Where a request came from: the address of its connection, or, where that is of a trusted proxy, what the proxy says.
//!
//! Each proxy writes behind what was there, so it is read from the end, and only as far as proxies that are trusted wrote it:
//! what stands before that anybody may have made up, also so that it cannot be read from its beginning.

use crate::config::{ForwardedHeader, Forwarding};
use crate::metrics::{Metrics, Unsaid};
use std::net::{IpAddr, SocketAddr};

/// The address that counts for a request of a connection.
pub fn address<'h>(
    connection: Option<IpAddr>,
    forwarding: &Forwarding,
    values: impl Iterator<Item = &'h [u8]>,
    metrics: &Metrics,
) -> Option<IpAddr> {
    let connection = connection?;
    if !forwarding.trusts(connection) {
        return Some(connection);
    }
    // Several headers of one name are one list.
    let values: Vec<_> = values.map(String::from_utf8_lossy).collect();
    let said = said(forwarding, &values.join(","));
    Some(said.unwrap_or_else(|unsaid| {
        metrics.door.forwarded_unused.with_label_values(&[unsaid.word()]).inc();
        connection
    }))
}

/// The last address that is not of a trusted proxy; of those alone, the first.
fn said(forwarding: &Forwarding, list: &str) -> Result<IpAddr, Unsaid> {
    let mut said = Err(Unsaid::Missing);
    for element in from_end(list, b',') {
        if element.trim().is_empty() {
            continue;
        }
        let address = match forwarding.header {
            ForwardedHeader::XForwardedFor => node(element.trim()),
            ForwardedHeader::Forwarded => forwarded_for(element),
        }?;
        said = Ok(address);
        if !forwarding.trusts(address) {
            break;
        }
    }
    said
}

/// The parts between separators that stand in no quotes, from the last to the first.
fn from_end(list: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let own = rest?;
        let bytes = own.as_bytes();
        let is_escaped = |at: usize| {
            let before = bytes.get(..at).unwrap_or_default();
            before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
        };
        let mut is_quoted = false;
        let cut = bytes.iter().enumerate().rev().find_map(|(at, byte)| {
            is_quoted ^= *byte == b'"' && !is_escaped(at);
            (*byte == separator && !is_quoted).then_some(at)
        });
        // The separator is ASCII: both sides are whole.
        rest = cut.and_then(|at| own.get(..at));
        cut.map_or(Some(own), |at| own.get(at + 1..))
    })
}

/// What `for` says in an element of `Forwarded`.
fn forwarded_for(element: &str) -> Result<IpAddr, Unsaid> {
    let pairs = from_end(element, b';').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for")).map(|(_, value)| value.trim());
    let value = values.next().ok_or(Unsaid::Hidden)?;
    if values.next().is_some() {
        return Err(Unsaid::Unreadable);
    }
    match value.strip_prefix('"') {
        // No address has anything in it that must be escaped.
        Some(quoted) => node(quoted.strip_suffix('"').ok_or(Unsaid::Unreadable)?),
        None => node(value),
    }
}

/// An address with or without a port, IPv6 in brackets or bare, as proxies write them.
fn node(text: &str) -> Result<IpAddr, Unsaid> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let is_hidden = || {
        let name = text.split(':').next().unwrap_or_default();
        name.eq_ignore_ascii_case("unknown") || name.starts_with('_')
    };
    let address = text.parse().ok().or_else(with_port).or_else(bracketed);
    address.ok_or_else(|| if is_hidden() { Unsaid::Hidden } else { Unsaid::Unreadable })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Network;

    fn forwarding(header: ForwardedHeader) -> Forwarding {
        let network = |text| Network::parse(text).expect("a range");
        Forwarding { proxies: vec![network("10.0.0.0/8"), network("fd00::/8")], header }
    }

    fn check(header: ForwardedHeader, cases: &[(&str, Result<&str, Unsaid>)]) {
        for (list, expected) in cases {
            let expected = expected.map(|address| address.parse::<IpAddr>().expect("an address"));
            assert_eq!(said(&forwarding(header), list), expected, "{list}");
        }
    }

    #[test]
    fn the_last_address_that_is_no_proxy_counts() {
        check(
            ForwardedHeader::XForwardedFor,
            &[
                ("192.0.2.1", Ok("192.0.2.1")),
                (" 192.0.2.1 , 10.1.1.1,10.2.2.2", Ok("192.0.2.1")),
                ("203.0.113.9, 192.0.2.1, 10.1.1.1", Ok("192.0.2.1")),
                ("10.3.3.3, 10.1.1.1", Ok("10.3.3.3")),
                ("192.0.2.1:4711", Ok("192.0.2.1")),
                ("2001:db8::5", Ok("2001:db8::5")),
                ("[2001:db8::5]", Ok("2001:db8::5")),
                ("[2001:db8::5]:443, fd00::1", Ok("2001:db8::5")),
                ("::ffff:192.0.2.1, ::ffff:10.1.1.1", Ok("::ffff:192.0.2.1")),
                ("junk\", 192.0.2.1,, ", Ok("192.0.2.1")),
                ("", Err(Unsaid::Missing)),
                (" , ", Err(Unsaid::Missing)),
                ("unknown", Err(Unsaid::Hidden)),
                ("192.0.2.1, unknown, 10.1.1.1", Err(Unsaid::Hidden)),
                ("junk", Err(Unsaid::Unreadable)),
                ("192.0.2.1, junk", Err(Unsaid::Unreadable)),
                ("192.0.2.1.4", Err(Unsaid::Unreadable)),
                ("192.0.2.1:99999", Err(Unsaid::Unreadable)),
                ("\"192.0.2.1\"", Err(Unsaid::Unreadable)),
                ("for=192.0.2.1", Err(Unsaid::Unreadable)),
                ("fe80::1%eth0", Err(Unsaid::Unreadable)),
            ],
        );
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_has_it() {
        check(
            ForwardedHeader::Forwarded,
            &[
                ("for=192.0.2.1", Ok("192.0.2.1")),
                ("proto=https;For=192.0.2.1;by=10.1.1.1", Ok("192.0.2.1")),
                ("for=\"[2001:db8::17]:4711\"", Ok("2001:db8::17")),
                ("for=\"192.0.2.1:4711\" ; host=\"a,b;c\\\"d\", for=10.1.1.1", Ok("192.0.2.1")),
                ("for=203.0.113.9, for=192.0.2.1, for=\"[fd00::1]\"", Ok("192.0.2.1")),
                // Before what a proxy wrote stands what a stranger wrote, who would like it to be swallowed.
                ("for=\"203.0.113.9, for=192.0.2.1;host=x", Ok("192.0.2.1")),
                ("for=\"203.0.113.9\\, for=192.0.2.1", Ok("192.0.2.1")),
                ("for=unknown", Err(Unsaid::Hidden)),
                ("for=\"_gazonk\"", Err(Unsaid::Hidden)),
                ("for=_hidden:_port", Err(Unsaid::Hidden)),
                ("proto=https", Err(Unsaid::Hidden)),
                ("192.0.2.1", Err(Unsaid::Hidden)),
                ("for=", Err(Unsaid::Unreadable)),
                ("for=junk", Err(Unsaid::Unreadable)),
                ("for=192.0.2.1;for=192.0.2.2", Err(Unsaid::Unreadable)),
                ("for=\"192.0.2.1", Err(Unsaid::Unreadable)),
            ],
        );
    }

    #[test]
    fn a_strangers_header_is_not_looked_at() {
        let metrics = Metrics::new().expect("no two names are the same");
        let from = |connection: &str, value: &'static [u8]| {
            let connection = Some(connection.parse().expect("an address"));
            address(connection, &forwarding(ForwardedHeader::XForwardedFor), [value].into_iter(), &metrics)
        };
        assert_eq!(from("203.0.113.7", b"192.0.2.1"), "203.0.113.7".parse().ok());
        assert_eq!(from("10.1.1.1", b"192.0.2.1"), "192.0.2.1".parse().ok());
        assert_eq!(from("::ffff:10.1.1.1", b"\xff"), "::ffff:10.1.1.1".parse().ok());
        let count = |reason| metrics.door.forwarded_unused.with_label_values(&[reason]).get();
        assert_eq!((count("unreadable"), count("hidden"), count("missing")), (1, 0, 0));
    }
}
