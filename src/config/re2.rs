//! Regular expressions are written as RE2 has them, which GitLab uses (<https://github.com/google/re2/wiki/Syntax>), and run by
//! a library that reads some signs in another way: each expression is taken apart as RE2 does it, and written over.
//!
//! What is accepted means what it means to RE2, and what RE2 refuses is refused. Known to differ:
//!
//! - Refused though RE2 takes it: groups and repetitions more than 250 deep; the number of half a surrogate pair (`\x{d800}`),
//!   which no text has. How large an expression may grow the two count in their own ways: to 10 MB here, to 8 MB there.
//! - What Unicode has changed or given away since version 15 is in its classes here already, and folds its case.
//! - `(?<name>…)`, and letters other than those of ASCII in a name, RE2 takes since 2023; names play no part in a filter.
//!
//! `verdicts.jsonl` has what RE2 itself says of the odd corners.

mod beginning;
mod class;
mod escape;
mod group;
mod outline;
mod properties;
mod repetition;
#[cfg(test)]
mod tests;

pub(super) use beginning::WHOLE_REFS;
use outline::Outline;

/// An expression for the library's `bytes::Regex`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: String,
    /// The beginning of a whole ref, where one has to stand at the beginning of a name for some of it to fit.
    pub(super) whole_ref: Option<&'static str>,
}

/// Writes an expression over.
///
/// # Errors
/// What RE2 does not know, in a sentence.
pub(super) fn written_over(expression: &str) -> Result<Written, String> {
    let mut reader = Reader { characters: expression.chars().collect(), at: 0, out: Outline::default() };
    reader.run()?;
    let (text, whole_ref) = reader.out.end()?;
    Ok(Written { text, whole_ref })
}

struct Reader {
    characters: Vec<char>,
    at: usize,
    out: Outline,
}

impl Reader {
    fn run(&mut self) -> Result<(), String> {
        let mut repetition: Option<String> = None;
        while let Some(character) = self.peek(0) {
            let before = repetition.take();
            if matches!(character, '*' | '+' | '?' | '{') {
                repetition = self.repetition(before.as_deref())?;
                if repetition.is_some() {
                    continue;
                }
            }
            match character {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                other => {
                    self.at += 1;
                    self.sign(other)?;
                }
            }
        }
        Ok(())
    }

    fn sign(&mut self, sign: char) -> Result<(), String> {
        match sign {
            ')' => self.out.close()?,
            '|' => self.out.bar(),
            '^' => self.out.anchor("^"),
            '$' => self.out.piece("$"),
            '.' => self.out.piece("."),
            other => self.out.literal(other),
        }
        Ok(())
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.peek_from(self.at + ahead)
    }

    fn peek_from(&self, at: usize) -> Option<char> {
        self.characters.get(at).copied()
    }

    /// What was read, for messages.
    fn since(&self, start: usize) -> String {
        let end = self.at.min(self.characters.len());
        self.characters.get(start..end).unwrap_or_default().iter().collect()
    }
}
