//! Filters that read one value, mostly a text.
#![allow(clippy::unnecessary_wraps, reason = "every filter has the same signature, so that they stand in one table")]

use super::{Asking, bounded, put, wants};
use crate::mapping::value::{Text, Value};
use bumpalo::Bump;
use bumpalo::collections::String as ArenaString;
use std::ops::Range;

/// The text that a value is, or becomes where it is a number or a boolean.
fn text<'v, 'a>(value: &'v mut Value<'a>, arena: &'a Bump) -> Result<&'v mut Text<'a>, String> {
    match value {
        Value::Number(number) => *value = Value::Text(Text::Clean(number)),
        Value::Bool(_) | Value::Int(_) => *value = Value::made(arena, &value.as_text().unwrap_or_default()),
        _ => {}
    }
    match value {
        Value::Text(text) => Ok(text),
        other => wants("a text", other),
    }
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

fn map<'a>(value: &mut Value<'a>, arena: &'a Bump, change: impl FnOnce(&str) -> String) -> Result<(), String> {
    let made = change(&text(value, arena)?.read());
    put(value, Value::made(arena, &made))
}

fn cut<'a>(value: &mut Value<'a>, arena: &'a Bump, pick: impl FnOnce(&str) -> &str) -> Result<(), String> {
    text(value, arena)?.cut(arena, pick);
    Ok(())
}

pub(super) fn lower<'a>(value: &mut Value<'a>, _: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    map(value, asking.arena, str::to_lowercase)
}

pub(super) fn upper<'a>(value: &mut Value<'a>, _: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    map(value, asking.arena, str::to_uppercase)
}

pub(super) fn replace<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let (wanted, other) = (argument(arguments, 0), argument(arguments, 1));
    if wanted.is_empty() {
        return Err("wants a text to replace that is not empty".to_owned());
    }
    let made = replaced(&text(value, asking.arena)?.read(), &wanted, &other, asking.arena)?;
    put(value, Value::Text(Text::Written(made)))
}

/// Texts and what is looked for in them are short: to look for the first character is cheaper than to make ready for
/// looking for a text.
fn replaced<'a>(said: &str, wanted: &str, other: &str, arena: &'a Bump) -> Result<&'a str, String> {
    let first = wanted.chars().next().unwrap_or_default();
    let (mut made, mut rest) = (ArenaString::with_capacity_in(said.len() + other.len(), arena), said);
    while let Some(at) = rest.find(first) {
        let (before, found) = rest.split_at_checked(at).unwrap_or((rest, ""));
        made.push_str(before);
        if let Some(behind) = found.strip_prefix(wanted) {
            made.push_str(other);
            bounded(made.len())?;
            rest = behind;
        } else {
            made.push(first);
            rest = found.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    made.push_str(rest);
    Ok(made.into_bump_str())
}

pub(super) fn trim<'a>(value: &mut Value<'a>, _: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    cut(value, asking.arena, str::trim)
}

pub(super) fn first_line<'a>(value: &mut Value<'a>, _: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    text(value, asking.arena)?.first_line(asking.arena);
    Ok(())
}

pub(super) fn strip_prefix<'a>(
    value: &mut Value<'a>,
    arguments: &[Value<'a>],
    asking: &Asking<'a>,
) -> Result<(), String> {
    cut(value, asking.arena, |text| text.strip_prefix(&*argument(arguments, 0)).unwrap_or(text))
}

pub(super) fn strip_suffix<'a>(
    value: &mut Value<'a>,
    arguments: &[Value<'a>],
    asking: &Asking<'a>,
) -> Result<(), String> {
    cut(value, asking.arena, |text| text.strip_suffix(&*argument(arguments, 0)).unwrap_or(text))
}

pub(super) fn truncate<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let length = usize::try_from(number(arguments, 0).unwrap_or(0)).unwrap_or(0);
    cut(value, asking.arena, |text| {
        text.char_indices().nth(length).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
    })
}

pub(super) fn part<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let separator = argument(arguments, 0);
    if separator.is_empty() {
        return Err("wants a separator that is not empty".to_owned());
    }
    let whole = text(value, asking.arena)?;
    let span = {
        let said = whole.read();
        span_of_parts(&said, &separator, number(arguments, 1).unwrap_or(0), number(arguments, 2))
    };
    match span {
        Some(span) => whole.cut(asking.arena, |said| said.get(span).unwrap_or_default()),
        None => *value = Value::Null,
    }
    Ok(())
}

/// Where the parts from `first` up to before `end` stand in a text; without `end`, the part `first` alone.
fn span_of_parts(text: &str, separator: &str, first: i64, end: Option<i64>) -> Option<Range<usize>> {
    let place = |number: i64| {
        let distance = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
        if number >= 0 {
            return Some(distance);
        }
        // Only what is counted from the end needs to know where that is.
        text.split(separator).count().checked_sub(distance)
    };
    let from = place(first)?;
    let to = match end {
        Some(end) => place(end)?,
        None => from.saturating_add(1),
    };
    let (mut at, mut start) = (0, None);
    for position in 0..to {
        if position == from {
            start = Some(at);
        }
        let rest = text.get(at..).unwrap_or_default();
        let end = match separator.as_bytes() {
            // To look for a byte is much cheaper than to make ready for looking for a text.
            [byte] => rest.bytes().position(|own| own == *byte),
            _ => rest.find(separator),
        };
        match end {
            Some(length) if position + 1 < to => at += length + separator.len(),
            Some(length) => return Some(start?..at + length),
            None => return Some(start?..text.len()),
        }
    }
    None
}

