//! How often something may happen, and from which addresses: `100/s`, `10.0.0.0/8`.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// So many in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many; at least 1.
    pub count: u32,
    /// In which time.
    pub per: Duration,
}

impl Rate {
    /// Reads `100/s`, `500/m` or `2000/h`.
    ///
    /// # Errors
    /// Says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a rate such as 100/s, 500/m or 2000/h, got `{text}`");
        let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
        let count: u32 = count.trim().parse().ok().filter(|count| *count > 0).ok_or_else(wrong)?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(wrong()),
        };
        Ok(Self { count, per: Duration::from_secs(seconds) })
    }
}

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The bits of the address as IPv6, an IPv4 one mapped into it.
    bits: u128,
    mask: u128,
}

impl Network {
    /// Reads an address, or one and how many of its leading bits count.
    ///
    /// # Errors
    /// Says what is expected, or that bits are set behind those that count.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected an address or a range such as 10.0.0.0/8 or ::1, got `{text}`");
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => width,
            Some(length) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().ok().filter(|length| *length <= width).ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        let mask = u128::MAX.checked_shl(width - length).unwrap_or(0);
        let (bits, mask) = (bits(address), if address.is_ipv4() { mask | !u128::from(u32::MAX) } else { mask });
        if bits & !mask != 0 {
            let first = Ipv6Addr::from_bits(bits & mask).to_canonical();
            return Err(format!("`{text}` has bits behind its first {length}: write {first}/{length}"));
        }
        Ok(Self { bits, mask })
    }

    /// Whether an address is one of these. An IPv4 address that came over an IPv6 socket counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        bits(address) & self.mask == self.bits
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_addresses_and_no_others() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["9.255.255.255", "11.0.0.0", "::a00:1"]),
            ("192.0.2.7", ["192.0.2.7", "192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.6", "192.0.2.8", "::1"]),
            ("192.0.2.8/31", ["192.0.2.8", "192.0.2.9", "::ffff:c000:209"], ["192.0.2.7", "192.0.2.10", "::"]),
            ("::1", ["::1", "0:0::1", "::1"], ["::2", "127.0.0.1", "::"]),
            ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1", "2001:db8::5"], ["2001:db9::", "10.0.0.1", "::"]),
            ("::ffff:10.0.0.0/104", ["10.1.1.1", "::ffff:10.0.0.1", "10.0.0.0"], ["11.0.0.0", "::1", "9.9.9.9"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::1", "fd00::1", "::"]),
        ] {
            let network = Network::parse(range).expect("a range");
            for address in inside {
                assert!(network.contains(address.parse().expect("an address")), "{range} {address}");
            }
            for address in outside {
                assert!(!network.contains(address.parse().expect("an address")), "{range} {address}");
            }
        }
        let all = Network::parse("::/0").expect("all there is");
        assert!(all.contains("10.0.0.1".parse().expect("v4")) && all.contains("::1".parse().expect("v6")));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in
            ["", "ten", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/", "::/129", "10.0.0.0/8/8", "[::1]"]
        {
            let message = Network::parse(text).expect_err(text);
            assert!(message.starts_with("expected an address or a range such as"), "{message}");
        }
        assert_eq!(
            Network::parse("10.1.0.0/8"),
            Err("`10.1.0.0/8` has bits behind its first 8: write 10.0.0.0/8".to_owned())
        );
        assert!(Network::parse("fd00::1/8").is_err_and(|message| message.ends_with("write fd00::/8")));
    }

    #[test]
    fn a_rate_is_a_number_and_a_time() {
        assert_eq!(Rate::parse("100/s"), Ok(Rate { count: 100, per: Duration::from_secs(1) }));
        assert_eq!(Rate::parse("5 / m"), Ok(Rate { count: 5, per: Duration::from_mins(1) }));
        for text in ["", "100", "0/s", "-1/s", "1.5/s", "1/d", "/s", "99999999999/s"] {
            assert!(Rate::parse(text).is_err_and(|message| message.contains("100/s, 500/m or 2000/h")), "{text}");
        }
    }
}
