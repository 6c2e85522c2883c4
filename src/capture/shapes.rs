//! What a text looks like.

use crate::path_keys::may_be_key;

/// The shortest beginning of a commit's id that a forge shows.
const FEWEST_HEX: usize = 6;
/// From so many digits on it need not have letters and digits both.
const SURELY_HEX: usize = 32;
/// The longest word of a forge's own.
const MOST_OF_A_WORD: usize = 64;
const SCHEMES: [&str; 6] = ["http", "https", "ssh", "git", "ws", "wss"];

/// A number of at most so many digits.
pub(super) fn is_number(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number of a version: `1.2`, `v3.0.1`, `2.0.0-rc1`.
pub(super) fn is_version(text: &str) -> bool {
    let number = text.strip_prefix('v').unwrap_or(text);
    let (number, kind) = number.split_once('-').unwrap_or((number, "rc"));
    let kind = kind.trim_end_matches(|character: char| character.is_ascii_digit() || character == '.');
    let parts: Vec<&str> = number.split('.').collect();
    // Four numbers are the address of a machine.
    [2, 3].contains(&parts.len())
        && text.len() <= 24
        && parts.iter().all(|part| is_number(part, 4))
        && ["rc", "alpha", "beta", "pre"].contains(&kind)
}

/// A day, or a time of a day, however it is written.
pub(super) fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_day = |day: &[u8]| {
        day.iter()
            .enumerate()
            .all(|(at, byte)| if [4, 7].contains(&at) { *byte == b'-' } else { byte.is_ascii_digit() })
    };
    let rest = bytes.get(10..).unwrap_or_default();
    bytes.get(..10).is_some_and(is_day)
        && bytes.len() <= 35
        && (rest.is_empty() || rest.starts_with(b"T") || rest.starts_with(b" "))
        && rest.iter().all(|byte| byte.is_ascii_digit() || b"T :.+-ZUC".contains(byte))
}

/// Five groups of hexadecimal digits.
pub(super) fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The id of a commit, or a hash.
pub(super) fn is_hex(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    text.len() >= FEWEST_HEX
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && (is_mixed || text.len() >= SURELY_HEX)
}

/// A word of a forge's own: words as people make them, nothing that could be a key or an address.
pub(super) fn is_plain(text: &str) -> bool {
    let is_word = |word: &str| !word.contains(['@', '/', '\\']) && !may_be_key(word);
    text.is_ascii() && text.len() <= MOST_OF_A_WORD && text.lines().count() <= 1 && text.split(' ').all(is_word)
}

/// The name and the host of an address of mail.
pub(super) fn mail(text: &str) -> Option<(&str, &str)> {
    let (name, host) = text.split_once('@')?;
    let is_whole = !name.is_empty() && !host.is_empty() && !host.contains('@');
    (is_whole && !text.contains([':', '/']) && !text.contains(char::is_whitespace)).then_some((name, host))
}

/// An address of something: `scheme://login@host:port` and what is behind it, or `login@host:path` as git has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address<'t> {
    /// The scheme with its `://`; empty where there is none.
    pub(super) scheme: &'t str,
    /// Who asks, without the `@`.
    pub(super) login: Option<&'t str>,
    pub(super) host: &'t str,
    /// The port, or what is not one.
    pub(super) port: Option<&'t str>,
    /// What is behind, with what it begins with.
    pub(super) rest: &'t str,
}

/// Reads an address.
pub(super) fn address(text: &str) -> Option<Address<'_>> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    let Some((scheme, behind)) = text.split_once("://") else {
        let (login, behind) = text.split_once('@')?;
        let (host, path) = behind.split_once(':').filter(|(host, path)| !host.is_empty() && !path.is_empty())?;
        let rest = behind.get(behind.len() - path.len() - 1..).unwrap_or_default();
        return Some(Address { scheme: "", login: Some(login), host, port: None, rest });
    };
    if !SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
        return None;
    }
    let (place, rest) = behind.split_at(behind.find(['/', '?', '#']).unwrap_or(behind.len()));
    let (login, place) = place.rsplit_once('@').map_or((None, place), |(login, place)| (Some(login), place));
    let is_port = |(_, port): &(&str, &str)| is_number(port, 5) || port.is_empty();
    let (host, port) = match place.rsplit_once(':').filter(is_port) {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    };
    Some(Address { scheme: text.get(..scheme.len() + 3).unwrap_or_default(), login, host, port, rest })
}
