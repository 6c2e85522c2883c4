//! Filters that read one value, mostly a text.
#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "every filter has the same signature, so that they stand in one table"
)]

use super::{Asking, wants};
use crate::mapping::value::{Text, Value};

fn text(value: Value<'_>) -> Result<Text<'_>, String> {
    value.into_text().or_else(|other| wants("a text", &other))
}

fn argument<'v>(arguments: &'v [Value<'_>], position: usize) -> std::borrow::Cow<'v, str> {
    // The loader checked the arguments of every call against the table.
    arguments.get(position).and_then(Value::as_text).unwrap_or_default()
}

fn number(arguments: &[Value<'_>], position: usize) -> Option<i64> {
    match arguments.get(position) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}

fn map(value: Value<'_>, change: impl FnOnce(&str) -> String) -> Result<Value<'_>, String> {
    Ok(Value::made(change(&text(value)?.read())))
}

fn cut(value: Value<'_>, pick: impl FnOnce(&str) -> &str) -> Result<Value<'_>, String> {
    Ok(Value::Text(text(value)?.cut(pick)))
}

pub(super) fn lower<'a>(value: Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    map(value, str::to_lowercase)
}

pub(super) fn upper<'a>(value: Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    map(value, str::to_uppercase)
}

pub(super) fn replace<'a>(value: Value<'a>, arguments: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    map(value, |text| text.replace(&*argument(arguments, 0), &argument(arguments, 1)))
}

pub(super) fn trim<'a>(value: Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    cut(value, str::trim)
}

pub(super) fn first_line<'a>(value: Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    Ok(Value::Text(text(value)?.first_line()))
}

pub(super) fn strip_prefix<'a>(value: Value<'a>, arguments: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    cut(value, |text| text.strip_prefix(&*argument(arguments, 0)).unwrap_or(text))
}

pub(super) fn strip_suffix<'a>(value: Value<'a>, arguments: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    cut(value, |text| text.strip_suffix(&*argument(arguments, 0)).unwrap_or(text))
}

pub(super) fn truncate<'a>(value: Value<'a>, arguments: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    let length = usize::try_from(number(arguments, 0).unwrap_or(0)).unwrap_or(0);
    cut(value, |text| text.char_indices().nth(length).and_then(|(end, _)| text.get(..end)).unwrap_or(text))
}

pub(super) fn part<'a>(value: Value<'a>, arguments: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    let separator = argument(arguments, 0);
    if separator.is_empty() {
        return Err("wants a separator that is not empty".to_owned());
    }
    let whole = text(value)?;
    let (from, to) = {
        let said = whole.read();
        let count = said.split(&*separator).count();
        let place = |number: i64| {
            let distance = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
            if number < 0 { count.saturating_sub(distance) } else { distance }
        };
        let first = number(arguments, 1).unwrap_or(0);
        if first < 0 && first.unsigned_abs() > count as u64 {
            return Ok(Value::Null);
        }
        let from = place(first);
        let to = number(arguments, 2).map_or(from + 1, place).min(count);
        (from, to)
    };
    if from >= to {
        return Ok(Value::Null);
    }
    Ok(Value::Text(whole.cut(|said| span_of_parts(said, &separator, from, to))))
}

/// The slice from the start of part `from` to the end of part `to - 1`.
fn span_of_parts<'t>(text: &'t str, separator: &str, from: usize, to: usize) -> &'t str {
    let (mut at, mut start, mut end) = (0, 0, 0);
    for (position, part) in text.split(separator).enumerate().take(to) {
        if position == from {
            start = at;
        }
        end = at + part.len();
        at = end + separator.len();
    }
    text.get(start..end).unwrap_or_default()
}

pub(super) fn string<'a>(value: Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    Ok(Value::Text(text(value)?))
}

pub(super) fn json<'a>(value: Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    let mut out = Vec::new();
    value.write(&mut out);
    Ok(Value::made(String::from_utf8_lossy(&out).into_owned()))
}

pub(super) fn int<'a>(value: Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    let Some(said) = value.as_text() else { return wants("a number", &value) };
    let whole = said.trim().split('.').next().unwrap_or_default();
    match whole.parse() {
        Ok(number) => Ok(Value::Int(number)),
        Err(_) => {
            Err(format!("wants a whole number of at most 64 bits, got `{}`", said.chars().take(40).collect::<String>()))
        }
    }
}

pub(super) fn bool<'a>(value: Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    match value.as_text().as_deref() {
        Some("true" | "1") => Ok(Value::Bool(true)),
        Some("false" | "0") => Ok(Value::Bool(false)),
        _ => wants("true, false, 1 or 0", &value),
    }
}

pub(super) fn null_if<'a>(value: Value<'a>, arguments: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    let is_it = arguments.first().is_some_and(|other| value.same(other));
    Ok(if is_it { Value::Null } else { value })
}

/// `table` is compiled to a look-up of its own, since its rows belong to the file.
pub(super) fn unreached<'a>(value: Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<Value<'a>, String> {
    Ok(value)
}

pub(super) fn absolute_images<'a>(
    value: Value<'a>,
    arguments: &[Value<'a>],
    _: &Asking<'a>,
) -> Result<Value<'a>, String> {
    let whole = text(value)?;
    let said = whole.read();
    if !said.contains("](/") {
        return Ok(Value::Text(whole));
    }
    let base = argument(arguments, 0);
    let (mut made, mut rest) = (String::with_capacity(said.len() + 64), &*said);
    while let Some(target) = image_target(rest) {
        let (before, after) = rest.split_at_checked(target).unwrap_or((rest, ""));
        made.push_str(before);
        if after.starts_with('/') && !after.starts_with("//") {
            made.push_str(base.trim_end_matches('/'));
        }
        rest = after;
    }
    made.push_str(rest);
    Ok(Value::made(made))
}

/// Where the address of the next image begins: behind `![…](`.
fn image_target(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find("![")?;
        let end = start + text.get(start..)?.find(']')?;
        if text.get(end + 1..)?.starts_with('(') {
            return Some(end + 2);
        }
        from = start + 2;
    }
}
