//! Classes in brackets.

use super::Reader;
use std::fmt::Write as _;

/// What the two know alike of the classes that stand in brackets.
const NAMED: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

impl Reader {
    /// A class in brackets. For RE2 it has members and ranges, and nothing in it but `[:alpha:]` and the like is special.
    pub(super) fn class(&mut self) -> Result<(), String> {
        let mut text = "[".to_owned();
        self.at += 1;
        if self.peek(0) == Some('^') {
            text.push('^');
            self.at += 1;
        }
        let mut is_first = true;
        while self.peek(0) != Some(']') || is_first {
            is_first = false;
            if self.named(&mut text)? {
                continue;
            }
            if let Some(set) = self.set()? {
                text.push_str(&set);
                continue;
            }
            self.range(&mut text)?;
        }
        self.at += 1;
        text.push(']');
        self.out.piece(&text);
        Ok(())
    }

    /// `[:alpha:]`, if it is one.
    fn named(&mut self, text: &mut String) -> Result<bool, String> {
        if self.peek(0) != Some('[') || self.peek(1) != Some(':') {
            return Ok(false);
        }
        let rest: String = self.characters.iter().skip(self.at + 2).collect();
        let Some((name, _)) = rest.split_once(":]") else { return Ok(false) };
        if !NAMED.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("there is no class `[:{name}:]`; RE2 knows {}", NAMED.join(", ")));
        }
        text.extend(["[:", name, ":]"]);
        self.at += name.chars().count() + 4;
        Ok(true)
    }

    /// A character, or one, a `-` and another.
    fn range(&mut self, text: &mut String) -> Result<(), String> {
        let start = self.at;
        let first = self.member()?;
        let mut last = first;
        if self.peek(0) == Some('-') && self.peek(1).is_some_and(|next| next != ']') {
            self.at += 1;
            last = self.member()?;
        }
        if last < first {
            return Err(format!("the end of a range is before its beginning: `{}`", self.since(start)));
        }
        // As numbers, of which none is special.
        let _ = write!(text, r"\x{{{:x}}}-\x{{{:x}}}", u32::from(first), u32::from(last));
        Ok(())
    }

    fn member(&mut self) -> Result<char, String> {
        match self.peek(0) {
            Some('\\') => self.escaped_character(),
            Some(character) => {
                self.at += 1;
                Ok(character)
            }
            None => Err(r"unclosed class: there is no `]` for a `[`; write `\[` for the sign".to_owned()),
        }
    }
}
