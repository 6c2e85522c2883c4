//! What stands behind a backslash.

use super::{Reader, properties};

impl Reader {
    /// Outside of brackets.
    pub(super) fn escape(&mut self) -> Result<(), String> {
        let assertion = match self.peek(1) {
            Some('Q') => {
                self.at += 2;
                self.quoted();
                return Ok(());
            }
            Some('A') => {
                self.at += 2;
                self.out.anchor(r"\A");
                return Ok(());
            }
            // Of ASCII, and of bytes.
            Some('b') => r"(?-u:\b)",
            Some('B') => r"(?-u:\B)",
            Some('C') => "(?s-u:.)",
            Some('z') => r"\z",
            _ => {
                match self.set()? {
                    Some(set) => self.out.piece(&set),
                    None => {
                        let character = self.escaped_character()?;
                        self.out.literal(character);
                    }
                }
                return Ok(());
            }
        };
        self.at += 2;
        self.out.piece(assertion);
        Ok(())
    }

    /// What stands between `\Q` and `\E`, or the end: itself.
    fn quoted(&mut self) {
        while let Some(character) = self.peek(0) {
            if character == '\\' && self.peek(1) == Some('E') {
                self.at += 2;
                return;
            }
            self.out.literal(character);
            self.at += 1;
        }
    }

    /// A class, if one stands here. Those of a letter are of ASCII, as RE2 has them.
    pub(super) fn set(&mut self) -> Result<Option<String>, String> {
        if self.peek(0) != Some('\\') {
            return Ok(None);
        }
        let set = match self.peek(1) {
            Some('d') => "[0-9]",
            Some('D') => "[^0-9]",
            Some('w') => "[0-9A-Za-z_]",
            Some('W') => "[^0-9A-Za-z_]",
            Some('s') => r"[\t\n\f\r ]",
            Some('S') => r"[^\t\n\f\r ]",
            Some(sign @ ('p' | 'P')) => return self.property(sign == 'P').map(Some),
            _ => return Ok(None),
        };
        self.at += 2;
        Ok(Some(set.to_owned()))
    }

    /// `\pL` or `\p{Greek}`.
    fn property(&mut self, is_without: bool) -> Result<String, String> {
        let start = self.at;
        self.at += 2;
        let name: String = match self.peek(0) {
            Some('{') => {
                let rest = self.characters.iter().skip(self.at + 1);
                let name: String = rest.take_while(|character| **character != '}').collect();
                self.at += name.chars().count() + 2;
                name
            }
            other => {
                self.at += 1;
                other.into_iter().collect()
            }
        };
        let shown = self.since(start);
        if shown.contains('{') && !shown.ends_with('}') {
            return Err(format!("there is no `}}` for the `{{` of `{shown}`"));
        }
        let (name, is_turned) = name.strip_prefix('^').map_or((&*name, false), |name| (name, true));
        properties::class(name, is_without != is_turned, &shown)
    }

    /// A character, in brackets or not.
    pub(super) fn escaped_character(&mut self) -> Result<char, String> {
        let start = self.at;
        self.at += 2;
        let character = match self.peek_from(start + 1) {
            None => return Err(r"there is nothing behind the last `\`; write `\\` for the sign".to_owned()),
            Some('a') => '\x07',
            Some('f') => '\x0c',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\x0b',
            Some('x') => return self.hexadecimal(start),
            Some(digit @ '0'..='7') => return self.octal(digit),
            Some(sign) if sign.is_ascii() && !sign.is_ascii_alphanumeric() => sign,
            Some(other) => return Err(unknown(other)),
        };
        Ok(character)
    }

    /// `\012`: up to three digits. One alone, unless it is 0, would be what a group has found, which RE2 does not look for.
    fn octal(&mut self, first: char) -> Result<char, String> {
        let rest =
            (self.at..).map_while(|at| self.peek_from(at)).take_while(|digit| ('0'..='7').contains(digit)).take(2);
        let digits: String = std::iter::once(first).chain(rest).collect();
        if digits.len() == 1 && first != '0' {
            return Err(format!(
                "RE2 has no backreferences: `\\{first}`; write the text again, or `\\x{{{first}}}` for the character \
                 of that number"
            ));
        }
        self.at += digits.len() - 1;
        u32::from_str_radix(&digits, 8)
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(|| no_character(&format!("\\{digits}")))
    }

    /// `\x41` or `\x{41}`.
    fn hexadecimal(&mut self, start: usize) -> Result<char, String> {
        let is_digit = |digit: &char| digit.is_ascii_hexdigit();
        let (digits, is_whole): (String, bool) = if self.peek(0) == Some('{') {
            let digits: String = self.characters.iter().skip(self.at + 1).copied().take_while(is_digit).collect();
            self.at += digits.len() + 2;
            let is_closed = self.peek_from(self.at - 1) == Some('}') && !digits.is_empty();
            (digits, is_closed)
        } else {
            let digits: String = self.characters.iter().skip(self.at).copied().take(2).take_while(is_digit).collect();
            self.at += digits.len();
            let is_whole = digits.len() == 2;
            (digits, is_whole)
        };
        if !is_whole {
            let shown = self.since(start);
            return Err(format!("two digits or `{{…}}` stand behind `\\x`, of 0 to 9 and a to f: `{shown}`"));
        }
        // Any number of them may be 0.
        let digits = digits.trim_start_matches('0');
        let number = if digits.is_empty() { Ok(0) } else { u32::from_str_radix(digits, 16) };
        number.ok().and_then(char::from_u32).ok_or_else(|| no_character(&self.since(start)))
    }
}

fn no_character(shown: &str) -> String {
    format!("no character has the number of `{shown}`")
}

fn unknown(letter: char) -> String {
    let instead = match letter {
        'u' | 'U' => r": write \x{…}",
        'Z' => r": write `\z` or `$`",
        'E' => r" without a `\Q` before it",
        'b' | 'B' | 'A' | 'z' | 'C' | 'Q' => " in brackets",
        'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'p' | 'P' => " at the end of a range, being several characters",
        other if !other.is_ascii() => return format!("RE2 does not know `\\{other}`: write `{other}` for the sign"),
        _ => "",
    };
    format!("RE2 does not know `\\{letter}`{instead}")
}
