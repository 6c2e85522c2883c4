//! Regular expressions are written as RE2 has them, which GitLab uses (<https://github.com/google/re2/wiki/Syntax>), and run by
//! a library that reads some signs in another way: those are written over, or refused where there is no other way to say them.

/// What the two know alike of the classes that stand in brackets.
const NAMED: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];
/// What can stand in `(?…)`.
const FLAGS: &str = "imsU-";

/// Writes an expression over.
///
/// # Errors
/// What RE2 does not know, or knows alone, in a sentence.
pub(super) fn written_over(expression: &str) -> Result<String, String> {
    let mut reader =
        Reader { characters: expression.chars().collect(), at: 0, out: String::with_capacity(expression.len()) };
    reader.run()?;
    Ok(reader.out)
}

struct Reader {
    characters: Vec<char>,
    at: usize,
    out: String,
}

/// One member of a class in brackets.
struct Member {
    text: String,
    /// Whether it stands for several characters, so that no range can begin with it.
    is_set: bool,
}

impl Reader {
    fn run(&mut self) -> Result<(), String> {
        while let Some(character) = self.peek(0) {
            match character {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' if self.peek(1) == Some('?') => self.group()?,
                '{' if self.peek(1) == Some(',') => {
                    return Err("for RE2 `{,` is no number of times: write `{0,`, or `\\{` for the sign".to_owned());
                }
                other => {
                    self.out.push(other);
                    self.at += 1;
                }
            }
        }
        Ok(())
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    /// Takes characters as they are, up to and with the first of a kind.
    fn up_to(&mut self, end: char) -> String {
        let mut text = String::new();
        while let Some(character) = self.peek(0) {
            text.push(character);
            self.at += 1;
            if character == end {
                break;
            }
        }
        text
    }

    fn take(&mut self, count: usize) -> String {
        let text: String = (0..count).filter_map(|ahead| self.peek(ahead)).collect();
        self.at += count;
        text
    }

    /// What stands behind a backslash outside of brackets.
    fn escape(&mut self) -> Result<(), String> {
        match self.peek(1) {
            Some('Q') => {
                self.at += 2;
                self.quoted();
            }
            Some('b') => {
                self.at += 2;
                self.out.push_str(r"(?-u:\b)");
            }
            Some('B') => return Err("`\\B` cannot be used here: write the letters that may stand beside it".to_owned()),
            _ => {
                let member = self.escaped()?;
                self.out.push_str(&member.text);
            }
        }
        Ok(())
    }

    /// What stands between `\Q` and `\E`, or the end: itself.
    fn quoted(&mut self) {
        while let Some(character) = self.peek(0) {
            if character == '\\' && self.peek(1) == Some('E') {
                self.at += 2;
                return;
            }
            self.out.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
            self.at += 1;
        }
    }

    /// What stands behind a backslash, in brackets or not. The classes are those of ASCII, as RE2 has them.
    fn escaped(&mut self) -> Result<Member, String> {
        let set = match self.peek(1) {
            Some('d') => "[0-9]",
            Some('D') => "[^0-9]",
            Some('w') => "[0-9A-Za-z_]",
            Some('W') => "[^0-9A-Za-z_]",
            Some('s') => r"[\t\n\f\r ]",
            Some('S') => r"[^\t\n\f\r ]",
            Some('p' | 'P') => {
                let text = if self.peek(2) == Some('{') { self.up_to('}') } else { self.take(3) };
                return Ok(Member { text, is_set: true });
            }
            other => {
                let text = match other {
                    Some(letter @ ('u' | 'U')) => {
                        return Err(format!("RE2 does not know `\\{letter}`: write \\x{{…}}"));
                    }
                    Some('x') if self.peek(2) == Some('{') => self.up_to('}'),
                    Some('x') => self.take(4),
                    // Itself, also where the library has a meaning for it.
                    Some(sign) if sign.is_ascii_punctuation() => {
                        self.at += 2;
                        regex::escape(sign.encode_utf8(&mut [0; 4]))
                    }
                    _ => self.take(2),
                };
                return Ok(Member { text, is_set: false });
            }
        };
        self.at += 2;
        Ok(Member { text: set.to_owned(), is_set: true })
    }

    /// `(?…`: the library knows more flags.
    fn group(&mut self) -> Result<(), String> {
        let word: String =
            self.characters.iter().skip(self.at + 2).take_while(|one| !":)<=!".contains(**one)).collect();
        let is_flags = matches!(self.peek(2 + word.chars().count()), Some(':' | ')'));
        if let Some(flag) = word.chars().find(|flag| is_flags && !FLAGS.contains(*flag)) {
            return Err(format!("RE2 does not know the flag `{flag}` of `(?{word}`"));
        }
        self.out.push_str("(?");
        self.at += 2;
        Ok(())
    }

    /// A class in brackets. For RE2 it has members and ranges, and nothing in it but `[:alpha:]` and the like is special.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        self.at += 1;
        if self.peek(0) == Some('^') {
            self.out.push('^');
            self.at += 1;
        }
        let mut is_first = true;
        while let Some(character) = self.peek(0) {
            if character == ']' && !is_first {
                self.out.push(']');
                self.at += 1;
                return Ok(());
            }
            is_first = false;
            if character == '[' && self.peek(1) == Some(':') && self.named()? {
                continue;
            }
            let member = self.member()?;
            self.out.push_str(&member.text);
            if !member.is_set && self.peek(0) == Some('-') && self.peek(1).is_some_and(|next| next != ']') {
                self.at += 1;
                let last = self.member()?;
                self.out.push('-');
                self.out.push_str(&last.text);
            }
        }
        // Not at its end: the library says so.
        Ok(())
    }

