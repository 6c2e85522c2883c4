//! Until when a certificate is good: the one field of it that nothing else here gives.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Reads it of a certificate in DER.
pub(super) fn of(certificate: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if let Some((_, behind)) = element(rest, VERSION) {
        rest = behind;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        rest = any(rest)?.2;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (_, _, behind) = any(validity)?;
    let (tag, time, _) = any(behind)?;
    moment(tag, std::str::from_utf8(time).ok()?)
}

/// `YYMMDDhhmmssZ`, of 1950 to 2049, or `YYYYMMDDhhmmssZ`.
fn moment(tag: u8, text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z').filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (short, rest) = text.split_at_checked(2)?;
            let short: i16 = short.parse().ok()?;
            (short + if short < 50 { 2000 } else { 1900 }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    let time = DateTime::new(year, part(0)?, part(2)?, part(4)?, part(6)?, part(8)?, 0).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

/// The contents of an element with a tag, and what stands behind it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    any(bytes).filter(|(own, ..)| *own == tag).map(|(_, contents, behind)| (contents, behind))
}

/// The tag and the contents of an element, and what stands behind it.
fn any(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..0x80 => (usize::from(short), rest),
        long => {
            let count = usize::from(long & 0x7f);
            let (digits, rest) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    let (contents, behind) = rest.split_at_checked(length)?;
    Some((*tag, contents, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn the_end_is_read_and_nothing_else() {
        for (year, expected) in [(2031, "2031-05-17T00:00:00Z"), (2075, "2075-05-17T00:00:00Z")] {
            let mut params = CertificateParams::new(["harbour.example.org".to_owned()]).expect("a name");
            (params.not_before, params.not_after) = (date_time_ymd(1999, 1, 2), date_time_ymd(year, 5, 17));
            let certificate = params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate");
            assert_eq!(of(certificate.der()), expected.parse().ok());
            for length in 0..certificate.der().len() {
                // However much is missing, it is no reason to panic.
                of(certificate.der().get(..length).expect("a beginning"));
            }
        }
        assert_eq!(of(&[SEQUENCE, 0xff, 1, 2, 3]), None);
        assert_eq!(moment(UTC_TIME, "991231235959Z"), "1999-12-31T23:59:59Z".parse().ok());
        assert_eq!((moment(UTC_TIME, "9912312359é9Z"), moment(UTC_TIME, "9Z"), moment(2, "0Z")), (None, None, None));
    }
}
