//! Finds in stored content what is to be erased: somebody by words, a project by its path. It knows of no forge: a body is
//! a document with texts in it.

use super::Whose;
use std::borrow::Cow;

/// What is looked for, in small letters.
#[derive(Debug, Clone)]
pub(super) struct Mentions {
    wanted: String,
    is_project: bool,
}

impl Mentions {
    pub(super) fn of(whose: &Whose) -> Self {
        match whose {
            Whose::User(text) => Self { wanted: text.trim().to_lowercase(), is_project: false },
            Whose::Project(text) => {
                let path = text.trim().trim_matches('/').to_lowercase();
                let path = path.strip_suffix(".git").unwrap_or(&path).to_owned();
                Self { wanted: path, is_project: true }
            }
        }
    }

    pub(super) fn is_project(&self) -> bool {
        self.is_project
    }

    /// What stands for the project, where it is not its path.
    pub(super) fn id(&self) -> Option<&str> {
        Some(self.wanted.as_str()).filter(|own| self.is_project && !own.contains('/'))
    }

    /// Whether what stands for a hook's project is meant.
    pub(super) fn names(&self, project: &str) -> bool {
        let project = project.to_lowercase();
        if self.is_project { project == self.wanted } else { has_words(&project, &self.wanted) }
    }

    /// Whether it occurs in a body, in headers, or in any other text.
    pub(super) fn occurs(&self, content: &[u8]) -> bool {
        let content = String::from_utf8_lossy(content);
        let is_document = content.trim_start().starts_with(['{', '[']);
        match (self.is_project, is_document) {
            // As it stands, whatever begins like a document, and its numbers; and its texts as they are meant.
            (false, false) => has_words(&content.to_lowercase(), &self.wanted),
            (false, true) => {
                has_words(&content.to_lowercase(), &self.wanted)
                    || Texts(&content).any(|text| has_words(&text.to_lowercase(), &self.wanted))
            }
            (true, true) => self.is_of_project(&content),
            (true, false) => false,
        }
    }

    /// Whether a document has the project's path as a text of its own, or in the address of a page or a repository.
    fn is_of_project(&self, document: &str) -> bool {
        let lowered = Texts(document).map(|text| text.to_lowercase());
        let texts: Vec<String> = lowered.filter(|text| text.contains(&self.wanted)).collect();
        if texts.contains(&self.wanted) {
            return true;
        }
        // `group/owner/alias` is another project than `owner/alias`, where the document says that there is one.
        let is_longer = |path: String| texts.contains(&path);
        self.wanted.contains('/') && texts.iter().any(|text| is_in_address(text, &self.wanted, is_longer))
    }
}

/// Whether a content has a word, be it a number, a text or a part of one.
pub(super) fn says(content: &[u8], word: &str) -> bool {
    has_words(&String::from_utf8_lossy(content).to_lowercase(), &word.to_lowercase())
}

/// Whether a path stands in an address: behind its host or between slashes.
fn is_in_address(text: &str, wanted: &str, is_longer: impl Fn(String) -> bool) -> bool {
    if text.contains(char::is_whitespace) {
        return false;
    }
    let behind_host = match text.split_once("://") {
        Some((_, rest)) => rest.split_once('/'),
        None => text.split_once('@').and_then(|(_, rest)| rest.split_once(':')),
    };
    let Some((_, path)) = behind_host else { return false };
    path.match_indices(wanted).any(|(at, found)| {
        let (before, after) = around(path, at, found);
        let ends = after.strip_prefix(".git").unwrap_or(after);
        (before.is_empty() || before.ends_with('/'))
            && (ends.is_empty() || ends.starts_with(['/', '?', '#']))
            && (before.is_empty() || !is_longer(format!("{before}{found}")))
    })
}

/// Whether words stand in a text, with no letter or digit right before or behind them.
fn has_words(text: &str, words: &str) -> bool {
    let is_of_word = |character: char| character.is_alphanumeric() || character == '_';
    !words.is_empty()
        && text.match_indices(words).any(|(at, found)| {
            let (before, after) = around(text, at, found);
            !before.chars().next_back().is_some_and(is_of_word) && !after.chars().next().is_some_and(is_of_word)
        })
}

fn around<'t>(text: &'t str, at: usize, found: &str) -> (&'t str, &'t str) {
    (text.get(..at).unwrap_or_default(), text.get(at + found.len()..).unwrap_or_default())
}

/// The texts of a JSON document, names of members too, with what is escaped in them written out. One that is cut off, or
/// nested as deep as anything, has texts like others.
struct Texts<'d>(&'d str);