    fn member(&mut self) -> Result<Member, String> {
        match self.peek(0) {
            Some('\\') => self.escaped(),
            Some(character) => {
                self.at += 1;
                Ok(Member { text: regex::escape(character.encode_utf8(&mut [0; 4])), is_set: false })
            }
            None => Ok(Member { text: String::new(), is_set: false }),
        }
    }

    /// `[:alpha:]`, if it is one.
    fn named(&mut self) -> Result<bool, String> {
        let rest: String = self.characters.iter().skip(self.at + 2).collect();
        let Some((name, _)) = rest.split_once(":]") else { return Ok(false) };
        if !NAMED.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("there is no class `[:{name}:]`"));
        }
        self.out.extend(["[:", name, ":]"]);
        self.at += name.chars().count() + 4;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn compiled(expression: &str) -> Regex {
        let over = written_over(expression).expect(expression);
        Regex::new(&over).unwrap_or_else(|error| panic!("{expression}: {over}: {error}"))
    }

    /// Expression, what it finds by RE2, what it does not.
    const AS_IN_RE2: [(&str, &[&str], &[&str]); 30] = [
        (r"^\Qa.b*\E$", &["a.b*"], &["axb*", "a.b"]),
        (r"^\Q[v]\E+$", &["[v]", "[v]]]"], &["[v][v]", "v"]),
        (r"\Qa(b", &["a(b"], &["ab"]),
        (r"^\Q\d\E$", &[r"\d"], &["7"]),
        (r"^\Q\E$", &[""], &["a"]),
        (r"^[[x]+$", &["[", "x", "[x"], &["y", "]"]),
        (r"^[x[]$", &["[", "x"], &["y"]),
        (r"^[[a]$", &["[", "a"], &["[a"]),
        (r"^[a[b]c]$", &["ac]", "[c]", "bc]"], &["a", "b", "c"]),
        (r"^[[:alpha:]_]+$", &["a_b"], &["1", ":"]),
        (r"^[[:^alpha:]]+$", &["1", "_"], &["a"]),
        (r"^[[:a]+$", &["[", ":", "a"], &["b"]),
        (r"^[a&&b]+$", &["a", "&", "b"], &["c"]),
        (r"^[a&&&b]+$", &["&"], &["c"]),
        (r"^[+--]+$", &["+", ",", "-"], &["."]),
        (r"^[!--b]+$", &["!", "-", "b", "+"], &["a"]),
        (r"^[a~~b]+$", &["a", "~", "b"], &["c"]),
        (r"^[]a]+$", &["]", "a"], &["b"]),
        (r"^[^]a]+$", &["b", "["], &["]", "a"]),
        (r"^[a-]+$", &["a", "-"], &["b"]),
        (r"^[-a]+$", &["a", "-"], &["b"]),
        (r"^[\d-z]+$", &["7", "-", "z"], &["a"]),
        (r"^[\w.-]+$", &["a.b-c_7"], &["a/b", "ж"]),
        (r"^[\x41-\x43\x{44}]+$", &["A", "B", "C", "D"], &["E"]),
        (r"^[\]\\\[]+$", &["]", r"\", "["], &["a"]),
        (r"^\<a\>$", &["<a>"], &["a"]),
        (r"^[\pL\d]+$", &["ж7"], &["-"]),
        (r"^\p{Greek}\PL$", &["α1"], &["a1", "αa"]),
        (r"^(?i:MAIN)$", &["main"], &["domain"]),
        (r"^(?P<kind>release|hotfix)/(?:\d+\.)+x$", &["release/1.2.x"], &["release/x"]),
    ];

    #[test]
    fn what_the_library_reads_in_another_way_is_read_as_by_re2() {
        for (expression, fits, fits_not) in AS_IN_RE2 {
            let compiled = compiled(expression);
            for name in fits {
                assert!(compiled.is_match(name), "{expression} ({compiled}) on {name}");
            }
            for name in fits_not {
                assert!(!compiled.is_match(name), "{expression} ({compiled}) on {name}");
            }
        }
    }

    #[test]
    fn what_cannot_be_said_as_in_re2_is_refused_with_its_sign() {
        for (expression, says) in [
            ("(?x)main # a comment", "RE2 does not know the flag `x` of `(?x`"),
            ("(?ix:ma in)", "RE2 does not know the flag `x` of `(?ix`"),
            ("(?u)main", "RE2 does not know the flag `u` of `(?u`"),
            ("(?-u:main)", "RE2 does not know the flag `u` of `(?-u`"),
            ("(?R)main", "RE2 does not know the flag `R` of `(?R`"),
            (r"\u{61}", r"RE2 does not know `\u`: write \x{…}"),
            (r"[\U00000061]", r"RE2 does not know `\U`: write \x{…}"),
            ("[[:letter:]]", "there is no class `[:letter:]`"),
            ("a{,3}", r"for RE2 `{,` is no number of times: write `{0,`, or `\{` for the sign"),
            (r"\Bain", r"`\B` cannot be used here: write the letters that may stand beside it"),
        ] {
            assert_eq!(written_over(expression).expect_err(expression), says);
        }
        // The library refuses these, as RE2 does.
        for expression in
            ["[a--b]", "[z-a]", "[a", "(?=a)", r"(a)\1", r"\E", r"a\", "[a-\\d]", "(?<=a)", "(?P=a)", "[]"]
        {
            let over = written_over(expression).expect(expression);
            assert!(Regex::new(&over).is_err(), "{expression}: {over}");
        }
    }

    /// Nothing that begins in one way and does not end brings it out of step.
    #[test]
    fn half_an_expression_comes_to_an_end() {
        for whole in [r"\Qa.b\E[[:alpha:]\x{41}-\pL](?P<a>b)(?i:c){2,3}\d", "[[[[", r"\\\\\", "(?(?(?", "[:[:[:"] {
            for end in 0..=whole.len() {
                let _ = written_over(&whole[..end]);
            }
        }
    }
}
