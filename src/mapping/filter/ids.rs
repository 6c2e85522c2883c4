//! Filters that turn UUIDs into numbers and numbers into UUIDs.
#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "every filter has the same signature, so that they stand in one table"
)]

use super::{Asking, wants};
use crate::mapping::value::{Text, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

pub(super) fn id<'a>(value: Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<Value<'a>, String> {
    let kind = arguments.first().and_then(Value::as_text).unwrap_or_default();
    match value.as_text() {
        Some(text) => Ok(Value::Int(asking.knowledge.number(&kind, &text).into())),
        None => wants("a text or a number", &value),
    }
}

pub(super) fn uuid<'a>(value: Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<Value<'a>, String> {
    let kind = arguments.first().and_then(Value::as_text).unwrap_or_default();
    match value.as_text() {
        Some(number) => Ok(Value::made(asking.knowledge.uuid(asking.instance, &kind, &number))),
        None => wants("a number or a text", &value),
    }
}

pub(super) fn lookup<'a>(value: Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<Value<'a>, String> {
    let argument = |position: usize| arguments.get(position).and_then(Value::as_text).unwrap_or_default();
    let (table, column) = (argument(0), argument(1));
    let Some(id) = value.as_text() else { return wants("a text or a number", &value) };
    if let Some(learned) = asking.knowledge.lookup(asking.instance, &table, &id, &column) {
        return Ok(Value::made(learned));
    }
    let from_file = asking.lookups.and_then(|lookups| lookups.get(&table, &id, &column));
    Ok(from_file.map_or(Value::Null, |text| Value::Text(Text::Written(text))))
}

pub(super) fn short_hex<'a>(value: Value<'a>, arguments: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    let length = match arguments.first() {
        Some(Value::Int(number)) => usize::try_from(*number).unwrap_or(0),
        _ => 0,
    };
    let Some(said) = value.as_text() else { return wants("a text", &value) };
    let head = said.get(..length).unwrap_or_default();
    if !head.is_empty() && head.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Value::Text(match value.into_text() {
            Ok(text) => text.cut(|text| text.get(..length).unwrap_or(text)),
            Err(_) => Text::Clean(""),
        }));
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
    Ok(Value::made(digits))
}
