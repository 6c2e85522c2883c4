//! Filters that read times in all the forms that the forges send.
//!
//! RFC 3339 with any fraction, `2021-03-04 07:16:00 UTC` and `… +0200` (GitLab up to 19.3), and forms without a zone
//! (GitFlic). An empty text counts as null: GitLab has sent both for "no time".
#![allow(clippy::unnecessary_wraps, reason = "every filter has the same signature, so that they stand in one table")]

use super::{Asking, put, wants};
use crate::mapping::value::{Text, Value};
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Timestamp, civil::Date};
use std::borrow::Cow;

/// A zone as mappings name it.
pub(super) fn zone(name: &str) -> Option<Offset> {
    if name == "UTC" || name == "Z" { Some(Offset::UTC) } else { offset(name) }
}

/// `+03:00` or `+0300`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|character| *character != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = (digits.get(..2)?.parse::<i32>().ok()?, digits.get(2..)?.parse::<i32>().ok()?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// A time as a forge wrote it: the clock's face, and the zone if it was told.
struct Told {
    clock: DateTime,
    zone: Option<Offset>,
}

fn read(text: &str) -> Option<Told> {
    let zone = match text.get(19..) {
        Some("") => Some(None),
        Some("Z") => Some(Some(Offset::UTC)),
        _ => None,
    };
    if let (Some(zone), Some(clock)) = (zone, text.get(..19).and_then(whole_seconds)) {
        return Some(Told { clock, zone });
    }
    let text = text.trim();
    if text.len() == 10 {
        return text.parse::<Date>().ok().map(|date| Told { clock: date.at(0, 0, 0, 0), zone: None });
    }
    let (head, tail) = text.split_at_checked(16)?;
    // Behind the date and the minutes: where seconds and fraction end, the zone begins.
    let end = tail.find(|character: char| !matches!(character, ':' | '.' | ',' | '0'..='9')).unwrap_or(tail.len());
    let (seconds, zone_text) = tail.split_at_checked(end)?;
    let clock =
        if seconds.len() == 3 { whole_seconds(text.get(..19)?)? } else { format!("{head}{seconds}").parse().ok()? };
    match zone_text.trim() {
        "" => Some(Told { clock, zone: None }),
        "Z" | "z" | "UTC" | "GMT" => Some(Told { clock, zone: Some(Offset::UTC) }),
        other => Some(Told { clock, zone: Some(offset(other)?) }),
    }
}

/// `2021-03-04T07:16:00`, or with a space in the place of the T: what nearly every time is.
fn whole_seconds(text: &str) -> Option<DateTime> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| i16::from(byte - b'0'));
    let two = |at: usize| Some(digit(at)? * 10 + digit(at + 1)?);
    let short = |at: usize| i8::try_from(two(at)?).ok();
    let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let formed = marks.iter().all(|(at, mark)| bytes.get(*at) == Some(mark))
        && matches!(bytes.get(10), Some(b'T' | b't' | b' '));
    let year = two(0)? * 100 + two(2)?;
    formed.then(|| DateTime::new(year, short(5)?, short(8)?, short(11)?, short(14)?, short(17)?, 0).ok())?
}

fn told(value: &Value<'_>) -> Result<Option<Told>, String> {
    let Value::Text(text) = value else { return wants("a time as text", value) };
    let said = text.read();
    if said.trim().is_empty() {
        return Ok(None);
    }
    match read(&said) {
        Some(told) => Ok(Some(told)),
        None => Err(format!(
            "wants a time such as 2021-03-04T07:16:00Z, got `{}`",
            said.chars().take(40).collect::<String>()
        )),
    }
}

fn instant(told: &Told, otherwise: Offset) -> Result<Timestamp, String> {
    told.zone.unwrap_or(otherwise).to_timestamp(told.clock).map_err(|error| error.to_string())
}

