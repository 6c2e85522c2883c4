//! Signatures against those that other programs made.

use super::*;

/// The bytes 0 to 31, and 100 to 123.
const KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7";
const ID: &str = "7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5";
const AT: i64 = 1_764_000_000;
const BODY: &[u8] = r#"{"object_kind":"push","note":"Лоция"}"#.as_bytes();
/// Computed with Python's `hmac` and, the first, with `openssl dgst -sha256 -mac HMAC` as well.
const SIGNED: &str = "v1,/8oaHsClQ4zMIVLXhKek/IW96M3qKY5oBcJ/Fs6tmF0=";
const SIGNED_BY_OTHER: &str = "v1,PmYGyBK8GD2TdNNPt5C3TI27WGyNQC5v3PWUdCwb1MM=";
const SIGNED_EMPTY: &str = "v1,uVZHJOfe2HOOKojPHNW61lNB1uIyuQaoJDVY6yTnDJk=";

fn keys(keys: &[&str]) -> SigningKeys {
    SigningKeys::new(keys.iter().map(|key| SigningKey::new(key).expect("a key")).collect())
}

fn signature() -> Signature {
    Signature::new("Harbour-Signature", "Harbour-Id", "Harbour-Timestamp")
}

/// What becomes of a request with these headers.
fn read<'h>(headers: &'h [(&str, &str)], now: i64) -> Result<Signed<'h>, Unsigned> {
    let named =
        |name: &str| headers.iter().filter(|(own, _)| *own == name).map(|(_, value)| value.as_bytes()).collect();
    signature().read(named, now)
}

fn fits(signatures: &str, given: &[&str], body: &[u8]) -> bool {
    let time = AT.to_string();
    let headers = [("harbour-signature", signatures), ("harbour-id", ID), ("harbour-timestamp", time.as_str())];
    read(&headers, AT).is_ok_and(|signed| signed.fits(&keys(given), body))
}

#[test]
fn what_is_signed_is_what_other_programs_sign() {
    let signed = |with: &[&str], body| signature().sign(&keys(with), ID, AT, body);
    let [id, timestamp, signatures] = &signed(&[KEY], BODY)[..] else { panic!("three headers") };
    assert_eq!(id, &("harbour-id".to_owned(), ID.to_owned()));
    assert_eq!(timestamp, &("harbour-timestamp".to_owned(), "1764000000".to_owned()));
    assert_eq!(signatures, &("harbour-signature".to_owned(), SIGNED.to_owned()));
    assert_eq!(signed(&[KEY], b"")[2].1, SIGNED_EMPTY);
    assert_eq!(signed(&[OTHER, KEY], BODY)[2].1, format!("{SIGNED_BY_OTHER} {SIGNED}"));
}

#[test]
fn one_fitting_signature_and_one_fitting_key_are_enough() {
    for (signatures, given) in [
        (SIGNED.to_owned(), &[KEY][..]),
        (SIGNED.to_owned(), &[OTHER, KEY]),
        (SIGNED_BY_OTHER.to_owned(), &[OTHER, KEY]),
        (format!("{SIGNED_BY_OTHER} {SIGNED}"), &[KEY]),
        (format!("v1a,c2ln v2,c2ln  {SIGNED} v1,"), &[KEY]),
    ] {
        assert!(fits(&signatures, given, BODY), "{signatures}");
    }
    let bare = SIGNED.trim_end_matches('=');
    for (signatures, given) in [
        (SIGNED.to_owned(), &[OTHER][..]),
        (SIGNED.to_owned(), &[]),
        (SIGNED_EMPTY.to_owned(), &[KEY]),
        (SIGNED.replace("v1,", "v1,v1,"), &[KEY]),
        (SIGNED.replace(',', ", "), &[KEY]),
        (format!("{SIGNED},{SIGNED}"), &[KEY]),
        (SIGNED.replace("/8oa", "/8ob"), &[KEY]),
        (bare.to_owned(), &[KEY]),
        ("v1,".to_owned(), &[KEY]),
    ] {
        assert!(!fits(&signatures, given, BODY), "{signatures}");
    }
    assert!(!fits(SIGNED, &[KEY], &BODY[1..]));
}

