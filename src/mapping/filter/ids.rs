//! Filters that turn UUIDs into numbers and numbers into UUIDs.
#![allow(clippy::unnecessary_wraps, reason = "every filter has the same signature, so that they stand in one table")]

use super::{Asking, put, wants};
use crate::mapping::value::{Text, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

pub(super) fn id<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let kind = arguments.first().and_then(Value::as_text).unwrap_or_default();
    // The empty text is nobody's name: all whom hooks do not name would have one number.
    match value.as_text().filter(|text| !text.is_empty()) {
        Some(text) => {
            let number = asking.knowledge.number(asking.instance, &kind, &text);
            put(value, Value::Int(number.into()))
        }
        None => wants("a number or a text that names something", value),
    }
}

pub(super) fn uuid<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let kind = arguments.first().and_then(Value::as_text).unwrap_or_default();
    match value.as_text().filter(|text| !matches!(value, Value::Bool(_)) && !text.is_empty()) {
        Some(number) => {
            let uuid = asking.knowledge.uuid(asking.instance, &kind, &number);
            put(value, Value::made(asking.arena, &uuid))
        }
        None => wants("a number or a text that names something", value),
    }
}

pub(super) fn lookup<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let argument = |position: usize| arguments.get(position).and_then(Value::as_text).unwrap_or_default();
    let (table, column) = (argument(0), argument(1));
    let Some(id) = value.as_text() else { return wants("a text or a number", value) };
    let found = match asking.knowledge.lookup(asking.instance, &table, &id, &column) {
        Some(learned) => Value::made(asking.arena, &learned),
        None => {
            let from_file = asking.lookups.and_then(|lookups| lookups.get(&table, &id, &column));
            from_file.map_or(Value::Null, |text| Value::Text(Text::Written(text)))
        }
    };
    *value = found;
    Ok(())
}

pub(super) fn short_hex<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let length = match arguments.first() {
        Some(Value::Int(number)) => usize::try_from(*number).unwrap_or(0),
        _ => 0,
    };
    if let Value::Text(Text::Clean(said)) = value
        && let Some(head) = said.get(..length).filter(|head| is_hex(head))
    {
        *said = head;
        return Ok(());
    }
    let Some(said) = value.as_text() else { return wants("a text", value) };
    if let Some(head) = said.get(..length).filter(|head| is_hex(head)) {
        let head = Value::made(asking.arena, head);
        return put(value, head);
    }
    let mut digits: String = said.chars().filter(|character| *character != '-').collect();
    if digits.len() < length || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let hash = Sha256::digest(said.as_bytes());
        digits = hash.iter().fold(String::new(), |mut text, byte| {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
    }
    digits.truncate(length);
    put(value, Value::made(asking.arena, &digits))
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
