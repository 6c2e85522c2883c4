//! What is wrong with a file and where: `file:line:col: message (did you mean …?)`.

use std::collections::BTreeSet;
use std::fmt;

/// A place in a file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// Line from 1.
    pub line: u32,
    /// Column from 1.
    pub column: u32,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file works, but probably not as meant.
    Warning,
}

/// One finding in one file. They are in the order of files and places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file as the user names it.
    pub file: String,
    /// Where in it.
    pub position: Position,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.severity == Severity::Warning { "warning: " } else { "" };
        write!(formatter, "{}:{}:{}: {kind}{}", self.file, self.position.line, self.position.column, self.message)
    }
}

/// Every finding of a load, each once: a block is compiled at each place that uses it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    found: BTreeSet<Diagnostic>,
}

impl Diagnostics {
    /// Adds an error.
    pub fn error(&mut self, file: &str, position: Position, message: impl Into<String>) {
        self.add(file, position, Severity::Error, message.into());
    }

    /// Adds a warning.
    pub fn warning(&mut self, file: &str, position: Position, message: impl Into<String>) {
        self.add(file, position, Severity::Warning, message.into());
    }

    fn add(&mut self, file: &str, position: Position, severity: Severity, message: String) {
        self.found.insert(Diagnostic { file: file.to_owned(), position, severity, message });
    }

    /// Takes over the findings of another load.
    pub fn extend(&mut self, other: Self) {
        self.found.extend(other.found);
    }

    /// Makes every warning an error.
    pub fn make_errors(&mut self) {
        let found = std::mem::take(&mut self.found).into_iter();
        self.found = found.map(|finding| Diagnostic { severity: Severity::Error, ..finding }).collect();
    }

    /// Keeps only the findings that are wanted.
    pub fn keep(&mut self, wanted: impl Fn(&Diagnostic) -> bool) {
        self.found.retain(wanted);
    }

    /// Whether something makes a file unusable.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether something makes this file unusable.
    #[must_use]
    pub fn has_errors_in(&self, file: &str) -> bool {
        self.found.iter().any(|finding| finding.severity == Severity::Error && finding.file == file)
    }

    /// How many findings make a file unusable.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.found.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    /// The findings, by file and place.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        self.found.iter().collect()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for finding in self.sorted() {
            if !first {
                writeln!(formatter)?;
            }
            first = false;
            write!(formatter, "{finding}")?;
        }
        Ok(())
    }
}

/// `, did you mean ‹name›?` for the nearest known name at an edit distance of 2 or less, else nothing.
#[must_use]
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    near(wrong, known).map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

/// The nearest known name at an edit distance of 2 or less.
#[must_use]
pub fn near<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(wrong, name), name))
        .filter(|(distance, name)| *distance <= 2 && *distance < name.chars().count())
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_name_only_when_it_is_near() {
        assert_eq!(did_you_mean("frist_line", ["first_line", "first"]), ", did you mean `first_line`?");
        assert_eq!(did_you_mean("x", ["id", "int"]), "");
    }

    #[test]
    fn the_same_finding_counts_once_and_files_come_in_order() {
        let mut all = Diagnostics::default();
        all.warning("b.yaml", Position { line: 1, column: 2 }, "late");
        for _ in 0..2 {
            all.error("a.yaml", Position { line: 9, column: 1 }, "wrong");
        }
        assert_eq!(all.to_string(), "a.yaml:9:1: wrong\nb.yaml:1:2: warning: late");
        assert_eq!(all.errors(), 1);
    }
}