#[test]
fn only_signatures_of_now_are_taken_and_the_difference_is_said() {
    let time = AT.to_string();
    let headers = [("harbour-signature", SIGNED), ("harbour-id", ID), ("harbour-timestamp", time.as_str())];
    for now in [AT - 300, AT, AT + 300] {
        assert!(read(&headers, now).is_ok(), "{now}");
    }
    assert_eq!(read(&headers, AT + 301), Err(Unsigned::TooOld(301)));
    assert_eq!(read(&headers, AT - 301), Err(Unsigned::TooNew(301)));
    assert!(Unsigned::TooOld(612).to_string().contains("612 s") && Unsigned::TooNew(7).to_string().contains("clocks"));
    for odd in ["soon", "-1", "+1764000000", "1764000000.5", "1764000000 ", "0x10", "99999999999999999999"] {
        let headers = [("harbour-signature", SIGNED), ("harbour-id", ID), ("harbour-timestamp", odd)];
        assert_eq!(read(&headers, AT), Err(Unsigned::NoTime("harbour-timestamp".to_owned())), "{odd}");
    }
    let far = i64::MAX.to_string();
    let headers = [("harbour-signature", SIGNED), ("harbour-id", ID), ("harbour-timestamp", far.as_str())];
    assert_eq!(read(&headers, AT), Err(Unsigned::TooNew(i64::MAX - AT)));
}

#[test]
fn a_part_that_is_missing_or_says_two_things_is_named() {
    let time = AT.to_string();
    let all = [("harbour-signature", SIGNED), ("harbour-id", ID), ("harbour-timestamp", time.as_str())];
    let without = |name: &str| all.iter().filter(|(own, _)| *own != name).copied().collect::<Vec<_>>();
    let (id, timestamp) = ("harbour-id".to_owned(), "harbour-timestamp".to_owned());
    assert_eq!(read(&without("harbour-signature"), AT), Err(Unsigned::Missing("harbour-signature".to_owned())));
    assert_eq!(read(&without("harbour-id"), AT), Err(Unsigned::MissingPart(id.clone())));
    assert_eq!(read(&without("harbour-timestamp"), AT), Err(Unsigned::MissingPart(timestamp.clone())));
    let with = |name, value| all.iter().copied().chain([(name, value)]).collect::<Vec<_>>();
    assert_eq!(read(&with("harbour-id", "other"), AT), Err(Unsigned::Twice(id)));
    assert_eq!(read(&with("harbour-timestamp", "1764000001"), AT), Err(Unsigned::Twice(timestamp)));
    let (twice, signed_twice) = (with("harbour-id", ID), with("harbour-signature", "v1,c2ln"));
    for good in [twice, signed_twice] {
        assert!(read(&good, AT).is_ok_and(|signed| signed.fits(&keys(&[KEY]), BODY)), "{good:?}");
    }
}

#[test]
fn a_key_is_strict_and_never_shows() {
    assert!(SigningKey::new(&format!("{KEY}\r\n")).is_ok());
    let of = |bytes: usize| SigningKey::new(&format!("whsec_{}", STANDARD.encode(vec![7; bytes]))).err();
    let lengths = [(23, Some(KeyFault::Length(23))), (24, None), (64, None), (65, Some(KeyFault::Length(65)))];
    for (bytes, fault) in lengths {
        assert_eq!(of(bytes), fault, "{bytes}");
    }
    for (text, fault) in [
        ("", KeyFault::Prefix),
        ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", KeyFault::Prefix),
        ("WHSEC_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", KeyFault::Prefix),
        ("whsec_", KeyFault::Length(0)),
        ("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", KeyFault::Base64),
        ("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", KeyFault::Base64),
        ("whsec_AAECAwQFBgcICQoL DA0ODxAREhMUFRYXGBkaGxwdHh8=", KeyFault::Base64),
        ("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh_=", KeyFault::Base64),
    ] {
        assert_eq!(SigningKey::new(text).err(), Some(fault), "{text}");
        assert!(!fault.to_string().contains("AAEC"));
    }
    assert_eq!(format!("{:?}", keys(&[KEY])), "SigningKeys([[secret]])");
}
