//! Replaces what a text shows, by what its field holds and by what it looks like.

use super::names::Known;
use super::shapes::{self, Address};
use crate::forge::private::{Holding, Private};
use crate::path_keys::may_be_key;
use percent_encoding::percent_decode_str;

/// The longest number that is no telephone's.
const SHORT: usize = 6;
/// The longest number in an address that may be told behind a `=`: more may open something.
const TOLD: usize = 3;
/// The longest number in an address of the forge: those of jobs have eleven digits.
const LONG: usize = 12;

/// The replacing of one hook.
pub(super) struct Replacing<'p> {
    private: &'p Private,
    known: Known,
}

impl<'p> Replacing<'p> {
    pub(super) fn new(private: &'p Private, instance: Option<&str>) -> Self {
        Self { private, known: Known::new(instance) }
    }

    /// The name of a field. Fields are the forge's, but some have a name of somebody's for each of their own.
    pub(super) fn key(&mut self, key: &str) -> String {
        let is_identifier = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_ ".contains(&byte));
        let is_of_forge = is_identifier && !may_be_key(key) && !shapes::is_hex(key) && !self.known.is_given(key);
        let is_known = self.private.names_field(key) || self.private.is_word(key);
        if is_known || is_of_forge { key.to_owned() } else { self.unknown(key) }
    }

    /// The text of a field at a path of names.
    pub(super) fn text(&mut self, path: &[String], text: &str) -> String {
        let held = self.private.holding(path);
        if text.trim().is_empty() || self.private.is_word(text) && held != Some(Holding::Secret) {
            return text.to_owned();
        }
        match held {
            Some(Holding::Secret) => self.known.secret(text),
            Some(Holding::Text) => self.lines(text),
            Some(Holding::Person) => self.person(text),
            Some(Holding::Name) => self.names(text),
            Some(Holding::Plain) if shapes::is_plain(text) && !self.known.knows_person(text) => text.to_owned(),
            Some(Holding::Plain) | None => self.unknown(text),
        }
    }

    /// The number of a field at a path of names, which stays unless nobody may know what the field holds.
    pub(super) fn number(&mut self, path: &[String], number: &str) -> String {
        match self.private.holding(path) {
            Some(Holding::Secret | Holding::Person | Holding::Name) => self.known.number(number),
            Some(Holding::Text | Holding::Plain) | None => number.to_owned(),
        }
    }

    /// What somebody wrote: another text for each line that is not empty. One line may be what something is called.
    fn lines(&mut self, text: &str) -> String {
        if self.known.knows_name(text) {
            return self.known.name(text);
        }
        let other = |line: &str| {
            let end = line.len() - line.trim_end_matches(['\r', '\n']).len();
            let (line, end) = line.split_at(line.len() - end);
            let shown = if line.trim().is_empty() { String::new() } else { self.known.line(line.trim()) };
            shown + end
        };
        text.split_inclusive('\n').map(other).collect()
    }

    fn person(&mut self, text: &str) -> String {
        match self.shaped(text) {
            Some(shown) => shown,
            // An account's name, which stands in addresses, too.
            None if !text.contains(char::is_whitespace) => self.spaced(text),
            None => {
                self.known.give(text);
                self.known.person(text)
            }
        }
    }

    /// Names with `/` between them, white space around each.
    fn names(&mut self, text: &str) -> String {
        if let Some(shown) = self.shaped(text) {
            return shown;
        }
        let parts: Vec<String> = text.split('/').map(|part| self.spaced(part)).collect();
        parts.join("/")
    }

    fn spaced(&mut self, part: &str) -> String {
        let name = part.trim();
        self.known.give(name);
        let before = part.len() - part.trim_start().len();
        let (before, rest) = part.split_at(before);
        let behind = rest.get(name.len()..).unwrap_or_default();
        format!("{before}{}{behind}", self.segment(name, None))
    }