fn given_zone(arguments: &[Value<'_>]) -> Offset {
    arguments.first().and_then(Value::as_text).and_then(|name| zone(&name)).unwrap_or(Offset::UTC)
}

/// Whether a text is `2021-03-04T07:16:00` with a zone as RFC 3339 writes it, or none.
fn is_plain(text: &str) -> bool {
    let zone = text.as_bytes().get(19..).unwrap_or_default();
    text.as_bytes().get(10) == Some(&b'T')
        && (zone.is_empty()
            || zone == b"Z"
            || (zone.len() == 6 && matches!(zone.first(), Some(b'+' | b'-')) && zone.get(3) == Some(&b':')))
}

pub(super) fn rfc3339<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let Some(told) = told(value)? else { return put(value, Value::Null) };
    if let Value::Text(Text::Clean(text)) = value
        && is_plain(text)
    {
        // It was read, so it is a time; what it says need not be written anew.
        if told.zone.is_none() {
            let zoned = [*text, &written(given_zone(arguments))].concat();
            *value = Value::made(asking.arena, &zoned);
        }
        return Ok(());
    }
    let zone = told.zone.unwrap_or_else(|| given_zone(arguments));
    put(value, Value::made(asking.arena, &format!("{}{}", told.clock, written(zone))))
}

/// A zone as RFC 3339 writes it.
fn written(zone: Offset) -> Cow<'static, str> {
    if zone == Offset::UTC { Cow::Borrowed("Z") } else { Cow::Owned(colon(zone)) }
}

/// An offset with a colon, as RFC 3339 wants it.
fn colon(zone: Offset) -> String {
    let minutes = zone.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

pub(super) fn local_time<'a>(
    value: &mut Value<'a>,
    arguments: &[Value<'a>],
    asking: &Asking<'a>,
) -> Result<(), String> {
    let Some(told) = told(value)? else { return put(value, Value::Null) };
    let Some(own) = told.zone else { return put(value, Value::made(asking.arena, &told.clock.to_string())) };
    let zone = given_zone(arguments);
    if own == zone {
        return put(value, Value::made(asking.arena, &told.clock.to_string()));
    }
    put(value, Value::made(asking.arena, &zone.to_datetime(instant(&told, Offset::UTC)?).to_string()))
}

pub(super) fn gitlab_time<'a>(value: &mut Value<'a>, _: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let Some(told) = told(value)? else { return put(value, Value::Null) };
    let utc = Offset::UTC.to_datetime(instant(&told, Offset::UTC)?);
    let (date, time) = (utc.date(), utc.time());
    let text = format!("{date} {:02}:{:02}:{:02} UTC", time.hour(), time.minute(), time.second());
    put(value, Value::made(asking.arena, &text))
}

pub(super) fn unix<'a>(value: &mut Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<(), String> {
    let Some(told) = told(value)? else { return put(value, Value::Null) };
    put(value, Value::Int(instant(&told, Offset::UTC)?.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_that_the_forges_send() {
        for (text, seconds) in [
            ("2021-03-04T07:16:00Z", 1_614_842_160),
            ("2021-03-04T10:16:00+03:00", 1_614_842_160),
            ("2021-03-04 07:16:00 UTC", 1_614_842_160),
            ("2021-03-04 09:16:00 +0200", 1_614_842_160),
            ("2021-03-04T07:16:00.123Z", 1_614_842_160),
            ("2021-03-04T07:16:00.063583", 1_614_842_160),
            ("2021-03-04T02:16:00-05:00", 1_614_842_160),
            ("2021-03-04T07:16", 1_614_842_160),
            ("2021-03-04", 1_614_816_000),
        ] {
            let told = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(instant(&told, Offset::UTC).expect("in range").as_second(), seconds, "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2021-13-01T00:00:00Z",
            "2021-03-04T07:16:00 MSK",
            "2021-03-04T07:16:00+3",
            "ёёёёёёёёёёёёёёё",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
