//! Shows what is wrong with files: a line each, with the line of the file below it on a terminal; for scripts as JSON,
//! for GitHub as annotations.

use super::out;
use crate::mapping::{Diagnostic, Diagnostics, Files, Severity};
use serde_json::json;
use std::io::IsTerminal;

/// What is wrong with settings, which have a name for a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfSettings<'f> {
    pub(super) faults: &'f [String],
    pub(super) warnings: &'f [String],
}

impl OfSettings<'_> {
    /// Every message with the word for how bad it is.
    fn all(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let faults = self.faults.iter().map(|message| ("error", message));
        faults.chain(self.warnings.iter().map(|message| ("warning", message)))
    }
}

/// Prints findings to standard error, with code frames where a person looks at it.
pub(super) fn print(found: &Diagnostics, files: &Files) {
    let frames = std::io::stderr().is_terminal();
    for finding in found.sorted() {
        let frame = if frames { frame(finding, files) } else { String::new() };
        out::findings(format!("{finding}{frame}"));
    }
}

/// The line of the file that a finding is about, and a mark below its column.
fn frame(finding: &Diagnostic, files: &Files) -> String {
    let text = files.shown_as(&finding.file).unwrap_or_default();
    let number = finding.position.line;
    let Some(line) = usize::try_from(number).ok().and_then(|line| text.lines().nth(line.checked_sub(1)?)) else {
        return String::new();
    };
    let before = usize::try_from(finding.position.column.saturating_sub(1)).unwrap_or_default();
    // Tabs stay tabs, so that the mark stands below its place whatever their width is.
    let indent: String =
        line.chars().take(before).map(|character| if character == '\t' { '\t' } else { ' ' }).collect();
    let gutter = number.to_string().len();
    format!("\n  {number} | {line}\n  {:gutter$} | {indent}^", "")
}

/// Findings as a JSON array; `strict` makes every warning an error.
pub(super) fn json(found: &Diagnostics, of_settings: OfSettings<'_>) -> String {
    let mut all: Vec<_> = of_settings
        .all()
        .map(|(severity, message)| {
            json!({"file": null, "line": null, "column": null, "severity": severity, "message": message})
        })
        .collect();
    all.extend(found.sorted().into_iter().map(|finding| {
        json!({
            "file": finding.file,
            "line": finding.position.line,
            "column": finding.position.column,
            "severity": severity(finding),
            "message": finding.message,
        })
    }));
    // Texts and numbers alone: it always has a JSON form.
    serde_json::to_string_pretty(&all).unwrap_or_default()
}

/// Findings as GitHub's workflow commands, one a line.
pub(super) fn github(found: &Diagnostics, of_settings: OfSettings<'_>) -> String {
    let mut lines: Vec<String> =
        of_settings.all().map(|(severity, message)| format!("::{severity}::{}", escaped(message))).collect();
    lines.extend(found.sorted().into_iter().map(|finding| {
        let file = escaped(&finding.file).replace(':', "%3A").replace(',', "%2C");
        let (line, column) = (finding.position.line, finding.position.column);
        format!("::{} file={file},line={line},col={column}::{}", severity(finding), escaped(&finding.message))
    }));
    lines.join("\n")
}

fn severity(finding: &Diagnostic) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::diagnostic::Position;

    fn found() -> (Diagnostics, Files) {
        let mut files = Files::default();
        files.insert("d/a.yaml", "own/a,b.yaml", "x: 1\n\ttitle: ${c | frist}\n".to_owned());
        let mut found = Diagnostics::default();
        found.error("own/a,b.yaml", Position { line: 2, column: 14 }, "100% wrong");
        (found, files)
    }

    #[test]
    fn a_frame_marks_the_column() {
        let (found, files) = found();
        assert_eq!(frame(found.sorted()[0], &files), "\n  2 | \ttitle: ${c | frist}\n    | \t            ^");
    }

    #[test]
    fn github_gets_annotations_with_its_escapes() {
        let (found, _) = found();
        assert_eq!(
            github(&found, OfSettings { faults: &[], warnings: &[] }),
            "::error file=own/a%2Cb.yaml,line=2,col=14::100%25 wrong"
        );
    }

    #[test]
    fn json_has_every_part_of_its_own() {
        let (found, _) = found();
        let of_settings = OfSettings { faults: &["route: missing".to_owned()], warnings: &[] };
        let all: serde_json::Value = serde_json::from_str(&json(&found, of_settings)).expect("JSON");
        assert_eq!(all[0]["message"], "route: missing");
        assert_eq!((&all[1]["line"], &all[1]["severity"]), (&2.into(), &"error".into()));
    }
}
