//! Filters that read a list.
#![allow(clippy::unnecessary_wraps, reason = "every filter has the same signature, so that they stand in one table")]

use super::{Asking, bounded, put, wants};
use crate::mapping::value::{Text, Value};
use bumpalo::collections::String as ArenaString;

fn elements<'a>(value: &Value<'a>) -> Result<Vec<Value<'a>>, String> {
    value.elements().map_or_else(|| wants("a list", value), Ok)
}

pub(super) fn count<'a>(value: &mut Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<(), String> {
    let number = match &*value {
        Value::Null => 0,
        Value::Text(text) => text.read().chars().count(),
        Value::Container(node) if node.is_object() => node.members().count(),
        Value::Container(node) => node.elements().count(),
        Value::List(items) => items.len(),
        other => return wants("a list, an object or a text", other),
    };
    put(value, Value::Int(i64::try_from(number).unwrap_or(i64::MAX)))
}

pub(super) fn first<'a>(value: &mut Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<(), String> {
    let first = elements(value)?.into_iter().next();
    put(value, first.unwrap_or(Value::Null))
}

pub(super) fn last<'a>(value: &mut Value<'a>, _: &[Value<'a>], _: &Asking<'a>) -> Result<(), String> {
    let last = elements(value)?.pop();
    put(value, last.unwrap_or(Value::Null))
}

pub(super) fn join<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let separator = arguments.first().and_then(Value::as_text).unwrap_or_default();
    let mut joined = ArenaString::new_in(asking.arena);
    for (position, element) in elements(value)?.iter().enumerate() {
        if position > 0 {
            joined.push_str(&separator);
        }
        match element.as_text() {
            Some(text) => joined.push_str(&text),
            None if element.is_null() => {}
            None => return wants("a list of texts and numbers", element),
        }
        bounded(joined.len())?;
    }
    put(value, Value::Text(Text::Written(joined.into_bump_str())))
}

pub(super) fn pluck<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let key = arguments.first().and_then(Value::as_text).unwrap_or_default();
    let all = elements(value)?;
    let fields = all.iter().map(|element| element.field(&key).unwrap_or(Value::Null));
    put(value, Value::List(asking.arena.alloc_slice_fill_iter(fields)))
}

pub(super) fn texts<'a>(value: &mut Value<'a>, _: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let mut all = elements(value)?;
    all.retain(|element| !element.is_null());
    all.iter_mut().try_for_each(|element| super::texts::string(element, &[], asking))?;
    put(value, Value::List(asking.arena.alloc_slice_copy(&all)))
}

pub(super) fn sorted<'a>(value: &mut Value<'a>, _: &[Value<'a>], asking: &Asking<'a>) -> Result<(), String> {
    let mut all = elements(value)?;
    if let Some(element) = all.iter().find(|element| element.as_text().is_none()) {
        return wants("a list of texts and numbers", element);
    }
    all.sort_by_cached_key(|element| element.as_text().map(std::borrow::Cow::into_owned));
    put(value, Value::List(asking.arena.alloc_slice_copy(&all)))
}

pub(super) fn find<'a>(value: &mut Value<'a>, arguments: &[Value<'a>], _: &Asking<'a>) -> Result<(), String> {
    let key = arguments.first().and_then(Value::as_text).unwrap_or_default();
    let wanted = arguments.get(1).unwrap_or(&Value::Null);
    let found =
        elements(value)?.into_iter().find(|element| element.field(&key).is_some_and(|field| field.same(wanted)));
    put(value, found.unwrap_or(Value::Null))
}
