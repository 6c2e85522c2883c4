//! Writes JSON: escapes of texts, and whole values out of a document.

use super::{Kind, Node};
use std::collections::HashMap;

/// Above this many keys an object's duplicates are found by hashing instead of comparing each with each.
const FEW_KEYS: usize = 16;

/// Undoes the escapes of a text's raw bytes; half a surrogate pair becomes U+FFFD.
pub(crate) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(stop) = rest.find('\\') {
        out.push_str(rest.get(..stop).unwrap_or_default());
        let (character, used) = escaped_character(rest.get(stop + 1..).unwrap_or_default());
        out.extend(character);
        rest = rest.get(stop + 1 + used..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Whether raw bytes say a text, found out without writing what they say: a hook may have a million keys with escapes.
pub(crate) fn says(raw: &str, text: &str) -> bool {
    // An escape of six bytes says one at least, and none says more than it is long.
    if raw.len() < text.len() || raw.len() > text.len() * 6 {
        return false;
    }
    let (mut rest, mut left) = (raw, text);
    while let Some(stop) = rest.find('\\') {
        let (character, used) = escaped_character(rest.get(stop + 1..).unwrap_or_default());
        let behind = left.strip_prefix(rest.get(..stop).unwrap_or_default());
        match (behind, character) {
            (Some(behind), Some(character)) if behind.starts_with(character) => {
                left = behind.get(character.len_utf8()..).unwrap_or_default();
            }
            _ => return false,
        }
        rest = rest.get(stop + 1 + used..).unwrap_or_default();
    }
    rest == left
}

/// The character that stands behind a backslash, and how many bytes it takes there.
fn escaped_character(escape: &str) -> (Option<char>, usize) {
    match escape.bytes().next() {
        Some(b'b') => (Some('\u{8}'), 1),
        Some(b'f') => (Some('\u{c}'), 1),
        Some(b'n') => (Some('\n'), 1),
        Some(b'r') => (Some('\r'), 1),
        Some(b't') => (Some('\t'), 1),
        Some(b'u') => {
            let (character, used) = unicode(escape);
            (Some(character), used)
        }
        Some(byte) => (Some(char::from(byte)), 1),
        None => (None, 0),
    }
}

/// The raw bytes of a text up to its first line break, which stands there as an escape.
pub(crate) fn first_line(raw: &str) -> &str {
    let mut at = 0;
    while let Some(stop) = raw.get(at..).and_then(|rest| rest.find('\\')).map(|offset| at + offset) {
        let escape = raw.get(stop + 1..).unwrap_or_default();
        if escape.starts_with(['n', 'r'])
            || escape.starts_with("u000a")
            || escape.starts_with("u000A")
            || escape.starts_with("u000d")
            || escape.starts_with("u000D")
        {
            return raw.get(..stop).unwrap_or_default();
        }
        at = stop + 2;
    }
    raw
}

/// The character of a `uXXXX`, with the low half behind it where there is one, and how many bytes that takes.
fn unicode(escape: &str) -> (char, usize) {
    let unit = |at: usize| u32::from_str_radix(escape.get(at..at + 4)?, 16).ok();
    let first = unit(1).unwrap_or(0xFFFD);
    let second = if escape.get(5..7) == Some("\\u") { unit(7) } else { None };
    if let (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) = (first, second) {
        let code = 0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
}

/// The first byte that cannot stand in a JSON text as it is: a quote, a backslash, a control character.
///
/// Looks at eight bytes at a time: texts are most of what a hook is made of.
pub(crate) fn special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, tail) = bytes.as_chunks::<8>();
    for (position, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20);
        let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
        let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
        // A byte below what was taken off it borrows, which sets its high bit. Borrows may set bits above the lowest byte
        // found wrongly, but that one is right, once the bytes that had their high bit set before are left out.
        let found = (control | quote | backslash) & !word & HIGH;
        if found != 0 {
            return Some(position * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let before = words.len() * 8;
    tail.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)).map(|position| before + position)
}

/// Writes a text in quotes, escaping what JSON wants escaped.
pub(crate) fn quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// Writes the inside of a text.
pub(crate) fn escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(stop) = special(rest) {
        let (clean, tail) = rest.split_at(stop);
        out.extend_from_slice(clean);
        match tail.first().copied() {
            Some(b'"') => out.extend_from_slice(b"\\\""),
            Some(b'\\') => out.extend_from_slice(b"\\\\"),
            Some(b'\n') => out.extend_from_slice(b"\\n"),
            Some(b'\r') => out.extend_from_slice(b"\\r"),
            Some(b'\t') => out.extend_from_slice(b"\\t"),
            Some(0x08) => out.extend_from_slice(b"\\b"),
            Some(0x0C) => out.extend_from_slice(b"\\f"),
            Some(byte) => {
                let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            }
            None => {}
        }
        rest = tail.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Writes a whole value without white space, a duplicate key once, with its last value at its first place.
pub(crate) fn node(out: &mut Vec<u8>, value: Node<'_>) {
    match value.kind() {
        Kind::Null | Kind::True | Kind::False | Kind::Number => out.extend_from_slice(value.bytes()),
        Kind::PlainText | Kind::EscapedText | Kind::BrokenText => text(out, value),
        Kind::Array => {
            out.push(b'[');
            for element in value.elements() {
                node(out, element);
                out.push(b',');
            }
            end(out, b']');
        }
        Kind::Object => object(out, value),
    }
}

/// Writes a text of a document; as it stands, unless its escapes are broken.
pub(crate) fn text(out: &mut Vec<u8>, value: Node<'_>) {
    if value.kind() == Kind::BrokenText {
        quoted(out, &unescape(value.raw()));
    } else {
        out.extend_from_slice(value.quoted());
    }
}

/// Writes an integer.
pub(crate) fn integer(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    let start = out.len();
    let mut rest = number.unsigned_abs();
    loop {
        out.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.get_mut(start..).unwrap_or_default().reverse();
}

/// Ends a list of `element,` with its bracket in place of the last comma.
pub(crate) fn end(out: &mut Vec<u8>, bracket: u8) {
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(bracket);
}

fn object(out: &mut Vec<u8>, value: Node<'_>) {
    out.push(b'{');
    for (key, member) in unique(value) {
        text(out, key);
        out.push(b':');
        node(out, member);
        out.push(b',');
    }
    end(out, b'}');
}

/// The members of an object, each key once.
pub(crate) fn unique(value: Node<'_>) -> Vec<(Node<'_>, Node<'_>)> {
    let mut members: Vec<(Node<'_>, Node<'_>)> = value.members().collect();
    if members.len() <= FEW_KEYS {
        let mut kept: Vec<(Node<'_>, Node<'_>)> = Vec::with_capacity(members.len());
        for (key, member) in members {
            match kept.iter_mut().find(|(earlier, _)| earlier.raw() == key.raw() || earlier.text() == key.text()) {
                Some(earlier) => earlier.1 = member,
                None => kept.push((key, member)),
            }
        }
        return kept;
    }
    let mut last = HashMap::with_capacity(members.len());
    for (key, member) in &members {
        last.insert(key.text(), *member);
    }
    members.retain_mut(|(key, member)| match last.remove(&key.text()) {
        Some(final_one) => {
            *member = final_one;
            true
        }
        None => false,
    });
    members
}