impl<'d> Iterator for Texts<'d> {
    type Item = Cow<'d, str>;

    fn next(&mut self) -> Option<Cow<'d, str>> {
        let (_, rest) = self.0.split_once('"')?;
        let (mut end, mut has_escapes) = (rest.len(), false);
        let mut bytes = rest.bytes().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'"' => {
                    end = at;
                    break;
                }
                b'\\' => {
                    has_escapes = true;
                    bytes.next();
                }
                _ => {}
            }
        }
        let text = rest.get(..end).unwrap_or_default();
        self.0 = rest.get(end + 1..).unwrap_or_default();
        Some(if has_escapes { Cow::Owned(unescaped(text)) } else { Cow::Borrowed(text) })
    }
}

/// A text with what JSON escapes in it written out.
pub(super) fn unescaped(text: &str) -> String {
    let (mut units, mut characters) = (Vec::with_capacity(text.len()), text.chars());
    while let Some(character) = characters.next() {
        let meant = match (character, characters.as_str().chars().next()) {
            ('\\', Some('u')) => {
                let digits = characters.as_str().get(1..5).and_then(|digits| u16::from_str_radix(digits, 16).ok());
                if let Some(unit) = digits {
                    units.push(unit);
                    characters = characters.as_str().get(5..).unwrap_or_default().chars();
                    continue;
                }
                'u'
            }
            // Breaks of lines and the like part words.
            ('\\', Some('n' | 'r' | 't' | 'b' | 'f')) => ' ',
            ('\\', Some(other)) => other,
            (other, _) => {
                units.extend_from_slice(other.encode_utf16(&mut [0; 2]));
                continue;
            }
        };
        characters.next();
        units.extend_from_slice(meant.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Mentions {
        Mentions::of(&Whose::User(text.to_owned()))
    }

    fn project(text: &str) -> Mentions {
        Mentions::of(&Whose::Project(text.to_owned()))
    }

    #[test]
    fn somebody_is_found_by_whole_words() {
        let body = r#"{"a": [{"author": "Olga Vetrova", "mail": "<O.Vetrova@harbour.example.com>"}], "n": 17}"#;
        for text in ["olga vetrova", " O.VETROVA@harbour.example.com ", "Vetrova", "author", "17"] {
            assert!(user(text).occurs(body.as_bytes()), "{text}");
        }
        for text in ["olga v", "etrova", "7", "", "Olga\", \"mail"] {
            assert!(!user(text).occurs(body.as_bytes()), "{text}");
        }
        assert!(user("olga").occurs(b"no such user: olga."), "also where there is no document");
        assert!(user("olga").occurs(b"[WARN] olga has no rights"), "or nothing but what begins like one");
    }

    #[test]
    fn what_is_escaped_is_found() {
        let body = r#"{"x": "by\n\u041e\u043b\u0435\u0433 \"Oleg\" \ud83d\ude00 c:\\sedov", "y": "cut off \u041"#;
        for text in ["олег", "oleg", "Олег \"Oleg\"", "😀", "sedov", "cut off"] {
            assert!(user(text).occurs(body.as_bytes()), "{text}");
        }
        assert!(!user("nОлег").occurs(body.as_bytes()));
    }

    #[test]
    fn a_project_is_found_by_its_path() {
        let gitflic = br#"{"project": {"url": "https://git.example.org/project/north-harbour/ledger.git"}}"#;
        let by_ssh = br#"{"url": "git@git.example.org:North-Harbour/Ledger.git"}"#;
        let gitlab = br#"{"path": "north-harbour/ledger"}"#;
        let page = br#"{"url": "https://git.example.org/north-harbour/ledger/-/issues/1"}"#;
        for own in [&gitflic[..], by_ssh, gitlab, page] {
            assert!(project("north-harbour/ledger").occurs(own), "{}", String::from_utf8_lossy(own));
        }
        for other in [
            &br#"{"path": "south/north-harbour/ledger", "url": "https://x/south/north-harbour/ledger.git"}"#[..],
            br#"{"url": "https://git.example.org/north-harbour/ledger-2"}"#,
            br#"{"text": "see https://git.example.org/north-harbour/ledger for more"}"#,
            br#"{"text": "north-harbour/ledger is old"}"#,
            b"north-harbour/ledger",
        ] {
            assert!(!project("north-harbour/ledger").occurs(other), "{}", String::from_utf8_lossy(other));
        }
        assert!(project("/north-harbour/ledger.git").names("North-Harbour/ledger") && project("42").names("42"));
    }
}