pub(super) fn string<'a>(value: &mut Value<'a>, _: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    text(value, asking.arena).map(|_| ())
}

pub(super) fn hash<'a>(value: &mut Value<'a>, _: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let said = match &*value {
        Value::Text(text) => text.read(),
        other => return wants("a commit's hash as text", other),
    };
    // Every byte is looked at, in one go: to stop at the first wrong one would take longer for all that are right.
    let is_hash = said.bytes().fold(true, |all, byte| all & byte.is_ascii_hexdigit());
    if !matches!(said.len(), 40 | 64) || !is_hash {
        let said = said.chars().take(80).collect::<String>();
        return Err(format!("wants a commit's hash of 40 or 64 hexadecimal digits, got `{said}`"));
    }
    if said.bytes().fold(false, |any, byte| any | byte.is_ascii_uppercase()) {
        let small = Value::made(asking.arena, &said.to_ascii_lowercase());
        *value = small;
    }
    Ok(())
}

pub(super) fn json<'a>(value: &mut Value<'a>, _: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let mut out = Vec::new();
    value.write(&mut out);
    put(value, Value::made(asking.arena, &String::from_utf8_lossy(&out)))
}

pub(super) fn int<'a>(value: &mut Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<(), String> {
    let Some(said) = value.as_text() else { return wants("a number", value) };
    let whole = said.trim().split('.').next().unwrap_or_default();
    match whole.parse() {
        Ok(number) => put(value, Value::Int(number)),
        Err(_) => {
            Err(format!("wants a whole number of at most 64 bits, got `{}`", said.chars().take(40).collect::<String>()))
        }
    }
}

pub(super) fn bool<'a>(value: &mut Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<(), String> {
    match value.as_text().as_deref() {
        Some("true" | "1") => put(value, Value::Bool(true)),
        Some("false" | "0") => put(value, Value::Bool(false)),
        _ => wants("true, false, 1 or 0", value),
    }
}

pub(super) fn null_if<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], _: &Asking<'a>) -> Result<(), String> {
    if arguments.first().is_some_and(|other| value.same(other)) {
        *value = Value::Null;
    }
    Ok(())
}

/// `table` is compiled to a look-up of its own, since its rows belong to the file.
pub(super) fn unreached<'a>(_: &mut Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<(), String> {
    Ok(())
}

pub(super) fn absolute_images<'a>(
    value: &mut Value<'a>,
    arguments: &[Value<'a>],
    asking: &Asking<'a>,
) -> Result<(), String> {
    let base = argument(arguments, 0);
    let base = base.trim_end_matches('/');
    if !text(value, asking.arena)?.read().contains("![") {
        return Ok(());
    }
    let made = {
        let said = text(value, asking.arena)?.read();
        let (mut made, mut rest) = (String::with_capacity(said.len() + 64), &*said);
        while let Some(target) = image_target(rest) {
            let (before, after) = rest.split_at_checked(target).unwrap_or((rest, ""));
            made.push_str(before);
            if let Some((front, behind)) = in_front_of(after, base) {
                made.push_str(front);
                made.push('/');
                bounded(made.len())?;
                rest = behind;
            } else {
                rest = after;
            }
        }
        made + rest
    };
    put(value, Value::made(asking.arena, &made))
}

/// What belongs in front of an address, and what of the address behind a `/`; nothing where it is whole: one with a
/// scheme, of the same scheme (`//host`), inside the page, or none at all.
fn in_front_of<'t>(address: &'t str, base: &'t str) -> Option<(&'t str, &'t str)> {
    let scheme = address.find(|character: char| !character.is_ascii_alphanumeric() && !"+-.".contains(character));
    let has_scheme = scheme.is_some_and(|end| end > 0 && address.get(end..).is_some_and(|rest| rest.starts_with(':')));
    if has_scheme || address.starts_with("//") || address.starts_with(['#', ')', '<', ' ', '\n']) || address.is_empty()
    {
        return None;
    }
    let Some(rooted) = address.strip_prefix('/') else {
        return Some((base, address.strip_prefix("./").unwrap_or(address)));
    };
    // One that names the path of the base itself begins at the host.
    let host = base.find("://").map_or(0, |scheme| scheme + 3);
    let (host, path) = base.split_at_checked(base.get(host..)?.find('/').map_or(base.len(), |slash| host + slash))?;
    let own = path.strip_prefix('/').filter(|own| !own.is_empty());
    let repeats = own.is_some_and(|own| rooted.strip_prefix(own).is_some_and(|rest| rest.starts_with('/')));
    Some((if repeats { host } else { base }, rooted))
}

/// Where the address of the next image begins: behind `![…](`.
fn image_target(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        // From the end of a description back to its beginning: every part of the text is looked at once.
        let end = from + text.get(from..)?.find("](")?;
        let before = text.get(from..end)?;
        if before.rfind("![").is_some_and(|start| !before.get(start..).unwrap_or_default().contains(']')) {
            return Some(end + 2);
        }
        from = end + 2;
    }
}