    /// A text of which nothing is known.
    fn unknown(&mut self, text: &str) -> String {
        match self.shaped(text) {
            Some(shown) => shown,
            None if shapes::is_time(text) || shapes::is_number(text, SHORT) => text.to_owned(),
            None if text.contains(char::is_whitespace) => self.lines(text),
            None => self.behind_host(text, SHORT),
        }
    }

    /// What has a shape that must stay: another of that shape.
    fn shaped(&mut self, text: &str) -> Option<String> {
        if shapes::is_uuid(text) {
            Some(self.known.uuid(text))
        } else if shapes::is_hex(text) {
            Some(self.known.hex(text))
        } else if shapes::mail(text).is_some() {
            Some(self.known.mail(text))
        } else {
            shapes::address(text).map(|address| self.address(&address))
        }
    }

    fn address(&mut self, address: &Address<'_>) -> String {
        let login = address.login.map(|login| match login.split_once(':') {
            Some((name, password)) => format!("{}:{}@", self.segment(name, None), self.known.secret(password)),
            None => format!("{}@", self.segment(login, None)),
        });
        let port = address.port.map(|port| format!(":{port}"));
        let longest = if self.known.is_forge(address.host) { LONG } else { SHORT };
        let (host, rest) = (self.known.host(address.host), self.behind_host(address.rest, longest));
        format!("{}{}{host}{}{rest}", address.scheme, login.unwrap_or_default(), port.unwrap_or_default())
    }

    /// A path, a query and a fragment: each part of them, with what is between.
    fn behind_host(&mut self, text: &str, longest: usize) -> String {
        let (mut shown, mut longest_here) = (String::with_capacity(text.len()), longest);
        for part in text.split_inclusive(['/', '?', '#', '&', '=', ':', ';', ',']) {
            let between = part.chars().next_back().filter(|character| "/?#&=:;,".contains(*character));
            let part = part.strip_suffix(|character| Some(character) == between).unwrap_or(part);
            shown += &self.segment(&percent_decode_str(part).decode_utf8_lossy(), Some(longest_here));
            shown.extend(between);
            longest_here = if between == Some('=') { TOLD } else { longest };
        }
        shown
    }

    /// One part of a path: a word of the forge's stays, and in addresses a number that is not too long; what else there is
    /// has been named by somebody.
    fn segment(&mut self, text: &str, longest: Option<usize>) -> String {
        if text.is_empty() || self.private.is_word(text) {
            return text.to_owned();
        }
        if shapes::is_uuid(text) {
            return self.known.uuid(text);
        }
        if shapes::is_hex(text) {
            return self.known.hex(text);
        }
        let is_known = self.known.knows_name(text);
        if !is_known && (shapes::is_version(text) || self.is_of_words(text, longest)) {
            return text.to_owned();
        }
        match text.rsplit_once('.').filter(|(stem, end)| !is_known && !stem.is_empty() && self.private.is_ending(end)) {
            Some((stem, end)) => format!("{}.{end}", self.segment(stem, longest)),
            None if shapes::mail(text).is_some() => self.known.mail(text),
            None => self.known.name(text),
        }
    }

    /// Whether a text is a word of the forge's with short numbers behind it, or in front; in an address they do alone.
    fn is_of_words(&self, text: &str, longest: Option<usize>) -> bool {
        let most = longest.unwrap_or(SHORT);
        let pieces = text.split(['-', '_', '.']).filter(|piece| !piece.is_empty());
        let (numbers, words): (Vec<&str>, Vec<&str>) = pieces.partition(|piece| shapes::is_number(piece, most));
        let digits: usize = numbers.iter().map(|number| number.len()).sum();
        digits <= most
            && match words.as_slice() {
                [] => longest.is_some() && numbers.len() <= 1,
                // Four numbers are the address of a machine.
                [word] => self.private.is_word(word) && numbers.len() <= 3,
                _ => false,
            }
    }
}
