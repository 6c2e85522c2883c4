//! What people read: tables and colours, and nothing that a terminal would obey. Hooks hold what strangers wrote.

mod columns;

use super::out;
pub(super) use columns::{Cell, Table};
use jiff::Timestamp;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

/// What a text is marked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Good,
    Bad,
    Waiting,
    Faint,
    Strong,
}

/// Where standard output goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    has_colour: bool,
    /// How many characters a line has; none when it is no terminal.
    pub(super) width: Option<usize>,
}

impl Screen {
    /// Looks where standard output goes.
    pub(super) fn of_out() -> Self {
        let out = std::io::stdout();
        if !out.is_terminal() {
            return Self { has_colour: false, width: None };
        }
        let environment = super::environment();
        let says = |name: &str| environment.get(name).map(String::as_str).unwrap_or_default();
        let has_colour = says("NO_COLOR").is_empty() && says("TERM") != "dumb";
        let width = rustix::termios::tcgetwinsize(&out).map(|size| usize::from(size.ws_col)).ok();
        Self { has_colour, width: width.filter(|width| *width > 0) }
    }

    /// No terminal with colours, of a width.
    #[cfg(test)]
    pub(super) fn plain(width: Option<usize>) -> Self {
        Self { has_colour: false, width }
    }

    /// A text in a colour, where there are any.
    pub(super) fn paint(self, text: &str, colour: Option<Colour>) -> String {
        let code = match colour {
            Some(colour) if self.has_colour && !text.is_empty() => match colour {
                Colour::Good => "32",
                Colour::Bad => "31",
                Colour::Waiting => "33",
                Colour::Faint => "2",
                Colour::Strong => "1",
            },
            _ => return text.to_owned(),
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Whether a terminal would not show a character, but do something: move, clear, write from right to left.
pub(super) fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text on one line, with an escape in place of each character that a terminal would obey.
pub(super) fn harmless(text: &str) -> String {
    if !text.contains(is_harmful) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            _ if is_harmful(character) => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
}

/// A text, each line of it as [`harmless`] makes it.
pub(super) fn harmless_lines(text: &str) -> String {
    text.lines().map(harmless).collect::<Vec<_>>().join("\n")
}

/// Prints JSON on a line. What a terminal would obey is written as JSON's escapes, so that it stays the same JSON.
pub(super) fn json(value: &Value) -> bool {
    out::line(&harmless_json(&value.to_string()))
}

/// JSON, on one line or on many, as [`json`] prints it.
pub(super) fn harmless_json(text: &str) -> String {
    let must_go = |character: char| is_harmful(character) && character != '\n';
    if !text.contains(must_go) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        // All of them are in the first plane: one escape says them.
        if must_go(character) {
            // Writing into a String cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A point in time to the second, as `--since` reads it.
pub(super) fn time(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// Whether somebody can be asked.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on standard error; only `y` and `yes` are a yes.
pub(super) fn agrees(question: &str) -> bool {
    let mut err = std::io::stderr().lock();
    // Where it cannot be asked, nothing is answered.
    let _ = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
    drop(err);
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

/// Shows how far something is, in place of what was shown before, where standard error is a terminal.
pub(super) fn progress(text: &str) {
    let mut err = std::io::stderr().lock();
    if err.is_terminal() {
        // Where it cannot be shown nothing is lost.
        let _ = write!(err, "\r\u{1b}[K{text}").and_then(|()| err.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(harmless("a\u{1b}]0;b\u{7}\r\n\u{9b}2J\u{202e}é"), r"a\u{1b}]0;b\u{7}\r\n\u{9b}2J\u{202e}é");
        assert_eq!(harmless_lines("a\nb\u{1b}"), "a\nb\\u{1b}");
        let shown = "main — ветка 分支 👩\u{200d}🚀";
        assert_eq!(harmless(shown), shown);
    }

    #[test]
    fn colours_are_for_those_who_have_them() {
        assert_eq!(Screen::plain(None).paint("failed", Some(Colour::Bad)), "failed");
        let coloured = Screen { has_colour: true, width: None };
        assert_eq!(coloured.paint("failed", Some(Colour::Bad)), "\u{1b}[31mfailed\u{1b}[0m");
    }
}
